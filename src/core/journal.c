/* SPDX-License-Identifier: MIT
 *
 * What comes for an account and stands in its journal, on its way to sessions, and the watermark of what has been delivered.
 *
 * What must stay true: a message that came is taken when its entry is durable or, where the store fails, when a session
 * has it. What is on its way to sessions is a flight. The watermark never passes a flight that has not landed, nor what
 * waits undelivered; what lands behind those is told to the store as an exception. A flight stays in the list until the
 * store has been told, so that nobody takes it for undelivered.
 */
#include "core/journal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account_inside.h"
#include "base/clock.h"
#include "base/mem.h"
#include "core/module.h"
#include "core/session.h"
#include "core/router.h"
#include "net/timer.h"
#include "xmpp/ns.h"

enum {
	REPORT_MS = 500, /* the watermark follows what was delivered */
};

enum flight_state { FLIGHT_OPEN, FLIGHT_LANDED, FLIGHT_MISSED };

/* A message that is archived and on its way to sessions. */
struct flight {
	struct list_link link;
	uint64_t sequence;
	enum flight_state state;
	bool stored; /* the store has answered */
	size_t bytes;
	struct parcel *original; /* the store has failed: answered when the flight ends */
};

struct journal {
	struct account *account;
	struct list flights; /* by sequence */
	uint64_t landed;     /* all up to here has been delivered */
	struct timer report; /* runs while there is something to tell */
	bool dirty;
};

static void append_done(struct store_request *request);
static void flight_answered(struct home *home, struct parcel *copy);

/* ---- received ---- */

static struct journal *journal_get(struct account *account)
{
	if (!account->journal) {
		account->journal = mem_zalloc(sizeof(*account->journal));
		account->journal->account = account;
		list_init(&account->journal->flights);
		account_hold(account);
	}
	return account->journal;
}

/* The store answers for the oldest first and sessions for the newest: looked for from both ends. */
static struct flight *flight_find(const struct account *account, uint64_t sequence)
{
	const struct list *flights = account->journal ? &account->journal->flights : NULL;
	struct list_link *front = flights ? list_first(flights) : NULL, *back = front ? list_last(flights) : NULL;

	while (front) {
		struct flight *old = LIST_MEMBER(front, struct flight, link);
		struct flight *new = LIST_MEMBER(back, struct flight, link);

		if (old->sequence == sequence || new->sequence == sequence)
			return old->sequence == sequence ? old : new;
		if (old->sequence >= new->sequence)
			return NULL;
		front = list_next(flights, front);
		back = list_previous(flights, back);
	}
	return NULL;
}

static struct flight *flight_start(struct account *account, const struct store_journal_entry *entry)
{
	struct flight *flight = mem_zalloc(sizeof(*flight));

	flight->sequence = entry->sequence;
	flight->bytes = entry->stanza_len;
	list_add_last(&journal_get(account)->flights, &flight->link);
	return flight;
}

void journal_write_down(struct account *account, struct parcel *parcel)
{
	const struct stanza *message = parcel->stanza;
	struct store_journal_append *append = journal_entry(account, message, &parcel->to, STORE_IN, append_done);

	if (journal_wants(account, message, &message->from))
		journal_archive(account, &append->entry);
	append->entry.at_us = parcel->since_us;
	append->request.context = parcel_split(account->home, parcel);
	list_remove(&parcel->watch);
	flight_start(account, &append->entry);
	parcel->answered = flight_answered;
	parcel->token = parcel->journal = append->entry.sequence;
	store_submit(account->home->server->store, &append->request);
}

static void flight_insert(struct account *account, struct flight *flight)
{
	struct list *flights = &journal_get(account)->flights;
	struct list_link *link = list_first(flights);

	while (link && LIST_MEMBER(link, struct flight, link)->sequence < flight->sequence)
		link = list_next(flights, link);
	list_add_before(flights, link, &flight->link);
}

void journal_take_up(struct account *account, struct parcel *parcel, uint64_t sequence)
{
	const struct stanza_copy copy = { .to = &parcel->to };
	struct buf text = { 0 };
	struct flight *flight;

	if (!flight_find(account, sequence)) {
		stanza_write(&text, parcel->stanza, &copy);
		flight = mem_zalloc(sizeof(*flight));
		*flight = (struct flight){ .sequence = sequence, .stored = true, .bytes = text.len };
		buf_clear(&text);
		flight_insert(account, flight);
		kept_forget(account, 1, flight->bytes);
	}
	parcel->answered = flight_answered;
	parcel->token = parcel->journal = sequence;
}

