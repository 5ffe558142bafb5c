/* SPDX-License-Identifier: MIT
 *
 * The journal as offline storage (XEP-0160; delay stamps XEP-0203; ids XEP-0359): kept, delivered once, in
 * order, before what comes later, whatever happens to the session that is getting it; quotas; a store that
 * fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/store_trial.h"
#include "../support/town.h"
#include "store/account.h"
#include "store/journal.h"

static const struct module *const modules[] = { &town_module, NULL };

static struct town *town;
static struct person *romeo;

static void says(int from, int to)
{
	for (int id = from; id < to; id++) {
		char xml[128];

		snprintf(xml, sizeof(xml),
		         "<message to='juliet@north.example' type='chat' id='%d'><body>b</body></message>",
		         id);
		person_says(romeo, xml);
	}
}

/* The ids of messages heard, "1 2 3". */
static const char *heard_ids(struct person *person)
{
	static char ids[16384];
	const char *xml = person_heard(person);
	size_t len = 0;

	ids[0] = '\0';
	while ((xml = strstr(xml, "<message "))) {
		int id = atoi(strstr(xml, " id='") + 5);

		len += (size_t)snprintf(ids + len, sizeof(ids) - len, "%s%d", len ? " " : "", id);
		xml++;
	}
	return ids;
}

static struct account *juliets(void)
{
	return town_account(town, "juliet@north.example");
}

static void test_kept_and_delivered(void **state)
{
	struct person *juliet;
	const char *heard;

	(void)state;
	says(1, 2);
	assert_string_equal(person_heard(romeo), "");
	assert_int_equal(juliets()->undelivered, 1);
	town_pass(town, 3600000);
	juliet = person_come(town, "juliet@north.example/balcony");
	assert_string_equal(person_heard(juliet), "");
	person_says(juliet, "<presence><priority>-1</priority></presence>");
	assert_string_equal(person_heard(juliet), "");
	person_says(juliet, "<presence/>");
	heard = person_heard(juliet);
	assert_non_null(strstr(
		heard,
		"<message from='romeo@north.example/garden' to='juliet@north.example' type='chat' id='1'>"
		"<body>b</body><stanza-id xmlns='urn:xmpp:sid:0' by='juliet@north.example' id='"));
	assert_non_null(
		strstr(heard,
	               "<delay xmlns='urn:xmpp:delay' from='north.example' stamp='1970-01-01T00:16:40.000Z'/>"
	               "</message>"));
	assert_int_equal(juliets()->undelivered, 0);
	assert_int_equal(juliets()->undelivered_bytes, 0);
	person_says(juliet, "<presence/>");
	assert_string_equal(person_heard(juliet), "");
	person_go(&juliet);
}

/* A long backlog goes out in batches and everything new comes behind it. */
static void test_live_messages_come_behind(void **state)
{
	struct person *juliet;
	char expected[4096];
	size_t len = 0;

	(void)state;
	says(0, 250);
	juliet = person_come(town, "juliet@north.example/balcony");
	juliet->holds = true;
	person_says(juliet, "<presence/>");
	says(250, 253);
	for (int i = 0; i < 5; i++)
		person_take(juliet);
	for (int id = 0; id < 253; id++)
		len += (size_t)snprintf(expected + len, sizeof(expected) - len, "%s%d", id ? " " : "", id);
	assert_string_equal(heard_ids(juliet), expected);
	assert_int_equal(juliets()->undelivered, 0);
	person_go(&juliet);
}

/* What the first client did not take goes to the next, what it took does not. */
static void test_the_session_dies(void **state)
{
	struct person *juliet, *other;
	struct parcel *first;

	(void)state;
	says(1, 5);
	juliet = person_come(town, "juliet@north.example/balcony");
	other = person_come(town, "juliet@north.example/chamber");
	juliet->holds = true;
	person_says(juliet, "<presence/>");
	person_says(other, "<presence/>");
	assert_string_equal(heard_ids(juliet), "1 2 3 4");
	assert_string_equal(heard_ids(other), "");
	first = juliet->held;
	juliet->held = first->next;
	parcel_taken(juliets()->home, &first);
	says(5, 6);
	person_go(&juliet);
	assert_string_equal(heard_ids(other), "2 3 4 5");
	assert_int_equal(juliets()->undelivered, 0);
	person_go(&other);
	juliet = person_come(town, "juliet@north.example/balcony");
	person_says(juliet, "<presence/>");
	assert_string_equal(heard_ids(juliet), "");
	person_go(&juliet);
}

