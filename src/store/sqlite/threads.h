/* SPDX-License-Identifier: MIT
 *
 * The embedded store and its threads: one writer, some readers, and one that watches them. A worker puts a request into
 * one of two queues; a thread takes it from there, carries it out on its own connection and answers it. The workers
 * touch the queues and the counters below, never a connection.
 */
#ifndef SQLITE_THREADS_H
#define SQLITE_THREADS_H

#include <stdatomic.h>

#include "batch.h"
#include "database.h"
#include "faults.h"
#include "queue.h"
#include "store/sqlite.h"
#include "watch.h"

enum { OWNERS = 4096, BATCH_REQUESTS = 1000 };

struct sqlite_store;

struct reader {
	struct sqlite_store *store;
	struct database db;
	struct batch batch;             /* of one */
	pthread_t thread;
};

struct sqlite_store {
	struct store store;             /* first */
	int lock;                       /* the claim on the file */
	uint32_t gather_us;
	uint64_t patience_ms;
	struct request_queue writes;    /* and reads that must see a write that is under way */
	struct request_queue reads;
	struct faults faults;
	struct watch watch;
	/* Writes asked for and not committed yet, by the hash of their owner. */
	atomic_uint under_way[OWNERS];
	atomic_ullong read, written, commits, failed;

	struct database writer_db;
	struct batch batch;             /* the writer's */
	pthread_t writer;
	size_t reader_count;
	struct reader readers[];
};

void *writer_main(void *store);         /* struct sqlite_store */
void *reader_main(void *reader);        /* struct reader */

/* No thread uses them any more, or none was started. */
void sqlite_close_files(struct sqlite_store *s);
/* Counts the request as done and answers it. */
batch_answer_fn sqlite_answer;          /* context: struct sqlite_store */

#endif
