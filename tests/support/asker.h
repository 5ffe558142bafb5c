/* SPDX-License-Identifier: MIT
 *
 * Asks a store from a thread that is no worker's, and waits for the answers: what the tests of the store and
 * its benchmark have in common. Requests are kept until the asker is cleared, so their answers can be looked
 * at.
 */
#ifndef TESTS_ASKER_H
#define TESTS_ASKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/account.h"
#include "store/document.h"
#include "store/journal.h"
#include "store/store.h"

struct asker {
	struct store *store;            /* borrowed */
	bool (*step)(struct store *store);      /* NULL: the store gets on by itself */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct store_request **asked;   /* in order; a request's token is its place */
	size_t asked_count;
	uint64_t *answered;             /* tokens, in the order of the answers */
	size_t answered_count;
	size_t submitted_count;
	uint64_t sequence;              /* of the last journal entry that was made */
};

void asker_init(struct asker *asker, struct store *store, bool (*step)(struct store *store));
/* Frees the requests, all of which have been answered. */
void asker_clear(struct asker *asker);

/* A request that asker_submit takes, and takes again when it has been answered. */
void *asker_make(struct asker *asker, size_t size, enum store_op op, const char *owner);
void asker_submit(struct asker *asker, void *request);
/* Waits until all that was submitted is answered; more than 30 s is the end of the test program. */
void asker_wait(struct asker *asker);
/* The store's figures when it has nothing more to answer; the last answer is counted just after it is given. */
void asker_figures(struct store *store, struct store_figures *out);
/* Submits and waits. */
enum store_status asker_ask(struct asker *asker, void *request);

/* Requests with their values. Strings are copied. */
struct store_account_write *asker_account(struct asker *asker, enum store_op op, const char *owner);
struct store_account_load *asker_load(struct asker *asker, const char *owner);
struct store_journal_append *asker_append(struct asker *asker, const char *owner, const char *stanza);
struct store_journal_read *asker_read(struct asker *asker, const char *owner, uint64_t after, size_t limit);
struct store_journal_archive *asker_archive(struct asker *asker, const char *owner, size_t limit);
struct store_journal_advance *asker_advance(struct asker *asker, const char *owner, uint64_t sequence);
struct store_roster_write *asker_roster(struct asker *asker, enum store_op op, const char *owner, const char *contact,
                                        uint64_t version);
/* text NULL with PUT: remove. */
struct store_document *asker_document(struct asker *asker, enum store_op op, const char *owner, const char *kind,
                                      const char *key, const char *text);

#endif
