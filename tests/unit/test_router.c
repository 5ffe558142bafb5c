/* SPDX-License-Identifier: MIT
 *
 * The router: which destination a domain has, on which home it arrives, and what becomes of a domain that
 * nobody serves (RFC 6120 §10.4.3, §10.5).
 */
#include "core/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/town.h"

static struct town *town;
static struct person *romeo;
static char story[256];

/* ---- a service and the rest of the world, if there is one ---- */

static struct worker *last_home(struct home *from, const struct parcel *parcel)
{
	(void)parcel;
	return workers_at(from->server->workers, 1);
}

static void service_deliver(struct home *home, struct parcel *parcel)
{
	assert_ptr_equal(home, &town->server->homes[1]);
	strcat(strcat(story, " service:"), parcel->to.text);
	parcel_taken(home, &parcel);
}

static void world_deliver(struct home *home, struct parcel *parcel)
{
	strcat(strcat(story, " world:"), parcel->to.text);
	parcel_taken(home, &parcel);
}

static const struct destination_class service_class = { "service", last_home, service_deliver };
static const struct destination_class world_class = { "world", last_home, world_deliver };

static const struct conf_option edge_options[] = {
	{ .name = "world",
	  .type = CONF_BOOL,
	  .fallback = "false",
	  .sentence = "There is a rest of the world." },
	{ 0 },
};
static const struct conf_section_kind edge_sections[] = {
	{ .name = "edge", .options = edge_options, .sentence = "The test's." },
	{ 0 },
};

static void *edge_configure(struct config *config, const struct conf *conf, char **error)
{
	(void)error;
	assert_true(config_add_domain(config, "bot.north.example", &service_class, "Bot"));
	assert_false(config_add_domain(config, "bot.north.example", &service_class, "Bot"));
	if (conf_bool(conf_section(conf, "edge"), "world"))
		config->remote = &world_class;
	return NULL;
}

static const struct module edge_module = { .name = "edge",
	                                   .options = edge_sections,
	                                   .configure = edge_configure };
static const struct module *const modules[] = { &edge_module, &town_module, NULL };

static void test_service(void **state)
{
	(void)state;
	person_says(romeo, "<message to='bot.north.example'/>");
	person_says(romeo, "<message to='a@bot.north.example/b'/>");
	assert_string_equal(story, " service:bot.north.example service:a@bot.north.example/b");
}

static void test_nobody_serves_it(void **state)
{
	(void)state;
	person_says(romeo, "<message to='a@elsewhere.example'/>");
	assert_non_null(strstr(person_heard(romeo), "<error type='cancel'><remote-server-not-found "));
	person_says(romeo, "<message to='a@elsewhere.example' type='error'/>");
	assert_string_equal(person_heard(romeo), "");
}

static void test_reload_changes_the_world(void **state)
{
	(void)state;
	town_configure(town, "server { workers = 2 }\nhost north.example { }\ntls { client-required = no }\n"
	                     "edge { world = yes }\n");
	assert_null(server_reload(town->server));
	town_settle(town);
	person_says(romeo, "<message to='a@elsewhere.example'/>");
	person_says(romeo, "<message to='a@south.example'/>");
	assert_string_equal(story, " world:a@elsewhere.example world:a@south.example");
	assert_int_equal(romeo->closed, STREAM_NO_ERROR);
}

static void test_reload_with_a_fault_changes_nothing(void **state)
{
	const struct config *before = town->server->config;
	char *error;

	(void)state;
	town_configure(town, "host north.example { colour = red }\n");
	error = server_reload(town->server);
	assert_non_null(strstr(error, "hansa.conf:1: unknown option \"colour\""));
	free(error);
	assert_ptr_equal(town->server->config, before);
	person_says(romeo, "<message to='bot.north.example'/>");
	assert_string_equal(story, " service:bot.north.example");
}

/* A host that leaves the configuration takes its sessions with it. */
static void test_reload_without_the_host(void **state)
{
	(void)state;
	town_configure(town,
	               "server { workers = 2 }\nhost south.example { }\ntls { client-required = no }\n");
	assert_null(server_reload(town->server));
	town_settle(town);
	assert_int_equal(romeo->closed, STREAM_HOST_GONE);
	assert_null(town_account(town, "romeo@north.example"));
}

static void test_figures(void **state)
{
	uint64_t messages = 0, bounced = 0, sessions = 0, accounts = 0;

	(void)state;
	person_says(romeo, "<message to='a@elsewhere.example'/>");
	for (size_t i = 0; i < 2; i++) {
		const struct home_figures *figures = &town->server->homes[i].figures;

		messages += figure_get(&figures->messages);
		bounced += figure_get(&figures->bounced);
		sessions += figure_get(&figures->sessions);
		accounts += figure_get(&figures->accounts);
	}
	assert_int_equal(messages, 2);
	assert_int_equal(bounced, 1);
	assert_int_equal(sessions, 1);
	assert_int_equal(accounts, 1);
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
		cmocka_unit_test_setup_teardown(test_service, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_serves_it, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reload_changes_the_world, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reload_with_a_fault_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reload_without_the_host, setup, teardown),
		cmocka_unit_test_setup_teardown(test_figures, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
