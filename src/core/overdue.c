/* SPDX-License-Identifier: MIT
 *
 * Custody in memory. What sessions get is held by them until their clients acknowledge it, and costs no disk where they do
 * that in time. What is older than the option write-after is written down, so that nobody who sent it waits for a client
 * that is slow or away: a message that may be kept becomes an entry of the journal, forgotten when it is acknowledged after
 * all; anything else is taken as it is, for there is no place where it might wait for longer.
 *
 * Parcels are watched from the moment when they are handed to sessions until they are answered or written down, oldest
 * first, with one timer for a home. Nothing is written down twice: the first of two entries would never be delivered. An
 * entry's sequence is its place among the account's messages: before one is made for another message, what came earlier gets
 * its own.
 */
#include <stdlib.h>

#include "account_inside.h"
#include "base/mem.h"
#include "core/journal.h"
#include "home_inside.h"
#include "net/timer.h"

struct overdue {
	struct list parcels;            /* struct parcel.watch, by handed_ms */
	struct timer timer;             /* runs while there are any */
};

static void overdue_look(struct worker *worker, struct timer *timer);

void overdue_open(struct home *home)
{
	home->overdue = mem_zalloc(sizeof(*home->overdue));
	list_init(&home->overdue->parcels);
}

void overdue_close(struct home *home)
{
	while (list_take_first(&home->overdue->parcels))
		continue;
	timer_stop(home->worker, &home->overdue->timer);
	free(home->overdue);
}

/* Presence is no promise (RFC 6121 §4). */
void overdue_watch(struct account *account, struct parcel *parcel)
{
	struct home *home = account->home;
	struct overdue *overdue = home->overdue;

	if (parcel->stanza->kind == STANZA_PRESENCE || parcel->journal)
		return;
	account->may_hold |= journal_may_keep(parcel->stanza);
	list_remove(&parcel->watch);
	parcel->handed_ms = worker_now_ms(home->worker);
	list_add_last(&overdue->parcels, &parcel->watch);
	if (!timer_is_running(&overdue->timer))
		timer_start(home->worker, &overdue->timer, home->config->write_after_ms, overdue_look);
}

static struct parcel *overdue_first(const struct overdue *overdue)
{
	struct list_link *link = list_first(&overdue->parcels);

	return link ? LIST_MEMBER(link, struct parcel, watch) : NULL;
}

static void parcel_overdue(struct home *home, struct parcel *parcel)
{
	struct account *account = account_find(home, parcel->to.text, jid_bare_len(&parcel->to));
	struct parcel *duty;

	list_remove(&parcel->watch);
	if (account && !account->gone && journal_may_keep(parcel->stanza)) {
		journal_write_down(account, parcel);
	} else {
		duty = parcel_split(home, parcel);
		parcel_taken(home, &duty);
	}
}

void overdue_write_earlier(struct account *account, struct parcel *parcel)
{
	const struct list *parcels = &account->home->overdue->parcels;
	struct list_link *link = account->may_hold ? list_first(parcels) : NULL, *next;

	account->may_hold = list_is_linked(&parcel->watch);
	for (; link && link != &parcel->watch; link = next) {
		struct parcel *earlier = LIST_MEMBER(link, struct parcel, watch);

		next = list_next(parcels, link);
		if (jid_same_bare(&earlier->to, &account->jid) && journal_may_keep(earlier->stanza))
			journal_write_down(account, earlier);
	}
	list_remove(&parcel->watch);
}

static void overdue_look(struct worker *worker, struct timer *timer)
{
	struct overdue *overdue = LIST_MEMBER(timer, struct overdue, timer);
	struct home *home = home_of(worker);
	uint64_t now_ms = worker_now_ms(worker);
	struct parcel *parcel;

	while ((parcel = overdue_first(overdue)) && parcel->handed_ms + home->config->write_after_ms <= now_ms)
		parcel_overdue(home, parcel);
	if (parcel)
		timer_start(worker, timer, parcel->handed_ms + home->config->write_after_ms - now_ms, overdue_look);
}
