/* SPDX-License-Identifier: MIT
 *
 * Stanzas: common attributes (RFC 6120 §8.1), what goes out for each copy, answers and errors (§8.2.3, §8.3).
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
#include "xmpp/stanza.h"

struct fixture {
	struct parser_set *set;
};

static int open_set(void **state)
{
	static struct fixture fixture;

	fixture.set = parser_set_new(&(struct hash_seed){ 1, 2 });
	*state = &fixture;
	return 0;
}

static int close_set(void **state)
{
	parser_set_free(&((struct fixture *)*state)->set);
	return 0;
}

static struct stanza *read_stanza(struct fixture *f, const char *xml, const char *lang,
                                  enum stanza_check expected)
{
	struct stanza *s = stanza_new(strlen(xml));
	struct element *root =
		parser_text(f->set, &s->arena, NS_CLIENT, xml, strlen(xml), &parser_limits_default);

	assert_non_null(root);
	assert_int_equal(stanza_read(s, root, lang), expected);
	return s;
}

static const struct stanza *sealed(struct fixture *f, const char *xml)
{
	return stanza_seal(read_stanza(f, xml, NULL, STANZA_CHECK_OK));
}

static void assert_goes_out(const struct stanza *s, const struct stanza_copy *copy, const char *expected)
{
	struct buf out = { 0 };

	stanza_write(&out, s, copy);
	buf_add_char(&out, '\0');
	assert_string_equal(out.data, expected);
	buf_clear(&out);
}

static void assert_written(struct fixture *f, const char *xml, const char *expected)
{
	const struct stanza *s = sealed(f, xml);

	assert_goes_out(s, NULL, expected);
	stanza_unref(&s);
	assert_null(s);
}

static void kinds_and_types(void **state)
{
	static const struct {
		const char *xml;
		enum stanza_kind kind;
		enum stanza_type type;
	} stanzas[] = {
		{ "<message/>", STANZA_MESSAGE, MESSAGE_NORMAL },
		{ "<message type='normal'/>", STANZA_MESSAGE, MESSAGE_NORMAL },
		{ "<message type='chat'/>", STANZA_MESSAGE, MESSAGE_CHAT },
		{ "<message type='groupchat'/>", STANZA_MESSAGE, MESSAGE_GROUPCHAT },
		{ "<message type='headline'/>", STANZA_MESSAGE, MESSAGE_HEADLINE },
		{ "<message type='error'/>", STANZA_MESSAGE, MESSAGE_ERROR },
		{ "<message type='Chat'/>", STANZA_MESSAGE, MESSAGE_NORMAL },
		{ "<presence/>", STANZA_PRESENCE, PRESENCE_AVAILABLE },
		{ "<presence type='unavailable'/>", STANZA_PRESENCE, PRESENCE_UNAVAILABLE },
		{ "<presence type='subscribe'/>", STANZA_PRESENCE, PRESENCE_SUBSCRIBE },
		{ "<presence type='subscribed'/>", STANZA_PRESENCE, PRESENCE_SUBSCRIBED },
		{ "<presence type='unsubscribe'/>", STANZA_PRESENCE, PRESENCE_UNSUBSCRIBE },
		{ "<presence type='unsubscribed'/>", STANZA_PRESENCE, PRESENCE_UNSUBSCRIBED },
		{ "<presence type='probe'/>", STANZA_PRESENCE, PRESENCE_PROBE },
		{ "<presence type='error'/>", STANZA_PRESENCE, PRESENCE_ERROR },
		{ "<presence type='available'/>", STANZA_PRESENCE, PRESENCE_INVALID },
		{ "<presence type=''/>", STANZA_PRESENCE, PRESENCE_INVALID },
		{ "<iq type='get'/>", STANZA_IQ, IQ_GET },
		{ "<iq type='set'/>", STANZA_IQ, IQ_SET },
		{ "<iq type='result'/>", STANZA_IQ, IQ_RESULT },
		{ "<iq type='error'/>", STANZA_IQ, IQ_ERROR },
		{ "<iq/>", STANZA_IQ, IQ_INVALID },
		{ "<iq type='chat'/>", STANZA_IQ, IQ_INVALID },
		{ "<auth xmlns='urn:x' type='get'/>", STANZA_OTHER, STANZA_TYPE_NONE },
		{ "<message xmlns='urn:x'/>", STANZA_OTHER, STANZA_TYPE_NONE },
		{ "<Message/>", STANZA_OTHER, STANZA_TYPE_NONE },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(stanzas) / sizeof(stanzas[0]); i++) {
		const struct stanza *s = sealed(f, stanzas[i].xml);

		assert_int_equal(s->kind, stanzas[i].kind);
		assert_int_equal(s->type, stanzas[i].type);
		stanza_unref(&s);
	}
	assert_string_equal(stanza_kind_name(STANZA_PRESENCE), "presence");
	assert_string_equal(stanza_type_name(PRESENCE_PROBE), "probe");
	assert_null(stanza_type_name(MESSAGE_NORMAL));
	assert_null(stanza_type_name(PRESENCE_AVAILABLE));
}

static void common_attributes(void **state)
{
	struct fixture *f = *state;
	const struct stanza *s =
		read_stanza(f,
	                    "<iq from='A@North.example/x' to='South.example' id='&lt;1' type='get' "
	                    "xml:lang='fr'/>",
	                    "de", STANZA_CHECK_OK);

	assert_string_equal(s->from.text, "a@north.example/x");
	assert_string_equal(s->to.text, "south.example");
	assert_string_equal(s->id, "<1");
	assert_string_equal(s->lang, "fr");
	stanza_unref(&s);
	s = read_stanza(f, "<message/>", "de", STANZA_CHECK_OK);
	assert_null(s->from.text);
	assert_null(s->to.text);
	assert_null(s->id);
	assert_string_equal(s->lang, "de");
	stanza_unref(&s);
}

static void addresses_are_checked(void **state)
{
	struct fixture *f = *state;
	const struct stanza *s =
		read_stanza(f, "<iq from='@b' to='c' type='get' id='1'/>", NULL, STANZA_CHECK_FROM);

	assert_null(s->from.text);
	assert_string_equal(s->to.text, "c");
	stanza_unref(&s);
	s = read_stanza(f, "<iq from='b' to='' type='get' id='1'/>", NULL, STANZA_CHECK_TO);
	assert_string_equal(s->from.text, "b");
	assert_null(s->to.text);
	stanza_unref(&s);
}

static void what_goes_out(void **state)
{
	struct fixture *f = *state;

	assert_written(f, "<presence/>", "<presence/>");
	assert_written(f, "<presence></presence>", "<presence/>");
	assert_written(f, "<message type='normal'> </message>", "<message> </message>");
	assert_written(f,
	               "<message id=\"it's\" to='A@b/c&amp;d' type='chat'><body "
	               "xml:lang='de'>x&amp;y</body></message>",
	               "<message to='a@b/c&amp;d' type='chat' id='it&apos;s'><body "
	               "xml:lang='de'>x&amp;y</body></message>");
	assert_written(f,
	               "<message foo='1' to='b' xml:lang='en' xmlns:q='urn:q' q:id='2' xml:space='preserve' "
	               "from='a'/>",
	               "<message from='a' to='b' xml:lang='en' foo='1' xmlns:ns4='urn:q' ns4:id='2' "
	               "xml:space='preserve'/>");
	assert_written(f, "<message><x xmlns='urn:x'><message xmlns='jabber:client'/></x></message>",
	               "<message><x xmlns='urn:x'><message xmlns='jabber:client'/></x></message>");
	assert_written(f, "<r xmlns='urn:xmpp:sm:3' id='1'><x/></r>",
	               "<r xmlns='urn:xmpp:sm:3' id='1'><x/></r>");
}

static void copies_share_the_content(void **state)
{
	const struct jid from = { "room@south/nick", 4, 5, 4 }, to = { "c@d/e", 1, 1, 1 };
	static const char tail[] = "<delay/>";
	struct fixture *f = *state;
	const struct stanza *s = sealed(f, "<message from='a' to='b' id='1'><body/></message>");

	assert_goes_out(s, NULL, "<message from='a' to='b' id='1'><body/></message>");
	assert_goes_out(s, &(struct stanza_copy){ .to = &to },
	                "<message from='a' to='c@d/e' id='1'><body/></message>");
	assert_goes_out(s, &(struct stanza_copy){ .from = &from, .tail = tail, .tail_len = sizeof(tail) - 1 },
	                "<message from='room@south/nick' to='b' id='1'><body/><delay/></message>");
	stanza_unref(&s);
	s = sealed(f, "<presence/>");
	assert_goes_out(s, &(struct stanza_copy){ .to = &to, .tail = tail, .tail_len = sizeof(tail) - 1 },
	                "<presence to='c@d/e'><delay/></presence>");
	stanza_unref(&s);
}

/* What is let on to the next hop is never larger than the next hop's limit, however it grows by escaping. */
static void it_fits_or_it_does_not(void **state)
{
	static const char *const stanzas[] = {
		"<presence from='a' to='b'/>",
		"<presence from='a' to='b'><x/></presence>",
		"<message to='b' from='a@b/&apos;&apos;&apos;&apos;&quot;'><body>it&apos;s</body></message>",
		"<message to='a@b/&apos;&apos;&apos;&apos;' from='b' id='&quot;&quot;'>&apos;&apos;&apos;</message>",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(stanzas) / sizeof(stanzas[0]); i++) {
		const struct stanza *s = sealed(f, stanzas[i]);
		struct buf out = { 0 };

		stanza_write(&out, s, NULL);
		assert_false(stanza_fits(s, &s->to, out.len - 1));
		assert_true(stanza_fits(s, &s->to, out.len + 40 + 5 * (jid_len(&s->from) + jid_len(&s->to))));
		buf_clear(&out);
		stanza_unref(&s);
	}
}

