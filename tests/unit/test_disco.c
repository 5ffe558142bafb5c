/* SPDX-License-Identifier: MIT
 *
 * Service discovery of hosts and accounts (XEP-0030 §3, §4, §8) and entity capabilities: the vectors of
 * XEP-0115 §5, and that what our streams announce is what a client computes from our answer.
 */
#include "core/disco.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "../support/town.h"
#include "base/mem.h"
#include "core/caps.h"
#include "core/router.h"
#include "xmpp/ns.h"

/* ---- XEP-0115 §5.2, §5.3 ---- */

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static void field_add(struct arena *arena, struct element *form, const char *var, const char *type,
                      const json_t *values)
{
	struct element *field = element_add(arena, form, "field", NS_DATA_FORM);
	size_t i;
	json_t *value;

	element_set(arena, field, "var", var);
	element_set(arena, field, "type", type);
	json_array_foreach(values, i, value)
		element_add_text(arena, element_add(arena, field, "value", NS_DATA_FORM),
	                         json_string_value(value));
}

static void form_add(struct arena *arena, struct element *query, json_t *form)
{
	struct element *x = element_add(arena, query, "x", NS_DATA_FORM);
	json_t *type = json_pack("[s]", text_of(form, "form_type")), *values;
	const char *var;

	json_object_foreach(json_object_get(form, "fields"), var, values)
		field_add(arena, x, var, NULL, values);
	field_add(arena, x, "FORM_TYPE", "hidden", type);
	json_decref(type);
}

static struct element *query_of(struct arena *arena, const json_t *vector)
{
	struct element *query = element_new(arena, "query", NS_DISCO_INFO);
	size_t i;
	json_t *item;

	json_array_foreach(json_object_get(vector, "identities"), i, item)
	{
		struct element *identity = element_add(arena, query, "identity", NS_DISCO_INFO);

		element_set(arena, identity, "category", text_of(item, "category"));
		element_set(arena, identity, "type", text_of(item, "type"));
		element_set(arena, identity, "name", text_of(item, "name"));
		if (*text_of(item, "lang"))
			element_set_ns(arena, identity, "lang", NS_XML, text_of(item, "lang"));
	}
	json_array_foreach(json_object_get(vector, "features"), i, item)
		element_set(arena, element_add(arena, query, "feature", NS_DISCO_INFO), "var",
	                    json_string_value(item));
	json_array_foreach(json_object_get(vector, "forms"), i, item) form_add(arena, query, item);
	return query;
}

static void test_caps_vectors(void **state)
{
	char *path = NULL;
	json_error_t error;
	json_t *file, *vector;
	size_t i;

	(void)state;
	path = str_printf("%s/tests/vectors/caps-xep0115.json",
	                  getenv("top_srcdir") ? getenv("top_srcdir") : ".");
	file = json_load_file(path, 0, &error);
	assert_non_null(file);
	assert_true(json_array_size(json_object_get(file, "vectors")) >= 2);
	json_array_foreach(json_object_get(file, "vectors"), i, vector)
	{
		struct arena arena = { 0 };
		struct element *query = query_of(&arena, vector);
		char ver[CAPS_VER_LEN + 1];
		struct buf string = { 0 };

		assert_true(caps_string(query, &string));
		buf_add_char(&string, '\0');
		assert_string_equal(string.data, text_of(vector, "S"));
		assert_true(caps_ver(query, ver));
		assert_string_equal(ver, text_of(vector, "ver"));
		buf_clear(&string);
		arena_clear(&arena);
	}
	json_decref(file);
	free(path);
}

