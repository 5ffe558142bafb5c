/* SPDX-License-Identifier: MIT
 *
 * A stream's way to another home, and the turn job that does what an owner has asked for outside of the
 * owner's calls: to move, or to read on. A stream whose conn dies before it has left stays where it is, and
 * closed() comes there.
 */
#include "core/stream.h"

#include "core/server.h"
#include "stream_inside.h"

void stream_move(struct stream *stream, struct home *to, void (*arrived)(struct stream *stream, void *owner))
{
	stream->moving = true;
	stream->move_to = to;
	stream->arrived = arrived;
	worker_at_end_of_turn(stream->home->worker, &stream->job);
}

/* A timer goes with its stream: it is due when it was due. */
static bool timer_lift(struct worker *from, struct timer *timer)
{
	bool runs = timer_is_running(timer);

	timer_stop(from, timer);
	return runs;
}

static void timer_put_down(struct worker *to, struct timer *timer, bool runs)
{
	uint64_t now = worker_now_ms(to);

	if (runs)
		timer_start(to, timer, timer->due_ms > now ? timer->due_ms - now : 0, timer->expired);
}

static void stream_arrived(struct conn *conn, void *owner)
{
	struct stream *stream = owner;
	struct worker *worker = conn_worker(conn);

	stream_enter(stream, stream->move_to);
	stream->left = false;
	timer_put_down(worker, &stream->deadline, stream->deadline_runs);
	timer_put_down(worker, &stream->watch, stream->watch_runs);
	if (stream->unacked)
		stream_sweep_start(stream);
	stream->moving = false;
	stream->arrived(stream, stream->owner);
	if (stream->input.len > 0)
		worker_at_end_of_turn(worker, &stream->job);
}

static void stream_leave(struct stream *stream)
{
	struct worker *from = stream->home->worker;

	if (stream->closing || stream->move_to == stream->home) {
		stream->moving = false;
		if (!stream->closing)
			stream->arrived(stream, stream->owner);
		return;
	}
	stream->deadline_runs = timer_lift(from, &stream->deadline);
	stream->watch_runs = timer_lift(from, &stream->watch);
	timer_stop(from, &stream->sweep);
	stream_depart(stream);
	stream->left = true;
	conn_move(stream->conn, stream->move_to->worker, stream_arrived);
}

void stream_turned(struct worker *worker, struct turn_job *job)
{
	struct stream *stream = LIST_MEMBER(job, struct stream, job);

	(void)worker;
	if (stream->gone) {
		stream_free(stream);
		return;
	}
	if (stream->moving)
		stream_leave(stream);
	if (!stream->moving)
		stream_read_on(stream);
}
