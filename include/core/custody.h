/* SPDX-License-Identifier: MIT
 *
 * Chain of custody. A stanza on its way is a parcel: the stanza, where this copy goes, and who must be told. Its holder
 * hands it on by route(); the next holder answers, exactly once, taken or refused, and the answer arrives at the previous
 * holder's home. Who takes has delivered it, made it durable, or handed it to somebody who did. A refusal that reaches
 * the first holder becomes the error to the sender: bounces are made in custody.c and nowhere else.
 */
#ifndef CORE_CUSTODY_H
#define CORE_CUSTODY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "net/worker.h"
#include "xmpp/stanza.h"

struct destination_class;
struct home;

enum parcel_answer { PARCEL_PENDING, PARCEL_TAKEN, PARCEL_REFUSED };

struct parcel {
	struct mail mail;
	struct parcel *next;            /* free for the queue of whoever holds it now */
	const struct stanza *stanza;    /* counted */
	struct jid to;                  /* where this copy goes; text in the stanza or behind the parcel */
	const struct destination_class *class;  /* set by route() */
	struct home *holder;            /* who handed it on and gets the answer */
	void (*answered)(struct home *holder, struct parcel *parcel);   /* NULL: a refusal becomes a bounce */
	uint64_t token;                 /* the holder's own: an id, never a pointer to state */
	int64_t since_us;               /* wall clock when it entered this server: delay stamps */
	bool delayed;                   /* it waited here (journal, a broken connection): say so (XEP-0203) */
	uint64_t journal;               /* sequence of its entry in the journal of the account that gets it; 0: none */
	bool waits;                     /* likewise that it waits (message_waits) */
	bool is_push;                   /* meant for one session, of no use to another (session_push) */
	bool shown;                     /* modules have seen that it is delivered (message_delivered) */
	bool known;                     /* it is no repeat: core/repeats.c has seen it */
	uint64_t digest;                /* core/repeats.c's, as the next: by it a repeat is known; 0: it has none */
	struct list_link unanswered;    /* in account->unanswered */
	struct parcel *again;           /* its repeats, by next, which are answered after it and as it is */
	struct list_link watch;         /* core/overdue.c's, as the next */
	uint64_t handed_ms;
	uint64_t position;              /* free for the next holder: where in its stream or queue it is */
	enum parcel_answer answer;
	enum stanza_condition condition;        /* of a refusal */
	const char *text;               /* a literal for the person who reads the error; NULL */
};

/* A parcel of the stanza (a new reference is taken; it must be sealed). to: NULL, the stanza's own; else copied. */
struct parcel *parcel_new(struct home *holder, const struct stanza *stanza, const struct jid *to);

/* The next holder's answer, on any home; leaves NULL. text: a literal or NULL. */
void parcel_taken(struct home *at, struct parcel **parcel);
void parcel_refused(struct home *at, struct parcel **parcel, enum stanza_condition condition, const char *text);

/* The duty towards the holder in a parcel of its own, with the stanza and all that is known of it. The given one stays where
 * it is and answers to home from now on, which says how: until then its refusal becomes a bounce. On home. */
struct parcel *parcel_split(struct home *home, struct parcel *parcel);

/* For answered(): the parcel and its reference go. */
void parcel_free(struct parcel **parcel);
/* For answered(): the error that a refusal becomes, to be routed; NULL: there is none. stanza->returns is set where it brings
 * back a message that might have been kept for its reader: it is kept for its sender then. */
struct parcel *parcel_make_bounce(struct home *holder, const struct parcel *parcel);
/* For answered(): does what NULL would have done: a refusal becomes the error stanza, routed to the stanza's from
 * (nothing for errors, results and where RFC 6120 §8.3.1 forbids); frees the parcel. */
void parcel_bounce(struct home *holder, struct parcel **parcel);

#endif
