/* SPDX-License-Identifier: MIT
 *
 * A transport carries raw bytes for one conn: a socket with its event, or in tests and simulations a pipe in memory. The
 * conn above it does TLS and buffering, so both are the same for all transports.
 */
#ifndef NET_TRANSPORT_H
#define NET_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "net/address.h"
#include "net/worker.h"

struct conn;
struct transport;

struct transport_ops {
	/* Bytes taken now, 0..len (less: conn_writable comes later); -1: broken. */
	ssize_t (*write)(struct transport *transport, const char *bytes, size_t len);
	void (*read_start)(struct transport *transport);        /* conn_input is called as bytes come */
	void (*read_stop)(struct transport *transport);
	/* Bytes written that the peer's TCP has not acknowledged (SIOCOUTQ). */
	size_t (*unacked)(struct transport *transport);
	void (*address)(struct transport *transport, struct address *peer, struct address *own);
	/* Between two workers: leave the loop of one, enter that of another. */
	void (*detach)(struct transport *transport);
	void (*attach)(struct transport *transport, struct worker *worker);
	void (*finish)(struct transport *transport);            /* no more writes (TCP FIN) */
	void (*free)(struct transport *transport);              /* closes */
};

/* First member of each implementation. */
struct transport {
	const struct transport_ops *ops;
	struct conn *conn;      /* set by conn_new */
};

/* What a transport calls on its conn, on the worker that it is attached to. */
void conn_input(struct conn *conn, char *bytes, size_t len);
void conn_writable(struct conn *conn);
void conn_ended(struct conn *conn, const char *reason);         /* NULL: the peer finished; else what broke */

/* A connected socket, made non-blocking, TCP_NODELAY, SO_KEEPALIVE, TCP_USER_TIMEOUT; owns fd. */
struct transport *transport_socket(struct worker *worker, int fd);
/* Two ends in memory, on stepped workers. */
void transport_pipe(struct worker *worker_a, struct transport **a, struct worker *worker_b, struct transport **b);
/* Cuts a pipe as a reset cuts a TCP connection: both ends are told "connection reset". */
void transport_pipe_break(struct transport *transport);

#endif
