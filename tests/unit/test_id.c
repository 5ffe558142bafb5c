/* SPDX-License-Identifier: MIT
 *
 * Ids: their alphabet, their bits, their difference; and the clocks.
 */
#include "base/id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"

static void ones_fill(struct entropy *entropy, void *bytes, size_t len)
{
	(void)entropy;
	memset(bytes, 0xff, len);
}

static void counting_fill(struct entropy *entropy, void *bytes, size_t len)
{
	(void)entropy;
	for (size_t i = 0; i < len; i++)
		((uint8_t *)bytes)[i] = (uint8_t)i;
}

static void ids_are_base64url_of_the_bits(void **state)
{
	struct entropy ones = { ones_fill }, counting = { counting_fill };
	char id[ID_LEN + 1];

	(void)state;
	id_random(&ones, id);
	assert_string_equal(id, "_____________________w");
	id_random(&counting, id);
	assert_string_equal(id, "AAECAwQFBgcICQoLDA0ODw");
}

static void ids_differ(void **state)
{
	char a[ID_LEN + 1], b[ID_LEN + 1];

	(void)state;
	id_random(&entropy_system, a);
	id_random(&entropy_system, b);
	assert_int_equal(strlen(a), ID_LEN);
	assert_string_not_equal(a, b);
}

static void clocks_run(void **state)
{
	uint64_t before = clock_monotonic_ms(&clock_system);

	(void)state;
	assert_true(clock_monotonic_ms(&clock_system) >= before);
	assert_in_range(clock_wall_us(&clock_system) / 1000000, time(NULL) - 2, time(NULL) + 2);
}

static void uuids(void **state)
{
	static const char *const bad[] = {
		"", "d4565fa7", "d4565fa7-4d72-4749-b3d3-740edbf8777", "d4565fa7-4d72-4749-b3d3-740edbf877700",
		"d4565fa74-d72-4749-b3d3-740edbf87770", "g4565fa7-4d72-4749-b3d3-740edbf87770",
		"{4565fa7-4d72-4749-b3d3-740edbf8777}", "d4565fa7-4d72-4749-b3d3-740edbf8777\xc3\xa9",
	};
	char id[UUID_LEN + 1];

	(void)state;
	assert_true(uuid_read("D4565fa7-4D72-4749-B3d3-740EDBf87770", id));
	assert_string_equal(id, "d4565fa7-4d72-4749-b3d3-740edbf87770");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(uuid_read(bad[i], id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_base64url_of_the_bits),
		cmocka_unit_test(ids_differ),
		cmocka_unit_test(clocks_run),
		cmocka_unit_test(uuids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
