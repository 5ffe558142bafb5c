/* SPDX-License-Identifier: MIT
 *
 * What only a file can show: what is answered is durable (closing, kill -9), a full disk and a full queue
 * refuse and recover, and files that are another server's, another program's or of a newer schema are refused
 * with a sentence.
 */
#include "store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "../../src/store/sqlite/query.h"
#include "../support/asker.h"
#include "../support/folder.h"
#include "base/mem.h"

#define ROMEO "romeo@north.example"
#define JULIET "juliet@north.example"

struct place {
	char *folder;
	char *path;
	char *error;
};

static int place_make(void **state)
{
	struct place *place = mem_zalloc(sizeof(*place));

	place->folder = folder_make();
	place->path = str_printf("%s/store.db", place->folder);
	*state = place;
	return 0;
}

static int place_remove(void **state)
{
	struct place *place = *state;

	folder_remove(&place->folder);
	free(place->path);
	free(place->error);
	free(place);
	return 0;
}

static struct store *place_open(struct place *place)
{
	return store_sqlite_open(&(struct store_sqlite_options){ .path = place->path }, &place->error);
}

static void asker_open(struct asker *a, struct place *place)
{
	struct store *store = place_open(place);

	if (!store)
		fail_msg("%s", place->error);
	asker_init(a, store, NULL);
}

static void asker_close(struct asker *a)
{
	store_close(&a->store);
	asker_clear(a);
}

/* What stands in the file as somebody else's tool sees it. */
static void sqlite_run(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* ---- durability ---- */

static void what_was_written_is_there_after_closing(void **state)
{
	struct asker a;
	struct store_account_load *load;

	asker_open(&a, *state);
	assert_int_equal(asker_ask(&a, asker_account(&a, STORE_ACCOUNT_CREATE, ROMEO)), STORE_OK);
	assert_int_equal(asker_ask(&a, asker_append(&a, ROMEO, "<message/>")), STORE_OK);
	assert_int_equal(asker_ask(&a, asker_document(&a, STORE_DOCUMENT_PUT, "", "secret", "x", "y")), STORE_OK);
	asker_close(&a);

	asker_open(&a, *state);
	load = asker_load(&a, ROMEO);
	assert_int_equal(asker_ask(&a, load), STORE_OK);
	assert_int_equal(load->credential_count, 2);
	assert_int_equal(load->undelivered, 1);
	assert_int_equal(asker_ask(&a, asker_document(&a, STORE_DOCUMENT_GET, "", "secret", "x", NULL)), STORE_OK);
	asker_close(&a);
}

static void sequences_are_known_after_closing(void **state)
{
	struct store_journal_append *append;
	struct store_account_load *load;
	struct asker a;
	uint64_t last;

	asker_open(&a, *state);
	asker_ask(&a, asker_account(&a, STORE_ACCOUNT_CREATE, ROMEO));
	append = asker_append(&a, ROMEO, "1");
	assert_int_equal(asker_ask(&a, append), STORE_OK);
	last = append->entry.sequence;
	assert_int_equal(asker_ask(&a, asker_advance(&a, ROMEO, last)), STORE_OK);
	asker_close(&a);

	asker_open(&a, *state);
	load = asker_load(&a, ROMEO);
	assert_int_equal(asker_ask(&a, load), STORE_OK);
	assert_int_equal(load->undelivered, 0);
	assert_int_equal(load->journal_newest, last);
	asker_close(&a);
}

enum { RECORD = 16 };

/* On a thread of the child's store: says to the parent what has been answered. */
static void child_answered(struct store_request *request)
{
	struct store_journal_append *append = (struct store_journal_append *)request;
	int pipe_end = *(int *)request->context;
	char record[RECORD];

	memset(record, 0, sizeof(record));
	snprintf(record, sizeof(record), "%s", append->entry.stanza);
	if (request->status != STORE_OK || write(pipe_end, record, RECORD) != RECORD)
		_exit(1);
	store_request_free(request);
}

/* Writes until it is killed. Some of what it asks for waits, so that commits have company. */
static void child_write(struct place *place, int pipe_end)
{
	struct store *store = place_open(place);
	struct store_figures figures;

	if (!store)
		_exit(2);
	for (unsigned long i = 0;; i++) {
		struct store_journal_append *append = store_request_new(sizeof(*append), STORE_JOURNAL_APPEND, NULL,
			ROMEO, strlen(ROMEO), child_answered);

		append->entry.sequence = append->entry.body = ((uint64_t)getpid() << 32) + i + 1;
		append->entry.peer = "juliet@south.example";
		append->entry.stanza = arena_printf(&append->request.arena, "%d-%lu", (int)getpid(), i);
		append->entry.stanza_len = strlen(append->entry.stanza);
		append->request.context = &pipe_end;
		store_submit(store, &append->request);
		do
			store_figures(store, &figures);
		while (figures.waiting > 50);
	}
}

/* The records that the child got out before it was killed, one behind the other. */
static char *answers_until_killed(struct place *place, size_t enough, size_t *count)
{
	char *records = NULL;
	int ends[2], status;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		close(ends[0]);
		child_write(place, ends[1]);
	}
	close(ends[1]);
	for (*count = 0;; ++*count) {
		records = mem_realloc(records, (*count + 1) * RECORD);
		if (read(ends[0], records + *count * RECORD, RECORD) != RECORD)
			break;
		if (*count == enough)
			kill(child, SIGKILL);
	}
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return records;
}

