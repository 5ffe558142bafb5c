/* SPDX-License-Identifier: MIT
 *
 * The embedded store on a disk that hangs, and on one that fails for a moment: what is given up is answered in time and never
 * happens, also for who reads the files after a crash; what is patient waits; a store can be left all the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../support/asker.h"
#include "../support/folder.h"
#include "base/mem.h"
#include "store/sqlite.h"

#define ROMEO "romeo@north.example"
#define JULIET "juliet@south.example"

enum { PATIENCE_MS = 300, LOOK_US = 1000, MOMENT_MS = 100 };

struct place {
	char *folder, *path, *error;
	struct asker asker;
};

static atomic_bool disk_hangs;
static atomic_int failures_left;

/* Stands in front of the C library's. */
int fdatasync(int fd)
{
	while (atomic_load(&disk_hangs))
		usleep(LOOK_US);
	if (atomic_load(&failures_left) == 0)
		return (int)syscall(SYS_fdatasync, fd);
	atomic_fetch_sub(&failures_left, 1);
	errno = EIO;
	return -1;
}

static struct store *place_open(struct place *place, const char *path)
{
	struct store_sqlite_options options = { .path = path, .patience_ms = PATIENCE_MS };
	struct store *store = store_sqlite_open(&options, &place->error);

	assert_non_null(store);
	return store;
}

static int place_make_folder(void **state)
{
	struct place *place = mem_zalloc(sizeof(*place));

	place->folder = folder_make();
	place->path = str_printf("%s/hansa.db", place->folder);
	*state = place;
	return 0;
}

static int place_make(void **state)
{
	struct place *place;
	struct asker *a;

	place_make_folder(state);
	place = *state;
	a = &place->asker;
	asker_init(a, place_open(place, place->path), NULL);
	asker_ask(a, asker_account(a, STORE_ACCOUNT_CREATE, ROMEO));
	asker_ask(a, asker_account(a, STORE_ACCOUNT_CREATE, JULIET));
	assert_int_equal(asker_ask(a, asker_append(a, ROMEO, "before")), STORE_OK);
	return 0;
}

static int place_remove(void **state)
{
	struct place *place = *state;

	atomic_store(&disk_hangs, false);
	if (place->asker.store) {
		store_close(&place->asker.store);
		asker_clear(&place->asker);
	}
	folder_remove(&place->folder);
	free(place->path);
	free(place);
	return 0;
}

static size_t answered(struct asker *a)
{
	size_t count;

	pthread_mutex_lock(&a->lock);
	count = a->answered_count;
	pthread_mutex_unlock(&a->lock);
	return count;
}

static void assert_answered(struct asker *a, size_t count)
{
	time_t until = time(NULL) + 30;

	while (answered(a) < count && time(NULL) < until)
		usleep(LOOK_US);
	assert_int_equal(answered(a), count);
}

static struct store_journal_append *submit(struct asker *a, const char *stanza, bool patient)
{
	struct store_journal_append *append = asker_append(a, ROMEO, stanza);

	append->request.patient = patient;
	asker_submit(a, append);
	return append;
}

static void assert_journal(struct asker *a, const char *first, const char *second)
{
	struct store_journal_read *read = asker_read(a, ROMEO, 0, 10);

	assert_int_equal(asker_ask(a, read), STORE_OK);
	assert_int_equal(read->count, second ? 2 : 1);
	assert_string_equal(read->entries[0].stanza, first);
	if (second)
		assert_string_equal(read->entries[1].stanza, second);
}

/* The writer has nothing in its hands any more: it has refused this and written nothing. */
static void await_writer(struct asker *a)
{
	assert_int_equal(asker_ask(a, asker_account(a, STORE_ACCOUNT_CREATE, ROMEO)), STORE_CONFLICT);
}