/* The edge that a stanza enters by sets from; what the sender wrote does not go out. */
static void from_is_what_was_stamped(void **state)
{
	struct fixture *f = *state;
	struct stanza *s = read_stanza(f, "<message from='liar@north' to='b'/>", NULL, STANZA_CHECK_OK);
	const struct stanza *done;

	s->from = (struct jid){ "a@north/x", 1, 5, 1 };
	done = stanza_seal(s);
	assert_goes_out(done, NULL, "<message from='a@north/x' to='b'/>");
	stanza_unref(&done);
}

static void references_are_counted(void **state)
{
	struct fixture *f = *state;
	const struct stanza *s = sealed(f, "<message/>"), *other = stanza_ref(s), *none = NULL;

	assert_ptr_equal(s, other);
	stanza_unref(&s);
	assert_null(s);
	assert_goes_out(other, NULL, "<message/>");
	stanza_unref(&other);
	stanza_unref(&none);
}

static void a_stanza_of_ours(void **state)
{
	struct jid from = { "north", 0, 5, 0 }, to = { "a@b/c", 1, 1, 1 };
	struct stanza *s = stanza_make(STANZA_IQ, IQ_SET, &from, &to, "x1");
	const struct stanza *done;

	(void)state;
	element_add(&s->arena, s->root, "query", NS_ROSTER);
	done = stanza_seal(s);
	assert_goes_out(
		done, NULL,
		"<iq from='north' to='a@b/c' type='set' id='x1'><query xmlns='jabber:iq:roster'/></iq>");
	assert_true(stanza_weight(done) >= strlen("<iq from='north' to='a@b/c' type='set' id='x1'>"));
	assert_true(stanza_weight(done) < 200);
	stanza_unref(&done);
	done = stanza_seal(stanza_make(STANZA_PRESENCE, PRESENCE_AVAILABLE, NULL, NULL, NULL));
	assert_goes_out(done, NULL, "<presence/>");
	stanza_unref(&done);
}

