/* SPDX-License-Identifier: MIT
 *
 * The list of directed presence, sorted by the bytes of the address.
 */
#include "im/directed.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct directed {
	size_t count, room;
	struct jid *jids; /* the text of each is its own piece of memory */
};

static int text_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return order ? order : (a_len > b_len) - (a_len < b_len);
}

/* The first that is not less. */
static size_t directed_place(const struct directed *directed, const char *text, size_t len)
{
	size_t low = 0, high = directed->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct jid *jid = &directed->jids[middle];

		if (text_compare(jid->text, jid_len(jid), text, len) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool directed_is_at(const struct directed *directed, size_t place, const struct jid *to)
{
	return place < directed->count && jid_same(&directed->jids[place], to);
}

bool directed_add(struct directed **at, const struct jid *to, size_t limit)
{
	struct directed *directed = *at ? *at : (*at = mem_zalloc(sizeof(**at)));
	size_t place = directed_place(directed, to->text, jid_len(to));

	if (directed_is_at(directed, place, to))
		return true;
	if (directed->count >= limit)
		return false;
	if (directed->count == directed->room) {
		directed->room = directed->room ? 2 * directed->room : 4;
		directed->jids = mem_realloc(directed->jids, directed->room * sizeof(*directed->jids));
	}
	memmove(directed->jids + place + 1, directed->jids + place,
	        (directed->count - place) * sizeof(*directed->jids));
	directed->jids[place] = *to;
	directed->jids[place].text = str_dup_len(to->text, jid_len(to));
	directed->count++;
	return true;
}

void directed_remove(struct directed **at, const struct jid *to)
{
	struct directed *directed = *at;
	size_t place;

	if (!directed)
		return;
	place = directed_place(directed, to->text, jid_len(to));
	if (!directed_is_at(directed, place, to))
		return;
	free((char *)(uintptr_t)directed->jids[place].text);
	directed->count--;
	memmove(directed->jids + place, directed->jids + place + 1,
	        (directed->count - place) * sizeof(*directed->jids));
	if (directed->count == 0)
		directed_free(at);
}

bool directed_knows(const struct directed *directed, const struct jid *who)
{
	char text[JID_MAX + 2];
	size_t len = jid_bare_len(who), place;

	if (!directed)
		return false;
	place = directed_place(directed, who->text, len);
	if (place < directed->count && jid_same_bare(&directed->jids[place], who))
		return true;
	/* Full JIDs need not stand directly behind the bare one: '-' and '.' sort before '/'. */
	memcpy(text, who->text, len);
	text[len] = '/';
	place = directed_place(directed, text, len + 1);
	return place < directed->count && jid_same_bare(&directed->jids[place], who);
}

size_t directed_count(const struct directed *directed)
{
	return directed ? directed->count : 0;
}

const struct jid *directed_at(const struct directed *directed, size_t number)
{
	return &directed->jids[number];
}

void directed_free(struct directed **at)
{
	struct directed *directed = *at;

	if (!directed)
		return;
	for (size_t i = 0; i < directed->count; i++)
		free((char *)(uintptr_t)directed->jids[i].text);
	free(directed->jids);
	free(directed);
	*at = NULL;
}
