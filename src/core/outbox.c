/* SPDX-License-Identifier: MIT
 *
 * The entries of an outbox and their order. What is handed is the beginning of what there is, what waits the rest: an entry is
 * handed only when nothing stands before it in waiting, and what comes back is put in by its sequence. A copy of the stanza
 * goes to the other side; its answer finds the entry by its sequence, which no other entry of this server has.
 */
#include "core/outbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/journal.h"
#include "outbox_inside.h"

enum {
	WORKER_BITS = 8,
	DELAYED_MS = 3000,     /* what leaves later says since when it was here (XEP-0203) */
	BLAMED_MOST = 3,       /* so often a stanza may end the other side's stream */
};

static void entry_answered(struct home *home, struct parcel *parcel);

/* ---- an outbox ---- */

struct outbox *outbox_new(struct home *home, const struct outbox_class *class, void *owner, const char *key)
{
	struct outbox *outbox = mem_zalloc(sizeof(*outbox));

	outbox->home = home;
	outbox->class = class;
	outbox->owner = owner;
	outbox->key = str_dup(key);
	outbox->hole = UINT64_MAX;
	list_init(&outbox->waiting);
	list_init(&outbox->handed);
	list_init(&outbox->ending);
	map_put(home->outboxes->by_key, outbox->key, strlen(outbox->key), outbox);
	return outbox;
}

static void entries_free(struct list *entries)
{
	while (!list_is_empty(entries))
		entry_free(entry_at(list_first(entries)));
}

void outbox_free(struct outbox **freed)
{
	struct outbox *outbox = *freed;

	*freed = NULL;
	entries_free(&outbox->waiting);
	entries_free(&outbox->handed);
	entries_free(&outbox->ending);
	figure_add(&outbox->home->outboxes->bytes, -(int64_t)outbox->bytes);
	timer_stop(outbox->home->worker, &outbox->expiry);
	timer_stop(outbox->home->worker, &outbox->chores);
	map_remove(outbox->home->outboxes->by_key, outbox->key, strlen(outbox->key));
	map_free(&outbox->presences);
	free(outbox->removed);
	free(outbox->key);
	free(outbox);
}

uint64_t outbox_waiting(const struct outbox *outbox)
{
	return outbox->count;
}

bool outbox_is_empty(const struct outbox *outbox)
{
	return outbox->count == 0 && list_is_empty(&outbox->handed) && list_is_empty(&outbox->ending) &&
	       outbox->removed_count == 0 && outbox->removals == 0 && !outbox->reading;
}

void outbox_figures(const struct outbox *outbox, struct outbox_figures *out)
{
	const struct outbox_entry *first = outbox_first(outbox);

	*out = (struct outbox_figures){
		.count = outbox->count,
		.bytes = outbox->bytes,
		.oldest_us = first ? first->since_us : 0,
	};
	for (struct list_link *link = list_first(&outbox->handed); link; link = list_next(&outbox->handed, link))
		out->handed++;
}

void outbox_count(struct outbox *outbox, int64_t entries, int64_t bytes)
{
	outbox->count += (uint64_t)entries;
	outbox->bytes += (uint64_t)bytes;
	figure_add(&outbox->home->outboxes->bytes, bytes);
}

/* ---- an entry ---- */

/* What a journal would keep for a person who is away, and what both sides' rosters must agree about. */
static bool stanza_is_durable(const struct stanza *stanza)
{
	switch (stanza->type) {
	case MESSAGE_NORMAL:
	case MESSAGE_CHAT:
		return journal_may_keep(stanza);
	case PRESENCE_SUBSCRIBE:
	case PRESENCE_SUBSCRIBED:
	case PRESENCE_UNSUBSCRIBE:
	case PRESENCE_UNSUBSCRIBED:
		return true;
	default:
		return false;
	}
}

/* Ascending whatever the clock does. */
static uint64_t sequence_next(struct home *home)
{
	struct outboxes *outboxes = home->outboxes;
	uint64_t now = (uint64_t)clock_wall_us(worker_clock(home->worker));

	outboxes->ticks = now > outboxes->ticks ? now : outboxes->ticks + 1;
	return outboxes->ticks << WORKER_BITS | (worker_number(home->worker) & ((1U << WORKER_BITS) - 1));
}

uint64_t outbox_newest(const struct outbox *outbox)
{
	return outbox->home->outboxes->ticks << WORKER_BITS | ((1U << WORKER_BITS) - 1);
}

