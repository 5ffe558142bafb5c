/* SPDX-License-Identifier: MIT
 *
 * The addresses to which a session has sent directed presence and owes its leave (RFC 6121 §4.6): a sorted list in one
 * session's memory. A session without any has NULL.
 */
#ifndef IM_DIRECTED_H
#define IM_DIRECTED_H

#include <stdbool.h>
#include <stddef.h>

#include "xmpp/jid.h"

struct directed;

/* false: there are limit addresses already. */
bool directed_add(struct directed **directed, const struct jid *to, size_t limit);
void directed_remove(struct directed **directed, const struct jid *to);
/* The address itself, its bare JID, or another address of the same bare JID (the other occupants of a room) is there. */
bool directed_knows(const struct directed *directed, const struct jid *who);

size_t directed_count(const struct directed *directed);
const struct jid *directed_at(const struct directed *directed, size_t number);
void directed_free(struct directed **directed);

#endif
