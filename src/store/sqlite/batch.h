/* SPDX-License-Identifier: MIT
 *
 * Requests in the hands of a thread of the store: the writer's transaction, or what a reader reads. When the thread hangs
 * they can be given up by another one: they are answered, the thread's transaction may not be committed any more, and what
 * the asker has done with them is not touched.
 *
 * What must stay true: a request is answered once. Whether a transaction is committed is decided once, under the lock: by
 * batch_settle, when all of it is on the disk, or by batch_give_up before.
 */
#ifndef SQLITE_BATCH_H
#define SQLITE_BATCH_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

struct batch_entry {
	struct store_request *request;
	enum store_status status;       /* the thread's, until it is answered */
	bool given_up;                  /* answered; the thread is one of its holders */
};

struct batch {
	pthread_mutex_t lock;
	struct batch_entry *entries;
	size_t count, room;
	bool settled;                   /* it is on the disk: the statuses stand */
	bool broken;                    /* something in it was given up before that */
};

typedef void batch_answer_fn(void *context, struct store_request *request, enum store_status status);

void batch_init(struct batch *batch, size_t room);
void batch_clear(struct batch *batch);

/* ---- the thread's ---- */

/* Linked requests (queue.h), at most room of them. */
void batch_take(struct batch *batch, struct store_request *first);
/* All is on the disk and may count: true; false: something was given up meanwhile. Called by wal.c. */
bool batch_settle(void *batch);
/* It is going to be tried anew, without what was given up. false: nothing is left. */
bool batch_renew(struct batch *batch);
/* Answers all that was not given up. */
void batch_answer(struct batch *batch, batch_answer_fn *answer, void *context);

/* ---- others' ---- */

/* Answers what is due: with its own status where that stands, else STORE_FULL. */
void batch_give_up(struct batch *batch, uint64_t before_ms, batch_answer_fn *answer, void *context);

#endif
