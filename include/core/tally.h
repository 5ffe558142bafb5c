/* SPDX-License-Identifier: MIT
 *
 * What a peer, a client or another server, has sent and who has taken it (XEP-0198 §4): stanzas are numbered as they come,
 * and h rises over those that have been answered, in order; it never passes one that nobody has taken.
 *
 * After a resumption the peer sends again what h did not cover. What is in hand already is recognized by its
 * number and its words and goes its way once; whatever else has that number is a new stanza.
 */
#ifndef CORE_TALLY_H
#define CORE_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "xmpp/stanza.h"

enum { TALLY_NUMBER_SHIFT = 40 };

struct tally_entry {
	const struct stanza *stanza;
	uint64_t token;
	uint8_t answers;                /* so far */
};

struct tally {
	uint64_t mark;                  /* what its tokens begin with */
	uint32_t received;              /* the last number given on this stream */
	uint32_t handled;               /* h */
	struct tally_entry *entries;    /* a ring of what lies behind handled, by number */
	uint32_t count, room;
	uint32_t said;                  /* the last h that the peer was told */
	uint32_t asked;                 /* what had been received when it asked last */
};

void tally_init(struct tally *tally, uint64_t serial);
/* Of the tally that a token, or a mark, belongs to: what is left of its serial. */
static inline uint64_t tally_number(uint64_t token)
{
	return token >> TALLY_NUMBER_SHIFT;
}
void tally_clear(struct tally *tally);
/* Numbers the stanza and gives it its token; it is not sealed yet. false: it is here already, drop it. */
bool tally_enter(struct tally *tally, struct stanza *stanza);
/* The stanza with this token has been answered: by whoever got it and, where it stands in its sender's archive, by the store
 * as well. false: the token is not of this tally. */
bool tally_done(struct tally *tally, uint64_t token);
/* Counts what everybody has let go of, too. */
void tally_settle(struct tally *tally);
/* Of presence only subscriptions are a promise; the rest is handed on, and that is all there is to it. */
bool tally_waits_for(const struct stanza *stanza);

/* The peer asks. Whether it has asked for more than it was told, and now there is more to tell. What to tell it now. */
void tally_ask(struct tally *tally);
bool tally_owes(const struct tally *tally);
uint32_t tally_say(struct tally *tally);

/* Resumed: numbers are given anew from h on, which the peer is told. */
void tally_rewind(struct tally *tally);
/* That of a server before this one, which had come to h. */
void tally_restore(struct tally *tally, uint32_t h);

#endif
