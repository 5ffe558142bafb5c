/* SPDX-License-Identifier: MIT
 *
 * What the threads of the embedded store do.
 *
 * The writer takes all that waits and commits it as one transaction: the more is asked for while one commit
 * runs, the more share the next. A request that fails is undone alone: where one has left something behind,
 * the whole transaction is rolled back and tried once more with a savepoint for each request (SQLite copies
 * every page that a savepoint changes, so there are none as long as all goes well). Nobody is answered before
 * the commit: STORE_OK is durable. When the transaction itself is lost (disk full, I/O error, file held by
 * somebody else) all in it fail, and the next one tries anew.
 */
#include "threads.h"

#include "operation.h"
#include "query.h"

enum {
	BATCH_REQUESTS = 1000,
	BATCH_BYTES = 8 << 20,
};

/* ---- the writer ---- */

enum batch_result { BATCH_COMMITTED, BATCH_LOST, BATCH_UNCLEAN };

/* False: it has left something behind that must be undone. */
static bool request_run_clean(struct sqlite_store *s, struct store_request *request)
{
	int before = database_changes(&s->writer_db);

	request->status = operation_get(request->op)->run(&s->writer_db, request);
	return request->status == STORE_OK ||
	       (request->status != STORE_FAILED && database_changes(&s->writer_db) == before);
}

static enum batch_result batch_try(struct sqlite_store *s, struct store_request *first)
{
	if (!query_run(&s->writer_db, QUERY_BEGIN_WRITE))
		return BATCH_LOST;
	for (struct store_request *request = first; request; request = request_next(request)) {
		if (!request_run_clean(s, request))
			return BATCH_UNCLEAN;
	}
	return query_run(&s->writer_db, QUERY_COMMIT) ? BATCH_COMMITTED : BATCH_LOST;
}

/* False: the transaction is lost. */
static bool request_apply(struct sqlite_store *s, struct store_request *request)
{
	const struct operation *operation = operation_get(request->op);

	if (!query_run(&s->writer_db, QUERY_SAVEPOINT))
		return false;
	request->status = operation->run(&s->writer_db, request);
	if (request->status == STORE_FAILED)
		faults_report(&s->faults, operation->name, s->writer_db.fault);
	if (request->status != STORE_OK && !query_run(&s->writer_db, QUERY_ROLLBACK_TO))
		return false;
	return query_run(&s->writer_db, QUERY_RELEASE);
}

static enum batch_result batch_try_each(struct sqlite_store *s, struct store_request *first)
{
	if (!query_run(&s->writer_db, QUERY_BEGIN_WRITE))
		return BATCH_LOST;
	for (struct store_request *request = first; request; request = request_next(request)) {
		if (!request_apply(s, request))
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

static void batch_lose(struct sqlite_store *s, struct store_request *first)
{
	faults_report(&s->faults, "commit", s->writer_db.fault);
	batch_roll_back(s);
	for (struct store_request *request = first; request; request = request_next(request))
		request->status = STORE_FAILED;
}

static void batch_commit(struct sqlite_store *s, struct store_request *first)
{
	enum batch_result result = batch_try(s, first);

	if (result == BATCH_UNCLEAN) {
		batch_roll_back(s);
		result = batch_try_each(s, first);
	}
	if (result == BATCH_COMMITTED)
		atomic_fetch_add(&s->commits, 1);
	else
		batch_lose(s, first);
}

void *writer_main(void *store)
{
	struct sqlite_store *s = store;
	struct store_request *first, *next;

	while ((first = request_queue_take(&s->writes, BATCH_REQUESTS, BATCH_BYTES, s->gather_us))) {
		batch_commit(s, first);
		for (; first; first = next) {
			next = request_next(first);
			sqlite_answer(s, first);
		}
	}
	return NULL;
}

/* ---- a reader ---- */

/* One transaction: all that a request reads is of one moment. */
static void request_read(struct reader *reader, struct store_request *request)
{
	const struct operation *operation = operation_get(request->op);
	struct database *db = &reader->db;

	request->status = query_run(db, QUERY_BEGIN_READ) ? operation->run(db, request) : STORE_FAILED;
	if (request->status == STORE_FAILED)
		faults_report(&reader->store->faults, operation->name, db->fault);
	if (database_in_transaction(db) && !query_run(db, QUERY_COMMIT))
		query_run(db, QUERY_ROLLBACK);
}

void *reader_main(void *arg)
{
	struct reader *reader = arg;
	struct store_request *request;

	while ((request = request_queue_take(&reader->store->reads, 1, SIZE_MAX, 0))) {
		if (request->status == STORE_PENDING)
			request_read(reader, request);
		sqlite_answer(reader->store, request);
	}
	return NULL;
}
