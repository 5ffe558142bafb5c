/* SPDX-License-Identifier: MIT
 *
 * The configuration: values of each type, includes, and every fault as the one line that a person reads.
 */
#include "base/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"

static const struct conf_option host_options[] = {
	{ .name = "admins", .type = CONF_LIST, .sentence = "Who may administer.", .example = "a@x, b@x" },
	{ .name = "open", .type = CONF_BOOL, .fallback = "no", .sentence = "Whether all may." },
	{ .name = "certificate",
	  .type = CONF_STRING,
	  .required = true,
	  .sentence = "The file.",
	  .example = "/a b.pem" },
	{ 0 },
};
static const struct conf_option limits_options[] = {
	{ .name = "stanza-size",
	  .type = CONF_SIZE,
	  .fallback = "256kB",
	  .min = 1024,
	  .max = 10 << 20,
	  .sentence = "The largest stanza." },
	{ .name = "depth",
	  .type = CONF_INT,
	  .fallback = "64",
	  .min = 2,
	  .max = 1000,
	  .sentence = "The deepest element." },
	{ .name = "trusted",
	  .type = CONF_LIST,
	  .fallback = "127.0.0.0/8, ::1",
	  .sentence = "Networks without limits." },
	{ 0 },
};
static const struct conf_option more_limits_options[] = {
	{ .name = "login-time",
	  .type = CONF_TIME,
	  .fallback = "30s",
	  .min = 1000,
	  .max = 3600000,
	  .sentence = "The time to log in." },
	{ .name = "idle", .type = CONF_TIME, .sentence = "Silence.", .example = "5m" },
	{ 0 },
};
static const struct conf_option log_options[] = {
	{ .name = "level",
	  .type = CONF_CHOICE,
	  .fallback = "info",
	  .allowed = "error | warn | info | debug",
	  .sentence = ".The least that is written, a\\b." },
	{ .name = "file", .type = CONF_STRING, .sentence = "The file." },
	{ 0 },
};
static const struct conf_section_kind host_kind = {
	.name = "host", .titled = true, .options = host_options, .sentence = "A domain served here."
};
static const struct conf_section_kind limits_kind = { .name = "limits",
	                                              .options = limits_options,
	                                              .sentence = "What anyone may use up." };
static const struct conf_section_kind more_limits_kind = { .name = "limits", .options = more_limits_options };
static const struct conf_section_kind log_kind = { .name = "log",
	                                           .options = log_options,
	                                           .sentence = "The log." };
static const struct conf_section_kind *const kinds[] = { &host_kind, &limits_kind, &log_kind,
	                                                 &more_limits_kind, NULL };

static char folder[] = "/tmp/hansa-test-conf-XXXXXX";

static int folder_enter(void **state)
{
	(void)state;
	return mkdtemp(folder) && chdir(folder) == 0 && mkdir("conf.d", 0700) == 0 ? 0 : -1;
}

static int folder_remove(void **state)
{
	(void)state;
	unlink("conf.d/a.conf");
	unlink("conf.d/b.conf");
	unlink("conf.d/deep.cnf");
	unlink("x.conf");
	return rmdir("conf.d") == 0 && chdir("/") == 0 ? rmdir(folder) : -1;
}

static void file_write_len(const char *path, const char *text, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	fclose(file);
}

static void file_write(const char *path, const char *text)
{
	file_write_len(path, text, strlen(text));
}

static struct conf *load(const char *text)
{
	char *error = NULL;
	struct conf *conf;

	file_write("x.conf", text);
	conf = conf_load("x.conf", kinds, &error);
	if (!conf)
		fail_msg("%s", error);
	return conf;
}

static void assert_fault(const char *text, const char *expected)
{
	char *error = NULL;
	struct conf *conf;

	file_write("x.conf", text);
	conf = conf_load("x.conf", kinds, &error);
	assert_null(conf);
	assert_non_null(error);
	assert_string_equal(error, expected);
	free(error);
}

