/* SPDX-License-Identifier: MIT
 *
 * Requests that wait for a thread of the store, in order, bounded by their number and by the memory that they
 * hold. Callable on any thread.
 */
#ifndef SQLITE_QUEUE_H
#define SQLITE_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

struct request_queue {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct mail *first, **last;     /* linked through the requests' mails */
	size_t count, count_limit;
	size_t bytes, bytes_limit;
	bool closing;
};

void request_queue_init(struct request_queue *queue, size_t count_limit, size_t bytes_limit);
void request_queue_clear(struct request_queue *queue);

/* false: it is full, and the request stays the caller's. */
bool request_queue_add(struct request_queue *queue, struct store_request *request);
/* Beyond the bounds. */
void request_queue_push(struct request_queue *queue, struct store_request *request);
/* Waits for requests, then at most gather_us for company, and takes the oldest: at most count, and no more
 * than bytes unless one alone is larger. NULL: closed, and nothing is left. Only one thread may take with
 * a gather_us. */
struct store_request *request_queue_take(struct request_queue *queue, size_t count, size_t bytes,
                                         uint32_t gather_us);
/* The request that was taken behind this one, or NULL. Asked before the request is answered. */
struct store_request *request_next(const struct store_request *request);
/* Takes all out that are due (store_request_is_due), linked as above; NULL: none is. */
struct store_request *request_queue_give_up(struct request_queue *queue, uint64_t before_ms);
/* Lets those who take know that nothing comes any more. */
void request_queue_close(struct request_queue *queue);
bool request_queue_is_closing(struct request_queue *queue);
size_t request_queue_count(struct request_queue *queue);

#endif