void entry_set_age(struct outbox_entry *entry, int64_t since_us)
{
	int64_t age_ms = (clock_wall_us(worker_clock(entry->outbox->home->worker)) - since_us) / 1000;

	entry->since_us = since_us;
	entry->born_ms = (int64_t)entry->entered_ms - (age_ms > 0 ? age_ms : 0);
}

/* What an earlier server gave counts, too. */
void outboxes_continue(struct outboxes *outboxes, uint64_t sequence)
{
	if (outboxes->ticks < sequence >> WORKER_BITS)
		outboxes->ticks = sequence >> WORKER_BITS;
}

struct outbox_entry *entry_find(const struct home *home, uint64_t sequence)
{
	return map_find(home->outboxes->entries, &sequence, sizeof(sequence));
}

struct outbox_entry *entry_new(struct outbox *outbox, uint64_t sequence, const struct stanza *stanza, const struct jid *to)
{
	size_t len = jid_len(to) + 1;
	struct outbox_entry *entry = mem_alloc(sizeof(*entry) + len);

	memset(entry, 0, sizeof(*entry));
	entry->outbox = outbox;
	entry->sequence = sequence;
	entry->stanza = stanza_ref(stanza);
	entry->to = *to;
	entry->to.text = memcpy(entry + 1, to->text, len);
	entry->entered_ms = worker_now_ms(outbox->home->worker);
	entry->weight = stanza_weight(stanza);
	entry->durable = stanza_is_durable(stanza);
	map_put(outbox->home->outboxes->entries, &entry->sequence, sizeof(entry->sequence), entry);
	return entry;
}

void entry_free(struct outbox_entry *entry)
{
	entry_forget_pair(entry);
	list_remove(&entry->place);
	list_remove(&entry->watch);
	map_remove(entry->outbox->home->outboxes->entries, &entry->sequence, sizeof(entry->sequence));
	if (entry->duty)
		parcel_free(&entry->duty);
	stanza_unref(&entry->stanza);
	free(entry);
}

void entry_forget(struct outbox_entry *entry)
{
	if (entry->writing || entry->written_down)
		outbox_remove(entry->outbox, entry->sequence);
	entry_free(entry);
}

/* In front of which it belongs; NULL: at the end. Those that come back, or are read, follow one another. */
static struct outbox_entry *entry_find_next(struct outbox_entry *entry)
{
	struct outbox *outbox = entry->outbox;
	struct outbox_entry *last = entry_at(list_last(&outbox->waiting)), *at;

	if (!last || last->sequence < entry->sequence)
		return NULL;
	at = entry_find(outbox->home, outbox->inserted);
	if (!at || at->outbox != outbox || at->handed || !list_is_linked(&at->place) || at->sequence > entry->sequence)
		at = outbox_first(outbox);
	while (at->sequence < entry->sequence)
		at = outbox_after(outbox, at);
	return at;
}

void entry_insert(struct outbox_entry *entry, bool counted)
{
	struct outbox *outbox = entry->outbox;
	struct outbox_entry *next = entry_find_next(entry);

	list_add_before(&outbox->waiting, next ? &next->place : NULL, &entry->place);
	outbox->inserted = entry->sequence;
	outbox->memory += entry->weight;
	if (!counted)
		outbox_count(outbox, 1, (int64_t)entry->weight);
	entry_watch_age(entry);
}

void entry_withdraw(struct outbox_entry *entry)
{
	struct outbox *outbox = entry->outbox;

	entry_forget_pair(entry);
	list_remove(&entry->place);
	outbox->memory -= entry->weight;
	outbox_count(outbox, -1, -(int64_t)entry->weight);
}

/* ---- a stanza comes ---- */

static uint64_t server_bytes(const struct server *server)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < workers_count(server->workers); i++)
		bytes += figure_get(&server->homes[i].outboxes->bytes);
	return bytes;
}

static const char *outbox_fullness(const struct outbox *outbox, const struct stanza *stanza)
{
	const struct outbox_limits *limits = outbox->class->limits(outbox->owner);
	const struct home *home = outbox->home;
	size_t weight = stanza_weight(stanza);

	if (outbox->count >= limits->entries || outbox->bytes + weight > limits->bytes)
		return "Too much is waiting for that server already";
	if (server_bytes(home->server) + weight > home->config->limits.outbox_bytes)
		return "Too much is waiting for other servers already";
	return NULL;
}

