/* SPDX-License-Identifier: MIT
 *
 * A ring of digests. Numbers go round after 2^32, so they are compared by their distance.
 */
#include "doubts.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/likeness.h"
#include "core/tally.h"

enum { ROOM_FIRST = 16, DOUBTS_MOST = 4096 };

static uint64_t *doubts_at(const struct doubts *doubts, uint32_t number)
{
	return &doubts->digests[number & (doubts->room - 1)];
}

void doubts_begin(struct doubts *doubts, uint32_t h)
{
	doubts->first = h + 1;
	doubts->count = 0;
}

void doubts_clear(struct doubts *doubts)
{
	free(doubts->digests);
	*doubts = (struct doubts){ 0 };
}

uint64_t doubts_digest(const struct hash_seed *key, const struct stanza *stanza)
{
	uint64_t digest;

	if (!stanza->id)
		return 0;
	digest = likeness_add(key, stanza->type, stanza->from.text, jid_len(&stanza->from));
	digest = likeness_add(key, digest, stanza->to.text, jid_len(&stanza->to));
	digest = likeness_add(key, digest, stanza->id, strlen(stanza->id));
	return likeness_add_words(key, digest, stanza) | 1;
}

static void doubts_drop_first(struct doubts *doubts, uint32_t count)
{
	doubts->first += count;
	doubts->count -= count;
}

static void doubts_grow(struct doubts *doubts)
{
	struct doubts old = *doubts;

	doubts->room = old.room ? old.room * 2 : ROOM_FIRST;
	doubts->digests = mem_alloc(doubts->room * sizeof(*doubts->digests));
	for (uint32_t i = 0; i < old.count; i++)
		*doubts_at(doubts, old.first + i) = *doubts_at(&old, old.first + i);
	free(old.digests);
}

void doubts_note(struct doubts *doubts, uint64_t digest)
{
	if (doubts->count == DOUBTS_MOST)
		doubts_drop_first(doubts, 1);
	else if (doubts->count == doubts->room)
		doubts_grow(doubts);
	*doubts_at(doubts, doubts->first + doubts->count++) = digest;
}

void doubts_end(struct doubts *doubts, uint32_t h)
{
	uint32_t known = h - doubts->first + 1;

	if ((int32_t)known > 0)
		doubts_drop_first(doubts, known < doubts->count ? known : doubts->count);
}

void doubts_cut(struct doubts *doubts, uint32_t h)
{
	uint32_t left = h - doubts->first + 1;

	if ((int32_t)left < (int32_t)doubts->count)
		doubts->count = (int32_t)left > 0 ? left : 0;
}

void doubts_join(struct doubts *doubts, struct doubts *more)
{
	for (uint32_t i = 0; i < more->count; i++)
		doubts_note(doubts, *doubts_at(more, more->first + i));
	doubts_clear(more);
}

/* Of anything else nobody promises that it comes again, or where. */
static bool stanza_keeps_order(const struct stanza *stanza)
{
	return stanza->kind != STANZA_IQ && tally_waits_for(stanza);
}

bool doubts_repeat(struct doubts *doubts, const struct stanza *stanza, uint64_t digest)
{
	if (doubts->count == 0 || digest == 0)
		return false;
	for (uint32_t i = 0; i < doubts->count; i++) {
		if (*doubts_at(doubts, doubts->first + i) == digest) {
			doubts_drop_first(doubts, i + 1);
			return true;
		}
	}
	if (stanza_keeps_order(stanza))
		doubts_clear(doubts);
	return false;
}
