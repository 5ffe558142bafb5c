/* SPDX-License-Identifier: MIT
 *
 * The writer: parse(write(x)) == x, by example and for many random trees of awkward names, namespaces and
 * characters.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tree.h"
#include "xmpp/ns.h"
#include "xmpp/parser.h"
#include "xmpp/writer.h"

struct random {
	uint64_t state;
};

static unsigned random_below(struct random *random, unsigned n)
{
	random->state ^= random->state << 13;
	random->state ^= random->state >> 7;
	random->state ^= random->state << 17;
	return (unsigned)(random->state >> 33) % n;
}

static void assert_written(const struct element *element, const char *scope, const char *expected)
{
	struct buf out = tree_written(element, scope);

	assert_string_equal(out.data, expected);
	buf_clear(&out);
}

static void text_and_values_are_escaped(void **state)
{
	struct buf out = { 0 };

	(void)state;
	writer_text(&out, "a<b>&\"'\t\n\r]]>", 13);
	buf_add_char(&out, ' ');
	writer_value(&out, "a<b>&\"'\t\n\r]]>");
	writer_attr(&out, "x", "y'z");
	writer_attr(&out, "none", NULL);
	writer_attr(&out, "empty", "");
	buf_add_char(&out, '\0');
	assert_string_equal(out.data,
	                    "a&lt;b&gt;&amp;&quot;&apos;\t\n&#13;]]&gt; "
	                    "a&lt;b&gt;&amp;&quot;&apos;&#9;&#10;&#13;]]&gt; x='y&apos;z' empty=''");
	buf_clear(&out);
}

/* A tree has none; should one get there, what goes out is still XML. */
static void control_characters_never_go_out(void **state)
{
	struct buf out = { 0 };

	(void)state;
	writer_text(&out, "a\0b\x1f", 4);
	writer_value(&out, "\x01\x0b");
	buf_add_char(&out, '\0');
	assert_string_equal(out.data, "a\ufffd"
	                              "b\ufffd\ufffd\ufffd");
	buf_clear(&out);
}

static void namespaces_are_declared_where_they_change(void **state)
{
	struct element *root, *child;
	struct arena arena;

	(void)state;
	arena_init(&arena, 0);
	root = element_new(&arena, "message", NS_CLIENT);
	assert_written(root, NS_CLIENT, "<message/>");
	assert_written(root, NS_SERVER, "<message xmlns='jabber:client'/>");
	assert_written(root, NULL, "<message xmlns='jabber:client'/>");
	element_add_text(&arena, element_add(&arena, root, "body", NS_CLIENT), "hi");
	child = element_add(&arena, root, "x", "urn:x");
	element_add(&arena, child, "y", "urn:x");
	element_add(&arena, child, "message", NS_CLIENT);
	element_add(&arena, child, "z", "");
	assert_written(root, NS_CLIENT,
	               "<message><body>hi</body><x xmlns='urn:x'><y/><message xmlns='jabber:client'/><z "
	               "xmlns=''/></x>"
	               "</message>");
	assert_written(element_new(&arena, "a", ""), "", "<a/>");
	assert_written(element_new(&arena, "a", ""), NULL, "<a xmlns=''/>");
	assert_written(element_new(&arena, "a", "urn:it's"), NULL, "<a xmlns='urn:it&apos;s'/>");
	arena_clear(&arena);
}

