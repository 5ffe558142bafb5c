/* SPDX-License-Identifier: MIT
 *
 * Workers: mail keeps its order and arrives after the caller has returned, the end of a turn runs its jobs once, a
 * scheduler chooses whose mail comes first, threads start, stop and start again. Run under TSan too.
 */
#include "net/worker.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "world.h"

enum { LETTERS = 20000 };

struct letter {
	struct mail mail;
	size_t sender;
	unsigned number;
	void *desk;
};

/* What one worker receives. */
struct desk {
	unsigned next[8];       /* expected of each sender */
	atomic_uint received;
	atomic_bool disordered;
	struct worker *worker;
	struct turn_job job;
	struct desk *peers;
	size_t count;
	unsigned left;          /* still to send to each peer */
	size_t number;
};

static void letter_arrived(struct worker *worker, struct mail *mail)
{
	struct letter *letter = LIST_MEMBER(mail, struct letter, mail);
	struct desk *desk = worker_owner(worker);

	if (desk->next[letter->sender]++ != letter->number)
		atomic_store(&desk->disordered, true);
	atomic_fetch_add(&desk->received, 1);
	free(letter);
}

static void letter_send(struct worker *from, struct worker *to, size_t sender, unsigned number)
{
	struct letter *letter = mem_zalloc(sizeof(*letter));

	letter->mail.arrive = letter_arrived;
	letter->sender = sender;
	letter->number = number;
	worker_post(from, to, &letter->mail);
}

static void arrives_in_order_after_the_return(void **state)
{
	struct world *world = world_new(2, true);
	struct desk desks[2] = { 0 };

	(void)state;
	for (size_t i = 0; i < 2; i++)
		worker_set_owner(world_worker(world, i), &desks[i]);
	for (unsigned i = 0; i < LETTERS; i++) {
		letter_send(world_worker(world, 0), world_worker(world, 0), 0, i);
		letter_send(world_worker(world, 0), world_worker(world, 1), 0, i);
		letter_send(NULL, world_worker(world, 1), 2, i);
	}
	assert_int_equal(desks[0].received + desks[1].received, 0);
	world_settle(world);
	assert_int_equal(desks[0].received, LETTERS);
	assert_int_equal(desks[1].received, 2 * LETTERS);
	assert_false(desks[0].disordered || desks[1].disordered);
	assert_false(workers_step(world->workers));
	world_free(world);
}

/* ---- jobs ---- */

struct task {
	struct turn_job job;
	unsigned runs;
	bool again;
};

static void task_run(struct worker *worker, struct turn_job *job)
{
	struct task *task = LIST_MEMBER(job, struct task, job);

	task->runs++;
	if (task->again && task->runs < 3)
		worker_at_end_of_turn(worker, job);
}

static void jobs_run_once_a_turn(void **state)
{
	struct world *world = world_new(1, true);
	struct task once = { .job.run = task_run }, thrice = { .job.run = task_run, .again = true };

	(void)state;
	worker_at_end_of_turn(world_worker(world, 0), &once.job);
	worker_at_end_of_turn(world_worker(world, 0), &once.job);
	worker_at_end_of_turn(world_worker(world, 0), &thrice.job);
	assert_true(workers_step(world->workers));
	assert_int_equal(once.runs, 1);
	assert_int_equal(thrice.runs, 1);
	world_settle(world);
	assert_int_equal(once.runs, 1);
	assert_int_equal(thrice.runs, 3);
	world_free(world);
}

/* ---- who comes first ---- */

struct order {
	struct mail mail;
	size_t *list;
	size_t *count;
};

static void order_arrived(struct worker *worker, struct mail *mail)
{
	struct order *order = LIST_MEMBER(mail, struct order, mail);

	order->list[(*order->count)++] = worker_number(worker);
}

static size_t pick_last(void *context, size_t n)
{
	(void)context;
	return n - 1;
}

static void a_scheduler_picks_the_mailbox(void **state)
{
	struct workers_options options = {
		.count = 4, .stepped = true, .clock = &clock_system, .entropy = &entropy_system, .pick = pick_last,
	};
	struct workers *workers = workers_new(&options);
	size_t list[4], count = 0;
	struct order orders[4];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		orders[i] = (struct order){ .mail.arrive = order_arrived, .list = list, .count = &count };
		if (i != 1)
			worker_post(NULL, workers_at(workers, i), &orders[i].mail);
	}
	assert_true(workers_step(workers));
	assert_int_equal(count, 3);
	assert_int_equal(list[0], 3);
	assert_int_equal(list[1], 2);
	assert_int_equal(list[2], 0);
	workers_free(&workers);
}

