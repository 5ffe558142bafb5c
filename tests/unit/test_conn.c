/* SPDX-License-Identifier: MIT
 *
 * Conns in clear, over pipes and over sockets of the loopback: bytes both ways, pausing, limits, rates, each way to
 * close, what is acknowledged, moving to another worker.
 */
#include "net/conn.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "talker.h"

static void talk_both_ways(void **state)
{
	struct world *world = world_new(2, true);
	struct talker a, b;

	(void)state;
	talkers_init(world, &a, &b, 0);
	talker_say(&a, "hello");
	talker_say(&a, " there");
	assert_int_equal(conn_position(a.conn), 11);
	assert_int_equal(conn_unsent(a.conn), 11);
	world_settle(world);
	assert_heard(&b, "hello there");
	assert_int_equal(b.calls, 1);
	assert_int_equal(conn_unsent(a.conn), 0);
	talker_say(&b, "hi");
	world_settle(world);
	assert_heard(&a, "hi");
	assert_false(conn_is_secure(a.conn));
	talkers_part(world, &a, &b);
	world_free(world);
}

static void pause_pushes_back(void **state)
{
	struct world *world = world_new(1, true);
	struct talker a, b;

	(void)state;
	talkers_init(world, &a, &b, 0);
	b.pause_at_received = true;
	talker_say(&a, "one");
	world_settle(world);
	talker_say(&a, "two");
	world_settle(world);
	assert_heard(&b, "one");
	assert_int_equal(conn_acked(a.conn), 3);
	assert_int_equal(conn_position(a.conn), 6);
	b.pause_at_received = false;
	conn_resume(b.conn);
	assert_int_equal(b.got.len, 0);
	world_settle(world);
	assert_heard(&b, "two");
	assert_int_equal(conn_acked(a.conn), 6);
	talkers_part(world, &a, &b);
	world_free(world);
}

static void overrun_is_told_once(void **state)
{
	struct world *world = world_new(1, true);
	struct talker a, b;
	char block[1000] = { 0 };

	(void)state;
	talkers_init(world, &a, &b, 100000);
	conn_pause(b.conn);
	/* 64 KiB fit into the pipe, then 100,000 bytes into the limit. */
	for (int i = 0; i < 165; i++) {
		buf_add(conn_out(a.conn), block, sizeof(block));
		world_settle(world);
	}
	assert_int_equal(a.overruns, 0);
	for (int i = 0; i < 10; i++) {
		buf_add(conn_out(a.conn), block, sizeof(block));
		world_settle(world);
	}
	assert_int_equal(a.overruns, 1);
	assert_int_equal(conn_unsent(a.conn), 175000 - 65536);
	conn_resume(b.conn);
	world_settle(world);
	assert_int_equal(b.got.len, 175000);
	assert_int_equal(conn_acked(a.conn), 175000);
	talkers_part(world, &a, &b);
	world_free(world);
}

static void a_rate_slows_reading(void **state)
{
	struct world *world = world_new(1, true);
	struct talker a, b;
	char block[10000] = { 0 };

	(void)state;
	talkers_init(world, &a, &b, 0);
	conn_set_rate(b.conn, 1000, 5000);
	buf_add(conn_out(a.conn), block, 4000);
	world_settle(world);
	buf_add(conn_out(a.conn), block, 4000);
	world_settle(world);
	assert_int_equal(b.got.len, 8000);
	buf_add(conn_out(a.conn), block, 1000);
	/* 3,000 bytes over the burst are three seconds. */
	world_pass(world, 2900);
	assert_int_equal(b.got.len, 8000);
	world_pass(world, 200);
	assert_int_equal(b.got.len, 9000);
	talkers_part(world, &a, &b);
	world_free(world);
}

/* ---- closing ---- */

static void close_flushes_what_was_said_before(void **state)
{
	struct world *world = world_new(2, true);
	struct talker a, b;

	(void)state;
	talkers_init(world, &a, &b, 0);
	talker_say(&a, "last words");
	conn_close(a.conn, "time to go");
	talker_say(&a, " unheard");
	assert_int_equal(conn_position(a.conn), 18);
	assert_false(a.closed);
	world_settle(world);
	assert_heard(&b, "last words");
	assert_true(a.closed && b.closed);
	assert_string_equal(a.reason, "time to go");
	assert_null(b.reason);
	assert_int_equal(a.position, 18);
	assert_int_equal(a.acked, 10);
	talkers_part(world, &a, &b);
	world_free(world);
}

