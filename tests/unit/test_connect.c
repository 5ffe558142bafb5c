/* SPDX-License-Identifier: MIT
 *
 * Reaching a domain: SRV before fallback, the next target after one that is dead, attempts side by side,
 * and each reason for which nothing comes of it.
 */
#include "net/connect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tiny_dns.h"
#include "world.h"

struct caller {
	struct world *world;
	struct tiny_dns *dns;
	struct resolver *resolver;
	int listening;
	uint16_t port;
	bool done;
	enum connect_status status;
	char reason[400];
	bool tls;
	char peer[ADDRESS_TEXT];
};

static void caller_done(void *owner, enum connect_status status, struct transport *transport, bool tls,
                        const char *reason)
{
	struct caller *caller = owner;
	struct address peer, own;

	assert_false(caller->done);
	caller->done = true;
	caller->status = status;
	caller->tls = tls;
	snprintf(caller->reason, sizeof(caller->reason), "%s", reason);
	assert_int_equal(status == CONNECT_OK, transport != NULL);
	if (!transport)
		return;
	transport->ops->address(transport, &peer, &own);
	address_write(&peer, caller->peer);
	transport->ops->free(transport);
}

static int listen_at(const char *host, uint16_t *port)
{
	struct address address;
	socklen_t len = sizeof(address.v4);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address_read(host, *port, &address);
	if (bind(fd, &address.any, len) < 0 || listen(fd, 8) < 0 || getsockname(fd, &address.any, &len) < 0)
		abort();
	*port = address_port(&address);
	return fd;
}

static int caller_setup(void **state)
{
	struct caller *caller = mem_zalloc(sizeof(*caller));
	struct resolver_options options = { .count = 1, .timeout_ms = 100, .tries = 2 };

	caller->world = world_new(1, true);
	caller->dns = tiny_dns_new();
	options.servers = &caller->dns->address;
	caller->resolver = resolver_new(world_worker(caller->world, 0), &options);
	caller->listening = listen_at("127.0.0.2", &caller->port);
	*state = caller;
	return 0;
}

static int caller_teardown(void **state)
{
	struct caller *caller = *state;

	resolver_free(&caller->resolver);
	world_free(caller->world);
	tiny_dns_free(&caller->dns);
	close(caller->listening);
	free(caller);
	return 0;
}

static void caller_wait(struct caller *caller)
{
	for (unsigned i = 0; i < 5000 && !caller->done; i++) {
		tiny_dns_serve(caller->dns, 1);
		caller->world->now_ms += 2;
		world_settle(caller->world);
	}
	assert_true(caller->done);
}

static void call_with(struct caller *caller, const struct connect_options *options)
{
	assert_non_null(connect_start(world_worker(caller->world, 0), caller->resolver, options, caller_done,
	                              caller));
	assert_false(caller->done);
	caller_wait(caller);
}

static void call(struct caller *caller, const char *domain)
{
	const struct connect_options options = {
		.domain = domain,
		.service = "_xmpp-server._tcp",
		.tls_service = "_xmpps-server._tcp",
		.fallback_port = caller->port,
		.timeout_ms = 3000,
	};

	call_with(caller, &options);
}

static void srv_says_where(void **state)
{
	struct caller *caller = *state;

	tiny_dns_srv(caller->dns, "_xmpp-server._tcp.south.example", 0, 0, "xmpp.south.example",
	             caller->port);
	tiny_dns_host(caller->dns, "xmpp.south.example", "127.0.0.2");
	call(caller, "south.example");
	assert_int_equal(caller->status, CONNECT_OK);
	assert_false(caller->tls);
	assert_memory_equal(caller->peer, "127.0.0.2:", 10);
}

