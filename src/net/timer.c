/* SPDX-License-Identifier: MIT
 *
 * Timers on a worker's wheel. The worker runs what is due in its turn (worker.c).
 */
#include "net/timer.h"

#include "worker_inside.h"

void timer_start(struct worker *worker, struct timer *timer, uint64_t after_ms,
                 void (*expired)(struct worker *worker, struct timer *timer))
{
	list_remove(&timer->link);
	timer->due_ms = worker_now_ms(worker) + after_ms;
	timer->expired = expired;
	wheel_add(worker_wheel(worker), timer);
}

void timer_stop(struct worker *worker, struct timer *timer)
{
	(void)worker;
	list_remove(&timer->link);
}
