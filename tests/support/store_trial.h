/* SPDX-License-Identifier: MIT
 *
 * A store for tests: in memory, late, in another order than was asked for where that is allowed, failing
 * where it is told to. It keeps the promises of store/store.h except that it forgets everything when it is
 * closed.
 *
 * A request waits until somebody lets the store take a step: the test by store_trial_step, or a timer on a
 * worker. A step carries out and answers one request: the oldest of an owner chosen at random from the seed.
 */
#ifndef TESTS_STORE_TRIAL_H
#define TESTS_STORE_TRIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

struct store *store_trial_open(uint64_t seed);

/* False: nothing waits. On any thread but a worker's. */
bool store_trial_step(struct store *store);
/* Steps by itself, one each every_ms on the worker's timer; before the worker's thread starts, or on it. */
void store_trial_start(struct store *store, struct worker *worker, uint64_t every_ms);

/* It has hanged for too long: all that waits and is not patient is answered STORE_FULL, and does not happen. On any thread
 * but a worker's. */
void store_trial_give_up(struct store *store);

/* The process that has asked dies: what waits is neither carried out nor answered. */
void store_trial_lose(struct store *store);

/* Which requests fail. */
struct store_trial_fault {
	int op;                         /* enum store_op; -1: any */
	const char *owner;              /* borrowed until the store is closed; NULL: any */
	size_t after;                   /* so many that fit pass before the first fails */
	size_t times;                   /* so many fail; 0: all from there on */
	enum store_status status;       /* usually STORE_FAILED */
	bool carried_out;               /* what was asked for has happened nevertheless, as when an answer is lost */
};
/* At most 8 at a time; the first that fits counts. */
void store_trial_fail(struct store *store, const struct store_trial_fault *fault);
/* Nothing fails any more. */
void store_trial_mend(struct store *store);

#endif
