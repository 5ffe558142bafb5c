/* SPDX-License-Identifier: MIT
 *
 * The one door to libevent: raw events on a worker's event base. Only files of net that watch a descriptor include it
 * (the worker itself, socket transports, listeners, the resolver); whoever wants to wait for time uses net/timer.h.
 */
#ifndef NET_EVENT_DOOR_H
#define NET_EVENT_DOOR_H

#include <event2/event.h>
#include <event2/event_struct.h>

#include "net/worker.h"

/* The base is without locks: it is touched on the worker's thread only. Events lie inside their owner (event_assign). */
struct event_base *worker_events(struct worker *worker);

/* The first line of every event callback: a scheduler that steps the workers must know that something happened. */
void worker_stirred(struct worker *worker);

#endif
