/* SPDX-License-Identifier: MIT
 *
 * Sessions: binding and its conflicts (RFC 6120 §7), what a client may claim (§8.1.2.1), stanzas without
 * `to` (§10.3), stanzas that are none (§8.2.3), and the end.
 */
#include "core/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/town.h"

static struct town *town;
static struct person *romeo;
static char story[256];

static void witness_bound(struct session *session)
{
	strcat(strcat(story, " +"), jid_resource(&session->jid));
}

static void witness_ended(struct session *session)
{
	assert_ptr_equal(session_find(session->account, jid_resource(&session->jid)), session);
	strcat(strcat(story, " -"), jid_resource(&session->jid));
}

static const struct module witness_module = {
	.name = "witness",
	.session_bound = witness_bound,
	.session_ended = witness_ended,
};
static const struct module *const modules[] = { &witness_module, &town_module, NULL };

/* ---- binding ---- */

static void test_the_newest_wins(void **state)
{
	struct person *newer = person_come(town, "romeo@north.example/garden");

	(void)state;
	assert_non_null(newer);
	assert_int_equal(romeo->closed, STREAM_CONFLICT);
	assert_true(romeo->session->ending);
	assert_string_equal(story, " +garden -garden +garden");
	assert_ptr_equal(session_find(newer->session->account, "garden"), newer->session);
	assert_int_equal(newer->session->account->session_count, 1);
	assert_int_not_equal(strcmp(newer->session->id, romeo->session->id), 0);
	/* What the old one still says is not heard. */
	person_says(romeo, "<message to='romeo@north.example/garden' id='1'/>");
	assert_string_equal(person_heard(newer), "");
	person_go(&newer);
}

/* What the old session was given and its client did not take goes to the new one. */
static void test_conflict_loses_nothing(void **state)
{
	struct person *newer;

	(void)state;
	romeo->holds = true;
	town_send(town, "<message from='a@x.example' to='romeo@north.example/garden' id='1'/>");
	newer = person_come(town, "romeo@north.example/garden");
	person_give_back(romeo);
	assert_non_null(strstr(person_heard(newer), " id='1'"));
	person_go(&newer);
}

static void test_resource_made_by_the_server(void **state)
{
	struct person *other = person_come(town, "romeo@north.example/x");
	struct account *account = other->session->account;
	struct session *session;

	(void)state;
	assert_int_equal(session_bind(account, NULL, other->session->outlet, other, &session),
	                 STANZA_NO_ERROR);
	assert_true(session->jid.resource_len >= 16);
	session_end(session);
	town_settle(town);
	person_go(&other);
}

static void test_sessions_are_bounded(void **state)
{
	struct person *people[32];

	(void)state;
	for (int i = 1; i < 32; i++) {
		char full[64];

		snprintf(full, sizeof(full), "romeo@north.example/%d", i);
		people[i] = person_come(town, full);
		assert_non_null(people[i]);
	}
	assert_null(person_come(town, "romeo@north.example/more"));
	/* The one that is replaced makes room for the one that replaces it. */
	people[0] = person_come(town, "romeo@north.example/1");
	assert_non_null(people[0]);
	for (int i = 0; i < 32; i++)
		person_go(&people[i]);
}

/* ---- from the client ---- */

static void test_from(void **state)
{
	(void)state;
	person_says(romeo, "<message to='romeo@north.example/garden' id='1'/>");
	person_says(romeo, "<message from='romeo@north.example' to='romeo@north.example/garden' id='2'/>");
	person_says(romeo,
	            "<message from='ROMEO@north.example/garden' to='romeo@north.example/garden' id='3'/>");
	assert_string_equal(
		person_heard(romeo),
		"<message from='romeo@north.example/garden' to='romeo@north.example/garden' id='1'/>"
		"<message from='romeo@north.example/garden' to='romeo@north.example/garden' id='2'/>"
		"<message from='romeo@north.example/garden' to='romeo@north.example/garden' id='3'/>");
	assert_int_equal(romeo->closed, STREAM_NO_ERROR);
}

static void test_from_somebody_else(void **state)
{
	static const char *const forged[] = {
		"<message from='juliet@north.example' to='romeo@north.example'/>",
		"<message from='romeo@north.example/other' to='romeo@north.example'/>",
		"<message from='romeo@south.example/garden' to='romeo@north.example'/>",
		"<message from='north.example' to='romeo@north.example'/>",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(forged) / sizeof(forged[0]); i++) {
		struct person *forger = person_come(town, "romeo@north.example/forger");

		person_says(forger, forged[i]);
		assert_int_equal(forger->closed, STREAM_INVALID_FROM);
		person_go(&forger);
	}
	assert_string_equal(person_heard(romeo), "");
}

