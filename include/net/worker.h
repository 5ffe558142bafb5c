/* SPDX-License-Identifier: MIT
 *
 * Workers: threads with an event loop, timers and a mailbox each. They share nothing; what crosses from one to another
 * is mail. A turn of a worker: events, due timers, mail (its own and others'), then the end of the turn, when each
 * connection with something to send is flushed with one write and the mail for other workers is handed over.
 *
 * The clock, the randomness, the hash seed and the order of mailboxes come from outside, and the same code runs with a
 * thread for each worker or stepped by one scheduler on the caller's thread (tests, simulation).
 */
#ifndef NET_WORKER_H
#define NET_WORKER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/log.h"

struct worker;
struct workers;

/* A mail lies inside what it carries; the receiver owns it from arrive() on. */
struct mail {
	struct mail *next;
	void (*arrive)(struct worker *worker, struct mail *mail);
};

struct workers_options {
	size_t count;                   /* at least 1 */
	bool stepped;                   /* no threads: the caller runs workers_step */
	const struct clock *clock;      /* borrowed, as all below */
	struct entropy *entropy;
	struct hash_seed seed;          /* of homes and tables */
	struct log *log;
	/* Stepped only: chooses which of n waiting mailboxes is emptied next; NULL: in order. */
	size_t (*pick)(void *context, size_t n);
	void *pick_context;
};

struct workers *workers_new(const struct workers_options *options);
void workers_start(struct workers *workers);            /* starts the threads; nothing when stepped */
/* Asks all to leave their loops and waits for the threads. Mail may still be waiting. */
void workers_stop(struct workers *workers);
/* After that: the caller's thread reads all mail and runs all jobs of the turn until there are none. Timers and sockets rest. */
void workers_finish(struct workers *workers);
void workers_free(struct workers **workers);
/* One turn of every worker that has something to do; true while anything was done. Stepped only. */
bool workers_step(struct workers *workers);

size_t workers_count(const struct workers *workers);
struct worker *workers_at(struct workers *workers, size_t number);
/* The home of an address: hash(seed, bytes) mod count. */
struct worker *workers_home(struct workers *workers, const void *bytes, size_t len);

size_t worker_number(const struct worker *worker);
struct workers *worker_all(struct worker *worker);
const struct clock *worker_clock(const struct worker *worker);
struct entropy *worker_entropy(const struct worker *worker);
const struct hash_seed *worker_seed(const struct worker *worker);
struct log *worker_log(const struct worker *worker);
uint64_t worker_now_ms(const struct worker *worker);    /* monotonic, of the turn */
int64_t worker_wall_us(const struct worker *worker);    /* wall clock, of the turn */
/* What the layer above keeps for each worker (its struct home). */
void worker_set_owner(struct worker *worker, void *owner);
void *worker_owner(const struct worker *worker);

/*
 * Posts mail. from: the worker on whose thread the caller runs, or NULL on any other thread. Mail from one worker to
 * another keeps its order; it arrives after the caller has returned, also on the same worker.
 */
void worker_post(struct worker *from, struct worker *to, struct mail *mail);

/* Runs at the end of this turn, once, before connections are flushed; a link lies inside its owner. */
struct turn_job {
	struct turn_job *next;
	void (*run)(struct worker *worker, struct turn_job *job);
	bool waiting;
};
void worker_at_end_of_turn(struct worker *worker, struct turn_job *job);

#endif
