/* SPDX-License-Identifier: MIT
 *
 * The account's journal used as offline storage (XEP-0160, RFC 6121 §8.5.2.2.1): what lies beyond the watermark is sent,
 * batch by batch, to the first session that may have messages.
 *
 * Live messages for the bare address, or for the session that gets the backlog, wait behind it. When that session goes,
 * what it has not taken still stands in the journal and goes to the next.
 */
#include "kept_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
	WAITING_MAX = 1000,      /* live messages behind the backlog */
	WAITING_BYTES = 4 << 20, /* of them */
};

static void kept_came(struct store_request *request);
static void kept_finish(struct account *account);

/* ---- to a session ---- */

static bool session_wants_messages(const struct session *session)
{
	return session_is_available(session) && session->priority >= 0;
}

struct session *kept_session(const struct account *account)
{
	for (struct list_link *link = list_first(&account->sessions); link;
	     link = list_next(&account->sessions, link)) {
		struct session *session = LIST_MEMBER(link, struct session, link);

		if (strcmp(session->id, account->kept->session) == 0)
			return session_wants_messages(session) ? session : NULL;
	}
	return NULL;
}

void kept_read_again(struct account *account)
{
	if (account->kept && !account->kept->batch)
		account->kept->is_stale = true;
}

void kept_leave_gap(struct account *account)
{
	if (account->kept)
		account->kept->has_gap = true;
}

static void kept_read(struct account *account)
{
	struct home *home = account->home;
	struct store_journal_read *read =
		store_request_new(sizeof(*read), STORE_JOURNAL_READ, home->worker, account->jid.text,
	                          jid_bare_len(&account->jid), kept_came);

	account->kept->is_stale = false;
	read->after = account->kept->after;
	read->limit = KEPT_BATCH;
	read->request.token = account->kept->serial;
	store_submit(home->server->store, &read->request);
}

void account_deliver_kept(struct account *account, struct session *session)
{
	struct kept *kept;

	if (account->kept)
		account->kept->again = true;
	if (account->undelivered == 0 || account->kept || account->gone)
		return;
	account->kept = kept = mem_zalloc(sizeof(*kept));
	kept->serial = ++account->home->serial;
	memcpy(kept->session, session->id, sizeof(kept->session));
	kept->waiting_end = &kept->waiting;
	account_hold(account);
	kept_read(account);
}

static void kept_came(struct store_request *request)
{
	struct account *account =
		account_find(home_of(request->worker), request->owner, strlen(request->owner));
	struct kept *kept = account ? account->kept : NULL;

	if (!kept || kept->serial != request->token) {
		store_request_free(request);
		return;
	}
	if (request->status != STORE_OK) {
		store_request_free(request);
		kept_finish(account);
		return;
	}
	if (kept->is_stale) {
		store_request_free(request);
		kept_read(account);
		return;
	}
	kept_batch_open(account, (struct store_journal_read *)request);
}

void kept_batch_closed(struct account *account)
{
	if (account->kept->more && !account->kept->stopped)
		kept_read(account);
	else
		kept_finish(account);
}

/* ---- the end ---- */

void kept_let_pass(struct account *account)
{
	struct kept *kept = account->kept;
	struct parcel *parcel;

	kept->passed = true;
	while ((parcel = kept->waiting)) {
		kept->waiting = parcel->next;
		parcel->next = NULL;
		account_receive(account, parcel);
	}
	kept->waiting_end = &kept->waiting;
	kept->waiting_count = kept->waiting_bytes = 0;
}

static void kept_free(struct account *account)
{
	free(account->kept);
	account->kept = NULL;
	account_release(account);
}

static struct session *next_session(const struct account *account)
{
	for (struct list_link *link = list_first(&account->sessions); link;
	     link = list_next(&account->sessions, link)) {
		struct session *session = LIST_MEMBER(link, struct session, link);

		if (session_wants_messages(session))
			return session;
	}
	return NULL;
}

/* Nothing of it is on its way any more. What a session left behind, or what was kept meanwhile, goes to the
 * next before anything new. */
static void kept_finish(struct account *account)
{
	struct kept *kept = account->kept;
	struct session *next = kept->stopped || kept->again || kept->has_gap ? next_session(account) : NULL;

	if (next && account->undelivered > 0) {
		kept->stopped = kept->refused = kept->passed = kept->again = kept->has_gap = false;
		kept->after = 0;
		memcpy(kept->session, next->id, sizeof(kept->session));
		kept_read(account);
		return;
	}
	kept_let_pass(account);
	kept_free(account);
}

void kept_clear(struct account *account)
{
	struct kept *kept = account->kept;
	struct parcel *parcel;

	if (!kept)
		return;
	while ((parcel = kept->waiting)) {
		kept->waiting = parcel->next;
		parcel_refused(account->home, &parcel, STANZA_SERVICE_UNAVAILABLE, NULL);
	}
	if (kept->batch)
		store_request_free(&kept->batch->request);
	kept_free(account);
}

/* ---- what is asked of it ---- */

bool kept_is_from_journal(const struct parcel *parcel)
{
	return parcel->answered == kept_answered;
}

bool kept_takes_back(struct account *account, struct parcel *parcel)
{
	if (parcel->answered != kept_answered)
		return false;
	if (account->kept)
		account->kept->passed = false;
	parcel_refused(account->home, &parcel, STANZA_RECIPIENT_UNAVAILABLE, NULL);
	return true;
}

/* Only what could overtake: a message for another client of the account goes past. */
static bool kept_concerns(const struct account *account, const struct parcel *parcel)
{
	struct session *addressed;

	if (parcel->stanza->kind != STANZA_MESSAGE || account->kept->passed)
		return false;
	addressed = jid_is_bare(&parcel->to) ? NULL : session_find(account, jid_resource(&parcel->to));
	return !addressed || strcmp(addressed->id, account->kept->session) == 0;
}

bool kept_queues(struct account *account, struct parcel *parcel)
{
	struct kept *kept = account->kept;
	size_t bytes;

	if (!kept || !kept_concerns(account, parcel))
		return false;
	bytes = stanza_weight(parcel->stanza);
	if (kept->waiting_count == WAITING_MAX || kept->waiting_bytes + bytes > WAITING_BYTES) {
		parcel_refused(account->home, &parcel, STANZA_RESOURCE_CONSTRAINT,
		               "Too many messages wait, try again");
		return true;
	}
	overdue_watch(account, parcel);
	parcel->next = NULL;
	*kept->waiting_end = parcel;
	kept->waiting_end = &parcel->next;
	kept->waiting_count++;
	kept->waiting_bytes += bytes;
	return true;
}