static void attributes_of_a_namespace_get_a_prefix(void **state)
{
	struct element *root;
	struct arena arena;

	(void)state;
	arena_init(&arena, 0);
	root = element_new(&arena, "a", NS_CLIENT);
	element_set(&arena, root, "x", "1");
	element_set_ns(&arena, root, "lang", NS_XML, "de");
	element_set_ns(&arena, root, "x", "urn:a", "2");
	element_set_ns(&arena, root, "x", "urn:b", "3");
	element_set_ns(&arena, root, "y", "urn:a", "4");
	assert_written(
		root, NS_CLIENT,
		"<a x='1' xml:lang='de' xmlns:ns3='urn:a' ns3:x='2' xmlns:ns4='urn:b' ns4:x='3' ns3:y='4'/>");
	assert_string_equal(element_attr(root, "x"), "1");
	assert_string_equal(element_attr_ns(root, "x", "urn:b"), "3");
	element_set_ns(&arena, root, "x", "urn:a", NULL);
	element_set(&arena, root, "x", NULL);
	element_set(&arena, root, "x", NULL);
	element_set_ns(&arena, root, "lang", NS_XML, "en");
	assert_written(root, NS_CLIENT,
	               "<a xml:lang='en' xmlns:ns2='urn:b' ns2:x='3' xmlns:ns3='urn:a' ns3:y='4'/>");
	arena_clear(&arena);
}

static void content_alone(void **state)
{
	struct buf out = { 0 };
	struct element *root;
	struct arena arena;

	(void)state;
	arena_init(&arena, 0);
	root = element_new(&arena, "message", NS_CLIENT);
	writer_content(&out, root);
	assert_int_equal(out.len, 0);
	element_add_text(&arena, root, "<");
	element_add(&arena, root, "body", NS_CLIENT);
	element_add(&arena, element_add(&arena, root, "x", "urn:x"), "y", NS_CLIENT);
	writer_content(&out, root);
	buf_add_char(&out, '\0');
	assert_string_equal(out.data, "&lt;<body/><x xmlns='urn:x'><y xmlns='jabber:client'/></x>");
	buf_clear(&out);
	arena_clear(&arena);
}

/* ---- trees: reading and changing what is written ---- */

static void children_are_found(void **state)
{
	struct element *root, *a, *b, *c;
	struct arena arena;

	(void)state;
	arena_init(&arena, 0);
	root = element_new(&arena, "iq", NS_CLIENT);
	assert_null(element_first(root));
	assert_string_equal(element_text(&arena, root), "");
	element_add_text(&arena, root, "1");
	a = element_add(&arena, root, "a", NS_CLIENT);
	element_add_text(&arena, element_add_text(&arena, root, ""), "23");
	b = element_add(&arena, root, "b", "urn:b");
	c = element_add(&arena, root, "a", "urn:b");
	assert_ptr_equal(element_first(root), a);
	assert_ptr_equal(element_next(root, a), b);
	assert_ptr_equal(element_next(root, b), c);
	assert_null(element_next(root, c));
	assert_ptr_equal(element_child(root, "a", "urn:b"), c);
	assert_ptr_equal(element_child_ns(root, "urn:b"), b);
	assert_null(element_child(root, "b", NS_CLIENT));
	assert_null(element_child_ns(root, "urn:c"));
	assert_string_equal(element_text(&arena, root), "123");
	element_add_text(&arena, a, "x");
	assert_ptr_equal(element_text(&arena, a), a->first->text);
	assert_string_equal(element_child_text(&arena, root, "a", NS_CLIENT), "x");
	assert_null(element_child_text(&arena, root, "c", NS_CLIENT));
	assert_false(element_is(NULL, "a", "b"));
	element_remove(root, b);
	assert_written(root, NS_CLIENT, "<iq>1<a>x</a>23<a xmlns='urn:b'/></iq>");
	element_remove(root, c);
	element_add(&arena, root, "d", NS_CLIENT);
	element_remove(root, a);
	assert_written(root, NS_CLIENT, "<iq>123<d/></iq>");
	arena_clear(&arena);
}

/* ---- random trees ---- */

static const char *const namespaces[] = { NS_CLIENT,     NS_SERVER, "", "urn:x", "urn:\tx\n&'\"<>\r ",
	                                  "urn:\xc3\xa9" };
