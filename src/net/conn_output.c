/* SPDX-License-Identifier: MIT
 *
 * The output of a conn: flushed at the end of a turn, encrypted in records of at most 16 KiB, with one write for what
 * has gathered. A write that comes back short blocks the conn until its transport takes more.
 *
 * What the peer has acknowledged is known in bytes of the wire. A few marks translate them into the owner's bytes: each
 * says "up to here lies within up to there". Between two marks the lower counts, so the answer is never too high.
 */
#include <string.h>

#include "conn_inside.h"
#include "worker_inside.h"

enum {
	CONN_SEAL_SIZE = 65536,   /* encrypted ahead of one write */
	CONN_RECORD_SIZE = 16384, /* RFC 8446 §5.1 */
};

void conn_mark_dirty(struct conn *conn)
{
	if (!list_is_linked(&conn->dirty) && conn->phase != CONN_DEAD)
		list_add_last(&worker_conns(conn->worker)->dirty, &conn->dirty);
}

struct buf *conn_out(struct conn *conn)
{
	if (!conn->out.data)
		conn_shared_lend(worker_conns(conn->worker), &conn->out);
	conn_mark_dirty(conn);
	return &conn->out;
}

size_t conn_unsent(const struct conn *conn)
{
	return conn->out.len + conn->wire.len;
}

/* ---- positions ---- */

uint64_t conn_position(const struct conn *conn)
{
	return conn->sealed + conn->out.len + conn->sunk;
}

/* Full: every second mark goes, so that those kept lie spread over all that is under way. */
static void conn_add_mark(struct conn *conn)
{
	if (conn->mark_count == CONN_MARKS) {
		for (unsigned i = 0; i < CONN_MARKS / 2; i++)
			conn->marks[i] = conn->marks[2 * i + 1];
		conn->mark_count = CONN_MARKS / 2;
	}
	conn->marks[conn->mark_count++] = (struct conn_mark){ .plain = conn->sealed, .wire = conn->wired };
}

uint64_t conn_acked(struct conn *conn)
{
	uint64_t wire = conn->taken - conn->transport->ops->unacked(conn->transport);
	unsigned passed = 0;

	if (wire > conn->taken) /* a FIN counts as a byte */
		wire = 0;
	if (conn->acked < wire && conn->acked < conn->clear_until)
		conn->acked = wire < conn->clear_until ? wire : conn->clear_until;
	while (passed < conn->mark_count && conn->marks[passed].wire <= wire)
		conn->acked = conn->marks[passed++].plain;
	conn->mark_count = (uint8_t)(conn->mark_count - passed);
	memmove(conn->marks, conn->marks + passed, conn->mark_count * sizeof(*conn->marks));
	return conn->acked;
}

/* ---- flushing ---- */

/* Drops what was written after a close. */
static void conn_drop_late_words(struct conn *conn)
{
	if (conn->phase == CONN_OPEN || conn->out.len == conn->last_words)
		return;
	conn->sunk += conn->out.len - conn->last_words;
	conn->out.len = conn->last_words;
}

/* The owner's bytes that leave out. */
static void conn_leave_out(struct conn *conn, size_t len)
{
	buf_consume(&conn->out, len);
	conn->sealed += len;
	if (conn->phase != CONN_OPEN)
		conn->last_words -= len;
}

/* Writes bytes that are in wire form; answers how many were taken. */
static size_t conn_write(struct conn *conn, const char *bytes, size_t len)
{
	ssize_t taken = conn->transport->ops->write(conn->transport, bytes, len);

	if (taken < 0) {
		conn_die(conn, "connection broken");
		return 0;
	}
	conn->taken += (uint64_t)taken;
	conn->blocked = (size_t)taken < len;
	return (size_t)taken;
}

static void conn_flush_clear(struct conn *conn)
{
	size_t taken;

	if (conn->out.len == 0)
		return;
	taken = conn_write(conn, conn->out.data, conn->out.len);
	conn->wired += taken;
	conn_leave_out(conn, taken);
}

static void conn_seal(struct conn *conn, struct buf *sealed)
{
	size_t len = conn->out.len < CONN_SEAL_SIZE ? conn->out.len : CONN_SEAL_SIZE;
	size_t done = 0, before = sealed->len;

	for (size_t part; done < len; done += part) {
		part = len - done < CONN_RECORD_SIZE ? len - done : CONN_RECORD_SIZE;
		if (!tls_session_seal(conn->tls, conn->out.data + done, part, sealed)) {
			conn_die(conn, tls_session_error(conn->tls));
			break;
		}
	}
	conn->wired += sealed->len - before;
	conn_leave_out(conn, done);
	if (done)
		conn_add_mark(conn);
}

/* Writes what waits in wire form together with a chunk of what the owner has written since. */
static void conn_flush_sealed(struct conn *conn)
{
	struct conn_shared *shared = worker_conns(conn->worker);
	struct buf *sealed = conn->wire.len ? &conn->wire : &shared->sealed;
	size_t taken;

	if (conn->secure && conn->wire.len < CONN_SEAL_SIZE)
		conn_seal(conn, sealed);
	if (sealed->len == 0)
		return;
	taken = conn_write(conn, sealed->data, sealed->len);
	if (sealed == &conn->wire)
		buf_consume(&conn->wire, taken);
	else
		buf_add(&conn->wire, sealed->data + taken, sealed->len - taken);
	shared->sealed.len = 0;
}

static bool conn_has_sendable(const struct conn *conn)
{
	return conn->wire.len || (conn->out.len && (conn->secure || !conn->tls));
}

/* All last words are out: close_notify, then FIN. */
static void conn_say_goodbye(struct conn *conn)
{
	size_t before = conn->wire.len;

	if (conn->secure && !conn->goodbye) {
		conn->goodbye = true;
		tls_session_goodbye(conn->tls, &conn->wire);
		conn->wired += conn->wire.len - before;
		conn_flush_sealed(conn);
	}
	if (conn->phase != CONN_CLOSING || conn->wire.len)
		return;
	conn->transport->ops->finish(conn->transport);
	conn->phase = CONN_LINGERING;
	if (conn->peer_done)
		conn_die(conn, NULL);
	else
		timer_start(conn->worker, &conn->deadline, CONN_LINGER_MS, conn_deadline_passed);
}

static void conn_give_back_buffers(struct conn *conn)
{
	if (conn->out.len == 0 && conn->out.data)
		conn_shared_take_back(worker_conns(conn->worker), &conn->out);
	if (conn->wire.len == 0)
		buf_clear(&conn->wire);
}

void conn_flush(struct conn *conn)
{
	conn_drop_late_words(conn);
	while (conn->phase <= CONN_CLOSING && !conn->blocked && conn_has_sendable(conn)) {
		if (conn->tls)
			conn_flush_sealed(conn);
		else
			conn_flush_clear(conn);
	}
	if (conn->phase == CONN_CLOSING && !conn->blocked)
		conn_say_goodbye(conn);
	conn_give_back_buffers(conn);
	if (conn->phase == CONN_OPEN && conn->limit && conn_unsent(conn) > conn->limit && !conn->overran) {
		conn->overran = true;
		conn->class->overrun(conn, conn->owner);
	}
}
