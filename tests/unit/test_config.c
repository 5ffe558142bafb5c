/* SPDX-License-Identifier: MIT
 *
 * Core's sections of the configuration: what comes out of them, the defaults that docs/security.md promises, and
 * each fault with the line that it names. No network, no store.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "core/config.h"
#include "core/module.h"
#include "core/router.h"
#include "../support/folder.h"

static const struct module *const no_modules[] = { NULL };

static char *folder, *path;

static void config_write(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static const struct config *load(const char *text)
{
	const struct config *config;
	char *error = NULL;

	config_write(text);
	config = config_load(path, no_modules, &error);
	if (!config)
		fail_msg("%s", error);
	return config;
}

/* The fault of a text, without the folder in front. */
static void assert_fault(const char *text, const char *expected)
{
	const struct config *config;
	char *error = NULL;

	config_write(text);
	config = config_load(path, no_modules, &error);
	assert_null(config);
	assert_memory_equal(error, folder, strlen(folder));
	assert_string_equal(error + strlen(folder) + 1, expected);
	free(error);
}

static void test_defaults(void **state)
{
	const struct config *config = load("host \"north.example\" { }\ntls { client-required = no }\n");

	(void)state;
	assert_int_equal(config->limits.authenticate_ms, 30000);
	assert_int_equal(config->limits.stanza_unauthenticated, 10 * 1024);
	assert_int_equal(config->limits.stanza_client, 256 * 1024);
	assert_int_equal(config->limits.stanza_server, 512 * 1024);
	assert_int_equal(config->limits.stanza_component, 512 * 1024);
	assert_int_equal(config->limits.parser.depth, 64);
	assert_int_equal(config->limits.parser.attributes, 64);
	assert_int_equal(config->limits.parser.declarations, 32);
	assert_int_equal(config->limits.parser.elements, 10000);
	assert_int_equal(config->limits.unauthenticated_per_address, 64);
	assert_int_equal(config->limits.unsent, 1 << 20);
	assert_int_equal(config->limits.sessions_per_account, 32);
	assert_int_equal(config->limits.login_failures_per_stream, 5);
	assert_int_equal(config->limits.offline_messages, 1000);
	assert_int_equal(config->limits.offline_bytes, 10 << 20);
	assert_int_equal(config->limits.roster_items, 1000);
	assert_int_equal(config->limits.resource_bytes, 1023);
	assert_true(config->limits.silence_ms + config->limits.answer_ms <= 120000);
	assert_true(config->workers >= 1);
	assert_null(config->tls);
	assert_null(config->remote);
	config_unref(&config);
	assert_null(config);
}

static void test_hosts(void **state)
{
	const struct config *config = load("host \"North.Example\" { admins = { \"Admin@north.example\" } }\n"
	                                   "host \"south.example\" { }\n"
	                                   "tls { client-required = no }\n");
	const struct destination *destination = config_destination(config, "north.example/x", 13);
	struct arena arena = { 0 };
	struct jid jid;

	(void)state;
	assert_non_null(destination);
	assert_string_equal(destination->class->name, "host");
	assert_ptr_equal(destination->host, &config->hosts[0]);
	assert_ptr_equal(config_host(config, "south.example", 13), &config->hosts[1]);
	assert_null(config_destination(config, "west.example", 12));
	assert_true(jid_prepare(&arena, "admin@north.example/desk", 24, JID_ANY, &jid));
	assert_true(config_is_admin(config, &jid));
	assert_true(jid_prepare(&arena, "admin@south.example", 19, JID_ANY, &jid));
	assert_false(config_is_admin(config, &jid));
	assert_true(jid_prepare(&arena, "admin1@north.example", 20, JID_ANY, &jid));
	assert_false(config_is_admin(config, &jid));
	arena_clear(&arena);
	config_unref(&config);
}

static void test_listens(void **state)
{
	static const char *const expected[] = { "0.0.0.0:5222",   "[::]:5222",      "0.0.0.0:5269", "[::]:5269",
		                                "192.0.2.1:5269", "127.0.0.1:5347", "[::1]:6000" };
	const struct config *config = load("host \"north.example\" { }\ntls { client-required = no }\n"
	                                   "listen a { kind = client }\n"
	                                   "listen b { kind = server }\n"
	                                   "listen c { kind = server address = \"192.0.2.1\" }\n"
	                                   "listen d { kind = component }\n"
	                                   "listen e { kind = client address = \"::1\" port = 6000 }\n");

	(void)state;
	assert_int_equal(config->listen_count, 7);
	for (size_t i = 0; i < config->listen_count; i++) {
		char text[ADDRESS_TEXT];

		address_write(&config->listens[i].address, text);
		assert_string_equal(text, expected[i]);
	}
	assert_int_equal(config->listens[2].kind, LISTEN_SERVER);
	assert_true(config->listens[1].may_lack);
	assert_false(config->listens[6].may_lack);
	config_unref(&config);
}

