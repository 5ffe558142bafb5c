/* SPDX-License-Identifier: MIT
 *
 * How long archives are kept: each host's bounds, also for accounts that nobody has logged in to, and what is undelivered
 * stays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/store_trial.h"
#include "../support/town.h"
#include "store/journal.h"

#define ROMEO "romeo@north.example"
#define JULIET "juliet@north.example"
#define BEN "ben@south.example"
#define HOUR_MS 3600000

extern const struct module retention_module;
static const struct module *const modules[] = { &town_module, &retention_module, NULL };

static struct town *town;

static void answered(struct store_request *request)
{
	(void)request;
}

/* Entry i of an account is from the start of its hour i. */
static void archive(const char *account, unsigned from, unsigned to, enum store_direction direction)
{
	for (unsigned i = from; i < to; i++) {
		struct store_journal_append *append = store_request_new(sizeof(*append), STORE_JOURNAL_APPEND, NULL, account,
		                                                        strlen(account), store_request_free);

		append->entry.sequence = append->entry.body = ((uint64_t)i * HOUR_MS * 1000 + 1) << 8;
		append->entry.direction = direction;
		append->entry.type = 1;
		append->entry.archived = true;
		append->entry.peer = "ben@west.example";
		append->entry.stanza = "0123456789";
		append->entry.stanza_len = 10;
		store_submit(town->store, &append->request);
	}
	town_settle(town);
}

/* The hours of all that is archived, "1 2 3". */
static const char *archived(const char *account)
{
	static char hours[1024];
	struct store_journal_archive *found = store_request_new(sizeof(*found), STORE_JOURNAL_ARCHIVE, NULL, account,
	                                                        strlen(account), answered);
	size_t len = 0;

	found->to = found->before = UINT64_MAX;
	found->limit = 1000;
	store_submit(town->store, &found->request);
	town_settle(town);
	hours[0] = '\0';
	for (size_t i = 0; i < found->count && len < sizeof(hours); i++)
		len += (size_t)snprintf(hours + len, sizeof(hours) - len, "%s%u", i ? " " : "",
		                        (unsigned)((found->entries[i].sequence >> 8) / 1000 / HOUR_MS));
	store_request_free(&found->request);
	return hours;
}

static void configure(const char *sections)
{
	struct buf text = { 0 };
	char *error;

	buf_printf(&text, "server { workers = 2 }\ntls { client-required = no }\n%s", sections);
	buf_add_char(&text, '\0');
	town_configure(town, text.data);
	buf_clear(&text);
	error = server_reload(town->server);
	assert_null(error);
	town_settle(town);
}

static void test_by_number_for_each_host(void **state)
{
	(void)state;
	configure("host north.example { archive-messages = 3 }\nhost south.example { }\n");
	archive(ROMEO, 0, 5, STORE_OUT);
	archive(JULIET, 0, 3, STORE_OUT);
	archive(BEN, 0, 5, STORE_OUT);
	town_pass(town, 70000);
	assert_string_equal(archived(ROMEO), "2 3 4");
	assert_string_equal(archived(JULIET), "0 1 2");
	assert_string_equal(archived(BEN), "0 1 2 3 4");
	assert_int_equal(figure_get(&town->server->homes[0].figures.expired), 2);
}

static void test_by_size(void **state)
{
	(void)state;
	configure("host north.example { }\nhost south.example { archive-size = 0 }\njournal { archive-size = 25 }\n");
	archive(ROMEO, 0, 5, STORE_OUT);
	archive(BEN, 0, 5, STORE_OUT);
	town_pass(town, 70000);
	assert_string_equal(archived(ROMEO), "3 4");
	assert_string_equal(archived(BEN), "0 1 2 3 4");
}

/* Hour by hour, whoever is there; and more than goes in one step. */
static void test_by_time(void **state)
{
	(void)state;
	configure("host north.example { }\nhost south.example { }\njournal { archive-keep = 10h }\n");
	archive(ROMEO, 0, 6, STORE_OUT);
	town_pass(town, 12 * HOUR_MS + 120000);
	assert_string_equal(archived(ROMEO), "3 4 5");
	town_pass(town, HOUR_MS);
	assert_string_equal(archived(ROMEO), "4 5");
	configure("host north.example { archive-messages = 1 }\nhost south.example { }\n");
	archive(JULIET, 0, 450, STORE_OUT);
	town_pass(town, HOUR_MS + 60000);
	assert_string_equal(archived(JULIET), "449");
	assert_string_equal(archived(ROMEO), "5");
}

static void test_as_often_as_is_wanted(void **state)
{
	(void)state;
	configure("host north.example { archive-messages = 1 }\njournal { archive-expiry = 10s }\n");
	archive(ROMEO, 0, 2, STORE_OUT);
	town_pass(town, 11000);
	assert_string_equal(archived(ROMEO), "1");
	archive(ROMEO, 2, 4, STORE_OUT);
	town_pass(town, 11000);
	assert_string_equal(archived(ROMEO), "3");
}

static void test_undelivered_stays(void **state)
{
	(void)state;
	configure("host north.example { archive-messages = 1 }\nhost south.example { }\n");
	archive(ROMEO, 0, 3, STORE_IN);
	archive(ROMEO, 3, 6, STORE_OUT);
	town_pass(town, 70000);
	assert_string_equal(archived(ROMEO), "0 1 2 5");
}

/* A store that fails is asked again. */
static void test_the_store_fails(void **state)
{
	(void)state;
	configure("host north.example { archive-messages = 1 }\nhost south.example { }\n");
	archive(ROMEO, 0, 3, STORE_OUT);
	store_trial_fail(town->store, &(struct store_trial_fault){ .op = STORE_JOURNAL_SURPLUS, .status = STORE_FAILED });
	town_pass(town, 70000);
	assert_string_equal(archived(ROMEO), "0 1 2");
	store_trial_mend(town->store);
	store_trial_fail(town->store, &(struct store_trial_fault){ .op = STORE_JOURNAL_EXPIRE, .status = STORE_FAILED });
	town_pass(town, HOUR_MS);
	assert_string_equal(archived(ROMEO), "0 1 2");
	store_trial_mend(town->store);
	town_pass(town, HOUR_MS + 60000);
	assert_string_equal(archived(ROMEO), "2");
}

static int setup(void **state)
{
	(void)state;
	town = town_open(modules, NULL);
	town_add_account(town, ROMEO);
	town_add_account(town, JULIET);
	town_add_account(town, BEN);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	town_close(&town);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_by_number_for_each_host),
		TEST(test_by_size),
		TEST(test_by_time),
		TEST(test_as_often_as_is_wanted),
		TEST(test_undelivered_stays),
		TEST(test_the_store_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