static bool journal_has(const struct store_journal_read *read, const char *stanza)
{
	for (size_t i = 0; i < read->count; i++)
		if (strcmp(read->entries[i].stanza, stanza) == 0)
			return true;
	return false;
}

static void what_was_answered_survives_kill_9(void **state)
{
	struct asker a;

	asker_open(&a, *state);
	assert_int_equal(asker_ask(&a, asker_account(&a, STORE_ACCOUNT_CREATE, ROMEO)), STORE_OK);
	asker_close(&a);
	for (size_t round = 0; round < 5; round++) {
		size_t count;
		char *records = answers_until_killed(*state, 20 + 150 * round, &count);
		struct store_journal_read *read;

		asker_open(&a, *state);
		read = asker_read(&a, ROMEO, 0, SIZE_MAX);
		assert_int_equal(asker_ask(&a, read), STORE_OK);
		assert_true(count > 20 + 150 * round);
		for (size_t i = 0; i < count; i++)
			assert_true(journal_has(read, records + i * RECORD));
		asker_close(&a);
		free(records);
	}
}

/* ---- files ---- */

static void the_file_is_its_owners_only(void **state)
{
	static const char *const tails[] = { "", "-wal", "-shm", "-lock" };
	struct place *place = *state;
	struct asker a;

	umask(0);
	asker_open(&a, place);
	asker_ask(&a, asker_account(&a, STORE_ACCOUNT_CREATE, ROMEO));
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		char *path = str_printf("%s%s", place->path, tails[i]);
		struct stat stat_of;

		assert_int_equal(stat(path, &stat_of), 0);
		assert_int_equal(stat_of.st_mode & 07777, 0600);
		free(path);
	}
	asker_close(&a);
}

static void assert_refused(struct place *place, const char *sentence)
{
	assert_null(place_open(place));
	assert_non_null(strstr(place->error, place->path));
	if (!strstr(place->error, sentence))
		fail_msg("\"%s\" does not say \"%s\"", place->error, sentence);
	free(place->error);
	place->error = NULL;
}

static void two_servers_on_one_file_are_refused(void **state)
{
	struct place *place = *state;
	struct asker a;
	char *sentence = str_printf("in use by another server, process %ld", (long)getpid());

	asker_open(&a, place);
	assert_refused(place, sentence);
	assert_int_equal(asker_ask(&a, asker_account(&a, STORE_ACCOUNT_CREATE, ROMEO)), STORE_OK);
	asker_close(&a);
	asker_open(&a, place);
	assert_int_equal(asker_ask(&a, asker_load(&a, ROMEO)), STORE_OK);
	asker_close(&a);
	free(sentence);
}

static void a_newer_schema_is_refused(void **state)
{
	struct place *place = *state;
	struct asker a;

	asker_open(&a, place);
	asker_close(&a);
	sqlite_run(place->path, "PRAGMA user_version = 4711");
	assert_refused(place, "its schema is number 4711");
}

extern const char *const schema_steps[];

