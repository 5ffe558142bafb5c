/* SPDX-License-Identifier: MIT
 *
 * What was received against what a conversation expects: trees are compared as trees, attributes in any
 * order, blanks between elements do not count. {name} stands for a value that is remembered at its first use
 * and must be the same later; {any} for any value; {maybe} for an attribute that may be absent; {rest} among
 * children for whatever else is there.
 */
#ifndef TALK_MATCH_H
#define TALK_MATCH_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "xmpp/element.h"

struct memory_value {
	struct memory_value *next;
	const char *name, *value;
};

/* What the placeholders of a scene stand for. */
struct memory {
	struct arena arena;
	struct memory_value *first;
};

void memory_clear(struct memory *memory);
/* NULL: not known yet. */
const char *memory_find(const struct memory *memory, const char *name, size_t len);
void memory_put(struct memory *memory, const char *name, size_t len, const char *value);
/* text with its known placeholders replaced. */
void memory_fill(const struct memory *memory, const char *text, struct buf *out);

/* What is learned in a comparison that fails is forgotten again. */
bool match(struct memory *memory, const struct element *expected, const struct element *got);

#endif
