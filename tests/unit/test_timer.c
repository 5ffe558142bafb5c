/* SPDX-License-Identifier: MIT
 *
 * Timers under a clock that the test moves: never early, within 20 ms, in any number, for days, started and stopped from
 * within each other; a clock that leaps; and the sleep of an idle worker.
 */
#include "net/timer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "world.h"

struct alarm {
	struct timer timer;
	uint64_t due_ms;
	uint64_t fired_ms;
	unsigned fired;
	struct alarm *other;
};

static void alarm_fired(struct worker *worker, struct timer *timer)
{
	struct alarm *alarm = LIST_MEMBER(timer, struct alarm, timer);

	assert_false(timer_is_running(timer));
	alarm->fired++;
	alarm->fired_ms = worker_now_ms(worker);
}

static void alarm_start(struct world *world, struct alarm *alarm, uint64_t after_ms)
{
	alarm->due_ms = world->now_ms + after_ms;
	timer_start(world_worker(world, 0), &alarm->timer, after_ms, alarm_fired);
}

static void fire_in_time_never_early(void **state)
{
	enum { COUNT = 5000, SPAN_MS = 100000 };
	struct world *world = world_new(1, true);
	struct alarm *alarms = mem_zalloc(COUNT * sizeof(*alarms));

	(void)state;
	srand(7);
	for (int i = 0; i < COUNT; i++)
		alarm_start(world, &alarms[i], (uint64_t)rand() % SPAN_MS);
	for (int step = 0; step < 12000; step++) {
		int i = rand() % COUNT;

		if (alarms[i].fired == 0 && rand() % 4 == 0)
			alarm_start(world, &alarms[i], (uint64_t)rand() % SPAN_MS);
		world->now_ms += (uint64_t)rand() % 20;
		workers_step(world->workers);
	}
	world_pass(world, SPAN_MS + 100);
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(alarms[i].fired, 1);
		assert_true(alarms[i].fired_ms >= alarms[i].due_ms);
		assert_true(alarms[i].fired_ms <= alarms[i].due_ms + 20 + 20);
	}
	free(alarms);
	world_free(world);
}

static void fire_within_20_ms_at_each_distance(void **state)
{
	static const uint64_t distances[] = { 0, 1, 9, 10, 11, 629, 630, 631, 640, 641, 40949, 40950, 40960, 40970, 2621430,
		                              2621440, 2621450, 86400000, 172800000, 864000000 };
	struct world *world = world_new(1, true);
	struct alarm alarm;

	(void)state;
	for (size_t i = 0; i < sizeof(distances) / sizeof(distances[0]); i++) {
		alarm = (struct alarm){ 0 };
		world->now_ms += 13;
		alarm_start(world, &alarm, distances[i]);
		if (distances[i] > 100) {
			world->now_ms = alarm.due_ms - 1;
			world_settle(world);
			assert_int_equal(alarm.fired, 0);
		}
		world_pass(world, 20);
		assert_int_equal(alarm.fired, 1);
		assert_true(alarm.fired_ms >= alarm.due_ms && alarm.fired_ms <= alarm.due_ms + 20);
	}
	world_free(world);
}

static void stopped_timers_stay_silent(void **state)
{
	struct world *world = world_new(1, true);
	struct alarm stopped = { 0 }, moved = { 0 };

	(void)state;
	timer_stop(world_worker(world, 0), &stopped.timer);
	alarm_start(world, &stopped, 50);
	alarm_start(world, &moved, 50);
	assert_true(timer_is_running(&stopped.timer));
	timer_stop(world_worker(world, 0), &stopped.timer);
	alarm_start(world, &moved, 5000);
	world_pass(world, 1000);
	assert_int_equal(stopped.fired + moved.fired, 0);
	world_pass(world, 5000);
	assert_int_equal(stopped.fired, 0);
	assert_int_equal(moved.fired, 1);
	world_free(world);
}

static void alarm_stops_other(struct worker *worker, struct timer *timer)
{
	struct alarm *alarm = LIST_MEMBER(timer, struct alarm, timer);

	alarm->fired++;
	timer_stop(worker, &alarm->other->timer);
}

static void a_timer_stops_another_that_is_due(void **state)
{
	struct world *world = world_new(1, true);
	struct alarm a = { 0 }, b = { 0 };

	(void)state;
	a.other = &b;
	b.other = &a;
	timer_start(world_worker(world, 0), &a.timer, 30, alarm_stops_other);
	timer_start(world_worker(world, 0), &b.timer, 30, alarm_stops_other);
	world_pass(world, 100);
	assert_int_equal(a.fired + b.fired, 1);
	world_free(world);
}

static void alarm_again(struct worker *worker, struct timer *timer)
{
	LIST_MEMBER(timer, struct alarm, timer)->fired++;
	timer_start(worker, timer, 0, alarm_again);
}

static void a_timer_that_starts_itself_fires_once_a_tick(void **state)
{
	struct world *world = world_new(1, true);
	struct alarm alarm = { 0 };

	(void)state;
	timer_start(world_worker(world, 0), &alarm.timer, 0, alarm_again);
	world_pass(world, 1000);
	assert_in_range(alarm.fired, 50, 101);
	timer_stop(world_worker(world, 0), &alarm.timer);
	world_free(world);
}

static void a_leap_of_the_clock_fires_all_in_order(void **state)
{
	struct world *world = world_new(1, true);
	struct alarm alarms[100] = { 0 };

	(void)state;
	for (int i = 0; i < 100; i++)
		alarm_start(world, &alarms[i], (uint64_t)i * 1000000);
	world->now_ms += UINT64_C(1) << 40;
	world_settle(world);
	for (int i = 0; i < 100; i++)
		assert_int_equal(alarms[i].fired, 1);
	world_free(world);
}

static void sleeper_awoke(struct worker *worker, struct timer *timer)
{
	(void)worker;
	__atomic_add_fetch(&LIST_MEMBER(timer, struct alarm, timer)->fired, 1, __ATOMIC_SEQ_CST);
}

/* Asks the kernel how often the process slept: with a tick it would be once each 10 ms and worker. */
static void an_idle_worker_sleeps(void **state)
{
	struct workers_options options = { .count = 2, .clock = &clock_system, .entropy = &entropy_system };
	struct alarm far = { 0 }, near = { 0 };
	struct rusage before, after;
	struct workers *workers = workers_new(&options);

	(void)state;
	timer_start(workers_at(workers, 0), &far.timer, 3600 * 1000, sleeper_awoke);
	timer_start(workers_at(workers, 1), &near.timer, 300, sleeper_awoke);
	getrusage(RUSAGE_SELF, &before);
	workers_start(workers);
	poll(NULL, 0, 1000);
	workers_stop(workers);
	getrusage(RUSAGE_SELF, &after);
	assert_int_equal(near.fired, 1);
	assert_int_equal(far.fired, 0);
	assert_true(after.ru_nvcsw - before.ru_nvcsw < 40);
	workers_free(&workers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fire_in_time_never_early),
		cmocka_unit_test(fire_within_20_ms_at_each_distance),
		cmocka_unit_test(stopped_timers_stay_silent),
		cmocka_unit_test(a_timer_stops_another_that_is_due),
		cmocka_unit_test(a_timer_that_starts_itself_fires_once_a_tick),
		cmocka_unit_test(a_leap_of_the_clock_fires_all_in_order),
		cmocka_unit_test(an_idle_worker_sleeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
