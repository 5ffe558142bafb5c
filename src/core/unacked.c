/* SPDX-License-Identifier: MIT
 *
 * The queue of unacknowledged parcels; a parcel's position is its weight.
 */
#include "core/unacked.h"

void unacked_init(struct unacked *queue)
{
	*queue = (struct unacked){ 0 };
	queue->end = &queue->first;
}

void unacked_add(struct unacked *queue, struct parcel *parcel)
{
	parcel->next = NULL;
	parcel->position = sizeof(*parcel) + stanza_weight(parcel->stanza);
	*queue->end = parcel;
	queue->end = &parcel->next;
	queue->count++;
	queue->bytes += parcel->position;
	if (!queue->next)
		queue->next = parcel;
}

struct parcel *unacked_next(struct unacked *queue, size_t window)
{
	struct parcel *parcel = queue->next;

	if (!parcel || queue->written_bytes >= window)
		return NULL;
	queue->next = parcel->next;
	queue->sent++;
	queue->written_bytes += parcel->position;
	return parcel;
}

struct parcel *unacked_take(struct unacked *queue)
{
	struct parcel *parcel = queue->first;

	if (!parcel)
		return NULL;
	queue->first = parcel->next;
	if (!queue->first)
		queue->end = &queue->first;
	queue->count--;
	queue->bytes -= parcel->position;
	if (parcel == queue->next)
		queue->next = parcel->next;
	else
		queue->written_bytes -= parcel->position;
	parcel->next = NULL;
	return parcel;
}

bool unacked_ack(struct unacked *queue, struct home *home, uint32_t h)
{
	if (h - queue->acked > queue->sent - queue->acked)
		return false;
	while (queue->acked != h) {
		struct parcel *parcel = unacked_take(queue);

		queue->acked++;
		parcel_taken(home, &parcel);
	}
	return true;
}

void unacked_restore(struct unacked *queue, uint32_t acked, uint32_t written)
{
	queue->acked = queue->sent = acked;
	while (queue->next && queue->sent - acked < written)
		unacked_next(queue, SIZE_MAX);
}

void unacked_rewind(struct unacked *queue)
{
	queue->next = queue->first;
	queue->sent = queue->acked;
	queue->written_bytes = 0;
}