static void absent_is_the_fallback(void **state)
{
	struct conf *conf = load("");
	const struct conf_section *limits = conf_section(conf, "limits");

	(void)state;
	assert_int_equal(conf_number(limits, "stanza-size"), 262144);
	assert_int_equal(conf_number(limits, "depth"), 64);
	assert_int_equal(conf_number(limits, "login-time"), 30000);
	assert_int_equal(conf_number(limits, "idle"), 0);
	assert_false(conf_is_set(limits, "depth"));
	assert_false(conf_is_set(limits, "idle"));
	assert_int_equal(conf_list_count(limits, "trusted"), 2);
	assert_string_equal(conf_list_at(limits, "trusted", 1), "::1");
	assert_string_equal(conf_string(conf_section(conf, "log"), "level"), "info");
	assert_null(conf_string(conf_section(conf, "log"), "file"));
	assert_null(conf_section_at(conf, "host", 0));
	conf_free(&conf);
	assert_null(conf);
}

static void values_of_each_type(void **state)
{
	struct conf *conf =
		load("\xef\xbb\xbf# first\n"
	             "host \"north.example\" {  // one\n"
	             "\tadmins = { \"a@x\", b@x }\n"
	             "\tadmins += { c@x }\n"
	             "\topen = yes\r\n"
	             "\tcertificate = /etc/n.pem /* two\n lines */\n"
	             "}\n"
	             "host south.example { certificate = 'a \"b\" # ${c}' }\n"
	             "limits { stanza-size = 10kB\ndepth=\"3\" login-time = 2m idle = 500ms trusted = { } }\n"
	             "#\n##\n# }\n"
	             "log { level = debug file = \"http://x//y \\\"q\\\"\" }");
	const struct conf_section *north = conf_section_at(conf, "host", 0),
				  *south = conf_section_at(conf, "host", 1);
	const struct conf_section *limits = conf_section(conf, "limits");

	(void)state;
	assert_string_equal(conf_title(north), "north.example");
	assert_int_equal(conf_list_count(north, "admins"), 3);
	assert_string_equal(conf_list_at(north, "admins", 2), "c@x");
	assert_true(conf_bool(north, "open"));
	assert_string_equal(conf_string(north, "certificate"), "/etc/n.pem");
	assert_string_equal(conf_title(south), "south.example");
	assert_string_equal(conf_string(south, "certificate"), "a \"b\" # ${c}");
	assert_false(conf_bool(south, "open"));
	assert_int_equal(conf_list_count(south, "admins"), 0);
	assert_null(conf_section_at(conf, "host", 2));
	assert_int_equal(conf_number(limits, "stanza-size"), 10240);
	assert_int_equal(conf_number(limits, "depth"), 3);
	assert_int_equal(conf_number(limits, "login-time"), 120000);
	assert_int_equal(conf_number(limits, "idle"), 500);
	assert_true(conf_is_set(limits, "idle"));
	assert_true(conf_is_set(limits, "trusted"));
	assert_int_equal(conf_list_count(limits, "trusted"), 0);
	assert_string_equal(conf_string(conf_section(conf, "log"), "level"), "debug");
	assert_string_equal(conf_string(conf_section(conf, "log"), "file"), "http://x//y \"q\"");
	conf_free(&conf);
}

static void units(void **state)
{
	static const struct {
		const char *text;
		int64_t bytes;
	} sizes[] = {
		{ "4096", 4096 }, { "1kB", 1024 }, { "1KB", 1024 }, { "1MB", 1 << 20 }, { "10MB", 10 << 20 }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *text = str_printf("limits { stanza-size = %s idle = 2d }", sizes[i].text);
		struct conf *conf = load(text);

		assert_int_equal(conf_number(conf_section(conf, "limits"), "stanza-size"), sizes[i].bytes);
		assert_int_equal(conf_number(conf_section(conf, "limits"), "idle"), 172800000);
		conf_free(&conf);
		free(text);
	}
}

