/* SPDX-License-Identifier: MIT
 *
 * The disk that loses its power (tests/rig/powerloss.c). A child process works on it and is killed; what its files hold then
 * is looked at through the system's own VFS. The test of the test: with synchronous=OFF transactions must get lost.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "../support/folder.h"
#include "base/mem.h"

enum { KILLS = 30, LIMIT_MS = 20000 };

struct place {
	char *folder, *path;
};

static int place_make(void **state)
{
	struct place *place = mem_zalloc(sizeof(*place));

	place->folder = folder_make();
	place->path = str_printf("%s/test.db", place->folder);
	unsetenv("POWERLOSS_EARLY");
	unsetenv("POWERLOSS_SYNCHRONOUS");
	unsetenv("POWERLOSS_STALL");
	unsetenv("POWERLOSS_DIES");
	*state = place;
	return 0;
}

static int place_remove(void **state)
{
	struct place *place = *state;

	folder_remove(&place->folder);
	free(place->path);
	free(place);
	return 0;
}

/* ---- what a child does ---- */

static sqlite3 *base_open(const char *path, const char *vfs)
{
	sqlite3 *db;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs) != SQLITE_OK)
		_exit(2);
	return db;
}

static void run(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
		fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
		_exit(3);
	}
}

static sqlite3 *numbers_open(const char *path)
{
	sqlite3 *db = base_open(path, NULL);

	run(db, "PRAGMA journal_mode = WAL");
	run(db, "PRAGMA synchronous = FULL");
	run(db, "PRAGMA wal_autocheckpoint = 20");
	run(db, "CREATE TABLE IF NOT EXISTS number (n INTEGER PRIMARY KEY, text TEXT)");
	return db;
}

static int number_ask(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement;
	int number = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
		number = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return number;
}

/* Says each number that is committed, for ever. */
static void numbers_write(const char *path, int out)
{
	sqlite3 *db = numbers_open(path);

	for (int n = number_ask(db, "SELECT coalesce(max(n), 0) FROM number") + 1;; n++) {
		char sql[160];

		snprintf(sql, sizeof(sql), "INSERT INTO number VALUES (%d, hex(randomblob(%d)))", n, 50 + n % 4000);
		run(db, sql);
		if (write(out, &n, sizeof(n)) != sizeof(n))
			_exit(4);
	}
}

/* ---- what is left ---- */

/* The newest number that is there with all before it, -1: the file is broken. */
static int numbers_left(const char *path)
{
	sqlite3 *db = base_open(path, "unix");
	sqlite3_stmt *statement = NULL;
	bool sound = sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &statement, NULL) == SQLITE_OK &&
	             sqlite3_step(statement) == SQLITE_ROW &&
	             strcmp((const char *)sqlite3_column_text(statement, 0), "ok") == 0;
	int newest = -1;

	sqlite3_finalize(statement);
	if (sound && number_ask(db, "SELECT count(*) FROM sqlite_schema") == 0)
		newest = 0;
	else if (sound && number_ask(db, "SELECT coalesce(max(n), 0) = count(*) FROM number") == 1)
		newest = number_ask(db, "SELECT coalesce(max(n), 0) FROM number");
	sqlite3_close(db);
	return newest;
}

static pid_t numbers_start(const char *path, int *in)
{
	int ends[2];
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		alarm(LIMIT_MS / 1000);
		close(ends[0]);
		numbers_write(path, ends[1]);
	}
	close(ends[1]);
	*in = ends[0];
	return child;
}

