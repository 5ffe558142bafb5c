/* SPDX-License-Identifier: MIT
 *
 * The account's journal used as offline storage (XEP-0160, RFC 6121 §8.5.2.2.1): what nobody is there to
 * take is appended, and what lies beyond the watermark is sent, batch by batch, to the first session that
 * may have messages.
 *
 * A batch stays in memory until its last entry is answered; then the watermark moves and the next is read.
 * Within a batch no more than a window of bytes is on its way, so a slow client is not drowned in its own
 * backlog. Live messages for the bare address, or for the session that gets the backlog, wait behind it.
 * When that session goes, what it has not taken still stands in the journal and goes to the next.
 */
#include "account_inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/journal.h"
#include "core/session.h"
#include "store/journal.h"
#include "xmpp/ns.h"
#include "xmpp/stamp.h"

enum {
	BATCH_MAX = 100,           /* entries read at once */
	WINDOW_BYTES = 256 * 1024, /* on their way to the client */
	WAITING_MAX = 1000,        /* live messages behind the backlog */
	WAITING_BYTES = 4 << 20,   /* of them */
};

/* The backlog on its way to one session. */
struct kept {
	uint64_t serial; /* tells its reads from those of an earlier one */
	char session[ID_LEN + 1];
	struct store_journal_read *batch; /* NULL: being read */
	size_t next;                      /* entry to send */
	size_t taken;                     /* entries that the client has, from the first on */
	size_t outstanding;               /* sent and not answered */
	size_t outstanding_bytes;
	uint64_t after; /* what has been taken, up to there */
	uint64_t reach; /* the last entry read */
	bool more;      /* there may be entries behind the batch */
	bool stopped;   /* the session is no longer there for messages */
	bool again;     /* somebody asked for the backlog meanwhile */
	bool refused;   /* it has left an entry untaken: what it took behind that does not count */
	bool passed;    /* all has been sent: live messages may follow */
	struct parcel *waiting, **waiting_end;
	size_t waiting_count, waiting_bytes;
};

static void kept_came(struct store_request *request);
static void kept_answered(struct home *home, struct parcel *parcel);
static void kept_finish(struct account *account);

/* ---- into the journal ---- */

void kept_forget(struct account *account, uint64_t count, uint64_t bytes)
{
	account->undelivered -= count < account->undelivered ? count : account->undelivered;
	account->undelivered_bytes -= bytes < account->undelivered_bytes ? bytes : account->undelivered_bytes;
}

static void keep_done(struct store_request *request)
{
	struct store_journal_append *append = (struct store_journal_append *)request;
	struct home *home = home_of(request->worker);
	struct parcel *parcel = request->context;
	struct account *account = account_find(home, request->owner, strlen(request->owner));

	if (request->status != STORE_OK && account)
		kept_forget(account, 1, append->entry.stanza_len);
	if (request->status == STORE_OK)
		parcel_taken(home, &parcel);
	else if (request->status == STORE_ABSENT)
		parcel_refused(home, &parcel, STANZA_SERVICE_UNAVAILABLE, NULL);
	else
		parcel_refused(home, &parcel, STANZA_RESOURCE_CONSTRAINT,
		               "The message could not be kept, try again");
	store_request_free(request);
}

bool account_keep(struct account *account, struct parcel *parcel)
{
	struct home *home = account->home;
	const struct limits *limits = &home->config->limits;
	struct store_journal_append *append;

	if (journal_takes_back(account, parcel))
		return false;
	if (account->undelivered >= limits->offline_messages ||
	    account->undelivered_bytes + stanza_weight(parcel->stanza) > limits->offline_bytes) {
		parcel_refused(home, &parcel, STANZA_SERVICE_UNAVAILABLE,
		               "No more messages are kept for this account");
		return false;
	}
	append = journal_entry(account, parcel->stanza, &parcel->to, STORE_IN, keep_done);
	if (journal_wants(account, parcel->stanza, &parcel->stanza->from))
		journal_archive(account, &append->entry);
	append->entry.at_us = parcel->since_us;
	append->request.context = parcel;
	list_remove(&parcel->watch);
	parcel->journal = append->entry.sequence;
	account->undelivered++;
	account->undelivered_bytes += append->entry.stanza_len;
	store_submit(home->server->store, &append->request);
	return true;
}