/* §5.4: an answer that was made for the string of another proves nothing. */
static void test_caps_ill_formed(void **state)
{
	static const struct {
		const char *vector;
		bool well_formed;
	} answers[] = {
		{ "{'identities': [{'category': 'client', 'type': 'pc', 'name': 'Psi'}], 'features': ['a', 'b']}", true },
		{ "{'identities': [{'category': 'client', 'type': 'pc', 'name': 'Psi<a<b'}]}", false },
		{ "{'identities': [{'category': 'client', 'type': 'pc', 'name': 'Psi'}], 'features': ['a<b']}", false },
		{ "{'features': ['a', 'b', 'a']}", false },
		{ "{'identities': [{'category': 'client', 'type': 'pc', 'name': 'A'}, "
		  "{'category': 'client', 'type': 'pc', 'name': 'B'}]}", true },
		{ "{'identities': [{'category': 'client', 'type': 'pc', 'name': 'A'}, "
		  "{'category': 'client', 'type': 'pc', 'name': 'A'}]}", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		char *text = str_printf("%s", answers[i].vector), ver[CAPS_VER_LEN + 1];
		struct arena arena = { 0 };
		json_t *vector;

		for (char *c = text; *c; c++)
			*c = *c == '\'' ? '"' : *c;
		vector = json_loads(text, 0, NULL);
		assert_non_null(vector);
		assert_int_equal(caps_ver(query_of(&arena, vector), ver), answers[i].well_formed);
		json_decref(vector);
		arena_clear(&arena);
		free(text);
	}
}

/* ---- discovery ---- */

static struct town *town;
static struct person *romeo, *juliet;
static const char *friend;

static bool test_shares(const struct account *account, const struct jid *with)
{
	(void)account;
	return friend && strcmp(friend, with->text) == 0;
}

static void *test_configure(struct config *config, const struct conf *conf, char **error)
{
	static const struct destination_class service = { .name = "service" };

	(void)conf, (void)error;
	config_add_domain(config, "rooms.north.example", &service, "Rooms");
	config_add_domain(config, "bot.north.example", &service, "Bot");
	config_add_domain(config, "bot.south.example", &service, "Bot");
	config_add_domain(config, "directory.example", &service, "Directory");
	config_add_domain(config, "hidden.north.example", &service, NULL);
	return NULL;
}

static const char *const features[] = { "test:b", "test:a", NS_DISCO_INFO, NULL };
static const char *const account_features[] = { "test:account", NULL };
static const struct module test_module = {
	.name = "test",
	.host_features = features,
	.account_features = account_features,
	.configure = test_configure,
	.account_shares_presence = test_shares,
};
static const struct module *const modules[] = { &test_module, &disco_module, &town_module, NULL };

#define QUERY(to, ns, rest) "<iq type='get' id='1' to='" to "'><query xmlns='" ns "'" rest "/></iq>"

static const char *answer(struct person *person, const char *xml)
{
	person_says(person, xml);
	return person_heard(person);
}

#define HOST_INFO                                                 \
	"<identity category='server' type='im' name='Hansa'/>"    \
	"<feature var='http://jabber.org/protocol/caps'/>"        \
	"<feature var='http://jabber.org/protocol/disco#info'/>"  \
	"<feature var='http://jabber.org/protocol/disco#items'/>" \
	"<feature var='test:a'/><feature var='test:b'/></query></iq>"

static void test_info_of_a_host(void **state)
{
	(void)state;
	assert_string_equal(answer(romeo, QUERY("north.example", NS_DISCO_INFO, "")),
	                    "<iq from='north.example' to='romeo@north.example/garden' type='result' id='1'>"
	                    "<query xmlns='http://jabber.org/protocol/disco#info'>" HOST_INFO);
	assert_non_null(strstr(answer(romeo, QUERY("north.example", NS_DISCO_INFO, " node='x'")),
	                       "<item-not-found "));
}

/* What stands in our stream features is the node to ask and the hash of the answer. */
static void test_caps_of_the_server(void **state)
{
	struct home *home = romeo->session->account->home;
	const struct host *host = &home->config->hosts[0];
	const char *element = disco_caps_element(home, host);
	struct arena arena = { 0 };
	struct element *c = parser_text(home->parsers, &arena, NS_CLIENT, element, strlen(element),
	                                &parser_limits_default);
	char *question, *expected, ver[CAPS_VER_LEN + 1];

	(void)state;
	assert_true(element_is(c, "c", NS_CAPS));
	assert_string_equal(element_attr(c, "hash"), "sha-1");
	caps_ver(disco_host_info(&arena, NULL, home->config, host, NULL), ver);
	assert_string_equal(element_attr(c, "ver"), ver);
	question = str_printf("<iq type='get' id='1' to='north.example'><query xmlns='" NS_DISCO_INFO
	                      "' node='%s#%s'/></iq>",
	                      element_attr(c, "node"), ver);
	expected = str_printf("<query xmlns='" NS_DISCO_INFO "' node='%s#%s'>" HOST_INFO,
	                      element_attr(c, "node"), ver);
	assert_non_null(strstr(answer(romeo, question), expected));
	free(question);
	free(expected);
	arena_clear(&arena);
}

static void test_items_of_a_host(void **state)
{
	(void)state;
	assert_string_equal(
		answer(romeo, QUERY("north.example", NS_DISCO_ITEMS, "")),
		"<iq from='north.example' to='romeo@north.example/garden' type='result' id='1'>"
		"<query xmlns='http://jabber.org/protocol/disco#items'>"
		"<item jid='bot.north.example' name='Bot'/><item jid='directory.example' name='Directory'/>"
		"<item jid='rooms.north.example' name='Rooms'/></query></iq>");
	assert_string_equal(
		answer(romeo, QUERY("south.example", NS_DISCO_ITEMS, "")),
		"<iq from='south.example' to='romeo@north.example/garden' type='result' id='1'>"
		"<query xmlns='http://jabber.org/protocol/disco#items'>"
		"<item jid='bot.south.example' name='Bot'/><item jid='directory.example' name='Directory'/>"
		"</query></iq>");
	assert_non_null(strstr(answer(romeo, QUERY("north.example", NS_DISCO_ITEMS, " node='x'")),
	                       "<item-not-found "));
}

static void test_own_account(void **state)
{
	(void)state;
	assert_string_equal(
		answer(romeo, QUERY("romeo@north.example", NS_DISCO_INFO, "")),
		"<iq from='romeo@north.example' to='romeo@north.example/garden' type='result' id='1'>"
		"<query xmlns='http://jabber.org/protocol/disco#info'>"
		"<identity category='account' type='registered'/>"
		"<feature var='http://jabber.org/protocol/disco#info'/>"
		"<feature var='http://jabber.org/protocol/disco#items'/><feature var='test:account'/>"
		"</query></iq>");
	assert_non_null(strstr(answer(romeo, QUERY("romeo@north.example", NS_DISCO_ITEMS, "")),
	                       "<query xmlns='http://jabber.org/protocol/disco#items'/>"));
	person_says(romeo, "<presence/>");
	assert_non_null(strstr(answer(romeo, QUERY("romeo@north.example", NS_DISCO_ITEMS, "")),
	                       "<item jid='romeo@north.example/garden'/>"));
	assert_non_null(strstr(answer(romeo, QUERY("romeo@north.example", NS_DISCO_INFO, " node='x'")),
	                       "<item-not-found "));
}

/* XEP-0030 §8: for a stranger an account looks like none, with and without a node. */
static void test_account_of_somebody_else(void **state)
{
	static const char *const questions[] = {
		QUERY("juliet@north.example", NS_DISCO_INFO, ""),
		QUERY("juliet@north.example", NS_DISCO_INFO, " node='x'"),
		QUERY("juliet@north.example", NS_DISCO_ITEMS, ""),
		QUERY("nobody@north.example", NS_DISCO_INFO, ""),
	};

	(void)state;
	person_says(juliet, "<presence/>");
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
		assert_non_null(
			strstr(answer(romeo, questions[i]), "<error type='cancel'><service-unavailable "));
	friend = "romeo@north.example/garden";
	assert_non_null(
		strstr(answer(romeo, questions[0]), "<identity category='account' type='registered'/>"));
	assert_non_null(strstr(answer(romeo, questions[1]), "<item-not-found "));
	assert_non_null(strstr(answer(romeo, questions[2]), "<item jid='juliet@north.example/balcony'/>"));
}

static int setup(void **state)
{
	(void)state;
	friend = NULL;
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
		cmocka_unit_test(test_caps_vectors),
		cmocka_unit_test(test_caps_ill_formed),
		cmocka_unit_test_setup_teardown(test_info_of_a_host, setup, teardown),
		cmocka_unit_test_setup_teardown(test_caps_of_the_server, setup, teardown),
		cmocka_unit_test_setup_teardown(test_items_of_a_host, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own_account, setup, teardown),
		cmocka_unit_test_setup_teardown(test_account_of_somebody_else, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
