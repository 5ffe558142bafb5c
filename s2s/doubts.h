/* SPDX-License-Identifier: MIT
 *
 * What another server may send again: digests of the stanzas that it has sent on a stream with stream management and of which it
 * does not know yet that they were acknowledged, by number. When the stream breaks and cannot be resumed, because a server was
 * started anew, they tell the next stream what it brings for the second time.
 *
 * A stanza is a repeat only if from, to, id, type and content are the same; one without an id is none. What comes again comes in
 * its order and first of all: the first message or subscription that is new ends all doubts.
 */
#ifndef S2S_DOUBTS_H
#define S2S_DOUBTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "xmpp/stanza.h"

struct doubts {
	uint64_t *digests;           /* a ring, by number; of one without an id 0 */
	uint32_t first;              /* the first number */
	uint32_t count, room;
};

/* All begin after h. */
void doubts_begin(struct doubts *doubts, uint32_t h);
void doubts_clear(struct doubts *doubts);
/* The digest of a sealed stanza; 0: it has no id. */
uint64_t doubts_digest(const struct hash_seed *key, const struct stanza *stanza);
/* That of the next number. Of many the newest are kept. */
void doubts_note(struct doubts *doubts, uint64_t digest);
/* The peer knows that those up to h were acknowledged. */
void doubts_end(struct doubts *doubts, uint32_t h);
/* Those behind h are of no use. */
void doubts_cut(struct doubts *doubts, uint32_t h);
/* Those of more come behind, under further numbers; more is empty then. */
void doubts_join(struct doubts *doubts, struct doubts *more);
/* On the next stream: has it come before? The digest is that of the stanza. */
bool doubts_repeat(struct doubts *doubts, const struct stanza *stanza, uint64_t digest);

#endif
