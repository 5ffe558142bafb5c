/* SPDX-License-Identifier: MIT
 *
 * A conn's way to another worker. At the end of the turn it leaves the loop and all lists of its worker and travels as a
 * mail, with its TLS object, its unsent bytes and the bytes that were received but not delivered. No byte is read in
 * between: those still in the kernel wait there.
 */
#include <assert.h>

#include "conn_inside.h"
#include "worker_inside.h"

void conn_move(struct conn *conn, struct worker *to, void (*arrived)(struct conn *conn, void *owner))
{
	assert(!conn->moving_to);
	conn->moving_to = to;
	conn->arrived = arrived;
	conn_update_reading(conn);
	/* Dead already: it stays, and closed() is what comes. */
	if (!list_is_linked(&conn->fate))
		list_add_last(&worker_conns(conn->worker)->moving, &conn->fate);
}

static bool conn_suspend_timer(struct conn *conn, struct timer *timer)
{
	bool running = timer_is_running(timer);

	timer_stop(conn->worker, timer);
	return running;
}

static void conn_resume_timer(struct conn *conn, struct timer *timer)
{
	uint64_t now = worker_now_ms(conn->worker);

	timer_start(conn->worker, timer, timer->due_ms > now ? timer->due_ms - now : 0, timer->expired);
}

static void conn_arrive(struct worker *worker, struct mail *mail)
{
	struct conn *conn = LIST_MEMBER(mail, struct conn, mail);

	conn->worker = worker;
	conn->moving_to = NULL;
	conn->transport->ops->attach(conn->transport, worker);
	if (conn->has_deadline)
		conn_resume_timer(conn, &conn->deadline);
	if (conn->has_throttle)
		conn_resume_timer(conn, &conn->throttle);
	conn->blocked = false;
	if (conn->phase == CONN_DEAD)
		list_add_last(&worker_conns(worker)->dead, &conn->fate);
	conn_mark_dirty(conn);
	conn_schedule_input(conn);
	conn->arrived(conn, conn->owner);
	conn_update_reading(conn);
}

void conn_depart(struct conn *conn)
{
	conn->has_deadline = conn_suspend_timer(conn, &conn->deadline);
	conn->has_throttle = conn_suspend_timer(conn, &conn->throttle);
	list_remove(&conn->ready);
	list_remove(&conn->dirty);
	conn->transport->ops->detach(conn->transport);
	conn->mail.arrive = conn_arrive;
	worker_post(conn->worker, conn->moving_to, &conn->mail);
}
