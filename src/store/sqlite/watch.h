/* SPDX-License-Identifier: MIT
 *
 * The store's patience. While requests wait, a thread of its own looks now and then for those that have waited too long,
 * in the queues and in the hands of the other threads, and gives them up.
 */
#ifndef SQLITE_WATCH_H
#define SQLITE_WATCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct sqlite_store;

struct watch {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	atomic_bool awake;
	bool closing;
	bool alone;                     /* the other threads of the store have ended, its files are closed */
};

void watch_init(struct watch *watch);
void *watch_main(void *store);          /* struct sqlite_store */
/* A request has been asked for. */
void watch_wake(struct watch *watch);
/* The last of the other threads ends. */
void watch_leave_alone(struct watch *watch);
/* Waits until it has; false: until_ms (monotonic) has passed. */
bool watch_await_alone(struct watch *watch, uint64_t until_ms);
/* The thread has ended when this returns. */
void watch_stop(struct watch *watch);
void watch_clear(struct watch *watch);

/* The store is left although it hangs: all is given up, and the log says what. */
void watch_abandon(struct sqlite_store *store);

#endif
