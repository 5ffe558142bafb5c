/* SPDX-License-Identifier: MIT
 *
 * The durable outbox of a link: what waits for the other side, and what it has been handed and has not acknowledged. It has
 * custody of all of it, keeps the order, and gives each stanza an end: the other side has it, or its sender gets an error.
 *
 * Entries stand in one order, that of their sequences, whether they are waiting or handed: what comes back goes where it was,
 * so nothing is ever reordered, across streams, restarts and kill -9. What a journal would keep and what changes subscriptions
 * is durable: it is written down when it must wait, or when nobody has acknowledged it after `write-after`; only then, or when
 * the other side has it, is its sender told that it is taken. What is acknowledged in time costs no disk. Anything else (iq,
 * presence, chat states) stands in the same order in memory only, and is taken after `write-after` as it is.
 *
 * Memory is bounded: beyond limits.memory what is written down is dropped and read again by pages when its turn comes. Nothing
 * behind the first that was dropped is handed before it.
 *
 * The owner is a link; later a component or a webhook. It lives on the owner's home, and so does all here.
 */
#ifndef CORE_OUTBOX_H
#define CORE_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/custody.h"
#include "core/server.h"
#include "store/outbox.h"

struct outbox;

/* Of what waits; what is handed is bounded by the owner's has_room. */
struct outbox_limits {
	size_t entries, bytes;          /* beyond: refused at once */
	size_t memory;                  /* bytes of them that are kept in memory too */
	uint64_t lifetime_ms;           /* how old something durable may get */
	uint64_t wait_ms, wait_iq_ms;   /* how long anything else waits */
};

/* What a sender is told when something of his has waited too long. text: a literal. */
struct outbox_excuse {
	enum stanza_condition condition;
	const char *text;
};

struct outbox_class {
	const struct outbox_limits *(*limits)(const void *owner);
	struct outbox_excuse (*excuse)(const void *owner);
	bool (*has_room)(const void *owner);
	/* Sends it. It is answered when the other side has it or never will, or comes back by outbox_take_back. */
	void (*hand)(void *owner, struct parcel *parcel);
	/* Something has come to wait, or has stopped waiting, without a call of the owner's. */
	void (*changed)(void *owner);
};

/* key: its name in the store, unique on this server: a word for the kind of owner, a space, and the rest. */
struct outbox *outbox_new(struct home *home, const struct outbox_class *class, void *owner, const char *key);
/* What is left in it in memory goes without an answer. */
void outbox_free(struct outbox **outbox);
/* What an earlier server has left in the store comes first. Of a new outbox. */
void outbox_restore(struct outbox *outbox, const struct store_outbox *left);

/* Takes the parcel: hands it at once, lets it wait behind all others, or refuses it. */
void outbox_add(struct outbox *outbox, struct parcel *parcel);
/* Hands what waits, in order, while there is room. */
void outbox_push(struct outbox *outbox);
/* What was handed comes back: it waits again, at its place. An iq that asks is refused: it may have been answered, and
 * to ask twice is not ours to decide. */
void outbox_take_back(struct outbox *outbox, struct parcel *parcel);
/* The other side has taken offence at what it was handed first. When it does so again and again, that is refused: else it
 * would stop all behind it for as long as it may wait. */
void outbox_blame(struct outbox *outbox);
/* All that waits is refused, in memory and in the store; what comes from now on is not concerned. */
void outbox_refuse(struct outbox *outbox, enum stanza_condition condition, const char *text);
/* The server leaves: what is durable is written down and stays for the next one, the rest is refused. */
void outbox_leave(struct outbox *outbox, enum stanza_condition condition, const char *text);

/* So many wait to be handed. */
uint64_t outbox_waiting(const struct outbox *outbox);
/* It holds nothing, nor has it anything left to tell the store: it may be freed. */
bool outbox_is_empty(const struct outbox *outbox);

struct outbox_figures {
	uint64_t count, bytes;          /* of what waits */
	uint64_t handed;                /* and is not acknowledged */
	int64_t oldest_us;              /* of what waits, wall clock; 0: nothing, or the oldest is being read */
};
void outbox_figures(const struct outbox *outbox, struct outbox_figures *out);

/* Core's own, and its owners' at the start: what there is of that kind in the store, on every home. */
void outboxes_left(struct home *home, const char *kind,
                   void (*visit)(void *context, const char *name, const struct store_outbox *left), void *context);
bool outboxes_start(struct server *server, char **error);
void outboxes_stop(struct server *server);
void outboxes_home_open(struct home *home);
void outboxes_home_close(struct home *home);

#endif