static void bad_values_say_what_is_allowed(void **state)
{
	(void)state;
	assert_fault(
		"limits {\n\tdepth = 1\n}\n",
		"x.conf:2: bad value \"1\" for depth in section limits; allowed: a number from 2 to 1000");
	assert_fault(
		"limits { depth = 64x }",
		"x.conf:1: bad value \"64x\" for depth in section limits; allowed: a number from 2 to 1000");
	assert_fault(
		"limits { depth = \"\" }",
		"x.conf:1: bad value \"\" for depth in section limits; allowed: a number from 2 to 1000");
	assert_fault("limits { depth = 99999999999999999999 }",
	             "x.conf:1: bad value \"99999999999999999999\" for depth "
	             "in section limits; allowed: a number from 2 to 1000");
	assert_fault("limits { stanza-size = 9007199254740992GB }",
	             "x.conf:1: bad value \"9007199254740992GB\" for "
	             "stanza-size in section limits; allowed: a size from 1kB to 10MB, such as 256kB");
	assert_fault("limits { login-time = 30 }",
	             "x.conf:1: bad value \"30\" for login-time in section limits; "
	             "allowed: a time from 1s to 1h, such as 30s");
	assert_fault("limits { idle = -1s }",
	             "x.conf:1: bad value \"-1s\" for idle in section limits; allowed: a time, such as 5m");
	assert_fault("log { level = inf }", "x.conf:1: bad value \"inf\" for level in section log; "
	                                    "allowed: error | warn | info | debug");
	assert_fault("log { level = \"error | warn\" }",
	             "x.conf:1: bad value \"error | warn\" for level in section log; "
	             "allowed: error | warn | info | debug");
	assert_fault("host n.example {\n\n open = \"ma\\nybe\" }",
	             "x.conf:3: bad value \"ma?ybe\" for open in section "
	             "host \"n.example\"; allowed: true or false");
}

static void unknown_names_say_what_is_allowed(void **state)
{
	(void)state;
	assert_fault("\nhosts \"n.example\" { }\n",
	             "x.conf:2: unknown section \"hosts\"; allowed: host, limits, log, include");
	assert_fault("host n.example {\n\tcertificat = x\n}\n",
	             "x.conf:2: unknown option \"certificat\" in section host "
	             "\"n.example\"; allowed: admins, open, certificate");
	assert_fault("limits {\n include(\"y\") }\n",
	             "x.conf:2: unknown option \"include\" in section limits; allowed: "
	             "stanza-size, depth, trusted, login-time, idle");
}

static void nothing_stands_twice(void **state)
{
	(void)state;
	assert_fault("host n.example { certificate = x }\n\nhost n.example { certificate = x }\n",
	             "x.conf:3: section host \"n.example\" stands already in x.conf:1; allowed is one");
	assert_fault("limits { }\nlimits { }\n",
	             "x.conf:2: section limits stands already in x.conf:1; allowed is one");
	assert_fault("limits { depth = 3\ndepth = 4 }\n",
	             "x.conf:2: option \"depth\" stands twice in section limits");
	assert_fault("limits { trusted = { ::1 }\ntrusted = { ::2 } }\n",
	             "x.conf:2: option \"trusted\" stands twice in section limits");
}

static void required_options_are_missed(void **state)
{
	(void)state;
	assert_fault("\nhost n.example {\n open = yes\n}\n",
	             "x.conf:2: section host \"n.example\" needs the option \"certificate\": a text");
}

