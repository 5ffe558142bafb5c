/* SPDX-License-Identifier: MIT
 *
 * The ring of stanzas that nobody has taken yet. A token is the tally's mark, the number of resumptions and the
 * number of the stanza, so an answer finds its place at once, and one for a stanza that another has replaced
 * finds none.
 */
#include "core/tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "xmpp/ns.h"
#include "xmpp/writer.h"

enum { ROOM_FIRST = 8, NUMBER_BITS = 32, GENERATION_BITS = TALLY_NUMBER_SHIFT - NUMBER_BITS };

#define GENERATION_ONE (UINT64_C(1) << NUMBER_BITS)
#define GENERATION_MASK (((UINT64_C(1) << GENERATION_BITS) - 1) << NUMBER_BITS)

void tally_init(struct tally *tally, uint64_t serial)
{
	*tally = (struct tally){ .mark = serial << TALLY_NUMBER_SHIFT };
}

/* Where the number lies; the ring's size is a power of two. */
static struct tally_entry *tally_at(const struct tally *tally, uint32_t number)
{
	return &tally->entries[number & (tally->room - 1)];
}

void tally_clear(struct tally *tally)
{
	for (uint32_t i = 1; i <= tally->count; i++)
		stanza_unref(&tally_at(tally, tally->handled + i)->stanza);
	free(tally->entries);
	*tally = (struct tally){ 0 };
}

static void tally_make_room(struct tally *tally)
{
	struct tally old = *tally;

	if (tally->count < tally->room)
		return;
	tally->room = tally->room ? tally->room * 2 : ROOM_FIRST;
	tally->entries = mem_zalloc(tally->room * sizeof(*tally->entries));
	for (uint32_t i = 1; i <= tally->count; i++)
		*tally_at(tally, tally->handled + i) = *tally_at(&old, tally->handled + i);
	free(old.entries);
}

/* ---- the same words ---- */

static bool text_same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Without <delay/>: who sends again may say so. */
static void write_content(struct buf *out, const struct element *root)
{
	for (const struct node *node = root->first; node; node = node->next) {
		if (!node->element)
			buf_add(out, node->text, node->len);
		else if (!element_is(node->element, "delay", NS_DELAY))
			writer_element(out, node->element, root->ns);
	}
}

static bool content_same(const struct element *a, const struct element *b)
{
	struct buf first = { 0 }, second = { 0 };
	bool same;

	write_content(&first, a);
	write_content(&second, b);
	same = first.len == second.len && (first.len == 0 || memcmp(first.data, second.data, first.len) == 0);
	buf_clear(&first);
	buf_clear(&second);
	return same;
}

/* What was sent without `to` has one by now, or a bare one. */
static bool to_same(const struct stanza *ours, const struct stanza *again)
{
	if (!ours->to.text || !again->to.text)
		return !again->to.text && (!ours->to.text || jid_same_bare(&ours->to, &ours->from));
	return jid_same(&ours->to, &again->to) ||
	       (jid_is_bare(&ours->to) && jid_same_bare(&ours->to, &again->to));
}

static bool stanza_same(const struct stanza *ours, const struct stanza *again)
{
	return ours->type == again->type && text_same(ours->id, again->id) && to_same(ours, again) &&
	       content_same(ours->root, again->root);
}

/* ---- counting ---- */

bool tally_enter(struct tally *tally, struct stanza *stanza)
{
	uint32_t number = ++tally->received;
	bool repeats = number - tally->handled <= tally->count;
	struct tally_entry *entry;

	if (!repeats) {
		tally_make_room(tally);
		tally->count++;
	}
	entry = tally_at(tally, number);
	if (repeats && stanza_same(entry->stanza, stanza))
		return false;
	if (repeats)
		stanza_unref(&entry->stanza);
	stanza->token = tally->mark | number;
	*entry = (struct tally_entry){ .stanza = stanza_share(stanza), .token = stanza->token };
	return true;
}

bool tally_done(struct tally *tally, uint64_t token)
{
	uint32_t number = (uint32_t)token;
	struct tally_entry *entry;

	if ((token ^ tally->mark) & ~(GENERATION_ONE - 1) & ~GENERATION_MASK)
		return false;
	if (number - tally->handled - 1 < tally->count) {
		entry = tally_at(tally, number);
		entry->answers += entry->token == token;
	}
	tally_settle(tally);
	return true;
}

/* A stanza that nobody but us holds has come to its end without an answer: a refused subscription. */
static bool entry_is_done(const struct tally_entry *entry)
{
	unsigned wanted = entry->stanza->journal ? 2 : 1;

	return entry->answers >= wanted || atomic_load(&entry->stanza->refs) == 1;
}

void tally_settle(struct tally *tally)
{
	while (tally->handled != tally->received) {
		struct tally_entry *entry = tally_at(tally, tally->handled + 1);

		if (!entry_is_done(entry))
			break;
		stanza_unref(&entry->stanza);
		tally->handled++;
		tally->count--;
	}
}

bool tally_waits_for(const struct stanza *stanza)
{
	return stanza->kind != STANZA_PRESENCE ||
	       (stanza->type >= PRESENCE_SUBSCRIBE && stanza->type <= PRESENCE_UNSUBSCRIBED);
}

/* ---- telling ---- */

void tally_ask(struct tally *tally)
{
	tally_settle(tally);
	tally->asked = tally->received;
}

bool tally_owes(const struct tally *tally)
{
	return tally->handled != tally->said && (int32_t)(tally->asked - tally->said) > 0;
}

uint32_t tally_say(struct tally *tally)
{
	return tally->said = tally->handled;
}

/* ---- the next stream ---- */

void tally_rewind(struct tally *tally)
{
	uint64_t generation = (tally->mark + GENERATION_ONE) & GENERATION_MASK;

	tally->mark = (tally->mark & ~GENERATION_MASK) | generation;
	tally->received = tally->said = tally->asked = tally->handled;
}

void tally_restore(struct tally *tally, uint32_t h)
{
	tally->received = tally->handled = tally->said = tally->asked = h;
}