void journal_received(struct account *account, struct parcel *parcel)
{
	const struct stanza *message = parcel->stanza;

	if (parcel->journal || account->gone || kept_is_from_journal(parcel))
		return;
	if (message->kind == STANZA_MESSAGE && journal_wants(account, message, &message->from))
		journal_write_down(account, parcel);
	else
		overdue_watch(account, parcel);
}

static void flight_drop(struct flight *flight)
{
	list_remove(&flight->link);
	free(flight);
}

static bool flight_is_over(const struct flight *flight)
{
	return flight->state == FLIGHT_LANDED && flight->stored;
}

/* With nothing undelivered in front of them those that are over need not wait for the report. */
static void flights_landed(struct account *account)
{
	struct journal *journal = account->journal;
	struct list_link *link;

	while (account->undelivered == 0 && (link = list_first(&journal->flights))) {
		struct flight *flight = LIST_MEMBER(link, struct flight, link);

		if (!flight_is_over(flight))
			return;
		journal->landed = flight->sequence;
		flight_drop(flight);
	}
}

/* No session has it: it waits for the next. */
static void flight_miss(struct account *account, struct flight *flight)
{
	flight->state = FLIGHT_MISSED;
	account->undelivered++;
	account->undelivered_bytes += flight->bytes;
	if (flight->stored)
		flight_drop(flight);
}

/* Without an entry the sessions' answer counts. */
static void append_failed(struct account *account, struct flight *flight, struct parcel *original)
{
	struct home *home = account->home;

	if (flight->state == FLIGHT_OPEN) {
		flight->original = original;
	} else if (flight->state == FLIGHT_LANDED) {
		parcel_taken(home, &original);
	} else {
		kept_forget(account, 1, flight->bytes);
		parcel_refused(home, &original, STANZA_RESOURCE_CONSTRAINT,
		               "The message could not be kept, try again");
	}
}

/* A flight stays until the store has answered, but for an account that has gone. */
static void append_done(struct store_request *request)
{
	struct home *home = home_of(request->worker);
	struct parcel *original = request->context;
	struct account *account = account_find(home, request->owner, strlen(request->owner));
	struct flight *flight = NULL;

	if (account)
		flight = flight_find(account, ((struct store_journal_append *)request)->entry.sequence);
	if (flight)
		flight->stored = true;
	if (request->status == STORE_OK)
		parcel_taken(home, &original);
	else if (flight)
		append_failed(account, flight, original);
	else
		parcel_refused(home, &original, STANZA_SERVICE_UNAVAILABLE, NULL);
	if (flight && flight->state == FLIGHT_MISSED)
		flight_drop(flight);
	else if (flight && flight->state == FLIGHT_LANDED)
		journal_touch(account);
	store_request_free(request);
}

/* The store has failed, so nothing but the sessions' answer counts. */
static void flight_answer(struct home *home, struct flight *flight, bool is_taken)
{
	flight->state = FLIGHT_LANDED;
	if (flight->original && is_taken)
		parcel_taken(home, &flight->original);
	else if (flight->original)
		parcel_refused(home, &flight->original, STANZA_RESOURCE_CONSTRAINT, NULL);
}

static void flight_answered(struct home *home, struct parcel *copy)
{
	struct account *account = account_find(home, copy->to.text, jid_bare_len(&copy->to));
	struct flight *flight = account ? flight_find(account, copy->token) : NULL;
	bool is_taken = copy->answer == PARCEL_TAKEN;

	parcel_free(&copy);
	if (!flight || flight->state != FLIGHT_OPEN)
		return;
	if (is_taken || flight->original)
		flight_answer(home, flight, is_taken);
	else
		flight_miss(account, flight);
	journal_touch(account);
}

/* Another client of the account has acknowledged a copy. */
void journal_land(struct account *account, uint64_t sequence)
{
	struct flight *flight = flight_find(account, sequence);

	if (!flight || flight->state != FLIGHT_OPEN)
		return;
	flight_answer(account->home, flight, true);
	journal_touch(account);
}

bool journal_has(const struct account *account, const struct parcel *parcel)
{
	const struct flight *flight;

	if (!parcel->journal || kept_is_from_journal(parcel))
		return false;
	flight = flight_find(account, parcel->journal);
	return !flight || flight->state == FLIGHT_LANDED;
}

bool journal_takes_back(const struct account *account, struct parcel *parcel)
{
	if (!parcel->journal || parcel->answered != flight_answered)
		return false;
	parcel_refused(account->home, &parcel, STANZA_RECIPIENT_UNAVAILABLE, NULL);
	return true;
}

bool journal_is_on_its_way(const struct account *account, uint64_t sequence)
{
	const struct flight *flight = flight_find(account, sequence);

	if (account->journal && sequence <= account->journal->landed)
		return true;
	return flight && flight->state != FLIGHT_MISSED;
}

