/* SPDX-License-Identifier: MIT
 *
 * Requests in the hands of a thread of the store.
 */
#include "batch.h"

#include <stdlib.h>

#include "base/mem.h"
#include "queue.h"

void batch_init(struct batch *batch, size_t room)
{
	*batch = (struct batch){ .room = room, .entries = mem_alloc(room * sizeof(*batch->entries)) };
	pthread_mutex_init(&batch->lock, NULL);
}

void batch_clear(struct batch *batch)
{
	pthread_mutex_destroy(&batch->lock);
	free(batch->entries);
}

/* ---- the thread's ---- */

/* A reader also answers those that had no room in the queue: they come with their status. */
void batch_take(struct batch *batch, struct store_request *first)
{
	pthread_mutex_lock(&batch->lock);
	batch->count = 0;
	batch->settled = batch->broken = false;
	for (struct store_request *request = first; request; request = request_next(request))
		batch->entries[batch->count++] = (struct batch_entry){ .request = request, .status = request->status };
	pthread_mutex_unlock(&batch->lock);
}

bool batch_settle(void *given)
{
	struct batch *batch = given;
	bool settled;

	pthread_mutex_lock(&batch->lock);
	batch->settled = settled = !batch->broken;
	pthread_mutex_unlock(&batch->lock);
	return settled;
}

bool batch_renew(struct batch *batch)
{
	size_t left = 0;

	pthread_mutex_lock(&batch->lock);
	for (size_t i = 0; i < batch->count; i++) {
		if (batch->entries[i].given_up)
			store_request_free(batch->entries[i].request);
		else
			batch->entries[left++] = batch->entries[i];
	}
	batch->count = left;
	batch->settled = batch->broken = false;
	pthread_mutex_unlock(&batch->lock);
	return left > 0;
}

void batch_answer(struct batch *batch, batch_answer_fn *answer, void *context)
{
	pthread_mutex_lock(&batch->lock);
	for (size_t i = 0; i < batch->count; i++) {
		struct batch_entry *entry = &batch->entries[i];

		if (entry->given_up)
			store_request_free(entry->request);
		else
			answer(context, entry->request, entry->status);
	}
	batch->count = 0;
	pthread_mutex_unlock(&batch->lock);
}

/* ---- others' ---- */

void batch_give_up(struct batch *batch, uint64_t before_ms, batch_answer_fn *answer, void *context)
{
	pthread_mutex_lock(&batch->lock);
	for (size_t i = 0; i < batch->count; i++) {
		struct batch_entry *entry = &batch->entries[i];

		if (entry->given_up || !store_request_is_due(entry->request, before_ms))
			continue;
		entry->given_up = true;
		batch->broken |= !batch->settled;
		store_request_hold(entry->request);
		answer(context, entry->request, batch->settled ? entry->status : STORE_FULL);
	}
	pthread_mutex_unlock(&batch->lock);
}
