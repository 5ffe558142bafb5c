/* SPDX-License-Identifier: MIT
 *
 * The framer against tables, and against expat: on random streams both see the same units, wherever the bytes
 * are cut and whatever is wrong with them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <expat.h>

#include "base/buf.h"
#include "xmpp/framer.h"

enum { EVENTS_MAX = 64 };

struct event {
	size_t result;                  /* enum framer_result */
	size_t start, end;              /* from the stream's first byte */
};

struct events {
	struct event list[EVENTS_MAX];
	size_t count;
};

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

static void events_add(struct events *events, enum framer_result result, size_t start, size_t end)
{
	assert_true(events->count < EVENTS_MAX);
	events->list[events->count++] = (struct event){ result, start, end };
}

static bool is_unit(size_t result)
{
	return result == FRAMER_HEADER || result == FRAMER_STANZA || result == FRAMER_FOOTER;
}

/* Feeds the stream as a connection would, in pieces of 1 .. piece_max bytes, keeping only what is
 * unfinished. */
static void frame(struct events *events, const char *bytes, size_t len, size_t limit, struct random *random,
                  unsigned piece_max)
{
	size_t fed = 0, gone = 0, pos = 0, start, end;
	struct buf in = { 0 };
	struct framer framer;
	enum framer_result result = FRAMER_MORE;

	events->count = 0;
	framer_init(&framer);
	while (fed < len && (result == FRAMER_MORE || is_unit(result))) {
		size_t piece = random ? 1 + random_below(random, piece_max) : len;

		if (piece > len - fed)
			piece = len - fed;
		buf_add(&in, bytes + fed, piece);
		fed += piece;
		while (is_unit(result = framer_next(&framer, in.data, in.len, limit, &pos, &start, &end)))
			events_add(events, result, gone + start, gone + end);
		if (result != FRAMER_MORE)
			break;
		assert_int_equal(pos, in.len);
		assert_true(start <= pos);
		buf_consume(&in, start);
		gone += start;
		pos -= start;
	}
	if (result != FRAMER_MORE)
		events_add(events, result, 0, 0);
	buf_clear(&in);
}

static const char *letters_of(const struct events *events)
{
	static const char letters[] = {
		[FRAMER_MORE] = '?',   [FRAMER_HEADER] = 'h',  [FRAMER_STANZA] = 's',
		[FRAMER_FOOTER] = 'f', [FRAMER_TOO_BIG] = 'B', [FRAMER_RESTRICTED] = 'R',
		[FRAMER_BROKEN] = 'X'
	};
	static char text[EVENTS_MAX + 1];

	for (size_t i = 0; i < events->count; i++)
		text[i] = letters[events->list[i].result];
	text[events->count] = '\0';
	return text;
}

