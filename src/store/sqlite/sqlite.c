/* SPDX-License-Identifier: MIT
 *
 * The driver of the embedded store: opening and closing, and which thread a request goes to.
 *
 * A read sees the writes of its owner that were asked for before it: while one of them is under way the read
 * waits in the writer's queue behind it, else a reader answers it at once. Owners share a counter where their
 * hashes meet; that costs a detour, never a promise.
 */
#include "store/sqlite.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "file.h"
#include "operation.h"
#include "threads.h"
#include "wal.h"

enum {
	DEFAULT_READERS = 2,
	DEFAULT_QUEUE_LIMIT = 100000,
	DEFAULT_QUEUE_BYTES = 64 << 20,
	DEFAULT_PATIENCE_MS = 5000,
	LEAVE_MS = 1000, /* more than that, for what is given up to be looked at */
};

/* ---- requests ---- */

static atomic_uint *under_way_of(struct sqlite_store *s, const char *owner)
{
	static const struct hash_seed seed = { 0, 0 };

	return &s->under_way[hash_bytes(&seed, owner, strlen(owner)) % OWNERS];
}

/* A request without a worker is refused by a reader: never before its asker's call returns. */
static void sqlite_refuse(struct sqlite_store *s, struct store_request *request)
{
	request->status = STORE_FULL;
	if (request->worker)
		store_answer(request->worker, request, STORE_FULL);
	else
		request_queue_push(&s->reads, request);
}

static void write_submit(struct sqlite_store *s, struct store_request *request)
{
	atomic_uint *under_way = under_way_of(s, request->owner);

	atomic_fetch_add(under_way, 1);
	if (request_queue_add(&s->writes, request))
		return;
	atomic_fetch_sub(under_way, 1);
	sqlite_refuse(s, request);
}

static void read_submit(struct sqlite_store *s, struct store_request *request)
{
	bool must_wait = atomic_load(under_way_of(s, request->owner)) > 0;

	if (!request_queue_add(must_wait ? &s->writes : &s->reads, request))
		sqlite_refuse(s, request);
}

static void sqlite_submit(struct store *store, struct store_request *request)
{
	struct sqlite_store *s = (struct sqlite_store *)store;

	watch_wake(&s->watch);
	if (operation_get(request->op)->writes)
		write_submit(s, request);
	else
		read_submit(s, request);
}

static bool had_no_room(const struct store_request *request)
{
	return request->status == STORE_FULL;
}

void sqlite_answer(void *store, struct store_request *request, enum store_status status)
{
	struct sqlite_store *s = store;
	bool writes = operation_get(request->op)->writes;

	if (!had_no_room(request)) {
		atomic_fetch_add(writes ? &s->written : &s->read, 1);
		if (writes)
			atomic_fetch_sub(under_way_of(s, request->owner), 1);
	}
	if (status == STORE_FAILED)
		atomic_fetch_add(&s->failed, 1);
	store_answer(NULL, request, status);
}

static void sqlite_figures(struct store *store, struct store_figures *out)
{
	struct sqlite_store *s = (struct sqlite_store *)store;

	out->reads = atomic_load(&s->read);
	out->writes = atomic_load(&s->written);
	out->commits = atomic_load(&s->commits);
	out->failed = atomic_load(&s->failed);
	out->waiting = request_queue_count(&s->writes) + request_queue_count(&s->reads);
}

/* ---- closing ---- */

void sqlite_close_files(struct sqlite_store *s)
{
	for (size_t i = 0; i < s->reader_count; i++)
		database_close(&s->readers[i].db);
	database_close(&s->writer_db);          /* last: it empties the write-ahead log */
}

static void sqlite_free(struct sqlite_store *s)
{
	for (size_t i = 0; i < s->reader_count; i++)
		batch_clear(&s->readers[i].batch);
	batch_clear(&s->batch);
	watch_clear(&s->watch);
	request_queue_clear(&s->writes);
	request_queue_clear(&s->reads);
	faults_clear(&s->faults);
	if (s->lock >= 0)
		close(s->lock);
	free(s);
}

/* false: they do not get on. */
static bool threads_end(struct sqlite_store *s)
{
	unsigned long long commits;
	bool have_ended;

	request_queue_close(&s->writes);
	do {
		commits = atomic_load(&s->commits);
		have_ended = watch_await_alone(&s->watch, clock_monotonic_ms(&clock_system) + s->patience_ms + LEAVE_MS);
	} while (!have_ended && atomic_load(&s->commits) != commits);
	return have_ended;
}

/* Of a disk that hangs nobody can let go: the threads and the store are left behind, for the process is going to end. */
static void sqlite_close(struct store *store)
{
	struct sqlite_store *s = (struct sqlite_store *)store;
	bool have_ended = threads_end(s);

	watch_stop(&s->watch);
	if (have_ended) {
		pthread_join(s->writer, NULL);
		sqlite_free(s);
		return;
	}
	pthread_detach(s->writer);
	watch_abandon(s);
	faults_silence(&s->faults);
}

/* ---- opening ---- */

static const struct store_driver sqlite_driver = { "sqlite", sqlite_submit, sqlite_figures, sqlite_close };

static struct sqlite_store *sqlite_new(const struct store_sqlite_options *options)
{
	size_t readers = options->readers ? options->readers : DEFAULT_READERS;
	size_t limit = options->queue_limit ? options->queue_limit : DEFAULT_QUEUE_LIMIT;
	size_t bytes = options->queue_bytes ? options->queue_bytes : DEFAULT_QUEUE_BYTES;
	struct sqlite_store *s = mem_zalloc(sizeof(*s) + readers * sizeof(s->readers[0]));

	s->store.driver = &sqlite_driver;
	s->lock = -1;
	s->gather_us = options->gather_us;
	s->patience_ms = options->patience_ms ? options->patience_ms : DEFAULT_PATIENCE_MS;
	s->reader_count = readers;
	batch_init(&s->batch, BATCH_REQUESTS);
	for (size_t i = 0; i < readers; i++)
		batch_init(&s->readers[i].batch, 1);
	watch_init(&s->watch);
	request_queue_init(&s->writes, limit, bytes);
	request_queue_init(&s->reads, limit, bytes);
	faults_init(&s->faults, options->log);
	return s;
}

static bool sqlite_connect(struct sqlite_store *s, const char *path, char **error)
{
	if (!sqlite_file_claim(path, &s->lock, error) || !database_open_writer(&s->writer_db, path, error))
		return false;
	for (size_t i = 0; i < s->reader_count; i++) {
		s->readers[i].store = s;
		if (!database_open_reader(&s->readers[i].db, path, error))
			return false;
	}
	return true;
}

/* Signals are for the threads that know what to do with them. A server that cannot have these few threads
 * at its start cannot run. */
static void thread_start(pthread_t *thread, const char *name, void *(*main)(void *), void *arg)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(thread, NULL, main, arg) != 0)
		abort();
	pthread_setname_np(*thread, name);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct store *store_sqlite_open(const struct store_sqlite_options *options, char **error)
{
	struct sqlite_store *s = sqlite_new(options);

	if (!sqlite_connect(s, options->path, error)) {
		sqlite_close_files(s);
		sqlite_free(s);
		return NULL;
	}
	wal_set_verdict(s->writer_db.wal, batch_settle, &s->batch);
	thread_start(&s->watch.thread, "store watch", watch_main, s);
	thread_start(&s->writer, "store writer", writer_main, s);
	for (size_t i = 0; i < s->reader_count; i++)
		thread_start(&s->readers[i].thread, "store reader", reader_main, &s->readers[i]);
	return &s->store;
}
