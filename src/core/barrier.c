/* SPDX-License-Identifier: MIT
 *
 * What a stream has under way is a ring of references, in the order of the stream, with the pings that wait among them.
 * Who holds a parcel holds its stanza until the parcel is answered: what nobody but the ring holds has been taken or
 * refused, and so has what is settled although somebody still has a copy. The ring is looked through when something comes, and by a timer while a ping waits.
 */
#include "core/barrier.h"

#include <stdlib.h>

#include "base/mem.h"
#include "core/custody.h"
#include "net/timer.h"
#include "xmpp/ns.h"

enum {
	ROOM_FIRST = 8,
	PINGS_MAX = 16,
	LOOK_MS = 20,        /* while a ping waits */
	IDLE_MS = 1000,      /* while none does, to let go of what is done */
	PING_MOST_MS = 10000, /* that a ping waits */
};

struct barrier_entry {
	struct stanza *stanza;
	uint64_t until_ms; /* of a ping; 0: it is none */
};

struct barrier {
	struct barrier **place; /* where its owner has it */
	struct home *home;
	barrier_passed *passed;
	void *owner;
	struct barrier_entry *entries; /* a ring; its size is a power of two */
	uint32_t first, count, room;
	uint32_t pings;
	struct timer look;
};

static void barrier_looks(struct worker *worker, struct timer *timer);

/* ---- the ring ---- */

static struct barrier_entry *barrier_at(const struct barrier *barrier, uint32_t number)
{
	return &barrier->entries[(barrier->first + number) & (barrier->room - 1)];
}

static void stanza_let_go(struct stanza *stanza)
{
	const struct stanza *gone = stanza;

	stanza_unref(&gone);
}

static bool entry_is_done(const struct barrier_entry *entry)
{
	const struct stanza *stanza = entry->stanza;

	return entry->until_ms == 0 && (atomic_load_explicit(&stanza->refs, memory_order_acquire) == 1 ||
	                                atomic_load_explicit(&stanza->settled, memory_order_acquire));
}

/* What is done, wherever it stands: one that takes long holds up no memory but its own. */
static void barrier_sift(struct barrier *barrier)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < barrier->count; i++) {
		struct barrier_entry entry = *barrier_at(barrier, i);

		if (entry_is_done(&entry))
			stanza_let_go(entry.stanza);
		else
			*barrier_at(barrier, kept++) = entry;
	}
	barrier->count = kept;
}

static void barrier_grow(struct barrier *barrier)
{
	struct barrier old = *barrier;

	barrier->room = old.room ? old.room * 2 : ROOM_FIRST;
	barrier->entries = mem_alloc(barrier->room * sizeof(*barrier->entries));
	barrier->first = 0;
	for (uint32_t i = 0; i < old.count; i++)
		barrier->entries[i] = *barrier_at(&old, i);
	free(old.entries);
}

/* Half of the ring is free behind a sift, or it grows: so sifting costs each stanza the same. */
static void barrier_add(struct barrier *barrier, struct stanza *stanza, uint64_t until_ms)
{
	if (barrier->count == barrier->room) {
		barrier_sift(barrier);
		if (barrier->count >= barrier->room / 2)
			barrier_grow(barrier);
	}
	stanza_share(stanza);
	*barrier_at(barrier, barrier->count++) = (struct barrier_entry){ stanza, until_ms };
}

static struct barrier_entry barrier_take_first(struct barrier *barrier)
{
	struct barrier_entry entry = *barrier_at(barrier, 0);

	barrier->first++;
	barrier->count--;
	barrier->pings -= entry.until_ms != 0;
	return entry;
}

/* ---- pings ---- */

static bool ping_is_for_us(const struct home *home, const struct stanza *stanza, const struct jid *from)
{
	const struct jid *to = &stanza->to;

	if (stanza->kind != STANZA_IQ || stanza->type != IQ_GET || !element_child(stanza->root, "ping", NS_PING))
		return false;
	if (stanza->from.text && !jid_same_bare(&stanza->from, from))
		return false;
	if (!to->text || (jid_is_bare(to) && to->local_len > 0 && jid_same_bare(to, from)))
		return true;
	return jid_is_domain(to) && config_host(home->config, jid_domain_text(to), to->domain_len);
}

