/* SPDX-License-Identifier: MIT
 *
 * Result set management, XEP-0059 §2.
 */
#include "xmpp/rsm.h"

#include <errno.h>
#include <stdlib.h>

#include "xmpp/ns.h"

/* Decimal digits only. */
static bool number_read(const char *text, size_t *out)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || errno)
		return false;
	*out = value > SIZE_MAX ? SIZE_MAX : (size_t)value;
	return true;
}

bool rsm_read(struct arena *arena, const struct element *parent, struct rsm *out)
{
	const struct element *set = element_child(parent, "set", NS_RSM);
	const char *max, *index;

	*out = (struct rsm){ 0 };
	if (!set)
		return true;
	out->asked = true;
	out->after = element_child_text(arena, set, "after", NS_RSM);
	out->before = element_child_text(arena, set, "before", NS_RSM);
	max = element_child_text(arena, set, "max", NS_RSM);
	index = element_child_text(arena, set, "index", NS_RSM);
	out->limited = max != NULL;
	out->indexed = index != NULL;
	if (out->after && *out->after == '\0')
		out->after = NULL;
	return (!max || number_read(max, &out->max)) && (!index || number_read(index, &out->index));
}

struct element *rsm_add(struct arena *arena, struct element *parent, const struct rsm_page *page)
{
	struct element *set = element_add(arena, parent, "set", NS_RSM);

	if (page->first) {
		struct element *first = element_add(arena, set, "first", NS_RSM);

		if (page->counted)
			element_set(arena, first, "index", arena_printf(arena, "%zu", page->index));
		element_add_text(arena, first, page->first);
		element_add_text(arena, element_add(arena, set, "last", NS_RSM), page->last);
	}
	if (page->counted)
		element_add_text(arena, element_add(arena, set, "count", NS_RSM),
		                 arena_printf(arena, "%zu", page->count));
	return set;
}
