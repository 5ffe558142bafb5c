/* SPDX-License-Identifier: MIT
 *
 * The names and namespaces that XMPP traffic is made of, as static strings: a tree that uses them copies
 * nothing, and comparing them mostly ends at the pointer. A name that is not known here is as good as any
 * other, it only costs its bytes in the stanza's arena.
 */
#ifndef XMPP_NAME_H
#define XMPP_NAME_H

#include <stddef.h>
#include <stdint.h>

enum { NAME_SLOTS = 1024 };

/* An index over the static strings. Its hash needs no seed: nothing is ever added. */
struct name_index {
	uint16_t slots[NAME_SLOTS];
};

void name_index_init(struct name_index *index);
const char *name_find(const struct name_index *index, const char *text, size_t len);    /* NULL: not known */

#endif