static void an_address_has_one_home(void **state)
{
	struct world *world = world_new(3, true);
	unsigned hits[3] = { 0 };
	char address[32];

	(void)state;
	for (int i = 0; i < 3000; i++) {
		int len = snprintf(address, sizeof(address), "user%d@north.example", i);
		struct worker *home = workers_home(world->workers, address, (size_t)len);

		assert_ptr_equal(home, workers_home(world->workers, address, (size_t)len));
		assert_ptr_equal(home, workers_at(world->workers, worker_number(home)));
		hits[worker_number(home)]++;
	}
	for (int i = 0; i < 3; i++)
		assert_in_range(hits[i], 800, 1200);
	world_free(world);
}

/* ---- threads ---- */

/* Each turn a desk writes some letters to all peers. */
static void desk_write(struct worker *worker, struct turn_job *job)
{
	struct desk *desk = LIST_MEMBER(job, struct desk, job);

	for (unsigned n = 0; n < 100 && desk->left > 0; n++, desk->left--)
		for (size_t i = 0; i < desk->count; i++)
			letter_send(worker, desk->peers[i].worker, desk->number, LETTERS - desk->left);
	if (desk->left > 0)
		worker_at_end_of_turn(worker, job);
}

static void desk_begin(struct worker *worker, struct mail *mail)
{
	struct desk *desk = worker_owner(worker);

	worker_at_end_of_turn(worker, &desk->job);
	free(mail);
}

static void desks_open(struct world *world, struct desk *desks, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct mail *mail = mem_zalloc(sizeof(*mail));

		desks[i].worker = world_worker(world, i);
		desks[i].job.run = desk_write;
		desks[i].peers = desks;
		desks[i].count = count;
		desks[i].left = LETTERS;
		desks[i].number = i;
		worker_set_owner(desks[i].worker, &desks[i]);
		mail->arrive = desk_begin;
		worker_post(NULL, desks[i].worker, mail);
	}
}

static void *write_from_outside(void *context)
{
	struct desk *desk = context;

	for (unsigned i = 0; i < LETTERS; i++)
		letter_send(NULL, desk->worker, 7, i);
	return NULL;
}

static void threads_exchange_mail_in_order(void **state)
{
	enum { COUNT = 3 };
	struct workers_options options = { .count = COUNT, .clock = &clock_system, .entropy = &entropy_system };
	struct world world = { .workers = workers_new(&options) };
	struct desk desks[COUNT] = { 0 };
	pthread_t outside;

	(void)state;
	desks_open(&world, desks, COUNT);
	workers_start(world.workers);
	assert_int_equal(pthread_create(&outside, NULL, write_from_outside, &desks[0]), 0);
	for (size_t i = 0; i < COUNT; i++)
		WORLD_WAIT(&world, false, atomic_load(&desks[i].received) == LETTERS * (COUNT + (i == 0)));
	pthread_join(outside, NULL);
	workers_stop(world.workers);
	for (size_t i = 0; i < COUNT; i++)
		assert_false(desks[i].disordered);
	workers_free(&world.workers);
}

static void a_worker_wakes_for_mail_after_a_restart(void **state)
{
	struct world *world = world_new(1, false);
	struct desk desk = { 0 };

	(void)state;
	worker_set_owner(world_worker(world, 0), &desk);
	for (unsigned i = 0; i < 5; i++) {
		letter_send(NULL, world_worker(world, 0), 0, i);
		WORLD_WAIT(world, false, atomic_load(&desk.received) == i + 1);
		workers_stop(world->workers);
		workers_start(world->workers);
	}
	assert_false(desk.disordered);
	world_free(world);
}

static void the_clock_stands_still_within_a_turn(void **state)
{
	struct world *world = world_new(1, true);

	(void)state;
	assert_int_equal(worker_now_ms(world_worker(world, 0)), 1000);
	world->now_ms = 2000;
	assert_int_equal(worker_now_ms(world_worker(world, 0)), 2000);
	assert_ptr_equal(worker_all(world_worker(world, 0)), world->workers);
	assert_int_equal(workers_count(world->workers), 1);
	assert_ptr_equal(worker_log(world_worker(world, 0)), world->log);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arrives_in_order_after_the_return),
		cmocka_unit_test(jobs_run_once_a_turn),
		cmocka_unit_test(a_scheduler_picks_the_mailbox),
		cmocka_unit_test(an_address_has_one_home),
		cmocka_unit_test(threads_exchange_mail_in_order),
		cmocka_unit_test(a_worker_wakes_for_mail_after_a_restart),
		cmocka_unit_test(the_clock_stands_still_within_a_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
