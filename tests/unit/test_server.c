/* SPDX-License-Identifier: MIT
 *
 * A server with its threads and the embedded store: start, what hinders it, a new configuration with other
 * addresses, stop.
 */
#include "core/server.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../support/folder.h"
#include "base/mem.h"
#include "core/module.h"
#include "net/transport.h"

static char *folder, *path;
static unsigned first_port;

/* ---- a module that counts ---- */

static unsigned started, stopped, opened, closed, configured, drained;
static atomic_uint accepted;

static bool witness_start(struct server *server, char **error)
{
	(void)error;
	assert_int_equal(strlen(server->secret), 64);
	started++;
	return true;
}

static void witness_stop(struct server *server)
{
	(void)server;
	stopped++;
}

static void *witness_open(struct home *home)
{
	opened++;
	return home;
}

static void witness_close(struct home *home, void *part)
{
	assert_ptr_equal(part, home);
	closed++;
}

static void witness_drain(struct home *home)
{
	assert_true(home->draining);
	__atomic_fetch_add(&drained, 1, __ATOMIC_SEQ_CST);
}

static void witness_configured(struct home *home)
{
	(void)home;
	__atomic_fetch_add(&configured, 1, __ATOMIC_SEQ_CST);
}

static void witness_accepted(struct home *home, enum listen_kind kind, struct transport *transport)
{
	(void)home;
	assert_int_equal(kind, LISTEN_CLIENT);
	transport->ops->free(transport);
	atomic_fetch_add(&accepted, 1);
}

static const struct module witness_module = {
	.name = "witness",
	.start = witness_start,
	.stop = witness_stop,
	.home_open = witness_open,
	.home_close = witness_close,
	.home_drain = witness_drain,
	.home_configured = witness_configured,
	.listens = 1u << LISTEN_CLIENT,
	.accepted = witness_accepted,
};
static const struct module *const modules[] = { &witness_module, NULL };

static bool failing_start(struct server *server, char **error)
{
	(void)server;
	*error = str_dup("it is not the day");
	return false;
}

static const struct module failing_module = { .name = "failing", .start = failing_start };
static const struct module *const failing_modules[] = { &witness_module, &failing_module, NULL };

/* ---- help ---- */

static void configure(unsigned port)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fprintf(file,
	        "server { workers = 2 }\nhost north.example { }\ntls { client-required = no }\n"
	        "store { path = \"h.db\" }\nlog { level = error }\n"
	        "listen c { kind = client address = \"127.0.0.1\" port = %u }\n",
	        port);
	assert_int_equal(fclose(file), 0);
}

static struct server *start(const struct module *const *list, char **error)
{
	struct server_options options = { .config_path = path, .modules = list };

	return server_start(&options, error);
}

static struct sockaddr_in loopback(unsigned port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
		                     .sin_port = htons((uint16_t)port),
		                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* A socket that has a free port, listening without SO_REUSEPORT. */
static int occupy(unsigned *port)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in address = loopback(0);
	socklen_t len = sizeof(address);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static bool connects(unsigned port)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool connected = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

	close(fd);
	return connected;
}

/* ---- tests ---- */

static void test_start_and_stop(void **state)
{
	char *error = NULL, secret[65];
	struct server *server;

	(void)state;
	configure(first_port);
	server = start(modules, &error);
	if (!server)
		fail_msg("%s", error);
	memcpy(secret, server->secret, sizeof(secret));
	assert_true(connects(first_port));
	for (int tries = 0; atomic_load(&accepted) == 0 && tries < 10000; tries++)
		usleep(1000);
	assert_int_equal(atomic_load(&accepted), 1);
	server_stop(&server);
	assert_null(server);
	assert_int_equal(started, 1);
	assert_int_equal(stopped, 1);
	assert_int_equal(opened, 2);
	assert_int_equal(closed, 2);
	assert_int_equal(drained, 2);
	assert_false(connects(first_port));

	/* The secret is the store's, not the process's. */
	server = start(modules, &error);
	assert_non_null(server);
	assert_string_equal(server->secret, secret);
	server_stop(&server);
}

static void test_what_hinders_a_start(void **state)
{
	char *error = NULL, *expected;
	unsigned taken;
	int fd = occupy(&taken);

	(void)state;
	configure(taken);
	assert_null(start(modules, &error));
	expected = str_printf("cannot listen at 127.0.0.1:%u: Address already in use", taken);
	assert_string_equal(error, expected);
	free(expected);
	free(error);
	close(fd);

	configure(first_port);
	started = stopped = 0;
	assert_null(start(failing_modules, &error));
	assert_string_equal(error, "it is not the day");
	assert_int_equal(started, 1);
	assert_int_equal(stopped, 1);
	free(error);
}

static void count_home(struct home *home, void *context)
{
	assert_ptr_equal(home_of(home->worker), home);
	atomic_fetch_add((atomic_uint *)context, 1);
}

static void test_reload(void **state)
{
	char *error = NULL;
	struct server *server;
	atomic_uint visited = 0;
	unsigned second_port, taken;
	int fd;

	(void)state;
	close(occupy(&second_port));
	configure(first_port);
	server = start(modules, &error);
	assert_non_null(server);
	configured = 0;
	configure(second_port);
	assert_null(server_reload(server));
	server_visit_homes(server, count_home, &visited);
	assert_int_equal(visited, 2);
	assert_int_equal(configured, 2);
	assert_true(connects(second_port));

	/* One that cannot be had changes nothing. */
	fd = occupy(&taken);
	configure(taken);
	error = server_reload(server);
	assert_non_null(strstr(error, "cannot listen at "));
	free(error);
	close(fd);
	assert_true(connects(second_port));
	assert_int_equal(configured, 2);
	server_stop(&server);
}

static void test_check(void **state)
{
	char *error;

	(void)state;
	configure(first_port);
	assert_null(server_check(path, modules));
	configure(70000);
	error = server_check(path, modules);
	assert_non_null(strstr(error, "hansa.conf:6: bad value \"70000\" for port"));
	free(error);
}

static int setup(void **state)
{
	(void)state;
	folder = folder_make();
	path = str_printf("%s/hansa.conf", folder);
	close(occupy(&first_port));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(path);
	folder_remove(&folder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start_and_stop),
		cmocka_unit_test(test_what_hinders_a_start),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_check),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
