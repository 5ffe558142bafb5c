/* SPDX-License-Identifier: MIT
 *
 * The pool: a job runs elsewhere and is done on the asking worker; a full queue refuses; closing waits for what runs and
 * drops the rest; with stepped workers nothing needs a thread.
 */
#include "net/background.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

enum { TASKS = 500 };

struct task {
	struct background_job job;
	pthread_t ran_on;
	atomic_bool *gate;      /* NULL: does not wait */
	atomic_uint *begun;
	atomic_uint *done;
	struct worker *done_on;
};

static void task_run(struct background_job *job)
{
	struct task *task = LIST_MEMBER(job, struct task, job);

	task->ran_on = pthread_self();
	if (task->begun)
		atomic_fetch_add(task->begun, 1);
	while (task->gate && !atomic_load(task->gate))
		poll(NULL, 0, 1);
}

static void task_done(struct worker *worker, struct background_job *job)
{
	struct task *task = LIST_MEMBER(job, struct task, job);

	task->done_on = worker;
	atomic_fetch_add(task->done, 1);
}

static void comes_back_to_the_asking_worker(void **state)
{
	struct world *world = world_new(2, false);
	struct background *background = background_new(2, TASKS, false);
	struct task *tasks = mem_zalloc(TASKS * sizeof(*tasks));
	atomic_uint done = 0;

	(void)state;
	for (size_t i = 0; i < TASKS; i++) {
		tasks[i].job = (struct background_job){ .run = task_run, .done = task_done };
		tasks[i].done = &done;
		assert_true(background_run(background, world_worker(world, i % 2), &tasks[i].job));
	}
	WORLD_WAIT(world, false, atomic_load(&done) == TASKS);
	background_free(&background);
	assert_null(background);
	for (size_t i = 0; i < TASKS; i++) {
		assert_ptr_equal(tasks[i].done_on, world_worker(world, i % 2));
		assert_false(pthread_equal(tasks[i].ran_on, pthread_self()));
	}
	world_free(world);
	free(tasks);
}

static void a_full_queue_refuses(void **state)
{
	struct world *world = world_new(1, false);
	struct background *background = background_new(1, 2, false);
	atomic_uint begun = 0, done = 0;
	atomic_bool gate = false;
	struct task tasks[4];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		tasks[i] = (struct task){ .job = { .run = task_run, .done = task_done },
			                  .gate = &gate, .begun = &begun, .done = &done };
	assert_true(background_run(background, world_worker(world, 0), &tasks[0].job));
	WORLD_WAIT(world, false, atomic_load(&begun) == 1);
	assert_true(background_run(background, world_worker(world, 0), &tasks[1].job));
	assert_true(background_run(background, world_worker(world, 0), &tasks[2].job));
	assert_false(background_run(background, world_worker(world, 0), &tasks[3].job));
	atomic_store(&gate, true);
	WORLD_WAIT(world, false, atomic_load(&done) == 3);
	assert_true(background_run(background, world_worker(world, 0), &tasks[3].job));
	WORLD_WAIT(world, false, atomic_load(&done) == 4);
	background_free(&background);
	world_free(world);
}

static void *open_gate(void *context)
{
	poll(NULL, 0, 20);
	atomic_store((atomic_bool *)context, true);
	return NULL;
}

static void closing_waits_for_what_runs(void **state)
{
	struct world *world = world_new(1, false);
	struct background *background = background_new(1, 2, false);
	atomic_uint begun = 0, done = 0;
	atomic_bool gate = false;
	struct task tasks[2];
	pthread_t opener;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		tasks[i] = (struct task){ .job = { .run = task_run, .done = task_done },
			                  .gate = &gate, .begun = &begun, .done = &done };
		assert_true(background_run(background, world_worker(world, 0), &tasks[i].job));
	}
	WORLD_WAIT(world, false, atomic_load(&begun) == 1);
	assert_int_equal(pthread_create(&opener, NULL, open_gate, &gate), 0);
	background_free(&background);
	assert_true(atomic_load(&gate));
	assert_int_equal(atomic_load(&begun), 1);
	pthread_join(opener, NULL);
	WORLD_WAIT(world, false, atomic_load(&done) == 1);
	world_free(world);
}

static void stepped_it_runs_at_once_and_is_done_later(void **state)
{
	struct world *world = world_new(1, true);
	struct background *background = background_new(1, 1, true);
	atomic_uint done = 0;
	struct task task = { .job = { .run = task_run, .done = task_done }, .done = &done };

	(void)state;
	assert_true(background_run(background, world_worker(world, 0), &task.job));
	assert_true(pthread_equal(task.ran_on, pthread_self()));
	assert_int_equal(atomic_load(&done), 0);
	world_settle(world);
	assert_int_equal(atomic_load(&done), 1);
	background_free(&background);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back_to_the_asking_worker),
		cmocka_unit_test(a_full_queue_refuses),
		cmocka_unit_test(closing_waits_for_what_runs),
		cmocka_unit_test(stepped_it_runs_at_once_and_is_done_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