void outbox_add(struct outbox *outbox, struct parcel *parcel)
{
	struct home *home = outbox->home;
	const char *fullness = outbox_fullness(outbox, parcel->stanza);
	struct outbox_entry *entry;

	if (fullness) {
		parcel_refused(home, &parcel, STANZA_RESOURCE_CONSTRAINT, fullness);
		return;
	}
	entry = entry_new(outbox, sequence_next(home), parcel->stanza, &parcel->to);
	entry_set_age(entry, parcel->since_us);
	entry->delayed = parcel->delayed;
	entry->duty = parcel;
	outbox_supersede(outbox, entry);
	entry_insert(entry, false);
	outbox_push(outbox);
	if (entry->durable && !entry->handed)
		entry_write_down(entry);
	else
		entry_watch(entry);
}

/* ---- it goes ---- */

struct outbox_entry *outbox_next(const struct outbox *outbox)
{
	struct outbox_entry *first = outbox_first(outbox);

	return first && first->sequence < outbox->hole ? first : NULL;
}

static bool entry_is_late(const struct outbox_entry *entry)
{
	return entry->delayed ||
	       worker_now_ms(entry->outbox->home->worker) - entry->entered_ms >= DELAYED_MS;
}

static void entry_hand(struct outbox_entry *entry)
{
	struct outbox *outbox = entry->outbox;
	struct parcel *parcel = parcel_new(outbox->home, entry->stanza, &entry->to);

	parcel->answered = entry_answered;
	parcel->token = entry->sequence;
	parcel->since_us = entry->since_us;
	parcel->delayed = entry_is_late(entry);
	entry_withdraw(entry);
	list_add_last(&outbox->handed, &entry->place);
	entry->handed = entry->sent = true;
	outbox->class->hand(outbox->owner, parcel);
}

void outbox_push(struct outbox *outbox)
{
	struct outbox_entry *entry;

	while ((entry = outbox_next(outbox)) && outbox->class->has_room(outbox->owner))
		entry_hand(entry);
	outbox_refill(outbox);
}

/* The other side has it, or never will. */
static void entry_answered(struct home *home, struct parcel *parcel)
{
	struct outbox_entry *entry = entry_find(home, parcel->token);
	enum parcel_answer answer = parcel->answer;
	enum stanza_condition condition = parcel->condition;
	const char *text = parcel->text;

	parcel_free(&parcel);
	if (!entry || !entry->handed)
		return;
	if (answer == PARCEL_REFUSED) {
		entry_refuse(entry, condition, text);
		return;
	}
	if (entry->duty)
		parcel_taken(home, &entry->duty);
	entry_forget(entry);
}

/* ---- it comes back ---- */

void outbox_take_back(struct outbox *outbox, struct parcel *parcel)
{
	struct outbox_entry *entry = entry_find(outbox->home, parcel->token);

	parcel_free(&parcel);
	if (!entry || !entry->handed)
		return;
	if (entry->stanza->type == IQ_GET || entry->stanza->type == IQ_SET) {
		entry_refuse(entry, STANZA_REMOTE_SERVER_TIMEOUT,
		             "The connection to that server broke before it answered");
		return;
	}
	list_remove(&entry->place);
	entry->handed = false;
	entry_insert(entry, false);
	if (entry->durable && !entry->writing && !entry->written_down)
		entry_write_down(entry);
}

void outbox_blame(struct outbox *outbox)
{
	struct outbox_entry *entry = outbox_next(outbox);

	if (entry && entry->sent && ++entry->blamed == BLAMED_MOST)
		entry_refuse(entry, STANZA_REMOTE_SERVER_TIMEOUT, "That server ends the connection when it gets this");
}

/* ---- the server leaves ---- */

static void handed_write_down(struct outbox *outbox)
{
	for (struct list_link *link = list_first(&outbox->handed); link; link = list_next(&outbox->handed, link)) {
		struct outbox_entry *entry = entry_at(link);

		if (entry->durable && !entry->writing && !entry->written_down)
			entry_write_down(entry);
	}
}

void outbox_leave(struct outbox *outbox, enum stanza_condition condition, const char *text)
{
	struct outbox_entry *entry, *next;

	handed_write_down(outbox);
	for (entry = outbox_first(outbox); entry; entry = next) {
		next = outbox_after(outbox, entry);
		if (!entry->durable)
			entry_refuse(entry, condition, text);
	}
}
