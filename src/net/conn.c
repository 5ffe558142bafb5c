/* SPDX-License-Identifier: MIT
 *
 * The life of a conn and its input. A conn is open until its owner closes it, its peer finishes or its transport breaks;
 * then it flushes (closing), waits for the peer's end (lingering) and dies. The dead are buried at the end of the turn:
 * closed() is called there and nowhere else, so nothing on any stack refers to a conn that is freed.
 */
#include "net/conn.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "conn_inside.h"
#include "worker_inside.h"

struct conn *conn_new(struct worker *worker, struct transport *transport, const struct conn_class *class,
                      void *owner, size_t limit)
{
	struct conn *conn = mem_zalloc(sizeof(*conn));

	conn->worker = worker;
	conn->transport = transport;
	conn->class = class;
	conn->owner = owner;
	conn->limit = limit;
	conn->clear_until = UINT64_MAX;
	transport->conn = conn;
	conn_update_reading(conn);
	return conn;
}

void conn_set_owner(struct conn *conn, const struct conn_class *class, void *owner)
{
	conn->class = class;
	conn->owner = owner;
}

void conn_set_limit(struct conn *conn, size_t limit)
{
	conn->limit = limit;
}

struct worker *conn_worker(const struct conn *conn)
{
	return conn->worker;
}

void conn_address(const struct conn *conn, struct address *peer, struct address *own)
{
	conn->transport->ops->address(conn->transport, peer, own);
}

/* ---- reading ---- */

bool conn_may_deliver(const struct conn *conn)
{
	return conn->phase == CONN_OPEN && !conn->paused && !conn->moving_to;
}

/* While it closes it reads and throws away, so that the peer's unread bytes do not turn our FIN into a reset. */
static bool conn_wants_input(const struct conn *conn)
{
	if (conn->phase == CONN_DEAD || conn->peer_done || conn->moving_to || conn->throttled)
		return false;
	return conn->phase != CONN_OPEN || (!conn->paused && !conn->unread);
}

void conn_update_reading(struct conn *conn)
{
	bool wants = conn_wants_input(conn);

	if (wants == conn->reading)
		return;
	conn->reading = wants;
	if (wants)
		conn->transport->ops->read_start(conn->transport);
	else
		conn->transport->ops->read_stop(conn->transport);
}

void conn_pause(struct conn *conn)
{
	conn->paused = true;
	conn_update_reading(conn);
}

void conn_resume(struct conn *conn)
{
	conn->paused = false;
	conn_schedule_input(conn);
	conn_update_reading(conn);
}

void conn_schedule_input(struct conn *conn)
{
	if (conn->unread && conn_may_deliver(conn) && !list_is_linked(&conn->ready))
		list_add_last(&worker_conns(conn->worker)->ready, &conn->ready);
}

void conn_go_on(struct conn *conn)
{
	struct buf rest = conn->rest;

	if (!conn_may_deliver(conn))
		return;
	conn->rest = (struct buf){ 0 };
	conn->unread = false;
	conn_decrypt(conn, rest.data, rest.len);
	buf_clear(&rest);
	conn_update_reading(conn);
}

/* ---- the rate ---- */

static void conn_lift_throttle(struct conn *conn)
{
	conn->throttled = false;
	conn_update_reading(conn);
}

static void conn_throttle_passed(struct worker *worker, struct timer *timer)
{
	(void)worker;
	conn_lift_throttle(LIST_MEMBER(timer, struct conn, throttle));
}

/* A pause that the old rate has caused ends; what was read counts on. */
void conn_set_rate(struct conn *conn, uint32_t bytes_per_second, uint32_t burst)
{
	conn->rate_per_second = bytes_per_second;
	conn->rate_burst = burst;
	timer_stop(conn->worker, &conn->throttle);
	conn_lift_throttle(conn);
}

static void conn_count_input(struct conn *conn, size_t len)
{
	uint64_t wait, now = worker_now_ms(conn->worker);

	rate_charge(&conn->rate, now, (uint32_t)len, conn->rate_per_second);
	wait = rate_wait_ms(&conn->rate, now, 1, conn->rate_per_second, conn->rate_burst);
	if (wait == 0)
		return;
	conn->throttled = true;
	timer_start(conn->worker, &conn->throttle, wait, conn_throttle_passed);
}

/* ---- what the transport says ---- */

void conn_input(struct conn *conn, char *bytes, size_t len)
{
	if (conn->rate_per_second)
		conn_count_input(conn, len);
	if (conn->phase == CONN_OPEN && conn->tls)
		conn_decrypt(conn, bytes, len);
	else if (conn->phase == CONN_OPEN)
		conn->class->received(conn, conn->owner, bytes, len);
	conn_update_reading(conn);
}

void conn_writable(struct conn *conn)
{
	conn->blocked = false;
	conn_mark_dirty(conn);
}

void conn_ended(struct conn *conn, const char *reason)
{
	if (reason || conn->phase == CONN_LINGERING) {
		conn_die(conn, reason);
		return;
	}
	conn->peer_done = true;
	conn_begin_close(conn, NULL);
	conn_update_reading(conn);
}

/* ---- closing ---- */

void conn_deadline_passed(struct worker *worker, struct timer *timer)
{
	struct conn *conn = LIST_MEMBER(timer, struct conn, deadline);

	(void)worker;
	conn_die(conn, "TLS handshake timed out");
}

/* Whoever comes first gives the reason. What the owner writes from here on goes nowhere. */
void conn_begin_close(struct conn *conn, const char *reason)
{
	if (conn->phase != CONN_OPEN)
		return;
	conn->phase = CONN_CLOSING;
	conn->reason = reason;
	conn->last_words = conn->tls && !conn->secure ? 0 : conn->out.len;
	conn->unread = false;
	buf_clear(&conn->rest);
	timer_start(conn->worker, &conn->deadline, CONN_CLOSE_MS, conn_deadline_passed);
	conn_mark_dirty(conn);
	conn_update_reading(conn);
}

void conn_close(struct conn *conn, const char *reason)
{
	assert(!conn->moving_to);
	conn_begin_close(conn, reason);
}

void conn_abort(struct conn *conn, const char *reason)
{
	assert(!conn->moving_to);
	conn_die(conn, reason);
}

void conn_die(struct conn *conn, const char *reason)
{
	if (conn->phase == CONN_DEAD)
		return;
	if (conn->phase == CONN_OPEN)
		conn->reason = reason;
	conn->phase = CONN_DEAD;
	timer_stop(conn->worker, &conn->deadline);
	timer_stop(conn->worker, &conn->throttle);
	conn_update_reading(conn);
	if (!conn->moving_to)
		list_add_last(&worker_conns(conn->worker)->dead, &conn->fate);
}

void conn_bury(struct conn *conn)
{
	conn->class->closed(conn, conn->owner, conn->reason);
	conn_free(conn);
}

void conn_free(struct conn *conn)
{
	list_remove(&conn->ready);
	list_remove(&conn->dirty);
	conn->transport->ops->free(conn->transport);
	tls_session_free(&conn->tls);
	buf_clear(&conn->rest);
	buf_clear(&conn->out);
	buf_clear(&conn->wire);
	free(conn);
}