/* The journal of the first schema held what was undelivered: it still is. */
static void an_older_journal_is_carried_over(void **state)
{
	struct place *place = *state;
	struct store_journal_read *read;
	struct store_account_load *load;
	struct asker a;

	sqlite_run(place->path, schema_steps[0]);
	sqlite_run(place->path, schema_steps[1]);
	sqlite_run(place->path,
	           "INSERT INTO account (id, host, name, created_us, delivered)"
	           " VALUES (1, 'north.example', 'romeo', 1, 2);"
	           "INSERT INTO journal (sequence, account, at_us, direction, type, bytes, id, peer, stanza)"
	           " VALUES (3, 1, 5, 0, 2, 10, 'x', 'juliet@south.example/a/b', '<message/>'),"
	           " (4, 1, 6, 0, 1, 3, 'y', 'south.example', '<m>')");
	asker_open(&a, place);
	read = asker_read(&a, ROMEO, 0, 10);
	assert_int_equal(asker_ask(&a, read), STORE_OK);
	assert_int_equal(read->count, 2);
	assert_int_equal(read->entries[0].sequence, 3);
	assert_string_equal(read->entries[0].peer, "juliet@south.example/a/b");
	assert_string_equal(read->entries[0].stanza, "<message/>");
	assert_string_equal(read->entries[1].peer, "south.example");
	load = asker_load(&a, ROMEO);
	assert_int_equal(asker_ask(&a, load), STORE_OK);
	assert_int_equal(load->undelivered, 2);
	assert_int_equal(load->undelivered_bytes, 13);
	assert_int_equal(load->journal_newest, 4);
	assert_int_equal(asker_ask(&a, asker_advance(&a, ROMEO, 4)), STORE_OK);
	asker_close(&a);
	sqlite_run(place->path, "CREATE TABLE nothing_is_left (count INTEGER CHECK (count = 0));"
	                        "INSERT INTO nothing_is_left SELECT count(*) FROM journal_body;"
	                        "INSERT INTO nothing_is_left SELECT count(*) FROM journal_entry");
}

/* An archive of the third schema is found by its peers, in front of what comes and expires later. */
static void an_older_archive_is_carried_over(void **state)
{
	struct place *place = *state;
	struct store_journal_expire *expire;
	struct store_journal_archive *page;
	struct asker a;

	for (size_t step = 0; step < 3; step++)
		sqlite_run(place->path, schema_steps[step]);
	sqlite_run(place->path,
	           "INSERT INTO account (id, host, name, created_us, delivered)"
	           " VALUES (1, 'north.example', 'romeo', 1, 20);"
	           "INSERT INTO journal_body (id, holders, stanza) VALUES (12, 1, 'one'), (14, 1, 'two');"
	           "INSERT INTO journal_entry"
	           " (account, sequence, body, at_us, direction, type, archived, bytes, peer, resource)"
	           " VALUES (1, 12, 12, 5, 0, 2, 1, 3, 'juliet@south.example', 'balcony'),"
	           " (1, 14, 14, 6, 0, 2, 1, 3, 'ben@south.example', '')");
	asker_open(&a, place);
	a.sequence = 20;
	asker_ask(&a, asker_append(&a, ROMEO, "not archived"));
	page = asker_archive(&a, ROMEO, 5);
	page->with = "juliet@south.example";
	assert_int_equal(asker_ask(&a, page), STORE_OK);
	assert_int_equal(page->count, 1);
	assert_string_equal(page->entries[0].stanza, "one");
	assert_int_equal(asker_ask(&a, asker_advance(&a, ROMEO, a.sequence)), STORE_OK);
	expire = asker_make(&a, sizeof(*expire), STORE_JOURNAL_EXPIRE, ROMEO);
	expire->before = UINT64_MAX;
	expire->limit = 5;
	assert_int_equal(asker_ask(&a, expire), STORE_OK);
	assert_int_equal(expire->removed, 2);
	asker_close(&a);
	sqlite_run(place->path, "CREATE TABLE nothing_is_left (count INTEGER CHECK (count = 0));"
	                        "INSERT INTO nothing_is_left SELECT count(*) FROM journal_body;"
	                        "INSERT INTO nothing_is_left SELECT count(*) FROM journal_peer");
}

/* A clock that was set back after all had expired: journal_peer is ahead of what comes. */
static void an_entry_out_of_order_is_found_by_its_peer(void **state)
{
	struct store_journal_append *late;
	struct store_journal_archive *page;
	struct asker a;

	asker_open(&a, *state);
	asker_submit(&a, asker_account(&a, STORE_ACCOUNT_CREATE, ROMEO));
	for (unsigned i = 0; i < 300; i++)
		asker_submit(&a, asker_append(&a, ROMEO, "in order"));
	a.sequence = 5;
	late = asker_append(&a, ROMEO, "late");
	late->entry.archived = true;
	assert_int_equal(asker_ask(&a, late), STORE_OK);
	page = asker_archive(&a, ROMEO, 5);
	page->with = "juliet@south.example";
	assert_int_equal(asker_ask(&a, page), STORE_OK);
	assert_int_equal(page->count, 1);
	assert_string_equal(page->entries[0].stanza, "late");
	asker_close(&a);
}

