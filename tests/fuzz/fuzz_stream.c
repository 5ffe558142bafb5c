/* SPDX-License-Identifier: MIT
 *
 * Bytes from a peer through framer, parser and writer. Checked: the units do not depend on how the bytes are
 * cut, what is parsed comes back the same when it is written and parsed again, and what is sent on is within
 * the limits that held when it came. The first byte says in what pieces the rest comes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/tree.h"
#include "xmpp/framer.h"
#include "xmpp/ns.h"
#include "xmpp/parser.h"
#include "xmpp/stanza.h"
#include "xmpp/utf8.h"

enum { LIMIT = 4096, UNITS_MAX = 512 };

#define CHECK(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

struct peer {
	struct parser_set *set;
	struct arena arena;             /* of the stream */
	struct parser_root root;
	size_t ends[UNITS_MAX];         /* where each unit ended, from the first byte */
	size_t units;
};

/* Written, the tree is parsed to the same tree. */
static void check_tree(struct peer *peer, struct element *tree, const char *scope)
{
	struct buf out = { 0 };
	struct element *back;
	struct arena arena;

	arena_init(&arena, 0);
	writer_element(&out, tree, scope);
	CHECK(utf8_is_xml(out.data, out.len));
	back = parser_text(peer->set, &arena, scope ? scope : "", out.data, out.len, &parser_limits_default);
	CHECK(back && tree_same(tree, back));
	buf_clear(&out);
	arena_clear(&arena);
}

/* What goes out is one unit, and within the limits that held when it came. */
static void check_stanza(struct peer *peer, const struct stanza *s)
{
	size_t pos = 0, start, end;
	struct framer framer;
	struct element *back;
	struct buf out = { 0 };
	struct arena arena;

	arena_init(&arena, 0);
	framer_init(&framer);
	buf_add_lit(&out, "<s>");
	stanza_write(&out, s, NULL);
	CHECK(framer_next(&framer, out.data, out.len, SIZE_MAX / 2, &pos, &start, &end) == FRAMER_HEADER);
	CHECK(framer_next(&framer, out.data, out.len, SIZE_MAX / 2, &pos, &start, &end) == FRAMER_STANZA);
	CHECK(start == 3 && end == out.len);
	back = parser_text(peer->set, &arena, NS_CLIENT, out.data + start, end - start,
	                   &parser_limits_default);
	CHECK(back && element_is(back, s->root->name, s->root->ns));
	buf_clear(&out);
	arena_clear(&arena);
}

static void take_stanza(struct peer *peer, const char *bytes, size_t len)
{
	struct stanza *s = stanza_new(len);
	const struct stanza *done = s;
	struct element *root;

	if (parser_stanza(peer->set, &s->arena, peer->root.prime, peer->root.content_ns, bytes, len,
	                  &parser_limits_default, &root) == PARSER_OK) {
		check_tree(peer, root, NS_CLIENT);
		check_tree(peer, root, NULL);
		stanza_read(s, root, "en");
		done = stanza_seal(s);
		check_stanza(peer, done);
		if (done->kind != STANZA_OTHER) {
			const struct stanza *error = stanza_error(done, NULL, STANZA_BAD_REQUEST, "<&>");

			if (error)
				check_stanza(peer, error);
			stanza_unref(&error);
		}
	}
	stanza_unref(&done);
}

static bool take_unit(struct peer *peer, enum framer_result result, const char *bytes, size_t len)
{
	if (result == FRAMER_STANZA) {
		take_stanza(peer, bytes, len);
		return true;
	}
	return result == FRAMER_HEADER && parser_header(peer->set, &peer->arena, bytes, len,
	                                                &parser_limits_default, &peer->root) == PARSER_OK;
}

/* piece: bytes of each read. parse: not only frames. */
static enum framer_result run(struct peer *peer, const char *bytes, size_t len, size_t piece, bool parse)
{
	enum framer_result result = FRAMER_MORE;
	size_t fed = 0, gone = 0, pos = 0, start, end;
	struct framer framer;
	struct buf in = { 0 };

	peer->units = 0;
	framer_init(&framer);
	while (fed < len) {
		size_t n = piece < len - fed ? piece : len - fed;

		buf_add(&in, bytes + fed, n);
		fed += n;
		while ((result = framer_next(&framer, in.data, in.len, LIMIT, &pos, &start, &end)) !=
		       FRAMER_MORE) {
			if (result == FRAMER_TOO_BIG || result == FRAMER_RESTRICTED ||
			    result == FRAMER_BROKEN || peer->units == UNITS_MAX)
				goto over;
			CHECK(start < end && end == pos && end - start <= LIMIT);
			peer->ends[peer->units++] = gone + end;
			if (parse && !take_unit(peer, result, in.data + start, end - start))
				goto over;
		}
		CHECK(pos == in.len && start <= pos);
		buf_consume(&in, start);
		gone += start;
		pos -= start;
	}
over:
	buf_clear(&in);
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	static struct parser_set *set;
	static struct peer whole, split;
	enum framer_result result;

	if (len < 1)
		return 0;
	if (!set)
		set = parser_set_new(&(struct hash_seed){ 1, 2 });
	whole.set = split.set = set;
	arena_init(&whole.arena, 0);
	result = run(&whole, (const char *)input + 1, len - 1, SIZE_MAX, false);
	CHECK(run(&split, (const char *)input + 1, len - 1, 1 + input[0] % 64, false) == result);
	CHECK(whole.units == split.units);
	CHECK(memcmp(whole.ends, split.ends, whole.units * sizeof(whole.ends[0])) == 0);
	run(&whole, (const char *)input + 1, len - 1, SIZE_MAX, true);
	arena_clear(&whole.arena);
	return 0;
}
