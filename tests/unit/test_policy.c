/* SPDX-License-Identifier: MIT
 *
 * Sections `peer`: what a peer's own section says, what it takes from "*", and the faults.
 */
#include "../../s2s/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "../../s2s/s2s.h"
#include "../support/folder.h"

static const struct module *const modules[] = { &s2s_module, NULL };

/* error: NULL where none is expected. */
static const struct config *load(const char *sections, char **error)
{
	char *folder = folder_make(), *path = str_printf("%s/hansa.conf", folder), *fault = NULL;
	FILE *file = fopen(path, "w");
	const struct config *config;

	fprintf(file, "host north.example { }\ntls { client-required = no }\n%s", sections);
	fclose(file);
	config = config_load(path, modules, &fault);
	if (!config && !error)
		fail_msg("%s", fault);
	if (error)
		*error = fault;
	free(path);
	folder_remove(&folder);
	return config;
}

static const struct peer_policy *find(const struct config *config, const char *domain)
{
	return policy_find(config, domain, strlen(domain));
}

/* Where the file is silent the options' fallbacks hold, as if an empty section "*" stood there. */
static void silence_is_an_empty_section(void **state)
{
	const struct config *silent = load("", NULL), *empty = load("peer \"*\" { }\n", NULL);
	const struct peer_policy *a = find(silent, "far.example"), *b = find(empty, "far.example");

	(void)state;
	assert_true(a->allow && b->allow);
	assert_int_equal(a->tls, PEER_TLS_REQUIRED);
	assert_int_equal(b->tls, PEER_TLS_REQUIRED);
	assert_memory_equal(&a->outbox, &b->outbox, sizeof(a->outbox));
	assert_int_equal(a->takes, b->takes);
	assert_int_equal(a->sends, b->sends);
	assert_int_equal(a->idle_ms, b->idle_ms);
	config_unref(&silent);
	config_unref(&empty);
}

static void own_sections_come_before_everybodys(void **state)
{
	const struct config *config = load("peer \"*\" { allow = no  tls = optional  wait = 5s }\n"
	                                   "peer Far.Example { wait = 7s }\n"
	                                   "peer near.example { allow = no }\n",
	                                   NULL);

	(void)state;
	assert_false(find(config, "other.example")->allow);
	assert_false(find(config, "near.example")->allow);
	assert_true(find(config, "far.example")->allow);
	assert_int_equal(find(config, "far.example")->tls, PEER_TLS_OPTIONAL);
	assert_int_equal(find(config, "far.example")->outbox.wait_ms, 7000);
	assert_int_equal(find(config, "near.example")->outbox.wait_ms, 5000);
	assert_false(find(config, "sub.far.example")->allow);
	assert_false(policy_find(config, "far.example.org", 7)->allow);
	assert_true(policy_find(config, "far.example/resource", strlen("far.example"))->allow);
	config_unref(&config);
}

/* Branches that the administrator names keep their messages for days, strangers for minutes. */
static void who_is_named_has_more_time(void **state)
{
	const struct config *named = load("peer far.example { }\n", NULL);
	const struct config *all = load("peer \"*\" { lifetime = 1h }\npeer far.example { }\n"
	                                "peer near.example { lifetime = 7d }\n",
	                                NULL);

	(void)state;
	assert_int_equal(find(named, "far.example")->outbox.lifetime_ms, 3 * 24 * 3600 * 1000);
	assert_int_equal(find(named, "other.example")->outbox.lifetime_ms, 600 * 1000);
	assert_int_equal(find(all, "far.example")->outbox.lifetime_ms, 3600 * 1000);
	assert_int_equal(find(all, "other.example")->outbox.lifetime_ms, 3600 * 1000);
	assert_int_equal(find(all, "near.example")->outbox.lifetime_ms, 7 * 24 * 3600 * 1000);
	config_unref(&named);
	config_unref(&all);
}

