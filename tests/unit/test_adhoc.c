/* SPDX-License-Identifier: MIT
 *
 * The frame of ad-hoc commands (XEP-0050): who is told of which, stages forwards and backwards, what may be
 * submitted, the errors of §4.4, and that runs are forgotten.
 */
#include "core/adhoc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/town.h"
#include "base/mem.h"
#include "core/disco.h"
#include "xmpp/ns.h"

static struct town *town;
static struct person *admin, *romeo, *far;
static struct adhoc_run *slow;

/* ---- commands ---- */

static void colour_submitted(struct adhoc_run *run)
{
	if (strcmp(adhoc_value(run, "colour"), "white") == 0)
		adhoc_refuse(run, STANZA_CONFLICT, "The walls are white");
	else
		adhoc_next(run);
}

static void rooms_submitted(struct adhoc_run *run)
{
	struct element *form = adhoc_result(run, "test:paint");
	struct element *field = dataform_add_field(adhoc_arena(run), form, "painted", NULL, NULL, NULL);
	const char *room;

	for (size_t i = 0; (room = adhoc_value_at(run, "rooms", i)); i++)
		dataform_add_value(adhoc_arena(run), field, room);
	adhoc_note(run, ADHOC_INFO, adhoc_value(run, "colour"));
	if (adhoc_is_true(run, "twice"))
		adhoc_note(run, ADHOC_WARN, "It dries slowly");
	adhoc_complete(run);
}

static void hello_submitted(struct adhoc_run *run)
{
	adhoc_note(run, ADHOC_INFO, adhoc_request(run)->host->domain);
	adhoc_complete(run);
}

static void slow_submitted(struct adhoc_run *run)
{
	slow = run;
}

static bool is_offered(const struct config *config, const struct host *host, const struct jid *who)
{
	(void)config, (void)host;
	return strcmp(who->text, "romeo@north.example") == 0;
}

static const char *const colours[] = { "white", "blue", NULL };
static const struct adhoc_field colour_fields[] = {
	{ "colour", "list-single", "Colour", "blue", true, colours },
	{ 0 },
};
static const struct adhoc_field room_fields[] = {
	{ "rooms", "text-multi", "Rooms", NULL, true, NULL },
	{ "owner", "jid-single", "Owner", NULL, false, NULL },
	{ "twice", "boolean", "Twice", NULL, false, NULL },
	{ 0 },
};
static const struct adhoc_stage paint[] = {
	{ "Painting", "Choose a colour.", "test:paint", colour_fields, colour_submitted },
	{ "Painting", NULL, "test:paint", room_fields, rooms_submitted },
};
static const struct adhoc_stage hello = { NULL, NULL, NULL, NULL, hello_submitted };
static const struct adhoc_stage slowly = { NULL, NULL, NULL, room_fields, slow_submitted };

static const struct adhoc_command commands[] = {
	{ "paint", "Paint", ADHOC_ACCOUNTS, NULL, paint, 2 },
	{ "hello", "Say hello", ADHOC_ANYBODY, NULL, &hello, 1 },
	{ "rule", "Rule", ADHOC_ADMINS, NULL, &hello, 1 },
	{ "slow", "Be slow", ADHOC_ACCOUNTS, is_offered, &slowly, 1 },
	{ 0 },
};
static const struct module test_module = { .name = "test", .adhoc = commands };
static const struct module *const modules[] = { &test_module, &adhoc_module, &disco_module, &town_module, NULL };

/* ---- asking ---- */

static const char *answer(struct person *person, const char *xml)
{
	person_says(person, xml);
	return person_heard(person);
}

/* The attributes and the content of a <command/>. */
static const char *ask(struct person *person, const char *attrs, const char *content)
{
	char *xml = str_printf("<iq type='set' id='1' to='north.example'><command xmlns='" NS_COMMANDS "' %s>%s</command></iq>",
	                       attrs, content);
	const char *heard = answer(person, xml);

	free(xml);
	return heard;
}

