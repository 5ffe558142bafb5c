/* SPDX-License-Identifier: MIT
 *
 * The parsers of a worker: made, primed with a root's declarations (RFC 6120 §4.8), fed with whole units,
 * replaced. What expat says of a unit is heard in parser_unit.c; these two are the only door to expat.
 *
 * What must stay true: XML_ParserCreate stands in expat_new and nowhere else; a parser is freed outside of
 * its own callbacks only; after a unit its depth is back where it was and all bytes are used up, or it is not
 * used again.
 */
#include "xmpp/parser.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "parser_inside.h"
#include "xmpp/ns.h"
#include "xmpp/writer.h"

/* A parser's tables of names only grow, so it is replaced after this much (5 us, once in so many stanzas). */
enum {
	RECYCLE_STANZAS = 1000,
	RECYCLE_BYTES = 1 << 20,
	RECYCLE_LARGE = 32 << 10,       /* after any single stanza of this size */
};

const struct parser_limits parser_limits_default = {
	.depth = 64,
	.attributes = 64,
	.declarations = 32,
	.elements = 10000,
};

const struct parser_limits parser_limits_stored = {
	.depth = 256,
	.attributes = 1024,
	.declarations = 256,
	.elements = 1000000,
};

/* The primes of streams that declare nothing unusual. Dialback's elements are recognised by their namespace,
 * and servers write them with the prefix db (XEP-0220 §2.1.1). */
static const struct {
	const char *content_ns, *prime;
	bool has_dialback;
} usual_roots[PARSER_USUAL_ROOTS] = {
	{ NS_CLIENT, "<stream:stream xmlns='" NS_CLIENT "' xmlns:stream='" NS_STREAM "'>", false },
	{ NS_SERVER,
	  "<stream:stream xmlns='" NS_SERVER "' xmlns:stream='" NS_STREAM "' xmlns:db='" NS_DIALBACK "'>",
	  true },
	{ NS_COMPONENT_ACCEPT, "<stream:stream xmlns='" NS_COMPONENT_ACCEPT "' xmlns:stream='" NS_STREAM "'>",
	  false },
};

struct parser_set *parser_set_new(const struct hash_seed *seed)
{
	struct parser_set *set = mem_zalloc(sizeof(*set));

	set->seed = *seed;
	name_index_init(&set->names);
	for (int i = 0; i < PARSER_USUAL_ROOTS; i++)
		set->primed[i].prime = str_dup(usual_roots[i].prime);
	return set;
}

static void primed_retire(struct primed *primed)
{
	if (primed->expat)
		XML_ParserFree(primed->expat);
	primed->expat = NULL;
	primed->stanzas = 0;
	primed->bytes = 0;
}

void parser_set_free(struct parser_set **set)
{
	if (!*set)
		return;
	for (int i = 0; i < PARSER_PRIMED_MAX; i++) {
		primed_retire(&(*set)->primed[i]);
		free((*set)->primed[i].prime);
	}
	buf_clear(&(*set)->text);
	free(*set);
	*set = NULL;
}

/* The hash salt is left to expat, which takes it from the kernel. A unit comes whole, so nothing may be
 * deferred. */
static XML_Parser expat_new(void)
{
	XML_Parser expat = XML_ParserCreateNS("UTF-8", PARSER_SEPARATOR);

	if (!expat)
		abort();
	XML_SetReturnNSTriplet(expat, XML_TRUE);
#ifdef HAVE_XML_SETREPARSEDEFERRALENABLED
	XML_SetReparseDeferralEnabled(expat, XML_FALSE);
#endif
	return expat;
}

/* Priming itself raises no events. */
static void primed_make(struct primed *primed, struct parser_set *set)
{
	size_t len = strlen(primed->prime);

	primed->expat = expat_new();
	if (XML_Parse(primed->expat, primed->prime, (int)len, XML_FALSE) != XML_STATUS_OK)
		assert(!"a prime is well-formed");
	primed->bytes = len;
	unit_listen(set, primed->expat);
}

/* The parser of this prime; one of another unusual root gives way when there are too many. */
static struct primed *set_primed(struct parser_set *set, const char *prime)
{
	struct primed *primed = set->primed;

	while (primed < set->primed + PARSER_PRIMED_MAX && primed->prime && strcmp(primed->prime, prime) != 0)
		primed++;
	if (primed == set->primed + PARSER_PRIMED_MAX) {
		primed = &set->primed[PARSER_USUAL_ROOTS + set->next_victim++ % PARSER_UNUSUAL_ROOTS];
		primed_retire(primed);
		free(primed->prime);
		primed->prime = NULL;
	}
	if (!primed->prime)
		primed->prime = str_dup(prime);
	if (!primed->expat)
		primed_make(primed, set);
	return primed;
}

