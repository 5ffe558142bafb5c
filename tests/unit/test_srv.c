/* SPDX-License-Identifier: MIT
 *
 * The order of SRV records (RFC 2782): lower priorities first, weights as probabilities, weight 0 seldom
 * but not never.
 */
#include "../../src/net/srv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { DRAWS = 20000 };

static void lower_priorities_come_first(void **state)
{
	struct srv_record records[] = {
		{ "c", 20, 100, 1, false },
		{ "a", 5, 0, 1, false },
		{ "d", 30, 1, 1, false },
		{ "b", 10, 7, 1, false },
	};

	(void)state;
	srv_order(records, 4, &entropy_system);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(records[i].host[0], 'a' + (int)i);
}

/* How often each host, a letter, came first. */
static void draw(const struct srv_record *from, size_t count, unsigned first[26])
{
	struct srv_record records[8];

	memset(first, 0, 26 * sizeof(*first));
	for (unsigned n = 0; n < DRAWS; n++) {
		memcpy(records, from, count * sizeof(*from));
		srv_order(records, count, &entropy_system);
		first[records[0].host[0] - 'a']++;
	}
}

static void weights_are_probabilities(void **state)
{
	const struct srv_record records[] = { { "a", 1, 10, 1, false }, { "b", 1, 30, 1, false }, { "c", 1, 60, 1, false } };
	unsigned first[26];

	(void)state;
	draw(records, 3, first);
	assert_in_range(first[0], DRAWS * 8 / 100, DRAWS * 13 / 100);
	assert_in_range(first[1], DRAWS * 27 / 100, DRAWS * 33 / 100);
	assert_in_range(first[2], DRAWS * 56 / 100, DRAWS * 64 / 100);
}

static void weight_zero_is_seldom_but_not_never(void **state)
{
	const struct srv_record records[] = { { "a", 1, 0, 1, false }, { "b", 1, 99, 1, false } };
	unsigned first[26];

	(void)state;
	draw(records, 2, first);
	assert_in_range(first[0], 1, DRAWS * 3 / 100);
}

static void all_of_weight_zero_all_appear(void **state)
{
	struct srv_record records[] = { { "a", 1, 0, 1, false }, { "b", 1, 0, 1, false }, { "c", 1, 0, 1, false } };
	int seen = 0;

	(void)state;
	srv_order(records, 3, &entropy_system);
	for (size_t i = 0; i < 3; i++)
		seen |= 1 << (records[i].host[0] - 'a');
	assert_int_equal(seen, 7);
	srv_order(records, 0, &entropy_system);
	srv_order(records, 1, &entropy_system);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lower_priorities_come_first),
		cmocka_unit_test(weights_are_probabilities),
		cmocka_unit_test(weight_zero_is_seldom_but_not_never),
		cmocka_unit_test(all_of_weight_zero_all_appear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
