/* SPDX-License-Identifier: MIT
 *
 * The queue between the workers and the threads of the store. A request weighs what its arena holds when it
 * is asked for; nobody touches it while it waits, so it weighs the same when it is taken.
 */
#include "queue.h"

#include <time.h>

#include "base/arena.h"
#include "base/list.h"

void request_queue_init(struct request_queue *queue, size_t count_limit, size_t bytes_limit)
{
	*queue = (struct request_queue){ .count_limit = count_limit, .bytes_limit = bytes_limit };
	queue->last = &queue->first;
	pthread_mutex_init(&queue->lock, NULL);
	pthread_cond_init(&queue->changed, NULL);
}

void request_queue_clear(struct request_queue *queue)
{
	pthread_cond_destroy(&queue->changed);
	pthread_mutex_destroy(&queue->lock);
}

static void queue_append(struct request_queue *queue, struct store_request *request, size_t bytes)
{
	request->mail.next = NULL;
	*queue->last = &request->mail;
	queue->last = &request->mail.next;
	queue->count++;
	queue->bytes += bytes;
	pthread_cond_signal(&queue->changed);
}

bool request_queue_add(struct request_queue *queue, struct store_request *request)
{
	size_t bytes = arena_footprint(&request->arena);
	bool has_room;

	pthread_mutex_lock(&queue->lock);
	has_room = queue->count < queue->count_limit && queue->bytes + bytes <= queue->bytes_limit;
	if (has_room)
		queue_append(queue, request, bytes);
	pthread_mutex_unlock(&queue->lock);
	return has_room;
}

void request_queue_push(struct request_queue *queue, struct store_request *request)
{
	pthread_mutex_lock(&queue->lock);
	queue_append(queue, request, arena_footprint(&request->arena));
	pthread_mutex_unlock(&queue->lock);
}

static struct store_request *mail_request(struct mail *mail)
{
	return mail ? LIST_MEMBER(mail, struct store_request, mail) : NULL;
}

struct store_request *request_next(const struct store_request *request)
{
	return mail_request(request->mail.next);
}

/* Cuts the front of the queue off. */
static struct mail *queue_cut(struct request_queue *queue, size_t count, size_t bytes)
{
	struct mail *front = queue->first, **end = &queue->first;
	size_t taken = 0, weight = 0;

	for (; *end && taken < count; taken++) {
		size_t own = arena_footprint(&mail_request(*end)->arena);

		if (taken && weight + own > bytes)
			break;
		weight += own;
		end = &(*end)->next;
	}
	queue->count -= taken;
	queue->bytes -= weight;
	queue->first = *end;
	*end = NULL;
	if (!queue->first)
		queue->last = &queue->first;
	return front;
}

/* Whoever comes meanwhile is taken along. There must be no other taker. */
static void queue_gather(struct request_queue *queue, uint32_t gather_us)
{
	struct timespec pause = { gather_us / 1000000, gather_us % 1000000 * 1000L };

	if (queue->closing || !gather_us)
		return;
	pthread_mutex_unlock(&queue->lock);
	nanosleep(&pause, NULL);
	pthread_mutex_lock(&queue->lock);
}

struct store_request *request_queue_take(struct request_queue *queue, size_t count, size_t bytes,
                                         uint32_t gather_us)
{
	struct mail *taken;

	pthread_mutex_lock(&queue->lock);
	while (!queue->first && !queue->closing)
		pthread_cond_wait(&queue->changed, &queue->lock);
	queue_gather(queue, gather_us);
	taken = queue_cut(queue, count, bytes);
	pthread_mutex_unlock(&queue->lock);
	return mail_request(taken);
}

/* They stand in the order in which they were asked for: what is too young ends the search. */
static struct mail *queue_cut_due(struct request_queue *queue, uint64_t before_ms)
{
	struct mail *due = NULL, **due_end = &due, **at = &queue->first;

	while (*at && mail_request(*at)->asked_ms <= before_ms) {
		struct mail *mail = *at;

		if (!store_request_is_due(mail_request(mail), before_ms)) {
			at = &mail->next;
			continue;
		}
		*at = mail->next;
		if (!mail->next)
			queue->last = at;
		queue->count--;
		queue->bytes -= arena_footprint(&mail_request(mail)->arena);
		*due_end = mail;
		due_end = &mail->next;
	}
	*due_end = NULL;
	return due;
}

struct store_request *request_queue_give_up(struct request_queue *queue, uint64_t before_ms)
{
	struct mail *due;

	pthread_mutex_lock(&queue->lock);
	due = queue_cut_due(queue, before_ms);
	pthread_mutex_unlock(&queue->lock);
	return mail_request(due);
}

void request_queue_close(struct request_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->closing = true;
	pthread_cond_broadcast(&queue->changed);
	pthread_mutex_unlock(&queue->lock);
}

bool request_queue_is_closing(struct request_queue *queue)
{
	bool closing;

	pthread_mutex_lock(&queue->lock);
	closing = queue->closing;
	pthread_mutex_unlock(&queue->lock);
	return closing;
}

size_t request_queue_count(struct request_queue *queue)
{
	size_t count;

	pthread_mutex_lock(&queue->lock);
	count = queue->count;
	pthread_mutex_unlock(&queue->lock);
	return count;
}