/* h header, s stanza, f footer, B too big, R restricted, X broken. The limit is 100 bytes. */
static const struct {
	const char *bytes, *expected;
} streams[] = {
	{ "", "" },
	{ " \r\n\t", "" },
	{ "<s>", "h" },
	{ "<?xml version='1.0'?><s>", "h" },
	{ "<?xml version='1.0'?> \n <s>", "h" },
	{ "\xef\xbb\xbf<?xml version='1.0'?><s>", "h" },
	{ "\xef\xbb\xbf<s>", "h" },
	{ "\n<s>", "h" },
	{ "<stream:stream a='>' b=\"'/>\">", "h" },
	{ "<s><a/></s>", "hsf" },
	{ "<s> <a/>\n<b>t</b>\r\n<c ></c > </s > ", "hsssf" },
	{ "<s><a/><b>t</b><c ></c ></s >\n", "hsssf" },
	{ "<s><a><a><a/></a>x</a></s>", "hsf" },
	{ "<s><a b='</a>'/><a b=\"'<'>\" c='\"'/></s>", "hssf" },
	{ "<s><a><![CDATA[</a>]] ></a>]]]></a></s>", "hsf" },
	{ "<s><a><![CDATA[]]></a></s>", "hsf" },
	{ "<s><a><![CDATA[>]>]]></a></s>", "hsf" },
	{ "<s><\xc3\xa9/><_/><:/></s>", "hsssf" },
	{ "<s><a>&lt;&#60;]]&gt;></a></s>", "hsf" },
	{ "<s><a/></s>  ", "hsf" },
	/* the header */
	{ "x", "X" },
	{ "<s/>", "X" },
	{ "</s>", "X" },
	{ "\xef\xbb<s>", "X" },
	{ "\xfe\xff\0<", "X" },
	{ "<s>\xef\xbb\xbf", "hX" },
	{ "<?xml?><s>", "R" },
	{ "<?xml-stylesheet a='b'?><s>", "R" },
	{ "<?php ?><s>", "R" },
	{ "<?xml version='1.0'?><?xml version='1.0'?><s>", "R" },
	{ "<?xml version='1.0'?>x<s>", "X" },
	{ "<!DOCTYPE s><s>", "R" },
	{ "<?xml version='1.0'?><!DOCTYPE s [<!ENTITY a 'b'>]><s>", "R" },
	{ "<!-- --><s>", "R" },
	{ "<![CDATA[]]><s>", "X" },
	/* RFC 6120 §11.1 inside the stream */
	{ "<s><?xml version='1.0'?>", "hR" },
	{ "<s><a><?x?></a>", "hR" },
	{ "<s><!-- -->", "hR" },
	{ "<s><a><!-- --></a>", "hR" },
	{ "<s><!DOCTYPE a>", "hR" },
	{ "<s><a><!ENTITY b 'c'></a>", "hR" },
	/* what cannot be */
	{ "<s>x", "hX" },
	{ "<s>&#32;<a/>", "hX" },
	{ "<s><![CDATA[ ]]><a/>", "hX" },
	{ "<s><a><![cdata[]]></a>", "hX" },
	{ "<s><a><![CDATA []></a>", "hX" },
	{ "<s><a><![[", "hX" },
	{ "<s>< a/>", "hX" },
	{ "<s><1/>", "hX" },
	{ "<s><>", "hX" },
	{ "<s><<a/>", "hX" },
	{ "<s><a<b/>", "hX" },
	{ "<s><a/b>", "hX" },
	{ "<s><a/ >", "hX" },
	{ "<s><a></a<", "hX" },
	{ "<s></s>x", "hfX" },
	{ "<s></s><s>", "hfX" },
};

static void streams_by_example(void **state)
{
	struct events events;

	(void)state;
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		for (uint64_t seed = 0; seed < 20; seed++) {
			struct random random = { seed + 88172645463325252u };

			frame(&events, streams[i].bytes, strlen(streams[i].bytes), 100, seed ? &random : NULL,
			      3);
			assert_string_equal(letters_of(&events), streams[i].expected);
		}
	}
}

/* A stream of `before`, `count` times `piece` and `after`. */
static struct buf stream_of(const char *before, const char *piece, size_t count, const char *after)
{
	struct buf bytes = { 0 };

	buf_add_str(&bytes, before);
	while (count--)
		buf_add_str(&bytes, piece);
	buf_add_str(&bytes, after);
	return bytes;
}

static void assert_frames(struct buf bytes, size_t limit, const char *expected)
{
	struct events events;

	for (uint64_t seed = 0; seed < 50; seed++) {
		struct random random = { seed + 88172645463325252u };

		frame(&events, bytes.data, bytes.len, limit, seed ? &random : NULL, seed < 25 ? 7 : 100);
		assert_string_equal(letters_of(&events), expected);
	}
	buf_clear(&bytes);
}

static void a_unit_of_the_limit_passes_and_one_more_byte_does_not(void **state)
{
	(void)state;
	assert_frames(stream_of("<s><a>", "x", 93, "</a></s>"), 100, "hsf");
	assert_frames(stream_of("<s><a>", "x", 94, "</a></s>"), 100, "hB");
	assert_frames(stream_of("<s><a b='", "x", 91, "'/></s>"), 100, "hsf");
	assert_frames(stream_of("<s><a b='", "x", 92, "'/></s>"), 100, "hB");
	assert_frames(stream_of("<s a='", "x", 92, "'>"), 100, "h");
	assert_frames(stream_of("<s a='", "x", 93, "'>"), 100, "B");
	assert_frames(stream_of("<?xml", " ", 200, "?><s>"), 100, "B");
	assert_frames(stream_of("<s>", " ", 1000, "<a/>"), 100, "hs");
	assert_frames(stream_of("<s>", "<a/>", 3, "</s>"), 4, "hsssf");
}

