/* SPDX-License-Identifier: MIT
 *
 * Accounts: loaded once for all who wait, absent, failed (RFC 6121 §8.5.1: absent differs from "could not
 * find out"), changed, deleted, forgotten; and the defaults for iq of §8.5.3.
 */
#include "core/account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/store_trial.h"
#include "../support/town.h"
#include "base/mem.h"
#include "store/account.h"

static struct town *town;
static char story[1024];

static void tell(const char *event, const struct account *account)
{
	strcat(strcat(strcat(strcat(story, story[0] ? " " : ""), event), ":"), account->jid.text);
}

/* ---- a module that sees everything ---- */

static const char *friend; /* may see presence */

static void witness_loaded(struct account *account, const struct store_account_load *load)
{
	(void)load;
	tell("loaded", account);
}

static void witness_unloaded(struct account *account)
{
	tell("unloaded", account);
}

static void witness_removed(struct account *account)
{
	tell("removed", account);
}

static bool witness_shares(const struct account *account, const struct jid *with)
{
	(void)account;
	return friend && strcmp(friend, with->text) == 0;
}

static void witness_ended(struct session *session)
{
	tell("ended", session->account);
}

static const struct module witness_module = {
	.name = "witness",
	.account_loaded = witness_loaded,
	.account_unloaded = witness_unloaded,
	.account_removed = witness_removed,
	.account_shares_presence = witness_shares,
	.session_ended = witness_ended,
};
static const struct module *const modules[] = { &witness_module, &town_module, NULL };

/* ---- wants ---- */

struct wish {
	struct account_want want;
	unsigned called;
	enum account_state state;
	size_t credentials;
};

static void wish_ready(struct account_want *want, struct account *account)
{
	struct wish *wish = LIST_MEMBER(want, struct wish, want);

	wish->called++;
	wish->state = account->state;
	wish->credentials = account->credential_count;
}

static struct jid jid_of(const char *text)
{
	const char *at = strchr(text, '@');

	return (struct jid){ text, (uint16_t)(at - text), (uint16_t)strlen(at + 1), 0 };
}

static void wish(struct wish *wish, const char *bare)
{
	struct jid jid = jid_of(bare);

	*wish = (struct wish){ 0 };
	account_want(town_home(town, bare), &jid, &wish->want, wish_ready);
}

static struct stanza *message(const char *bare, const char *id)
{
	struct jid to = jid_of(bare);

	return stanza_make(STANZA_MESSAGE, MESSAGE_CHAT, NULL, &to, id);
}

/* Of the stanzas in a text the ids, which are one character each. */
static const char *ids_of(const char *xml)
{
	static char ids[64];
	size_t count = 0;

	while ((xml = strstr(xml, "<message "))) {
		ids[count++] = strstr(xml, " id='")[5];
		xml++;
	}
	ids[count] = '\0';
	return ids;
}

static void test_loaded_once_for_all(void **state)
{
	struct wish a, b, cancelled, later;

	(void)state;
	wish(&a, "romeo@north.example");
	wish(&b, "romeo@north.example");
	wish(&cancelled, "romeo@north.example");
	account_want_cancel(&cancelled.want);
	assert_int_equal(a.called, 0);
	assert_null(town_account(town, "romeo@north.example"));
	town_settle(town);
	assert_int_equal(a.called, 1);
	assert_int_equal(b.called, 1);
	assert_int_equal(cancelled.called, 0);
	assert_int_equal(a.state, ACCOUNT_READY);
	assert_string_equal(story, "loaded:romeo@north.example");
	wish(&later, "romeo@north.example");
	assert_int_equal(later.called, 1);
	assert_int_equal(later.state, ACCOUNT_READY);
}

static void test_equal_names_of_two_hosts(void **state)
{
	struct wish south;

	(void)state;
	wish(&south, "romeo@south.example");
	town_settle(town);
	assert_int_equal(south.state, ACCOUNT_ABSENT);
}

/* Parcels that come while the account is loaded are kept in the order in which they came. */
static void test_parcels_wait_in_order(void **state)
{
	struct person *romeo = person_come(town, "romeo@north.example/garden"), *juliet;

	(void)state;
	person_says(romeo, "<message to='juliet@north.example' id='1'/>");
	person_says(romeo, "<message to='juliet@north.example' id='2'/>");
	town_pass(town, 70000);
	assert_null(town_account(town, "juliet@north.example"));
	session_sent(romeo->session, message("juliet@north.example", "3"));
	session_sent(romeo->session, message("juliet@north.example", "4"));
	town_settle_without_store(town);
	assert_null(town_account(town, "juliet@north.example"));
	town_settle(town);
	assert_int_equal(town_account(town, "juliet@north.example")->undelivered, 4);
	juliet = person_come(town, "juliet@north.example/balcony");
	person_says(juliet, "<presence/>");
	assert_string_equal(ids_of(person_heard(juliet)), "1234");
	person_go(&juliet);
	person_go(&romeo);
}

