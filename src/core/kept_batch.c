/* SPDX-License-Identifier: MIT
 *
 * A batch of the journal's entries on its way to a session: each is sent with its id and when it came, no more than a window
 * of bytes at a time, and counted when it is answered. The batch stays in memory until its last entry is answered; then
 * the watermark moves. What is refused, and what stands behind that, is undelivered as before.
 */
#include "kept_inside.h"

#include <stdlib.h>

#include "base/mem.h"
#include "core/journal.h"
#include "xmpp/ns.h"
#include "xmpp/stamp.h"

enum { WINDOW_BYTES = 256 * 1024 }; /* on their way to the client */

/* ---- an entry ---- */

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

/* ---- the batch ---- */

/* From the first of a batch on. The watermark passes them where nothing in front of them waits. */
static void entries_delivered(struct account *account, const struct store_journal_entry *entries, size_t count)
{
	if (account->kept->has_gap)
		journal_excepted(account, entries, count);
	else
		journal_delivered(account, entries, count);
}

/* All that was sent of the batch is answered and no more of it will be sent. */
static void batch_close(struct account *account)
{
	struct kept *kept = account->kept;

	if (kept->taken > 0)
		entries_delivered(account, kept->batch->entries, kept->taken);
	if (kept->taken == kept->batch->count)
		kept->after = kept->reach;
	store_request_free(&kept->batch->request);
	kept->batch = NULL;
	kept_batch_closed(account);
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
		entries_delivered(account, fetched, fetched_count);
	else if (fetched_count > 0)
		journal_excepted(account, fetched, fetched_count);
	free(fetched);
	return left;
}

/* What sessions are getting already is not sent once more. */
void kept_batch_open(struct account *account, struct store_journal_read *batch)
{
	struct kept *kept = account->kept;
	size_t count = 0;

	kept->more = batch->count == KEPT_BATCH;
	if (batch->count > 0)
		kept->reach = batch->entries[batch->count - 1].sequence;
	for (size_t i = 0; i < batch->count; i++) {
		if (!journal_is_on_its_way(account, batch->entries[i].sequence))
			batch->entries[count++] = batch->entries[i];
	}
	batch->count = batch_skip_fetched(account, batch->entries, count);
	kept->batch = batch;
	kept->next = kept->taken = 0;
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
void kept_answered(struct home *home, struct parcel *parcel)
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