static void the_hard_limits_hold(void **state)
{
	(void)state;
	assert_frames(stream_of("<s>", "<a>", FRAMER_DEPTH_MAX - 1, ""), 1 << 20, "h");
	assert_frames(stream_of("<s>", "<a>", FRAMER_DEPTH_MAX, ""), 1 << 20, "hB");
	assert_frames(stream_of("<s>", "<a>", 100000, ""), 1 << 20, "hB");
	assert_frames(stream_of("<s><a ", "b='' ", FRAMER_ATTRIBUTES_MAX, "/>"), 1 << 20, "hs");
	assert_frames(stream_of("<s><a ", "b='' ", FRAMER_ATTRIBUTES_MAX + 1, "/>"), 1 << 20, "hB");
	assert_frames(stream_of("<s ", "b='' ", FRAMER_ATTRIBUTES_MAX + 1, ">"), 1 << 20, "B");
	assert_frames(stream_of("<s><a>", "<b c='' d='' e=''/>", FRAMER_ATTRIBUTES_MAX, "</a>"), 1 << 20,
	              "hs");
}

/* ---- expat as the authority ---- */

struct reference {
	XML_Parser expat;
	struct events events;
	size_t start;
	int depth;
};

static size_t reference_at(struct reference *reference)
{
	return (size_t)XML_GetCurrentByteIndex(reference->expat);
}

static size_t reference_behind(struct reference *reference)
{
	return reference_at(reference) + (size_t)XML_GetCurrentByteCount(reference->expat);
}

static void XMLCALL reference_start(void *user, const char *name, const char **atts)
{
	struct reference *reference = user;

	(void)name, (void)atts;
	if (++reference->depth == 1)
		events_add(&reference->events, FRAMER_HEADER, 0, reference_behind(reference));
	else if (reference->depth == 2)
		reference->start = reference_at(reference);
}

static void XMLCALL reference_end(void *user, const char *name)
{
	struct reference *reference = user;

	(void)name;
	if (--reference->depth == 1)
		events_add(&reference->events, FRAMER_STANZA, reference->start, reference_behind(reference));
	else if (reference->depth == 0)
		events_add(&reference->events, FRAMER_FOOTER, reference_at(reference),
		           reference_behind(reference));
}

/* What expat sees of the stream; answers whether it found nothing wrong. */
static bool reference_parse(struct events *events, const char *bytes, size_t len)
{
	struct reference reference = { .expat = XML_ParserCreate("UTF-8") };
	enum XML_Status status;

	XML_SetUserData(reference.expat, &reference);
	XML_SetElementHandler(reference.expat, reference_start, reference_end);
	status = XML_Parse(reference.expat, bytes, (int)len, XML_TRUE);
	XML_ParserFree(reference.expat);
	*events = reference.events;
	return status == XML_STATUS_OK;
}

static void add_one_of(struct buf *out, struct random *random, const char *const pieces[], unsigned count)
{
	buf_add_str(out, pieces[random_below(random, count)]);
}

#define ADD_ONE_OF(out, random, ...) \
	do { \
		static const char *const pieces[] = { __VA_ARGS__ }; \
		add_one_of(out, random, pieces, sizeof(pieces) / sizeof(pieces[0])); \
	} while (0)

static void add_tag(struct buf *out, struct random *random, const char *name)
{
	static const char *const names[] = { "a", "b1", "c-d", "\xc3\xa9" };

	buf_add_char(out, '<');
	buf_add_str(out, name);
	for (unsigned i = 0, count = random_below(random, 4); i < count; i++) {
		ADD_ONE_OF(out, random, " ", "\n ", "\t");
		buf_add_str(out, names[i]);
		ADD_ONE_OF(out, random, "=", " = ");
		ADD_ONE_OF(out, random, "''", "'x'", "'>'", "\">/>\"", "\"it's\"", "'\"'", "'&lt;&#x3e;'",
			   "'/'",
			   "'\xe2\x82\xac ]]>'");
	}
	ADD_ONE_OF(out, random, "", " ");
}

