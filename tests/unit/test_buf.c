/* SPDX-License-Identifier: MIT
 *
 * The byte buffer: adding, growing, consuming, and the strings of base/mem.h.
 */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"

static void empty_holds_nothing(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	buf_add(&buf, NULL, 0);
	buf_consume(&buf, 0);
	assert_null(buf.data);
	buf_clear(&buf);
}

static void adding_grows(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	buf_add_str(&buf, "one ");
	buf_add_lit(&buf, "two ");
	buf_add_char(&buf, '3');
	assert_memory_equal(buf.data, "one two 3", 9);
	for (int i = 0; i < 10000; i++)
		buf_add_char(&buf, (char)('a' + i % 26));
	assert_int_equal(buf.len, 10009);
	assert_int_equal(buf.data[10008], 'a' + 9999 % 26);
	assert_true(buf.cap < 20480);
	buf_clear(&buf);
	assert_int_equal(buf.len + buf.cap, 0);
}

static void reserve_makes_room(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	buf_add_lit(&buf, "x");
	buf_reserve(&buf, 1000);
	assert_true(buf.cap - buf.len >= 1000);
	assert_int_equal(buf.len, 1);
	buf_clear(&buf);
}

static void consuming_takes_from_the_front(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	buf_add_lit(&buf, "abcdef");
	buf_consume(&buf, 2);
	assert_int_equal(buf.len, 4);
	assert_memory_equal(buf.data, "cdef", 4);
	buf_consume(&buf, 4);
	assert_int_equal(buf.len, 0);
	buf_clear(&buf);
}

static void printing_appends(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	buf_printf(&buf, "%d-", 1);
	buf_printf(&buf, "%200s", "x");
	assert_int_equal(buf.len, 202);
	assert_memory_equal(buf.data, "1- ", 3);
	assert_int_equal(buf.data[201], 'x');
	buf_clear(&buf);
}

static void strings_are_copied(void **state)
{
	char *s = str_dup("romeo");
	char *t = str_dup_len("romeo", 2);
	char *u = str_printf("%s/%d", s, 5);

	(void)state;
	assert_null(str_dup(NULL));
	assert_string_equal(t, "ro");
	assert_string_equal(u, "romeo/5");
	str_wipe(&s);
	assert_null(s);
	str_wipe(&s);
	free(t);
	free(u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_holds_nothing), cmocka_unit_test(adding_grows),
		cmocka_unit_test(reserve_makes_room),  cmocka_unit_test(consuming_takes_from_the_front),
		cmocka_unit_test(printing_appends),    cmocka_unit_test(strings_are_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
