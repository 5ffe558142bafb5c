/* SPDX-License-Identifier: MIT
 *
 * From a domain to a connected socket: RFC 6120 §3.2 (SRV, fallback only where no SRV record exists), XEP-0368 (services
 * with TLS from the first byte among them), RFC 2782 (the next target when one cannot be reached), RFC 8305 §5 (attempts
 * side by side, 250 ms apart).
 *
 * Targets give addresses, addresses give attempts. A step begins the next attempt; it comes each 250 ms,
 * and at once when an attempt fails. The next target is resolved only when the addresses of those before it
 * are used up.
 */
#include "net/connect.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/mem.h"
#include "event_door.h"
#include "net/timer.h"

enum {
	CONNECT_STEP_MS = 250,
	CONNECT_TIMEOUT_MS = 30000,
	CONNECT_TARGETS = 16,
	CONNECT_ATTEMPTS = 32, /* of one connect: a domain that lists more addresses is not tried further */
	CONNECT_REASON = 400,
};

/* Where to go, and whether TLS begins at once there. */
struct place {
	struct address address;
	bool tls;
};

struct attempt {
	struct list_link link;
	struct connect *connect;
	struct place place;
	struct event event;
	int fd;
};

struct connect {
	struct worker *worker;
	struct resolver *resolver;
	char *domain;
	uint16_t fallback_port;
	bool found_by_srv, found_by_administrator;
	struct resolve *resolve;                        /* under way; NULL */
	struct resolve_target targets[CONNECT_TARGETS]; /* hosts owned */
	size_t target_count, target_next;
	struct place places[CONNECT_ATTEMPTS]; /* of the targets resolved so far */
	size_t place_count, place_next;
	struct list attempts; /* under way */
	struct timer step_timer, deadline;
	bool dns_failed;             /* of one target at least */
	enum connect_status failure; /* of the last address that failed */
	char reason[CONNECT_REASON]; /* of the last failure */
	connect_found *found;
	connect_done *done;
	void *owner;
};

static void connect_step(struct connect *connect);

static void attempt_free(struct attempt *attempt)
{
	list_remove(&attempt->link);
	event_del(&attempt->event);
	if (attempt->fd >= 0)
		close(attempt->fd);
	free(attempt);
}

static void connect_free(struct connect *connect)
{
	struct list_link *link;

	resolve_cancel(&connect->resolve);
	timer_stop(connect->worker, &connect->step_timer);
	timer_stop(connect->worker, &connect->deadline);
	while ((link = list_first(&connect->attempts)))
		attempt_free(LIST_MEMBER(link, struct attempt, link));
	for (size_t i = 0; i < connect->target_count; i++)
		free((char *)connect->targets[i].host);
	free(connect->domain);
	free(connect);
}

void connect_cancel(struct connect **connect)
{
	if (*connect)
		connect_free(*connect);
	*connect = NULL;
}

/* at: where it has connected; NULL: nowhere. */
static void connect_finish(struct connect *connect, enum connect_status status, struct transport *transport,
                           const struct place *at)
{
	connect_done *done = connect->done;
	void *owner = connect->owner;
	char reason[CONNECT_REASON];
	bool tls = at && at->tls;

	memcpy(reason, connect->reason, sizeof(reason));
	connect_free(connect);
	done(owner, status, transport, tls, reason);
}

__attribute__((format(printf, 2, 3))) static void connect_say(struct connect *connect, const char *format,
                                                              ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(connect->reason, sizeof(connect->reason), format, args);
	va_end(args);
}

static void connect_add_target(struct connect *connect, const struct resolve_target *target)
{
	if (connect->target_count == CONNECT_TARGETS)
		return;
	connect->targets[connect->target_count] = *target;
	connect->targets[connect->target_count++].host = str_dup(target->host);
}

/* RFC 6120 §3.2.2: where no SRV record says anything else. */
static void connect_add_fallback(struct connect *connect)
{
	connect_add_target(connect, &(struct resolve_target){ connect->domain, connect->fallback_port, false });
}

