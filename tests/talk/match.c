/* SPDX-License-Identifier: MIT
 *
 * Comparing trees with placeholders. Conversations are small: plain recursion is fine here.
 */
#include "match.h"

#include <string.h>

/* ---- what placeholders stand for ---- */

void memory_clear(struct memory *memory)
{
	arena_clear(&memory->arena);
	memory->first = NULL;
}

const char *memory_find(const struct memory *memory, const char *name, size_t len)
{
	for (const struct memory_value *value = memory->first; value; value = value->next)
		if (strlen(value->name) == len && memcmp(value->name, name, len) == 0)
			return value->value;
	return NULL;
}

void memory_put(struct memory *memory, const char *name, size_t len, const char *value)
{
	struct memory_value *new = arena_alloc(&memory->arena, sizeof(*new));

	new->next = memory->first;
	new->name = arena_str_len(&memory->arena, name, len);
	new->value = arena_str(&memory->arena, value);
	memory->first = new;
}

void memory_fill(const struct memory *memory, const char *text, struct buf *out)
{
	while (*text) {
		size_t plain = strcspn(text, "{"), name = strcspn(text + plain, "}");
		const char *value = text[plain] ? memory_find(memory, text + plain + 1, name - 1) : NULL;

		buf_add(out, text, plain);
		text += plain;
		if (!*text)
			return;
		if (value) {
			buf_add_str(out, value);
			text += name + 1;
		} else {
			buf_add_char(out, *text++);
		}
	}
}

/* ---- values ---- */

/* A value that is one placeholder as a whole, not known yet. */
static bool is_unknown(const struct memory *memory, const char *pattern)
{
	size_t len = strlen(pattern);

	return len > 2 && pattern[0] == '{' && strchr(pattern, '}') == pattern + len - 1 &&
	       !memory_find(memory, pattern + 1, len - 2);
}

/* A pattern in which one placeholder that is not known yet stands between other text. */
static bool match_around(struct memory *memory, const char *pattern, const char *value)
{
	const char *open = strchr(pattern, '{'), *close = open ? strchr(open, '}') : NULL;
	size_t before, behind, len = strlen(value);

	if (!close)
		return false;
	before = (size_t)(open - pattern);
	behind = strlen(close + 1);
	if (len <= before + behind || memcmp(value, pattern, before) != 0 ||
	    strcmp(value + len - behind, close + 1) != 0)
		return false;
	if (memcmp(open, "{any}", 5) != 0)
		memory_put(memory, open + 1, (size_t)(close - open - 1),
		           arena_str_len(&memory->arena, value + before, len - before - behind));
	return true;
}

static bool match_value(struct memory *memory, const char *pattern, const char *value)
{
	struct buf filled = { 0 };
	bool same;

	if (strcmp(pattern, "{any}") == 0 || strcmp(pattern, "{maybe}") == 0)
		return true;
	if (is_unknown(memory, pattern)) {
		memory_put(memory, pattern + 1, strlen(pattern) - 2, value);
		return true;
	}
	memory_fill(memory, pattern, &filled);
	buf_add_char(&filled, '\0');
	same = strcmp(filled.data, value) == 0 || match_around(memory, filled.data, value);
	buf_clear(&filled);
	return same;
}

/* ---- attributes ---- */

static const struct attr *attr_find(const struct element *element, const struct attr *like)
{
	for (const struct attr *attr = element->attrs; attr; attr = attr->next)
		if (strcmp(attr->name, like->name) == 0 && !attr->ns == !like->ns &&
		    (!attr->ns || strcmp(attr->ns, like->ns) == 0))
			return attr;
	return NULL;
}

static bool match_attrs(struct memory *memory, const struct element *expected, const struct element *got)
{
	for (const struct attr *attr = got->attrs; attr; attr = attr->next)
		if (!attr_find(expected, attr))
			return false;
	for (const struct attr *attr = expected->attrs; attr; attr = attr->next) {
		const struct attr *other = attr_find(got, attr);

		if (other ? !match_value(memory, attr->value, other->value)
		          : strcmp(attr->value, "{maybe}") != 0)
			return false;
	}
	return true;
}

/* ---- children ---- */

static bool is_blank(const struct node *node)
{
	return !node->element && strspn(node->text, " \t\r\n") == node->len;
}

static const struct node *skip_blanks(const struct node *node)
{
	while (node && is_blank(node))
		node = node->next;
	return node;
}

/* The text is this placeholder, perhaps between blanks. */
static bool is_mark(const struct node *node, const char *mark)
{
	const char *text = node->element ? "" : node->text + strspn(node->text, " \t\r\n");
	size_t len = strlen(mark);

	return strncmp(text, mark, len) == 0 && text[len + strspn(text + len, " \t\r\n")] == '\0';
}

static bool is_rest(const struct node *node)
{
	return is_mark(node, "{rest}");
}

static bool has_child(struct memory *memory, const struct element *expected, const struct element *got)
{
	for (const struct node *node = got->first; node; node = node->next)
		if (node->element && match(memory, expected, node->element))
			return true;
	return false;
}

/* Behind the mark: each of the elements is somewhere among the children, or none is. */
static bool match_somewhere(struct memory *memory, const struct node *mark, const struct element *got, bool wanted)
{
	for (const struct node *node = mark->next; node; node = node->next)
		if (node->element && has_child(memory, node->element, got) != wanted)
			return false;
	return true;
}

static bool match_children(struct memory *memory, const struct element *expected, const struct element *got)
{
	const struct node *x = skip_blanks(expected->first), *y = skip_blanks(got->first);

	if (x && (is_mark(x, "{some}") || is_mark(x, "{without}")))
		return match_somewhere(memory, x, got, is_mark(x, "{some}"));
	for (; x && y; x = skip_blanks(x->next), y = skip_blanks(y->next)) {
		if (is_rest(x))
			return true;
		if (!x->element != !y->element)
			return false;
		if (x->element ? !match(memory, x->element, y->element)
		               : !match_value(memory, x->text, y->text))
			return false;
	}
	return !y && (!x || is_rest(x));
}

bool match(struct memory *memory, const struct element *expected, const struct element *got)
{
	struct memory_value *before = memory->first;

	if (strcmp(expected->name, got->name) == 0 && strcmp(expected->ns, got->ns) == 0 &&
	    match_attrs(memory, expected, got) && match_children(memory, expected, got))
		return true;
	memory->first = before;
	return false;
}
