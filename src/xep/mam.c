/* SPDX-License-Identifier: MIT
 *
 * Message Archive Management (XEP-0313) of a user's own archive, which is the journal of the account: queries (§4; what they
 * ask for: mam_query.c) and metadata (§5). Messages come forwarded (XEP-0297) with the time (XEP-0203) when they were archived,
 * before the answer that ends the page. Single messages that are not there are refused.
 */
#include "mam.h"

#include "core/config.h"
#include "core/disco.h"
#include "core/journal.h"
#include "core/module.h"
#include "core/session.h"
#include "xmpp/ns.h"
#include "xmpp/rsm.h"
#include "xmpp/stamp.h"

static void query_found(struct store_request *found);

/* ---- the query ---- */

static struct store_journal_archive *archive_new(const struct iq_request *request,
                                                 void (*done)(struct store_request *request))
{
	const struct jid *jid = &request->account->jid;
	struct store_journal_archive *archive = store_request_new(sizeof(*archive), STORE_JOURNAL_ARCHIVE,
	                                                          request->home->worker, jid->text, jid_bare_len(jid),
	                                                          done);

	archive->to = archive->before = UINT64_MAX;
	archive->request.context = (void *)(uintptr_t)request;
	return archive;
}

static void query_asked(struct iq_request *request)
{
	struct store_journal_archive *archive = archive_new(request, query_found);
	enum stanza_condition condition = mam_query_read(&archive->request.arena, request->payload, archive);

	if (condition) {
		store_request_free(&archive->request);
		iq_refuse(request, condition, NULL);
		return;
	}
	store_submit(request->home->server->store, &archive->request);
}

static void archive_asked(struct iq_request *request)
{
	if (request->parcel->stanza->type == IQ_GET)
		mam_form_asked(request);
	else
		query_asked(request);
}

/* ---- the answer ---- */

/* §4.2: one message. An entry that cannot be read is left out. */
static const struct stanza *entry_stanza(const struct session *session, const struct iq_request *request,
                                         const struct store_journal_entry *entry)
{
	struct account *account = session->account;
	struct stanza *message = stanza_make(STANZA_MESSAGE, MESSAGE_NORMAL, &account->jid, &session->jid, NULL);
	const struct stanza *unreadable = message;
	struct arena *arena = &message->arena;
	struct element *root = journal_entry_read(account, arena, entry), *result, *forwarded, *delay;
	const char *queryid = element_attr(request->payload, "queryid");
	char id[JOURNAL_ID_LEN + 1], stamp[STAMP_LEN + 1];

	if (!root) {
		stanza_unref(&unreadable);
		return NULL;
	}
	journal_id(entry->sequence, id);
	stamp_write(entry->at_us, stamp);
	result = element_add(arena, message->root, "result", NS_MAM);
	element_set(arena, result, "queryid", queryid);
	element_set(arena, result, "id", id);
	forwarded = element_add(arena, result, "forwarded", NS_FORWARD);
	delay = element_add(arena, forwarded, "delay", NS_DELAY);
	element_set(arena, delay, "stamp", stamp);
	element_copy(arena, forwarded, root);
	return stanza_seal(message);
}

/* A client that goes through all of the archive has what it has acknowledged. */
static bool page_is_of_all(const struct store_journal_archive *archive)
{
	return !archive->with && !archive->ids && !archive->backwards && archive->to == UINT64_MAX &&
	       archive->before == UINT64_MAX && archive->count > 0;
}

/* One page that follows another which is not acknowledged yet makes one with it. */
static void page_remember(struct session *session, const struct store_journal_archive *archive)
{
	uint64_t after = archive->from > 0 ? archive->from - 1 : 0;

	if (archive->after > after)
		after = archive->after;
	if (after > session->page_up_to || after < session->page_after)
		session->page_after = after;
	session->page_up_to = archive->entries[archive->count - 1].sequence;
}

static void page_push(struct iq_request *request, const struct store_journal_archive *archive)
{
	bool is_flipped = element_child(request->payload, "flip-page", NS_MAM);
	struct session *session = iq_session(request);
	bool tells = page_is_of_all(archive);

	if (session && tells)
		page_remember(session, archive);
	for (size_t i = 0; session && i < archive->count; i++) {
		const struct stanza *message =
			entry_stanza(session, request, &archive->entries[is_flipped ? archive->count - 1 - i : i]);

		if (message && i == archive->count - 1 && tells)
			session_push_told(session, message, session->page_up_to, journal_page_answered);
		else if (message)
			session_push(session, message);
	}
}

