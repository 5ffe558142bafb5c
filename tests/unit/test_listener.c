/* SPDX-License-Identifier: MIT
 *
 * Listeners on loopback: every connection is accepted once, on some worker; an address in use is said so; closing ends
 * the listening; without descriptors accepting pauses, what is connected lives, and it goes on afterwards.
 */
#include "net/listener.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "world.h"

struct door {
	atomic_uint accepted;
	atomic_uint on_worker[4];
	atomic_bool wrong_worker;
	struct workers *workers;
};

static void door_accepted(struct worker *worker, struct transport *transport, void *owner)
{
	struct door *door = owner;

	atomic_fetch_add(&door->on_worker[worker_number(worker)], 1);
	atomic_fetch_add(&door->accepted, 1);
	transport->ops->free(transport);
}

static int dial(const struct address *address)
{
	int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, &address->any, (socklen_t)address_size(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void accepts_on_all_workers(void **state)
{
	enum { CALLS = 200 };
	struct world *world = world_new(2, false);
	struct door door = { 0 };
	struct address address;
	struct listener *listener;
	const char *error;
	int fds[CALLS];

	(void)state;
	assert_true(address_read("127.0.0.1", 0, &address));
	listener = listener_open(world->workers, &address, door_accepted, &door, &error);
	assert_non_null(listener);
	listener_address(listener, &address);
	assert_int_not_equal(address_port(&address), 0);
	for (int i = 0; i < CALLS; i++)
		assert_true((fds[i] = dial(&address)) >= 0);
	WORLD_WAIT(world, false, atomic_load(&door.accepted) == CALLS);
	assert_true(door.on_worker[0] > 0 && door.on_worker[1] > 0);
	for (int i = 0; i < CALLS; i++)
		close(fds[i]);
	listener_close(&listener);
	assert_null(listener);
	WORLD_WAIT(world, false, dial(&address) < 0);
	world_free(world);
}

static void says_that_an_address_is_in_use(void **state)
{
	struct world *world = world_new(2, true);
	struct door door = { 0 };
	struct listener *listener, *second;
	struct address address, nowhere;
	const char *error = NULL;

	(void)state;
	assert_true(address_read("::1", 0, &address) && address_read("192.0.2.1", 0, &nowhere));
	listener = listener_open(world->workers, &address, door_accepted, &door, &error);
	if (!listener)          /* a machine without IPv6 */
		assert_true(address_read("127.0.0.1", 0, &address));
	if (!listener)
		listener = listener_open(world->workers, &address, door_accepted, &door, &error);
	assert_non_null(listener);
	listener_address(listener, &address);
	second = listener_open(world->workers, &address, door_accepted, &door, &error);
	assert_null(second);
	assert_string_equal(error, "Address already in use");
	assert_null(listener_open(world->workers, &nowhere, door_accepted, &door, &error));
	assert_string_equal(error, "Cannot assign requested address");
	listener_close(&listener);
	listener = listener_open(world->workers, &address, door_accepted, &door, &error);
	assert_non_null(listener);
	listener_close(&listener);
	world_free(world);
}

static void accepts_a_few_in_a_turn(void **state)
{
	struct world *world = world_new(1, true);
	struct door door = { 0 };
	struct listener *listener;
	struct address address;
	const char *error;
	int fds[40];

	(void)state;
	assert_true(address_read("127.0.0.1", 0, &address));
	listener = listener_open(world->workers, &address, door_accepted, &door, &error);
	listener_address(listener, &address);
	for (int i = 0; i < 40; i++)
		assert_true((fds[i] = dial(&address)) >= 0);
	assert_true(workers_step(world->workers));
	assert_int_equal(door.accepted, 16);
	WORLD_WAIT(world, true, door.accepted == 40);
	for (int i = 0; i < 40; i++)
		close(fds[i]);
	listener_close(&listener);
	world_free(world);
}

/* Takes all descriptors that are left; *count of them. */
static int *take_descriptors(size_t *count)
{
	int *fds = mem_zalloc(4096 * sizeof(*fds));

	for (*count = 0; *count < 4096 && (fds[*count] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;)
		++*count;
	return fds;
}

static void pauses_without_descriptors(void **state)
{
	struct world *world = world_new(1, true);
	struct rlimit limit, low;
	struct door door = { 0 };
	struct listener *listener;
	struct address address;
	const char *error;
	size_t count;
	int fd, *taken;

	(void)state;
	assert_true(address_read("127.0.0.1", 0, &address));
	listener = listener_open(world->workers, &address, door_accepted, &door, &error);
	listener_address(listener, &address);
	assert_true((fd = dial(&address)) >= 0);
	getrlimit(RLIMIT_NOFILE, &limit);
	low = limit;
	low.rlim_cur = 64;
	setrlimit(RLIMIT_NOFILE, &low);
	taken = take_descriptors(&count);
	WORLD_WAIT(world, true, !workers_step(world->workers));
	assert_int_equal(door.accepted, 0);
	while (count > 0)
		close(taken[--count]);
	free(taken);
	setrlimit(RLIMIT_NOFILE, &limit);
	/* It does not try before the second is over, and then it does. */
	world_pass(world, 900);
	assert_int_equal(door.accepted, 0);
	world_pass(world, 200);
	WORLD_WAIT(world, true, door.accepted == 1);
	close(fd);
	listener_close(&listener);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_on_all_workers),
		cmocka_unit_test(says_that_an_address_is_in_use),
		cmocka_unit_test(accepts_a_few_in_a_turn),
		cmocka_unit_test(pauses_without_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