/* ---- the watermark ---- */

static struct store_journal_advance *advance_new(struct account *account, size_t room)
{
	struct store_journal_advance *advance =
		store_request_new(sizeof(*advance), STORE_JOURNAL_ADVANCE, account->home->worker, account->jid.text,
	                          jid_bare_len(&account->jid), store_request_free);

	advance->beyond = arena_alloc(&advance->request.arena, room * sizeof(*advance->beyond));
	return advance;
}

static void advance_add(struct store_journal_advance *advance, uint64_t sequence)
{
	((uint64_t *)(uintptr_t)advance->beyond)[advance->beyond_count++] = sequence;
}

static size_t flights_count(const struct account *account, struct flight **first_open)
{
	const struct journal *journal = account->journal;
	size_t count = 0;

	*first_open = NULL;
	for (struct list_link *link = journal ? list_first(&journal->flights) : NULL; link;
	     link = list_next(&journal->flights, link)) {
		struct flight *flight = LIST_MEMBER(link, struct flight, link);

		if (!flight_is_over(flight) && !*first_open)
			*first_open = flight;
		count++;
	}
	return count;
}

uint64_t journal_settled_up_to(const struct account *account)
{
	struct flight *open;

	flights_count(account, &open);
	return open ? open->sequence - 1 : account->journal_newest;
}

/* Each that is over is an exception, and leaves the list. */
static void flights_except(struct journal *journal, struct store_journal_advance *advance)
{
	struct list_link *link, *next;

	for (link = list_first(&journal->flights); link; link = next) {
		struct flight *flight = LIST_MEMBER(link, struct flight, link);

		next = list_next(&journal->flights, link);
		if (!flight_is_over(flight))
			continue;
		advance_add(advance, flight->sequence);
		flight_drop(flight);
	}
}

/* With nothing undelivered all in front of the first flight in the list has been delivered. */
static void journal_report(struct account *account)
{
	struct journal *journal = account->journal;
	struct flight *open;
	struct store_journal_advance *advance = advance_new(account, flights_count(account, &open));

	flights_landed(account);
	if (account->undelivered > 0) {
		advance->sequence = journal->landed;
		flights_except(journal, advance);
	} else {
		advance->sequence = open ? open->sequence - 1 : account->journal_newest;
	}
	journal->dirty = false;
	if (advance->sequence > 0 || advance->beyond_count > 0)
		store_submit(account->home->server->store, &advance->request);
	else
		store_request_free(&advance->request);
}

static void journal_free(struct account *account)
{
	timer_stop(account->home->worker, &account->journal->report);
	free(account->journal);
	account->journal = NULL;
	account_release(account);
}

static void journal_reported(struct worker *worker, struct timer *timer)
{
	struct journal *journal = LIST_MEMBER(timer, struct journal, report);

	(void)worker;
	journal_report(journal->account);
	if (list_is_empty(&journal->flights))
		journal_free(journal->account);
}

void journal_touch(struct account *account)
{
	struct journal *journal = journal_get(account);

	flights_landed(account);
	journal->dirty = true;
	if (account->home->draining)
		journal_report(account);
	else if (!timer_is_running(&journal->report))
		timer_start(account->home->worker, &journal->report, REPORT_MS, journal_reported);
}

void journal_flush(struct account *account)
{
	if (account->journal && account->journal->dirty)
		journal_report(account);
}

void journal_delivered(struct account *account, const struct store_journal_entry *entries, size_t count)
{
	struct flight *open;
	struct store_journal_advance *advance = advance_new(account, count);

	flights_count(account, &open);
	if (!open || open->sequence > entries[count - 1].sequence)
		advance->sequence = entries[count - 1].sequence;
	for (size_t i = 0; i < count && advance->sequence == 0; i++)
		advance_add(advance, entries[i].sequence);
	store_submit(account->home->server->store, &advance->request);
}

void journal_excepted(struct account *account, const struct store_journal_entry *entries, size_t count)
{
	struct store_journal_advance *advance = advance_new(account, count);

	for (size_t i = 0; i < count; i++)
		advance_add(advance, entries[i].sequence);
	store_submit(account->home->server->store, &advance->request);
}

void journal_clear(struct account *account)
{
	struct list_link *link;

	if (!account->journal)
		return;
	while ((link = list_take_first(&account->journal->flights))) {
		struct flight *flight = LIST_MEMBER(link, struct flight, link);

		if (flight->original)
			parcel_refused(account->home, &flight->original, STANZA_SERVICE_UNAVAILABLE, NULL);
		free(flight);
	}
	journal_free(account);
}