static void syntax_faults_have_their_line(void **state)
{
	(void)state;
	assert_fault("host {\n}", "x.conf:1: section \"host\" needs a title before its {");
	assert_fault("limits x {\n}", "x.conf:1: section \"limits\" needs { right behind it");
	assert_fault("limits {\n depth 3 }", "x.conf:2: option \"depth\" needs \"=\" and a value");
	assert_fault("limits {\n depth += 3 }", "x.conf:2: option \"depth\" is no list; allowed: =");
	assert_fault("limits { depth = }",
	             "x.conf:1: unexpected \"}\"; allowed: option = value, section { ... }");
	assert_fault("limits {\n depth = 3\n",
	             "x.conf:1: a { that was opened before or here is never closed");
	assert_fault("limits { }\n}\n", "x.conf:2: this } closes nothing");
	assert_fault("log {\n\tfile = \"x\n}\n",
	             "x.conf:2: the string that begins here does not end on its line");
	assert_fault("log { }\n/* x\n\n", "x.conf:2: the comment that begins here does not end");
	assert_fault("log { file = *:5222 }",
	             "x.conf:1: a value with one of * + ; | $ in it must stand in quotes");
	assert_fault(
		"log { file = \"${HOME}\" }",
		"x.conf:1: ${ would mean a variable of the environment; write the text in single quotes");
	assert_fault("log { file = \"\1\" }", "x.conf:1: a control character stands here; allowed is text");
	assert_fault("log { file = \\400 }\n\2",
	             "x.conf:2: a control character stands here; allowed is text");
	assert_fault("limits", "x.conf:2: premature end of file");
	assert_fault("\"\" = x", "x.conf:1: cannot be understood; allowed: option = value, section { ... }");
	assert_fault("host n { certificate = x }\n\"host|open\" = yes",
	             "x.conf:2: cannot be understood; allowed: option = value, section { ... }");
}

static void odd_bytes_do_no_harm(void **state)
{
	static const char zero[] = "log { \0 }";
	char *error = NULL, *large = calloc(1, (1 << 20) + 2);

	(void)state;
	file_write_len("x.conf", zero, sizeof(zero) - 1);
	assert_null(conf_load("x.conf", kinds, &error));
	assert_string_equal(error, "x.conf:1: a control character stands here; allowed is text");
	free(error);
	memset(large, '\n', (1 << 20) + 1);
	assert_fault(large, "x.conf: the file is larger than 1 MB");
	memset(large, '{', 1000);
	large[1000] = '\0';
	assert_fault(large, "x.conf:1: a { that was opened before or here is never closed");
	free(large);
}

static void missing_files_are_told(void **state)
{
	char *error = NULL;

	(void)state;
	assert_null(conf_load("nowhere.conf", kinds, &error));
	assert_string_equal(error, "nowhere.conf: No such file or directory");
	free(error);
	assert_null(conf_load("conf.d", kinds, &error));
	assert_string_equal(error, "conf.d: this is not a file");
	free(error);
	assert_fault("log { }\ninclude(\"conf.d/none.conf\")\n",
	             "x.conf:2: conf.d/none.conf: No such file or directory");
	assert_fault("include(a, b)\n", "x.conf:1: include needs one file name");
	assert_fault("include()\n", "x.conf:1: include needs one file name");
	assert_fault("\ninclude(x.conf)\n", "x.conf:2: includes are nested too deeply");
}

static void includes_are_read_in_place(void **state)
{
	struct conf *conf;

	(void)state;
	file_write("conf.d/b.conf", "host b.example { certificate = b }\n");
	file_write("conf.d/a.conf", "host a.example { certificate = a }\ninclude(\"deep.cnf\")\n");
	file_write("conf.d/deep.cnf", "\nlimits { depth = 5 }");
	conf = load("host 1.example { certificate = 1 }\ninclude(\"conf.d/*.conf\")\n"
	            "host 2.example { certificate = 2 }\ninclude(\"conf.d/*.none\")");
	assert_string_equal(conf_title(conf_section_at(conf, "host", 1)), "a.example");
	assert_string_equal(conf_title(conf_section_at(conf, "host", 2)), "b.example");
	assert_string_equal(conf_title(conf_section_at(conf, "host", 3)), "2.example");
	assert_int_equal(conf_number(conf_section(conf, "limits"), "depth"), 5);
	assert_true(conf_includes(conf, "conf.d/c.conf"));
	assert_true(conf_includes(conf, "conf.d/deep.cnf"));
	assert_false(conf_includes(conf, "conf.d/other.cnf"));
	assert_false(conf_includes(conf, "conf.d/e/f.conf"));
	assert_false(conf_includes(conf, "x.conf"));
	conf_free(&conf);
	assert_fault("limits { }\ninclude(conf.d/a.conf)",
	             "conf.d/deep.cnf:2: section limits stands already in x.conf:1; allowed is one");
	assert_fault("include(conf.d/b.conf)\n\nhosts {}",
	             "x.conf:3: unknown section \"hosts\"; allowed: host, limits, log, include");
	file_write("conf.d/b.conf", "\nhost b.example {");
	assert_fault("include(conf.d/b.conf)\n",
	             "conf.d/b.conf:2: a { that was opened before or here is never closed");
}