/* COMPAT slixmpp 1.8 (2026-11): paging backwards it takes the page that ends the whole for the last one it can get when
 * it is told index and count, so they stay out there. */
static bool page_is_counted(const struct store_journal_archive *archive)
{
	return archive->limit == 0 || (!archive->backwards && archive->total < MAM_COUNT_MOST);
}

static void page_end(struct iq_request *request, const struct store_journal_archive *archive)
{
	struct stanza *result = iq_result(request);
	struct arena *arena = &result->arena;
	struct element *fin = element_add(arena, result->root, "fin", NS_MAM);
	struct rsm_page page = { .counted = page_is_counted(archive),
	                         .index = archive->preceding,
	                         .count = archive->total };
	char first[JOURNAL_ID_LEN + 1], last[JOURNAL_ID_LEN + 1];

	if (archive->count > 0) {
		journal_id(archive->entries[0].sequence, first);
		journal_id(archive->entries[archive->count - 1].sequence, last);
		page.first = first;
		page.last = last;
	}
	if (!archive->more)
		element_set(arena, fin, "complete", "true");
	rsm_add(arena, fin, &page);
	iq_answer(request, result);
}

static bool archive_refuse(struct iq_request *request, enum store_status status)
{
	if (status == STORE_OK && iq_account(request))
		return false;
	iq_refuse(request,
	          status == STORE_FAILED || status == STORE_FULL ? STANZA_RESOURCE_CONSTRAINT
	                                                         : STANZA_SERVICE_UNAVAILABLE,
	          NULL);
	return true;
}

static void query_found(struct store_request *found)
{
	struct store_journal_archive *archive = (struct store_journal_archive *)found;
	struct iq_request *request = found->context;

	if (archive_refuse(request, found->status)) {
		store_request_free(found);
		return;
	}
	if (archive->ids && archive->count < archive->id_count) {
		iq_refuse(request, STANZA_ITEM_NOT_FOUND, NULL);
	} else {
		page_push(request, archive);
		page_end(request, archive);
	}
	store_request_free(found);
}

/* ---- metadata, §5 ---- */

static void metadata_found(struct store_request *found)
{
	struct store_journal_span *span = (struct store_journal_span *)found;
	struct iq_request *request = found->context;

	if (!archive_refuse(request, found->status)) {
		struct stanza *result = iq_result(request);

		journal_span_now(iq_account(request), span);
		journal_add_metadata(&result->arena, result->root, span);
		iq_answer(request, result);
	}
	store_request_free(found);
}

static void metadata_asked(struct iq_request *request)
{
	journal_span_ask(request->account, metadata_found)->request.context = request;
}

/* Retractions are archived like what they retract, and a server that sees to that says so (XEP-0424 §2).
 * COMPAT Profanity 0.13 (2026-11): it asks the host, not the account, whether there is an archive (§9). */
static void archive_described(const struct config *config, const struct host *host, struct arena *arena,
                              struct element *query)
{
	(void)config;
	if (host->archive != ARCHIVE_NEVER || host->archive_preferences) {
		disco_add_feature(arena, query, NS_MAM);
		disco_add_feature(arena, query, NS_RETRACT);
	}
}

/* ---- the module ---- */

static const struct iq_handler handlers[] = {
	{ "query", NS_MAM, IQ_KIND_GET | IQ_KIND_SET, IQ_OWN, archive_asked },
	{ "metadata", NS_MAM, IQ_KIND_GET, IQ_OWN, metadata_asked },
	{ 0 },
};

static const struct module_spec specs[] = {
	{ "XEP-0313", "Message Archive Management", "1.1.3", "users' archives" },
	{ "XEP-0059", "Result Set Management", "1.0", NULL },
	{ "XEP-0297", "Stanza Forwarding", "1.0", NULL },
	{ "XEP-0424", "Message Retraction", "0.4.2", "archives them" },
	{ 0 },
};

static const char *const features[] = { NS_MAM, NS_MAM "#extended", NS_MAM "#groupchat-field", NS_RETRACT, NULL };

extern const struct module mam_module;
const struct module mam_module = {
	.name = "mam",
	.specs = specs,
	.account_features = features,
	.account_offers = journal_may_archive,
	.host_described = archive_described,
	.iqs = handlers,
};
