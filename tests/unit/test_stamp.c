/* SPDX-License-Identifier: MIT
 *
 * Dates of XEP-0082 §3.2 written and read, and the delay element of XEP-0203.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "xmpp/stamp.h"

static const struct {
	const char *text;
	int64_t us;
	const char *written;            /* NULL: the same */
} dates[] = {
	{ "1970-01-01T00:00:00.000Z", 0, NULL },
	{ "1969-07-21T02:56:15Z", INT64_C(-14159025000000), "1969-07-21T02:56:15.000Z" },
	{ "1969-07-20T21:56:15-05:00", INT64_C(-14159025000000), "1969-07-21T02:56:15.000Z" },
	{ "1969-12-31T23:59:59.999Z", -1000, NULL },
	{ "2026-11-22T21:06:42.123Z", INT64_C(1795381602123000), NULL },
	{ "2026-11-22T21:06:42.123456789Z", INT64_C(1795381602123456), "2026-11-22T21:06:42.123Z" },
	{ "2026-11-22T21:06:42.1Z", INT64_C(1795381602100000), "2026-11-22T21:06:42.100Z" },
	{ "2024-02-29T12:00:00+14:00", INT64_C(1709157600000000), "2024-02-28T22:00:00.000Z" },
	{ "9999-12-31T23:59:59.999Z", INT64_C(253402300799999000), NULL },
};

static const char *const faults[] = {
	"",
	"2026-11-22",
	"2026-11-22T21:06:42",
	"2026-11-22 21:06:42Z",
	"2026-11-22T21:06Z",
	"2026-11-22T21:06:42z",
	"2026-11-22T21:06:42.Z",
	"2026-11-22T21:06:42Z ",
	"2026-11-22T21:06:42+0100",
	"2026-11-22T21:06:42+15:00",
	"2026-11-22T21:06:42+01:60",
	"2026-11-22T21:06:42+01:00Z",
	"2026-13-01T00:00:00Z",
	"2026-00-01T00:00:00Z",
	"2026-02-30T00:00:00Z",
	"2025-02-29T00:00:00Z",
	"2026-11-22T24:00:00Z",
	"2026-11-22T21:60:00Z",
	"2026-11-22T21:06:60Z",
	"02026-11-22T21:06:42Z",
	"-026-11-22T21:06:42Z",
	"20261122T21:06:42",
};

static void dates_are_read_and_written(void **state)
{
	char text[STAMP_LEN + 1];
	int64_t us;

	(void)state;
	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		assert_true(stamp_read(dates[i].text, &us));
		assert_true(us == dates[i].us);
		stamp_write(us, text);
		assert_string_equal(text, dates[i].written ? dates[i].written : dates[i].text);
	}
}

static void what_is_no_date_is_refused(void **state)
{
	int64_t us;

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		assert_false(stamp_read(faults[i], &us));
}

static void a_clock_gone_wrong_still_gives_a_date(void **state)
{
	char text[STAMP_LEN + 1];

	(void)state;
	stamp_write(INT64_MAX, text);
	assert_int_equal(strlen(text), STAMP_LEN);
	stamp_write(INT64_MIN + 1000000, text);
	assert_int_equal(strlen(text), STAMP_LEN);
}

static void a_delay_names_who_stamps_it(void **state)
{
	struct buf out = { 0 };

	(void)state;
	stamp_delay(&out, "o'neil@capulet.com", INT64_C(1031699305000000));
	buf_add_char(&out, '\0');
	assert_string_equal(out.data, "<delay xmlns='urn:xmpp:delay' from='o&apos;neil@capulet.com' "
	                              "stamp='2002-09-10T23:08:25.000Z'/>");
	buf_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_are_read_and_written),
		cmocka_unit_test(what_is_no_date_is_refused),
		cmocka_unit_test(a_clock_gone_wrong_still_gives_a_date),
		cmocka_unit_test(a_delay_names_who_stamps_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
