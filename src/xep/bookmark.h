/* SPDX-License-Identifier: MIT
 *
 * One bookmark in its two forms: a <conference/> of XEP-0402, whose item is named by the room, and one of XEP-0048. Pure.
 */
#ifndef XEP_BOOKMARK_H
#define XEP_BOOKMARK_H

#include <stdbool.h>

#include "xmpp/element.h"

/* The prepared address of the room that an element of an old list is about; NULL: it is no bookmark of a room. */
const char *bookmark_room(struct arena *arena, const struct element *old);
/* The new form of an old one, with what only the new form of before (NULL: none) can say. */
struct element *bookmark_renew(struct arena *arena, const struct element *old, const struct element *before);
/* Adds the old form of a new one to a list. */
void bookmark_list(struct arena *arena, struct element *storage, const char *room, const struct element *conference);
/* Do two of the new form say the same to who reads the old one? */
bool bookmark_same(struct arena *arena, const struct element *a, const struct element *b);

#endif