/* Nothing is left to try. */
static void connect_fail(struct connect *connect)
{
	bool configured = connect->found_by_srv || connect->found_by_administrator;

	if (connect->place_count > 0)
		connect_finish(connect, connect->failure, NULL, NULL);
	else if (connect->dns_failed)
		connect_finish(connect, CONNECT_DNS_FAILED, NULL, NULL);
	else
		connect_finish(connect, configured ? CONNECT_FAILED : CONNECT_NO_SUCH_DOMAIN, NULL, NULL);
}

static void connect_deadline_expired(struct worker *worker, struct timer *timer)
{
	struct connect *connect = LIST_MEMBER(timer, struct connect, deadline);

	(void)worker;
	if (connect->resolve && connect->place_count == 0) {
		connect->dns_failed = true;
		connect_say(connect, "the DNS does not answer for %s", connect->domain);
	} else if (!list_is_empty(&connect->attempts)) {
		struct attempt *first = LIST_MEMBER(list_first(&connect->attempts), struct attempt, link);
		char text[ADDRESS_TEXT];

		address_write(&first->place.address, text);
		connect->failure = CONNECT_SILENT;
		connect_say(connect, "connecting to %s: no answer in time", text);
	}
	connect_fail(connect);
}

/* ---- SRV ---- */

static void connect_found_services(void *owner, enum resolve_status status,
                                   const struct resolve_target *targets, size_t count)
{
	struct connect *connect = owner;

	connect->resolve = NULL;
	switch (status) {
	case RESOLVE_OK:
		connect->found_by_srv = true;
		for (size_t i = 0; i < count; i++)
			connect_add_target(connect, &targets[i]);
		break;
	case RESOLVE_NONE:
		connect_add_fallback(connect);
		break;
	case RESOLVE_REFUSED:
		connect_say(connect, "the SRV record of %s says that it does not offer this service",
		            connect->domain);
		connect_finish(connect, CONNECT_NO_SERVICE, NULL, NULL);
		return;
	case RESOLVE_FAILED:
		connect_say(connect, "the DNS could not say how %s is reached", connect->domain);
		connect_finish(connect, CONNECT_DNS_FAILED, NULL, NULL);
		return;
	}
	connect_step(connect);
}

/* ---- addresses ---- */

/* For who watches. */
static void connect_tell(const struct connect *connect, const struct resolve_target *target,
                         const struct address *addresses, size_t count)
{
	struct buf place = { 0 };
	char text[ADDRESS_TEXT];

	buf_printf(&place, "%s:", target->host);
	for (size_t i = 0; i < count; i++) {
		address_write(&addresses[i], text);
		buf_printf(&place, "%s %s", i ? "," : "", text);
	}
	connect->found(connect->owner, place.data);
	buf_clear(&place);
}

static void connect_found_addresses(void *owner, enum resolve_status status, const struct address *addresses,
                                    size_t count)
{
	struct connect *connect = owner;
	const struct resolve_target *target = &connect->targets[connect->target_next - 1];

	connect->resolve = NULL;
	if (status == RESOLVE_FAILED)
		connect->dns_failed = true;
	if (status != RESOLVE_OK && connect->place_count == 0)
		connect_say(connect,
		            status == RESOLVE_FAILED ? "the DNS could not say the address of %s"
		                                     : "%s has no address in the DNS",
		            target->host);
	for (size_t i = 0; i < count && connect->place_count < CONNECT_ATTEMPTS; i++)
		connect->places[connect->place_count++] = (struct place){ addresses[i], target->tls };
	if (connect->found && count > 0)
		connect_tell(connect, target, addresses, count);
	if (!timer_is_running(&connect->step_timer))
		connect_step(connect);
}

static void connect_resolve_next(struct connect *connect)
{
	const struct resolve_target *target = &connect->targets[connect->target_next++];

	connect->resolve = resolve_addresses(connect->resolver, target->host, target->port,
	                                     connect_found_addresses, connect);
}

/* ---- attempts ---- */

