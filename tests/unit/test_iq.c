/* SPDX-License-Identifier: MIT
 *
 * The iq table: which handler is asked for what and whom, answers at once and later, when the account has
 * gone meanwhile.
 */
#include "core/iq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/town.h"

static struct town *town;
static struct person *romeo, *juliet;

/* ---- handlers ---- */

static struct iq_request *pending;

static const char *scope_name(enum iq_scope scope)
{
	return scope == IQ_HOST ? "host" : scope == IQ_OWN ? "own" : "account";
}

/* Answers with the scope and the host. */
static void echo_asked(struct iq_request *request)
{
	struct stanza *result = iq_result(request);
	struct element *echo = element_add(&result->arena, result->root, "echo", "test:iq");

	element_set(&result->arena, echo, "scope", scope_name(request->scope));
	element_set(&result->arena, echo, "host", request->host->domain);
	iq_answer(request, result);
}

static void later_asked(struct iq_request *request)
{
	pending = request;
}

static void done_asked(struct iq_request *request)
{
	assert_ptr_equal(iq_session(request), romeo->session);
	iq_done(request);
}

static void refuse_asked(struct iq_request *request)
{
	iq_refuse(request, STANZA_FORBIDDEN, "Not today");
}

static const struct iq_handler iqs[] = {
	{ "echo", "test:iq", IQ_KIND_GET, IQ_HOST | IQ_OWN | IQ_ACCOUNT, echo_asked },
	{ "own", "test:iq", IQ_KIND_GET | IQ_KIND_SET, IQ_OWN, done_asked },
	{ "later", "test:iq", IQ_KIND_SET, IQ_OWN | IQ_ACCOUNT, later_asked },
	{ "no", "test:iq", IQ_KIND_GET, IQ_HOST, refuse_asked },
	{ 0 },
};
static const struct iq_handler second_iqs[] = {
	{ "echo", "test:iq", IQ_KIND_GET | IQ_KIND_SET, IQ_HOST, refuse_asked },
	{ 0 },
};
static const struct module iq_module = { .name = "iq", .iqs = iqs };
static const struct module second_module = { .name = "second", .iqs = second_iqs };
static const struct module *const modules[] = { &iq_module, &second_module, &town_module, NULL };

static const char *answer(struct person *person, const char *xml)
{
	person_says(person, xml);
	return person_heard(person);
}

static void test_scopes(void **state)
{
	(void)state;
	assert_string_equal(answer(romeo,
	                           "<iq type='get' id='1' to='south.example'><echo xmlns='test:iq'/></iq>"),
	                    "<iq from='south.example' to='romeo@north.example/garden' type='result' id='1'>"
	                    "<echo xmlns='test:iq' scope='host' host='south.example'/></iq>");
	assert_non_null(
		strstr(answer(romeo,
	                      "<iq type='get' id='1' to='north.example/x'><echo xmlns='test:iq'/></iq>"),
	               "from='north.example/x' "));
	assert_non_null(
		strstr(answer(romeo, "<iq type='get' id='1'><echo xmlns='test:iq'/></iq>"), "scope='own'"));
	assert_non_null(
		strstr(answer(romeo,
	                      "<iq type='get' id='1' to='romeo@north.example'><echo xmlns='test:iq'/></iq>"),
	               "scope='own' host='north.example'"));
	assert_non_null(
		strstr(answer(romeo,
	                      "<iq type='get' id='1' to='juliet@north.example'><echo xmlns='test:iq'/></iq>"),
	               "scope='account' host='north.example'"));
}

static void test_nobody_handles_it(void **state)
{
	static const char *const unhandled[] = {
		"<iq type='get' id='1' to='north.example'><own xmlns='test:iq'/></iq>",
		"<iq type='get' id='1' to='juliet@north.example'><own xmlns='test:iq'/></iq>",
		"<iq type='get' id='1'><later xmlns='test:iq'/></iq>",
		"<iq type='get' id='1'><echo xmlns='test:other'/></iq>",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(unhandled) / sizeof(unhandled[0]); i++)
		assert_non_null(
			strstr(answer(romeo, unhandled[i]), "<error type='cancel'><service-unavailable "));
}

