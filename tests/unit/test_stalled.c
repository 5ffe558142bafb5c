/* SPDX-License-Identifier: MIT
 *
 * A store that hangs, as people see it: messages reach who is there, nobody hears of an acknowledgement that is not true, who
 * sent what nobody can take is told to try again and may, and all goes on when the store does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/store_trial.h"
#include "../support/town.h"
#include "core/journal.h"
#include "store/account.h"

#define ROMEO "romeo@north.example"
#define JULIET "juliet@north.example"
#define TRY_AGAIN "<error type='wait'><resource-constraint"

static const struct module *const modules[] = { &town_module, NULL };

static struct town *town;
static struct person *romeo;

static void says(int id)
{
	char xml[240];

	snprintf(xml, sizeof(xml), "<message to='" JULIET "' type='chat' id='%d'><body>b</body>"
	                           "<origin-id xmlns='urn:xmpp:sid:0' id='%d'/></message>", id, id);
	person_says(romeo, xml);
}

static struct person *juliet_comes(void)
{
	struct person *juliet = person_come(town, JULIET "/balcony");

	person_says(juliet, "<presence/>");
	person_heard(juliet);
	return juliet;
}

static void store_gives_up(void)
{
	store_trial_give_up(town->store);
	town_settle(town);
}

static void store_comes_back(void)
{
	town->store_hangs = false;
	town_settle(town);
}

#define assert_hears(person, part) assert_non_null(strstr(person_heard(person), part))
#define assert_hears_nothing(person) assert_string_equal(person_heard(person), "")

static void answered(struct store_request *request)
{
	(void)request;
}

static size_t archived(const char *account)
{
	struct store_journal_archive *archive = store_request_new(sizeof(*archive), STORE_JOURNAL_ARCHIVE, NULL, account,
	                                                          strlen(account), answered);
	size_t count;

	archive->to = archive->before = UINT64_MAX;
	archive->limit = 1000;
	store_submit(town->store, &archive->request);
	town_settle(town);
	count = archive->count;
	store_request_free(&archive->request);
	return count;
}

static void configure(const char *archive)
{
	char text[200];

	snprintf(text, sizeof(text), "server { workers = 2 }\nhost north.example { archive = %s }\n"
	                             "tls { client-required = no }\n", archive);
	town_configure(town, text);
	free(server_reload(town->server));
	town_settle(town);
}

static void test_who_is_away(void **state)
{
	struct person *juliet = juliet_comes();

	(void)state;
	person_go(&juliet);
	town->store_hangs = true;
	says(1);
	assert_hears_nothing(romeo);
	store_gives_up();
	assert_hears(romeo, TRY_AGAIN);
	store_comes_back();
	assert_int_equal(archived(JULIET), 0);
	says(1);
	juliet = juliet_comes();
	assert_int_equal(archived(JULIET), 1);
	assert_hears_nothing(romeo);
	person_go(&juliet);
}

static void test_who_must_be_loaded(void **state)
{
	(void)state;
	assert_null(town_account(town, JULIET));
	town->store_hangs = true;
	says(1);
	store_gives_up();
	assert_hears(romeo, TRY_AGAIN);
	store_comes_back();
	says(1);
	assert_int_equal(archived(JULIET), 1);
}

/* What somebody is getting is not refused, and is archived later. */
static void test_who_is_there(void **state)
{
	struct person *juliet = juliet_comes();

	(void)state;
	juliet->holds = true;
	town->store_hangs = true;
	says(1);
	says(2);
	assert_hears(juliet, "id='2'");
	store_gives_up();
	person_take(juliet);
	store_gives_up();
	assert_hears_nothing(romeo);
	store_comes_back();
	assert_hears_nothing(romeo);
	assert_int_equal(archived(JULIET), 2);
	assert_int_equal(archived(ROMEO), 2);
	person_go(&juliet);
}

static void test_who_was_there(void **state)
{
	struct person *juliet = juliet_comes();

	(void)state;
	juliet->holds = true;
	town->store_hangs = true;
	says(1);
	store_gives_up();
	assert_hears_nothing(romeo);
	person_go(&juliet);
	store_gives_up();
	assert_hears(romeo, TRY_AGAIN);
	store_comes_back();
	assert_int_equal(archived(JULIET), 0);
	says(1);
	juliet = juliet_comes();
	assert_int_equal(archived(JULIET), 1);
	assert_hears_nothing(romeo);
	person_go(&juliet);
}

/* What no client acknowledges soon is written down, and need not be when one does. */
static void test_without_archive(void **state)
{
	struct person *juliet = juliet_comes();
	struct store_figures figures;

	(void)state;
	configure("never");
	juliet->holds = true;
	town->store_hangs = true;
	says(1);
	town_pass(town, 200);
	store_gives_up();
	store_figures(town->store, &figures);
	assert_int_equal(figures.waiting, 1);
	person_take(juliet);
	store_gives_up();
	assert_hears_nothing(romeo);
	store_comes_back();
	assert_int_equal(archived(JULIET), 0);
	person_go(&juliet);
	juliet = juliet_comes();
	assert_hears_nothing(juliet);
	person_go(&juliet);
}

static int setup(void **state)
{
	(void)state;
	town = town_open(modules, NULL);
	configure("always");
	town_add_account(town, ROMEO);
	town_add_account(town, JULIET);
	romeo = person_come(town, ROMEO "/garden");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	person_go(&romeo);
	town_close(&town);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_who_is_away),
		TEST(test_who_must_be_loaded),
		TEST(test_who_is_there),
		TEST(test_who_was_there),
		TEST(test_without_archive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