enum parser_result parser_stanza(struct parser_set *set, struct arena *arena, const char *prime,
                                 const char *content_ns, const char *bytes, size_t len,
                                 const struct parser_limits *limits, struct element **out)
{
	struct primed *primed = set_primed(set, prime);
	enum parser_result result;

	unit_begin(set, arena, limits);
	set->unit.expat = primed->expat;
	if (*content_ns && strcmp(content_ns, NS_CLIENT) != 0)
		set->unit.content_ns = content_ns;
	result = unit_parse(&set->unit, bytes, len, primed->bytes, 0);
	*out = result == PARSER_OK ? set->unit.top : NULL;
	primed->bytes += len;
	primed->stanzas++;
	if (result != PARSER_OK || primed->stanzas >= RECYCLE_STANZAS || primed->bytes >= RECYCLE_BYTES ||
	    len >= RECYCLE_LARGE)
		primed_retire(primed);
	return result;
}

/* ---- the root ---- */

static bool declaration_is(const struct declaration *declaration, const char *prefix, const char *ns)
{
	return declaration->prefix && strcmp(declaration->prefix, prefix) == 0 &&
	       strcmp(declaration->ns, ns) == 0;
}

/* The shared prime for these declarations; NULL: they say more than it does. */
static const char *declarations_usual(const struct declaration *all, const char *content_ns)
{
	int i = 0;

	while (i < PARSER_USUAL_ROOTS && strcmp(usual_roots[i].content_ns, content_ns) != 0)
		i++;
	if (i == PARSER_USUAL_ROOTS)
		return NULL;
	for (const struct declaration *one = all; one; one = one->next) {
		bool is_dialback = usual_roots[i].has_dialback && declaration_is(one, "db", NS_DIALBACK);

		if (one->prefix && !declaration_is(one, "stream", NS_STREAM) && !is_dialback)
			return NULL;
	}
	return usual_roots[i].prime;
}

/* An opening tag with the same declarations. The prefix stream is always bound: it is ours if it is not the
 * peer's. */
static const char *declarations_prime(struct arena *arena, const struct declaration *all)
{
	struct buf tag = { 0 };
	bool has_stream = false;
	const char *prime;

	buf_add_lit(&tag, "<stream:stream");
	for (const struct declaration *one = all; one; one = one->next) {
		has_stream |= one->prefix && strcmp(one->prefix, "stream") == 0;
		buf_add_str(&tag, one->prefix ? " xmlns:" : " xmlns");
		buf_add_str(&tag, one->prefix ? one->prefix : "");
		buf_add_lit(&tag, "='");
		writer_value(&tag, one->ns);
		buf_add_char(&tag, '\'');
	}
	if (!has_stream)
		buf_add_lit(&tag, " xmlns:stream='" NS_STREAM "'");
	buf_add_char(&tag, '>');
	prime = arena_str_len(arena, tag.data, tag.len);
	buf_clear(&tag);
	return prime;
}

static void root_describe(struct parser_root *root, struct arena *arena, const struct unit *unit)
{
	const char *usual;

	root->element = unit->top;
	root->content_ns = "";
	for (const struct declaration *one = unit->declarations; one; one = one->next)
		if (!one->prefix)
			root->content_ns = one->ns;
	usual = declarations_usual(unit->declarations, root->content_ns);
	root->prime = usual ? usual : declarations_prime(arena, unit->declarations);
	root->shared = usual != NULL;
}

enum parser_result parser_header(struct parser_set *set, struct arena *arena, const char *bytes, size_t len,
                                 const struct parser_limits *limits, struct parser_root *out)
{
	struct unit *unit = &set->unit;
	enum parser_result result;

	unit_begin(set, arena, limits);
	unit->is_header = true;
	unit->last_declaration = &unit->declarations;
	unit->expat = expat_new();
	unit_listen(set, unit->expat);
	result = unit_parse(unit, bytes, len, 0, 1);
	XML_ParserFree(unit->expat);
	unit->expat = NULL;
	if (result == PARSER_OK && (unit->elements > 1 || set->text.len > 0))
		result = PARSER_NOT_WELL_FORMED;
	if (result == PARSER_OK)
		root_describe(out, arena, unit);
	return result;
}

/* ---- text of ours ---- */

struct element *parser_text(struct parser_set *set, struct arena *arena, const char *scope, const char *bytes,
                            size_t len, const struct parser_limits *limits)
{
	const struct declaration around = { .ns = scope };
	const char *prime = declarations_usual(&around, scope);
	struct element *element;

	if (!prime)
		prime = declarations_prime(arena, &around);
	parser_stanza(set, arena, prime, NS_CLIENT, bytes, len, limits, &element);
	return element;
}
