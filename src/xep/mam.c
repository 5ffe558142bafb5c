/* SPDX-License-Identifier: MIT
 *
 * Message Archive Management (XEP-0313) of a user's own archive, which is the journal of the account: the form and its
 * filters (§4.1), pages (§4.3, XEP-0059), metadata (§5). Messages come forwarded (XEP-0297) with the time (XEP-0203) when
 * they were archived, before the answer that ends the page.
 *
 * An id says where in time its entry stands. So a page behind an id that is no more (it has expired, or a crash came before
 * it was durable) goes on from its place, where §4.3.2 would answer item-not-found; ids that are none of ours and single
 * messages that are not there are refused.
 */
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "core/disco.h"
#include "core/iq.h"
#include "core/journal.h"
#include "core/module.h"
#include "core/session.h"
#include "xmpp/dataform.h"
#include "xmpp/ns.h"
#include "xmpp/rsm.h"
#include "xmpp/stamp.h"

enum {
	PAGE_USUAL = 50,
	PAGE_MOST = 250,
	COUNT_MOST = 250,  /* a longer result goes uncounted but where nothing else is asked for: counting costs more than reading */
	IDS_MOST = 100,
};

static void query_found(struct store_request *found);

/* ---- the query ---- */

static void form_asked(struct iq_request *request)
{
	struct stanza *result = iq_result(request);
	struct arena *arena = &result->arena;
	struct element *query = element_add(arena, result->root, "query", NS_MAM);
	struct element *form = dataform_add(arena, query, "form", NS_MAM);

	dataform_add_field(arena, form, "with", "jid-single", NULL, NULL);
	dataform_add_field(arena, form, "start", "text-single", NULL, NULL);
	dataform_add_field(arena, form, "end", "text-single", NULL, NULL);
	dataform_add_field(arena, form, "before-id", "text-single", NULL, NULL);
	dataform_add_field(arena, form, "after-id", "text-single", NULL, NULL);
	dataform_add_field(arena, form, "ids", "list-multi", NULL, NULL);
	iq_answer(request, result);
}

static enum stanza_condition read_with(struct arena *arena, const char *value, struct store_journal_archive *archive)
{
	struct jid jid;

	if (!jid_prepare(arena, value, strlen(value), JID_ANY, &jid))
		return STANZA_BAD_REQUEST;
	archive->with = jid.text;
	return STANZA_NO_ERROR;
}

static enum stanza_condition read_start(struct arena *arena, const char *value, struct store_journal_archive *archive)
{
	int64_t at_us;
	uint64_t from;

	(void)arena;
	if (!stamp_read(value, &at_us))
		return STANZA_BAD_REQUEST;
	from = journal_sequence_at(at_us);
	if (from > archive->from)
		archive->from = from;
	return STANZA_NO_ERROR;
}

static enum stanza_condition read_end(struct arena *arena, const char *value, struct store_journal_archive *archive)
{
	int64_t at_us;
	uint64_t to;

	(void)arena;
	if (!stamp_read(value, &at_us))
		return STANZA_BAD_REQUEST;
	to = journal_sequence_at(at_us + 1);
	to -= to > 0;
	if (to < archive->to)
		archive->to = to;
	return STANZA_NO_ERROR;
}

static enum stanza_condition read_after_id(struct arena *arena, const char *value, struct store_journal_archive *archive)
{
	uint64_t sequence;

	(void)arena;
	if (!journal_id_read(value, &sequence) || sequence >= INT64_MAX)
		return STANZA_ITEM_NOT_FOUND;
	if (sequence >= archive->from)
		archive->from = sequence + 1;
	return STANZA_NO_ERROR;
}

static enum stanza_condition read_before_id(struct arena *arena, const char *value, struct store_journal_archive *archive)
{
	uint64_t sequence;

	(void)arena;
	if (!journal_id_read(value, &sequence))
		return STANZA_ITEM_NOT_FOUND;
	if (sequence <= archive->to)
		archive->to = sequence ? sequence - 1 : 0;
	return STANZA_NO_ERROR;
}

static enum stanza_condition read_type(struct arena *arena, const char *value, struct store_journal_archive *archive)
{
	(void)arena;
	(void)archive;
	return strcmp(value, NS_MAM) == 0 ? STANZA_NO_ERROR : STANZA_BAD_REQUEST;
}