static const char *error_for(struct person *person, const char *xml)
{
	person_says(person, xml);
	return person_heard(person);
}

static void test_absent(void **state)
{
	struct person *juliet = person_come(town, "juliet@north.example/balcony");

	(void)state;
	assert_non_null(
		strstr(error_for(juliet, "<message to='nobody@north.example'/>"), "<service-unavailable "));
	assert_non_null(
		strstr(error_for(juliet,
	                         "<iq type='get' id='1' to='nobody@north.example'><q xmlns='a'/></iq>"),
	               "<service-unavailable "));
	assert_string_equal(error_for(juliet, "<presence to='nobody@north.example' type='subscribe'/>"), "");
	assert_string_equal(error_for(juliet, "<presence to='nobody@north.example'/>"), "");
	assert_string_equal(error_for(juliet, "<message to='nobody@north.example' type='error'/>"), "");
	person_go(&juliet);
}

/* A client's 256 kB may be written as 1.5 MB: no connection may owe its reader so much. */
static void test_larger_than_a_client_takes(void **state)
{
	struct person *juliet = person_come(town, "juliet@north.example/balcony");
	struct person *romeo = person_come(town, "romeo@north.example/orchard");
	char *xml = str_printf("<message to='romeo@north.example/orchard'><body>%0200000d</body></message>", 0);

	(void)state;
	for (char *c = strstr(xml, "<body>") + 6; *c == '0'; c++)
		*c = '\'';
	assert_non_null(strstr(error_for(juliet, xml), "<policy-violation "));
	assert_string_equal(person_heard(romeo), "");
	free(xml);
	person_go(&juliet);
	person_go(&romeo);
}

static void test_absent_is_remembered_for_a_while(void **state)
{
	struct wish first, second, third;
	struct store_figures figures;
	uint64_t reads;

	(void)state;
	wish(&first, "mercutio@north.example");
	town_settle(town);
	store_figures(town->store, &figures);
	reads = figures.reads;
	wish(&second, "mercutio@north.example");
	assert_int_equal(second.state, ACCOUNT_ABSENT);
	store_figures(town->store, &figures);
	assert_int_equal(figures.reads, reads);
	town_add_account(town, "mercutio@north.example");
	wish(&third, "mercutio@north.example");
	town_settle(town);
	assert_int_equal(third.state, ACCOUNT_READY);
}

static void test_absent_is_bounded(void **state)
{
	(void)state;
	for (int i = 0; i < 25000; i++) {
		char xml[96];

		snprintf(xml, sizeof(xml), "<message from='a@x.example' to='n%d@north.example'/>", i);
		town_send(town, xml);
	}
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(map_count(town->server->homes[i].accounts), 10000);
		assert_int_equal(town->server->homes[i].absent_count, 10000);
	}
	town_pass(town, 11000);
	assert_int_equal(map_count(town->server->homes[0].accounts), 0);
}

static void test_a_store_that_fails_is_not_an_absent_account(void **state)
{
	struct person *juliet = person_come(town, "juliet@north.example/balcony");
	struct store_trial_fault fault = { .op = STORE_ACCOUNT_LOAD, .status = STORE_FAILED };
	struct wish failed, again;
	const char *heard;

	(void)state;
	store_trial_fail(town->store, &fault);
	wish(&failed, "romeo@north.example");
	heard = error_for(juliet, "<message to='romeo@north.example'/>");
	assert_int_equal(failed.state, ACCOUNT_FAILED);
	assert_non_null(strstr(heard, "<error type='wait'><resource-constraint "));
	store_trial_mend(town->store);
	wish(&again, "romeo@north.example");
	town_settle(town);
	assert_int_equal(again.state, ACCOUNT_READY);
	person_go(&juliet);
}

static void set_credentials(const char *bare, size_t count)
{
	struct store_account_write *write =
		store_request_new(sizeof(*write), STORE_ACCOUNT_CREDENTIALS, town_home(town, bare)->worker,
	                          bare, strlen(bare), store_request_free);
	struct jid jid = jid_of(bare);

	write->credential_count = count;
	write->credentials[1].kind = DIGEST_SHA256;
	store_submit(town->store, &write->request);
	town_settle(town);
	account_changed(town_home(town, bare), &jid);
}

