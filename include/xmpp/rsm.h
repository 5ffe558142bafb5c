/* SPDX-License-Identifier: MIT
 *
 * Result set management (XEP-0059): the page that a request asks for, and what an answer says about the page that it
 * carries. What identifies an item is the asked part's own.
 */
#ifndef XMPP_RSM_H
#define XMPP_RSM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xmpp/element.h"

struct rsm {
	bool asked;             /* there was a <set/> */
	bool limited;           /* with a max */
	size_t max;
	const char *after;      /* page forwards from behind this item; NULL */
	const char *before;     /* page backwards from in front of this item; "": the last page; NULL */
	bool indexed;           /* from the item at this place, §2.6 */
	size_t index;
};

/* Reads the <set/> among parent's children; texts lie in the arena or the tree. false: it makes no sense (bad-request). */
bool rsm_read(struct arena *arena, const struct element *parent, struct rsm *out);

/* What an answer says; first and last NULL: the page is empty. */
struct rsm_page {
	const char *first, *last;
	bool counted;           /* index and count are known */
	size_t index;           /* of the first in the whole */
	size_t count;           /* of the whole */
};
struct element *rsm_add(struct arena *arena, struct element *parent, const struct rsm_page *page);

#endif
