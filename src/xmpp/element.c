/* SPDX-License-Identifier: MIT
 *
 * Trees of elements: reading, building, copying. Every walk is a loop along first, next and parent.
 */
#include "xmpp/element.h"

#include <assert.h>
#include <string.h>

/* Most names that differ do so in their first character. */
static bool text_same(const char *a, const char *b)
{
	return a == b || (*a == *b && strcmp(a, b) == 0);
}

bool element_is(const struct element *element, const char *name, const char *ns)
{
	return element && text_same(element->name, name) && text_same(element->ns, ns);
}

const char *element_attr(const struct element *element, const char *name)
{
	for (const struct attr *attr = element->attrs; attr; attr = attr->next)
		if (!attr->ns && text_same(attr->name, name))
			return attr->value;
	return NULL;
}

const char *element_attr_ns(const struct element *element, const char *name, const char *ns)
{
	for (const struct attr *attr = element->attrs; attr; attr = attr->next)
		if (attr->ns && text_same(attr->name, name) && text_same(attr->ns, ns))
			return attr->value;
	return NULL;
}

struct element *element_child(const struct element *element, const char *name, const char *ns)
{
	for (const struct node *node = element->first; node; node = node->next)
		if (element_is(node->element, name, ns))
			return node->element;
	return NULL;
}

struct element *element_child_ns(const struct element *element, const char *ns)
{
	for (const struct node *node = element->first; node; node = node->next)
		if (node->element && text_same(node->element->ns, ns))
			return node->element;
	return NULL;
}

static struct element *node_element(const struct node *node)
{
	while (node && !node->element)
		node = node->next;
	return node ? node->element : NULL;
}

struct element *element_first(const struct element *element)
{
	return node_element(element->first);
}

struct element *element_next(const struct element *parent, const struct element *child)
{
	const struct node *node = parent->first;

	while (node && node->element != child)
		node = node->next;
	return node ? node_element(node->next) : NULL;
}

const char *element_text(struct arena *arena, const struct element *element)
{
	const struct node *node, *piece = NULL;
	size_t len = 0, pieces = 0;
	char *text;

	for (node = element->first; node; node = node->next) {
		if (node->element)
			continue;
		len += node->len;
		piece = node;
		pieces++;
	}
	if (pieces <= 1)
		return pieces ? piece->text : "";
	text = arena_alloc(arena, len + 1);
	text[len] = '\0';
	len = 0;
	for (node = element->first; node; node = node->next) {
		if (node->element)
			continue;
		memcpy(text + len, node->text, node->len);
		len += node->len;
	}
	return text;
}

const char *element_child_text(struct arena *arena, const struct element *element, const char *name,
                               const char *ns)
{
	const struct element *child = element_child(element, name, ns);

	return child ? element_text(arena, child) : NULL;
}

static void element_append(struct element *parent, struct node *node)
{
	if (parent->last)
		parent->last->next = node;
	else
		parent->first = node;
	parent->last = node;
}

/* An element and the node by which it hangs in its parent are one piece of memory. */
struct branch {
	struct element element;
	struct node node;
};

struct element *element_new(struct arena *arena, const char *name, const char *ns)
{
	struct element *element = arena_zalloc(arena, sizeof(*element));

	element->name = name;
	element->ns = ns;
	return element;
}

struct element *element_add(struct arena *arena, struct element *parent, const char *name, const char *ns)
{
	struct branch *branch = arena_alloc(arena, sizeof(*branch));

	branch->element =
		(struct element){ .name = name, .ns = ns, .parent = parent, .place = &branch->node };
	branch->node = (struct node){ .element = &branch->element };
	element_append(parent, &branch->node);
	return &branch->element;
}

struct element *element_add_text_len(struct arena *arena, struct element *element, const char *text,
                                     size_t len)
{
	struct node *node;

	if (len == 0)
		return element;
	node = arena_alloc(arena, sizeof(*node));
	*node = (struct node){ .text = arena_str_len(arena, text, len), .len = len };
	element_append(element, node);
	return element;
}

struct element *element_add_text(struct arena *arena, struct element *element, const char *text)
{
	return element_add_text_len(arena, element, text, strlen(text));
}

static bool attr_is(const struct attr *attr, const char *name, const char *ns)
{
	if (!attr->ns || !ns)
		return attr->ns == ns && text_same(attr->name, name);
	return text_same(attr->name, name) && text_same(attr->ns, ns);
}

void element_set(struct arena *arena, struct element *element, const char *name, const char *value)
{
	element_set_ns(arena, element, name, NULL, value);
}

void element_set_ns(struct arena *arena, struct element *element, const char *name, const char *ns,
                    const char *value)
{
	struct attr **link = &element->attrs;

	while (*link && !attr_is(*link, name, ns))
		link = &(*link)->next;
	if (!value) {
		if (*link)
			*link = (*link)->next;
		return;
	}
	if (!*link) {
		*link = arena_alloc(arena, sizeof(**link));
		**link = (struct attr){ .name = name, .ns = ns };
	}
	(*link)->value = arena_str(arena, value);
}

static void element_copy_attrs(struct arena *arena, struct element *to, const struct element *from)
{
	struct attr **link = &to->attrs;

	for (const struct attr *attr = from->attrs; attr; attr = attr->next) {
		*link = arena_alloc(arena, sizeof(**link));
		**link = (struct attr){ .name = arena_str(arena, attr->name),
			                .ns = attr->ns ? arena_str(arena, attr->ns) : NULL,
			                .value = arena_str(arena, attr->value) };
		link = &(*link)->next;
	}
}

/* One element without its children. A namespace that the copy's parent has already is shared with it. */
static struct element *element_copy_one(struct arena *arena, struct element *parent,
                                        const struct element *from)
{
	const char *ns = parent && text_same(parent->ns, from->ns) ? parent->ns : arena_str(arena, from->ns);
	const char *name = arena_str(arena, from->name);
	struct element *to = parent ? element_add(arena, parent, name, ns) : element_new(arena, name, ns);

	element_copy_attrs(arena, to, from);
	return to;
}

struct element *element_copy(struct arena *arena, struct element *parent, const struct element *from)
{
	struct element *top = element_copy_one(arena, parent, from);
	struct element *to = top;
	const struct element *at = from;
	const struct node *node = from->first;

	for (;;) {
		while (node && !node->element) {
			element_add_text_len(arena, to, node->text, node->len);
			node = node->next;
		}
		if (node) {
			at = node->element;
			to = element_copy_one(arena, to, at);
			node = at->first;
		} else if (at == from) {
			return top;
		} else {
			node = at->place->next;
			at = at->parent;
			to = to->parent;
		}
	}
}

void element_remove(struct element *parent, struct element *child)
{
	struct node *before = NULL;

	for (struct node *node = parent->first; node; before = node, node = node->next) {
		if (node->element != child)
			continue;
		if (before)
			before->next = node->next;
		else
			parent->first = node->next;
		if (parent->last == node)
			parent->last = before;
		child->parent = NULL;
		child->place = NULL;
		return;
	}
	assert(!"the element is a child of this parent");
}
