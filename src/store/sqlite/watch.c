/* SPDX-License-Identifier: MIT
 *
 * The store's patience. The thread sleeps while nothing is asked for.
 */
#include "watch.h"

#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "operation.h"
#include "threads.h"

enum { LOOK_MS = 250 };

/* ---- giving up ---- */

struct given_up {
	struct sqlite_store *store;
	size_t count, of[STORE_OPS];
};

static void request_give_up(void *context, struct store_request *request, enum store_status status)
{
	struct given_up *given_up = context;

	given_up->count++;
	given_up->of[request->op]++;
	atomic_fetch_add(&given_up->store->failed, 1);
	sqlite_answer(given_up->store, request, status);
}

static void queue_give_up(struct given_up *given_up, struct request_queue *queue, uint64_t before_ms)
{
	struct store_request *request = request_queue_give_up(queue, before_ms), *next;

	for (; request; request = next) {
		next = request_next(request);
		request_give_up(given_up, request, STORE_FULL);
	}
}

static struct given_up store_give_up(struct sqlite_store *s, uint64_t before_ms)
{
	struct given_up given_up = { .store = s };

	batch_give_up(&s->batch, before_ms, request_give_up, &given_up);
	for (size_t i = 0; i < s->reader_count; i++)
		batch_give_up(&s->readers[i].batch, before_ms, request_give_up, &given_up);
	queue_give_up(&given_up, &s->writes, before_ms);
	queue_give_up(&given_up, &s->reads, before_ms);
	return given_up;
}

static void given_up_list(struct buf *out, const struct given_up *given_up)
{
	for (int op = 0; op < STORE_OPS; op++) {
		if (given_up->of[op])
			buf_printf(out, "%s%s: %zu", out->len ? ", " : "", operation_get(op)->name, given_up->of[op]);
	}
	buf_add(out, "", 1);
}

void watch_abandon(struct sqlite_store *s)
{
	struct given_up given_up = store_give_up(s, UINT64_MAX);
	struct buf list = { 0 };

	given_up_list(&list, &given_up);
	log_error(s->faults.log, "store", "store hangs and is left", LOG_INT("requests", given_up.count),
	          LOG_STR("what", list.data));
	buf_clear(&list);
}

static void watch_look(struct sqlite_store *s)
{
	uint64_t now_ms = clock_monotonic_ms(&clock_system);
	struct given_up given_up;
	struct buf list = { 0 };

	if (now_ms < s->patience_ms)
		return;
	given_up = store_give_up(s, now_ms - s->patience_ms);
	if (given_up.count == 0)
		return;
	given_up_list(&list, &given_up);
	faults_report(&s->faults, list.data, "no answer in time");
	buf_clear(&list);
}

/* ---- the thread ---- */

void watch_init(struct watch *watch)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&watch->lock, NULL);
	pthread_cond_init(&watch->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

void watch_clear(struct watch *watch)
{
	pthread_cond_destroy(&watch->changed);
	pthread_mutex_destroy(&watch->lock);
}

void watch_wake(struct watch *watch)
{
	if (atomic_load(&watch->awake))
		return;
	pthread_mutex_lock(&watch->lock);
	atomic_store(&watch->awake, true);
	pthread_cond_broadcast(&watch->changed);
	pthread_mutex_unlock(&watch->lock);
}

void watch_stop(struct watch *watch)
{
	pthread_mutex_lock(&watch->lock);
	watch->closing = true;
	pthread_cond_broadcast(&watch->changed);
	pthread_mutex_unlock(&watch->lock);
	pthread_join(watch->thread, NULL);
}

/* false: the time has come. */
static bool watch_wait(struct watch *watch, uint64_t until_ms)
{
	const struct timespec until = { (time_t)(until_ms / 1000), (long)(until_ms % 1000) * 1000000 };

	return pthread_cond_timedwait(&watch->changed, &watch->lock, &until) == 0;
}

void watch_leave_alone(struct watch *watch)
{
	pthread_mutex_lock(&watch->lock);
	watch->alone = true;
	pthread_cond_broadcast(&watch->changed);
	pthread_mutex_unlock(&watch->lock);
}

bool watch_await_alone(struct watch *watch, uint64_t until_ms)
{
	bool alone;

	pthread_mutex_lock(&watch->lock);
	while (!watch->alone && watch_wait(watch, until_ms))
		continue;
	alone = watch->alone;
	pthread_mutex_unlock(&watch->lock);
	return alone;
}

/* Who asks counts his request first and looks then whether somebody is awake; here it is the other way round. */
static void watch_doze(struct sqlite_store *s)
{
	atomic_store(&s->watch.awake, false);
	if (atomic_load(&s->store.pending) > 0)
		atomic_store(&s->watch.awake, true);
}

void *watch_main(void *store)
{
	struct sqlite_store *s = store;
	struct watch *watch = &s->watch;

	pthread_mutex_lock(&watch->lock);
	while (!watch->closing) {
		if (!atomic_load(&watch->awake)) {
			pthread_cond_wait(&watch->changed, &watch->lock);
			continue;
		}
		watch_wait(watch, clock_monotonic_ms(&clock_system) + LOOK_MS);
		pthread_mutex_unlock(&watch->lock);
		watch_look(s);
		pthread_mutex_lock(&watch->lock);
		watch_doze(s);
	}
	pthread_mutex_unlock(&watch->lock);
	return NULL;
}
