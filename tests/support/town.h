/* SPDX-License-Identifier: MIT
 *
 * A town: a whole server with stepped workers, a trial store and a clock that the test moves; and people in
 * it, each a session whose client is the test. For tests of what happens above the streams.
 */
#ifndef TESTS_TOWN_H
#define TESTS_TOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "core/account.h"
#include "core/module.h"
#include "core/server.h"
#include "core/session.h"

struct town {
	struct clock clock; /* both clocks: ms */
	uint64_t ms;
	char *folder; /* with hansa.conf */
	struct log *log;
	struct store *store; /* tests/support/store_trial.h; closed with the server */
	bool store_hangs;    /* it does nothing by itself */
	struct server *server;
};

/* Two workers and two hosts, north.example and south.example, without TLS. more: further sections, or NULL. */
struct town *town_open(const struct module *const *modules, const char *more);
void town_close(struct town **town);
/* Writes the configuration anew; server_reload is the test's. */
void town_configure(struct town *town, const char *sections);

/* Until nobody has anything to do, and the store neither. */
void town_settle(struct town *town);
/* Workers only: what was asked of the store stays unanswered. */
void town_settle_without_store(struct town *town);
void town_pass(struct town *town, uint64_t ms);

void town_add_account(struct town *town, const char *bare);
struct home *town_home(struct town *town, const char *bare);
struct account *town_account(struct town *town, const char *bare); /* NULL: not in memory */

/* Just enough of RFC 6121: a message goes to the session addressed, else to the first that is available
 * with a priority of 0 or more, else it is kept; presence without `to` makes a session available, and it
 * gets what was kept. */
extern const struct module town_module;

/* A parcel of XML as it comes from somebody outside; settles. */
void town_send(struct town *town, const char *xml);

struct person {
	struct town *town;
	struct session *session; /* NULL after it has gone */
	struct account_want want;
	struct parcel *held, **held_end; /* delivered and not answered */
	bool holds;                      /* does not take what is delivered until told to */
	struct buf heard;                /* what was delivered, as XML */
	enum stream_condition closed;    /* what the server closed the stream with */
};

/* Binds full's resource; settles. NULL: refused. */
struct person *person_come(struct town *town, const char *full);
void person_go(struct person **person);                   /* gives back what it holds, ends the session */
void person_says(struct person *person, const char *xml); /* settles */
/* Answers all that is held, or gives it back, in order; settles. */
void person_take(struct person *person);
void person_give_back(struct person *person);
/* What it has heard since it was asked last, one stanza after the other; valid until asked again. "":
 * nothing. */
const char *person_heard(struct person *person);

#endif