/* ---- to a session ---- */

static bool session_wants_messages(const struct session *session)
{
	return session_is_available(session) && session->priority >= 0;
}

static struct session *kept_session(const struct account *account)
{
	for (struct list_link *link = list_first(&account->sessions); link;
	     link = list_next(&account->sessions, link)) {
		struct session *session = LIST_MEMBER(link, struct session, link);

		if (strcmp(session->id, account->kept->session) == 0)
			return session_wants_messages(session) ? session : NULL;
	}
	return NULL;
}

static void kept_read(struct account *account)
{
	struct home *home = account->home;
	struct store_journal_read *read =
		store_request_new(sizeof(*read), STORE_JOURNAL_READ, home->worker, account->jid.text,
	                          jid_bare_len(&account->jid), kept_came);

	read->after = account->kept->after;
	read->limit = BATCH_MAX;
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

/* The entry as the client shall see it: with its id (XEP-0359) and when it came (XEP-0203). NULL: it cannot
 * be read. */
static const struct stanza *entry_stanza(const struct account *account,
                                         const struct store_journal_entry *entry)
{
	struct stanza *stanza = stanza_new(entry->stanza_len);
	const struct stanza *unreadable = stanza;
	struct arena *arena = &stanza->arena;
	struct element *root = journal_entry_read(account, arena, entry), *added;
	char stamp[STAMP_LEN + 1];

	if (!root || stanza_read(stanza, root, NULL) != STANZA_CHECK_OK || !stanza->to.text) {
		stanza_unref(&unreadable);
		return NULL;
	}
	journal_add_id(arena, root, account, entry->sequence);
	added = element_add(arena, root, "delay", NS_DELAY);
	stamp_write(entry->at_us, stamp);
	element_set(arena, added, "from", jid_domain_text(&account->jid));
	element_set(arena, added, "stamp", stamp);
	return stanza_seal(stanza);
}

/* The watermark may pass it: number is its place in the batch, from 1. */
static void entry_taken(struct account *account, const struct store_journal_entry *entry, size_t number)
{
	account->kept->taken = number;
	kept_forget(account, 1, entry->stanza_len);
}

/* One that is not sent: the watermark passes it, or while there is something on its way in front of it, it is an exception. */
static void entry_pass_over(struct account *account, const struct store_journal_entry *entry)
{
	if (account->kept->outstanding == 0) {
		entry_taken(account, entry, account->kept->next);
	} else {
		kept_forget(account, 1, entry->stanza_len);
		journal_excepted(account, entry, 1);
	}
}

/* One that cannot be read, or whose sender is shut out by now, is passed over. */
static void entry_send(struct account *account, struct session *session,
                       const struct store_journal_entry *entry)
{
	const struct stanza *stanza = entry_stanza(account, entry);
	struct kept *kept = account->kept;
	struct parcel *parcel;

	if (!stanza) {
		log_error(worker_log(account->home->worker), session->id, "journal entry cannot be read",
		          LOG_STR("account", account->jid.text), LOG_INT("sequence", entry->sequence));
		entry_pass_over(account, entry);
		return;
	}
	if (account_blocks(account, &stanza->from)) {
		stanza_unref(&stanza);
		entry_pass_over(account, entry);
		return;
	}
	parcel = parcel_new(account->home, stanza, NULL);
	stanza_unref(&stanza);
	parcel->answered = kept_answered;
	parcel->token = entry->sequence;
	parcel->since_us = entry->at_us;
	kept->outstanding++;
	kept->outstanding_bytes += entry->stanza_len;
	session_deliver(session, parcel);
}

static void kept_let_pass(struct account *account)
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

/* All that was sent of the batch is answered and no more of it will be sent. */
static void batch_close(struct account *account)
{
	struct kept *kept = account->kept;

	if (kept->taken > 0)
		journal_delivered(account, kept->batch->entries, kept->taken);
	if (kept->taken == kept->batch->count)
		kept->after = kept->reach;
	store_request_free(&kept->batch->request);
	kept->batch = NULL;
	if (kept->more && !kept->stopped)
		kept_read(account);
	else
		kept_finish(account);
}

static void batch_send(struct account *account)
{
	struct kept *kept = account->kept;
	const struct store_journal_read *batch = kept->batch;
	struct session *session = kept_session(account);

	kept->stopped |= !session;
	while (!kept->stopped && kept->next < batch->count && kept->outstanding_bytes < WINDOW_BYTES)
		entry_send(account, session, &batch->entries[kept->next++]);
	if (kept->next == batch->count && !kept->more && !kept->stopped)
		kept_let_pass(account);
	if (kept->outstanding == 0)
		batch_close(account);
}

/* What the session's client gets from the archive itself has been delivered. Those that stay keep their order. */
static size_t batch_skip_fetched(struct account *account, struct store_journal_entry *entries, size_t count)
{
	const struct session *session = kept_session(account);
	struct store_journal_entry *fetched = mem_alloc(count * sizeof(*fetched));
	size_t fetched_count = 0, left = 0;

	for (size_t i = 0; i < count; i++) {
		if (session && entries[i].archived && entries[i].sequence > session->fetches_after &&
		    entries[i].sequence <= session->fetches)
			fetched[fetched_count++] = entries[i];
		else
			entries[left++] = entries[i];
	}
	for (size_t i = 0; i < fetched_count; i++)
		kept_forget(account, 1, fetched[i].stanza_len);
	if (fetched_count > 0 && left == 0)
		journal_delivered(account, fetched, fetched_count);
	else if (fetched_count > 0)
		journal_excepted(account, fetched, fetched_count);
	free(fetched);
	return left;
}

/* What sessions are getting already is not sent once more. */
static void batch_open(struct account *account, struct store_journal_read *batch)
{
	struct kept *kept = account->kept;
	size_t count = 0;

	kept->more = batch->count == BATCH_MAX;
	if (batch->count > 0)
		kept->reach = batch->entries[batch->count - 1].sequence;
	for (size_t i = 0; i < batch->count; i++) {
		if (!journal_is_on_its_way(account, batch->entries[i].sequence))
			batch->entries[count++] = batch->entries[i];
	}
	batch->count = batch_skip_fetched(account, batch->entries, count);
	kept->batch = batch;
	kept->next = kept->taken = 0;
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
	batch_open(account, (struct store_journal_read *)request);
	batch_send(account);
}

/* ---- answered ---- */

/* The number of the entry in the batch, from 1; 0: it is not of this batch. */
static size_t batch_find(const struct kept *kept, uint64_t sequence)
{
	for (size_t i = 0; kept && kept->batch && i < kept->next; i++) {
		if (kept->batch->entries[i].sequence == sequence)
			return i + 1;
	}
	return 0;
}

/* Answers come in the order of sending; the first refusal means that the session goes. */
static void kept_answered(struct home *home, struct parcel *parcel)
{
	struct account *account = account_find(home, parcel->to.text, jid_bare_len(&parcel->to));
	struct kept *kept = account ? account->kept : NULL;
	size_t number = batch_find(kept, parcel->token);
	enum parcel_answer answer = parcel->answer;

	parcel_free(&parcel);
	if (number == 0)
		return;
	kept->outstanding--;
	kept->outstanding_bytes -= kept->batch->entries[number - 1].stanza_len;
	kept->refused |= answer != PARCEL_TAKEN;
	kept->stopped |= kept->refused;
	if (!kept->refused)
		entry_taken(account, &kept->batch->entries[number - 1], number);
	batch_send(account);
}

/* ---- the end ---- */

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
	struct session *next = kept->stopped || kept->again ? next_session(account) : NULL;

	if (next && account->undelivered > 0) {
		kept->stopped = kept->refused = kept->passed = kept->again = false;
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
