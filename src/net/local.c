/* SPDX-License-Identifier: MIT
 *
 * The Unix socket of the administrator's tools. A file left behind by a server that was killed is found by trying to
 * connect to it: refused means that nobody listens.
 */
#include "net/local.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "event_door.h"

enum { LOCAL_BACKLOG = 16 };

struct local_listener {
	struct worker *worker;
	char *path;
	int fd;
	struct event event;
	void (*accepted)(struct worker *worker, struct transport *transport, void *owner);
	void *owner;
};

static void local_readable(evutil_socket_t fd, short what, void *arg)
{
	struct local_listener *listener = arg;
	int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)what;
	worker_stirred(listener->worker);
	if (client >= 0)
		listener->accepted(listener->worker, transport_socket(listener->worker, client), listener->owner);
}

static bool local_is_served(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool served = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;

	if (fd >= 0)
		close(fd);
	return served;
}

/* -1 and *error: the path cannot be had. */
static int local_bind(const char *path, const char **error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mode_t mask;
	int fd, bound;

	*error = "the path is too long for a socket";
	if (strlen(path) >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, path, strlen(path) + 1);
	*error = "another server listens there";
	if (local_is_served(&address))
		return -1;
	unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mask = umask(0177);
	bound = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&address, sizeof(address));
	umask(mask);
	if (bound == 0 && listen(fd, LOCAL_BACKLOG) == 0)
		return fd;
	*error = strerror(errno);
	if (fd >= 0)
		close(fd);
	return -1;
}

struct local_listener *local_listen(struct worker *worker, const char *path,
                                    void (*accepted)(struct worker *worker, struct transport *transport, void *owner),
                                    void *owner, const char **error)
{
	struct local_listener *listener;
	int fd = local_bind(path, error);

	if (fd < 0)
		return NULL;
	listener = mem_zalloc(sizeof(*listener));
	listener->worker = worker;
	listener->path = str_dup(path);
	listener->fd = fd;
	listener->accepted = accepted;
	listener->owner = owner;
	event_assign(&listener->event, worker_events(worker), fd, EV_READ | EV_PERSIST, local_readable, listener);
	event_add(&listener->event, NULL);
	return listener;
}

void local_close(struct local_listener **listener)
{
	if (!*listener)
		return;
	event_del(&(*listener)->event);
	close((*listener)->fd);
	unlink((*listener)->path);
	free((*listener)->path);
	free(*listener);
	*listener = NULL;
}