static void faults_of_layers_above_have_a_place(void **state)
{
	struct conf *conf = load("\nhost n.example { certificate = x }\n");
	char *fault = conf_fault(conf_section_at(conf, "host", 0), "no key in %s", "x");

	(void)state;
	assert_string_equal(fault, "x.conf:2: no key in x");
	free(fault);
	fault = conf_fault(conf_section(conf, "log"), "no disk");
	assert_string_equal(fault, "x.conf: section log: no disk");
	free(fault);
	conf_free(&conf);
}

static void example_can_be_read(void **state)
{
	struct buf text = { 0 };
	struct conf *conf;

	(void)state;
	conf_write_example(kinds, &text);
	buf_add_char(&text, '\0');
	assert_non_null(strstr(
		text.data,
		"# What anyone may use up.\nlimits {\n\t# The largest stanza.\n\t#stanza-size = 256kB\n"));
	assert_non_null(strstr(text.data, "\t#trusted = { \"127.0.0.0/8\", \"::1\" }\n"));
	assert_non_null(
		strstr(text.data,
	               "#host \"name\" {\n\t# Who may administer.\n\t#admins = { \"a@x\", \"b@x\" }\n"));
	conf = load(text.data);
	conf_free(&conf);
	/* With the comment signs of the options taken away it is a configuration as well. */
	for (char *c = text.data; *c; c++) {
		if (*c == '#' && c[1] != ' ')
			*c = ' ';
	}
	conf = load(text.data);
	assert_string_equal(conf_string(conf_section_at(conf, "host", 0), "certificate"), "/a b.pem");
	conf_free(&conf);
	buf_clear(&text);
}

static void manual_is_mdoc(void **state)
{
	struct buf text = { 0 };

	(void)state;
	conf_write_manual(kinds, &text);
	buf_add_char(&text, '\0');
	assert_non_null(
		strstr(text.data,
	               ".Ss log\nThe log.\n.Bl -tag -width Ds\n.It Ic level No = error | warn | info | "
	               "debug\n\\&.The least that is written, a\\eb.\nDefault: info.\n"));
	assert_non_null(strstr(text.data, ".Ss host \\(dqname\\(dq\n"));
	buf_clear(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absent_is_the_fallback),
		cmocka_unit_test(values_of_each_type),
		cmocka_unit_test(units),
		cmocka_unit_test(bad_values_say_what_is_allowed),
		cmocka_unit_test(unknown_names_say_what_is_allowed),
		cmocka_unit_test(nothing_stands_twice),
		cmocka_unit_test(required_options_are_missed),
		cmocka_unit_test(syntax_faults_have_their_line),
		cmocka_unit_test(odd_bytes_do_no_harm),
		cmocka_unit_test(missing_files_are_told),
		cmocka_unit_test(includes_are_read_in_place),
		cmocka_unit_test(faults_of_layers_above_have_a_place),
		cmocka_unit_test(example_can_be_read),
		cmocka_unit_test(manual_is_mdoc),
	};

	return cmocka_run_group_tests(tests, folder_enter, folder_remove);
}
