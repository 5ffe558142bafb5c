/* SPDX-License-Identifier: MIT
 *
 * The hash table against a plain array as its model, walks that remove, memory given back; and SipHash-1-3
 * against vectors of another implementation (key 00 01 .. 0f, message 00 01 .. len-1).
 */
#include "base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { KEYS = 2000 };

static const struct hash_seed seed = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };

struct value {
	char key[16];
	bool present;
	bool seen;
};

static struct value *values_make(void)
{
	struct value *values = calloc(KEYS, sizeof(*values));

	for (int i = 0; i < KEYS; i++)
		snprintf(values[i].key, sizeof(values[i].key), "key-%d", i);
	return values;
}

static void siphash_reference_vectors(void **state)
{
	static const struct {
		size_t len;
		uint64_t hash;
	} vectors[] = {
		{ 0, 0xabac0158050fc4dc },  { 1, 0xc9f49bf37d57ca93 },  { 7, 0xd3927d989bb11140 },
		{ 8, 0x369095118d299a8e },  { 15, 0xd320d86d2a519956 }, { 16, 0xcc4fdd1a7d908b66 },
		{ 63, 0x9d199062b7bbb3a8 },
	};
	uint8_t message[64];

	(void)state;
	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		assert_int_equal(hash_bytes(&seed, message, vectors[i].len), vectors[i].hash);
}

static void absent_is_null(void **state)
{
	struct map *map = map_new(&seed);
	struct map_walk walk = { 0 };

	(void)state;
	assert_null(map_find(map, "x", 1));
	assert_null(map_remove(map, "x", 1));
	assert_null(map_next(map, &walk));
	map_free(&map);
	assert_null(map);
	map_free(&map);
}

static void put_answers_what_it_replaces(void **state)
{
	struct map *map = map_new(&seed);
	int a, b;

	(void)state;
	assert_null(map_put(map, "", 0, &a));
	assert_null(map_put(map, "x", 1, &a));
	assert_ptr_equal(map_put(map, "x", 1, &b), &a);
	assert_ptr_equal(map_find(map, "x", 1), &b);
	assert_ptr_equal(map_find(map, "", 0), &a);
	assert_int_equal(map_count(map), 2);
	assert_ptr_equal(map_remove(map, "x", 1), &b);
	assert_int_equal(map_count(map), 1);
	map_free(&map);
}

static void agrees_with_a_plain_array(void **state)
{
	struct map *map = map_new(&seed);
	struct value *values = values_make();
	size_t count = 0;
	uint32_t random = 1;

	(void)state;
	for (int step = 0; step < 200000; step++) {
		struct value *value;
		bool fills = step / 20000 % 2 == 0;

		random = random * 1664525 + 1013904223;
		value = &values[(random >> 8) % KEYS];
		if ((random >> 28) < (fills ? 12u : 4u)) {
			assert_ptr_equal(map_put(map, value->key, strlen(value->key), value),
			                 value->present ? value : NULL);
			count += !value->present;
			value->present = true;
		} else {
			assert_ptr_equal(map_remove(map, value->key, strlen(value->key)),
			                 value->present ? value : NULL);
			count -= value->present;
			value->present = false;
		}
		assert_int_equal(map_count(map), count);
	}
	for (int i = 0; i < KEYS; i++)
		assert_ptr_equal(map_find(map, values[i].key, strlen(values[i].key)),
		                 values[i].present ? &values[i] : NULL);
	map_free(&map);
	free(values);
}

/* Walks the map and removes every value whose number is a multiple of `every`; each must be seen once. */
static void walk_removing(int keys, int every)
{
	struct map *map = map_new(&seed);
	struct value *values = values_make(), *value;
	struct map_walk walk = { 0 };
	int seen = 0;

	for (int i = 0; i < keys; i++)
		map_put(map, values[i].key, strlen(values[i].key), &values[i]);
	while ((value = map_next(map, &walk))) {
		assert_false(value->seen);
		value->seen = true;
		seen++;
		if ((value - values) % every == 0)
			assert_ptr_equal(map_remove(map, value->key, strlen(value->key)), value);
	}
	assert_int_equal(seen, keys);
	assert_int_equal(map_count(map), keys - (keys + every - 1) / every);
	map_free(&map);
	free(values);
}

static void walks_may_remove_what_they_see(void **state)
{
	(void)state;
	for (int keys = 0; keys < 100; keys++) {
		walk_removing(keys, 1);
		walk_removing(keys, 2);
		walk_removing(keys, 5);
	}
	walk_removing(KEYS, 1);
	walk_removing(KEYS, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siphash_reference_vectors),      cmocka_unit_test(absent_is_null),
		cmocka_unit_test(put_answers_what_it_replaces),   cmocka_unit_test(agrees_with_a_plain_array),
		cmocka_unit_test(walks_may_remove_what_they_see),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
