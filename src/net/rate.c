/* SPDX-License-Identifier: MIT
 *
 * Token buckets. A bucket keeps what was spent and is not yet paid back: time pays back per_second units a second, and
 * a burst is the most that may be owed. Thousandths of units keep slow rates exact with a clock of milliseconds.
 */
#include "net/rate.h"

static const uint64_t MILLI = 1000;

/* What is still owed at now_ms, in thousandths. */
static uint64_t rate_owed(const struct rate *rate, uint64_t now_ms, uint32_t per_second)
{
	uint64_t elapsed = now_ms > rate->at_ms ? now_ms - rate->at_ms : 0;

	/* per_second units a second are per_second thousandths a millisecond. */
	if (elapsed > rate->spent_milli / per_second)
		return 0;
	return rate->spent_milli - elapsed * per_second;
}

bool rate_take(struct rate *rate, uint64_t now_ms, uint32_t units, uint32_t per_second, uint32_t burst)
{
	if (rate_wait_ms(rate, now_ms, units, per_second, burst) > 0)
		return false;
	rate_charge(rate, now_ms, units, per_second);
	return true;
}

void rate_charge(struct rate *rate, uint64_t now_ms, uint32_t units, uint32_t per_second)
{
	if (per_second == 0)
		return;
	rate->spent_milli = rate_owed(rate, now_ms, per_second) + units * MILLI;
	rate->at_ms = now_ms;
}

uint64_t rate_wait_ms(const struct rate *rate, uint64_t now_ms, uint32_t units, uint32_t per_second,
                      uint32_t burst)
{
	uint64_t wanted, room = (burst > units ? burst : units) * MILLI;

	if (per_second == 0)
		return 0;
	wanted = rate_owed(rate, now_ms, per_second) + units * MILLI;
	return wanted <= room ? 0 : (wanted - room + per_second - 1) / per_second;
}