static const struct {
	const char *var;
	enum stanza_condition (*read)(struct arena *arena, const char *value, struct store_journal_archive *archive);
} filters[] = {
	{ "FORM_TYPE", read_type },        { "with", read_with },           { "start", read_start },
	{ "end", read_end },               { "after-id", read_after_id },   { "before-id", read_before_id },
};
enum { FILTERS = sizeof(filters) / sizeof(filters[0]) };

/* §4.1.3: single messages. */
static enum stanza_condition read_ids(struct arena *arena, const struct element *field,
                                      struct store_journal_archive *archive)
{
	uint64_t *ids = arena_alloc(arena, IDS_MOST * sizeof(*ids));

	for (const struct node *n = field->first; n; n = n->next) {
		if (!n->element || !element_is(n->element, "value", NS_DATA_FORM))
			continue;
		if (archive->id_count == IDS_MOST)
			return STANZA_POLICY_VIOLATION;
		if (!journal_id_read(element_text(arena, n->element), &ids[archive->id_count++]))
			return STANZA_ITEM_NOT_FOUND;
	}
	archive->ids = ids;
	return STANZA_NO_ERROR;
}

static enum stanza_condition read_field(struct arena *arena, const struct element *field,
                                        struct store_journal_archive *archive)
{
	const char *var = element_attr(field, "var"), *value = dataform_field_value(arena, field);

	if (!var)
		return STANZA_BAD_REQUEST;
	if (strcmp(var, "ids") == 0)
		return read_ids(arena, field, archive);
	for (size_t i = 0; i < FILTERS; i++) {
		if (strcmp(var, filters[i].var) == 0)
			return value ? filters[i].read(arena, value, archive) : STANZA_BAD_REQUEST;
	}
	return STANZA_FEATURE_NOT_IMPLEMENTED;
}

static enum stanza_condition read_form(struct arena *arena, const struct element *query,
                                       struct store_journal_archive *archive)
{
	const struct element *form = element_child(query, "x", NS_DATA_FORM);
	enum stanza_condition condition = STANZA_NO_ERROR;

	for (const struct node *n = form ? form->first : NULL; n && !condition; n = n->next) {
		if (n->element && element_is(n->element, "field", NS_DATA_FORM))
			condition = read_field(arena, n->element, archive);
	}
	return condition;
}

/* COMPAT Profanity 0.13 (2026-11): it says <after/> beside the <set/>, and would get the first page for ever. */
static const char *after_read(struct arena *arena, const struct element *query, const struct rsm *page)
{
	return page->asked ? page->after : element_child_text(arena, query, "after", NS_MAM);
}

static enum stanza_condition read_page(struct arena *arena, const struct element *query,
                                       struct store_journal_archive *archive)
{
	struct rsm page;

	if (!rsm_read(arena, query, &page))
		return STANZA_BAD_REQUEST;
	page.after = after_read(arena, query, &page);
	if (page.indexed)
		return STANZA_FEATURE_NOT_IMPLEMENTED;
	archive->limit = !page.limited ? PAGE_USUAL : page.max < PAGE_MOST ? page.max : PAGE_MOST;
	archive->backwards = page.before != NULL;
	archive->count_most = archive->limit == 0 ? SIZE_MAX : archive->backwards ? 0 : COUNT_MOST;
	if (page.after && !journal_id_read(page.after, &archive->after))
		return STANZA_ITEM_NOT_FOUND;
	if (page.before && *page.before && !journal_id_read(page.before, &archive->before))
		return STANZA_ITEM_NOT_FOUND;
	return STANZA_NO_ERROR;
}

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
	struct arena *arena = &archive->request.arena;
	enum stanza_condition condition = read_form(arena, request->payload, archive);

	if (!condition)
		condition = read_page(arena, request->payload, archive);
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
		form_asked(request);
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
	return archive->limit == 0 || (!archive->backwards && archive->total < COUNT_MOST);
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

static const char *const features[] = { NS_MAM, NS_MAM "#extended", NS_RETRACT, NULL };

extern const struct module mam_module;
const struct module mam_module = {
	.name = "mam",
	.specs = specs,
	.account_features = features,
	.account_offers = journal_may_archive,
	.host_described = archive_described,
	.iqs = handlers,
};