static void a_result_answers_its_iq(void **state)
{
	struct fixture *f = *state;
	const struct stanza *iq =
		sealed(f, "<iq from='a@b/c' to='d' type='get' id='7'><ping xmlns='urn:xmpp:ping'/></iq>");
	const struct stanza *result = stanza_seal(stanza_result(iq));

	assert_goes_out(result, NULL, "<iq from='d' to='a@b/c' type='result' id='7'/>");
	stanza_unref(&result);
	stanza_unref(&iq);
}

static void assert_error(struct fixture *f, const char *xml, const char *expected)
{
	const struct stanza *s = sealed(f, xml),
			    *error = stanza_error(s, NULL, STANZA_SERVICE_UNAVAILABLE, NULL);

	if (expected)
		assert_goes_out(error, NULL, expected);
	else
		assert_null(error);
	stanza_unref(&error);
	stanza_unref(&s);
}

#define ERROR \
	"<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"

static void errors_carry_the_original(void **state)
{
	struct fixture *f = *state;

	assert_error(f, "<iq from='a' to='b' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>",
	             "<iq from='b' to='a' type='error' id='1'><ping xmlns='urn:xmpp:ping'/>" ERROR "</iq>");
	assert_error(f, "<message from='a' to='b' xml:lang='de'>\n<body>x&lt;</body></message>",
	             "<message from='b' to='a' type='error' xml:lang='de'>\n<body>x&lt;</body>" ERROR
	             "</message>");
	assert_error(f, "<presence from='a' to='b' type='subscribe'/>",
	             "<presence from='b' to='a' type='error'>" ERROR "</presence>");
	assert_error(f, "<presence to='b' type='nonsense'/>",
	             "<presence from='b' type='error'>" ERROR "</presence>");
	assert_error(f, "<iq type='nonsense' id='1'/>", "<iq type='error' id='1'>" ERROR "</iq>");
}

