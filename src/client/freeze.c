/* SPDX-License-Identifier: MIT
 *
 * Sessions with stream management over a restart (core/frozen.h). When the server leaves, a client that may resume its session
 * is told how much was taken and loses its connection without a farewell; what others say meanwhile is still collected. Then
 * the session is written: counters, queue, what it is. At the next start it waits for its client for the time that is left.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/frozen.h"
#include "smacks.h"
#include "store/document.h"
#include "xmpp/ns.h"
#include "xmpp/writer.h"

enum { COLLECT_MS = 300 }; /* while the other sessions say that they go */

#define KIND "session"

static void smacks_freeze(struct worker *worker, struct timer *timer);
static void smacks_frozen(struct store_request *request);

/* ---- the server leaves ---- */

bool smacks_leaves(struct client *client)
{
	struct smacks *smacks = smacks_of(client->session);

	if (!smacks || smacks->resume_ms == 0 || smacks->ends || client->session->ending || client->state != CLIENT_BOUND)
		return false;
	smacks_say_h(smacks);
	client_set_state(client, CLIENT_ENDING);
	stream_hang_up(client->stream);
	return true;
}

void smacks_freeze_soon(struct smacks *smacks)
{
	timer_start(smacks_home(smacks)->worker, &smacks->timer, COLLECT_MS, smacks_freeze);
}

void smacks_drain(struct home *home)
{
	struct list *detached = &client_room(home)->detached;

	for (struct list_link *link = list_first(detached); link; link = list_next(detached, link))
		smacks_freeze_soon(LIST_MEMBER(link, struct smacks, link));
}

/* ---- written ---- */

static int64_t smacks_until_us(const struct smacks *smacks)
{
	struct worker *worker = smacks_home(smacks)->worker;
	uint64_t now_ms = worker_now_ms(worker);
	uint64_t left_ms = smacks->until_ms > now_ms ? smacks->until_ms - now_ms : 0;

	return clock_wall_us(worker_clock(worker)) + (int64_t)left_ms * 1000;
}

static void smacks_write_state(struct buf *out, struct smacks *smacks)
{
	const struct unacked *unacked = &smacks->unacked;

	tally_settle(&smacks->tally);
	buf_add_lit(out, "<session");
	writer_attr(out, "previd", smacks->id);
	buf_printf(out, " resume='%u' until='%lld' h='%u' acked='%u' written='%u'>", smacks->resume_ms,
	           (long long)smacks_until_us(smacks), smacks->tally.handled, unacked->acked,
	           unacked->sent - unacked->acked);
	frozen_write_session(out, smacks->session);
	for (const struct parcel *parcel = unacked->first; parcel; parcel = parcel->next)
		frozen_write_parcel(out, parcel);
	buf_add_lit(out, "</session>");
}

static struct store_document *document_new(const struct account *account, const char *key,
                                           void (*done)(struct store_request *request))
{
	struct store_document *document = store_request_new(sizeof(*document), STORE_DOCUMENT_PUT, account->home->worker,
	                                                    account->jid.text, jid_bare_len(&account->jid), done);

	document->kind = KIND;
	document->key = arena_str(&document->request.arena, key);
	return document;
}

/* What waits for somebody to look is wanted now; the session is as inactive afterwards as it was. */
static void smacks_freeze(struct worker *worker, struct timer *timer)
{
	struct smacks *smacks = LIST_MEMBER(timer, struct smacks, timer);
	struct session *session = smacks->session;
	struct store_document *put = document_new(session->account, session->id, smacks_frozen);
	bool inactive = session->inactive;
	struct buf text = { 0 };

	(void)worker;
	session_set_inactive(session, false);
	session->inactive = inactive;
	smacks_write_state(&text, smacks);
	put->text = arena_str_len(&put->request.arena, text.data, text.len);
	put->text_len = text.len;
	put->request.token = smacks->unacked.count;
	buf_clear(&text);
	store_submit(session->account->home->server->store, &put->request);
}