/* The session id of an answer; in one of a few buffers. */
static const char *session_of(const char *heard)
{
	static char ids[4][80];
	static unsigned next;
	const char *at = strstr(heard, "sessionid='");
	char *id = ids[next++ % 4];

	assert_non_null(at);
	snprintf(id, sizeof(ids[0]), "%.*s", (int)strcspn(at + 11, "'"), at + 11);
	return id;
}

static const char *go_on(struct person *person, const char *node, const char *id, const char *action, const char *form)
{
	char *attrs = str_printf("node='%s' sessionid='%s' action='%s'", node, id, action);
	const char *heard = ask(person, attrs, form);

	free(attrs);
	return heard;
}

#define FORM(fields) "<x xmlns='jabber:x:data' type='submit'>" fields "</x>"
#define FIELD(var, value) "<field var='" var "'><value>" value "</value></field>"

/* ---- tests ---- */

static void test_list(void **state)
{
	const char *heard;

	(void)state;
	heard = answer(romeo, "<iq type='get' id='1' to='north.example'><query xmlns='" NS_DISCO_ITEMS "' node='" NS_COMMANDS
	                      "'/></iq>");
	assert_non_null(strstr(heard, "<item jid='north.example' node='paint' name='Paint'/>"
	                              "<item jid='north.example' node='hello' name='Say hello'/>"
	                              "<item jid='north.example' node='slow' name='Be slow'/></query>"));
	heard = answer(admin, "<iq type='get' id='1' to='north.example'><query xmlns='" NS_DISCO_ITEMS "' node='" NS_COMMANDS
	                      "'/></iq>");
	assert_non_null(strstr(heard, "<item jid='north.example' node='rule' name='Rule'/></query>"));
	heard = answer(far, "<iq type='get' id='1' to='north.example'><query xmlns='" NS_DISCO_ITEMS "' node='" NS_COMMANDS
	                    "'/></iq>");
	assert_non_null(strstr(heard, "node='http://jabber.org/protocol/commands'>"
	                              "<item jid='north.example' node='hello' name='Say hello'/></query>"));
	heard = answer(romeo, "<iq type='get' id='1' to='north.example'><query xmlns='" NS_DISCO_INFO "' node='paint'/></iq>");
	assert_non_null(strstr(heard, "node='paint'><identity category='automation' type='command-node' name='Paint'/>"
	                              "<feature var='http://jabber.org/protocol/commands'/><feature var='jabber:x:data'/>"));
	heard = answer(romeo, "<iq type='get' id='1' to='north.example'><query xmlns='" NS_DISCO_INFO "' node='rule'/></iq>");
	assert_non_null(strstr(heard, "<error type='auth'><forbidden "));
	heard = answer(romeo, "<iq type='get' id='1' to='north.example'><query xmlns='" NS_DISCO_INFO "' node='" NS_COMMANDS
	                      "'/></iq>");
	assert_non_null(strstr(heard, "<identity category='automation' type='command-list' "));
	heard = answer(romeo, "<iq type='get' id='1' to='north.example'><query xmlns='" NS_DISCO_INFO "' node='x'/></iq>");
	assert_non_null(strstr(heard, "<item-not-found "));
	heard = answer(romeo, "<iq type='get' id='1' to='north.example'><query xmlns='" NS_DISCO_INFO "'/></iq>");
	assert_non_null(strstr(heard, "<feature var='http://jabber.org/protocol/commands'/>"));
}

static void test_one_stage_without_a_form(void **state)
{
	const char *heard = ask(far, "node='hello'", "");
	const char *id = session_of(heard);

	(void)state;
	assert_non_null(strstr(heard, "type='result'"));
	assert_non_null(strstr(heard, "status='completed'><note type='info'>north.example</note></command></iq>"));
	assert_non_null(strstr(go_on(far, "hello", id, "execute", ""),
	                       "<error type='cancel'><not-allowed xmlns='" NS_STANZA_ERRORS "'/>"
	                       "<session-expired xmlns='http://jabber.org/protocol/commands'/></error>"));
}