static void add_element(struct buf *out, struct random *random, int depth)
{
	static const char *const names[] = { "a", "message", "x:y", "_" };
	const char *name = names[random_below(random, 4)];

	add_tag(out, random, name);
	if (random_below(random, 3) == 0) {
		buf_add_str(out, "/>");
		return;
	}
	buf_add_char(out, '>');
	for (unsigned i = 0, count = random_below(random, 4); i < count; i++) {
		if (depth < 5 && random_below(random, 2))
			add_element(out, random, depth + 1);
		else
			ADD_ONE_OF(out, random, "text", " ", "&amp;", "x>", "]]", "<![CDATA[]]>",
				   "<![CDATA[</a>]]>",
				   "<![CDATA[]>]]]]>", "<![CDATA[<![CDATA[ ]]>", "\xf0\x9f\x98\x80", "'\"/=");
	}
	buf_add_str(out, "</");
	buf_add_str(out, name);
	ADD_ONE_OF(out, random, ">", " >", "\n>");
}

static void add_stream(struct buf *out, struct random *random)
{
	ADD_ONE_OF(out, random, "", "<?xml version='1.0'?>", "<?xml version=\"1.0\" encoding='UTF-8'?>\n");
	add_tag(out, random, "s:s");
	buf_add_char(out, '>');
	for (unsigned i = 0, count = random_below(random, 10); i < count; i++) {
		ADD_ONE_OF(out, random, "", " ", "\n", "\r\n\t ");
		add_element(out, random, 1);
	}
	ADD_ONE_OF(out, random, "</s:s>", " </s:s >", "</s:s>\n");
}

static void assert_same_events(const struct events *a, const struct events *b)
{
	assert_int_equal(a->count, b->count);
	assert_memory_equal(a->list, b->list, a->count * sizeof(a->list[0]));
}

static void random_streams_have_the_units_that_expat_sees(void **state)
{
	struct random random = { 88172645463325252u };
	struct events expected, whole, split;
	struct buf stream = { 0 };

	(void)state;
	for (int turn = 0; turn < 5000; turn++) {
		stream.len = 0;
		add_stream(&stream, &random);
		assert_true(reference_parse(&expected, stream.data, stream.len));
		frame(&whole, stream.data, stream.len, 1 << 20, NULL, 0);
		assert_same_events(&whole, &expected);
		frame(&split, stream.data, stream.len, 1 << 20, &random, turn % 2 ? 2 : 60);
		assert_same_events(&split, &expected);
	}
	buf_clear(&stream);
}

/* Bytes are changed at random: as far as both go, expat and the framer agree on where each unit lies. */
static void damaged_streams_are_never_cut_elsewhere(void **state)
{
	static const char bytes[] = "<>/'\"![]-?CDATA&; \n=xa\xc3\xff";
	struct random random = { 2463534242u };
	struct events expected, whole, split;
	struct buf stream = { 0 };

	(void)state;
	for (int turn = 0; turn < 20000; turn++) {
		stream.len = 0;
		add_stream(&stream, &random);
		for (unsigned i = 0, count = 1 + random_below(&random, 3); i < count; i++)
			stream.data[random_below(&random, (unsigned)stream.len)] =
				bytes[random_below(&random, sizeof(bytes) - 1)];
		reference_parse(&expected, stream.data, stream.len);
		frame(&whole, stream.data, stream.len, 1 << 20, NULL, 0);
		frame(&split, stream.data, stream.len, 1 << 20, &random, turn % 2 ? 2 : 60);
		assert_same_events(&split, &whole);
		for (size_t i = 0; i < expected.count && i < whole.count && is_unit(whole.list[i].result);
		     i++)
			assert_memory_equal(&whole.list[i], &expected.list[i], sizeof(whole.list[i]));
	}
	buf_clear(&stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_by_example),
		cmocka_unit_test(a_unit_of_the_limit_passes_and_one_more_byte_does_not),
		cmocka_unit_test(the_hard_limits_hold),
		cmocka_unit_test(random_streams_have_the_units_that_expat_sees),
		cmocka_unit_test(damaged_streams_are_never_cut_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
