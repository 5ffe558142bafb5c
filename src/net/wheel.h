/* SPDX-License-Identifier: MIT
 *
 * The wheel that holds a worker's timers: ticks of 10 ms, four levels of 64 slots. A timer far away lies in a coarse
 * slot and is laid down again, finer, when that slot's time comes. The wheel knows its next tick with anything to do,
 * so an idle worker sleeps until then. It knows no clock and calls nobody.
 */
#ifndef NET_WHEEL_H
#define NET_WHEEL_H

#include <stdint.h>

#include "base/list.h"
#include "net/timer.h"

enum { WHEEL_TICK_MS = 10, WHEEL_BITS = 6, WHEEL_SLOTS = 1 << WHEEL_BITS, WHEEL_LEVELS = 4 };

struct wheel {
	uint64_t tick;                          /* everything up to it is due or has been */
	uint64_t used[WHEEL_LEVELS];            /* a bit for each slot that may hold timers */
	struct list slots[WHEEL_LEVELS][WHEEL_SLOTS];
	struct list due;
};

void wheel_init(struct wheel *wheel, uint64_t now_ms);
/* timer->due_ms is set. */
void wheel_add(struct wheel *wheel, struct timer *timer);
/* Moves what is due at now_ms to the list due, in the order of its ticks. */
void wheel_advance(struct wheel *wheel, uint64_t now_ms);
/* When wheel_advance will next have something to do; UINT64_MAX: never. */
uint64_t wheel_next_ms(struct wheel *wheel);

#endif
