/* SPDX-License-Identifier: MIT
 *
 * Our own pings to another server (XEP-0199), written past all queues to a stream of ours: of a trial, which wants to know
 * whether the peer finds the way back, and of a link, to which an answer proves that all before it has arrived. The answer comes
 * on a stream of the peer's own. It counts whether it is a result or an error, but only on a stream on which that domain has
 * proven itself, and with the id, which nobody else knows.
 */
#ifndef S2S_PING_H
#define S2S_PING_H

#include <stdbool.h>

#include "base/id.h"
#include "core/server.h"
#include "xmpp/stanza.h"

#define PING_ID "ping-" /* where the ids begin */

struct ping_id {
	char text[sizeof(PING_ID) + ID_LEN]; /* "": none is out */
};

/* From our domain to theirs; makes the id. */
void ping_write(struct home *home, struct buf *out, const char *local, const char *remote, struct ping_id *id);

/* A stanza of a verified pair is such an answer: whoever waits for it hears of it, on the pair's home. */
bool ping_is_answered(struct home *home, const struct stanza *stanza);

#endif
