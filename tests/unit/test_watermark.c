/* SPDX-License-Identifier: MIT
 *
 * The watermark of an account's journal and what has been delivered beyond it: the store hears of it soon, and at once when
 * there is much, so that after a crash little comes again. What the store would deliver at the next start is asked of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/town.h"
#include "store/journal.h"

#define ROMEO "romeo@north.example"
#define JULIET "juliet@north.example"

static const struct module *const modules[] = { &town_module, NULL };

static struct town *town;
static struct person *romeo, *silent, *juliet;

static void says(const char *to, int from, int up_to)
{
	char xml[160];

	for (int id = from; id <= up_to; id++) {
		snprintf(xml, sizeof(xml), "<message to='%s' type='chat' id='%d'><body>b</body></message>", to, id);
		person_says(romeo, xml);
	}
}

static size_t heard_count(struct person *person)
{
	size_t count = 0;

	for (const char *xml = person_heard(person); (xml = strstr(xml, "<message ")); xml++)
		count++;
	return count;
}

static void archive_set(const char *policy)
{
	char sections[160], *error;

	snprintf(sections, sizeof(sections), "server { workers = 2 }\nhost north.example { archive = %s }\n"
	         "tls { client-required = no }\n", policy);
	town_configure(town, sections);
	error = server_reload(town->server);
	assert_null(error);
	town_settle(town);
}

static void answered(struct store_request *request)
{
	(void)request;
}

/* How many messages would come at the next start, all of them behind the first so many. */
static size_t would_come(size_t first)
{
	struct store_journal_read *read = store_request_new(sizeof(*read), STORE_JOURNAL_READ, NULL, JULIET,
	                                                    strlen(JULIET), answered);
	size_t count;

	read->limit = SIZE_MAX;
	store_submit(town->store, &read->request);
	town_settle(town);
	count = read->count;
	for (size_t i = 0; i < first && i < count; i++)
		assert_non_null(strstr(read->entries[i].stanza, "/silent"));
	store_request_free(&read->request);
	return count;
}

/* One client does not acknowledge, another does: what it has got does not come again. */
static void test_behind_a_client_that_is_silent(void **state)
{
	(void)state;
	silent->holds = true;
	says(JULIET "/silent", 1, 1);
	says(JULIET "/balcony", 2, 31);
	assert_int_equal(heard_count(juliet), 30);
	town_pass(town, 1000);
	assert_int_equal(would_come(1), 1);
	says(JULIET "/silent", 32, 32);
	says(JULIET "/balcony", 33, 40);
	town_pass(town, 1000);
	assert_int_equal(would_come(2), 2);
	person_take(silent);
	town_pass(town, 1000);
	assert_int_equal(would_come(0), 0);
}

/* No more is untold than is told together. */
static void test_told_at_once_when_it_is_much(void **state)
{
	(void)state;
	silent->holds = true;
	says(JULIET "/silent", 1, 1);
	says(JULIET "/balcony", 2, 1000);
	assert_in_range(would_come(1), 1, 501);
	town_pass(town, 1000);
	assert_int_equal(would_come(1), 1);
}

/* Without an archive it is not even there any more. */
static void test_not_archived(void **state)
{
	(void)state;
	archive_set("never");
	silent->holds = juliet->holds = true;
	says(JULIET "/silent", 1, 1);
	says(JULIET "/balcony", 2, 10);
	town_pass(town, 200);
	assert_int_equal(would_come(1), 10);
	person_take(juliet);
	town_pass(town, 1000);
	assert_int_equal(would_come(1), 1);
	person_go(&silent);
	assert_int_equal(heard_count(juliet), 10);
	silent = person_come(town, JULIET "/silent");
}

/* The store has read the backlog, and hears only then that a part of it has been delivered. */
static void test_told_while_the_backlog_is_read(void **state)
{
	struct person *next;

	(void)state;
	person_says(juliet, "<presence type='unavailable'/>");
	person_go(&juliet);
	person_says(silent, "<presence><priority>-1</priority></presence>");
	says(JULIET, 1, 1);
	says(JULIET "/silent", 2, 5);
	assert_int_equal(heard_count(silent), 4);
	next = person_come(town, JULIET "/chamber");
	session_sent(next->session, stanza_make(STANZA_PRESENCE, PRESENCE_AVAILABLE, NULL, NULL, NULL));
	town_settle_without_store(town);
	town->ms += 1000;
	town_settle_without_store(town);
	town_settle(town);
	assert_int_equal(heard_count(next), 1);
	assert_int_equal(would_come(0), 0);
	juliet = next;
}

/* What another client gives back while the backlog is on its way, and for which there is no room behind it, is not passed over. */
static void test_given_back_beside_the_backlog(void **state)
{
	(void)state;
	person_says(juliet, "<presence type='unavailable'/>");
	person_go(&juliet);
	person_says(silent, "<presence><priority>-1</priority></presence>");
	silent->holds = true;
	says(JULIET, 1, 1);
	says(JULIET "/silent", 2, 2);
	says(JULIET, 3, 120);
	juliet = person_come(town, JULIET "/balcony");
	juliet->holds = true;
	person_says(juliet, "<presence/>");
	for (int i = 0; i < 1000; i++)
		person_says(romeo, "<message to='" JULIET "' type='headline'><body>b</body></message>");
	person_go(&silent);
	silent = person_come(town, JULIET "/silent");
	juliet->holds = false;
	person_take(juliet);
	assert_int_equal(heard_count(juliet), 120 + 1000);
	assert_int_equal(would_come(0), 0);
}

static int setup(void **state)
{
	(void)state;
	town = town_open(modules, NULL);
	archive_set("always");
	town_add_account(town, ROMEO);
	town_add_account(town, JULIET);
	romeo = person_come(town, ROMEO "/garden");
	silent = person_come(town, JULIET "/silent");
	person_says(silent, "<presence/>");
	juliet = person_come(town, JULIET "/balcony");
	person_says(juliet, "<presence/>");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	person_go(&romeo);
	person_go(&silent);
	person_go(&juliet);
	town_close(&town);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_behind_a_client_that_is_silent),
		TEST(test_told_at_once_when_it_is_much),
		TEST(test_not_archived),
		TEST(test_told_while_the_backlog_is_read),
		TEST(test_given_back_beside_the_backlog),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
