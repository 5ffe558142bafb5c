/* SPDX-License-Identifier: MIT
 *
 * An owner of a conn for the tests of net: it remembers all that it is told and does what a test asks of it within its
 * callbacks. Fields that a test reads while threads run are atomic.
 */
#ifndef UNIT_TALKER_H
#define UNIT_TALKER_H

#include <stdatomic.h>

#include "net/conn.h"
#include "world.h"

struct talker {
	struct conn *conn;
	struct buf got;
	atomic_size_t got_len;
	unsigned calls;                 /* of received() */
	unsigned overruns;
	atomic_uint secured;
	atomic_uint arrived;
	atomic_bool closed;
	const char *reason;
	uint64_t position, acked;       /* at closed() */
	bool conn_moves;                /* it must not be touched */
	bool echo;
	bool pause_at_received;
	bool close_at_received;
	struct worker *move_at_received;
	struct worker *move_at_secured;
	struct worker *on;              /* the last worker on which something came */
};

static inline void talker_arrived(struct conn *conn, void *owner)
{
	struct talker *talker = owner;

	talker->on = conn_worker(conn);
	talker->conn_moves = false;
	atomic_fetch_add(&talker->arrived, 1);
}

static inline void talker_depart(struct talker *talker, struct worker *to)
{
	talker->conn_moves = true;
	conn_move(talker->conn, to, talker_arrived);
}

/* A wish is fulfilled once. */
static inline void talker_move(struct talker *talker, struct worker **to)
{
	struct worker *worker = *to;

	*to = NULL;
	if (worker)
		talker_depart(talker, worker);
}

static inline void talker_received(struct conn *conn, void *owner, char *bytes, size_t len)
{
	struct talker *talker = owner;

	talker->on = conn_worker(conn);
	talker->calls++;
	buf_add(&talker->got, bytes, len);
	atomic_store(&talker->got_len, talker->got.len);
	if (talker->echo)
		buf_add(conn_out(conn), bytes, len);
	memset(bytes, '#', len);
	if (talker->pause_at_received)
		conn_pause(conn);
	if (talker->close_at_received)
		conn_close(conn, "enough");
	talker_move(talker, &talker->move_at_received);
}

static inline void talker_secured(struct conn *conn, void *owner)
{
	struct talker *talker = owner;

	talker->on = conn_worker(conn);
	atomic_fetch_add(&talker->secured, 1);
	talker_move(talker, &talker->move_at_secured);
}

static inline void talker_overrun(struct conn *conn, void *owner)
{
	(void)conn;
	((struct talker *)owner)->overruns++;
}

static inline void talker_closed(struct conn *conn, void *owner, const char *reason)
{
	struct talker *talker = owner;

	talker->reason = reason;
	talker->position = conn_position(conn);
	talker->acked = conn_acked(conn);
	talker->conn = NULL;
	atomic_store(&talker->closed, true);
}

static const struct conn_class talker_class = { talker_received, talker_secured, talker_overrun, talker_closed };

/* Of a talker that is all zero. */
static inline void talker_begin(struct talker *talker, struct worker *worker, struct transport *transport, size_t limit)
{
	talker->on = worker;
	talker->conn = conn_new(worker, transport, &talker_class, talker, limit);
}

static inline void talker_init(struct talker *talker, struct worker *worker, struct transport *transport, size_t limit)
{
	*talker = (struct talker){ 0 };
	talker_begin(talker, worker, transport, limit);
}

/* Two talkers, joined by a pipe. */
static inline void talkers_init(struct world *world, struct talker *a, struct talker *b, size_t limit)
{
	size_t last = workers_count(world->workers) - 1;
	struct transport *ends[2];

	transport_pipe(world_worker(world, 0), &ends[0], world_worker(world, last), &ends[1]);
	talker_init(a, world_worker(world, 0), ends[0], limit);
	talker_init(b, world_worker(world, last), ends[1], limit);
}

static inline void talker_say(struct talker *talker, const char *text)
{
	buf_add_str(conn_out(talker->conn), text);
}

/* What came since the last look. */
#define assert_heard(talker, text)                                             \
	do {                                                                   \
		assert_int_equal((talker)->got.len, strlen(text));             \
		assert_memory_equal((talker)->got.data, text, (talker)->got.len); \
		(talker)->got.len = 0;                                         \
		(talker)->got_len = 0;                                         \
	} while (0)

static inline void talker_clear(struct talker *talker)
{
	buf_clear(&talker->got);
}

static inline void talkers_part(struct world *world, struct talker *a, struct talker *b)
{
	if (a->conn)
		conn_abort(a->conn, "the test is over");
	if (b->conn)
		conn_abort(b->conn, "the test is over");
	world_pass(world, 20);
	talker_clear(a);
	talker_clear(b);
}

#endif