/* Nobody else is there: the rest waits in the journal, and is there once. */
static void test_the_only_session_dies(void **state)
{
	struct person *juliet;

	(void)state;
	says(1, 4);
	juliet = person_come(town, "juliet@north.example/balcony");
	juliet->holds = true;
	person_says(juliet, "<presence/>");
	says(4, 5);
	person_go(&juliet);
	assert_int_equal(juliets()->undelivered, 4);
	juliet = person_come(town, "juliet@north.example/balcony");
	person_says(juliet, "<presence/>");
	assert_string_equal(heard_ids(juliet), "1 2 3 4");
	person_go(&juliet);
}

/* A live message that the client did not take is kept, with the time when it came. */
static void test_given_back(void **state)
{
	struct person *juliet = person_come(town, "juliet@north.example/balcony");

	(void)state;
	juliet->holds = true;
	person_says(juliet, "<presence/>");
	says(1, 3);
	assert_string_equal(heard_ids(juliet), "1 2");
	town_pass(town, 60000);
	person_go(&juliet);
	assert_int_equal(juliets()->undelivered, 2);
	juliet = person_come(town, "juliet@north.example/balcony");
	person_says(juliet, "<presence/>");
	assert_non_null(memmem(juliet->heard.data, juliet->heard.len, "'1970-01-01T00:16:40.000Z'", 26));
	assert_string_equal(heard_ids(juliet), "1 2");
	person_go(&juliet);
}

/* A message for another client of the account does not wait behind the backlog. */
/* It has left, and what it held comes back before the turn ends: nothing overtakes that. */
static void test_what_comes_before_it_is_given_back(void **state)
{
	struct person *juliet = person_come(town, "juliet@north.example/balcony"), *next;

	(void)state;
	person_says(juliet, "<presence/>");
	juliet->holds = true;
	says(1, 3);
	session_gives_back_soon(juliet->session);
	next = person_come(town, "juliet@north.example/balcony");
	assert_int_equal(juliet->closed, STREAM_CONFLICT);
	says(3, 5);
	assert_int_equal(juliets()->undelivered, 0);
	person_give_back(juliet);
	session_gave_back(juliet->session);
	town_settle(town);
	assert_int_equal(juliets()->undelivered, 4);
	person_says(next, "<presence/>");
	assert_string_equal(heard_ids(next), "1 2 3 4");
	says(5, 6);
	assert_string_equal(heard_ids(next), "5");
	person_go(&juliet);
	person_go(&next);
}

static void test_another_resource_does_not_wait(void **state)
{
	struct person *juliet, *other;

	(void)state;
	says(1, 3);
	juliet = person_come(town, "juliet@north.example/balcony");
	other = person_come(town, "juliet@north.example/chamber");
	juliet->holds = true;
	person_says(juliet, "<presence/>");
	store_trial_mend(town->store);
	person_says(romeo, "<message to='juliet@north.example/chamber' id='9'/>");
	assert_string_equal(heard_ids(other), "9");
	person_take(juliet);
	assert_string_equal(heard_ids(juliet), "1 2");
	person_go(&juliet);
	person_go(&other);
}

/* The client goes unavailable while it is being served: what is on its way still counts, the rest waits. */
static void test_no_longer_available(void **state)
{
	struct person *juliet;

	(void)state;
	says(0, 150);
	juliet = person_come(town, "juliet@north.example/balcony");
	juliet->holds = true;
	person_says(juliet, "<presence/>");
	person_says(juliet, "<presence type='unavailable'/>");
	person_take(juliet);
	assert_int_equal(juliets()->undelivered, 50);
	person_says(juliet, "<presence/>");
	person_take(juliet);
	assert_int_equal(juliets()->undelivered, 0);
	assert_non_null(strstr(heard_ids(juliet), "98 99 100 101"));
	person_go(&juliet);
}

/* Something new is kept while the client is away for a moment with the backlog still on its way. */
static void test_kept_meanwhile(void **state)
{
	struct person *juliet;

	(void)state;
	says(1, 3);
	juliet = person_come(town, "juliet@north.example/balcony");
	juliet->holds = true;
	person_says(juliet, "<presence/>");
	person_says(juliet, "<presence type='unavailable'/>");
	says(3, 4);
	person_says(juliet, "<presence/>");
	assert_string_equal(heard_ids(juliet), "1 2");
	person_take(juliet);
	person_take(juliet);
	assert_string_equal(heard_ids(juliet), "3");
	assert_int_equal(juliets()->undelivered, 0);
	person_go(&juliet);
}