/* Every copy of what only the server may say goes, however it is spelled; what the client may say stays. */
static void test_forged_claims(void **state)
{
	(void)state;
	person_says(
		romeo,
		"<message to='romeo@north.example/garden'>"
		"<stanza-id xmlns='urn:xmpp:sid:0' by='romeo@north.example' id='1'/>"
		"<stanza-id xmlns='urn:xmpp:sid:0' by='Juliet@NORTH.example' id='2'/>"
		"<stanza-id xmlns='urn:xmpp:sid:0' by='north.example' id='3'/>"
		"<stanza-id xmlns='urn:xmpp:sid:0' by='room@elsewhere.example' id='4'/>"
		"<delay xmlns='urn:xmpp:delay' from='north.example' stamp='2002-09-10T23:08:25Z'/>"
		"<delay xmlns='urn:xmpp:delay' from='romeo@north.example/garden' "
	        "stamp='2002-09-10T23:08:25Z'/>"
		"<x xmlns='a'><stanza-id xmlns='urn:xmpp:sid:0' by='north.example' id='5'/></x></message>");
	assert_string_equal(
		person_heard(romeo),
		"<message from='romeo@north.example/garden' to='romeo@north.example/garden'>"
		"<stanza-id xmlns='urn:xmpp:sid:0' by='room@elsewhere.example' id='4'/>"
		"<delay xmlns='urn:xmpp:delay' from='romeo@north.example/garden' "
	        "stamp='2002-09-10T23:08:25Z'/>"
		"<x xmlns='a'><stanza-id xmlns='urn:xmpp:sid:0' by='north.example' id='5'/></x></message>");
}

static void test_without_to(void **state)
{
	(void)state;
	person_says(romeo, "<presence/>");
	person_says(romeo, "<message id='1'/>");
	assert_string_equal(person_heard(romeo),
	                    "<message from='romeo@north.example/garden' to='romeo@north.example' id='1'/>");
	person_says(romeo, "<iq type='get' id='2'><query xmlns='unheard:of'/></iq>");
	assert_string_equal(
		person_heard(romeo),
		"<iq from='romeo@north.example' to='romeo@north.example/garden' type='error' id='2'>"
		"<query xmlns='unheard:of'/><error type='cancel'>"
		"<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>");
	person_says(romeo, "<iq type='result' id='3'/>");
	assert_string_equal(person_heard(romeo), "");
}

static void test_bad_requests(void **state)
{
	static const char *const bad[] = {
		"<iq to='north.example' id='1'><q xmlns='a'/></iq>",
		"<iq to='north.example' id='1' type='ask'><q xmlns='a'/></iq>",
		"<iq to='north.example' type='get'><q xmlns='a'/></iq>",
		"<iq to='north.example' id='1' type='get'/>",
		"<iq to='north.example' id='1' type='set'><q xmlns='a'/><q xmlns='a'/></iq>",
		"<presence to='juliet@north.example' type='happy'/>",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *heard;

		person_says(romeo, bad[i]);
		heard = person_heard(romeo);
		assert_non_null(strstr(heard, "type='error'"));
		assert_non_null(strstr(heard, "<error type='modify'><bad-request "));
	}
	person_says(romeo, "<iq to='north.example' type='result'/>");
	assert_string_equal(person_heard(romeo), "");
}

/* ---- to the client ---- */

static void test_a_push_is_for_one_client(void **state)
{
	struct person *other = person_come(town, "romeo@north.example/other");
	struct jid bare = romeo->session->account->jid;

	(void)state;
	other->holds = true;
	session_push(other->session,
	             stanza_seal(stanza_make(STANZA_MESSAGE, MESSAGE_CHAT, &bare, NULL, "1")));
	assert_string_equal(person_heard(other),
	                    "<message from='romeo@north.example' to='romeo@north.example/other' "
	                    "type='chat' id='1'/>");
	person_go(&other);
	assert_string_equal(person_heard(romeo), "");
	assert_int_equal(town_account(town, "romeo@north.example")->undelivered, 0);
}

static int setup(void **state)
{
	(void)state;
	story[0] = '\0';
	town = town_open(modules, NULL);
	town_add_account(town, "romeo@north.example");
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
		cmocka_unit_test_setup_teardown(test_the_newest_wins, setup, teardown),
		cmocka_unit_test_setup_teardown(test_conflict_loses_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resource_made_by_the_server, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sessions_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_from, setup, teardown),
		cmocka_unit_test_setup_teardown(test_from_somebody_else, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forged_claims, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_to, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_requests, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_push_is_for_one_client, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
