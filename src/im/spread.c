/* SPDX-License-Identifier: MIT
 *
 * Copies and the custody of their original. A spread lives in its home's table, found by the token of its copies.
 */
#include "im/spread.h"

#include <assert.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "core/router.h"
#include "im/im.h"

struct spread {
	uint64_t id;
	struct parcel *original; /* NULL: answered */
	size_t out;              /* copies not answered yet */
};

static void spread_answered(struct home *home, struct parcel *copy);
static void copy_answered(struct home *home, struct parcel *copy);

struct map *spreads_open(struct home *home)
{
	return map_new(worker_seed(home->worker));
}

void spreads_close(struct map *spreads)
{
	struct map_walk walk = { 0 };
	struct spread *spread;

	while ((spread = map_next(spreads, &walk))) {
		if (spread->original)
			parcel_free(&spread->original);
		free(spread);
	}
	map_free(&spreads);
}

bool spread_to_available(const struct session *session, const struct parcel *parcel)
{
	(void)parcel;
	return session_is_available(session);
}

static struct parcel *copy_new(struct session *session, const struct stanza *stanza, const struct jid *to,
                               void (*answered)(struct home *home, struct parcel *parcel))
{
	struct parcel *copy = parcel_new(session->account->home, stanza, to);

	copy->answered = answered;
	return copy;
}

static size_t choice_count(const struct account *account, const struct parcel *parcel, spread_choice *choice,
                           struct session **last)
{
	size_t count = 0;

	for (struct session *session = session_first(account); session; session = session_next(session)) {
		if (!choice(session, parcel))
			continue;
		*last = session;
		count++;
	}
	return count;
}

void spread_message(struct account *account, struct parcel *parcel, spread_choice *choice)
{
	struct map *spreads = home_part(account->home, &im_module);
	struct session *last = NULL;
	size_t count = choice_count(account, parcel, choice, &last);
	struct spread *spread;

	assert(count > 0);
	if (count == 1) {
		session_deliver(last, parcel);
		return;
	}
	spread = mem_alloc(sizeof(*spread));
	*spread = (struct spread){ .id = ++account->home->serial, .original = parcel, .out = count };
	map_put(spreads, &spread->id, sizeof(spread->id), spread);
	for (struct session *session = session_first(account); session; session = session_next(session)) {
		struct parcel *copy;

		if (!choice(session, parcel))
			continue;
		copy = copy_new(session, parcel->stanza, &parcel->to, spread_answered);
		copy->since_us = parcel->since_us;
		copy->delayed = parcel->delayed;
		copy->journal = parcel->journal;
		copy->token = spread->id;
		session_deliver(session, copy);
	}
}

static void spread_answered(struct home *home, struct parcel *copy)
{
	struct map *spreads = home_part(home, &im_module);
	struct spread *spread = map_find(spreads, &copy->token, sizeof(copy->token));

	if (copy->answer == PARCEL_TAKEN && spread->original)
		parcel_taken(home, &spread->original);
	parcel_free(&copy);
	if (--spread->out > 0)
		return;
	if (spread->original) {
		spread->original->delayed = true;
		route(home, spread->original);
	}
	map_remove(spreads, &spread->id, sizeof(spread->id));
	free(spread);
}

void spread_copies(struct account *account, const struct parcel *parcel, const struct jid *to,
                   spread_choice *choice)
{
	for (struct session *session = session_first(account); session; session = session_next(session)) {
		if (choice(session, parcel))
			spread_copy(session, parcel->stanza, to);
	}
}

void spread_copy(struct session *session, const struct stanza *stanza, const struct jid *to)
{
	session_deliver(session, copy_new(session, stanza, to, copy_answered));
}

static void copy_answered(struct home *home, struct parcel *copy)
{
	(void)home;
	parcel_free(&copy);
}

bool spread_returned(struct home *home, struct parcel *parcel)
{
	if (parcel->answered != spread_answered && parcel->answered != copy_answered)
		return false;
	parcel_refused(home, &parcel, STANZA_RECIPIENT_UNAVAILABLE, NULL);
	return true;
}
