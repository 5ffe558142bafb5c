/* SPDX-License-Identifier: MIT
 *
 * What one stanza costs between the bytes that come in and the bytes that go out, step by step, beside expat
 * alone on the same bytes. Nanoseconds of CPU, the best of several rounds.
 *
 *	make tests/bench/bench_stanza && tests/bench/bench_stanza
 */
#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "xmpp/framer.h"
#include "xmpp/ns.h"
#include "xmpp/parser.h"
#include "xmpp/stanza.h"
#include "xmpp/utf8.h"

#define HEADER \
	"<stream:stream xmlns='" NS_CLIENT "' xmlns:stream='" NS_STREAM "' to='north.example' version='1.0'>"

static const struct {
	const char *name, *xml;
} samples[] = {
	{ "message",
	  "<message to='juliet@capulet.example/balcony' from='romeo@montague.example/orchard' type='chat' "
	  "id='a1b2c3d4-0001'><body>Neither, fair saint, if either thee dislike. It is my lady</body>"
	  "<active xmlns='http://jabber.org/protocol/chatstates'/><origin-id xmlns='urn:xmpp:sid:0' "
	  "id='a1b2c3d4-0001'/><request xmlns='urn:xmpp:receipts'/></message>" },
	{ "presence",
	  "<presence from='romeo@montague.example/orchard'><show>away</show><status>in the garden</status>"
	  "<priority>5</priority><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' "
	  "node='https://h.example' ver='QgayPKa+XM4='/></presence>" },
	{ "iq", "<iq type='get' id='ping-000001' to='m.example'><ping xmlns='urn:xmpp:ping'/></iq>" },
};

enum { ROUNDS = 9, TURNS = 20000 };

struct bench {
	struct parser_set *set;
	struct parser_root root;
	struct framer open;             /* behind the header */
	struct arena arena;
	XML_Parser expat;
	size_t fed;
	const char *xml;
	size_t len;
	const struct stanza *sealed;
	struct buf out;
};

static void XMLCALL expat_start(void *user, const char *name, const char **atts)
{
	(void)user, (void)name, (void)atts;
}

static void XMLCALL expat_end(void *user, const char *name)
{
	(void)user, (void)name;
}

static void XMLCALL expat_text(void *user, const char *text, int len)
{
	(void)user, (void)text, (void)len;
}

/* expat alone, set up as the parser does it and recycled at the same pace. */
static void expat_renew(struct bench *bench)
{
	if (bench->expat)
		XML_ParserFree(bench->expat);
	bench->expat = XML_ParserCreateNS("UTF-8", '\x1f');
	XML_SetReturnNSTriplet(bench->expat, XML_TRUE);
	XML_SetElementHandler(bench->expat, expat_start, expat_end);
	XML_SetCharacterDataHandler(bench->expat, expat_text);
#ifdef HAVE_XML_SETREPARSEDEFERRALENABLED
	XML_SetReparseDeferralEnabled(bench->expat, XML_FALSE);
#endif
	XML_Parse(bench->expat, HEADER, sizeof(HEADER) - 1, 0);
	bench->fed = 0;
}

static void run_expat(struct bench *bench)
{
	if (bench->fed++ == 1000)
		expat_renew(bench);
	if (XML_Parse(bench->expat, bench->xml, (int)bench->len, 0) != XML_STATUS_OK)
		abort();
}

static void run_framer(struct bench *bench)
{
	struct framer framer = bench->open;
	size_t pos = 0, start, end;

	if (framer_next(&framer, bench->xml, bench->len, 1 << 18, &pos, &start, &end) != FRAMER_STANZA)
		abort();
}

static void run_utf8(struct bench *bench)
{
	if (!utf8_is_xml(bench->xml, bench->len))
		abort();
}

static struct stanza *parse(struct bench *bench)
{
	struct stanza *s = stanza_new(bench->len);
	struct element *root;

	if (parser_stanza(bench->set, &s->arena, bench->root.prime, bench->root.content_ns, bench->xml,
	                  bench->len, &parser_limits_default, &root) != PARSER_OK ||
	    stanza_read(s, root, "en") != STANZA_CHECK_OK)
		abort();
	return s;
}

static void run_parse(struct bench *bench)
{
	const struct stanza *s = parse(bench);

	stanza_unref(&s);
}

static void run_seal(struct bench *bench)
{
	const struct stanza *s = stanza_seal(parse(bench));

	stanza_unref(&s);
}

static void run_write(struct bench *bench)
{
	bench->out.len = 0;
	stanza_write(&bench->out, bench->sealed, NULL);
}

static void run_all(struct bench *bench)
{
	const struct stanza *s;

	run_framer(bench);
	s = stanza_seal(parse(bench));
	bench->out.len = 0;
	stanza_write(&bench->out, s, NULL);
	stanza_unref(&s);
}

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double measure(struct bench *bench, void (*run)(struct bench *))
{
	double best = 1e18;

	for (int round = 0; round < ROUNDS; round++) {
		double start = now_ns(), each;

		for (int turn = 0; turn < TURNS; turn++)
			run(bench);
		each = (now_ns() - start) / TURNS;
		if (each < best)
			best = each;
	}
	return best;
}

static void report(struct bench *bench, const char *name)
{
	double expat = measure(bench, run_expat), all;

	bench->sealed = stanza_seal(parse(bench));
	all = measure(bench, run_all);
	printf("%-14s %4zu  %6.0f  %6.0f  %6.0f  %6.0f  %6.0f  %6.0f  %6.0f  %5.2f  %6zu\n", name, bench->len,
	       expat, measure(bench, run_framer), measure(bench, run_utf8), measure(bench, run_parse),
	       measure(bench, run_seal), measure(bench, run_write), all, all / expat,
	       arena_footprint(&bench->sealed->arena));
	stanza_unref(&bench->sealed);
}

int main(void)
{
	struct bench bench = { .set = parser_set_new(&(struct hash_seed){ 1, 2 }) };

	size_t pos = 0, start, end;

	arena_init(&bench.arena, 0);
	framer_init(&bench.open);
	framer_next(&bench.open, HEADER, sizeof(HEADER) - 1, 1 << 18, &pos, &start, &end);
	if (parser_header(bench.set, &bench.arena, HEADER, sizeof(HEADER) - 1, &parser_limits_default,
	                  &bench.root) != PARSER_OK)
		abort();
	expat_renew(&bench);
	printf("ns of CPU       bytes   expat  framer    utf8   parse   +seal   write     all  /expat  "
	       "footprint\n");
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		bench.xml = samples[i].xml;
		bench.len = strlen(samples[i].xml);
		report(&bench, samples[i].name);
	}
	buf_clear(&bench.out);
	arena_clear(&bench.arena);
	XML_ParserFree(bench.expat);
	parser_set_free(&bench.set);
	return 0;
}
