/* SPDX-License-Identifier: MIT
 *
 * Token buckets: so many units a second with a burst. A bucket is two words; all zero is full at the first use.
 */
#ifndef NET_RATE_H
#define NET_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate {
	uint64_t at_ms;         /* when it was last counted */
	uint64_t spent_milli;   /* thousandths of units that are not yet paid back */
};

/* Takes units where the burst allows it; false: nothing is taken. per_second 0: no bound. */
bool rate_take(struct rate *rate, uint64_t now_ms, uint32_t units, uint32_t per_second, uint32_t burst);
/* Takes units in any case, for what has happened already: the bucket may then owe more than its burst. */
void rate_charge(struct rate *rate, uint64_t now_ms, uint32_t units, uint32_t per_second);
/* Milliseconds until units could be taken. */
uint64_t rate_wait_ms(const struct rate *rate, uint64_t now_ms, uint32_t units, uint32_t per_second, uint32_t burst);

#endif