/* Nothing that is asked of journals and documents looks through more than it is about, or sorts: each step is a search. */
static void accounts_are_searched_and_not_scanned(void **state)
{
	struct place *place = *state;
	struct asker a;
	sqlite3 *db;

	asker_open(&a, place);
	asker_close(&a);
	assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
	for (unsigned name = QUERY_JOURNAL_APPEND; name <= QUERY_DOCUMENT_OWNERS; name++) {
		char *explain = str_printf("EXPLAIN QUERY PLAN %s", query_text_of((enum query_name)name));
		sqlite3_stmt *plan;

		assert_int_equal(sqlite3_prepare_v2(db, explain, -1, &plan, NULL), SQLITE_OK);
		while (sqlite3_step(plan) == SQLITE_ROW) {
			const char *step = (const char *)sqlite3_column_text(plan, 3);
			bool scans = strncmp(step, "SCAN ", 5) == 0 && strncmp(step, "SCAN (subquery", 14) != 0;

			if (scans || strstr(step, "TEMP B-TREE"))
				fail_msg("%s: %s", query_text_of((enum query_name)name), step);
		}
		sqlite3_finalize(plan);
		free(explain);
	}
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* A text goes with the last entry that has it, and so does what its peer's list knows of it. */
static void what_expires_leaves_nothing_behind(void **state)
{
	static const char *const accounts[] = { ROMEO, "juliet@south.example" };
	struct place *place = *state;
	struct asker a;

	asker_open(&a, place);
	for (unsigned i = 0; i < 2; i++)
		asker_submit(&a, asker_account(&a, STORE_ACCOUNT_CREATE, accounts[i]));
	for (unsigned i = 0; i < 400; i++) {
		struct store_journal_append *append = asker_append(&a, accounts[i % 2], "<message/>");

		append->entry.direction = STORE_OUT;
		append->entry.archived = true;
		append->entry.body = 1 + i / 2;
		asker_submit(&a, append);
	}
	for (unsigned i = 0; i < 2; i++) {
		struct store_journal_expire *expire = asker_make(&a, sizeof(*expire), STORE_JOURNAL_EXPIRE, accounts[i]);

		expire->before = UINT64_MAX;
		expire->limit = 1000;
		assert_int_equal(asker_ask(&a, expire), STORE_OK);
		assert_int_equal(expire->removed, 200);
	}
	asker_close(&a);
	sqlite_run(place->path, "CREATE TABLE nothing_is_left (count INTEGER CHECK (count = 0));"
	                        "INSERT INTO nothing_is_left SELECT count(*) FROM journal_body;"
	                        "INSERT INTO nothing_is_left SELECT count(*) FROM journal_peer;"
	                        "INSERT INTO nothing_is_left SELECT count(*) FROM journal_entry");
}

static void a_database_of_another_program_is_refused(void **state)
{
	struct place *place = *state;

	sqlite_run(place->path, "CREATE TABLE bookmarks (url TEXT)");
	assert_refused(place, "another program");
	sqlite_run(place->path, "INSERT INTO bookmarks VALUES ('untouched')");
}

static void what_is_no_database_is_refused(void **state)
{
	struct place *place = *state;
	FILE *file = fopen(place->path, "w");

	for (unsigned i = 0; i < 1000; i++)
		fputs("this is no database\n", file);
	fclose(file);
	assert_refused(place, "not a database");
}

static void a_missing_folder_is_refused(void **state)
{
	struct place *place = *state;

	free(place->path);
	place->path = str_printf("%s/nowhere/store.db", place->folder);
	assert_refused(place, "No such file or directory");
}

static void a_file_that_a_tool_holds_is_refused(void **state)
{
	struct place *place = *state;
	sqlite3 *db;

	sqlite3_open(place->path, &db);
	assert_int_equal(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	assert_refused(place, "locked");
	sqlite3_close(db);
}

/* ---- trouble while it runs ---- */

/* Files may not grow: SQLite meets EFBIG where a full disk gives ENOSPC. */
static void files_may_grow(bool may)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = may ? limit.rlim_max : 1;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_fails_and_recovers(void **state)
{
	struct store_journal_append *refused[10];
	struct store_journal_read *read;
	struct store_figures figures;
	struct asker a;

	signal(SIGXFSZ, SIG_IGN);
	asker_open(&a, *state);
	asker_ask(&a, asker_account(&a, STORE_ACCOUNT_CREATE, ROMEO));
	assert_int_equal(asker_ask(&a, asker_append(&a, ROMEO, "before")), STORE_OK);
	for (size_t i = 0; i < 10; i++)
		refused[i] = asker_append(&a, ROMEO, "meanwhile");
	files_may_grow(false);
	for (size_t i = 0; i < 10; i++)
		asker_submit(&a, refused[i]);
	asker_wait(&a);
	files_may_grow(true);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(refused[i]->request.status, STORE_FULL);
	store_figures(a.store, &figures);
	assert_int_equal(figures.failed, 10);

	assert_int_equal(asker_ask(&a, asker_append(&a, ROMEO, "after")), STORE_OK);
	read = asker_read(&a, ROMEO, 0, 10);
	assert_int_equal(asker_ask(&a, read), STORE_OK);
	assert_int_equal(read->count, 2);
	assert_string_equal(read->entries[1].stanza, "after");
	asker_close(&a);
}

/* Calls of SQLite to the system that write, until one of them fails; 0: none does. */
static atomic_int calls_left;

static bool call_fails(void)
{
	return atomic_load(&calls_left) > 0 && atomic_fetch_sub(&calls_left, 1) == 1;
}

static ssize_t failing_pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
	if (!call_fails())
		return pwrite64(fd, bytes, len, at);
	errno = ENOSPC;
	return -1;
}

/* Stands in front of the C library's. */
int fdatasync(int fd)
{
	if (!call_fails())
		return (int)syscall(SYS_fdatasync, fd);
	errno = EIO;
	return -1;
}

static void system_calls_fail(sqlite3_syscall_ptr pwrite64_call)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

	assert_int_equal(vfs->xSetSystemCall(vfs, "pwrite64", pwrite64_call), SQLITE_OK);
}

