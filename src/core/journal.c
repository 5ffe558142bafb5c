/* SPDX-License-Identifier: MIT
 *
 * Sequences and ids of journal entries (XEP-0359): microseconds, and in the lowest byte the number of the worker, so
 * that no two homes give the same. The ticks of a home only go up; an account brings the newest of its journal along.
 */
#include "core/journal.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "core/account.h"

enum { WORKER_BITS = 8 };

uint64_t journal_sequence_at(int64_t wall_us)
{
	return wall_us > 0 ? (uint64_t)wall_us << WORKER_BITS : 0;
}

uint64_t journal_sequence(struct account *account)
{
	struct home *home = account->home;
	uint64_t now = (uint64_t)clock_wall_us(worker_clock(home->worker));
	uint64_t newest = account->journal_newest >> WORKER_BITS;

	home->journal_ticks = now > home->journal_ticks ? now : home->journal_ticks + 1;
	if (home->journal_ticks <= newest)
		home->journal_ticks = newest + 1;
	account->journal_newest = home->journal_ticks << WORKER_BITS |
	                          (worker_number(home->worker) & ((1U << WORKER_BITS) - 1));
	return account->journal_newest;
}

void journal_id(uint64_t sequence, char out[JOURNAL_ID_LEN + 1])
{
	snprintf(out, JOURNAL_ID_LEN + 1, "%016llx", (unsigned long long)sequence);
}

bool journal_id_read(const char *id, uint64_t *sequence)
{
	*sequence = 0;
	if (strlen(id) != JOURNAL_ID_LEN || strspn(id, "0123456789abcdef") != JOURNAL_ID_LEN)
		return false;
	for (; *id; id++)
		*sequence = *sequence << 4 | (uint64_t)(*id <= '9' ? *id - '0' : *id - 'a' + 10);
	return true;
}
