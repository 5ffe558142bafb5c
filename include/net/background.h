/* SPDX-License-Identifier: MIT
 *
 * Threads for work that takes milliseconds and may not run on a worker's loop: PBKDF2 today. The queue is bounded. With
 * stepped workers a job runs at once on the caller's thread and its mail still comes later.
 */
#ifndef NET_BACKGROUND_H
#define NET_BACKGROUND_H

#include "net/worker.h"

struct background;

struct background_job {
	struct mail mail;                                       /* used by the pool */
	struct worker *worker;                                  /* who asked; set by background_run */
	void (*run)(struct background_job *job);                /* on a thread of the pool: touches only the job */
	void (*done)(struct worker *worker, struct background_job *job);        /* on the asking worker */
};

struct background *background_new(size_t threads, size_t queue_limit, bool stepped);
/* Waits for what runs; jobs not begun are dropped. Before workers_free. */
void background_free(struct background **background);

/* false: the queue is full, or the pool has been freed (NULL): nothing happens. The job belongs to the pool until done(). */
bool background_run(struct background *background, struct worker *worker, struct background_job *job);

#endif