static void child_kill(pid_t child)
{
	int status;

	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* Answers the last number that was said to be committed, 0: none. */
static int numbers_run_and_kill(const char *path, int many, useconds_t after_us)
{
	int in, last = 0, n;
	pid_t child = numbers_start(path, &in);

	for (int i = 0; i < many && read(in, &n, sizeof(n)) == sizeof(n); i++)
		last = n;
	usleep(after_us);
	child_kill(child);
	while (read(in, &n, sizeof(n)) == sizeof(n))
		last = n;
	close(in);
	return last;
}

static int seeded(int kill_number)
{
	char seed[16];

	snprintf(seed, sizeof(seed), "%d", kill_number + 1);
	setenv("POWERLOSS_SEED", seed, 1);
	return kill_number;
}

/* ---- the tests ---- */

static void test_committed_survives(void **state)
{
	struct place *place = *state;
	int most = 0;

	for (int i = 0; i < KILLS; i++) {
		int said, left;

		seeded(i);
		said = numbers_run_and_kill(place->path, 1 + i * 7 % 50, (useconds_t)(i * 97 % 1500));
		left = numbers_left(place->path);
		if (left < said || said < most)
			fail_msg("kill %d: %d was committed, %d is left", i, said, left);
		most = said;
	}
	assert_true(most > KILLS);
}

static void test_without_synchronising_it_is_lost(void **state)
{
	struct place *place = *state;
	int lost = 0, broken = 0;

	for (int i = 0; i < KILLS; i++) {
		int said, left;

		seeded(i);
		unsetenv("POWERLOSS_SYNCHRONOUS");
		numbers_run_and_kill(place->path, 1, 0);
		setenv("POWERLOSS_SYNCHRONOUS", "OFF", 1);
		said = numbers_run_and_kill(place->path, 40, 0);
		left = numbers_left(place->path);
		lost += left < said;
		broken += left < 0;
		unlink(place->path);
		free(place->path);
		place->path = str_printf("%s/test-%d.db", place->folder, i);
	}
	assert_int_equal(lost, KILLS);
	assert_true(broken > 0);
}

/* Another connection of the process sees all; the files have nothing. */
static void test_forgotten_but_seen(void **state)
{
	struct place *place = *state;
	pid_t child = fork();
	int status;

	if (child == 0) {
		sqlite3 *db, *other;

		setenv("POWERLOSS_EARLY", "0", 1);
		db = numbers_open(place->path);
		other = base_open(place->path, NULL);
		run(db, "PRAGMA synchronous = OFF");
		run(db, "INSERT INTO number VALUES (1, 'one'), (2, 'two')");
		if (number_ask(other, "SELECT count(*) FROM number") != 2)
			_exit(5);
		run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
		if (number_ask(other, "SELECT count(*) FROM number") != 2)
			_exit(6);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(numbers_left(place->path), 0);
}

static void test_who_leaves_in_order_leaves_all(void **state)
{
	struct place *place = *state;
	pid_t child = fork();
	int status;

	if (child == 0) {
		sqlite3 *db = numbers_open(place->path);

		run(db, "PRAGMA synchronous = OFF");
		run(db, "INSERT INTO number VALUES (1, 'one'), (2, 'two'), (3, 'three')");
		exit(sqlite3_close(db));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(numbers_left(place->path), 3);
}

/* The folder was not synchronised: a file that was removed may be there again, as it was on the disk. */
static void test_cut_and_removed_files_may_return(void **state)
{
	static char bytes[4096];
	struct place *place = *state;
	int back = 0;

	for (int i = 0; i < KILLS; i++) {
		pid_t child = fork();
		struct stat found;

		if (child == 0) {
			sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
			sqlite3_file *file = mem_zalloc((size_t)vfs->szOsFile);
			sqlite3_int64 size = 0;
			int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_JOURNAL, there = 1;

			seeded(i);
			if (vfs->xOpen(vfs, place->path, file, flags, NULL) != SQLITE_OK)
				_exit(2);
			file->pMethods->xWrite(file, bytes, sizeof(bytes), 0);
			file->pMethods->xSync(file, SQLITE_SYNC_FULL);
			file->pMethods->xTruncate(file, 100);
			file->pMethods->xFileSize(file, &size);
			file->pMethods->xClose(file);
			vfs->xDelete(vfs, place->path, 0);
			vfs->xAccess(vfs, place->path, SQLITE_ACCESS_EXISTS, &there);
			if (size != 100 || there)
				_exit(3);
			raise(SIGKILL);
		}
		assert_int_equal(waitpid(child, &(int){ 0 }, 0), child);
		if (stat(place->path, &found) == 0) {
			assert_int_equal(found.st_size, sizeof(bytes));
			back++;
			unlink(place->path);
		}
	}
	assert_in_range(back, 1, KILLS - 1);
}

/* What was committed last is there, and nobody has heard of it. */
static void test_dies_behind_a_commit(void **state)
{
	struct place *place = *state;
	int unheard = 0;

	for (int i = 0; i < KILLS; i++) {
		char dies[16];
		int said, left;

		snprintf(dies, sizeof(dies), "%d", 2 + i);
		setenv("POWERLOSS_DIES", dies, 1);
		said = numbers_run_and_kill(place->path, LIMIT_MS, 0);
		left = numbers_left(place->path);
		if (said > 0 && (left < said || left > said + 1))
			fail_msg("kill %d: %d was committed, %d is left", i, said, left);
		unheard += left == said + 1;
	}
	assert_true(unheard > KILLS / 2);
}

static void test_stalled(void **state)
{
	struct place *place = *state;
	char *stall = str_printf("%s/stall", place->folder);
	struct timeval soon = { .tv_usec = 100000 };
	pid_t child;
	fd_set set;
	int in, n;

	setenv("POWERLOSS_STALL", stall, 1);
	close(open(stall, O_CREAT | O_WRONLY, 0600));
	child = numbers_start(place->path, &in);
	FD_ZERO(&set);
	FD_SET(in, &set);
	assert_int_equal(select(in + 1, &set, NULL, NULL, &soon), 0);
	unlink(stall);
	assert_int_equal(read(in, &n, sizeof(n)), sizeof(n));
	child_kill(child);
	close(in);
	free(stall);
	assert_true(numbers_left(place->path) >= n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_committed_survives, place_make, place_remove),
		cmocka_unit_test_setup_teardown(test_without_synchronising_it_is_lost, place_make, place_remove),
		cmocka_unit_test_setup_teardown(test_forgotten_but_seen, place_make, place_remove),
		cmocka_unit_test_setup_teardown(test_who_leaves_in_order_leaves_all, place_make, place_remove),
		cmocka_unit_test_setup_teardown(test_cut_and_removed_files_may_return, place_make, place_remove),
		cmocka_unit_test_setup_teardown(test_dies_behind_a_commit, place_make, place_remove),
		cmocka_unit_test_setup_teardown(test_stalled, place_make, place_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
