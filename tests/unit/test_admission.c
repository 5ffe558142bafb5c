/* SPDX-License-Identifier: MIT
 *
 * Admission: the limit of an address, the order of those who wait, leaving at every moment, trusted networks, a /64 as
 * one address, a limit that changes; and many threads at once that never exceed it (run under TSan too).
 */
#include "net/admission.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

static const struct hash_seed seed = { 3, 4 };

struct guest {
	struct admission_pass pass;
	unsigned admitted;
};

static void guest_admitted(struct worker *worker, struct admission_pass *pass)
{
	struct guest *guest = LIST_MEMBER(pass, struct guest, pass);

	assert_ptr_equal(worker, pass->worker);
	guest->admitted++;
}

static bool guest_enter(struct world *world, struct admission *admission, struct guest *guest,
                        const char *from)
{
	struct address address;

	assert_true(address_read(from, 1234, &address));
	return admission_enter(admission, world_worker(world, 0), &guest->pass, &address, guest_admitted);
}

static void the_next_in_line_follows(void **state)
{
	struct world *world = world_new(1, true);
	struct admission *admission = admission_new(2, 0, NULL, 0, &seed);
	struct guest g[5] = { 0 }, stranger = { 0 };

	(void)state;
	assert_true(guest_enter(world, admission, &g[0], "192.0.2.1"));
	assert_true(guest_enter(world, admission, &g[1], "192.0.2.1"));
	for (int i = 2; i < 5; i++)
		assert_false(guest_enter(world, admission, &g[i], "192.0.2.1"));
	assert_true(guest_enter(world, admission, &stranger, "192.0.2.2"));
	assert_true(admission_leave(admission, &g[3].pass));
	assert_true(admission_leave(admission, &g[0].pass));
	assert_int_equal(g[2].admitted, 0);
	world_settle(world);
	assert_int_equal(g[2].admitted, 1);
	assert_int_equal(g[4].admitted, 0);
	assert_true(admission_leave(admission, &g[2].pass));
	world_settle(world);
	assert_int_equal(g[4].admitted, 1);
	assert_int_equal(g[3].admitted, 0);
	assert_true(admission_leave(admission, &g[1].pass));
	assert_true(admission_leave(admission, &g[4].pass));
	assert_true(admission_leave(admission, &stranger.pass));
	/* Leaving twice, or without having entered, does no harm. */
	assert_true(admission_leave(admission, &stranger.pass));
	admission_free(&admission);
	world_free(world);
}

static void leaving_while_the_mail_is_under_way(void **state)
{
	struct world *world = world_new(1, true);
	struct admission *admission = admission_new(1, 0, NULL, 0, &seed);
	struct guest g[3] = { 0 };

	(void)state;
	assert_true(guest_enter(world, admission, &g[0], "192.0.2.1"));
	assert_false(guest_enter(world, admission, &g[1], "192.0.2.1"));
	assert_false(guest_enter(world, admission, &g[2], "192.0.2.1"));
	assert_true(admission_leave(admission, &g[0].pass));
	assert_false(admission_leave(admission, &g[1].pass));
	world_settle(world);
	/* The owner of the one that left frees it there, and its place went on. */
	assert_int_equal(g[1].admitted, 1);
	assert_int_equal(g[2].admitted, 1);
	assert_true(admission_leave(admission, &g[2].pass));
	assert_true(guest_enter(world, admission, &g[0], "192.0.2.1"));
	assert_true(admission_leave(admission, &g[0].pass));
	admission_free(&admission);
	world_free(world);
}

/* Whoever is freed lets in the next of those that have room of their own, in turn. */
static void all_addresses_together_have_a_limit(void **state)
{
	struct world *world = world_new(1, true);
	struct admission *admission = admission_new(2, 3, NULL, 0, &seed);
	struct guest a[4] = { 0 }, b[3] = { 0 }, c = { 0 };

	(void)state;
	assert_true(guest_enter(world, admission, &a[0], "192.0.2.1"));
	assert_true(guest_enter(world, admission, &a[1], "192.0.2.1"));
	assert_false(guest_enter(world, admission, &a[2], "192.0.2.1"));
	assert_true(guest_enter(world, admission, &b[0], "192.0.2.2"));
	assert_false(guest_enter(world, admission, &b[1], "192.0.2.2"));
	assert_false(guest_enter(world, admission, &c, "192.0.2.3"));
	assert_true(admission_leave(admission, &b[0].pass));
	world_settle(world);
	assert_int_equal(b[1].admitted, 1);
	assert_false(guest_enter(world, admission, &b[2], "192.0.2.2"));
	assert_true(admission_leave(admission, &a[0].pass));
	world_settle(world);
	assert_int_equal(a[2].admitted, 1);
	assert_true(admission_leave(admission, &a[1].pass));
	world_settle(world);
	assert_int_equal(c.admitted, 1);
	assert_int_equal(b[2].admitted, 0);
	/* Who waits and leaves takes no place; a crowd of nobody is forgotten. */
	assert_false(guest_enter(world, admission, &a[3], "192.0.2.4"));
	assert_true(admission_leave(admission, &a[3].pass));
	admission_set(admission, 2, 4, NULL, 0);
	world_settle(world);
	assert_int_equal(b[2].admitted, 1);
	assert_true(admission_leave(admission, &a[2].pass));
	assert_true(admission_leave(admission, &b[1].pass));
	assert_true(admission_leave(admission, &b[2].pass));
	assert_true(admission_leave(admission, &c.pass));
	admission_free(&admission);
	world_free(world);
}

