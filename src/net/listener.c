/* SPDX-License-Identifier: MIT
 *
 * Listening sockets: one for each worker, joined by SO_REUSEPORT, so the kernel spreads the connections and no worker
 * hands over what it accepted. Each part lives on its worker; while threads run it is opened and closed by mail.
 */
#include "net/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "event_door.h"
#include "net/timer.h"
#include "worker_inside.h"

enum { LISTENER_ACCEPTS_A_TURN = 16, LISTENER_BACKLOG = 1024, LISTENER_PAUSE_MS = 1000 };

/* One worker's socket. */
struct listener_part {
	struct mail opened, closed;
	struct listener *listener;
	struct worker *worker;
	int fd;
	struct event event;
	struct timer pause;
};

struct listener {
	struct workers *workers;
	struct address address;
	void (*accepted)(struct worker *worker, struct transport *transport, void *owner);
	void *owner;
	atomic_size_t open_parts;
	size_t count;
	struct listener_part parts[];
};

/* ---- sockets ---- */

static int socket_new(const struct address *address, int option)
{
	int on = 1, fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (option)
		setsockopt(fd, SOL_SOCKET, option, &on, sizeof(on));
	if (address->any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, &address->any, (socklen_t)address_size(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

bool listener_is_possible(const struct address *address)
{
	int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0 || errno != EAFNOSUPPORT;
}

/* With SO_REUSEPORT a second server would quietly share the address with the first: without it the kernel tells. */
static bool address_is_free(const struct address *address)
{
	int fd = socket_new(address, 0);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* Port 0 becomes the one that the first socket got, so that all share it. */
static int socket_listen(struct address *address)
{
	int fd = socket_new(address, SO_REUSEPORT);
	socklen_t size = sizeof(*address);

	if (fd < 0)
		return -1;
	if (getsockname(fd, &address->any, &size) == 0 && listen(fd, LISTENER_BACKLOG) == 0)
		return fd;
	close(fd);
	return -1;
}

/* ---- accepting ---- */

static void part_go_on(struct worker *worker, struct timer *timer)
{
	struct listener_part *part = LIST_MEMBER(timer, struct listener_part, pause);

	(void)worker;
	event_add(&part->event, NULL);
}

static void part_pause(struct listener_part *part, int reason)
{
	char address[ADDRESS_TEXT];

	address_write(&part->listener->address, address);
	log_warn(worker_log(part->worker), NULL, "accepting pauses", LOG_STR("address", address),
	         LOG_STR("reason", strerrordesc_np(reason)));
	event_del(&part->event);
	timer_start(part->worker, &part->pause, LISTENER_PAUSE_MS, part_go_on);
}

/* Other errors concern one connection that is gone already (accept(2)). */
static bool is_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void part_ready(evutil_socket_t fd, short what, void *context)
{
	struct listener_part *part = context;
	struct listener *listener = part->listener;

	(void)what;
	worker_stirred(part->worker);
	for (unsigned n = 0; n < LISTENER_ACCEPTS_A_TURN; n++) {
		int accepted = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (accepted >= 0)
			listener->accepted(part->worker, transport_socket(part->worker, accepted),
			                   listener->owner);
		else if (is_shortage(errno))
			part_pause(part, errno);
		if (accepted < 0)
			return;
	}
}

/* ---- opening and closing ---- */

static void part_opened(struct worker *worker, struct mail *mail)
{
	struct listener_part *part = LIST_MEMBER(mail, struct listener_part, opened);

	event_assign(&part->event, worker_events(worker), part->fd, EV_READ | EV_PERSIST, part_ready, part);
	event_add(&part->event, NULL);
}

static void part_closed(struct worker *worker, struct mail *mail)
{
	struct listener_part *part = LIST_MEMBER(mail, struct listener_part, closed);
	struct listener *listener = part->listener;

	timer_stop(worker, &part->pause);
	event_del(&part->event);
	close(part->fd);
	if (atomic_fetch_sub(&listener->open_parts, 1) == 1)
		free(listener);
}

/* Without running threads the caller's thread is every worker's. */
static void part_tell(struct listener_part *part, struct mail *mail,
                      void (*arrive)(struct worker *worker, struct mail *mail))
{
	mail->arrive = arrive;
	if (workers_are_running(part->listener->workers))
		worker_post(NULL, part->worker, mail);
	else
		arrive(part->worker, mail);
}

static bool listener_bind(struct listener *listener)
{
	for (; listener->count < workers_count(listener->workers); listener->count++) {
		struct listener_part *part = &listener->parts[listener->count];

		part->listener = listener;
		part->worker = workers_at(listener->workers, listener->count);
		part->fd = socket_listen(&listener->address);
		if (part->fd < 0)
			return false;
	}
	return true;
}

static void listener_unbind(struct listener *listener)
{
	while (listener->count > 0)
		close(listener->parts[--listener->count].fd);
	free(listener);
}

struct listener *listener_open(struct workers *workers, const struct address *address,
                               void (*accepted)(struct worker *worker, struct transport *transport,
                                                void *owner),
                               void *owner, const char **error)
{
	size_t count = workers_count(workers);
	struct listener *listener = mem_zalloc(sizeof(*listener) + count * sizeof(*listener->parts));

	listener->workers = workers;
	listener->address = *address;
	listener->accepted = accepted;
	listener->owner = owner;
	atomic_init(&listener->open_parts, count);
	if (!address_is_free(address) || !listener_bind(listener)) {
		*error = strerrordesc_np(errno);
		listener_unbind(listener);
		return NULL;
	}
	for (size_t i = 0; i < count; i++)
		part_tell(&listener->parts[i], &listener->parts[i].opened, part_opened);
	return listener;
}

void listener_address(const struct listener *listener, struct address *out)
{
	*out = listener->address;
}

void listener_close(struct listener **listener)
{
	size_t count;

	if (!*listener)
		return;
	count = (*listener)->count;
	for (size_t i = 0; i < count; i++)
		part_tell(&(*listener)->parts[i], &(*listener)->parts[i].closed, part_closed);
	*listener = NULL;
}