static struct smacks *smacks_written(struct home *home, const struct store_request *request)
{
	const char *id = ((const struct store_document *)request)->key;
	struct account *account = account_find(home, request->owner, strlen(request->owner));

	for (struct session *session = account ? session_first(account) : NULL; session; session = session_next(session)) {
		if (strcmp(session->id, id) == 0)
			return smacks_of(session);
	}
	return NULL;
}

/* What has come since it was written is not in it. */
static void smacks_frozen(struct store_request *request)
{
	struct smacks *smacks = smacks_written(home_of(request->worker), request);
	bool is_durable = request->status == STORE_OK;
	uint64_t written = request->token;
	struct parcel *parcel;

	store_request_free(request);
	if (!smacks)
		return;
	if (is_durable)
		frozen_note(smacks->session);
	for (; is_durable && written > 0 && (parcel = unacked_take(&smacks->unacked)); written--)
		frozen_put_away(smacks->session, parcel);
	smacks_end(smacks);
}

/* ---- the next server ---- */

static uint64_t attr_number(const struct element *element, const char *name)
{
	const char *text = element_attr(element, name);

	return text ? strtoull(text, NULL, 10) : 0;
}

static void smacks_read_queue(struct smacks *smacks, const struct element *frozen)
{
	struct account *account = smacks->session->account;

	for (const struct node *node = frozen->first; node; node = node->next) {
		bool is_parcel = node->element && element_is(node->element, "parcel", NS_CLIENT);
		struct parcel *parcel = is_parcel ? frozen_read_parcel(account, node->element) : NULL;

		if (parcel)
			unacked_add(&smacks->unacked, parcel);
	}
	unacked_restore(&smacks->unacked, (uint32_t)attr_number(frozen, "acked"), (uint32_t)attr_number(frozen, "written"));
}

static void smacks_thaw(struct account *account, const struct element *frozen)
{
	struct worker *worker = account->home->worker;
	const char *id = element_attr(frozen, "previd");
	int64_t left_us = (int64_t)attr_number(frozen, "until") - clock_wall_us(worker_clock(worker));
	struct smacks *smacks;

	if (!id || strlen(id) != ID_LEN)
		return;
	smacks = smacks_new(account->home, id);
	smacks->session = frozen_read_session(account, frozen, &smacks_outlet, smacks);
	if (!smacks->session) {
		free(smacks);
		return;
	}
	smacks->resume_ms = (uint32_t)attr_number(frozen, "resume");
	tally_restore(&smacks->tally, (uint32_t)attr_number(frozen, "h"));
	smacks_read_queue(smacks, frozen);
	smacks_detach(smacks, left_us > 0 ? (uint64_t)left_us / 1000 : 0);
	frozen_thawed(smacks->session, frozen);
	log_info(worker_log(worker), smacks->session->id, "session has outlived a restart",
	         LOG_STR("jid", smacks->session->jid.text), LOG_INT("unacknowledged", smacks->unacked.count));
}

static void document_thaw(struct account *account, const struct store_account_document *document)
{
	static const struct parser_limits limits = {
		.depth = 256,
		.attributes = 1024,
		.declarations = 256,
		.elements = 10000000,
	};
	struct arena arena = { 0 };
	const struct element *frozen =
		parser_text(account->home->parsers, &arena, NS_CLIENT, document->text, document->len, &limits);

	if (frozen && frozen_is_ours(account->home, frozen))
		smacks_thaw(account, frozen);
	arena_clear(&arena);
}

/* Each counts once. */
void client_account_loaded(struct account *account, const struct store_account_load *load)
{
	for (size_t i = 0; i < load->document_count; i++) {
		if (strcmp(load->documents[i].kind, KIND) != 0)
			continue;
		document_thaw(account, &load->documents[i]);
		store_submit(account->home->server->store,
		             &document_new(account, load->documents[i].key, store_request_free)->request);
	}
}
