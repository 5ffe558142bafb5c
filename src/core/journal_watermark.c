/* SPDX-License-Identifier: MIT
 *
 * The watermark of an account's journal: what the store hears of what has been delivered.
 *
 * The watermark never passes a flight that is still on its way, nor what waits undelivered; what has been delivered beyond
 * those is told as an exception. A flight stays in the list until the store has been told, so that nobody takes it for
 * undelivered. So the list is no longer than what sessions have not acknowledged (option unacknowledged) and what was delivered
 * since the last report, REPORT_MOST entries or REPORT_MS at most; that much may come again after a crash.
 *
 * In the store an exception is a flag in the row of its entry, which is there anyway as long as the archive keeps it, and goes
 * at once where nothing is archived: exceptions take no room, however many there are, and so need no bound of their own. Their
 * cost is time: telling one changes its row once more (4 us; writing it took 6), and only where clients acknowledge across each
 * other. Looking for what is undelivered passes over them, 0.1 us each: 0.1 s if in a full archive (a million entries) the very
 * first one waits. That is when an account is loaded, and when its backlog begins.
 */
#include "core/journal.h"

#include "core/server.h"
#include "journal_inside.h"

enum {
	REPORT_MS = 500,   /* the watermark follows what was delivered, */
	REPORT_MOST = 500, /* at the latest when so much has happened */
};

static bool flight_is_over(const struct flight *flight)
{
	return flight->state == FLIGHT_LANDED && !flight->append;
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

static struct store_journal_advance *advance_new(struct account *account, size_t room)
{
	struct store_journal_advance *advance =
		store_request_new(sizeof(*advance), STORE_JOURNAL_ADVANCE, account->home->worker, account->jid.text,
	                          jid_bare_len(&account->jid), store_request_free);

	advance->request.patient = true;
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

/* With nothing undelivered all in front of the first flight that is open has been delivered. What is just being read of the
 * backlog may not know yet what is told here. */
static void journal_report(struct account *account)
{
	struct journal *journal = account->journal;
	struct flight *open;
	struct store_journal_advance *advance = advance_new(account, flights_count(account, &open));

	flights_landed(account);
	if (account->undelivered > 0)
		advance->sequence = journal->landed;
	else
		advance->sequence = open ? open->sequence - 1 : account->journal_newest;
	flights_except(journal, advance);
	kept_read_again(account);
	journal->news = 0;
	if (advance->sequence > 0 || advance->beyond_count > 0)
		store_submit(account->home->server->store, &advance->request);
	else
		store_request_free(&advance->request);
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
	journal->news++;
	if (account->home->draining || journal->news >= REPORT_MOST)
		journal_report(account);
	else if (!timer_is_running(&journal->report))
		timer_start(account->home->worker, &journal->report, REPORT_MS, journal_reported);
}

void journal_flush(struct account *account)
{
	if (account->journal && account->journal->news > 0)
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
