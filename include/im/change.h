/* SPDX-License-Identifier: MIT
 *
 * Changes of an account's roster, one after the other: each is decided on what the one before it has left, is written, and
 * is seen by others only when it is durable. A write that fails leaves memory as it was. Stanzas between the account and a
 * contact whose change is under way wait behind it, so that between two addresses they keep their order.
 *
 * A change belongs to its account from change_begin on and lies in its own arena; everything happens on the account's home.
 */
#ifndef IM_CHANGE_H
#define IM_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "core/account.h"
#include "core/custody.h"
#include "core/iq.h"
#include "im/subscription.h"
#include "store/roster.h"

struct change;

/* decided() goes on with change_write, change_remove or change_end; written() with change_end_behind. */
struct change_class {
	/* Its turn has come: nothing else is under way in this roster. */
	void (*decided)(struct account *account, struct change *change);
	/* It is durable and in the roster. NULL for a change that never writes. */
	void (*written)(struct account *account, struct change *change);
	/* Nothing has changed: the store could not, or the account is gone (internal-server-error, item-not-found ...).
	 * Answers who waits; the caller ends the change. */
	void (*failed)(struct home *home, struct change *change, enum stanza_condition condition);
};

struct change {
	struct change *next;
	const struct change_class *class;
	struct jid contact; /* bare; in the arena */
	/* What it is about: one of these, taken by who answers it. */
	struct iq_request *request; /* a roster set */
	struct parcel *parcel;      /* a stanza from the contact */
	struct stanza *sent;        /* a stanza of the account's client, not sealed yet */
	/* What the class remembers from decided() to written(). */
	enum subscription before; /* the contact's state */
	bool pass;                /* route or deliver the stanza */
	bool vouched;             /* by an invitation of the user's */
	bool push;                /* clients see a difference */
	enum stanza_type reply;   /* to the contact for the user; STANZA_TYPE_NONE: nothing */
	bool turn;                /* decided() was called */
	uint64_t asked_ms;        /* it waits for the store since then, whatever is in front of it */
	size_t bytes;             /* that it keeps in memory */
	uint64_t id;              /* of the write under way, or of whatever else it waits for */
	struct account *account;  /* while its end is on its way; NULL: the account has left memory */
	struct mail mail;
	struct arena arena;
};

/* The changes of one account. */
struct changes {
	struct change *first, **end; /* end: where the next one is linked; NULL: none yet */
	size_t count, bytes;         /* of those that are not ended */
	bool running;
};

/* contact: its bare part counts. */
struct change *change_new(const struct change_class *class, const struct jid *contact);
/* Where too many wait it fails at once with resource-constraint. Others have half of the room, so that they
 * cannot keep the account's own clients out. */
void change_begin(struct account *account, struct change *change);
void change_write(struct account *account, struct change *change, const struct store_roster_item *item);
void change_remove(struct account *account, struct change *change, uint64_t version);
void change_end(struct account *account, struct change *change);
/* decided() waits for somebody else: the number by which change_resume finds the change again; NULL when it or its account
 * has gone meanwhile, and was failed. */
uint64_t change_wait(struct account *account, struct change *change);
struct change *change_resume(struct account *account, uint64_t number);
/* Ends it when what has been routed to this account so far has arrived: what waits does not overtake a roster push. */
void change_end_behind(struct account *account, struct change *change);

/* A change with this contact (its bare part counts) is under way or waits. */
bool change_concerns(const struct account *account, const struct jid *contact);
/* What waits behind it: the parcel is received (im/im.h) in its turn, the stanza is routed in its turn. */
void change_delay_received(struct account *account, struct parcel *parcel);
void change_delay_sent(struct account *account, struct stanza *stanza);

/* The account leaves memory: nothing that waits happens any more. */
void changes_clear(struct account *account);

#endif
