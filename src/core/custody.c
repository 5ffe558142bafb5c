/* SPDX-License-Identifier: MIT
 *
 * Parcels and their answers, and the one place where bounces are made (RFC 6120 §8.3.1, §10.4.3; RFC 6121
 * §8). A parcel is one piece of memory. An answer travels as the parcel's own mail to the holder's home;
 * where nobody waits for it, what was taken is freed and what was refused is bounced on the spot.
 */
#include "core/custody.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "account_inside.h"
#include "base/mem.h"
#include "core/journal.h"
#include "core/router.h"
#include "core/server.h"

struct parcel *parcel_new(struct home *holder, const struct stanza *stanza, const struct jid *to)
{
	size_t len = to ? jid_len(to) + 1 : 0;
	struct parcel *parcel = mem_alloc(sizeof(*parcel) + len);

	memset(parcel, 0, sizeof(*parcel));
	parcel->stanza = stanza_ref(stanza);
	parcel->holder = holder;
	parcel->since_us = worker_wall_us(holder->worker);
	parcel->to = to ? *to : stanza->to;
	if (to)
		parcel->to.text = memcpy(parcel + 1, to->text, len);
	return parcel;
}

struct parcel *parcel_split(struct home *home, struct parcel *parcel)
{
	struct parcel *duty = parcel_new(home, parcel->stanza, &parcel->to);

	duty->holder = parcel->holder;
	duty->answered = parcel->answered;
	duty->token = parcel->token;
	duty->since_us = parcel->since_us;
	duty->delayed = parcel->delayed;
	duty->shown = parcel->shown;
	duty->known = parcel->known;
	duty->digest = parcel->digest;
	duty->again = parcel->again;
	list_replace(&parcel->unanswered, &duty->unanswered);
	parcel->digest = 0;
	parcel->again = NULL;
	parcel->holder = home;
	parcel->answered = NULL;
	parcel->token = 0;
	return duty;
}

void parcel_free(struct parcel **parcel)
{
	struct parcel *again;

	while ((again = (*parcel)->again)) {
		(*parcel)->again = again->next;
		parcel_free(&again);
	}
	list_remove(&(*parcel)->watch);
	list_remove(&(*parcel)->unanswered);
	stanza_unref(&(*parcel)->stanza);
	free(*parcel);
	*parcel = NULL;
}

static void parcel_arrive_back(struct worker *worker, struct mail *mail)
{
	struct parcel *parcel = (struct parcel *)mail;

	parcel->answered(home_of(worker), parcel);
}

/* The first holder asks for no answer, but a barrier may. */
static void stanza_settle(const struct stanza *stanza)
{
	atomic_store_explicit(&((struct stanza *)(uintptr_t)stanza)->settled, true, memory_order_release);
}

static void parcel_answer(struct home *at, struct parcel *parcel)
{
	list_remove(&parcel->watch);
	list_remove(&parcel->unanswered);
	if (!parcel->answered) {
		stanza_settle(parcel->stanza);
		parcel_bounce(at, &parcel);
	} else if (at->closed) {
		parcel_free(&parcel);
	} else {
		parcel->mail.arrive = parcel_arrive_back;
		worker_post(at->worker, parcel->holder->worker, &parcel->mail);
	}
}

void parcel_taken(struct home *at, struct parcel **taken)
{
	struct parcel *parcel = *taken, *again = parcel->again;

	assert(parcel->answer == PARCEL_PENDING);
	*taken = parcel->again = NULL;
	parcel->answer = PARCEL_TAKEN;
	parcel_answer(at, parcel);
	while ((parcel = again)) {
		again = parcel->next;
		parcel_taken(at, &parcel);
	}
}

void parcel_refused(struct home *at, struct parcel **refused, enum stanza_condition condition,
                    const char *text)
{
	struct parcel *parcel = *refused, *again = parcel->again;

	assert(parcel->answer == PARCEL_PENDING && condition != STANZA_NO_ERROR);
	*refused = parcel->again = NULL;
	parcel->answer = PARCEL_REFUSED;
	parcel->condition = condition;
	parcel->text = text;
	if (parcel->digest)
		repeats_refused(at, parcel);
	parcel_answer(at, parcel);
	while ((parcel = again)) {
		again = parcel->next;
		parcel_refused(at, &parcel, condition, text);
	}
}

/* Whether the sender waits for an error. Presence is told to many; only what somebody sent to one address
 * on purpose comes back: a request for a subscription and its answers, and directed presence, by which
 * rooms are entered. */
static bool stanza_may_bounce(const struct stanza *stanza)
{
	if (!stanza->from.text)
		return false;
	switch (stanza->type) {
	case PRESENCE_AVAILABLE:
		return stanza->to.text != NULL;
	case PRESENCE_UNAVAILABLE:
	case PRESENCE_PROBE:
		return false;
	default:
		return true;
	}
}

/* An error that brings back what a person has written is kept for the sender when he is not there, like a message. */
struct parcel *parcel_make_bounce(struct home *holder, const struct parcel *parcel)
{
	struct stanza *error = NULL;
	const struct stanza *sealed;
	struct parcel *bounce;

	if (parcel->answer == PARCEL_REFUSED && stanza_may_bounce(parcel->stanza))
		error = stanza_error_draft(parcel->stanza, &parcel->to, parcel->condition, parcel->text);
	if (!error)
		return NULL;
	if (journal_may_keep(parcel->stanza))
		error->returns = stanza_ref(parcel->stanza);
	figure_add(&holder->figures.bounced, 1);
	sealed = stanza_seal(error);
	bounce = parcel_new(holder, sealed, NULL);
	stanza_unref(&sealed);
	return bounce;
}

void parcel_bounce(struct home *holder, struct parcel **bounced)
{
	struct parcel *bounce = parcel_make_bounce(holder, *bounced);

	if (bounce)
		route(holder, bounce);
	parcel_free(bounced);
}
