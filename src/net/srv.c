/* SPDX-License-Identifier: MIT
 *
 * The order of SRV records: RFC 2782, "Weight". Records of weight 0 stand first in their priority, so that
 * they are drawn only by the number 0.
 */
#include "srv.h"

#include <stdlib.h>

static int srv_compare(const void *a, const void *b)
{
	const struct srv_record *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return (x->weight > 0) - (y->weight > 0);
}

/* A number from 0 to most, both included. The bias of the modulo is below 2^-32. */
static uint64_t srv_draw(struct entropy *entropy, uint64_t most)
{
	uint64_t bits;

	entropy_fill(entropy, &bits, sizeof(bits));
	return bits % (most + 1);
}

static void srv_move_first(struct srv_record *records, size_t at)
{
	struct srv_record chosen = records[at];

	for (; at > 0; at--)
		records[at] = records[at - 1];
	records[0] = chosen;
}

/* Selects the next record among count of one priority and puts it first; the others keep their order. */
static void srv_select(struct srv_record *records, size_t count, struct entropy *entropy)
{
	uint64_t sum = 0, drawn;
	size_t at = 0;

	for (size_t i = 0; i < count; i++)
		sum += records[i].weight;
	drawn = srv_draw(entropy, sum);
	for (sum = records[0].weight; sum < drawn; sum += records[at].weight)
		at++;
	srv_move_first(records, at);
}

void srv_order(struct srv_record *records, size_t count, struct entropy *entropy)
{
	if (count < 2)
		return;
	qsort(records, count, sizeof(*records), srv_compare);
	for (size_t i = 0; i + 1 < count; i++) {
		size_t end = i + 1;

		while (end < count && records[end].priority == records[i].priority)
			end++;
		srv_select(records + i, end - i, entropy);
	}
}