/* Both services stand in one order (XEP-0368 §3); where nobody answers the other is tried. */
static void tls_at_once_has_its_place_in_the_order(void **state)
{
	struct caller *caller = *state;

	tiny_dns_srv(caller->dns, "_xmpp-server._tcp.south.example", 5, 0, "a.south.example", caller->port);
	tiny_dns_srv(caller->dns, "_xmpps-server._tcp.south.example", 3, 0, "b.south.example", caller->port);
	tiny_dns_srv(caller->dns, "_xmpp-server._tcp.south.example", 1, 0, "refuses.south.example", caller->port);
	tiny_dns_host(caller->dns, "refuses.south.example", "127.0.0.77");
	tiny_dns_host(caller->dns, "a.south.example", "127.0.0.2");
	tiny_dns_host(caller->dns, "b.south.example", "127.0.0.2");
	call(caller, "south.example");
	assert_int_equal(caller->status, CONNECT_OK);
	assert_true(caller->tls);
}

static void tls_at_once_alone(void **state)
{
	struct caller *caller = *state;

	tiny_dns_srv(caller->dns, "_xmpp-server._tcp.south.example", 0, 0, ".", 0);
	tiny_dns_srv(caller->dns, "_xmpps-server._tcp.south.example", 9, 0, "b.south.example", caller->port);
	tiny_dns_host(caller->dns, "b.south.example", "127.0.0.2");
	call(caller, "south.example");
	assert_int_equal(caller->status, CONNECT_OK);
	assert_true(caller->tls);
}

/* What could not be found out about one service does not stand in the way of the other. */
static void trouble_with_one_service_leaves_the_other(void **state)
{
	struct caller *caller = *state;

	tiny_dns_fault(caller->dns, "_xmpps-server._tcp.south.example", 0, TINY_DNS_SERVFAIL);
	tiny_dns_srv(caller->dns, "_xmpp-server._tcp.south.example", 0, 0, "a.south.example", caller->port);
	tiny_dns_host(caller->dns, "a.south.example", "127.0.0.2");
	call(caller, "south.example");
	assert_int_equal(caller->status, CONNECT_OK);
	assert_false(caller->tls);
}

static void without_srv_the_domain_itself(void **state)
{
	struct caller *caller = *state;

	tiny_dns_host(caller->dns, "south.example", "127.0.0.2");
	call(caller, "south.example");
	assert_int_equal(caller->status, CONNECT_OK);
}

/* The first target refuses, the second has no address, the third answers. */
static void dead_targets_are_passed(void **state)
{
	struct caller *caller = *state;
	const char *name = "_xmpp-server._tcp.south.example";

	tiny_dns_srv(caller->dns, name, 1, 0, "refuses.south.example", caller->port);
	tiny_dns_srv(caller->dns, name, 2, 0, "nothing.south.example", caller->port);
	tiny_dns_srv(caller->dns, name, 3, 0, "lives.south.example", caller->port);
	tiny_dns_host(caller->dns, "refuses.south.example", "127.0.0.77");
	tiny_dns_host(caller->dns, "lives.south.example", "127.0.0.2");
	call(caller, "south.example");
	assert_int_equal(caller->status, CONNECT_OK);
}

/* A full backlog answers nothing: the next address is tried beside it after 250 ms. */
static void a_silent_address_does_not_hold_up(void **state)
{
	struct caller *caller = *state;
	struct address address;
	int full = socket(AF_INET, SOCK_STREAM, 0), fill[4];
	uint64_t began = caller->world->now_ms;

	address_read("127.0.0.3", caller->port, &address);
	assert_int_equal(bind(full, &address.any, sizeof(address.v4)), 0);
	assert_int_equal(listen(full, 0), 0);
	for (size_t i = 0; i < 4; i++) {
		fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(fill[i], &address.any, sizeof(address.v4));
	}
	tiny_dns_host(caller->dns, "south.example", "127.0.0.3");
	tiny_dns_host(caller->dns, "south.example", "127.0.0.2");
	call(caller, "south.example");
	assert_int_equal(caller->status, CONNECT_OK);
	assert_memory_equal(caller->peer, "127.0.0.2:", 10);
	assert_in_range(caller->world->now_ms - began, 250, 2000);
	for (size_t i = 0; i < 4; i++)
		close(fill[i]);
	close(full);
}

static void nothing_there(void **state)
{
	struct caller *caller = *state;

	call(caller, "nowhere.example");
	assert_int_equal(caller->status, CONNECT_NO_SUCH_DOMAIN);
	assert_non_null(strstr(caller->reason, "nowhere.example"));
}

