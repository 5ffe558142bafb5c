/* SPDX-License-Identifier: MIT
 *
 * Log lines as they lie in the file: form, levels, escaping, bounds, and a file that is rotated.
 */
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/hansa-test-log-XXXXXX";
static char path[64];

static int folder_make(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/log", folder);
	return 0;
}

static int folder_remove(void **state)
{
	(void)state;
	return rmdir(folder);
}

static struct log *log_new(enum log_level level)
{
	const char *error = NULL;
	struct log *log = log_open(LOG_TARGET_FILE, path, level, &error);

	assert_non_null(log);
	return log;
}

/* The file's whole text; the file is removed. */
static char *log_take(void)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, 1 << 20);

	assert_non_null(file);
	assert_true(fread(text, 1, (1 << 20) - 1, file) < (1 << 20) - 1);
	fclose(file);
	unlink(path);
	return text;
}

/* The newest line of the file from behind the time stamp on must be this. */
static void assert_logged(const char *expected)
{
	char *text = log_take();
	regex_t stamp;

	assert_int_equal(
		regcomp(&stamp,
	                "^[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\\.[0-9]{3}Z ",
	                REG_EXTENDED | REG_NOSUB),
		0);
	assert_int_equal(regexec(&stamp, text, 0, NULL, 0), 0);
	assert_string_equal(strchr(text, ' ') + 1, expected);
	regfree(&stamp);
	free(text);
}

static void line_has_its_form(void **state)
{
	struct log *log = log_new(LOG_LEVEL_INFO);

	(void)state;
	log_info(log, "c1", "session bound", LOG_STR("jid", "romeo@north.example/balcony"),
	         LOG_INT("worker", -1), LOG_STR("none", NULL), LOG_STRN("part", "abcdef", 3));
	log_close(&log);
	assert_null(log);
	assert_logged("info c1 session bound jid=romeo@north.example/balcony worker=-1 part=abc\n");
}

static void levels_filter(void **state)
{
	struct log *log = log_new(LOG_LEVEL_WARN);

	(void)state;
	log_info(log, NULL, "no");
	log_debug(log, NULL, "no");
	log_warn(log, NULL, "yes");
	log_reopen(log, LOG_LEVEL_ERROR);
	log_warn(log, NULL, "no");
	log_close(&log);
	assert_logged("warn - yes\n");
	log_warn(NULL, NULL, "nowhere");
	assert_int_equal(log_level_find("debug"), LOG_LEVEL_DEBUG);
	assert_int_equal(log_level_find("error"), LOG_LEVEL_ERROR);
	assert_int_equal(log_level_find("loud"), -1);
}

static void values_cannot_forge_a_line(void **state)
{
	static const char *const vectors[][2] = {
		{ "", "\"\"" },
		{ "two words", "\"two words\"" },
		{ "a=b", "\"a=b\"" },
		{ "say \"x\"\\", "\"say \\\"x\\\"\\\\\"" },
		{ "x\ny", "\"x\\x0ay\"" },
		{ "x\x1b[2J", "\"x\\x1b[2J\"" },
		{ "\x7f", "\"\\x7f\"" },
		{ "\xc2\x9b", "\"\\xc2\\x9b\"" }, /* C1: CSI */
		{ "\x9b", "\"\\x9b\"" },
		{ "\xe2\x80\xae", "\"\\xe2\\x80\\xae\"" }, /* right-to-left override */
		{ "\xe2\x80\xa8", "\"\\xe2\\x80\\xa8\"" }, /* line separator */
		{ "\xc0\x8a", "\"\\xc0\\x8a\"" },          /* overlong */
		{ "\xe0\x80\x8a", "\"\\xe0\\x80\\x8a\"" },
		{ "\xed\xa0\x80", "\"\\xed\\xa0\\x80\"" }, /* surrogate */
		{ "\xf4\x90\x80\x80", "\"\\xf4\\x90\\x80\\x80\"" },
		{ "\xc3", "\"\\xc3\"" },
		{ "\xe2\x82", "\"\\xe2\\x82\"" },
		{ "j\xc3\xbcrgen", "j\xc3\xbcrgen" },
		{ "\xe2\x82\xac", "\xe2\x82\xac" },
		{ "\xf0\x9f\x90\x8c", "\xf0\x9f\x90\x8c" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct log *log = log_new(LOG_LEVEL_INFO);
		char expected[128];

		log_info(log, NULL, "event", LOG_STR("v", vectors[i][0]));
		log_close(&log);
		snprintf(expected, sizeof(expected), "info - event v=%s\n", vectors[i][1]);
		assert_logged(expected);
	}
}

static void long_lines_are_cut(void **state)
{
	struct log *log = log_new(LOG_LEVEL_INFO);
	char value[10000], *text;

	(void)state;
	memset(value, '\1', sizeof(value));
	log_info(log, NULL, "event", LOG_STRN("v", value, sizeof(value)), LOG_INT("n", 1));
	log_close(&log);
	text = log_take();
	assert_true(strlen(text) <= 4096);
	assert_string_equal(strchr(text, '\n') - 4, " cut\n");
	free(text);
}

static void reopening_follows_rotation(void **state)
{
	struct log *log = log_new(LOG_LEVEL_INFO);
	char old[80], *text;

	(void)state;
	snprintf(old, sizeof(old), "%s.1", path);
	log_info(log, NULL, "first");
	assert_int_equal(rename(path, old), 0);
	log_info(log, NULL, "second");
	log_reopen(log, LOG_LEVEL_INFO);
	log_info(log, NULL, "third");
	assert_logged("info - third\n");
	assert_int_equal(rename(old, path), 0);
	text = log_take();
	assert_non_null(strstr(text, "second"));
	free(text);
	log_close(&log);
}

static void faults_are_told(void **state)
{
	const char *error = NULL;

	(void)state;
	assert_null(log_open(LOG_TARGET_FILE, "/nowhere/log", LOG_LEVEL_INFO, &error));
	assert_string_equal(error, "No such file or directory");
}

static void *many_write(void *log)
{
	for (int i = 0; i < 500; i++)
		log_info(log, NULL, "event", LOG_STR("v", "0123456789012345678901234567890123456789"));
	return NULL;
}

static void lines_of_threads_do_not_mix(void **state)
{
	struct log *log = log_new(LOG_LEVEL_INFO);
	pthread_t threads[4];
	char *text, *line;
	int lines = 0;

	(void)state;
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, many_write, log);
	for (int i = 0; i < 20; i++)
		log_reopen(log, LOG_LEVEL_INFO);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	log_close(&log);
	text = log_take();
	for (line = text; *line; lines++) {
		char *end = strchr(line, '\n');

		assert_non_null(end);
		*end = '\0';
		assert_string_equal(strchr(line, ' '),
		                    " info - event v=0123456789012345678901234567890123456789");
		line = end + 1;
	}
	assert_int_equal(lines, 2000);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_has_its_form),           cmocka_unit_test(levels_filter),
		cmocka_unit_test(values_cannot_forge_a_line),  cmocka_unit_test(long_lines_are_cut),
		cmocka_unit_test(reopening_follows_rotation),  cmocka_unit_test(faults_are_told),
		cmocka_unit_test(lines_of_threads_do_not_mix),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