static void test_stages(void **state)
{
	const char *heard = ask(romeo, "node='paint' action='execute'", ""), *id = session_of(heard);

	(void)state;
	assert_non_null(strstr(heard,
		"status='executing'><actions execute='next'><next/></actions>"
		"<x xmlns='jabber:x:data' type='form'><title>Painting</title><instructions>Choose a colour.</instructions>"
		"<field var='FORM_TYPE' type='hidden'><value>test:paint</value></field>"
		"<field var='colour' type='list-single' label='Colour'><value>blue</value>"
		"<option><value>white</value></option><option><value>blue</value></option><required/></field></x>"));
	heard = go_on(romeo, "paint", id, "execute", FORM(FIELD("colour", "blue")));
	assert_string_equal(session_of(heard), id);
	assert_non_null(strstr(heard, "<actions execute='complete'><prev/><complete/></actions>"));
	heard = go_on(romeo, "paint", id, "prev", "");
	assert_non_null(strstr(heard, "<actions execute='next'><next/></actions>"));
	heard = go_on(romeo, "paint", id, "next", FORM(FIELD("colour", "white")));
	assert_non_null(strstr(heard, "<conflict "));
	assert_non_null(strstr(heard, "The walls are white"));
	assert_null(strstr(heard, "<command"));
	go_on(romeo, "paint", id, "next", FORM(FIELD("colour", "blue")));
	heard = go_on(romeo, "paint", id, "complete",
	              FORM("<field var='rooms'><value>hall</value><value>attic</value></field>" FIELD("twice", "1")));
	assert_non_null(strstr(heard,
		"status='completed'><x xmlns='jabber:x:data' type='result'>"
		"<field var='FORM_TYPE' type='hidden'><value>test:paint</value></field>"
		"<field var='painted'><value>hall</value><value>attic</value></field></x>"
		"<note type='info'>blue</note><note type='warn'>It dries slowly</note></command>"));
}

static void test_cancel(void **state)
{
	const char *id = session_of(ask(romeo, "node='paint'", "")), *heard = go_on(romeo, "paint", id, "cancel", "");

	(void)state;
	assert_non_null(strstr(heard, "type='result'"));
	assert_non_null(strstr(heard, "status='canceled'/>"));
	assert_non_null(strstr(go_on(romeo, "paint", id, "next", ""), "<session-expired "));
}

static void test_errors(void **state)
{
	const char *id = session_of(ask(romeo, "node='paint'", ""));

	(void)state;
	assert_non_null(strstr(ask(romeo, "", ""), "<error type='modify'><bad-request "));
	assert_non_null(strstr(ask(romeo, "node='x'", ""), "<error type='cancel'><item-not-found "));
	assert_non_null(strstr(ask(romeo, "node='rule'", ""), "<error type='auth'><forbidden "));
	assert_non_null(strstr(ask(far, "node='paint'", ""), "<error type='auth'><forbidden "));
	assert_non_null(strstr(ask(romeo, "node='paint' action='jump'", ""), "<malformed-action "));
	assert_non_null(strstr(ask(romeo, "node='paint' action='next'", ""), "<bad-action "));
	assert_non_null(strstr(go_on(romeo, "paint", "nonsense", "next", ""), "<bad-sessionid "));
	assert_non_null(strstr(go_on(admin, "paint", id, "next", ""), "<bad-sessionid "));
	assert_non_null(strstr(go_on(romeo, "hello", id, "next", ""), "<bad-sessionid "));
	assert_non_null(strstr(go_on(romeo, "paint", id, "prev", ""), "<bad-action "));
	assert_non_null(strstr(go_on(romeo, "paint", id, "complete", ""), "<bad-action "));
	assert_non_null(strstr(go_on(romeo, "paint", id, "next", ""), "<bad-payload "));
	assert_non_null(strstr(go_on(romeo, "paint", id, "next", FORM("")), "<bad-payload "));
	assert_non_null(strstr(go_on(romeo, "paint", id, "next", FORM(FIELD("colour", "red"))), "<bad-payload "));
	assert_non_null(strstr(go_on(romeo, "paint", id, "next", FORM(FIELD("colour", "blue"))), "status='executing'"));
	assert_non_null(strstr(go_on(romeo, "paint", id, "complete", FORM(FIELD("rooms", ""))), "<bad-payload "));
	assert_non_null(strstr(go_on(romeo, "paint", id, "complete", FORM(FIELD("rooms", "x") FIELD("owner", "@"))),
	                       "<bad-payload "));
	assert_non_null(strstr(go_on(romeo, "paint", id, "complete", FORM(FIELD("rooms", "x") FIELD("twice", "no"))),
	                       "<bad-payload "));
	assert_non_null(strstr(go_on(romeo, "paint", id, "complete", FORM(FIELD("rooms", "x"))), "status='completed'"));
}

