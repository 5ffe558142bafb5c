/* SPDX-License-Identifier: MIT
 *
 * A conn under TLS: its handshake and the way of its input through decryption. A worker begins only so many handshakes
 * in a turn; the others keep their first bytes and wait in line, so that a crowd that comes at once does not starve
 * those who are in.
 *
 * OpenSSL keeps 32 KiB for a handshake that has begun. A server hands nothing to it before the client's whole hello is
 * there, so that one who sends half of it and waits costs little more than what he has sent.
 */
#include <assert.h>

#include "conn_inside.h"
#include "worker_inside.h"

enum {
	HELLO_MAX = 16384, /* bytes of a hello with its records' headers; usual ones have 500 to 2,000 */
	RECORD_HEAD = 5,   /* RFC 8446 §5.1: type, version, length */
	RECORD_HANDSHAKE = 22,
	MESSAGE_HEAD = 4, /* §4: type, length */
};

void conn_start_tls(struct conn *conn, struct tls *tls, const char *name, const char *alpn)
{
	assert(!conn->tls && !conn->moving_to);
	if (conn->phase != CONN_OPEN)
		return;
	conn->tls = tls_session_new(tls, name, alpn);
	/* What the owner has said so far still goes out in clear. */
	conn->wire = conn->out;
	conn->out = (struct buf){ 0 };
	conn->sealed += conn->wire.len;
	conn->wired += conn->wire.len;
	conn->clear_until = conn->wired;
	timer_start(conn->worker, &conn->deadline, CONN_HANDSHAKE_MS, conn_deadline_passed);
	/* The client speaks first. */
	conn->greeted = conn->unread = name != NULL;
	conn_schedule_input(conn);
	conn_mark_dirty(conn);
	conn_update_reading(conn);
}

bool conn_is_secure(const struct conn *conn)
{
	return conn->secure;
}

void conn_tls(const struct conn *conn, struct conn_tls *out)
{
	assert(conn->tls);
	tls_session_describe(conn->tls, out);
}

size_t conn_binding_exporter(struct conn *conn, uint8_t out[64])
{
	return conn->secure ? tls_session_exporter(conn->tls, out) : 0;
}

size_t conn_binding_end_point(struct conn *conn, uint8_t out[64])
{
	return conn->secure ? tls_session_end_point(conn->tls, out) : 0;
}

/* ---- the client's hello ---- */

/* Whether the first message of a handshake is all there, in however many records. What is none counts as whole:
 * OpenSSL finds out. */
static bool hello_is_whole(const uint8_t *bytes, size_t len)
{
	uint8_t head[MESSAGE_HEAD] = { 0 };
	size_t had = 0;

	while (len >= RECORD_HEAD && bytes[0] == RECORD_HANDSHAKE) {
		size_t record = (size_t)bytes[3] << 8 | bytes[4];

		if (len - RECORD_HEAD < record)
			return false;
		for (size_t i = 0; i < record && had + i < MESSAGE_HEAD; i++)
			head[had + i] = bytes[RECORD_HEAD + i];
		had += record;
		if (had >= MESSAGE_HEAD + ((size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3]))
			return true;
		bytes += RECORD_HEAD + record;
		len -= RECORD_HEAD + record;
	}
	return len >= RECORD_HEAD;
}

/* false: nothing to go on with yet; what has come is kept. */
static bool conn_take_hello(struct conn *conn, const char *bytes, size_t len)
{
	if (conn->rest.len == 0 && hello_is_whole((const uint8_t *)bytes, len)) {
		conn->greeted = true;
		return true;
	}
	buf_add(&conn->rest, bytes, len);
	if (hello_is_whole((const uint8_t *)conn->rest.data, conn->rest.len)) {
		conn->greeted = conn->unread = true;
		conn_schedule_input(conn);
	} else if (conn->rest.len > HELLO_MAX) {
		conn_begin_close(conn, "TLS hello is too large");
	}
	return false;
}

/* ---- input ---- */

/* What OpenSSL wrote on its own account: handshake, alerts, key updates. */
static void conn_count_wire(struct conn *conn, size_t before)
{
	if (conn->wire.len == before)
		return;
	conn->wired += conn->wire.len - before;
	conn_mark_dirty(conn);
}

/* An alert may still go out; nothing can be encrypted any more. */
static void conn_tls_failed(struct conn *conn)
{
	conn->secure = false;
	conn_begin_close(conn, tls_session_error(conn->tls));
}

/* true: the handshake may go on now. */
static bool conn_begin_handshake(struct conn *conn)
{
	struct conn_shared *shared = worker_conns(conn->worker);

	if (conn->shaking)
		return true;
	if (shared->handshakes == 0)
		return false;
	shared->handshakes--;
	conn->shaking = true;
	return true;
}

/* true: complete. */
static bool conn_shake(struct conn *conn)
{
	size_t before = conn->wire.len;
	enum tls_status status = tls_session_shake(conn->tls, &conn->wire);

	conn_count_wire(conn, before);
	if (status == TLS_BROKEN || status == TLS_ENDED)
		conn_tls_failed(conn);
	if (status != TLS_DONE)
		return false;
	timer_stop(conn->worker, &conn->deadline);
	conn->secure = true;
	conn_mark_dirty(conn);
	conn->class->secured(conn, conn->owner);
	return true;
}

static enum tls_status conn_open_records(struct conn *conn)
{
	struct conn_shared *shared = worker_conns(conn->worker);
	size_t before = conn->wire.len, len;
	enum tls_status status;

	status = tls_session_open(conn->tls, shared->plain, sizeof(shared->plain), &len, &conn->wire);
	conn_count_wire(conn, before);
	if (len)
		conn->class->received(conn, conn->owner, shared->plain, len);
	return status;
}

/* Delivers until everything is consumed; true: something was left because it may not be delivered now. */
static bool conn_deliver(struct conn *conn)
{
	enum tls_status status = TLS_DONE;

	while (status == TLS_DONE && conn_may_deliver(conn))
		status = conn_open_records(conn);
	if (status == TLS_ENDED)
		conn_ended(conn, NULL);
	else if (status == TLS_BROKEN)
		conn_tls_failed(conn);
	return status == TLS_DONE;
}

static void conn_keep_input(struct conn *conn)
{
	const char *bytes;
	size_t len = tls_session_left(conn->tls, &bytes);

	if (conn->phase != CONN_OPEN)
		return;
	buf_add(&conn->rest, bytes, len);
	conn->unread = true;
	conn_schedule_input(conn);
}

void conn_decrypt(struct conn *conn, const char *bytes, size_t len)
{
	bool left;

	if (!conn->greeted && !conn_take_hello(conn, bytes, len))
		return;
	tls_session_feed(conn->tls, bytes, len);
	if (conn->secure || !conn_begin_handshake(conn))
		left = true;
	else
		left = conn_shake(conn);
	if (left && conn->secure)
		left = conn_deliver(conn);
	if (left)
		conn_keep_input(conn);
}
