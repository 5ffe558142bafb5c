/* SPDX-License-Identifier: MIT
 *
 * How entries end that are not delivered: their age, and refusals. While the sender's parcel is here he gets the refusal;
 * afterwards the error is made here, and the store forgets the entry only when somebody has taken that error (the journal of a
 * sender who has gone): a crash in between brings the error twice, never not at all. An entry that has ended is not handed any
 * more.
 *
 * An age counts from when the stanza entered this server: on the monotonic clock while it is in memory, by the wall clock what
 * is read from the store.
 */
#include "base/mem.h"
#include "core/router.h"
#include "outbox_inside.h"

enum {
	SWEEP_LEAST_MS = 250, /* between two looks at what is too old */
};

static void outbox_expired(struct worker *worker, struct timer *timer);

/* ---- refused ---- */

static void error_answered(struct home *home, struct parcel *error)
{
	struct outbox_entry *entry = entry_find(home, error->token);

	parcel_free(&error);
	if (entry)
		entry_forget(entry);
}

static struct parcel *entry_error(struct outbox_entry *entry, enum stanza_condition condition, const char *text)
{
	struct home *home = entry->outbox->home;
	struct parcel *refused = parcel_new(home, entry->stanza, &entry->to), *error;

	refused->answer = PARCEL_REFUSED;
	refused->condition = condition;
	refused->text = text;
	error = parcel_make_bounce(home, refused);
	parcel_free(&refused);
	return error;
}

/* The sender has been told that it is taken. */
static void entry_return(struct outbox_entry *entry, enum stanza_condition condition, const char *text)
{
	struct outbox *outbox = entry->outbox;
	struct parcel *error = entry_error(entry, condition, text);

	if (error && (entry->writing || entry->written_down)) {
		error->answered = error_answered;
		error->token = entry->sequence;
		entry->ended = true;
		list_add_last(&outbox->ending, &entry->place);
	} else {
		entry_forget(entry);
	}
	if (error)
		route(outbox->home, error);
}

void entry_refuse(struct outbox_entry *entry, enum stanza_condition condition, const char *text)
{
	if (entry->handed)
		list_remove(&entry->place);
	else
		entry_withdraw(entry);
	entry->handed = false;
	if (!entry->duty) {
		entry_return(entry, condition, text);
		return;
	}
	parcel_refused(entry->outbox->home, &entry->duty, condition, text);
	entry_forget(entry);
}

void outbox_refuse_loaded(struct outbox *outbox)
{
	struct outbox_entry *entry;

	while ((entry = outbox_first(outbox)) && entry->sequence <= outbox->refused_up_to)
		entry_refuse(entry, outbox->refusal.condition, outbox->refusal.text);
	if (outbox->hole > outbox->refused_up_to)
		outbox->refused_up_to = 0;
}

void outbox_refuse(struct outbox *outbox, enum stanza_condition condition, const char *text)
{
	outbox->refused_up_to = outbox_newest(outbox);
	outbox->refusal = (struct outbox_excuse){ condition, text };
	outbox_refuse_loaded(outbox);
	outbox_refill(outbox);
}

/* ---- too old ---- */

static uint64_t entry_due_ms(const struct outbox_entry *entry)
{
	const struct outbox_limits *limits = entry->outbox->class->limits(entry->outbox->owner);
	uint64_t most = entry->stanza->kind == STANZA_IQ ? limits->wait_iq_ms
	                : entry->durable                 ? limits->lifetime_ms
	                                                 : limits->wait_ms;
	int64_t due = entry->born_ms + (int64_t)most;

	return due > 0 ? (uint64_t)due : 0;
}

void entry_watch_age(struct outbox_entry *entry)
{
	struct worker *worker = entry->outbox->home->worker;
	struct timer *timer = &entry->outbox->expiry;
	uint64_t due = entry_due_ms(entry), now = worker_now_ms(worker);

	if (!timer_is_running(timer) || due < timer->due_ms)
		timer_start(worker, timer, due > now ? due - now : 0, outbox_expired);
}

static void entry_expire(struct outbox_entry *entry)
{
	struct outbox_excuse excuse = entry->outbox->class->excuse(entry->outbox->owner);

	entry_refuse(entry, excuse.condition,
	             entry->sent ? "The connection to that server broke; this may have arrived" : excuse.text);
}

/* Answers when the next one is due. */
static uint64_t entries_expire(struct list *entries, uint64_t now)
{
	uint64_t soonest = UINT64_MAX, due;
	struct list_link *link, *next;

	for (link = list_first(entries); link; link = next) {
		struct outbox_entry *entry = entry_at(link);

		next = list_next(entries, link);
		due = entry_due_ms(entry);
		if (due <= now)
			entry_expire(entry);
		else if (due < soonest)
			soonest = due;
	}
	return soonest;
}

/* What was handed to a stream that has broken, and that may be resumed, gets too old as well; should it come back after that,
 * nobody knows it any more. */
static void outbox_expired(struct worker *worker, struct timer *timer)
{
	struct outbox *outbox = LIST_MEMBER(timer, struct outbox, expiry);
	uint64_t now = worker_now_ms(worker), handed = entries_expire(&outbox->handed, now);
	uint64_t waiting = entries_expire(&outbox->waiting, now);
	uint64_t soonest = handed < waiting ? handed : waiting;

	if (soonest != UINT64_MAX)
		timer_start(worker, timer, soonest - now > SWEEP_LEAST_MS ? soonest - now : SWEEP_LEAST_MS,
		            outbox_expired);
	outbox_refill(outbox);
	outbox->class->changed(outbox->owner);
}
