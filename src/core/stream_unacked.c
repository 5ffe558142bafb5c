/* SPDX-License-Identifier: MIT
 *
 * The custody of what was written to a stream: a parcel is ours until the peer's TCP has acknowledged its
 * last byte, and goes back to the stream's owner when the connection ends before that.
 *
 * Parcels wait in a list through their own links, so a stream without any holds no memory for them. Looking
 * costs a system call; it is done each 50 ms while parcels wait, more seldom while none is acknowledged, and
 * when some have gathered: what waits long has left the processor's caches when it is freed.
 */
#include "stream_inside.h"

#include "core/server.h"

enum {
	SWEEP_MS = 50,
	SWEEP_MOST_MS = 1000,
	SWEEP_MANY = 8, /* parcels between two looks */
};

#define NEVER_WRITTEN UINT64_MAX

static void stream_swept(struct worker *worker, struct timer *timer);

void stream_sweep_start(struct stream *stream)
{
	stream->sweep_ms = SWEEP_MS;
	timer_start(stream->home->worker, &stream->sweep, SWEEP_MS, stream_swept);
}

static void stream_keep(struct stream *stream, struct parcel *parcel)
{
	parcel->next = NULL;
	*stream->unacked_end = parcel;
	stream->unacked_end = &parcel->next;
	stream->unacked_count++;
}

static struct parcel *stream_take_first(struct stream *stream)
{
	struct parcel *parcel = stream->unacked;

	stream->unacked = parcel->next;
	if (!stream->unacked)
		stream->unacked_end = &stream->unacked;
	stream->unacked_count--;
	parcel->next = NULL;
	return parcel;
}

/* On a stream that is closing the parcel only waits to be returned. */
void stream_send(struct stream *stream, struct parcel *parcel, const char *tail, size_t tail_len)
{
	const struct stanza_copy copy = { .to = parcel->to.text ? &parcel->to : NULL,
		                          .tail = tail,
		                          .tail_len = tail_len };

	parcel->position = NEVER_WRITTEN;
	if (!stream->closing) {
		stanza_write(conn_out(stream->conn), parcel->stanza, &copy);
		parcel->position = conn_position(stream->conn);
	}
	stream_keep(stream, parcel);
	if (!timer_is_running(&stream->sweep))
		stream_sweep_start(stream);
	else if (stream->unacked_count % SWEEP_MANY == 0)
		stream_collect(stream);
}

void stream_collect(struct stream *stream)
{
	uint64_t acked;

	if (!stream->unacked)
		return;
	acked = conn_acked(stream->conn);
	while (stream->unacked && stream->unacked->position <= acked) {
		struct parcel *parcel = stream_take_first(stream);

		parcel_taken(stream->home, &parcel);
	}
}

static void stream_swept(struct worker *worker, struct timer *timer)
{
	struct stream *stream = LIST_MEMBER(timer, struct stream, sweep);
	uint32_t before = stream->unacked_count;

	stream_collect(stream);
	if (!stream->unacked)
		return;
	stream->sweep_ms = stream->unacked_count < before ? SWEEP_MS : stream->sweep_ms * 2;
	if (stream->sweep_ms > SWEEP_MOST_MS)
		stream->sweep_ms = SWEEP_MOST_MS;
	timer_start(worker, timer, stream->sweep_ms, stream_swept);
}

size_t stream_unacked(struct stream *stream)
{
	stream_collect(stream);
	return stream->unacked_count + (size_t)(conn_position(stream->conn) - conn_acked(stream->conn));
}

void stream_return_all(struct stream *stream)
{
	while (stream->unacked) {
		struct parcel *parcel = stream_take_first(stream);

		if (stream->class->returned)
			stream->class->returned(stream, stream->owner, parcel);
		else
			parcel_refused(stream->home, &parcel, STANZA_REMOTE_SERVER_TIMEOUT, NULL);
	}
}
