/* SPDX-License-Identifier: MIT
 *
 * Dialback keys against the examples of XEP-0185 §3 and XEP-0220 §2, and the elements: what is written is
 * read again, and what is wrong with others is said.
 */
#include "../../s2s/dialback.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "vector.h"
#include "xmpp/parser.h"

enum { SOURCE, SECRET, RECEIVING, ORIGINATING, STREAM_ID, KEY };

static void keys_are_the_published_ones(void **state)
{
	struct vector v = vector_open("dialback.csv");
	char key[DIALBACK_KEY + 1];
	unsigned rows = 0;

	(void)state;
	for (; vector_next(&v); rows++) {
		dialback_key(v.fields[SECRET], v.fields[RECEIVING], v.fields[ORIGINATING],
		             v.fields[STREAM_ID], key);
		assert_string_equal(key, v.fields[KEY]);
		assert_true(dialback_key_is(v.fields[SECRET], v.fields[RECEIVING], v.fields[ORIGINATING],
		                            v.fields[STREAM_ID], v.fields[KEY]));
	}
	assert_int_equal(rows, 3);
	fclose(v.file);
}

static void a_key_is_for_one_pair_and_stream(void **state)
{
	char key[DIALBACK_KEY + 1], cut[DIALBACK_KEY + 1];

	(void)state;
	dialback_key("secret", "example.info", "rm.example.org", "id", key);
	assert_true(dialback_key_is("secret", "example.info", "rm.example.org", "id", key));
	assert_false(dialback_key_is("secret", "example.in", "form.example.org", "id", key));
	assert_false(dialback_key_is("secret", "rm.example.org", "example.info", "id", key));
	assert_false(dialback_key_is("secret", "example.info", "rm.example.org", "ie", key));
	assert_false(dialback_key_is("other", "example.info", "rm.example.org", "id", key));
	memcpy(cut, key, sizeof(cut));
	cut[DIALBACK_KEY - 1] = '\0';
	assert_false(dialback_key_is("secret", "example.info", "rm.example.org", "id", cut));
	assert_false(dialback_key_is("secret", "example.info", "rm.example.org", "id", ""));
}

struct reader {
	struct parser_set *set;
	struct arena arena;
	struct dialback read;
};

static int reader_setup(void **state)
{
	static const struct hash_seed seed = { 1, 2 };
	struct reader *reader = mem_zalloc(sizeof(*reader));

	reader->set = parser_set_new(&seed);
	*state = reader;
	return 0;
}

static int reader_teardown(void **state)
{
	struct reader *reader = *state;

	parser_set_free(&reader->set);
	arena_clear(&reader->arena);
	free(reader);
	return 0;
}

/* xml: without its namespace's declaration. */
static enum dialback_read read_xml(struct reader *reader, const char *xml)
{
	char *whole = str_printf("<root " DIALBACK_DECLARATION ">%s</root>", xml);
	struct element *root = parser_text(reader->set, &reader->arena, NS_SERVER, whole, strlen(whole),
	                                   &parser_limits_default);

	free(whole);
	assert_non_null(root);
	return dialback_read(&reader->arena, element_first(root), &reader->read);
}

static void what_is_written_is_read(void **state)
{
	static const struct dialback written[] = {
		{ .kind = DIALBACK_RESULT, .from = "a.example", .to = "b.example", .key = "0123abc" },
		{ .kind = DIALBACK_VERIFY,
		  .from = "a.example",
		  .to = "b.example",
		  .id = "<'id'>",
		  .key = "k&y" },
		{ .kind = DIALBACK_RESULT, .type = DIALBACK_VALID, .from = "a.example", .to = "b.example" },
		{ .kind = DIALBACK_VERIFY,
		  .type = DIALBACK_INVALID,
		  .from = "a.example",
		  .to = "b.example",
		  .id = "1" },
		{ .kind = DIALBACK_RESULT,
		  .type = DIALBACK_ERROR,
		  .from = "a.example",
		  .to = "b.example",
		  .condition = DIALBACK_REMOTE_CONNECTION_FAILED },
	};
	struct reader *reader = *state;

	for (size_t i = 0; i < sizeof(written) / sizeof(written[0]); i++) {
		const struct dialback *w = &written[i], *r = &reader->read;
		struct buf out = { 0 };

		dialback_write(&out, w);
		buf_add_char(&out, '\0');
		assert_int_equal(read_xml(reader, out.data), DIALBACK_READ);
		assert_true(r->kind == w->kind && r->type == w->type);
		assert_string_equal(r->from, w->from);
		assert_string_equal(r->to, w->to);
		assert_string_equal(r->id ? r->id : "", w->id ? w->id : "");
		assert_string_equal(r->key ? r->key : "", w->key ? w->key : "");
		assert_string_equal(r->condition ? r->condition : "", w->condition ? w->condition : "");
		buf_clear(&out);
	}
}

static void domains_are_prepared_and_keys_are_trimmed(void **state)
{
	struct reader *reader = *state;

	assert_int_equal(read_xml(reader,
	                          "<db:result from='A.Example' to='b.example.'>\n\t abc \n</db:result>"),
	                 DIALBACK_READ);
	assert_string_equal(reader->read.from, "a.example");
	assert_string_equal(reader->read.to, "b.example");
	assert_string_equal(reader->read.key, "abc");
}

static void what_is_wrong_is_said(void **state)
{
	static const struct {
		const char *xml;
		enum dialback_read read;
	} wrong[] = {
		{ "<db:result to='b.example'>k</db:result>", DIALBACK_BAD_ADDRESS },
		{ "<db:result from='a.example'>k</db:result>", DIALBACK_BAD_ADDRESS },
		{ "<db:result from='u@a.example' to='b.example'>k</db:result>", DIALBACK_BAD_ADDRESS },
		{ "<db:result from='a.example' to='b.example/r'>k</db:result>", DIALBACK_BAD_ADDRESS },
		{ "<db:result from='a.example' to=''>k</db:result>", DIALBACK_BAD_ADDRESS },
		{ "<db:result from='a.example' to='b.example'/>", DIALBACK_MALFORMED },
		{ "<db:result from='a.example' to='b.example'> \n </db:result>", DIALBACK_MALFORMED },
		{ "<db:result from='a.example' to='b.example' type='maybe'>k</db:result>",
		  DIALBACK_MALFORMED },
		{ "<db:verify from='a.example' to='b.example'>k</db:verify>", DIALBACK_MALFORMED },
		{ "<db:verify from='a.example' to='b.example' type='valid'/>", DIALBACK_MALFORMED },
	};
	struct reader *reader = *state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(read_xml(reader, wrong[i].xml), wrong[i].read);
	assert_int_equal(read_xml(reader, "<db:result from='a.example' to='b.example' type='error'/>"),
	                 DIALBACK_READ);
	assert_string_equal(reader->read.condition, "undefined-condition");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, reader_setup, reader_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_the_published_ones),
		cmocka_unit_test(a_key_is_for_one_pair_and_stream),
		TEST(what_is_written_is_read),
		TEST(domains_are_prepared_and_keys_are_trimmed),
		TEST(what_is_wrong_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