static void closed_never_comes_within_a_call(void **state)
{
	struct world *world = world_new(1, true);
	struct talker a, b;

	(void)state;
	talkers_init(world, &a, &b, 0);
	talker_say(&a, "lost");
	conn_abort(a.conn, "first");
	conn_abort(a.conn, "second");
	conn_close(a.conn, "third");
	talker_say(&a, "lost too");
	assert_false(a.closed);
	world_settle(world);
	assert_true(a.closed);
	assert_string_equal(a.reason, "first");
	assert_int_equal(a.position, 12);
	assert_int_equal(a.acked, 0);
	assert_true(b.closed);
	assert_int_equal(b.got.len, 0);
	talkers_part(world, &a, &b);
	world_free(world);
}

static void close_gives_up_after_5_s(void **state)
{
	struct world *world = world_new(1, true);
	struct talker a, b;
	char block[100000] = { 0 };

	(void)state;
	talkers_init(world, &a, &b, 0);
	conn_pause(b.conn);
	buf_add(conn_out(a.conn), block, sizeof(block));
	world_settle(world);
	conn_close(a.conn, "too slow");
	world_pass(world, 4900);
	assert_false(a.closed);
	world_pass(world, 200);
	assert_true(a.closed);
	assert_string_equal(a.reason, "too slow");
	assert_int_equal(a.acked, 0);
	talkers_part(world, &a, &b);
	world_free(world);
}

static void a_peer_that_does_not_close_is_left_after_2_s(void **state)
{
	struct world *world = world_new(1, true);
	struct talker a, b;

	(void)state;
	talkers_init(world, &a, &b, 0);
	conn_pause(b.conn);
	conn_close(a.conn, "bye");
	world_pass(world, 1900);
	assert_false(a.closed);
	world_pass(world, 200);
	assert_true(a.closed);
	assert_string_equal(a.reason, "bye");
	talkers_part(world, &a, &b);
	world_free(world);
}

static void closing_within_received_is_the_last(void **state)
{
	struct world *world = world_new(1, true);
	struct talker a, b;

	(void)state;
	talkers_init(world, &a, &b, 0);
	b.close_at_received = true;
	talker_say(&a, "one");
	world_settle(world);
	assert_int_equal(b.calls, 1);
	assert_true(a.closed && b.closed);
	talkers_part(world, &a, &b);
	world_free(world);
}

static void what_comes_while_closing_is_thrown_away(void **state)
{
	struct world *world = world_new(1, true);
	struct talker a, b;

	(void)state;
	talkers_init(world, &a, &b, 0);
	conn_close(b.conn, "deaf");
	talker_say(&a, "anybody there?");
	world_settle(world);
	assert_int_equal(b.calls, 0);
	/* It was read, so the close stayed orderly. */
	assert_null(a.reason);
	assert_true(a.closed && b.closed);
	talkers_part(world, &a, &b);
	world_free(world);
}

static void a_reset_is_told_to_both(void **state)
{
	struct world *world = world_new(1, true);
	struct transport *ends[2];
	struct talker a, b;

	(void)state;
	transport_pipe(world_worker(world, 0), &ends[0], world_worker(world, 0), &ends[1]);
	talker_init(&a, world_worker(world, 0), ends[0], 0);
	talker_init(&b, world_worker(world, 0), ends[1], 0);
	conn_pause(b.conn);
	talker_say(&a, "on its way");
	world_settle(world);
	transport_pipe_break(ends[0]);
	world_settle(world);
	assert_true(a.closed && b.closed);
	assert_string_equal(a.reason, "connection reset");
	assert_int_equal(a.position, 10);
	assert_int_equal(a.acked, 0);
	talkers_part(world, &a, &b);
	world_free(world);
}

/* ---- moving ---- */

static void moves_with_all_bytes(void **state)
{
	struct world *world = world_new(3, true);
	struct talker a, b;

	(void)state;
	talkers_init(world, &a, &b, 0);
	b.move_at_received = world_worker(world, 1);
	b.echo = true;
	talker_say(&a, "one");
	for (int i = 0; i < 100; i++) {
		workers_step(world->workers);
		talker_say(&a, ".");
	}
	world_settle(world);
	assert_int_equal(b.arrived, 1);
	assert_ptr_equal(b.on, world_worker(world, 1));
	assert_ptr_equal(conn_worker(b.conn), world_worker(world, 1));
	assert_int_equal(b.got.len, 103);
	assert_int_equal(a.got.len, 103);
	/* And again, to where it is. */
	conn_move(b.conn, world_worker(world, 1), talker_arrived);
	world_settle(world);
	assert_int_equal(b.arrived, 2);
	talkers_part(world, &a, &b);
	world_free(world);
}

