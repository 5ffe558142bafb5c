/* SPDX-License-Identifier: MIT
 *
 * Two transports joined in memory, for stepped workers. It behaves as TCP on a lossless network: what is written waits in
 * a window of 64 KiB until the other end reads, arrives by mail, an end that is freed with unread bytes resets the other.
 * Both ends run on one thread, so they may look at each other.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/transport.h"
#include "worker_inside.h"

enum { PIPE_WINDOW = 65536 };

struct pipe;

struct pipe_end {
	struct transport transport;
	struct pipe *pipe;
	struct pipe_end *other;
	struct worker *worker; /* NULL: between two workers */
	struct mail mail;      /* something to look after at this end */
	struct buf incoming;   /* written by the other end, not yet delivered */
	bool mail_waits;
	bool reading;
	bool blocked;  /* wants to know when the window opens */
	bool finished; /* writes no more */
	bool told_end; /* the conn knows that nothing more comes */
	bool freed;
};

struct pipe {
	struct pipe_end ends[2];
	bool broken;
};

static struct pipe_end *end_of(struct transport *transport)
{
	return (struct pipe_end *)transport;
}

static void pipe_free_if_unused(struct pipe *pipe)
{
	for (unsigned i = 0; i < 2; i++)
		if (!pipe->ends[i].freed || pipe->ends[i].mail_waits)
			return;
	free(pipe);
}

/* ---- delivery ---- */

static void end_visited(struct worker *worker, struct mail *mail);

static void end_visit(struct pipe_end *end)
{
	if (end->mail_waits || end->freed || !end->worker)
		return;
	end->mail_waits = true;
	end->mail.arrive = end_visited;
	worker_post(end->worker, end->worker, &end->mail);
}

static void end_deliver(struct pipe_end *end)
{
	char *bytes = worker_conns(end->worker)->input;
	size_t len = end->incoming.len < CONN_READ_SIZE ? end->incoming.len : CONN_READ_SIZE;

	memcpy(bytes, end->incoming.data, len);
	buf_consume(&end->incoming, len);
	if (end->other->blocked)
		end_visit(end->other);
	conn_input(end->transport.conn, bytes, len);
}

static void end_tell_end(struct pipe_end *end, const char *reason)
{
	if (end->told_end)
		return;
	end->told_end = true;
	conn_ended(end->transport.conn, reason);
}

static void end_look(struct pipe_end *end)
{
	if (end->pipe->broken) {
		end_tell_end(end, "connection reset");
		return;
	}
	if (end->blocked && end->other->incoming.len < PIPE_WINDOW) {
		end->blocked = false;
		conn_writable(end->transport.conn);
	}
	if (end->reading && end->incoming.len)
		end_deliver(end);
	if (end->reading && end->incoming.len)
		end_visit(end);
	else if (end->reading && end->other->finished)
		end_tell_end(end, NULL);
}

static void end_visited(struct worker *worker, struct mail *mail)
{
	struct pipe_end *end = LIST_MEMBER(mail, struct pipe_end, mail);

	end->mail_waits = false;
	if (end->freed)
		pipe_free_if_unused(end->pipe);
	else if (end->worker == worker && end->transport.conn)
		end_look(end);
	else
		end_visit(end);
}

/* ---- the transport ---- */

static ssize_t end_write(struct transport *transport, const char *bytes, size_t len)
{
	struct pipe_end *end = end_of(transport);
	size_t room = PIPE_WINDOW - end->other->incoming.len;

	if (end->pipe->broken || end->finished || end->other->freed) {
		errno = EPIPE;
		return -1;
	}
	end->blocked = room < len;
	if (end->blocked)
		len = room;
	buf_add(&end->other->incoming, bytes, len);
	end_visit(end->other);
	return (ssize_t)len;
}

static void end_read_start(struct transport *transport)
{
	end_of(transport)->reading = true;
	end_visit(end_of(transport));
}

static void end_read_stop(struct transport *transport)
{
	end_of(transport)->reading = false;
}

static size_t end_unacked(struct transport *transport)
{
	return end_of(transport)->other->incoming.len;
}

static void end_address(struct transport *transport, struct address *peer, struct address *own)
{
	uint16_t number = (uint16_t)(end_of(transport) - end_of(transport)->pipe->ends);

	address_read("127.0.0.1", (uint16_t)(2 - number), peer);
	address_read("127.0.0.1", (uint16_t)(1 + number), own);
}

static void end_detach(struct transport *transport)
{
	end_of(transport)->worker = NULL;
}

static void end_attach(struct transport *transport, struct worker *worker)
{
	end_of(transport)->worker = worker;
	end_visit(end_of(transport));
}

static void end_finish(struct transport *transport)
{
	end_of(transport)->finished = true;
	end_visit(end_of(transport)->other);
}

static void pipe_break(struct pipe *pipe)
{
	pipe->broken = true;
	end_visit(&pipe->ends[0]);
	end_visit(&pipe->ends[1]);
}

static void end_free(struct transport *transport)
{
	struct pipe_end *end = end_of(transport);

	end->freed = true;
	end->finished = true;
	if (end->incoming.len)
		pipe_break(end->pipe);
	else
		end_visit(end->other);
	if (end->other->freed) {
		buf_clear(&end->incoming);
		buf_clear(&end->other->incoming);
	}
	pipe_free_if_unused(end->pipe);
}

void transport_pipe_break(struct transport *transport)
{
	pipe_break(end_of(transport)->pipe);
}

static const struct transport_ops pipe_ops = {
	.write = end_write,
	.read_start = end_read_start,
	.read_stop = end_read_stop,
	.unacked = end_unacked,
	.address = end_address,
	.detach = end_detach,
	.attach = end_attach,
	.finish = end_finish,
	.free = end_free,
};

static void end_init(struct pipe *pipe, unsigned number, struct worker *worker)
{
	struct pipe_end *end = &pipe->ends[number];

	end->transport.ops = &pipe_ops;
	end->pipe = pipe;
	end->other = &pipe->ends[1 - number];
	end->worker = worker;
}

void transport_pipe(struct worker *worker_a, struct transport **a, struct worker *worker_b,
                    struct transport **b)
{
	struct pipe *pipe = mem_zalloc(sizeof(*pipe));

	end_init(pipe, 0, worker_a);
	end_init(pipe, 1, worker_b);
	*a = &pipe->ends[0].transport;
	*b = &pipe->ends[1].transport;
}
