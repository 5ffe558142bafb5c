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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_base64url_of_the_bits),
		cmocka_unit_test(ids_differ),
		cmocka_unit_test(clocks_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
