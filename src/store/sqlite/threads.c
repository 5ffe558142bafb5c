/* SPDX-License-Identifier: MIT
 *
 * What the threads of the embedded store do.
 *
 * The writer takes all that waits and commits it as one transaction: the more is asked for while one commit
 * runs, the more share the next. A request that fails is undone alone: where one has left something behind,
 * the whole transaction is rolled back and tried once more with a savepoint for each request (SQLite copies
 * every page that a savepoint changes, so there are none as long as all goes well). Nobody is answered before
 * the commit: STORE_OK is durable. When the transaction itself is lost (disk full, I/O error, file held by
 * somebody else) it is tried again after a pause, without what has been given up meanwhile.
 */
#include "threads.h"

#include <time.h>

#include "operation.h"
#include "query.h"

enum {
	BATCH_BYTES = 8 << 20,
	RETRY_MS = 100,
};

/* ---- the writer ---- */

enum batch_result { BATCH_COMMITTED, BATCH_LOST, BATCH_UNCLEAN };

/* False: it has left something behind that must be undone. */
static bool entry_run_clean(struct sqlite_store *s, struct batch_entry *entry)
{
	int before = database_changes(&s->writer_db);

	entry->status = operation_get(entry->request->op)->run(&s->writer_db, entry->request);
	return entry->status == STORE_OK ||
	       (entry->status != STORE_FAILED && database_changes(&s->writer_db) == before);
}

static enum batch_result batch_try(struct sqlite_store *s)
{
	if (!query_run(&s->writer_db, QUERY_BEGIN_WRITE))
		return BATCH_LOST;
	for (size_t i = 0; i < s->batch.count; i++) {
		if (!entry_run_clean(s, &s->batch.entries[i]))
			return BATCH_UNCLEAN;
	}
	return query_run(&s->writer_db, QUERY_COMMIT) ? BATCH_COMMITTED : BATCH_LOST;
}

/* False: the transaction is lost. */
static bool entry_apply(struct sqlite_store *s, struct batch_entry *entry)
{
	const struct operation *operation = operation_get(entry->request->op);

	if (!query_run(&s->writer_db, QUERY_SAVEPOINT))
		return false;
	entry->status = operation->run(&s->writer_db, entry->request);
	if (entry->status == STORE_FAILED)
		faults_report(&s->faults, operation->name, s->writer_db.fault);
	if (entry->status != STORE_OK && !query_run(&s->writer_db, QUERY_ROLLBACK_TO))
		return false;
	return query_run(&s->writer_db, QUERY_RELEASE);
}

static enum batch_result batch_try_each(struct sqlite_store *s)
{
	if (!query_run(&s->writer_db, QUERY_BEGIN_WRITE))
		return BATCH_LOST;
	for (size_t i = 0; i < s->batch.count; i++) {
		if (!entry_apply(s, &s->batch.entries[i]))
			return BATCH_LOST;
	}
	return query_run(&s->writer_db, QUERY_COMMIT) ? BATCH_COMMITTED : BATCH_LOST;
}

static void batch_roll_back(struct sqlite_store *s)
{
	recent_clear(&s->writer_db.recent);
	if (database_in_transaction(&s->writer_db))
		query_run(&s->writer_db, QUERY_ROLLBACK);
}

static void batch_lose(struct sqlite_store *s)
{
	faults_report(&s->faults, "commit", s->writer_db.fault);
	batch_roll_back(s);
	for (size_t i = 0; i < s->batch.count; i++)
		s->batch.entries[i].status = STORE_FAILED;
}

static bool batch_commit(struct sqlite_store *s)
{
	enum batch_result result = batch_try(s);

	if (result == BATCH_UNCLEAN) {
		batch_roll_back(s);
		result = batch_try_each(s);
	}
	if (result == BATCH_COMMITTED)
		atomic_fetch_add(&s->commits, 1);
	else
		batch_lose(s);
	return result == BATCH_COMMITTED;
}

/* A store that is closed tries everything once. */
static bool batch_may_try_again(struct sqlite_store *s)
{
	static const struct timespec pause = { .tv_nsec = RETRY_MS * 1000000L };

	if (request_queue_is_closing(&s->writes))
		return false;
	nanosleep(&pause, NULL);
	return batch_renew(&s->batch);
}

/* The readers have had all that could not be answered here. */
static void writer_close(struct sqlite_store *s)
{
	request_queue_close(&s->reads);
	for (size_t i = 0; i < s->reader_count; i++)
		pthread_join(s->readers[i].thread, NULL);
	sqlite_close_files(s);
	watch_leave_alone(&s->watch);
}

void *writer_main(void *store)
{
	struct sqlite_store *s = store;
	struct store_request *first;

	while ((first = request_queue_take(&s->writes, BATCH_REQUESTS, BATCH_BYTES, s->gather_us))) {
		batch_take(&s->batch, first);
		while (!batch_commit(s) && batch_may_try_again(s))
			continue;
		batch_answer(&s->batch, sqlite_answer, s);
	}
	writer_close(s);
	return NULL;
}

/* ---- a reader ---- */

/* One transaction: all that a request reads is of one moment. */
static void entry_read(struct reader *reader, struct batch_entry *entry)
{
	const struct operation *operation = operation_get(entry->request->op);
	struct database *db = &reader->db;

	entry->status = query_run(db, QUERY_BEGIN_READ) ? operation->run(db, entry->request) : STORE_FAILED;
	if (entry->status == STORE_FAILED)
		faults_report(&reader->store->faults, operation->name, db->fault);
	if (database_in_transaction(db) && !query_run(db, QUERY_COMMIT))
		query_run(db, QUERY_ROLLBACK);
}

void *reader_main(void *arg)
{
	struct reader *reader = arg;
	struct store_request *request;

	while ((request = request_queue_take(&reader->store->reads, 1, SIZE_MAX, 0))) {
		batch_take(&reader->batch, request);
		if (reader->batch.entries[0].status == STORE_PENDING)
			entry_read(reader, &reader->batch.entries[0]);
		batch_answer(&reader->batch, sqlite_answer, reader->store);
	}
	return NULL;
}