static void test_quota_of_messages(void **state)
{
	(void)state;
	says(0, 1000);
	assert_string_equal(person_heard(romeo), "");
	says(1000, 1001);
	assert_non_null(strstr(person_heard(romeo), "<service-unavailable "));
	assert_int_equal(juliets()->undelivered, 1000);
}

static void test_quota_of_bytes(void **state)
{
	struct buf big = { 0 };

	(void)state;
	buf_add_str(&big, "<message to='juliet@north.example'><body>");
	while (big.len < 200000)
		buf_add_char(&big, 'x');
	buf_add_str(&big, "</body></message>");
	buf_add_char(&big, '\0');
	for (int i = 0; i < 52; i++)
		person_says(romeo, big.data);
	assert_string_equal(person_heard(romeo), "");
	person_says(romeo, big.data);
	assert_non_null(strstr(person_heard(romeo), "<service-unavailable "));
	buf_clear(&big);
}

/* A large backlog does not go out at once to a client that does not read. */
static void test_window(void **state)
{
	struct person *juliet;
	struct buf big = { 0 };

	(void)state;
	buf_add_str(&big, "<message to='juliet@north.example' id='1'><body>");
	while (big.len < 100000)
		buf_add_char(&big, 'x');
	buf_add_str(&big, "</body></message>");
	buf_add_char(&big, '\0');
	for (int i = 0; i < 10; i++)
		person_says(romeo, big.data);
	juliet = person_come(town, "juliet@north.example/balcony");
	juliet->holds = true;
	person_says(juliet, "<presence/>");
	assert_true(juliet->heard.len < 400000);
	for (int i = 0; i < 5; i++)
		person_take(juliet);
	assert_string_equal(heard_ids(juliet), "1 1 1 1 1 1 1 1 1 1");
	person_go(&juliet);
	buf_clear(&big);
}

static void test_the_store_fails(void **state)
{
	struct store_trial_fault append = { .op = STORE_JOURNAL_APPEND, .times = 1, .status = STORE_FAILED };
	struct store_trial_fault read = { .op = STORE_JOURNAL_READ, .times = 1, .status = STORE_FAILED };
	struct person *juliet;

	(void)state;
	store_trial_fail(town->store, &append);
	says(1, 2);
	assert_non_null(strstr(person_heard(romeo), "<error type='wait'><resource-constraint "));
	assert_int_equal(juliets()->undelivered, 0);
	says(2, 3);
	store_trial_fail(town->store, &read);
	juliet = person_come(town, "juliet@north.example/balcony");
	person_says(juliet, "<presence/>");
	says(3, 4);
	assert_string_equal(heard_ids(juliet), "3");
	assert_int_equal(juliets()->undelivered, 1);
	person_says(juliet, "<presence/>");
	assert_string_equal(heard_ids(juliet), "2");
	person_go(&juliet);
}

/* Custody: nobody is told "taken" before the entry is durable. */
static void test_taken_when_durable(void **state)
{
	struct store_figures figures;

	(void)state;
	person_says(romeo, "<message to='juliet@north.example' id='1'/>");
	session_sent(romeo->session, stanza_make(STANZA_MESSAGE, MESSAGE_CHAT, NULL, &juliets()->jid, "2"));
	town_settle_without_store(town);
	store_figures(town->store, &figures);
	assert_int_equal(figures.waiting, 1);
	assert_int_equal(juliets()->undelivered, 2);
	town_settle(town);
}

/* Deleted in the middle of it. */
static void test_deleted_meanwhile(void **state)
{
	struct person *juliet;
	struct jid jid;

	(void)state;
	says(1, 110);
	juliet = person_come(town, "juliet@north.example/balcony");
	juliet->holds = true;
	person_says(juliet, "<presence/>");
	says(200, 201);
	jid = juliets()->jid;
	account_deleted(juliets()->home, &jid);
	town_settle(town);
	person_go(&juliet);
	assert_non_null(strstr(person_heard(romeo), "id='200'"));
}

static int setup(void **state)
{
	(void)state;
	town = town_open(modules, NULL);
	town_add_account(town, "romeo@north.example");
	town_add_account(town, "juliet@north.example");
	romeo = person_come(town, "romeo@north.example/garden");
	return romeo ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	person_go(&romeo);
	town_close(&town);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kept_and_delivered, setup, teardown),
		cmocka_unit_test_setup_teardown(test_live_messages_come_behind, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_session_dies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_only_session_dies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_given_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_comes_before_it_is_given_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_another_resource_does_not_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_longer_available, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kept_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_quota_of_messages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_quota_of_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_window, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_store_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_taken_when_durable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_deleted_meanwhile, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