static void trusted_networks_have_no_limit(void **state)
{
	struct world *world = world_new(1, true);
	struct network_range campus;
	struct admission *admission;
	struct guest g[4] = { 0 };

	(void)state;
	assert_true(network_range_read("10.0.0.0/8", &campus));
	admission = admission_new(1, 0, &campus, 1, &seed);
	for (int i = 0; i < 3; i++)
		assert_true(guest_enter(world, admission, &g[i], "10.1.2.3"));
	/* Trust that ends while they are inside does not confuse the count. */
	admission_set(admission, 1, 0, NULL, 0);
	for (int i = 0; i < 3; i++)
		assert_true(admission_leave(admission, &g[i].pass));
	assert_true(guest_enter(world, admission, &g[0], "10.1.2.3"));
	assert_false(guest_enter(world, admission, &g[1], "10.1.2.3"));
	assert_true(admission_leave(admission, &g[1].pass));
	assert_true(admission_leave(admission, &g[0].pass));
	admission_free(&admission);
	world_free(world);
}

static void a_64_counts_as_one_address(void **state)
{
	struct world *world = world_new(1, true);
	struct admission *admission = admission_new(1, 0, NULL, 0, &seed);
	struct guest g[3] = { 0 };

	(void)state;
	assert_true(guest_enter(world, admission, &g[0], "2001:db8:0:1::1"));
	assert_false(guest_enter(world, admission, &g[1], "2001:db8:0:1:ffff::2"));
	assert_true(guest_enter(world, admission, &g[2], "2001:db8:0:2::1"));
	for (int i = 2; i >= 0; i--)
		admission_leave(admission, &g[i].pass);
	admission_free(&admission);
	world_free(world);
}

static void a_higher_limit_calls_those_who_wait(void **state)
{
	struct world *world = world_new(1, true);
	struct admission *admission = admission_new(1, 0, NULL, 0, &seed);
	struct guest g[4] = { 0 };

	(void)state;
	assert_true(guest_enter(world, admission, &g[0], "192.0.2.1"));
	for (int i = 1; i < 4; i++)
		assert_false(guest_enter(world, admission, &g[i], "192.0.2.1"));
	admission_set(admission, 3, 0, NULL, 0);
	world_settle(world);
	assert_int_equal(g[1].admitted + g[2].admitted, 2);
	assert_int_equal(g[3].admitted, 0);
	admission_set(admission, 0, 0, NULL, 0);
	world_settle(world);
	assert_int_equal(g[3].admitted, 1);
	for (int i = 0; i < 4; i++)
		assert_true(admission_leave(admission, &g[i].pass));
	admission_free(&admission);
	world_free(world);
}

/* ---- threads ---- */

enum { LIMIT = 3, VISITORS = 40, VISITS = 200 };

struct hall {
	struct admission *admission;
	struct address address;
	atomic_int inside;
	atomic_int visits;
	atomic_bool exceeded;
};

struct visitor {
	struct admission_pass pass;
	struct mail mail;
	struct hall *hall;
	unsigned left;
};

static void visitor_leave(struct worker *worker, struct mail *mail);

static void visitor_is_in(struct worker *worker, struct visitor *visitor)
{
	if (atomic_fetch_add(&visitor->hall->inside, 1) >= LIMIT)
		atomic_store(&visitor->hall->exceeded, true);
	visitor->mail.arrive = visitor_leave;
	worker_post(worker, worker, &visitor->mail);
}

static void visitor_admitted(struct worker *worker, struct admission_pass *pass)
{
	visitor_is_in(worker, LIST_MEMBER(pass, struct visitor, pass));
}

static void visitor_come(struct worker *worker, struct mail *mail)
{
	struct visitor *visitor = LIST_MEMBER(mail, struct visitor, mail);

	if (admission_enter(visitor->hall->admission, worker, &visitor->pass, &visitor->hall->address,
	                    visitor_admitted))
		visitor_is_in(worker, visitor);
}

static void visitor_leave(struct worker *worker, struct mail *mail)
{
	struct visitor *visitor = LIST_MEMBER(mail, struct visitor, mail);

	atomic_fetch_sub(&visitor->hall->inside, 1);
	if (!admission_leave(visitor->hall->admission, &visitor->pass))
		atomic_store(&visitor->hall->exceeded, true);
	atomic_fetch_add(&visitor->hall->visits, 1);
	if (--visitor->left == 0)
		return;
	visitor->mail.arrive = visitor_come;
	worker_post(worker, worker, &visitor->mail);
}

static void many_threads_never_exceed_the_limit(void **state)
{
	struct world *world = world_new(4, false);
	struct hall hall = { .admission = admission_new(LIMIT, 0, NULL, 0, &seed) };
	struct visitor visitors[VISITORS] = { 0 };

	(void)state;
	assert_true(address_read("192.0.2.1", 0, &hall.address));
	for (size_t i = 0; i < VISITORS; i++) {
		visitors[i].hall = &hall;
		visitors[i].left = VISITS;
		visitors[i].mail.arrive = visitor_come;
		worker_post(NULL, world_worker(world, i % 4), &visitors[i].mail);
	}
	WORLD_WAIT(world, false, atomic_load(&hall.visits) == VISITORS * VISITS);
	assert_false(atomic_load(&hall.exceeded));
	assert_int_equal(atomic_load(&hall.inside), 0);
	workers_stop(world->workers);
	admission_free(&hall.admission);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_in_line_follows),
		cmocka_unit_test(leaving_while_the_mail_is_under_way),
		cmocka_unit_test(all_addresses_together_have_a_limit),
		cmocka_unit_test(trusted_networks_have_no_limit),
		cmocka_unit_test(a_64_counts_as_one_address),
		cmocka_unit_test(a_higher_limit_calls_those_who_wait),
		cmocka_unit_test(many_threads_never_exceed_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
