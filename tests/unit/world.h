/* SPDX-License-Identifier: MIT
 *
 * The world of the tests of net: stepped workers under a clock that the test moves, or workers with threads under the
 * system's. Waiting is for a condition, with a limit.
 */
#ifndef UNIT_WORLD_H
#define UNIT_WORLD_H

#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "net/worker.h"

struct world {
	struct clock clock;
	uint64_t now_ms;
	struct workers *workers;
	struct log *log;
};

static uint64_t world_monotonic_ms(const struct clock *clock)
{
	return LIST_MEMBER(clock, const struct world, clock)->now_ms;
}

static int64_t world_wall_us(const struct clock *clock)
{
	return (int64_t)world_monotonic_ms(clock) * 1000;
}

static inline struct world *world_new(size_t count, bool stepped)
{
	struct world *world = mem_zalloc(sizeof(*world));
	const char *error;
	struct workers_options options = {
		.count = count,
		.stepped = stepped,
		.clock = stepped ? &world->clock : &clock_system,
		.entropy = &entropy_system,
		.seed = { 1, 2 },
	};

	world->clock = (struct clock){ world_monotonic_ms, world_wall_us };
	world->now_ms = 1000;
	world->log = options.log = log_open(LOG_TARGET_STDERR, NULL, LOG_LEVEL_ERROR, &error);
	world->workers = workers_new(&options);
	workers_start(world->workers);
	return world;
}

static inline struct worker *world_worker(struct world *world, size_t number)
{
	return workers_at(world->workers, number);
}

/* Steps until nobody has anything to do. */
static inline void world_settle(struct world *world)
{
	while (workers_step(world->workers))
		;
}

/* Lets time pass, 10 ms at a time. */
static inline void world_pass(struct world *world, uint64_t ms)
{
	uint64_t until = world->now_ms + ms;

	world_settle(world);
	while (world->now_ms < until) {
		world->now_ms += 10;
		world_settle(world);
	}
}

static inline void world_free(struct world *world)
{
	workers_stop(world->workers);
	workers_free(&world->workers);
	log_close(&world->log);
	free(world);
}

/* Waits for a condition, 20 s at most; with stepped workers it steps meanwhile. */
#define WORLD_WAIT(world, stepped, condition)                                  \
	do {                                                                   \
		for (int wait_tries = 0; !(condition) && wait_tries < 20000; wait_tries++) { \
			if ((stepped) && workers_step((world)->workers))       \
				continue;                                      \
			poll(NULL, 0, 1);                                      \
		}                                                              \
		assert_true(condition);                                        \
	} while (0)

#endif