static void ping_refuse(struct home *home, struct stanza *ping)
{
	struct parcel *parcel;

	if (!ping->to.text)
		ping->to = jid_bare(&ping->arena, &ping->from);
	parcel = parcel_new(home, stanza_seal(ping), NULL);
	parcel_refused(home, &parcel, STANZA_RESOURCE_CONSTRAINT, "What was sent before this is still under way");
}

/* Up to the first that is under way: pings at the front have nothing before them. */
static void barrier_settle(struct barrier *barrier)
{
	while (barrier->count > 0) {
		const struct barrier_entry *front = barrier_at(barrier, 0);

		if (front->until_ms == 0 && !entry_is_done(front))
			return;
		if (front->until_ms == 0)
			stanza_let_go(barrier_take_first(barrier).stanza);
		else
			barrier->passed(barrier->owner, barrier_take_first(barrier).stanza);
	}
}

static void barrier_refuse_late(struct barrier *barrier, uint64_t now_ms)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < barrier->count; i++) {
		struct barrier_entry entry = *barrier_at(barrier, i);

		if (entry.until_ms != 0 && entry.until_ms <= now_ms) {
			barrier->pings--;
			ping_refuse(barrier->home, entry.stanza);
			stanza_let_go(entry.stanza);
		} else {
			*barrier_at(barrier, kept++) = entry;
		}
	}
	barrier->count = kept;
}

/* ---- the look ---- */

static void barrier_look_later(struct barrier *barrier)
{
	timer_start(barrier->home->worker, &barrier->look, barrier->pings > 0 ? LOOK_MS : IDLE_MS, barrier_looks);
}

static void barrier_looks(struct worker *worker, struct timer *timer)
{
	struct barrier *barrier = LIST_MEMBER(timer, struct barrier, look);

	barrier_settle(barrier);
	if (barrier->pings > 0)
		barrier_refuse_late(barrier, worker_now_ms(worker));
	if (barrier->count > 0)
		barrier_look_later(barrier);
	else
		barrier_clear(barrier->place);
}

/* ---- the stream ---- */

static struct barrier *barrier_new(struct barrier **place, struct home *home, barrier_passed *passed, void *owner)
{
	struct barrier *barrier = mem_zalloc(sizeof(*barrier));

	barrier->place = place;
	barrier->home = home;
	barrier->passed = passed;
	barrier->owner = owner;
	return barrier;
}

void barrier_clear(struct barrier **place)
{
	struct barrier *barrier = *place;

	if (!barrier)
		return;
	*place = NULL;
	timer_stop(barrier->home->worker, &barrier->look);
	while (barrier->count > 0)
		stanza_let_go(barrier_take_first(barrier).stanza);
	free(barrier->entries);
	free(barrier);
}

static bool barrier_stops_ping(struct barrier *barrier, struct stanza *ping, const struct jid *from)
{
	if (!barrier)
		return false;
	barrier_settle(barrier);
	if (barrier->count == 0)
		return false;
	ping->from = jid_copy(&ping->arena, from);
	if (barrier->pings == PINGS_MAX) {
		ping_refuse(barrier->home, ping);
		return true;
	}
	barrier_add(barrier, ping, worker_now_ms(barrier->home->worker) + PING_MOST_MS);
	barrier->pings++;
	barrier_look_later(barrier);
	return true;
}

/* Of presence only subscriptions are a promise. */
static bool stanza_matters(const struct stanza *stanza)
{
	return stanza->kind == STANZA_MESSAGE ||
	       (stanza->type >= PRESENCE_SUBSCRIBE && stanza->type <= PRESENCE_UNSUBSCRIBED);
}

bool barrier_stops(struct barrier **place, struct home *home, struct stanza *stanza, const struct jid *from,
                   barrier_passed *passed, void *owner)
{
	if (ping_is_for_us(home, stanza, from))
		return barrier_stops_ping(*place, stanza, from);
	if (!stanza_matters(stanza))
		return false;
	if (!*place)
		*place = barrier_new(place, home, passed, owner);
	barrier_settle(*place);
	barrier_add(*place, stanza, 0);
	if (!timer_is_running(&(*place)->look))
		barrier_look_later(*place);
	return false;
}