static void test_a_new_password_is_seen_at_once(void **state)
{
	struct wish before, after, failed;
	struct store_trial_fault fault = { .op = STORE_ACCOUNT_LOAD, .times = 1, .status = STORE_FAILED };

	(void)state;
	wish(&before, "romeo@north.example");
	town_settle(town);
	assert_int_equal(before.credentials, 0);
	set_credentials("romeo@north.example", 2);
	wish(&after, "romeo@north.example");
	assert_int_equal(after.called, 0);
	town_settle(town);
	assert_int_equal(after.credentials, 2);

	/* The old ones are never used because the new ones cannot be read. */
	set_credentials("romeo@north.example", 1);
	store_trial_fail(town->store, &fault);
	wish(&failed, "romeo@north.example");
	town_settle(town);
	assert_int_equal(failed.state, ACCOUNT_FAILED);
	wish(&after, "romeo@north.example");
	town_settle(town);
	assert_int_equal(after.state, ACCOUNT_READY);
	assert_int_equal(after.credentials, 1);
	assert_string_equal(story, "loaded:romeo@north.example");
}

static void test_idle_accounts_are_forgotten(void **state)
{
	struct person *juliet = person_come(town, "juliet@north.example/balcony");
	struct wish romeo;

	(void)state;
	story[0] = '\0';
	wish(&romeo, "romeo@north.example");
	town_pass(town, 50000);
	assert_non_null(town_account(town, "romeo@north.example"));
	town_pass(town, 20000);
	assert_null(town_account(town, "romeo@north.example"));
	assert_non_null(town_account(town, "juliet@north.example"));
	assert_string_equal(story, "loaded:romeo@north.example unloaded:romeo@north.example");
	person_go(&juliet);
	town_pass(town, 70000);
	assert_null(town_account(town, "juliet@north.example"));
}

static void test_deleted(void **state)
{
	struct person *juliet = person_come(town, "juliet@north.example/balcony");
	struct jid jid = jid_of("juliet@north.example");

	(void)state;
	juliet->holds = true;
	town_send(town, "<message from='a@x.example' to='juliet@north.example/balcony'/>");
	story[0] = '\0';
	account_deleted(town_home(town, jid.text), &jid);
	assert_string_equal(
		story,
		"ended:juliet@north.example removed:juliet@north.example unloaded:juliet@north.example");
	assert_int_equal(juliet->closed, STREAM_NOT_AUTHORIZED);
	assert_null(town_account(town, jid.text));
	assert_true(juliet->session->ending);
	town_settle(town);
	person_go(&juliet);
}

/* ---- RFC 6121 §8.5.3: iq to a full JID ---- */

static void test_iq_to_a_resource(void **state)
{
	struct person *juliet = person_come(town, "juliet@north.example/balcony");
	struct person *romeo = person_come(town, "romeo@north.example/garden");

	(void)state;
	friend = NULL;
	assert_non_null(strstr(
		error_for(romeo,
	                  "<iq type='get' id='1' to='juliet@north.example/balcony'><q xmlns='a'/></iq>"),
		"<service-unavailable "));
	assert_string_equal(person_heard(juliet), "");
	friend = "romeo@north.example/garden";
	person_says(romeo, "<iq type='get' id='2' to='juliet@north.example/balcony'><q xmlns='a'/></iq>");
	assert_string_equal(person_heard(juliet),
	                    "<iq from='romeo@north.example/garden' to='juliet@north.example/balcony' "
	                    "type='get' id='2'><q xmlns='a'/></iq>");
	friend = NULL;
	person_says(juliet, "<iq type='result' id='2' to='romeo@north.example/garden'/>");
	assert_string_equal(person_heard(romeo),
	                    "<iq from='juliet@north.example/balcony' to='romeo@north.example/garden' "
	                    "type='result' id='2'/>");
	assert_non_null(
		strstr(error_for(romeo,
	                         "<iq type='get' id='3' to='juliet@north.example/gone'><q xmlns='a'/></iq>"),
	               "<service-unavailable "));
	assert_string_equal(error_for(romeo, "<iq type='result' id='4' to='juliet@north.example/gone'/>"),
	                    "");
	/* One's own other session is no stranger. */
	person_says(romeo, "<iq type='get' id='5' to='romeo@north.example/garden'><q xmlns='a'/></iq>");
	assert_non_null(strstr(person_heard(romeo), "type='get' id='5'"));
	person_go(&romeo);
	person_go(&juliet);
}

static int setup(void **state)
{
	(void)state;
	town = town_open(modules, NULL);
	town_add_account(town, "romeo@north.example");
	town_add_account(town, "juliet@north.example");
	story[0] = '\0';
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	town_close(&town);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_loaded_once_for_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_equal_names_of_two_hosts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_parcels_wait_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_absent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_larger_than_a_client_takes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_absent_is_remembered_for_a_while, setup, teardown),
		cmocka_unit_test_setup_teardown(test_absent_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_store_that_fails_is_not_an_absent_account, setup,
		                                teardown),
		cmocka_unit_test_setup_teardown(test_a_new_password_is_seen_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_idle_accounts_are_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(test_deleted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_iq_to_a_resource, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
