/* SPDX-License-Identifier: MIT
 *
 * Token buckets: the burst, the pace after it, waiting times that are exact, debt.
 */
#include "net/rate.h"
#include "net/rates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void gives_the_burst_then_the_pace(void **state)
{
	struct rate rate = { 0 };
	unsigned taken = 0;

	(void)state;
	while (rate_take(&rate, 1000, 1, 10, 5))
		taken++;
	assert_int_equal(taken, 5);
	for (uint64_t now = 1000; now < 11000; now++)
		taken += rate_take(&rate, now, 1, 10, 5);
	assert_int_equal(taken, 5 + 99);
}

static void says_exactly_how_long_to_wait(void **state)
{
	struct rate rate = { 0 };
	uint64_t wait;

	(void)state;
	assert_int_equal(rate_wait_ms(&rate, 50, 3, 3, 3), 0);
	assert_true(rate_take(&rate, 50, 3, 3, 3));
	wait = rate_wait_ms(&rate, 50, 1, 3, 3);
	assert_int_equal(wait, 334);
	assert_false(rate_take(&rate, 50 + wait - 1, 1, 3, 3));
	assert_true(rate_take(&rate, 50 + wait, 1, 3, 3));
}

static void takes_more_than_the_burst_only_when_full(void **state)
{
	struct rate rate = { 0 };

	(void)state;
	assert_true(rate_take(&rate, 0, 100, 10, 5));
	assert_false(rate_take(&rate, 9999, 100, 10, 5));
	assert_true(rate_take(&rate, 10000, 100, 10, 5));
}

static void a_charge_may_owe(void **state)
{
	struct rate rate = { 0 };

	(void)state;
	rate_charge(&rate, 0, 1000, 100);
	assert_int_equal(rate_wait_ms(&rate, 0, 1, 100, 50), 9510);
	assert_true(rate_take(&rate, 20000, 50, 100, 50));
}

static void nothing_is_bounded_without_a_pace(void **state)
{
	struct rate rate = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_true(rate_take(&rate, 0, UINT32_MAX, 0, 0));
	rate_charge(&rate, 0, UINT32_MAX, 0);
	assert_int_equal(rate_wait_ms(&rate, 0, UINT32_MAX, 0, 0), 0);
}

/* The bucket that was longest not asked for is full again. */
static void test_rates_are_bounded(void **state)
{
	static const struct hash_seed seed = { 1, 2 };
	struct rates *rates = rates_new(&seed, 2);

	(void)state;
	assert_null(rates_find(rates, "a", 1));
	assert_true(rate_take(rates_get(rates, "a", 1), 1000, 1, 1, 1));
	assert_true(rate_take(rates_get(rates, "b", 1), 1000, 1, 1, 1));
	assert_false(rate_take(rates_get(rates, "a", 1), 1000, 1, 1, 1));
	assert_true(rate_take(rates_get(rates, "c", 1), 1000, 1, 1, 1));
	assert_non_null(rates_find(rates, "a", 1));
	assert_null(rates_find(rates, "b", 1));
	assert_true(rate_take(rates_get(rates, "b", 1), 1000, 1, 1, 1));
	rates_free(&rates);
	assert_null(rates);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_the_burst_then_the_pace),
		cmocka_unit_test(says_exactly_how_long_to_wait),
		cmocka_unit_test(takes_more_than_the_burst_only_when_full),
		cmocka_unit_test(a_charge_may_owe),
		cmocka_unit_test(nothing_is_bounded_without_a_pace),
		cmocka_unit_test(test_rates_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