static void test_files_beside(void **state)
{
	const struct config *config =
		load("host \"north.example\" { }\ntls { client-required = no }\n"
	             "server { workers = 3 control = \"ctl\" trusted = { \"10.0.0.0/8\", \"::1\" } }\n"
	             "store { path = \"/var/x.db\" }\n"
	             "log { target = file path = \"a.log\" level = debug }\n"
	             "dns { servers = { \"127.0.0.1:5353\", \"192.0.2.53\" } }\n");

	(void)state;
	assert_int_equal(config->workers, 3);
	assert_memory_equal(config->control_path, folder, strlen(folder));
	assert_string_equal(config->control_path + strlen(folder), "/ctl");
	assert_string_equal(config->store_path, "/var/x.db");
	assert_string_equal(config->log_path + strlen(folder), "/a.log");
	assert_int_equal(config->log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(config->trusted_count, 2);
	assert_int_equal(address_port(&config->dns_servers[0]), 5353);
	assert_int_equal(address_port(&config->dns_servers[1]), 53);
	config_unref(&config);
}

static void test_faults(void **state)
{
	(void)state;
	assert_fault("", "hansa.conf: a section host is missing; allowed: host \"your.domain\" { ... }");
	assert_fault("host \"a b\" { }\n", "hansa.conf:1: bad title \"a b\" of host; allowed: a domain name");
	assert_fault("host \"north.example\" { }\nhost \"NORTH.example\" { }\ntls { client-required = no }\n",
	             "hansa.conf:2: domain \"north.example\" is already a host");
	assert_fault("host \"north.example\" { admins = { \"a@south.example\" } }\n",
	             "hansa.conf:1: bad value \"a@south.example\" for admins; allowed: accounts of this "
	             "host, like "
	             "admin@north.example");
	assert_fault("host \"north.example\" { }\nlisten x { kind = client address = \"localhost\" }\n",
	             "hansa.conf:2: bad value \"localhost\" for address; allowed: an IP address");
	assert_fault("\nhost \"north.example\" { }\n", "hansa.conf:2: host \"north.example\" has no "
	                                               "certificate; allowed: certificate and key here or in "
	                                               "section tls");
	assert_fault("host \"north.example\" { certificate = \"a.pem\" }\n",
	             "hansa.conf:1: certificate and key belong together; allowed: both or none");
	assert_fault("host \"north.example\" { }\nserver { trusted = { \"10.0.0.0/40\" } }\n",
	             "hansa.conf:2: bad value \"10.0.0.0/40\" for trusted; allowed: an IP address, or a "
	             "network like "
	             "10.0.0.0/8");
	assert_fault("host \"north.example\" { }\ntls { client-required = no }\nlisten x { kind = server-tls }\n",
	             "hansa.conf:2: a listen section of kind server-tls needs a certificate; allowed: certificate and "
	             "key here or for each host");
	assert_fault("host \"north.example\" { }\ntls { client-required = no }\nlog { target = file }\n",
	             "hansa.conf:3: the target file needs a path");
	assert_fault("host \"north.example\" { }\ntls { client-required = no }\ndns { servers = { "
	             "\"ns.example\" } }\n",
	             "hansa.conf:3: bad value \"ns.example\" for servers; allowed: an IP address, with a "
	             "port like "
	             "127.0.0.1:5353 or [::1]:5353");
}

static void test_missing_certificate(void **state)
{
	const struct config *config;
	char *error = NULL;

	(void)state;
	config_write("host \"north.example\" { }\n\ntls { certificate = \"no.pem\" key = \"no.key\" }\n");
	config = config_load(path, no_modules, &error);
	assert_null(config);
	assert_non_null(strstr(error, "hansa.conf:3: "));
	assert_non_null(strstr(error, "no.pem"));
	free(error);
}

/* ---- modules' parts ---- */

static unsigned configured, unconfigured;

static void *part_configure(struct config *config, const struct conf *conf, char **error)
{
	const struct conf_section *section = conf_section_at(conf, "thing", 0);

	configured++;
	if (section && !config_add_domain(config, conf_title(section), NULL, "Thing"))
		*error =
			conf_fault(section, "domain \"%s\" has another section already", conf_title(section));
	return &configured;
}

static void part_unconfigure(void *part)
{
	assert_ptr_equal(part, &configured);
	unconfigured++;
}

static const struct conf_option thing_options[] = { { 0 } };
static const struct conf_section_kind things[] = {
	{ .name = "thing", .titled = true, .options = thing_options, .sentence = "A thing." },
	{ 0 },
};
static const struct module idle_module = { .name = "idle" };
static const struct module thing_module = {
	.name = "thing",
	.options = things,
	.configure = part_configure,
	.unconfigure = part_unconfigure,
};
static const struct module *const some_modules[] = { &idle_module, &thing_module, NULL };

static void test_module_parts(void **state)
{
	const struct config *config, *other;
	char *error = NULL;

	(void)state;
	config_write(
		"host \"north.example\" { }\ntls { client-required = no }\nthing \"t.north.example\" { }\n");
	config = config_load(path, some_modules, &error);
	assert_non_null(config);
	assert_ptr_equal(config_part(config, &thing_module), &configured);
	assert_null(config_part(config, &idle_module));
	assert_string_equal(config_destination(config, "t.north.example", 15)->name, "Thing");
	other = config_ref(config);
	config_unref(&config);
	assert_int_equal(unconfigured, 0);
	config_unref(&other);
	assert_int_equal(unconfigured, 1);

	config_write(
		"host \"north.example\" { }\ntls { client-required = no }\nthing \"north.example\" { }\n");
	config = config_load(path, some_modules, &error);
	assert_null(config);
	assert_non_null(strstr(error, "hansa.conf:3: domain \"north.example\" has another section already"));
	free(error);
}

static int setup(void **state)
{
	(void)state;
	folder = folder_make();
	path = str_printf("%s/hansa.conf", folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(path);
	folder_remove(&folder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),     cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_listens),      cmocka_unit_test(test_files_beside),
		cmocka_unit_test(test_faults),       cmocka_unit_test(test_missing_certificate),
		cmocka_unit_test(test_module_parts),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
