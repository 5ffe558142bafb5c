/* SPDX-License-Identifier: MIT
 *
 * Data forms (XEP-0004) and result set management (XEP-0059), read and built.
 */
#include "xmpp/dataform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tree.h"
#include "xmpp/ns.h"
#include "xmpp/parser.h"
#include "xmpp/rsm.h"

struct bench {
	struct parser_set *parsers;
	struct arena arena;
};

static const struct hash_seed seed = { 1, 2 };

static int bench_open(void **state)
{
	static struct bench bench;

	bench = (struct bench){ .parsers = parser_set_new(&seed) };
	*state = &bench;
	return 0;
}

static int bench_close(void **state)
{
	struct bench *bench = *state;

	arena_clear(&bench->arena);
	parser_set_free(&bench->parsers);
	return 0;
}

static struct element *parsed(struct bench *bench, const char *text)
{
	struct element *element = parser_text(bench->parsers, &bench->arena, NS_CLIENT, text, strlen(text),
	                                      &parser_limits_default);

	assert_non_null(element);
	return element;
}

static void form_is_found_by_its_type(void **state)
{
	struct bench *bench = *state;
	const struct element *parent = parsed(bench,
		"<options><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>other</value></field></x>"
		"<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>mine</value></field>"
		"<field var='a'><value>1</value><value>2</value></field><field var='b'/></x></options>");
	const struct element *form = dataform_find(&bench->arena, parent, "mine");

	assert_non_null(form);
	assert_string_equal(dataform_type(form), "submit");
	assert_string_equal(dataform_value(&bench->arena, form, "a"), "1");
	assert_null(dataform_value(&bench->arena, form, "b"));
	assert_non_null(dataform_field(form, "b"));
	assert_null(dataform_field(form, "c"));
	assert_null(dataform_find(&bench->arena, parent, "third"));
	assert_non_null(dataform_find(&bench->arena, parent, NULL));
}

static void booleans_are_the_four_words(void **state)
{
	bool value = false;

	(void)state;
	assert_true(dataform_read_bool("true", &value) && value);
	assert_true(dataform_read_bool("1", &value) && value);
	assert_true(dataform_read_bool("false", &value) && !value);
	assert_true(dataform_read_bool("0", &value) && !value);
	assert_false(dataform_read_bool("yes", &value));
	assert_false(dataform_read_bool("", &value));
}

static void form_is_built(void **state)
{
	struct bench *bench = *state;
	struct element *form = dataform_add(&bench->arena, NULL, "form", "mine");
	struct element *field = dataform_add_field(&bench->arena, form, "a", "list-single", "An a", "1");

	dataform_add_option(&bench->arena, field, "1");
	assert_true(tree_same(form, parsed(bench,
		"<x xmlns='jabber:x:data' type='form'><field var='FORM_TYPE' type='hidden'><value>mine</value></field>"
		"<field var='a' type='list-single' label='An a'><value>1</value><option><value>1</value></option></field></x>")));
}

#define SET(inside) "<q><set xmlns='http://jabber.org/protocol/rsm'>" inside "</set></q>"

static void pages_are_asked_for(void **state)
{
	struct bench *bench = *state;
	struct rsm rsm;

	assert_true(rsm_read(&bench->arena, parsed(bench, "<q/>"), &rsm) && !rsm.asked);
	assert_true(rsm_read(&bench->arena, parsed(bench, SET("<max>10</max>")), &rsm));
	assert_true(rsm.asked && rsm.limited && rsm.max == 10 && !rsm.after && !rsm.before && !rsm.indexed);
	assert_true(rsm_read(&bench->arena, parsed(bench, SET("<max>10</max><before/>")), &rsm));
	assert_string_equal(rsm.before, "");
	assert_true(rsm_read(&bench->arena, parsed(bench, SET("<after>x</after>")), &rsm) && !rsm.limited);
	assert_string_equal(rsm.after, "x");
	assert_true(rsm_read(&bench->arena, parsed(bench, SET("<index>3</index><max>0</max>")), &rsm));
	assert_true(rsm.indexed && rsm.index == 3 && rsm.limited && rsm.max == 0);
	assert_false(rsm_read(&bench->arena, parsed(bench, SET("<max>-1</max>")), &rsm));
	assert_false(rsm_read(&bench->arena, parsed(bench, SET("<max>ten</max>")), &rsm));
	assert_false(rsm_read(&bench->arena, parsed(bench, SET("<max>99999999999999999999999</max>")), &rsm));
}

static void pages_are_described(void **state)
{
	struct bench *bench = *state;
	struct element *q = element_new(&bench->arena, "q", NS_CLIENT);

	rsm_add(&bench->arena, q, &(struct rsm_page){ .first = "a", .last = "b", .counted = true, .index = 2, .count = 9 });
	assert_true(tree_same(q, parsed(bench,
		SET("<first index='2'>a</first><last>b</last><count>9</count>"))));
	q = element_new(&bench->arena, "q", NS_CLIENT);
	rsm_add(&bench->arena, q, &(struct rsm_page){ .counted = true, .count = 9 });
	assert_true(tree_same(q, parsed(bench, SET("<count>9</count>"))));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(form_is_found_by_its_type, bench_open, bench_close),
		cmocka_unit_test(booleans_are_the_four_words),
		cmocka_unit_test_setup_teardown(form_is_built, bench_open, bench_close),
		cmocka_unit_test_setup_teardown(pages_are_asked_for, bench_open, bench_close),
		cmocka_unit_test_setup_teardown(pages_are_described, bench_open, bench_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