static void moves_paused_and_with_unsent_bytes(void **state)
{
	struct world *world = world_new(2, true);
	struct talker a, b;
	char block[100000] = { 0 };

	(void)state;
	talkers_init(world, &a, &b, 0);
	conn_pause(a.conn);
	conn_pause(b.conn);
	buf_add(conn_out(a.conn), block, sizeof(block));
	talker_say(&b, "for later");
	world_settle(world);
	conn_move(a.conn, world_worker(world, 1), talker_arrived);
	world_settle(world);
	assert_int_equal(a.arrived, 1);
	assert_int_equal(a.calls, 0);
	conn_resume(a.conn);
	conn_resume(b.conn);
	world_settle(world);
	assert_heard(&a, "for later");
	assert_int_equal(b.got.len, sizeof(block));
	assert_int_equal(conn_acked(a.conn), sizeof(block));
	talkers_part(world, &a, &b);
	world_free(world);
}

static void a_break_while_moving_is_told_over_there(void **state)
{
	struct world *world = world_new(2, true);
	struct transport *ends[2];
	struct talker a, b;

	(void)state;
	transport_pipe(world_worker(world, 0), &ends[0], world_worker(world, 0), &ends[1]);
	talker_init(&a, world_worker(world, 0), ends[0], 0);
	talker_init(&b, world_worker(world, 0), ends[1], 0);
	talker_say(&a, "to nobody");
	conn_move(a.conn, world_worker(world, 1), talker_arrived);
	transport_pipe_break(ends[1]);
	world_settle(world);
	assert_int_equal(a.arrived, 1);
	assert_true(a.closed && b.closed);
	assert_int_equal(a.acked, 0);
	talkers_part(world, &a, &b);
	world_free(world);
}

static void a_close_goes_on_after_a_move(void **state)
{
	struct world *world = world_new(2, true);
	struct talker a, b;

	(void)state;
	talkers_init(world, &a, &b, 0);
	conn_move(a.conn, world_worker(world, 1), talker_arrived);
	world_settle(world);
	talker_say(&a, "done");
	conn_close(a.conn, "after the move");
	world_settle(world);
	assert_heard(&b, "done");
	assert_true(a.closed && b.closed);
	talkers_part(world, &a, &b);
	world_free(world);
}

/* ---- sockets ---- */

/* A connected pair over the loopback. */
static void sockets_make(int fds[2])
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int listening = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(listening, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listening, 1), 0);
	getsockname(listening, (struct sockaddr *)&address, &size);
	fds[0] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fds[0], (struct sockaddr *)&address, size), 0);
	fds[1] = accept(listening, NULL, NULL);
	assert_true(fds[1] >= 0);
	close(listening);
}

static void talker_init_socket(struct talker *talker, struct world *world, int fd)
{
	talker_init(talker, world_worker(world, 0), transport_socket(world_worker(world, 0), fd), 0);
}

static void sockets_carry_and_acknowledge(void **state)
{
	struct world *world = world_new(1, true);
	struct address peer, own;
	struct talker a;
	char bytes[16];
	int fds[2];

	(void)state;
	sockets_make(fds);
	talker_init_socket(&a, world, fds[1]);
	conn_address(a.conn, &peer, &own);
	assert_true(address_same_host(&peer, &own) && address_port(&peer) != address_port(&own));
	assert_int_equal(write(fds[0], "ping", 4), 4);
	WORLD_WAIT(world, true, a.got.len == 4);
	talker_say(&a, "pong");
	assert_int_equal(conn_acked(a.conn), 0);
	world_settle(world);
	assert_int_equal(read(fds[0], bytes, sizeof(bytes)), 4);
	WORLD_WAIT(world, true, conn_acked(a.conn) == 4);
	/* The peer finishes, we answer in kind. */
	shutdown(fds[0], SHUT_WR);
	WORLD_WAIT(world, true, a.closed);
	assert_null(a.reason);
	assert_int_equal(a.acked, 4);
	assert_int_equal(read(fds[0], bytes, sizeof(bytes)), 0);
	close(fds[0]);
	talker_clear(&a);
	world_free(world);
}

/* The peer reads nothing and is reset with a full window: what was in its buffers counts as acknowledged by its TCP, the
 * rest does not. */
