/* SPDX-License-Identifier: MIT
 *
 * Timers of a worker: a wheel, so that starting and stopping cost the same for ten and for a hundred thousand. They fire
 * within 20 ms after they are due, on their worker, never early. A timer lies inside its owner; all zero is a timer
 * that is not running.
 */
#ifndef NET_TIMER_H
#define NET_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "net/worker.h"

struct timer {
	struct list_link link;
	uint64_t due_ms;
	void (*expired)(struct worker *worker, struct timer *timer);
};

/* Starts, or starts anew. */
void timer_start(struct worker *worker, struct timer *timer, uint64_t after_ms,
                 void (*expired)(struct worker *worker, struct timer *timer));
void timer_stop(struct worker *worker, struct timer *timer);

static inline bool timer_is_running(const struct timer *timer)
{
	return list_is_linked(&timer->link);
}

#endif