static void file_copy(const char *from, const char *to, const char *suffix)
{
	char *from_path = str_printf("%s%s", from, suffix), *to_path = str_printf("%s%s", to, suffix);
	int in = open(from_path, O_RDONLY | O_CLOEXEC), out = open(to_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	struct stat found;

	assert_int_equal(fstat(in, &found), 0);
	assert_int_equal(sendfile(out, in, NULL, (size_t)found.st_size), found.st_size);
	close(in);
	close(out);
	free(from_path);
	free(to_path);
}

/* What somebody finds who opens the files as they are now. */
static void assert_journal_after_crash(struct place *place, const char *first, const char *second)
{
	char *path = str_printf("%s/copy.db", place->folder);
	struct asker a;

	file_copy(place->path, path, "");
	file_copy(place->path, path, "-wal");
	asker_init(&a, place_open(place, path), NULL);
	assert_journal(&a, first, second);
	store_close(&a.store);
	asker_clear(&a);
	free(path);
}

static void what_hangs_is_given_up_and_never_written(void **state)
{
	struct place *place = *state;
	struct asker *a = &place->asker;
	size_t count = answered(a);
	struct store_journal_append *first, *behind;

	atomic_store(&disk_hangs, true);
	first = submit(a, "first", false);
	usleep(MOMENT_MS * 1000);
	behind = submit(a, "behind", false);
	assert_answered(a, count + 2);
	assert_int_equal(first->request.status, STORE_FULL);
	assert_int_equal(behind->request.status, STORE_FULL);
	atomic_store(&disk_hangs, false);
	await_writer(a);
	assert_journal(a, "before", NULL);
	assert_journal_after_crash(place, "before", NULL);
}

static void what_is_patient_is_written_all_the_same(void **state)
{
	struct place *place = *state;
	struct asker *a = &place->asker;
	size_t count = answered(a);
	struct store_journal_append *given_up, *patient;

	atomic_store(&disk_hangs, true);
	patient = submit(a, "patient", true);
	given_up = submit(a, "given up", false);
	assert_answered(a, count + 1);
	assert_int_equal(given_up->request.status, STORE_FULL);
	atomic_store(&disk_hangs, false);
	asker_wait(a);
	assert_int_equal(patient->request.status, STORE_OK);
	assert_journal(a, "before", "patient");
	assert_journal_after_crash(place, "before", "patient");
}

static void patience_can_end(void **state)
{
	struct place *place = *state;
	struct asker *a = &place->asker;
	size_t count = answered(a);
	struct store_journal_append *patient;

	atomic_store(&disk_hangs, true);
	patient = submit(a, "patient", true);
	submit(a, "given up", false);
	assert_answered(a, count + 1);
	store_request_hurry(&patient->request);
	assert_answered(a, count + 2);
	assert_int_equal(patient->request.status, STORE_FULL);
}

static void others_are_read_meanwhile(void **state)
{
	struct place *place = *state;
	struct asker *a = &place->asker;
	size_t count = answered(a);
	struct store_account_load *behind = asker_load(a, ROMEO), *beside = asker_load(a, JULIET);

	atomic_store(&disk_hangs, true);
	submit(a, "patient", true);
	asker_submit(a, beside);
	assert_answered(a, count + 1);
	assert_int_equal(beside->request.status, STORE_OK);
	asker_submit(a, behind);
	assert_answered(a, count + 2);
	assert_int_equal(behind->request.status, STORE_FULL);
}

static void what_fails_for_a_moment_is_tried_again(void **state)
{
	struct place *place = *state;
	struct asker *a = &place->asker;

	atomic_store(&failures_left, 2);
	assert_int_equal(asker_ask(a, asker_append(a, ROMEO, "again")), STORE_OK);
	assert_int_equal(atomic_load(&failures_left), 0);
	assert_journal(a, "before", "again");
	assert_journal_after_crash(place, "before", "again");
}

static struct log *log_of(const struct place *place)
{
	const char *why = NULL;
	char *path = str_printf("%s/log", place->folder);
	struct log *log = log_open(LOG_TARGET_FILE, path, LOG_LEVEL_INFO, &why);

	free(path);
	return log;
}

/* Nobody waits for the threads: the process ends. */
static void leave_hanging(struct place *place, bool busy)
{
	struct log *log = log_of(place);
	struct store_sqlite_options options = { .path = place->path, .patience_ms = PATIENCE_MS, .log = log };
	struct asker a;

	asker_init(&a, store_sqlite_open(&options, &place->error), NULL);
	asker_ask(&a, asker_account(&a, STORE_ACCOUNT_CREATE, ROMEO));
	atomic_store(&disk_hangs, true);
	if (busy) {
		submit(&a, "patient", true);
		submit(&a, "given up", false);
	}
	store_close(&a.store);
	log_close(&log);
	atomic_store(&disk_hangs, false);
	usleep(MOMENT_MS * 1000);
	for (size_t i = 1; i < a.asked_count; i++) {
		if (a.asked[i]->status != STORE_FULL)
			_exit(1);
	}
	_exit(answered(&a) == a.asked_count ? 0 : 2);
}

static void assert_left(struct place *place, bool busy, const char *line)
{
	char *log_path = str_printf("%s/log", place->folder), text[2000] = "";
	pid_t child = fork();
	FILE *log;
	int status;

	if (child == 0)
		leave_hanging(place, busy);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	log = fopen(log_path, "r");
	assert_true(fread(text, 1, sizeof(text) - 1, log) > 0);
	assert_non_null(strstr(text, line));
	fclose(log);
	free(log_path);
}

static void a_store_that_hangs_can_be_left(void **state)
{
	assert_left(*state, true, "store hangs and is left requests=1 what=\"journal append: 1\"");
}

/* Its log is emptied when it is closed. */
static void one_that_nobody_waits_for_can_be_left(void **state)
{
	assert_left(*state, false, "store hangs and is left requests=0");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_make, place_remove)
#define TEST_IN_FOLDER(name) cmocka_unit_test_setup_teardown(name, place_make_folder, place_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_hangs_is_given_up_and_never_written),
		TEST(what_is_patient_is_written_all_the_same),
		TEST(patience_can_end),
		TEST(others_are_read_meanwhile),
		TEST(what_fails_for_a_moment_is_tried_again),
		TEST_IN_FOLDER(a_store_that_hangs_can_be_left),
		TEST_IN_FOLDER(one_that_nobody_waits_for_can_be_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
