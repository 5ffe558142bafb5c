/* SPDX-License-Identifier: MIT
 *
 * A TCP socket as transport: one event, one read of at most 64 KiB for each wake-up, no EV_WRITE unless a write came back
 * short. A dead peer is found by TCP_USER_TIMEOUT while something is unacknowledged and by keepalive while nothing is.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/list.h"
#include "base/mem.h"
#include "event_door.h"
#include "net/transport.h"
#include "worker_inside.h"

enum {
	SOCKET_USER_TIMEOUT_MS = 110000,
	SOCKET_KEEPALIVE_IDLE_S = 60,
	SOCKET_KEEPALIVE_EACH_S = 10,
	SOCKET_KEEPALIVE_TRIES = 5,
};

struct transport_socket {
	struct transport transport;
	struct worker *worker; /* NULL: between two workers */
	int fd;
	short waits_for; /* EV_READ, EV_WRITE; 0: the event is not in the loop */
	struct event event;
};

static struct transport_socket *socket_of(struct transport *transport)
{
	return (struct transport_socket *)transport;
}

static void socket_ready(evutil_socket_t fd, short what, void *context);

static void socket_wait_for(struct transport_socket *sock, short what)
{
	if (sock->waits_for == what)
		return;
	if (sock->waits_for)
		event_del(&sock->event);
	sock->waits_for = what;
	if (!what)
		return;
	event_assign(&sock->event, worker_events(sock->worker), sock->fd, (short)(what | EV_PERSIST),
	             socket_ready, sock);
	event_add(&sock->event, NULL);
}

/* ---- reading ---- */

static void socket_read(struct transport_socket *sock)
{
	char *bytes = worker_conns(sock->worker)->input;
	ssize_t len = recv(sock->fd, bytes, CONN_READ_SIZE, 0);

	if (len > 0)
		conn_input(sock->transport.conn, bytes, (size_t)len);
	else if (len == 0)
		conn_ended(sock->transport.conn, NULL);
	else if (errno != EAGAIN && errno != EINTR)
		conn_ended(sock->transport.conn, strerrordesc_np(errno));
}

static void socket_ready(evutil_socket_t fd, short what, void *context)
{
	struct transport_socket *sock = context;

	(void)fd;
	worker_stirred(sock->worker);
	if (what & EV_WRITE) {
		socket_wait_for(sock, (short)(sock->waits_for & ~EV_WRITE));
		conn_writable(sock->transport.conn);
	}
	if (what & sock->waits_for & EV_READ)
		socket_read(sock);
}

static void socket_read_start(struct transport *transport)
{
	struct transport_socket *sock = socket_of(transport);

	if (sock->worker)
		socket_wait_for(sock, (short)(sock->waits_for | EV_READ));
}

static void socket_read_stop(struct transport *transport)
{
	struct transport_socket *sock = socket_of(transport);

	socket_wait_for(sock, (short)(sock->waits_for & ~EV_READ));
}

/* ---- writing ---- */

static ssize_t socket_write(struct transport *transport, const char *bytes, size_t len)
{
	struct transport_socket *sock = socket_of(transport);
	ssize_t taken = send(sock->fd, bytes, len, MSG_NOSIGNAL);

	if (taken < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOBUFS))
		taken = 0;
	if (taken >= 0 && (size_t)taken < len)
		socket_wait_for(sock, (short)(sock->waits_for | EV_WRITE));
	return taken;
}

static size_t socket_unacked(struct transport *transport)
{
	int unacked = 0;

	/* Whoever cannot tell has nothing acknowledged. */
	if (ioctl(socket_of(transport)->fd, SIOCOUTQ, &unacked) != 0 || unacked < 0)
		return SIZE_MAX;
	return (size_t)unacked;
}

static void socket_finish(struct transport *transport)
{
	shutdown(socket_of(transport)->fd, SHUT_WR);
}

/* ---- life ---- */

static void socket_address(struct transport *transport, struct address *peer, struct address *own)
{
	struct transport_socket *sock = socket_of(transport);
	socklen_t size = sizeof(*peer);

	memset(peer, 0, sizeof(*peer));
	memset(own, 0, sizeof(*own));
	getpeername(sock->fd, &peer->any, &size);
	size = sizeof(*own);
	getsockname(sock->fd, &own->any, &size);
}

static void socket_detach(struct transport *transport)
{
	struct transport_socket *sock = socket_of(transport);

	socket_wait_for(sock, 0);
	sock->worker = NULL;
}

static void socket_attach(struct transport *transport, struct worker *worker)
{
	socket_of(transport)->worker = worker;
}

static void socket_free(struct transport *transport)
{
	struct transport_socket *sock = socket_of(transport);

	socket_wait_for(sock, 0);
	close(sock->fd);
	free(sock);
}

static const struct transport_ops socket_ops = {
	.write = socket_write,
	.read_start = socket_read_start,
	.read_stop = socket_read_stop,
	.unacked = socket_unacked,
	.address = socket_address,
	.detach = socket_detach,
	.attach = socket_attach,
	.finish = socket_finish,
	.free = socket_free,
};

/* Options that a socket lacks (a test may use another family) leave it as it is. */
static void socket_set(int fd, int level, int option, int value)
{
	setsockopt(fd, level, option, &value, sizeof(value));
}

static void socket_prepare(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	socket_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	socket_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	socket_set(fd, IPPROTO_TCP, TCP_KEEPIDLE, SOCKET_KEEPALIVE_IDLE_S);
	socket_set(fd, IPPROTO_TCP, TCP_KEEPINTVL, SOCKET_KEEPALIVE_EACH_S);
	socket_set(fd, IPPROTO_TCP, TCP_KEEPCNT, SOCKET_KEEPALIVE_TRIES);
	socket_set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, SOCKET_USER_TIMEOUT_MS);
}

struct transport *transport_socket(struct worker *worker, int fd)
{
	struct transport_socket *sock = mem_zalloc(sizeof(*sock));

	socket_prepare(fd);
	sock->transport.ops = &socket_ops;
	sock->worker = worker;
	sock->fd = fd;
	return &sock->transport;
}