static void append_ten(struct asker *a, struct store_journal_append *appends[10])
{
	for (unsigned i = 0; i < 10; i++) {
		char stanza[16];

		snprintf(stanza, sizeof(stanza), "stanza-%u", i);
		appends[i] = asker_append(a, ROMEO, stanza);
		asker_submit(a, appends[i]);
		if (i % 3 == 0)
			asker_wait(a);
	}
	asker_wait(a);
}

/* Whichever call fails: what was asked for is done again, and is there afterwards. false: there were not so many calls. */
static bool fail_call(struct place *place, int number)
{
	struct store_journal_append *appends[10];
	struct store_journal_read *read;
	bool has_failed;
	struct asker a;

	asker_open(&a, place);
	asker_ask(&a, asker_account(&a, STORE_ACCOUNT_REMOVE, ROMEO));
	assert_int_equal(asker_ask(&a, asker_account(&a, STORE_ACCOUNT_CREATE, ROMEO)), STORE_OK);
	atomic_store(&calls_left, number);
	append_ten(&a, appends);
	has_failed = atomic_exchange(&calls_left, 0) == 0;
	assert_int_equal(asker_ask(&a, asker_append(&a, ROMEO, "after")), STORE_OK);
	store_close(&a.store);

	a.store = place_open(place);
	assert_non_null(a.store);
	read = asker_read(&a, ROMEO, 0, SIZE_MAX);
	assert_int_equal(asker_ask(&a, read), STORE_OK);
	for (size_t i = 0; i < 10; i++) {
		assert_int_equal(appends[i]->request.status, STORE_OK);
		assert_true(journal_has(read, appends[i]->entry.stanza));
	}
	assert_true(journal_has(read, "after"));
	asker_close(&a);
	return has_failed;
}

static void any_call_to_the_system_may_fail(void **state)
{
	size_t failures = 0;

	system_calls_fail((sqlite3_syscall_ptr)failing_pwrite64);
	for (int number = 1; number <= 40; number++)
		failures += fail_call(*state, number);
	system_calls_fail(NULL);
	assert_true(failures >= 5);
}