static void test_large_forms_are_refused(void **state)
{
	const char *id = session_of(ask(romeo, "node='paint'", ""));
	char *large = str_printf(FORM(FIELD("colour", "%070000d")), 1);

	(void)state;
	assert_non_null(strstr(go_on(romeo, "paint", id, "next", large), "<policy-violation "));
	free(large);
}

/* A stage may take its time; nobody comes in between. */
static void test_later(void **state)
{
	const char *id = session_of(ask(romeo, "node='slow'", ""));

	(void)state;
	assert_non_null(strstr(ask(admin, "node='slow'", ""), "<forbidden "));
	assert_string_equal(go_on(romeo, "slow", id, "complete", FORM(FIELD("rooms", "x"))), "");
	assert_non_null(strstr(go_on(romeo, "slow", id, "cancel", ""), "<unexpected-request "));
	town_pass(town, 700000);
	adhoc_refuse_payload(slow, "Not this");
	town_settle(town);
	assert_non_null(strstr(person_heard(romeo), "<bad-payload "));
	go_on(romeo, "slow", id, "complete", FORM(FIELD("rooms", "y")));
	assert_string_equal(adhoc_value(slow, "rooms"), "y");
	adhoc_complete(slow);
	town_settle(town);
	assert_non_null(strstr(person_heard(romeo), "status='completed'/>"));
}

static void test_runs_are_forgotten(void **state)
{
	const char *first = session_of(ask(romeo, "node='paint'", "")), *second;
	char *oldest = str_dup(first), *newest;

	(void)state;
	town_pass(town, 1000);
	second = session_of(ask(romeo, "node='paint'", ""));
	newest = str_dup(second);
	for (int i = 0; i < 7; i++)
		ask(romeo, "node='paint'", "");
	assert_non_null(strstr(go_on(romeo, "paint", oldest, "cancel", ""), "<session-expired "));
	assert_non_null(strstr(go_on(romeo, "paint", newest, "execute", FORM(FIELD("colour", "blue"))), "executing"));
	town_pass(town, 601000);
	assert_non_null(strstr(go_on(romeo, "paint", newest, "cancel", ""), "<session-expired "));
	free(oldest);
	free(newest);
}

static int setup(void **state)
{
	(void)state;
	town = town_open(modules, NULL);
	town_add_account(town, "admin@north.example");
	town_add_account(town, "romeo@north.example");
	town_add_account(town, "romeo@south.example");
	admin = person_come(town, "admin@north.example/desk");
	romeo = person_come(town, "romeo@north.example/garden");
	far = person_come(town, "romeo@south.example/garden");
	return admin && romeo && far ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	person_go(&admin);
	person_go(&romeo);
	person_go(&far);
	town_close(&town);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_list, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_stage_without_a_form, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large_forms_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_later, setup, teardown),
		cmocka_unit_test_setup_teardown(test_runs_are_forgotten, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
