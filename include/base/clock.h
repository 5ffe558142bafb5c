/* SPDX-License-Identifier: MIT
 *
 * Time, replaceable: the monotonic clock for everything that waits, the wall clock only for what people and
 * standards call a date. A test or a simulation gives its own.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct clock {
	uint64_t (*monotonic_ms)(const struct clock *clock);
	int64_t (*wall_us)(const struct clock *clock);        /* microseconds since 1970, UTC */
};

/* The operating system's clocks; callable on any thread. */
extern const struct clock clock_system;

static inline uint64_t clock_monotonic_ms(const struct clock *clock)
{
	return clock->monotonic_ms(clock);
}

static inline int64_t clock_wall_us(const struct clock *clock)
{
	return clock->wall_us(clock);
}

#endif
