/* SPDX-License-Identifier: MIT
 *
 * The parser: what it makes of stanzas and headers, each thing that RFC 6120 §11 forbids, each limit exceeded
 * once, and that a parser survives whatever came before.
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

#define STREAM_NS " xmlns:stream='" NS_STREAM "'"

struct fixture {
	struct parser_set *set;
	struct arena arena;
	struct parser_root root;
};

static int open_set(void **state)
{
	static struct fixture fixture;

	fixture.set = parser_set_new(&(struct hash_seed){ 1, 2 });
	arena_init(&fixture.arena, 0);
	*state = &fixture;
	return 0;
}

static int close_set(void **state)
{
	struct fixture *fixture = *state;

	parser_set_free(&fixture->set);
	assert_null(fixture->set);
	arena_clear(&fixture->arena);
	return 0;
}

static enum parser_result header(struct fixture *f, const char *xml)
{
	return parser_header(f->set, &f->arena, xml, strlen(xml), &parser_limits_default, &f->root);
}

static void open_stream(struct fixture *f, const char *content_ns)
{
	assert_int_equal(header(f, arena_printf(&f->arena, "<stream:stream xmlns='%s'" STREAM_NS ">",
	                                        content_ns)),
	                 PARSER_OK);
	assert_string_equal(f->root.content_ns, content_ns);
}

static enum parser_result stanza(struct fixture *f, const char *xml, size_t len, struct element **out)
{
	return parser_stanza(f->set, &f->arena, f->root.prime, f->root.content_ns, xml, len,
	                     &parser_limits_default, out);
}

/* The stanza, written where nothing is declared. */
static void assert_parsed(struct fixture *f, const char *xml, const char *expected)
{
	struct element *element;
	struct buf out;

	assert_int_equal(stanza(f, xml, strlen(xml), &element), PARSER_OK);
	out = tree_written(element, NULL);
	assert_string_equal(out.data, expected);
	buf_clear(&out);
}

static void assert_refused(struct fixture *f, const char *xml, enum parser_result expected)
{
	struct element *element;

	assert_int_equal(stanza(f, xml, strlen(xml), &element), expected);
	assert_null(element);
	/* The next stanza is not touched by it. */
	assert_parsed(f, "<iq/>", "<iq xmlns='jabber:client'/>");
}

/* ---- headers ---- */

static void a_usual_header_shares_its_prime(void **state)
{
	struct fixture *f = *state;
	const char *client, *server;

	open_stream(f, NS_CLIENT);
	client = f->root.prime;
	assert_int_equal(header(f, "<?xml version='1.0' encoding='utf-8'?>\n<stream:stream "
	                           "to='north.example' version='1.0' "
	                           "xml:lang='de'" STREAM_NS " xmlns='jabber:client' id='x&amp;y'>"),
	                 PARSER_OK);
	assert_ptr_equal(f->root.prime, client);
	assert_true(element_is(f->root.element, "stream", NS_STREAM));
	assert_string_equal(element_attr(f->root.element, "to"), "north.example");
	assert_string_equal(element_attr(f->root.element, "id"), "x&y");
	assert_string_equal(element_attr_ns(f->root.element, "lang", NS_XML), "de");
	assert_null(element_attr(f->root.element, "lang"));
	assert_null(f->root.element->first);
	open_stream(f, NS_SERVER);
	server = f->root.prime;
	assert_int_equal(
		header(f, "<stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback'" STREAM_NS
	                  ">"),
		PARSER_OK);
	assert_ptr_equal(f->root.prime, server);
	/* Some bind the stream's namespace again; the root's own prefix does not matter. */
	open_stream(f, NS_COMPONENT_ACCEPT);
	assert_int_equal(header(f, "<stream xmlns='" NS_STREAM "'>"), PARSER_OK);
	assert_string_equal(f->root.content_ns, NS_STREAM);
}

