/* SPDX-License-Identifier: MIT
 *
 * Lines: order, jobs that end at once, keys beside each other, their length.
 */
#include "base/line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"

struct job {
	struct line_place place;
	char name;
	bool ends_at_once;
};

static char said[64];

static void say(char what)
{
	size_t len = strlen(said);

	said[len] = what;
	said[len + 1] = '\0';
}

static void job_start(struct line_place *place)
{
	struct job *job = (struct job *)place;

	say(job->name);
	if (job->ends_at_once)
		line_leave(place);
}

static int lines_setup(void **state)
{
	static const struct hash_seed seed = { 1, 2 };

	*said = '\0';
	*state = lines_new(&seed);
	return 0;
}

static int lines_teardown(void **state)
{
	struct lines *lines = *state;

	lines_free(&lines);
	lines_free(&lines);
	return 0;
}

static void one_after_the_other(void **state)
{
	struct job a = { .name = 'a' }, b = { .name = 'b' }, c = { .name = 'c' };

	line_join(*state, "key", 3, &a.place, job_start);
	line_join(*state, "key", 3, &b.place, job_start);
	line_join(*state, "other", 5, &c.place, job_start);
	assert_string_equal(said, "ac");
	assert_int_equal(line_length(*state, "key", 3), 2);
	assert_int_equal(line_length(*state, "nobody", 6), 0);
	line_leave(&a.place);
	line_leave(&a.place);
	assert_string_equal(said, "acb");
	line_leave(&b.place);
	line_leave(&c.place);
	line_join(*state, "key", 3, &a.place, job_start);
	line_leave(&a.place);
	assert_string_equal(said, "acba");
}

static void who_ends_at_once_holds_nobody_up(void **state)
{
	struct job a = { .name = 'a' }, b = { .name = 'b', .ends_at_once = true }, c = { .name = 'c' };

	line_join(*state, "key", 3, &b.place, job_start);
	line_join(*state, "key", 3, &a.place, job_start);
	line_join(*state, "key", 3, &b.place, job_start);
	line_join(*state, "key", 3, &c.place, job_start);
	assert_string_equal(said, "ba");
	line_leave(&a.place);
	assert_string_equal(said, "babc");
	line_leave(&c.place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_after_the_other, lines_setup, lines_teardown),
		cmocka_unit_test_setup_teardown(who_ends_at_once_holds_nobody_up, lines_setup, lines_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
