/* SPDX-License-Identifier: MIT
 *
 * The linked list: order, removal, and members that know whether they are linked.
 */
#include "base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

struct member {
	int number;
	struct list_link link;
};

static int member_number(struct list_link *link)
{
	return LIST_MEMBER(link, struct member, link)->number;
}

static void order_is_kept(void **state)
{
	struct member members[3] = { { .number = 1 }, { .number = 2 }, { .number = 3 } };
	struct list list;
	int expected = 1;

	(void)state;
	list_init(&list);
	assert_true(list_is_empty(&list));
	assert_null(list_first(&list));
	for (int i = 0; i < 3; i++)
		list_add_last(&list, &members[i].link);
	for (struct list_link *link = list_first(&list); link; link = list_next(&list, link))
		assert_int_equal(member_number(link), expected++);
	assert_int_equal(expected, 4);
	for (expected = 1; expected <= 3; expected++)
		assert_int_equal(member_number(list_take_first(&list)), expected);
	assert_null(list_take_first(&list));
}

static void removal_unlinks(void **state)
{
	struct member members[3] = { 0 };
	struct list list;

	(void)state;
	list_init(&list);
	for (int i = 0; i < 3; i++)
		list_add_last(&list, &members[i].link);
	assert_true(list_is_linked(&members[1].link));
	list_remove(&members[1].link);
	list_remove(&members[1].link);
	assert_false(list_is_linked(&members[1].link));
	assert_ptr_equal(list_next(&list, &members[0].link), &members[2].link);
	list_remove(&members[0].link);
	list_remove(&members[2].link);
	assert_true(list_is_empty(&list));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_is_kept),
		cmocka_unit_test(removal_unlinks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