static void headers_with_faults(void **state)
{
	static const struct {
		const char *xml;
		enum parser_result result;
	} headers[] = {
		{ "<stream:stream xmlns='jabber:client'>", PARSER_BAD_PREFIX },
		{ "<s:stream xmlns='jabber:client' xmlns:s=''>", PARSER_BAD_PREFIX },
		{ "<?xml version='1.0' encoding='ISO-8859-1'?><s>", PARSER_UNSUPPORTED_ENCODING },
		{ "<?xml version='1.0' encoding='UTF-16'?><s>", PARSER_UNSUPPORTED_ENCODING },
		{ "<?xml version='1.1'?><s>", PARSER_NOT_WELL_FORMED },
		{ "<?xml version='1.0'?><!DOCTYPE s><s>", PARSER_RESTRICTED },
		{ "<!DOCTYPE s [<!ENTITY a 'b'>]><s a='&a;'>", PARSER_RESTRICTED },
		{ "<!-- --><s>", PARSER_RESTRICTED },
		{ "<?x y?><s>", PARSER_RESTRICTED },
		{ "<s a='&nbsp;'>", PARSER_RESTRICTED },
		{ "<s a='1' a='2'>", PARSER_NOT_WELL_FORMED },
		{ "<s a=1>", PARSER_NOT_WELL_FORMED },
		{ "<s/>", PARSER_NOT_WELL_FORMED },
		{ "<s><t>", PARSER_NOT_WELL_FORMED },
		{ "<s><t/>", PARSER_NOT_WELL_FORMED },
		{ "<s>t", PARSER_NOT_WELL_FORMED },
		{ "<s", PARSER_NOT_WELL_FORMED },
		{ "", PARSER_NOT_WELL_FORMED },
		{ "\xff\xfe<s>", PARSER_NOT_WELL_FORMED },
		{ "<s a='\xc3'>", PARSER_NOT_WELL_FORMED },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		assert_int_equal(header(f, headers[i].xml), headers[i].result);
	assert_int_equal(header(f, "<?xml version='1.0' standalone='yes'?><s>"), PARSER_OK);
	assert_string_equal(f->root.content_ns, "");
}

static void prefixes_declared_on_the_root_hold_in_stanzas(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(header(f, "<s:stream xmlns='jabber:client' xmlns:s='" NS_STREAM
	                           "' xmlns:q='urn:q&apos;&lt;&amp;'>"),
	                 PARSER_OK);
	assert_parsed(f, "<s:features><q:a q:b='c'/></s:features>",
	              "<features xmlns='" NS_STREAM
	              "'><a xmlns='urn:q&apos;&lt;&amp;' xmlns:ns1='urn:q&apos;&lt;&amp;' "
	              "ns1:b='c'/></features>");
	/* stream is bound even where the peer has another prefix for it. */
	assert_parsed(f, "<stream:error/>", "<error xmlns='" NS_STREAM "'/>");
	/* ... and is the peer's own where the peer says so. */
	assert_int_equal(header(f, "<s xmlns='jabber:client' xmlns:stream='urn:other'>"), PARSER_OK);
	assert_parsed(f, "<stream:x/>", "<x xmlns='urn:other'/>");
	/* Another stream knows nothing of these. */
	open_stream(f, NS_CLIENT);
	assert_refused(f, "<q:a/>", PARSER_BAD_PREFIX);
}

static void servers_may_write_dialback_without_declaring_it(void **state)
{
	struct fixture *f = *state;

	open_stream(f, NS_SERVER);
	assert_parsed(f, "<db:result from='a' to='b'>key</db:result>",
	              "<result xmlns='jabber:server:dialback' from='a' to='b'>key</result>");
	open_stream(f, NS_CLIENT);
	assert_refused(f, "<db:result/>", PARSER_BAD_PREFIX);
}

/* More unusual roots than parsers are kept, round and round. */
static void many_unusual_roots(void **state)
{
	struct parser_root roots[20];
	struct fixture *f = *state;

	for (int i = 0; i < 20; i++) {
		assert_int_equal(header(f, arena_printf(&f->arena,
		                                        "<s xmlns='jabber:client' xmlns:p='urn:%d'>", i)),
		                 PARSER_OK);
		roots[i] = f->root;
	}
	for (int i = 0; i < 200; i++) {
		f->root = roots[i * 7 % 20];
		assert_parsed(f, "<p:a/>", arena_printf(&f->arena, "<a xmlns='urn:%d'/>", i * 7 % 20));
	}
}

/* ---- stanzas ---- */

static void trees_of_stanzas(void **state)
{
	struct fixture *f = *state;

	open_stream(f, NS_CLIENT);
	assert_parsed(
		f, "<message to='a' ><body>x &lt;&#65;<![CDATA[<&>]]>\ny</body >\t</message>",
		"<message xmlns='jabber:client' to='a'><body>x &lt;A&lt;&amp;&gt;\ny</body>\t</message>");
	assert_parsed(f, "<iq><ping xmlns='urn:xmpp:ping'/></iq>",
	              "<iq xmlns='jabber:client'><ping xmlns='urn:xmpp:ping'/></iq>");
	assert_parsed(f, "<x:iq xmlns:x='jabber:client'><x:a/></x:iq>",
	              "<iq xmlns='jabber:client'><a/></iq>");
	assert_parsed(f, "<iq xmlns=''><a/><b xmlns='jabber:client'/></iq>",
	              "<iq xmlns=''><a/><b xmlns='jabber:client'/></iq>");
	assert_parsed(
		f, "<iq xml:lang='de' xmlns:a='urn:a' xmlns:b='urn:a' a:x='1' b:y='2' x='3'/>",
		"<iq xmlns='jabber:client' xml:lang='de' xmlns:ns2='urn:a' ns2:x='1' ns2:y='2' x='3'/>");
	assert_parsed(f, "<a b='&#9;&#10;&#13;\n &quot;&apos;'/>",
	              "<a xmlns='jabber:client' b='&#9;&#10;&#13;  &quot;&apos;'/>");
	assert_parsed(f, "<a>]]&gt; &#13;\r\n</a>", "<a xmlns='jabber:client'>]]&gt; &#13;\n</a>");
}

/* XEP-0297 §3: what is forwarded keeps the namespace that it was written in. */
static void the_content_namespace_is_jabber_client(void **state)
{
	struct fixture *f = *state;

	open_stream(f, NS_SERVER);
	assert_parsed(f,
	              "<message><body>x</body><a xmlns='urn:a'><message "
	              "xmlns='jabber:server'/><b/></a><error/></message>",
	              "<message xmlns='jabber:client'><body>x</body><a xmlns='urn:a'><message "
	              "xmlns='jabber:server'/><b/></a>"
	              "<error/></message>");
	assert_parsed(f, "<iq><error><text xmlns='urn:t'/><app/></error></iq>",
	              "<iq xmlns='jabber:client'><error><text xmlns='urn:t'/><app/></error></iq>");
	assert_parsed(f, "<x xmlns='urn:x'><iq xmlns='jabber:server'/><iq xmlns='jabber:client'/></x>",
	              "<x xmlns='urn:x'><iq xmlns='jabber:server'/><iq xmlns='jabber:client'/></x>");
	assert_parsed(f, "<s:iq xmlns:s='jabber:server'><a xmlns=''><s:b/></a><s:c/></s:iq>",
	              "<iq xmlns='jabber:client'><a xmlns=''><b xmlns='jabber:server'/></a><c/></iq>");
	open_stream(f, NS_COMPONENT_ACCEPT);
	assert_parsed(f, "<presence><show/></presence>",
	              "<presence xmlns='jabber:client'><show/></presence>");
	assert_parsed(f, "<handshake>aaee</handshake>", "<handshake xmlns='jabber:client'>aaee</handshake>");
	open_stream(f, NS_CLIENT);
	assert_parsed(f, "<message><a xmlns='urn:a'><message xmlns='jabber:client'/></a></message>",
	              "<message xmlns='jabber:client'><a xmlns='urn:a'><message "
	              "xmlns='jabber:client'/></a></message>");
	assert_int_equal(header(f, "<s>"), PARSER_OK);
	assert_parsed(f, "<c:iq xmlns:c='jabber:client'><a/></c:iq>",
	              "<iq xmlns='jabber:client'><a xmlns=''/></iq>");
}

static void stanzas_with_faults(void **state)
{
	static const struct {
		const char *xml;
		enum parser_result result;
	} stanzas[] = {
		{ "", PARSER_NOT_WELL_FORMED },
		{ " ", PARSER_NOT_WELL_FORMED },
		{ "<a>", PARSER_NOT_WELL_FORMED },
		{ "<a", PARSER_NOT_WELL_FORMED },
		{ "</a>", PARSER_NOT_WELL_FORMED },
		{ "</stream:stream>", PARSER_NOT_WELL_FORMED },
		{ "<a></b>", PARSER_NOT_WELL_FORMED },
		{ "<a></a ></b>", PARSER_NOT_WELL_FORMED },
		{ "<a/><b/>", PARSER_NOT_WELL_FORMED },
		{ "<a/>b", PARSER_NOT_WELL_FORMED },
		{ "b<a/>", PARSER_NOT_WELL_FORMED },
		{ "<a/><b", PARSER_NOT_WELL_FORMED },
		{ "<a/><", PARSER_NOT_WELL_FORMED },
		{ "<a/>&", PARSER_NOT_WELL_FORMED },
		{ "<a/>]", PARSER_NOT_WELL_FORMED },
		{ "<a>]]></a>", PARSER_NOT_WELL_FORMED },
		{ "<a b='<'/>", PARSER_NOT_WELL_FORMED },
		{ "<a b='1' b='2'/>", PARSER_NOT_WELL_FORMED },
		{ "<a xmlns:x='u' xmlns:y='u' x:b='1' y:b='2'/>", PARSER_NOT_WELL_FORMED },
		{ "<a>&#0;</a>", PARSER_NOT_WELL_FORMED },
		{ "<a>&#x1F;</a>", PARSER_NOT_WELL_FORMED },
		{ "<a>&#xFFFE;</a>", PARSER_NOT_WELL_FORMED },
		{ "<a>&#xD800;</a>", PARSER_NOT_WELL_FORMED },
		{ "<a>\x01</a>", PARSER_NOT_WELL_FORMED },
		{ "<a>\xef\xbf\xbf</a>", PARSER_NOT_WELL_FORMED },
		{ "<a>\xed\xa0\x80</a>", PARSER_NOT_WELL_FORMED },
		{ "<a>\xc0\xaf</a>", PARSER_NOT_WELL_FORMED },
		{ "<a:b:c xmlns:a='u'/>", PARSER_NOT_WELL_FORMED },
		{ "<x:a/>", PARSER_BAD_PREFIX },
		{ "<a x:b=''/>", PARSER_BAD_PREFIX },
		{ "<a xmlns:x=''/>", PARSER_BAD_PREFIX },
		{ "<a xmlns:xml='u'/>", PARSER_BAD_PREFIX },
		{ "<a xmlns:xmlns='u'/>", PARSER_BAD_PREFIX },
		{ "<xml:a/>", PARSER_BAD_PREFIX },
		{ "<a><b/><xml:a/></a>", PARSER_BAD_PREFIX },
		{ "<a>&nbsp;</a>", PARSER_RESTRICTED },
		{ "<a b='&x;'/>", PARSER_RESTRICTED },
		{ "<a><!-- --></a>", PARSER_RESTRICTED },
		{ "<!-- --><a/>", PARSER_RESTRICTED },
		{ "<a><?x y?></a>", PARSER_RESTRICTED },
		{ "<?xml version='1.0'?><a/>", PARSER_RESTRICTED },
		{ "<!DOCTYPE a><a/>", PARSER_NOT_WELL_FORMED },
		{ "<a><!ELEMENT b ANY></a>", PARSER_NOT_WELL_FORMED },
	};
	struct fixture *f = *state;

	open_stream(f, NS_CLIENT);
	for (size_t i = 0; i < sizeof(stanzas) / sizeof(stanzas[0]); i++)
		assert_refused(f, stanzas[i].xml, stanzas[i].result);
	assert_parsed(f, " <a/>\n", "<a xmlns='jabber:client'/>");
}

/* Neither raw nor as a reference does the separator get into a name or a namespace. */
static void the_separator_cannot_be_injected(void **state)
{
	struct fixture *f = *state;

	open_stream(f, NS_CLIENT);
	assert_refused(f,
	               "<a xmlns='urn:a\x1f"
	               "b'/>",
	               PARSER_NOT_WELL_FORMED);
	assert_refused(f, "<a xmlns='urn:a&#31;b'/>", PARSER_NOT_WELL_FORMED);
	assert_refused(f, "<x:a xmlns:x='urn:a&#x1f;b'/>", PARSER_NOT_WELL_FORMED);
	assert_refused(f,
	               "<a\x1f"
	               "b/>",
	               PARSER_NOT_WELL_FORMED);
}

/* ---- limits ---- */

static void assert_limit(struct fixture *f, const char *xml, struct parser_limits limits,
                         enum parser_result expected)
{
	struct element *element;

	assert_int_equal(parser_stanza(f->set, &f->arena, f->root.prime, f->root.content_ns, xml, strlen(xml),
	                               &limits, &element),
	                 expected);
}

static void each_limit_exceeded_once(void **state)
{
	const struct parser_limits limits = { .depth = 3, .attributes = 5, .declarations = 2, .elements = 5 };
	struct fixture *f = *state;

	open_stream(f, NS_CLIENT);
	assert_limit(f, "<a><b><c/></b><b><c/></b></a>", limits, PARSER_OK);
	assert_limit(f, "<a><b><c><d/></c></b></a>", limits, PARSER_LIMIT);
	assert_limit(f, "<a x='' y=''><b x='' y='' z='' v='' w=''/></a>", limits, PARSER_OK);
	assert_limit(f, "<a><b x='' y='' z='' u='' v='' w=''/></a>", limits, PARSER_LIMIT);
	assert_limit(f, "<a x='' y='' z=''/>", limits, PARSER_LIMIT);
	assert_limit(f, "<a xmlns='u' xmlns:b='v'><b:c xmlns='u' xmlns:d='w'/></a>", limits, PARSER_OK);
	assert_limit(f, "<a xmlns='u' xmlns:b='v' xmlns:c='w'/>", limits, PARSER_LIMIT);
	assert_limit(f, "<a xmlns:b='v'><c b:x='' y='' z=''/></a>", limits, PARSER_OK);
	assert_limit(f, "<a xmlns:b='v'><c b:x='' b:y=''/></a>", limits, PARSER_LIMIT);
	assert_limit(f, "<a><b/><b/><b/><b/></a>", limits, PARSER_OK);
	assert_limit(f, "<a><b/><b/><b/><b/><b/></a>", limits, PARSER_LIMIT);
	assert_parsed(f, "<a/>", "<a xmlns='jabber:client'/>");
}

static const char *repeated(struct fixture *f, const char *before, const char *piece, size_t count,
                            const char *after)
{
	struct buf xml = { 0 };
	const char *text;

	buf_add_str(&xml, before);
	while (count--)
		buf_add_str(&xml, piece);
	buf_add_str(&xml, after);
	text = arena_str_len(&f->arena, xml.data, xml.len);
	buf_clear(&xml);
	return text;
}

static void a_namespace_has_at_most_1024_bytes(void **state)
{
	const struct parser_limits *limits = &parser_limits_default;
	struct fixture *f = *state;

	open_stream(f, NS_CLIENT);
	assert_limit(f, repeated(f, "<a xmlns='", "u", PARSER_NS_MAX, "'/>"), *limits, PARSER_OK);
	assert_limit(f, repeated(f, "<a xmlns='", "u", PARSER_NS_MAX + 1, "'/>"), *limits, PARSER_LIMIT);
	assert_limit(f, repeated(f, "<a xmlns:b='", "u", PARSER_NS_MAX + 1, "'/>"), *limits, PARSER_LIMIT);
	assert_int_equal(header(f, repeated(f, "<s xmlns:b='", "u", PARSER_NS_MAX + 1, "'>")), PARSER_LIMIT);
	assert_int_equal(header(f, repeated(f, "<s ", "xmlns:b", 1, "='1' a='2'>")), PARSER_OK);
}

/* However often a long namespace is used, the stanza holds it once. */
static void a_namespace_is_kept_once(void **state)
{
	struct fixture *f = *state;
	struct element *element;
	struct arena arena;
	const char *xml;

	open_stream(f, NS_CLIENT);
	xml = repeated(f, repeated(f, "<a xmlns:x='", "u", 100, "'>"), "<b/><x:c x:d=''/>", 50, "</a>");
	arena_init(&arena, 0);
	assert_int_equal(parser_stanza(f->set, &arena, f->root.prime, f->root.content_ns, xml, strlen(xml),
	                               &parser_limits_default, &element),
	                 PARSER_OK);
	assert_ptr_equal(element->last->element->ns, element->last->element->attrs->ns);
	assert_ptr_equal(element->last->element->ns, element->first->next->element->ns);
	arena_clear(&arena);
}

/* Written without prefixes this would be many times as long as it came. */
static void a_namespace_cannot_be_multiplied(void **state)
{
	const struct parser_limits *limits = &parser_limits_default;
	struct fixture *f = *state;
	const char *declared;

	open_stream(f, NS_CLIENT);
	declared = repeated(f, "<a xmlns:x='", "u", 1000, "'>");
	assert_limit(f, repeated(f, declared, "<x:c/>", 15, "</a>"), *limits, PARSER_OK);
	assert_limit(f, repeated(f, declared, "<x:c/>", 1000, "</a>"), *limits, PARSER_LIMIT);
	assert_limit(f, repeated(f, declared, "<b x:c=''/>", 1000, "</a>"), *limits, PARSER_LIMIT);
	assert_limit(f, repeated(f, declared, "<x:b><x:c/><x:c/></x:b>", 10, "</a>"), *limits, PARSER_OK);
	assert_limit(f, repeated(f, "<a>", "<b xmlns='urn:xmpp:bookmarks:1'/>", 5000, "</a>"), *limits,
	             PARSER_OK);
}

/* ---- parsers are replaced ---- */

static void thousands_of_stanzas(void **state)
{
	struct element *element;
	struct fixture *f = *state;
	struct arena arena;

	open_stream(f, NS_CLIENT);
	arena_init(&arena, 0);
	for (int i = 0; i < 5000; i++) {
		const char *xml = arena_printf(&arena, "<n%d xmlns='urn:%d' a%d=''>%d</n%d>", i, i, i, i, i);

		assert_int_equal(parser_stanza(f->set, &arena, f->root.prime, f->root.content_ns, xml,
		                               strlen(xml), &parser_limits_default, &element),
		                 PARSER_OK);
		assert_string_equal(element->ns, arena_printf(&arena, "urn:%d", i));
		assert_string_equal(element_text(&arena, element), arena_printf(&arena, "%d", i));
		arena_reset(&arena);
	}
	arena_clear(&arena);
}

static void large_stanzas(void **state)
{
	struct element *element;
	struct fixture *f = *state;
	const char *xml;

	open_stream(f, NS_CLIENT);
	for (int i = 0; i < 5; i++) {
		xml = repeated(f, "<a b='", "x", 200000, "'/>");
		assert_int_equal(stanza(f, xml, strlen(xml), &element), PARSER_OK);
		assert_int_equal(strlen(element_attr(element, "b")), 200000);
		xml = repeated(f, "<a>", "x&amp;", 40000, "</a>");
		assert_int_equal(stanza(f, xml, strlen(xml), &element), PARSER_OK);
		assert_int_equal(strlen(element_text(&f->arena, element)), 80000);
	}
	assert_parsed(f, "<a/>", "<a xmlns='jabber:client'/>");
}

/* ---- text of ours ---- */

static void text_of_ours(void **state)
{
	static const char xml[] = "<iq><ping xmlns='urn:xmpp:ping'/></iq>";
	struct fixture *f = *state;
	struct element *element;

	element = parser_text(f->set, &f->arena, NS_CLIENT, xml, sizeof(xml) - 1, &parser_limits_default);
	assert_true(element_is(element, "iq", NS_CLIENT));
	assert_null(element->parent);
	assert_null(element->place);
	element = parser_text(f->set, &f->arena, NS_SERVER, xml, sizeof(xml) - 1, &parser_limits_default);
	assert_true(element_is(element, "iq", NS_SERVER));
	element = parser_text(f->set, &f->arena, "urn:it's", xml, sizeof(xml) - 1, &parser_limits_default);
	assert_true(element_is(element, "iq", "urn:it's"));
	element = parser_text(f->set, &f->arena, "", xml, sizeof(xml) - 1, &parser_limits_default);
	assert_true(element_is(element, "iq", ""));
	assert_null(parser_text(f->set, &f->arena, NS_CLIENT, xml, sizeof(xml) - 2, &parser_limits_default));
	assert_null(parser_text(f->set, &f->arena, NS_CLIENT, "<!-- --><a/>", 12, &parser_limits_default));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_usual_header_shares_its_prime, open_set, close_set),
		cmocka_unit_test_setup_teardown(headers_with_faults, open_set, close_set),
		cmocka_unit_test_setup_teardown(prefixes_declared_on_the_root_hold_in_stanzas, open_set,
		                                close_set),
		cmocka_unit_test_setup_teardown(servers_may_write_dialback_without_declaring_it, open_set,
		                                close_set),
		cmocka_unit_test_setup_teardown(many_unusual_roots, open_set, close_set),
		cmocka_unit_test_setup_teardown(trees_of_stanzas, open_set, close_set),
		cmocka_unit_test_setup_teardown(the_content_namespace_is_jabber_client, open_set, close_set),
		cmocka_unit_test_setup_teardown(stanzas_with_faults, open_set, close_set),
		cmocka_unit_test_setup_teardown(the_separator_cannot_be_injected, open_set, close_set),
		cmocka_unit_test_setup_teardown(each_limit_exceeded_once, open_set, close_set),
		cmocka_unit_test_setup_teardown(a_namespace_has_at_most_1024_bytes, open_set, close_set),
		cmocka_unit_test_setup_teardown(a_namespace_is_kept_once, open_set, close_set),
		cmocka_unit_test_setup_teardown(a_namespace_cannot_be_multiplied, open_set, close_set),
		cmocka_unit_test_setup_teardown(thousands_of_stanzas, open_set, close_set),
		cmocka_unit_test_setup_teardown(large_stanzas, open_set, close_set),
		cmocka_unit_test_setup_teardown(text_of_ours, open_set, close_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
