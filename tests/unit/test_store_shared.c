/* SPDX-License-Identifier: MIT
 *
 * A message between two accounts of this server in a file: one text that two entries share (store/journal.h), at any moment at
 * which the server may be killed. The entries are two requests; each is whole or not there at all, the sender's is there first,
 * and the last one that goes takes the text along.
 */
#include "store/sqlite.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "../support/asker.h"
#include "../support/folder.h"
#include "base/mem.h"

#define ROMEO "romeo@north.example"
#define JULIET "juliet@north.example"

enum { KILLS = 12, KILL_STEP_US = 4000, NEWEST = 20 };

static char *folder, *path;

static void asker_open(struct asker *a)
{
	char *error = NULL;
	struct store *store = store_sqlite_open(&(struct store_sqlite_options){ .path = path }, &error);

	if (!store)
		fail_msg("%s", error);
	asker_init(a, store, NULL);
}

static void asker_close(struct asker *a)
{
	store_close(&a->store);
	asker_clear(a);
}

static int setup(void **state)
{
	struct asker a;

	(void)state;
	folder = folder_make();
	path = str_printf("%s/store.db", folder);
	asker_open(&a);
	asker_ask(&a, asker_account(&a, STORE_ACCOUNT_CREATE, ROMEO));
	asker_ask(&a, asker_account(&a, STORE_ACCOUNT_CREATE, JULIET));
	asker_close(&a);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	folder_remove(&folder);
	free(path);
	return 0;
}

/* Each answers 0. */
static const char *const wholes[] = {
	"SELECT count(*) FROM journal_body LEFT JOIN (SELECT body, count(*) AS entries FROM journal_entry GROUP BY body)"
	" ON body = id WHERE holders IS NOT entries",
	"SELECT count(*) FROM journal_entry WHERE body NOT IN (SELECT id FROM journal_body)",
	"SELECT count(*) FROM journal_peer AS known WHERE NOT EXISTS (SELECT 1 FROM journal_entry AS entry"
	" WHERE entry.account = known.account AND entry.sequence = known.sequence)",
	/* The newest that came has been sent. */
	"SELECT (SELECT coalesce(max(body), 0) FROM journal_entry WHERE direction = 0)"
	" > (SELECT coalesce(max(body), 0) FROM journal_entry WHERE direction = 1)",
};

static int64_t number_of(const char *question)
{
	sqlite3_stmt *statement;
	sqlite3 *db;
	int64_t number;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, question, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return number;
}

static void assert_whole(void)
{
	for (size_t i = 0; i < sizeof(wholes) / sizeof(wholes[0]); i++) {
		if (number_of(wholes[i]) != 0)
			fail_msg("%s", wholes[i]);
	}
}

/* ---- entry by entry ---- */

/* An entry of a message that both name by the same key. */
static void enter(const char *owner, uint64_t sequence, uint64_t body)
{
	struct asker a;
	struct store_journal_append *append;

	asker_open(&a);
	append = asker_append(&a, owner, "<message/>");
	append->entry.sequence = sequence;
	append->entry.body = body;
	append->entry.archived = true;
	append->entry.direction = strcmp(owner, ROMEO) == 0 ? STORE_OUT : STORE_IN;
	assert_int_equal(asker_ask(&a, append), STORE_OK);
	asker_close(&a);
}

/* Delivered, and gone from the archive. */
static void expire(const char *owner)
{
	struct store_journal_expire *expire;
	struct asker a;

	asker_open(&a);
	assert_int_equal(asker_ask(&a, asker_advance(&a, owner, INT64_MAX)), STORE_OK);
	expire = asker_make(&a, sizeof(*expire), STORE_JOURNAL_EXPIRE, owner);
	expire->before = INT64_MAX;
	expire->limit = 1000;
	assert_int_equal(asker_ask(&a, expire), STORE_OK);
	asker_close(&a);
}

static int64_t texts(void)
{
	return number_of("SELECT count(*) FROM journal_body");
}

/* Killed behind the sender's entry: it is whole, and goes alone. What is sent again then has a text of its own. */
static void test_the_senders_alone(void **state)
{
	(void)state;
	enter(ROMEO, 10, 10);
	assert_whole();
	enter(JULIET, 21, 21);
	assert_int_equal(texts(), 2);
	expire(ROMEO);
	expire(JULIET);
	assert_int_equal(texts(), 0);
	assert_whole();
}

static void test_both_share_one_text(void **state)
{
	(void)state;
	enter(ROMEO, 10, 10);
	enter(JULIET, 11, 10);
	assert_int_equal(texts(), 1);
	assert_whole();
	expire(ROMEO);
	assert_int_equal(texts(), 1);
	expire(JULIET);
	assert_int_equal(texts(), 0);
}

/* The sender's has gone already, as when his archive keeps nothing: the recipient's brings the text again. */
static void test_the_first_goes_before_the_second_comes(void **state)
{
	(void)state;
	enter(ROMEO, 10, 10);
	expire(ROMEO);
	assert_int_equal(texts(), 0);
	enter(JULIET, 11, 10);
	assert_int_equal(texts(), 1);
	expire(JULIET);
	assert_int_equal(texts(), 0);
}

/* ---- killed while much is written and expires ---- */

static void child_expire(struct asker *a, const char *owner)
{
	struct store_journal_expire *expire = asker_make(a, sizeof(*expire), STORE_JOURNAL_EXPIRE, owner);

	expire->most = NEWEST;
	expire->limit = 7;
	asker_submit(a, expire);
}

/* Until it is killed. Some wait for company, some do not. */
static void child_write(void)
{
	uint64_t body = (uint64_t)number_of("SELECT coalesce(max(sequence), 0) FROM journal_entry") + 1;
	struct asker a;

	asker_open(&a);
	for (unsigned round = 0;; round++, body += 2) {
		for (int i = 0; i < 2; i++) {
			struct store_journal_append *append = asker_append(&a, i ? JULIET : ROMEO, "<message/>");

			append->entry.sequence = body + (uint64_t)i;
			append->entry.body = body;
			append->entry.direction = i ? STORE_IN : STORE_OUT;
			append->entry.archived = true;
			asker_submit(&a, append);
		}
		asker_submit(&a, asker_advance(&a, JULIET, body));
		child_expire(&a, round % 2 ? ROMEO : JULIET);
		if (round % 5 == 0)
			asker_wait(&a);
	}
}

static void test_killed_while_archives_expire(void **state)
{
	int64_t newest = 0;

	(void)state;
	for (int i = 0; i < KILLS; i++) {
		pid_t child = fork();

		if (child == 0)
			child_write();
		usleep((useconds_t)(20000 + i * KILL_STEP_US));
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &(int){ 0 }, 0), child);
		assert_whole();
		assert_true(number_of("SELECT count(*) FROM journal_entry") <= 4 * NEWEST);
		assert_true(number_of("SELECT max(sequence) FROM journal_entry") >= newest);
		newest = number_of("SELECT max(sequence) FROM journal_entry");
	}
	assert_true(newest > KILLS);
	expire(ROMEO);
	expire(JULIET);
	assert_int_equal(texts() + number_of("SELECT count(*) FROM journal_peer"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_senders_alone),
		TEST(test_both_share_one_text),
		TEST(test_the_first_goes_before_the_second_comes),
		TEST(test_killed_while_archives_expire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
