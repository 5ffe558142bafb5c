/* SPDX-License-Identifier: MIT
 *
 * The conditions of RFC 6120 against the tables in tests/vectors: each name, in the RFC's order, with its
 * error type.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "vector.h"
#include "xmpp/error.h"
#include "xmpp/ns.h"
#include "xmpp/writer.h"

static void stanza_conditions_are_those_of_the_rfc(void **state)
{
	struct vector v = vector_open("stanza-errors.csv");
	int condition = STANZA_NO_ERROR;

	(void)state;
	while (vector_next(&v)) {
		if (strncmp(v.fields[3], "RFC 3920", 8) == 0)
			continue;
		assert_true(++condition < STANZA_CONDITIONS);
		assert_string_equal(stanza_condition_name(condition), v.fields[0]);
		if (strcmp(v.fields[1], "any") != 0) {
			v.fields[1][strcspn(v.fields[1], "|")] = '\0';
			assert_string_equal(stanza_condition_type(condition), v.fields[1]);
		}
	}
	assert_int_equal(condition, STANZA_CONDITIONS - 1);
	fclose(v.file);
}

static void stream_conditions_are_those_of_the_rfc(void **state)
{
	struct vector v = vector_open("stream-errors.csv");
	int condition = STREAM_NO_ERROR;

	(void)state;
	while (vector_next(&v)) {
		if (strncmp(v.fields[1], "RFC 3920", 8) == 0)
			continue;
		assert_true(++condition < STREAM_CONDITIONS);
		assert_string_equal(stream_condition_name(condition), v.fields[0]);
	}
	assert_int_equal(condition, STREAM_CONDITIONS - 1);
	fclose(v.file);
}

static void sasl_conditions_are_those_of_the_rfc(void **state)
{
	struct vector v = vector_open("sasl-errors.csv");
	int condition = SASL_NO_ERROR;

	(void)state;
	while (vector_next(&v)) {
		assert_true(++condition < SASL_CONDITIONS);
		assert_string_equal(sasl_condition_name(condition), v.fields[0]);
	}
	assert_int_equal(condition, SASL_CONDITIONS - 1);
	fclose(v.file);
}

static void what_is_added_is_found_again(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 0);
	for (int i = STANZA_NO_ERROR + 1; i < STANZA_CONDITIONS; i++) {
		struct element *root = element_new(&arena, "iq", NS_CLIENT);

		error_add(&arena, root, i, i % 2 ? "Because." : NULL);
		assert_int_equal(stanza_condition_of(element_child(root, "error", NS_CLIENT)), i);
	}
	arena_clear(&arena);
}

static void an_error_as_it_is_written(void **state)
{
	struct buf out = { 0 };
	struct element *root;
	struct arena arena;

	(void)state;
	arena_init(&arena, 0);
	root = element_new(&arena, "iq", NS_CLIENT);
	error_add(&arena, root, STANZA_ITEM_NOT_FOUND, "No <such> item.");
	writer_element(&out, root, NS_CLIENT);
	buf_add_char(&out, '\0');
	assert_string_equal(
		out.data,
		"<iq><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
		"<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>No &lt;such&gt; item."
		"</text></error></iq>");
	buf_clear(&out);
	arena_clear(&arena);
}

static void what_is_not_ours_is_undefined(void **state)
{
	struct element *error;
	struct arena arena;

	(void)state;
	arena_init(&arena, 0);
	error = element_new(&arena, "error", NS_CLIENT);
	assert_int_equal(stanza_condition_of(error), STANZA_UNDEFINED_CONDITION);
	element_add(&arena, error, "conflict", NS_STREAM_ERRORS);
	assert_int_equal(stanza_condition_of(error), STANZA_UNDEFINED_CONDITION);
	assert_int_equal(stream_condition_of(error), STREAM_CONFLICT);
	element_add(&arena, error, "payment-required", NS_STANZA_ERRORS);
	assert_int_equal(stanza_condition_of(error), STANZA_UNDEFINED_CONDITION);
	arena_clear(&arena);
}

/* The text may stand before the condition. */
static void the_text_is_no_condition(void **state)
{
	struct element *error;
	struct arena arena;

	(void)state;
	arena_init(&arena, 0);
	error = element_new(&arena, "error", NS_CLIENT);
	element_add(&arena, error, "text", NS_STANZA_ERRORS);
	element_add(&arena, error, "gone", NS_STANZA_ERRORS);
	assert_int_equal(stanza_condition_of(error), STANZA_GONE);
	arena_clear(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stanza_conditions_are_those_of_the_rfc),
		cmocka_unit_test(stream_conditions_are_those_of_the_rfc),
		cmocka_unit_test(sasl_conditions_are_those_of_the_rfc),
		cmocka_unit_test(what_is_added_is_found_again),
		cmocka_unit_test(an_error_as_it_is_written),
		cmocka_unit_test(what_is_not_ours_is_undefined),
		cmocka_unit_test(the_text_is_no_condition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
