/* SPDX-License-Identifier: MIT
 *
 * Private to core: what the main thread does while it waits for others (server.c), and the drain (drain.c).
 */
#ifndef SERVER_INSIDE_H
#define SERVER_INSIDE_H

#include "core/server.h"

void main_nap(long ms);
/* Lets stepped workers, or the caller's store, take a step; false: nothing of the kind, somebody else's
 * thread must. */
bool main_step(struct server *server);

/* All streams are closed in the order in which the one needs the other; at the end nobody waits for anything. */
void server_drain(struct server *server);

#endif
