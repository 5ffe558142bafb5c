/* SPDX-License-Identifier: MIT
 *
 * XML elements as a tree in an arena. A tree is built by the parser or by hand, and const once its stanza is
 * routed. Text is UTF-8 of legal XML characters, NUL behind it. Names and namespaces are borrowed by the
 * functions that build (literals, or strings in the same arena); values and text are copied. No recursion:
 * trees are as deep as the limits allow.
 */
#ifndef XMPP_ELEMENT_H
#define XMPP_ELEMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

struct attr {
	struct attr *next;
	const char *name;
	const char *ns;         /* NULL: in no namespace */
	const char *value;
};

/* A child: an element, or text when element is NULL. */
struct node {
	struct node *next;
	struct element *element;
	const char *text;
	size_t len;
};

struct element {
	const char *name;
	const char *ns;         /* "" : in no namespace; never NULL */
	struct attr *attrs;     /* in the order of the document; xmlns declarations are not among them */
	struct node *first, *last;
	struct element *parent; /* NULL: the root of this tree */
	struct node *place;     /* the node that holds it in its parent; NULL: the root */
};

/* Reading. NULL: absent. */
bool element_is(const struct element *element, const char *name, const char *ns);
const char *element_attr(const struct element *element, const char *name);              /* in no namespace */
const char *element_attr_ns(const struct element *element, const char *name, const char *ns);
struct element *element_child(const struct element *element, const char *name, const char *ns);
struct element *element_child_ns(const struct element *element, const char *ns);  /* first of any name */
struct element *element_first(const struct element *element);                    /* first child element */
/* Slow for long lists. */
struct element *element_next(const struct element *parent, const struct element *child);
/* Walks: for (n = element->first; n; n = n->next) if (n->element) ... is the fast way. */

/* All text directly below, joined; "" where there is none. Copies only when there are several pieces. */
const char *element_text(struct arena *arena, const struct element *element);
const char *element_child_text(struct arena *arena, const struct element *element, const char *name,
                               const char *ns);

/* Building. */
struct element *element_new(struct arena *arena, const char *name, const char *ns);
struct element *element_add(struct arena *arena, struct element *parent, const char *name, const char *ns);
/* Both answer element. */
struct element *element_add_text(struct arena *arena, struct element *element, const char *text);
struct element *element_add_text_len(struct arena *arena, struct element *element, const char *text,
                                     size_t len);
/* Sets an attribute in no namespace, or in ns; NULL removes it. */
void element_set(struct arena *arena, struct element *element, const char *name, const char *value);
void element_set_ns(struct arena *arena, struct element *element, const char *name, const char *ns,
                    const char *value);
/* A deep copy into another arena, as the last child of parent (NULL: as a root). */
struct element *element_copy(struct arena *arena, struct element *parent, const struct element *from);
/* Takes a child out of its parent (before the tree is const). */
void element_remove(struct element *parent, struct element *child);

#endif
