/* SPDX-License-Identifier: MIT
 *
 * The store: what is kept and how it is asked for, never how it is kept. A request goes out with a completion
 * that runs later, once, on the asking worker. Promises of every driver:
 *   - the writes of one owner (an account, a link) are applied in the order in which they were asked
 *     for;
 *   - a write that is answered STORE_OK is durable: it survives kill -9 and power loss;
 *   - a read sees every write of the same owner that was asked for before it;
 *   - one request that fails does not fail its neighbours;
 *   - what cannot be written now is tried again; a request that has waited for longer than the driver's patience is given
 *     up: answered STORE_FULL, and what it asks for does not happen later, either (only a process that dies while its disk
 *     hangs may find it done when it starts again). Those that are patient wait for as long as it takes;
 *   - completions of one owner's writes come in order, but that a full queue refuses at once (STORE_FULL) and that one is
 *     given up before another that is patient; between owners nothing is promised.
 *
 * The requests are in store/account.h, store/roster.h, store/journal.h, store/document.h, store/pubsub.h,
 * store/token.h, store/outbox.h. Each is a struct that begins with a struct store_request and is made with
 * store_request_new; what it borrows must live in its arena. The driver may still read one that it has given up: who is
 * answered STORE_FULL only reads it and frees it.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/log.h"
#include "net/worker.h"

struct store;

enum store_op {
	STORE_ACCOUNT_CREATE, STORE_ACCOUNT_CREDENTIALS, STORE_ACCOUNT_REMOVE, STORE_ACCOUNT_LOAD,
	STORE_ACCOUNT_LIST,
	STORE_ROSTER_PUT, STORE_ROSTER_REMOVE,
	STORE_JOURNAL_APPEND, STORE_JOURNAL_READ, STORE_JOURNAL_ADVANCE, STORE_JOURNAL_FETCHED,
	STORE_JOURNAL_ARCHIVE, STORE_JOURNAL_SPAN, STORE_JOURNAL_SURPLUS, STORE_JOURNAL_EXPIRE, STORE_JOURNAL_HANDLED,
	STORE_DOCUMENT_GET, STORE_DOCUMENT_PUT, STORE_DOCUMENT_OWNERS,
	STORE_PUBSUB_NODE_CREATE, STORE_PUBSUB_NODE_CHANGE, STORE_PUBSUB_NODE_REMOVE, STORE_PUBSUB_NODE_PURGE,
	STORE_PUBSUB_NODES, STORE_PUBSUB_LAST,
	STORE_PUBSUB_ITEM_PUT, STORE_PUBSUB_ITEM_REMOVE, STORE_PUBSUB_ITEMS,
	STORE_TOKENS_READ, STORE_TOKEN_CHANGE, STORE_TOKENS_REVOKE,
	STORE_OUTBOX_APPEND, STORE_OUTBOX_READ, STORE_OUTBOX_REMOVE, STORE_OUTBOX_LIST,
	STORE_OPS
};

enum store_status {
	STORE_PENDING,          /* not answered yet */
	STORE_OK,
	STORE_ABSENT,           /* no such account, document */
	STORE_CONFLICT,         /* it exists already */
	STORE_FULL,             /* a quota, the queue of requests, or the time that one may wait: try later */
	STORE_FAILED,           /* could not find out or could not write; logged with the cause */
};

struct store_request {
	struct mail mail;                       /* used by the driver */
	struct worker *worker;                  /* who asked; NULL: no worker, done() runs on a driver's thread */
	void (*done)(struct store_request *request);    /* owns the request from then on */
	struct store *store;                    /* that was asked; set by store_submit */
	enum store_op op;
	enum store_status status;
	const char *owner;                      /* prepared bare JID, or a key of ours; in the arena */
	void *context;                          /* the asker's, best an id; not touched */
	uint64_t token;                         /* likewise */
	atomic_bool patient;                    /* the asker's: it is never given up */
	uint64_t asked_ms;                      /* since when it waits, monotonic; 0: since it is submitted */
	atomic_uint holders;                    /* who may look at it: the asker, a driver that works on what it has given up */
	struct arena arena;                     /* inputs and results; freed with the request */
};

/* size: of the whole struct, zeroed behind the base. owner is copied. */
void *store_request_new(size_t size, enum store_op op, struct worker *worker, const char *owner,
                        size_t owner_len, void (*done)(struct store_request *request));
/* room: bytes that are going to be put into its arena. */
void *store_request_new_for(size_t room, size_t size, enum store_op op, struct worker *worker, const char *owner,
                            size_t owner_len, void (*done)(struct store_request *request));
void store_request_free(struct store_request *request);
/* It need not wait any longer: it is given up when its time is over, which it may be by now. */
void store_request_hurry(struct store_request *request);

/* Never calls done() before it returns. A store that is closed (NULL) answers STORE_FAILED. */
void store_submit(struct store *store, struct store_request *request);

/* Numbers for hansactl status. waiting: requests whose answer is not on its way yet. */
struct store_figures {
	uint64_t reads, writes, commits, failed, waiting;
};
void store_figures(struct store *store, struct store_figures *out);

/* A driver is a table; drivers: sqlite (store/sqlite.h), the tests' own. First member of each
 * implementation. */
struct store_driver {
	const char *name;
	void (*submit)(struct store *store, struct store_request *request);
	void (*figures)(struct store *store, struct store_figures *out);
	void (*close)(struct store *store);     /* finishes what was asked for, then frees */
};
struct store {
	const struct store_driver *driver;
	atomic_size_t pending;                  /* asked for and not yet answered; counted for all drivers alike */
};
void store_close(struct store **store);         /* NULL is fine */

/* For drivers. Is it time to give it up, if what was asked for up to before_ms is? UINT64_MAX: everything is. */
bool store_request_is_due(const struct store_request *request, uint64_t before_ms);
/* One more looks at it: store_request_free has to be called once more. */
void store_request_hold(struct store_request *request);
/* Sets the status and posts the request to its worker. from: NULL off the workers. */
void store_answer(struct worker *from, struct store_request *request, enum store_status status);

#endif
