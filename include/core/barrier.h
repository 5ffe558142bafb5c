/* SPDX-License-Identifier: MIT
 *
 * A ping as a barrier, for streams without XEP-0198: one that is addressed to this server is answered only when all
 * messages and subscription stanzas before it on its stream have been taken, or refused, by those who got them. So a peer
 * that asks for nothing but answers to its pings can know what has arrived (docs/architecture.md, custody). Requests have
 * answers of their own and hold nothing up.
 *
 * A ping that has waited for ten seconds, or that finds too many others waiting, is answered with resource-constraint: its
 * sender lives and knows that we do, but nothing is proven.
 *
 * On the stream's home. A stream that has nothing under way holds no memory for it.
 */
#ifndef CORE_BARRIER_H
#define CORE_BARRIER_H

#include <stdbool.h>

#include "core/server.h"
#include "xmpp/stanza.h"

struct barrier;

/* The ping's turn has come: it goes the way of any stanza. Takes the reference. */
typedef void barrier_passed(void *owner, struct stanza *ping);

/*
 * Each stanza of the stream, before it is sealed and handed on. from: who sent it, whatever it says. true: it is a ping that
 * waits. The caller keeps its reference either way. *barrier is made where it is needed and goes when nothing is under way.
 */
bool barrier_stops(struct barrier **barrier, struct home *home, struct stanza *stanza, const struct jid *from,
                   barrier_passed *passed, void *owner);
/* The stream has gone; NULL is fine. */
void barrier_clear(struct barrier **barrier);

#endif