static void a_reset_leaves_the_unacknowledged_known(void **state)
{
	struct world *world = world_new(1, true);
	struct linger hard = { .l_onoff = 1 };
	struct talker a;
	char block[65536] = { 0 };
	uint64_t before;
	int fds[2], small = 4096;

	(void)state;
	sockets_make(fds);
	setsockopt(fds[0], SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	talker_init_socket(&a, world, fds[1]);
	for (int i = 0; i < 200; i++)
		buf_add(conn_out(a.conn), block, sizeof(block));
	WORLD_WAIT(world, true, conn_acked(a.conn) > 0);
	poll(NULL, 0, 50);
	world_settle(world);
	before = conn_acked(a.conn);
	assert_true(conn_unsent(a.conn) > 0);
	assert_true(before < conn_position(a.conn) - conn_unsent(a.conn));
	setsockopt(fds[0], SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(fds[0]);
	WORLD_WAIT(world, true, a.closed);
	assert_string_equal(a.reason, "Connection reset by peer");
	assert_int_equal(a.position, 200 * sizeof(block));
	assert_true(a.acked <= before && a.acked > 0);
	talker_clear(&a);
	world_free(world);
}

static void a_lost_write_is_not_acknowledged(void **state)
{
	struct world *world = world_new(1, true);
	struct linger hard = { .l_onoff = 1 };
	struct talker a;
	int fds[2];

	(void)state;
	sockets_make(fds);
	talker_init_socket(&a, world, fds[1]);
	conn_pause(a.conn);
	world_settle(world);
	setsockopt(fds[0], SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(fds[0]);
	talker_say(&a, "into the void");
	WORLD_WAIT(world, true, a.closed);
	assert_non_null(a.reason);
	assert_int_equal(a.position, 13);
	assert_int_equal(a.acked, 0);
	talker_clear(&a);
	world_free(world);
}

/* ---- threads ---- */

enum { FLOOD = 8 << 20 };

struct flood {
	struct mail mail;
	struct talker *talker;
	int fd;
	struct worker *worker;
};

static void flood_begin(struct worker *worker, struct mail *mail)
{
	struct flood *flood = LIST_MEMBER(mail, struct flood, mail);

	talker_begin(flood->talker, worker, transport_socket(worker, flood->fd), 0);
	if (flood->talker->echo)
		return;
	for (size_t i = 0; i < FLOOD / 4; i++) {
		uint32_t number = (uint32_t)i;

		buf_add(conn_out(flood->talker->conn), &number, sizeof(number));
	}
}

static void flood_end(struct worker *worker, struct mail *mail)
{
	struct flood *flood = LIST_MEMBER(mail, struct flood, mail);

	(void)worker;
	if (flood->talker->conn)
		conn_close(flood->talker->conn, "the end");
}

/* The echo moves while megabytes are under way: nothing is lost, nothing comes twice. */
static void moves_between_threads_under_load(void **state)
{
	struct world *world = world_new(2, false);
	struct talker talkers[2] = { { .echo = false }, { .echo = true } };
	struct flood floods[2];
	uint32_t number;
	int fds[2];

	(void)state;
	sockets_make(fds);
	talkers[1].move_at_received = world_worker(world, 1);
	for (int i = 1; i >= 0; i--) {
		floods[i] = (struct flood){ .mail.arrive = flood_begin, .talker = &talkers[i], .fd = fds[i] };
		worker_post(NULL, world_worker(world, 0), &floods[i].mail);
	}
	WORLD_WAIT(world, false, atomic_load(&talkers[0].got_len) == FLOOD);
	assert_int_equal(atomic_load(&talkers[1].arrived), 1);
	floods[0].mail.arrive = flood_end;
	worker_post(NULL, world_worker(world, 0), &floods[0].mail);
	WORLD_WAIT(world, false, atomic_load(&talkers[0].closed) && atomic_load(&talkers[1].closed));
	workers_stop(world->workers);
	assert_ptr_equal(talkers[1].on, world_worker(world, 1));
	for (size_t i = 0; i < FLOOD / 4; i++) {
		memcpy(&number, talkers[0].got.data + 4 * i, 4);
		assert_int_equal(number, i);
	}
	assert_int_equal(talkers[0].acked, FLOOD);
	talker_clear(&talkers[0]);
	talker_clear(&talkers[1]);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(talk_both_ways),
		cmocka_unit_test(pause_pushes_back),
		cmocka_unit_test(overrun_is_told_once),
		cmocka_unit_test(a_rate_slows_reading),
		cmocka_unit_test(close_flushes_what_was_said_before),
		cmocka_unit_test(closed_never_comes_within_a_call),
		cmocka_unit_test(close_gives_up_after_5_s),
		cmocka_unit_test(a_peer_that_does_not_close_is_left_after_2_s),
		cmocka_unit_test(closing_within_received_is_the_last),
		cmocka_unit_test(what_comes_while_closing_is_thrown_away),
		cmocka_unit_test(a_reset_is_told_to_both),
		cmocka_unit_test(moves_with_all_bytes),
		cmocka_unit_test(moves_paused_and_with_unsent_bytes),
		cmocka_unit_test(a_break_while_moving_is_told_over_there),
		cmocka_unit_test(a_close_goes_on_after_a_move),
		cmocka_unit_test(sockets_carry_and_acknowledge),
		cmocka_unit_test(a_reset_leaves_the_unacknowledged_known),
		cmocka_unit_test(a_lost_write_is_not_acknowledged),
		cmocka_unit_test(moves_between_threads_under_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