static void roles_say_what_is_not_said(void **state)
{
	const struct config *config = load("peer \"*\" { idle = 1h }\n"
	                                   "peer far.example { role = branch }\n"
	                                   "peer near.example { role = partner  idle = 5m }\n"
	                                   "peer odd.example { role = stranger }\n",
	                                   NULL);
	const struct config *plain = load("peer far.example { }\npeer near.example { role = partner }\n", NULL);
	const struct config *open = load("peer \"*\" { role = partner }\n", NULL);

	(void)state;
	assert_int_equal(find(config, "far.example")->idle_ms, 3600 * 1000);
	assert_int_equal(find(config, "near.example")->idle_ms, 300 * 1000);
	assert_int_equal(find(config, "near.example")->outbox.lifetime_ms, 24 * 3600 * 1000);
	assert_int_equal(find(config, "odd.example")->outbox.lifetime_ms, 600 * 1000);
	assert_int_equal(find(config, "odd.example")->role, PEER_STRANGER);
	assert_int_equal(find(plain, "far.example")->role, PEER_BRANCH);
	assert_int_equal(find(plain, "far.example")->idle_ms, 0);
	assert_int_equal(find(plain, "near.example")->idle_ms, 600 * 1000);
	assert_int_equal(find(plain, "other.example")->role, PEER_STRANGER);
	assert_int_equal(find(open, "other.example")->role, PEER_PARTNER);
	assert_int_equal(find(open, "other.example")->outbox.lifetime_ms, 24 * 3600 * 1000);
	config_unref(&config);
	config_unref(&plain);
	config_unref(&open);
}

static void kinds_and_tls_are_read(void **state)
{
	const struct config *config = load("peer \"*\" { tls = 1.3  sends = { none }  takes = { message } }\n"
	                                   "peer far.example { tls = required  sends = { presence, iq } }\n",
	                                   NULL);
	const struct peer_policy *all = find(config, "other.example"), *far = find(config, "far.example");
	char *error;

	(void)state;
	assert_int_equal(all->sends, 0);
	assert_int_equal(all->takes, 1u << STANZA_MESSAGE);
	assert_int_equal(far->sends, 1u << STANZA_PRESENCE | 1u << STANZA_IQ);
	assert_int_equal(far->takes, all->takes);
	assert_true(policy_suits_tls(all, "TLSv1.3") && !policy_suits_tls(all, "TLSv1.2"));
	assert_true(policy_suits_tls(far, "TLSv1.2") && !policy_suits_tls(far, ""));
	config_unref(&config);
	assert_null(load("peer far.example { takes = { messages } }\n", &error));
	assert_non_null(strstr(error, "bad value \"messages\" for takes; allowed: message, presence, iq, none"));
	free(error);
}

static void addresses_are_read(void **state)
{
	const struct config *config =
		load("peer far.example { address = { \"xmpp.far.example\", \"xmpp.far.example:5270\", "
	             "\"192.0.2.7\", \"192.0.2.7:1\", \"[2001:db8::1]:2\" } }\n",
	             NULL);
	const struct peer_policy *policy = find(config, "far.example");
	static const struct resolve_target expected[] = {
		{ "xmpp.far.example", 5269, false }, { "xmpp.far.example", 5270, false },
		{ "192.0.2.7", 5269, false },        { "192.0.2.7", 1, false },
		{ "2001:db8::1", 2, false },
	};

	(void)state;
	assert_int_equal(policy->target_count, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_string_equal(policy->targets[i].host, expected[i].host);
		assert_int_equal(policy->targets[i].port, expected[i].port);
	}
	config_unref(&config);
}

static void faults_are_told(void **state)
{
	static const char *const wrong[] = {
		"peer \"a@b\" { }\n",
		"peer far.example { address = { \"host:0\" } }\n",
		"peer far.example { address = { \"host:99999\" } }\n",
		"peer far.example { address = { \"host:port\" } }\n",
		"peer far.example { address = { \":5269\" } }\n",
		"peer far.example { address = { \"\" } }\n",
		"peer far.example { tls = never }\n",
		"peer far.example { address = { \"x.example\" }  direct-tls = yes }\n",
		"peer far.example { wait = 10ms }\n",
		"peer far.example { }\npeer FAR.example { }\n",
		"peer north.example { }\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char *error = NULL;

		if (load(wrong[i], &error))
			fail_msg("this was taken: %s", wrong[i]);
		assert_non_null(strstr(error, "hansa.conf:"));
		free(error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silence_is_an_empty_section),
		cmocka_unit_test(own_sections_come_before_everybodys),
		cmocka_unit_test(who_is_named_has_more_time),
		cmocka_unit_test(roles_say_what_is_not_said),
		cmocka_unit_test(kinds_and_tls_are_read),
		cmocka_unit_test(addresses_are_read),
		cmocka_unit_test(faults_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