/* An SRV record stands for the domain: its own address is not tried (RFC 6120 §3.2.1, 8). */
static void no_fallback_behind_srv(void **state)
{
	struct caller *caller = *state;

	tiny_dns_srv(caller->dns, "_xmpp-server._tcp.south.example", 0, 0, "gone.south.example",
	             caller->port);
	tiny_dns_host(caller->dns, "south.example", "127.0.0.2");
	call(caller, "south.example");
	assert_int_equal(caller->status, CONNECT_FAILED);
}

static void a_dot_is_a_refusal(void **state)
{
	struct caller *caller = *state;

	tiny_dns_srv(caller->dns, "_xmpp-server._tcp.closed.example", 0, 0, ".", 0);
	tiny_dns_host(caller->dns, "closed.example", "127.0.0.2");
	call(caller, "closed.example");
	assert_int_equal(caller->status, CONNECT_NO_SERVICE);
}

static void trouble_with_srv_is_no_fallback(void **state)
{
	struct caller *caller = *state;

	tiny_dns_host(caller->dns, "south.example", "127.0.0.2");
	tiny_dns_fault(caller->dns, "_xmpp-server._tcp.south.example", 0, TINY_DNS_SERVFAIL);
	call(caller, "south.example");
	assert_int_equal(caller->status, CONNECT_DNS_FAILED);
}

static void nobody_listens(void **state)
{
	struct caller *caller = *state;

	tiny_dns_host(caller->dns, "south.example", "127.0.0.77");
	call(caller, "south.example");
	assert_int_equal(caller->status, CONNECT_REFUSED);
	assert_non_null(strstr(caller->reason, "127.0.0.77"));
	assert_non_null(strstr(caller->reason, "refused"));
}

static void the_administrator_knows_better(void **state)
{
	struct caller *caller = *state;
	const struct resolve_target targets[] = { { "127.0.0.77", caller->port, false },
		                                  { "127.0.0.2", caller->port, true } };
	const struct connect_options options = {
		.domain = "south.example",
		.service = "_xmpp-server._tcp",
		.fallback_port = 1,
		.targets = targets,
		.target_count = 2,
	};

	call_with(caller, &options);
	assert_int_equal(caller->status, CONNECT_OK);
	assert_true(caller->tls);
	assert_int_equal(caller->dns->asked, 0);
}

static void time_runs_out(void **state)
{
	struct caller *caller = *state;

	tiny_dns_fault(caller->dns, "_xmpp-server._tcp.south.example", 0, -1);
	caller->world->now_ms += 1;
	call(caller, "south.example");
	assert_int_equal(caller->status, CONNECT_DNS_FAILED);
}

static void cancelled_is_silent(void **state)
{
	struct caller *caller = *state;
	const struct connect_options options = { .domain = "south.example", .fallback_port = caller->port };
	struct connect *connect;

	tiny_dns_host(caller->dns, "south.example", "127.0.0.2");
	connect = connect_start(world_worker(caller->world, 0), caller->resolver, &options, caller_done,
	                        caller);
	connect_cancel(&connect);
	assert_null(connect);
	for (unsigned i = 0; i < 50; i++) {
		tiny_dns_serve(caller->dns, 1);
		world_pass(caller->world, 10);
	}
	assert_false(caller->done);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, caller_setup, caller_teardown)
	const struct CMUnitTest tests[] = {
		TEST(srv_says_where),          TEST(without_srv_the_domain_itself),
		TEST(tls_at_once_has_its_place_in_the_order),
		TEST(tls_at_once_alone),       TEST(trouble_with_one_service_leaves_the_other),
		TEST(dead_targets_are_passed), TEST(a_silent_address_does_not_hold_up),
		TEST(nothing_there),           TEST(no_fallback_behind_srv),
		TEST(a_dot_is_a_refusal),      TEST(trouble_with_srv_is_no_fallback),
		TEST(nobody_listens),          TEST(the_administrator_knows_better),
		TEST(time_runs_out),           TEST(cancelled_is_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