static void test_order_of_modules(void **state)
{
	(void)state;
	assert_non_null(
		strstr(answer(romeo, "<iq type='get' id='1' to='north.example'><echo xmlns='test:iq'/></iq>"),
	               "type='result'"));
	assert_non_null(
		strstr(answer(romeo, "<iq type='set' id='1' to='north.example'><echo xmlns='test:iq'/></iq>"),
	               "<forbidden "));
}

static void test_done_and_refused(void **state)
{
	(void)state;
	assert_string_equal(
		answer(romeo, "<iq type='set' id='1'><own xmlns='test:iq'/></iq>"),
		"<iq from='romeo@north.example' to='romeo@north.example/garden' type='result' id='1'/>");
	assert_non_null(
		strstr(answer(romeo, "<iq type='get' id='1' to='north.example'><no xmlns='test:iq'/></iq>"),
	               ">Not today</text>"));
}

static void test_answered_later(void **state)
{
	(void)state;
	assert_string_equal(
		answer(romeo,
	               "<iq type='set' id='1' to='juliet@north.example'><later xmlns='test:iq'/></iq>"),
		"");
	assert_non_null(pending);
	assert_ptr_equal(iq_account(pending), juliet->session->account);
	assert_null(iq_session(pending));
	iq_done(pending);
	town_settle(town);
	assert_string_equal(
		person_heard(romeo),
		"<iq from='juliet@north.example' to='romeo@north.example/garden' type='result' id='1'/>");
}

static void test_the_account_goes_meanwhile(void **state)
{
	struct jid jid = juliet->session->account->jid;
	struct home *home = juliet->session->account->home;

	(void)state;
	answer(romeo, "<iq type='set' id='1' to='juliet@north.example'><later xmlns='test:iq'/></iq>");
	account_deleted(home, &jid);
	town_settle(town);
	assert_null(iq_account(pending));
	iq_refuse(pending, STANZA_ITEM_NOT_FOUND, NULL);
	town_settle(town);
	assert_non_null(strstr(person_heard(romeo), "<item-not-found "));
}

/* The host of a request outlives the snapshot that it was found in. */
static void test_a_reload_meanwhile(void **state)
{
	(void)state;
	answer(romeo, "<iq type='set' id='1' to='juliet@north.example'><later xmlns='test:iq'/></iq>");
	assert_null(server_reload(town->server));
	town_settle(town);
	assert_string_equal(pending->host->domain, "north.example");
	iq_done(pending);
	town_settle(town);
	assert_non_null(strstr(person_heard(romeo), "type='result'"));
}

static void test_messages_and_presence_to_a_host(void **state)
{
	(void)state;
	assert_non_null(strstr(answer(romeo, "<message to='north.example'/>"), "<service-unavailable "));
	assert_string_equal(answer(romeo, "<message to='north.example' type='error'/>"), "");
	assert_string_equal(answer(romeo, "<presence to='north.example'/>"), "");
	assert_string_equal(answer(romeo, "<presence to='north.example' type='probe'/>"), "");
	assert_string_equal(answer(romeo, "<iq to='north.example' type='result' id='1'/>"), "");
}

static int setup(void **state)
{
	(void)state;
	pending = NULL;
	town = town_open(modules, NULL);
	town_add_account(town, "romeo@north.example");
	town_add_account(town, "juliet@north.example");
	romeo = person_come(town, "romeo@north.example/garden");
	juliet = person_come(town, "juliet@north.example/balcony");
	return romeo && juliet ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	person_go(&romeo);
	person_go(&juliet);
	town_close(&town);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_scopes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_handles_it, setup, teardown),
		cmocka_unit_test_setup_teardown(test_order_of_modules, setup, teardown),
		cmocka_unit_test_setup_teardown(test_done_and_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_answered_later, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_account_goes_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_reload_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_messages_and_presence_to_a_host, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