static void connect_note_errno(struct connect *connect, const struct address *address, int error)
{
	char text[ADDRESS_TEXT];

	connect->failure = error == ECONNREFUSED ? CONNECT_REFUSED
	                   : error == ETIMEDOUT  ? CONNECT_SILENT
	                                         : CONNECT_FAILED;
	address_write(address, text);
	connect_say(connect, "connecting to %s: %s", text, strerror(error));
}

static void attempt_ready(evutil_socket_t fd, short what, void *context)
{
	struct attempt *attempt = context;
	struct connect *connect = attempt->connect;
	int error = 0;
	socklen_t len = sizeof(error);

	(void)what;
	worker_stirred(connect->worker);
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error == 0) {
		attempt->fd = -1;
		connect_finish(connect, CONNECT_OK, transport_socket(connect->worker, fd), &attempt->place);
		return;
	}
	connect_note_errno(connect, &attempt->place.address, error);
	attempt_free(attempt);
	connect_step(connect);
}

/* A socket that is connecting; -1 and errno: it has failed already. */
static int attempt_open(const struct address *address)
{
	int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0 || connect(fd, &address->any, (socklen_t)address_size(address)) == 0 ||
	    errno == EINPROGRESS)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* false: it has failed already. */
static bool attempt_start(struct connect *connect, const struct place *place)
{
	struct attempt *attempt;
	int fd = attempt_open(&place->address);

	if (fd < 0) {
		connect_note_errno(connect, &place->address, errno);
		return false;
	}
	attempt = mem_zalloc(sizeof(*attempt));
	attempt->connect = connect;
	attempt->place = *place;
	attempt->fd = fd;
	event_assign(&attempt->event, worker_events(connect->worker), fd, EV_WRITE, attempt_ready, attempt);
	event_add(&attempt->event, NULL);
	list_add_last(&connect->attempts, &attempt->link);
	return true;
}

static void connect_step_expired(struct worker *worker, struct timer *timer)
{
	(void)worker;
	connect_step(LIST_MEMBER(timer, struct connect, step_timer));
}

/* Begins what can be begun: the next address, else the next target's; ends when nothing is under way any
 * more. */
static void connect_step(struct connect *connect)
{
	timer_stop(connect->worker, &connect->step_timer);
	while (connect->place_next < connect->place_count)
		if (attempt_start(connect, &connect->places[connect->place_next++])) {
			timer_start(connect->worker, &connect->step_timer, CONNECT_STEP_MS,
			            connect_step_expired);
			return;
		}
	if (connect->resolve)
		return;
	if (connect->target_next < connect->target_count && connect->place_count < CONNECT_ATTEMPTS)
		connect_resolve_next(connect);
	else if (list_is_empty(&connect->attempts))
		connect_fail(connect);
}

static void connect_ask_services(struct connect *connect, const struct connect_options *options)
{
	char *name = str_printf("%s.%s", options->service, options->domain);
	char *tls_name = options->tls_service ? str_printf("%s.%s", options->tls_service, options->domain) : NULL;

	connect->resolve = resolve_srv(connect->resolver, name, tls_name, connect_found_services, connect);
	free(name);
	free(tls_name);
}

struct connect *connect_start(struct worker *worker, struct resolver *resolver,
                              const struct connect_options *options, connect_done *done, void *owner)
{
	struct connect *connect = mem_zalloc(sizeof(*connect));

	connect->worker = worker;
	connect->resolver = resolver;
	connect->domain = str_dup(options->domain);
	connect->fallback_port = options->fallback_port;
	connect->found_by_administrator = options->target_count > 0;
	connect->failure = CONNECT_FAILED;
	connect->found = options->found;
	connect->done = done;
	connect->owner = owner;
	list_init(&connect->attempts);
	timer_start(worker, &connect->deadline,
	            options->timeout_ms ? options->timeout_ms : CONNECT_TIMEOUT_MS, connect_deadline_expired);
	for (size_t i = 0; i < options->target_count; i++)
		connect_add_target(connect, &options->targets[i]);
	if (!connect->found_by_administrator && options->service) {
		connect_ask_services(connect, options);
		return connect;
	}
	if (!connect->found_by_administrator)
		connect_add_fallback(connect);
	connect_resolve_next(connect);
	return connect;
}