static const char *const names[] = { "message", "a", "b-1", "_", "\xc3\xa9", "xml" };
static const char *const texts[] = {
	"x", " ", "\t", "\n", "\r", "\r\n", "]]>", "]", ">", "<", "&", "&amp;", "'", "\"", "\xc2\x85",
	"\xe2\x80\xa8", "\xef\xbb\xbf", "\xf0\x9f\x98\x80", "\xef\xbf\xbd", "\x7f", "<![CDATA[", "<!--", "<?x?>", "&#0;",
};

#define ONE_OF(random, array) (array)[random_below(random, sizeof(array) / sizeof((array)[0]))]

static void add_random_attrs(struct random *random, struct arena *arena, struct element *element)
{
	static const char *const attr_spaces[] = { NULL,     NULL,    NS_XML,
		                                   "urn:x",  "urn:y", "urn:\tx\n&'\"<>\r ",
		                                   NS_CLIENT };

	for (unsigned i = random_below(random, 5); i > 0; i--) {
		const char *value = arena_printf(arena, "%s%s", ONE_OF(random, texts), ONE_OF(random, texts));

		element_set_ns(arena, element, ONE_OF(random, names), ONE_OF(random, attr_spaces), value);
	}
}

static struct element *random_tree(struct random *random, struct arena *arena)
{
	struct element *root = element_new(arena, ONE_OF(random, names), ONE_OF(random, namespaces));
	struct element *at = root;

	add_random_attrs(random, arena, root);
	for (int depth = 1, turn = 0; turn < 40; turn++) {
		unsigned choice = random_below(random, 6);

		if (choice < 2) {
			element_add_text(arena, at, ONE_OF(random, texts));
		} else if (choice < 4 && depth < 20) {
			at = element_add(arena, at, ONE_OF(random, names), ONE_OF(random, namespaces));
			add_random_attrs(random, arena, at);
			depth++;
		} else if (at->parent) {
			at = at->parent;
			depth--;
		}
	}
	return root;
}

static void random_trees_come_back(void **state)
{
	struct parser_set *set = parser_set_new(&(struct hash_seed){ 1, 2 });
	struct random random = { 88172645463325252u };
	struct arena arena;

	(void)state;
	arena_init(&arena, 0);
	for (int turn = 0; turn < 5000; turn++) {
		const char *scope = ONE_OF(&random, namespaces);
		struct element *tree = random_tree(&random, &arena), *copy, *back;
		struct buf out = tree_written(tree, scope), again;

		back = parser_text(set, &arena, scope, out.data, out.len - 1, &parser_limits_default);
		assert_non_null(back);
		assert_true(tree_same(tree, back));
		copy = element_copy(&arena, NULL, back);
		assert_true(tree_same(tree, copy));
		copy = element_copy(&arena, element_new(&arena, "outer", "urn:x"), back);
		assert_true(tree_same(tree, copy));
		assert_ptr_equal(copy->parent->first->element, copy);
		again = tree_written(back, scope);
		assert_string_equal(out.data, again.data);
		buf_clear(&out);
		buf_clear(&again);
		arena_reset(&arena);
	}
	arena_clear(&arena);
	parser_set_free(&set);
}

/* Trees are as deep as limits allow, and no walk recurses. */
static void deep_trees(void **state)
{
	struct element *root, *at, *copy;
	struct arena arena;
	struct buf out;

	(void)state;
	arena_init(&arena, 0);
	at = root = element_new(&arena, "a", "");
	for (int i = 0; i < 300000; i++)
		at = element_add(&arena, at, "a", "");
	copy = element_copy(&arena, NULL, root);
	out = tree_written(copy, "");
	assert_int_equal(out.len, 300000 * 7 + 5);
	buf_clear(&out);
	arena_clear(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_and_values_are_escaped),
		cmocka_unit_test(control_characters_never_go_out),
		cmocka_unit_test(namespaces_are_declared_where_they_change),
		cmocka_unit_test(attributes_of_a_namespace_get_a_prefix),
		cmocka_unit_test(content_alone),
		cmocka_unit_test(children_are_found),
		cmocka_unit_test(random_trees_come_back),
		cmocka_unit_test(deep_trees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