static void assert_logged_first(const char *path, const char *text)
{
	char line[400], *found;
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	found = fgets(line, sizeof(line), file);
	assert_non_null(found);
	assert_non_null(strstr(line, text));
	fclose(file);
}

static void a_tool_that_holds_the_file_delays_only(void **state)
{
	struct place *place = *state;
	const char *why = NULL;
	char *log_path = str_printf("%s/log", place->folder);
	struct log *log = log_open(LOG_TARGET_FILE, log_path, LOG_LEVEL_INFO, &why);
	struct store_sqlite_options options = { .path = place->path, .log = log, .patience_ms = 3000 };
	struct asker a;
	sqlite3 *db;

	asker_init(&a, store_sqlite_open(&options, &place->error), NULL);
	assert_non_null(a.store);
	asker_ask(&a, asker_account(&a, STORE_ACCOUNT_CREATE, ROMEO));
	sqlite3_open(place->path, &db);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(asker_ask(&a, asker_append(&a, ROMEO, "x")), STORE_FULL);
	assert_int_equal(asker_ask(&a, asker_load(&a, ROMEO)), STORE_OK);
	assert_logged_first(log_path, "database is locked");
	assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(asker_ask(&a, asker_append(&a, ROMEO, "x")), STORE_OK);
	asker_close(&a);
	log_close(&log);
	free(log_path);
}

/* A value that no server writes is not taken for another: reading fails. */
static void damaged_rows_fail_to_be_read(void **state)
{
	static const char *const damages[] = {
		"UPDATE credential SET salt = x'00'",
		"UPDATE credential SET server_key = x''",
		"UPDATE roster SET groups = CAST('no end' AS BLOB)",
		"UPDATE roster SET name = 'a' || char(0) || 'b'",
		"UPDATE roster SET name = CAST(x'c328' AS TEXT)",
		"UPDATE roster SET request = 'a' || char(27) || 'b'",
		"UPDATE roster SET groups = x'ff00'",
	};
	struct place *place = *state;
	struct asker a;

	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		asker_open(&a, place);
		asker_ask(&a, asker_account(&a, STORE_ACCOUNT_REMOVE, ROMEO));
		asker_ask(&a, asker_account(&a, STORE_ACCOUNT_CREATE, ROMEO));
		asker_ask(&a, asker_roster(&a, STORE_ROSTER_PUT, ROMEO, "juliet@south.example", 1));
		assert_int_equal(asker_ask(&a, asker_load(&a, ROMEO)), STORE_OK);
		sqlite_run(place->path, damages[i]);
		assert_int_equal(asker_ask(&a, asker_load(&a, ROMEO)), STORE_FAILED);
		asker_close(&a);
	}
}

/* ---- a full queue ---- */

static struct store *place_open_small(struct place *place, size_t queue_limit, size_t queue_bytes)
{
	struct store_sqlite_options options = { .path = place->path, .queue_limit = queue_limit,
	                                        .queue_bytes = queue_bytes, .gather_us = 200000 };

	return store_sqlite_open(&options, &place->error);
}

static void a_full_queue_refuses(struct place *place, size_t queue_limit, size_t queue_bytes)
{
	size_t taken = 0, refused = 0;
	struct asker a;

	asker_init(&a, place_open_small(place, queue_limit, queue_bytes), NULL);
	assert_non_null(a.store);
	asker_submit(&a, asker_account(&a, STORE_ACCOUNT_CREATE, ROMEO));
	for (unsigned i = 0; i < 100; i++)
		asker_submit(&a, asker_append(&a, ROMEO, "x"));
	asker_wait(&a);
	for (size_t i = 0; i < a.asked_count; i++) {
		taken += a.asked[i]->status == STORE_OK;
		refused += a.asked[i]->status == STORE_FULL;
	}
	assert_true(taken >= 2 && refused >= 50);
	assert_int_equal(taken + refused, 101);
	/* The last was refused; the same request may be asked again. */
	assert_int_equal(a.asked[100]->status, STORE_FULL);
	assert_int_equal(asker_ask(&a, a.asked[100]), STORE_OK);
	asker_close(&a);
}

static void a_queue_is_bounded_by_number(void **state)
{
	a_full_queue_refuses(*state, 10, 0);
}

static void a_queue_is_bounded_by_memory(void **state)
{
	a_full_queue_refuses(*state, 0, 20000);
}

/* ---- many threads ---- */

enum { ASKERS = 4, ASKS = 200 };

