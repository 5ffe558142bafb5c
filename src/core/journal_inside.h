/* SPDX-License-Identifier: MIT
 *
 * What the files of core/journal share: journal.c what is on its way to sessions, journal_watermark.c what the store hears of
 * it.
 */
#ifndef CORE_JOURNAL_INSIDE_H
#define CORE_JOURNAL_INSIDE_H

#include "account_inside.h"
#include "base/list.h"
#include "net/timer.h"

enum flight_state { FLIGHT_OPEN, FLIGHT_LANDED, FLIGHT_MISSED };

/* A message that is archived and on its way to sessions. */
struct flight {
	struct list_link link;
	uint64_t sequence;
	enum flight_state state;
	struct store_journal_append *append; /* under way; NULL: the store has answered */
	size_t bytes;
	struct parcel *original; /* the store has failed: answered when the flight ends */
};

struct journal {
	struct account *account;
	struct list flights; /* by sequence */
	uint64_t landed;     /* all up to here has been delivered */
	struct timer report; /* runs while there is something to tell */
	size_t news;         /* what happened that the store has not been told */
};

/* Of the account, made where there is none; an account with a journal stays in memory. */
struct journal *journal_get(struct account *account);
void journal_free(struct account *account);
void flight_drop(struct flight *flight);

#endif
