/* SPDX-License-Identifier: MIT
 *
 * What comes for an account and stands in its journal, on its way to sessions.
 *
 * What must stay true: a message that came is taken when its entry is durable or, where the store fails, when a session
 * has it. While a session is getting it, or has it, the entry waits for a store that hangs; else it is given up after a
 * while, and the message refused. What is on its way to sessions is a flight, which ends when a session has it or none can
 * have it any more; how the store hears of that is in journal_watermark.c.
 */
#include "core/journal.h"

#include <stdlib.h>

#include "base/mem.h"
#include "journal_inside.h"

static void append_done(struct store_request *request);
static void flight_answered(struct home *home, struct parcel *copy);

/* ---- received ---- */

struct journal *journal_get(struct account *account)
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

static struct flight *flight_start(struct account *account, struct store_journal_append *append)
{
	struct flight *flight = mem_zalloc(sizeof(*flight));

	flight->sequence = append->entry.sequence;
	flight->bytes = append->entry.stanza_len;
	flight->append = append;
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
	append->request.patient = true;
	list_remove(&parcel->watch);
	flight_start(account, append);
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
		*flight = (struct flight){ .sequence = sequence, .bytes = text.len };
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
	if (message->kind != STANZA_MESSAGE || !journal_wants(account, message, &message->from)) {
		overdue_watch(account, parcel);
		return;
	}
	overdue_write_earlier(account, parcel);
	journal_write_down(account, parcel);
}

void flight_drop(struct flight *flight)
{
	list_remove(&flight->link);
	free(flight);
}

/* No session has it: it waits for the next, or comes back if the store does not have it soon. */
static void flight_miss(struct account *account, struct flight *flight)
{
	flight->state = FLIGHT_MISSED;
	account->undelivered++;
	account->undelivered_bytes += flight->bytes;
	kept_leave_gap(account);
	if (flight->append)
		store_request_hurry(&flight->append->request);
	else
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
		flight->append = NULL;
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

/* Where the store has failed nothing but the sessions' answer counts. Who has it needs no entry but for the archive. */
static void flight_answer(struct home *home, struct flight *flight, bool is_taken)
{
	flight->state = FLIGHT_LANDED;
	if (flight->append && !flight->append->entry.archived)
		store_request_hurry(&flight->append->request);
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

/* ---- the end ---- */

void journal_free(struct account *account)
{
	timer_stop(account->home->worker, &account->journal->report);
	free(account->journal);
	account->journal = NULL;
	account_release(account);
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
