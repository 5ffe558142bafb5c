/* SPDX-License-Identifier: MIT
 *
 * Arenas: alignment, growth over chunks, reset, and an object that contains its own arena.
 */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct noun {
	int number;
	struct arena arena;
	char tail[100];
};

static void pieces_do_not_overlap(void **state)
{
	struct arena arena;
	char *pieces[200];

	(void)state;
	arena_init(&arena, 64);
	for (size_t i = 0; i < 200; i++) {
		pieces[i] = arena_alloc(&arena, i);
		assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
		memset(pieces[i], (int)i, i);
	}
	for (size_t i = 0; i < 200; i++) {
		for (size_t j = 0; j < i; j++)
			assert_int_equal((unsigned char)pieces[i][j], i);
	}
	arena_clear(&arena);
	assert_int_equal(arena_footprint(&arena), 0);
}

static void zero_is_an_empty_arena(void **state)
{
	struct arena arena = { 0 };

	(void)state;
	assert_int_equal(arena_footprint(&arena), 0);
	assert_non_null(arena_alloc(&arena, 0));
	assert_true(arena_footprint(&arena) >= 1024);
	arena_clear(&arena);
	arena_clear(&arena);
}

static void texts_are_copied(void **state)
{
	struct arena arena;
	char *a, *b, *c;

	(void)state;
	arena_init(&arena, 0);
	a = arena_str(&arena, "romeo");
	b = arena_str_len(&arena, "juliet@capulet", 6);
	c = arena_printf(&arena, "%s and %s", a, b);
	assert_string_equal(a, "romeo");
	assert_string_equal(b, "juliet");
	assert_string_equal(c, "romeo and juliet");
	assert_string_equal(arena_str_len(&arena, NULL, 0), "");
	assert_memory_equal(arena_dup(&arena, "\0\1\2", 3), "\0\1\2", 3);
	assert_memory_equal(arena_zalloc(&arena, 4), "\0\0\0\0", 4);
	arena_clear(&arena);
}

static void large_pieces_have_room(void **state)
{
	struct arena arena;
	char *large;

	(void)state;
	arena_init(&arena, 128);
	arena_alloc(&arena, 10);
	large = arena_alloc(&arena, 300000);
	memset(large, 1, 300000);
	memset(arena_alloc(&arena, 100), 2, 100);
	assert_int_equal(large[299999], 1);
	arena_clear(&arena);
}

static void reset_keeps_one_chunk(void **state)
{
	struct arena arena;
	size_t first;

	(void)state;
	arena_init(&arena, 256);
	arena_reset(&arena);
	arena_alloc(&arena, 100);
	first = arena_footprint(&arena);
	for (int i = 0; i < 100; i++)
		arena_alloc(&arena, 100);
	assert_true(arena_footprint(&arena) > first);
	arena_reset(&arena);
	assert_int_equal(arena_footprint(&arena), first);
	memset(arena_alloc(&arena, 200), 0, 200);
	assert_int_equal(arena_footprint(&arena), first);
	arena_clear(&arena);
}

static void object_contains_its_arena(void **state)
{
	struct noun *noun = arena_new_self(sizeof(*noun), offsetof(struct noun, arena), 512);
	char *text;

	(void)state;
	assert_int_equal(noun->number, 0);
	assert_int_equal(noun->tail[99], 0);
	noun->number = 7;
	memset(noun->tail, 'x', sizeof(noun->tail));
	text = arena_str(&noun->arena, "inside");
	assert_true(text > (char *)noun && text < (char *)noun + sizeof(*noun) + 512);
	for (int i = 0; i < 50; i++)
		arena_zalloc(&noun->arena, 100);
	assert_string_equal(text, "inside");
	arena_reset(&noun->arena);
	memset(arena_alloc(&noun->arena, 400), 0, 400);
	assert_int_equal(noun->number, 7);
	assert_int_equal(noun->tail[99], 'x');
	arena_free_self(noun, offsetof(struct noun, arena));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_do_not_overlap), cmocka_unit_test(zero_is_an_empty_arena),
		cmocka_unit_test(texts_are_copied),      cmocka_unit_test(large_pieces_have_room),
		cmocka_unit_test(reset_keeps_one_chunk), cmocka_unit_test(object_contains_its_arena),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
