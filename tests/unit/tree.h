/* SPDX-License-Identifier: MIT
 *
 * Trees in tests: written, parsed, compared.
 */
#ifndef UNIT_TREE_H
#define UNIT_TREE_H

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "xmpp/element.h"
#include "xmpp/writer.h"

static inline bool tree_same_str(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static inline bool tree_same_attrs(const struct element *a, const struct element *b)
{
	const struct attr *x = a->attrs, *y = b->attrs;

	for (; x && y; x = x->next, y = y->next)
		if (!tree_same_str(x->name, y->name) || !tree_same_str(x->ns, y->ns) ||
		    !tree_same_str(x->value, y->value))
			return false;
	return !x && !y;
}

/* Same names, namespaces, attributes in order, children. Text in several pieces is the same as in one. */
static inline bool tree_same(const struct element *a, const struct element *b)
{
	const struct node *x = a->first, *y = b->first;
	size_t x_used = 0, y_used = 0;

	if (!tree_same_str(a->name, b->name) || !tree_same_str(a->ns, b->ns) || !tree_same_attrs(a, b))
		return false;
	for (;;) {
		size_t len;

		for (; x && !x->element && x_used == x->len; x = x->next)
			x_used = 0;
		for (; y && !y->element && y_used == y->len; y = y->next)
			y_used = 0;
		if (!x || !y)
			return !x && !y;
		if (!x->element != !y->element || (x->element && !tree_same(x->element, y->element)))
			return false;
		if (x->element) {
			x = x->next;
			y = y->next;
			continue;
		}
		len = x->len - x_used < y->len - y_used ? x->len - x_used : y->len - y_used;
		if (memcmp(x->text + x_used, y->text + y_used, len) != 0)
			return false;
		x_used += len;
		y_used += len;
	}
}

/* The element as XML where scope is the default namespace; NUL behind it, freed by buf_clear. */
static inline struct buf tree_written(const struct element *element, const char *scope)
{
	struct buf out = { 0 };

	writer_element(&out, element, scope);
	buf_add_char(&out, '\0');
	return out;
}

#endif