/* An error is never much larger than what it answers: its receiver has limits too. */
static void a_long_original_is_left_out(void **state)
{
	struct fixture *f = *state;
	char xml[10000] = "<iq type='get' id='1'><a b='";

	memset(xml + strlen(xml), 'x', 9000);
	strcpy(xml + strlen(xml), "'/></iq>");
	assert_error(f, xml, "<iq type='error' id='1'>" ERROR "</iq>");
}

/* RFC 6120 §8.3.1 rule 8. */
static void nothing_answers_an_error_or_a_result(void **state)
{
	struct fixture *f = *state;

	assert_error(f, "<iq from='a' to='b' type='error' id='1'/>", NULL);
	assert_error(f, "<iq from='a' to='b' type='result' id='1'/>", NULL);
	assert_error(f, "<message from='a' to='b' type='error'/>", NULL);
	assert_error(f, "<presence from='a' to='b' type='error'/>", NULL);
	assert_error(f, "<auth xmlns='urn:x'/>", NULL);
}

/* A stanza whose address is none is answered before it is sealed; somebody else may say so. */
static void an_error_for_what_was_never_sealed(void **state)
{
	const struct jid server = { "north", 0, 5, 0 };
	struct fixture *f = *state;
	const struct stanza *s =
		read_stanza(f, "<message from='a' to='b@'><body/></message>", "de", STANZA_CHECK_TO);
	const struct stanza *error = stanza_error(s, &server, STANZA_JID_MALFORMED, "No address.");

	stanza_unref(&s);
	assert_goes_out(error, NULL,
	                "<message from='north' to='a' type='error' xml:lang='de'><error type='modify'>"
	                "<jid-malformed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text "
	                "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>No "
	                "address.</text></error></message>");
	assert_int_equal(stanza_condition_of(element_child(error->root, "error", NS_CLIENT)),
	                 STANZA_JID_MALFORMED);
	stanza_unref(&error);
}

/* Tree and serialised form of an ordinary stanza lie in the one piece that was allocated for it. */
static void an_ordinary_stanza_is_one_allocation(void **state)
{
	static const char *const stanzas[] = {
		"<message to='juliet@capulet.example/balcony' from='romeo@montague.example/orchard' "
		"type='chat' "
		"id='a1b2c3d4-0001'><body>Neither, fair saint, if either thee dislike. It is my lady</body>"
		"<active xmlns='http://jabber.org/protocol/chatstates'/><origin-id xmlns='urn:xmpp:sid:0' "
		"id='a1b2c3d4-0001'/><request xmlns='urn:xmpp:receipts'/></message>",
		"<iq type='get' id='ping-000001' to='m.example'><ping xmlns='urn:xmpp:ping'/></iq>",
		"<presence from='romeo@montague.example/orchard'><show>away</show><status>in the "
		"garden</status>"
		"<priority>5</priority><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' "
		"node='https://h.example' ver='QgayPKa+XM4='/></presence>",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(stanzas) / sizeof(stanzas[0]); i++) {
		struct stanza *s = stanza_new(strlen(stanzas[i]));
		size_t before = arena_footprint(&s->arena);
		const struct stanza *done;

		stanza_read(s,
		            parser_text(f->set, &s->arena, NS_CLIENT, stanzas[i], strlen(stanzas[i]),
		                        &parser_limits_default),
		            "en");
		done = stanza_seal(s);
#ifndef __SANITIZE_ADDRESS__    /* its gaps between pieces take room */
		assert_int_equal(arena_footprint(&done->arena), before);
#endif
		assert_true(before < 5 * strlen(stanzas[i]) + 600);
		stanza_unref(&done);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_and_types),
		cmocka_unit_test(common_attributes),
		cmocka_unit_test(addresses_are_checked),
		cmocka_unit_test(what_goes_out),
		cmocka_unit_test(copies_share_the_content),
		cmocka_unit_test(it_fits_or_it_does_not),
		cmocka_unit_test(from_is_what_was_stamped),
		cmocka_unit_test(references_are_counted),
		cmocka_unit_test(a_stanza_of_ours),
		cmocka_unit_test(a_result_answers_its_iq),
		cmocka_unit_test(errors_carry_the_original),
		cmocka_unit_test(a_long_original_is_left_out),
		cmocka_unit_test(nothing_answers_an_error_or_a_result),
		cmocka_unit_test(an_error_for_what_was_never_sealed),
		cmocka_unit_test(an_ordinary_stanza_is_one_allocation),
	};

	return cmocka_run_group_tests(tests, open_set, close_set);
}
