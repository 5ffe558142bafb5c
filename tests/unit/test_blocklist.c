/* SPDX-License-Identifier: MIT
 *
 * The set of blocked addresses: its text, its changes, and what it matches (XEP-0191 §6).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/xep/blocklist.h"

static void list_is(const struct blocklist *list, const char *expected)
{
	struct buf text = { 0 };

	blocklist_write(list, &text);
	buf_add_char(&text, '\0');
	assert_string_equal(text.data, expected);
	buf_clear(&text);
}

static void is_sorted_and_has_each_once(void **unused)
{
	static const char text[] = "b@b\na\n\nb@b\nb@b/c\n";
	struct blocklist list = { 0 };

	(void)unused;
	blocklist_read(&list, text, strlen(text));
	assert_int_equal(list.count, 3);
	list_is(&list, "a\nb@b\nb@b/c\n");
	assert_true(blocklist_has(&list, "b@b/c", 3));
	assert_false(blocklist_has(&list, "b@b/c", 4));
	assert_false(blocklist_has(&list, "b@", 2));
	blocklist_clear(&list);
	blocklist_read(&list, NULL, 0);
	list_is(&list, "");
	blocklist_clear(&list);
}

static void changes(void **unused)
{
	static const struct jid names[] = { { .text = "b" }, { .text = "c" }, { .text = "b" } };
	static const struct jid gone[] = { { .text = "c" }, { .text = "d" } };
	struct blocklist none = { 0 }, more = { 0 }, less = { 0 };

	(void)unused;
	blocklist_add(&none, names, 3, &more);
	list_is(&more, "b\nc\n");
	blocklist_subtract(&more, gone, 2, &less);
	list_is(&less, "b\n");
	blocklist_clear(&more);
	blocklist_add(&less, gone, 2, &more);
	list_is(&more, "b\nc\nd\n");
	blocklist_clear(&more);
	blocklist_clear(&less);
}

static void matches(void **unused)
{
	static const char text[] = "full@a.example/r\nbare@a.example\nb.example/r\nc.example\n";
	static const struct {
		const char *who;
		bool is_blocked;
	} table[] = {
		{ "full@a.example/r", true },   { "full@a.example", false },   { "full@a.example/s", false },
		{ "bare@a.example", true },     { "bare@a.example/r", true },  { "other@a.example", false },
		{ "a.example", false },         { "b.example/r", true },       { "b.example", false },
		{ "user@b.example/r", false },  { "b.example/rr", false },     { "c.example", true },
		{ "user@c.example", true },     { "user@c.example/r", true },  { "c.example/r", true },
		{ "user@d.c.example", false },
	};
	struct blocklist list = { 0 };

	(void)unused;
	blocklist_read(&list, text, strlen(text));
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct arena arena = { 0 };
		struct jid who;

		assert_true(jid_prepare(&arena, table[i].who, strlen(table[i].who), JID_ANY, &who));
		if (blocklist_matches(&list, &who) != table[i].is_blocked)
			fail_msg("%s", table[i].who);
		arena_clear(&arena);
	}
	assert_false(blocklist_matches(&list, &(struct jid){ 0 }));
	blocklist_clear(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_sorted_and_has_each_once),
		cmocka_unit_test(changes),
		cmocka_unit_test(matches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