static void *ask_much(void *store)
{
	struct asker a;
	char owner[64];

	asker_init(&a, store, NULL);
	snprintf(owner, sizeof(owner), "user-%p@north.example", (void *)&a);
	asker_submit(&a, asker_account(&a, STORE_ACCOUNT_CREATE, owner));
	for (unsigned i = 0; i < ASKS; i++) {
		asker_submit(&a, asker_append(&a, owner, "<message/>"));
		if (i % 3 == 0)
			asker_submit(&a, asker_load(&a, owner));
		if (i % 17 == 0)
			asker_wait(&a);
	}
	asker_wait(&a);
	for (size_t i = 0; i < a.asked_count; i++)
		if (a.asked[i]->status != STORE_OK)
			abort();
	asker_clear(&a);
	return NULL;
}

static void threads_may_ask_at_once(void **state)
{
	struct place *place = *state;
	struct store *store = place_open(place);
	struct store_figures figures;
	pthread_t threads[ASKERS];

	assert_non_null(store);
	for (size_t i = 0; i < ASKERS; i++)
		pthread_create(&threads[i], NULL, ask_much, store);
	for (size_t i = 0; i < ASKERS; i++)
		pthread_join(threads[i], NULL);
	asker_figures(store, &figures);
	assert_int_equal(figures.writes, ASKERS * (ASKS + 1));
	store_close(&store);
}

/* Its account was made before its keys were refused: the account goes, the neighbours stay, in one commit. */
static void what_fails_leaves_nothing_in_its_batch(void **state)
{
	struct place *place = *state;
	struct store_account_write *broken;
	struct store_account_load *load;
	struct store_figures figures;
	struct asker a;

	asker_init(&a, place_open_small(place, 0, 0), NULL);
	assert_non_null(a.store);
	broken = asker_account(&a, STORE_ACCOUNT_CREATE, JULIET);
	broken->credentials[1].kind = broken->credentials[0].kind;
	asker_submit(&a, asker_account(&a, STORE_ACCOUNT_CREATE, ROMEO));
	asker_submit(&a, asker_append(&a, ROMEO, "before"));
	asker_submit(&a, broken);
	asker_submit(&a, asker_append(&a, ROMEO, "behind"));
	asker_submit(&a, load = asker_load(&a, ROMEO));
	asker_wait(&a);
	assert_int_equal(broken->request.status, STORE_FAILED);
	assert_int_equal(load->request.status, STORE_OK);
	assert_int_equal(load->undelivered, 2);
	assert_int_equal(load->credential_count, STORE_CREDENTIALS);
	asker_figures(a.store, &figures);
	assert_int_equal(figures.commits, 1);
	assert_int_equal(asker_ask(&a, asker_load(&a, JULIET)), STORE_ABSENT);
	asker_close(&a);
}

#define PLACE_TEST(function) cmocka_unit_test_setup_teardown(function, place_make, place_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE_TEST(what_was_written_is_there_after_closing),
		PLACE_TEST(sequences_are_known_after_closing),
		PLACE_TEST(what_was_answered_survives_kill_9),
		PLACE_TEST(the_file_is_its_owners_only),
		PLACE_TEST(two_servers_on_one_file_are_refused),
		PLACE_TEST(a_newer_schema_is_refused),
		PLACE_TEST(an_older_journal_is_carried_over),
		PLACE_TEST(an_older_archive_is_carried_over),
		PLACE_TEST(an_entry_out_of_order_is_found_by_its_peer),
		PLACE_TEST(what_expires_leaves_nothing_behind),
		PLACE_TEST(accounts_are_searched_and_not_scanned),
		PLACE_TEST(a_database_of_another_program_is_refused),
		PLACE_TEST(what_is_no_database_is_refused),
		PLACE_TEST(a_missing_folder_is_refused),
		PLACE_TEST(a_file_that_a_tool_holds_is_refused),
		PLACE_TEST(a_full_disk_fails_and_recovers),
		PLACE_TEST(any_call_to_the_system_may_fail),
		PLACE_TEST(a_tool_that_holds_the_file_delays_only),
		PLACE_TEST(damaged_rows_fail_to_be_read),
		PLACE_TEST(a_queue_is_bounded_by_number),
		PLACE_TEST(a_queue_is_bounded_by_memory),
		PLACE_TEST(threads_may_ask_at_once),
		PLACE_TEST(what_fails_leaves_nothing_in_its_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
