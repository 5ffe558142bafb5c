/* SPDX-License-Identifier: MIT
 *
 * The only door to expat. A unit that the framer has found whole is given to a primed parser in one call, and
 * its events become a tree in the caller's arena. RFC 6120 §11.1 (restrictions), §11.6 (UTF-8), §4.8
 * (namespaces).
 *
 * What must stay true: XML_ParserCreate stands in expat_new and nowhere else; a parser is freed outside of
 * its own callbacks only; after a unit its depth is back where it was and all bytes are used up, or it is not
 * used again.
 */
#include "xmpp/parser.h"

#include <assert.h>
#include <expat.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "xmpp/name.h"
#include "xmpp/ns.h"
#include "xmpp/utf8.h"
#include "xmpp/writer.h"

/* No character of XML 1.0, not even as a reference: it can stand in no name and in no namespace. */
#define SEPARATOR '\x1f'

/* A parser's tables of names only grow, so it is replaced after this much (5 us, once in so many stanzas). */
enum {
	RECYCLE_STANZAS = 1000,
	RECYCLE_BYTES = 1 << 20,
	RECYCLE_LARGE = 32 << 10,       /* after any single stanza of this size */
};

enum {
	USUAL_ROOTS = 3,
	PRIMED_MAX = USUAL_ROOTS + 5,   /* parsers of different primes that are kept */
	NS_BUCKETS = 64,
	TEXT_KEPT = 64 << 10,           /* a larger text buffer is given back after the stanza */
};

/* What is taken must not grow beyond the limits of whoever gets it when it goes out again: each hop would
 * close its stream, which carries others. */
enum {
	STAMPED_ATTRS = 3,              /* from, to and xml:lang may be added to a stanza */
	REPEATED_FREE = 16 << 10,       /* bytes of namespaces written more than the unit has bytes */
};

/* A parser that stands behind a root's opening tag. */
struct primed {
	char *prime;                    /* owned; NULL: free */
	XML_Parser expat;               /* NULL: to be made at the next use */
	uint64_t bytes;                 /* that this parser has been given */
	uint32_t stanzas;
};

/* A namespace of the unit that is not a known one: in the arena once, however often it is used. */
struct unit_ns {
	struct unit_ns *next;
	const char *name;
	size_t len;
};

struct declaration {
	struct declaration *next;
	const char *prefix;             /* NULL: the default namespace */
	const char *ns;
};

/* One unit on its way through expat. */
struct unit {
	XML_Parser expat;
	struct arena *arena;
	const struct parser_limits *limits;
	const char *content_ns;         /* answered as jabber:client; NULL: nothing is */
	bool is_header;
	enum parser_result result;
	struct element *top;            /* the first element, which the unit consists of */
	struct element *at;             /* the innermost open element */
	size_t len;
	size_t repeated;                /* bytes of namespaces that the writer, without prefixes, declares */
	uint32_t depth, elements, declared;
	uint32_t content_depth;         /* so many elements from top on are in the content namespace */
	struct declaration *declarations, **last_declaration;   /* of a header */
};

struct parser_set {
	struct hash_seed seed;
	struct name_index names;
	struct primed primed[PRIMED_MAX];       /* of the usual roots, then of others as they come */
	unsigned next_victim;
	struct unit unit;
	struct buf text;                /* character data since the last tag */
	struct unit_ns *namespaces[NS_BUCKETS];
	bool has_namespaces;
};

const struct parser_limits parser_limits_default = {
	.depth = 64,
	.attributes = 64,
	.declarations = 32,
	.elements = 10000,
};

/* The primes of streams that declare nothing unusual. Dialback's elements are recognised by their namespace,
 * and servers write them with the prefix db (XEP-0220 §2.1.1). */
static const struct {
	const char *content_ns, *prime;
	bool has_dialback;
} usual_roots[USUAL_ROOTS] = {
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
	for (int i = 0; i < USUAL_ROOTS; i++)
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
	for (int i = 0; i < PRIMED_MAX; i++) {
		primed_retire(&(*set)->primed[i]);
		free((*set)->primed[i].prime);
	}
	buf_clear(&(*set)->text);
	free(*set);
	*set = NULL;
}

/* ---- events: from expat's callbacks to a tree ---- */

/* The first reason stays. Callbacks may follow for the tag that expat is in; they do nothing. */
static void unit_refuse(struct unit *unit, enum parser_result result)
{
	if (unit->result != PARSER_OK)
		return;
	unit->result = result;
	XML_StopParser(unit->expat, XML_FALSE);
}

static const char *set_unit_ns(struct parser_set *set, const char *ns, size_t len)
{
	struct unit_ns **bucket = &set->namespaces[hash_bytes(&set->seed, ns, len) % NS_BUCKETS];
	struct unit_ns *found;

	for (found = *bucket; found; found = found->next)
		if (found->len == len && memcmp(found->name, ns, len) == 0)
			return found->name;
	found = arena_alloc(set->unit.arena, sizeof(*found));
	*found = (struct unit_ns){ .next = *bucket,
		                   .name = arena_str_len(set->unit.arena, ns, len),
		                   .len = len };
	*bucket = found;
	set->has_namespaces = true;
	return found->name;
}

static const char *set_ns(struct parser_set *set, const char *ns, size_t len)
{
	const char *known = name_find(&set->names, ns, len);

	return known ? known : set_unit_ns(set, ns, len);
}

static const char *set_name(struct parser_set *set, const char *name, size_t len)
{
	const char *known = name_find(&set->names, name, len);

	return known ? known : arena_str_len(set->unit.arena, name, len);
}

/* Splits expat's "namespace SEPARATOR name SEPARATOR prefix", the first and the last of which may be absent.
 * ns is NULL for a name in no namespace. */
static bool set_split(struct parser_set *set, const char *triplet, const char **name, const char **ns)
{
	const char *end = strchrnul(triplet, SEPARATOR);
	const char *local;

	if (!*end) {
		*ns = NULL;
		*name = set_name(set, triplet, (size_t)(end - triplet));
		return true;
	}
	*ns = set_ns(set, triplet, (size_t)(end - triplet));
	local = end + 1;
	end = strchrnul(local, SEPARATOR);
	*name = set_name(set, local, (size_t)(end - local));
	return !*end || !strchr(end + 1, SEPARATOR);
}

static void set_flush_text(struct parser_set *set)
{
	struct unit *unit = &set->unit;

	if (set->text.len == 0)
		return;
	element_add_text_len(unit->arena, unit->at, set->text.data, set->text.len);
	set->text.len = 0;
}

/* The content namespace is jabber:client as long as the chain from the unit's top is unbroken. */
static const char *unit_content_ns(struct unit *unit, const char *ns)
{
	if (!unit->content_ns || unit->content_depth + 1 != unit->depth || strcmp(ns, unit->content_ns) != 0)
		return ns;
	unit->content_depth = unit->depth;
	return NS_CLIENT;
}

static struct attr *set_attr(struct parser_set *set, const char *triplet, const char *value)
{
	struct attr *attr = arena_alloc(set->unit.arena, sizeof(*attr));

	attr->next = NULL;
	if (!set_split(set, triplet, &attr->name, &attr->ns))
		return NULL;
	attr->value = arena_str(set->unit.arena, value);
	return attr;
}

static enum parser_result set_add_attrs(struct parser_set *set, struct element *element, const char **atts)
{
	struct unit *unit = &set->unit;
	uint32_t count = element->parent ? 0 : STAMPED_ATTRS, foreign = 0;

	for (struct attr **link = &element->attrs; *atts; atts += 2, link = &(*link)->next) {
		if (++count > unit->limits->attributes)
			return PARSER_LIMIT;
		*link = set_attr(set, atts[0], atts[1]);
		if (!*link)
			return PARSER_NOT_WELL_FORMED;
		if (!(*link)->ns || strcmp((*link)->ns, NS_XML) == 0)
			continue;
		unit->repeated += strlen((*link)->ns);
		if (++foreign >= unit->limits->declarations)
			return PARSER_LIMIT;
	}
	return PARSER_OK;
}

static enum parser_result set_open_element(struct parser_set *set, const char *triplet, const char **atts)
{
	struct unit *unit = &set->unit;
	const char *name, *ns;

	if (++unit->depth > unit->limits->depth || ++unit->elements > unit->limits->elements)
		return PARSER_LIMIT;
	if ((unit->top && !unit->at) || !set_split(set, triplet, &name, &ns))
		return PARSER_NOT_WELL_FORMED;
	if (ns && strcmp(ns, NS_XML) == 0)
		return PARSER_BAD_PREFIX;
	ns = unit_content_ns(unit, ns ? ns : "");
	if (unit->at) {
		if (ns != unit->at->ns)
			unit->repeated += strlen(ns);
		set_flush_text(set);
		unit->at = element_add(unit->arena, unit->at, name, ns);
	} else {
		unit->at = unit->top = element_new(unit->arena, name, ns);
	}
	return set_add_attrs(set, unit->at, atts);
}

static void XMLCALL on_start(void *user, const char *triplet, const char **atts)
{
	struct parser_set *set = user;
	struct unit *unit = &set->unit;
	enum parser_result result;

	unit->declared = 0;
	if (unit->result != PARSER_OK)
		return;
	result = set_open_element(set, triplet, atts);
	if (result == PARSER_OK && unit->repeated > unit->len + REPEATED_FREE)
		result = PARSER_LIMIT;
	if (result != PARSER_OK)
		unit_refuse(unit, result);
}

static void XMLCALL on_end(void *user, const char *triplet)
{
	struct parser_set *set = user;
	struct unit *unit = &set->unit;

	(void)triplet;
	if (unit->result != PARSER_OK)
		return;
	if (!unit->at) {
		unit_refuse(unit, PARSER_NOT_WELL_FORMED);
		return;
	}
	set_flush_text(set);
	if (unit->content_depth == unit->depth)
		unit->content_depth--;
	unit->depth--;
	unit->at = unit->at->parent;
}

static bool is_blank(const char *text, int len)
{
	while (len > 0 && strchr(" \t\r\n", text[len - 1]))
		len--;
	return len == 0;
}

/* Outside of the unit's element there may be blanks only. */
static void XMLCALL on_text(void *user, const char *text, int len)
{
	struct parser_set *set = user;
	struct unit *unit = &set->unit;

	if (unit->result != PARSER_OK)
		return;
	if (unit->at)
		buf_add(&set->text, text, (size_t)len);
	else if (!is_blank(text, len))
		unit_refuse(unit, PARSER_NOT_WELL_FORMED);
}

static void set_keep_declaration(struct parser_set *set, const char *prefix, const char *ns)
{
	struct unit *unit = &set->unit;
	struct declaration *declaration = arena_alloc(unit->arena, sizeof(*declaration));

	*declaration = (struct declaration){ .prefix = prefix ? arena_str(unit->arena, prefix) : NULL,
		                             .ns = set_ns(set, ns, strlen(ns)) };
	*unit->last_declaration = declaration;
	unit->last_declaration = &declaration->next;
}

/* Comes for each declaration before the element that carries it. */
static void XMLCALL on_declaration(void *user, const char *prefix, const char *ns)
{
	struct parser_set *set = user;
	struct unit *unit = &set->unit;

	if (unit->result != PARSER_OK)
		return;
	if (!ns)
		ns = "";
	if (++unit->declared > unit->limits->declarations || strlen(ns) > PARSER_NS_MAX)
		unit_refuse(unit, PARSER_LIMIT);
	else if (unit->is_header)
		set_keep_declaration(set, prefix, ns);
}

static void XMLCALL on_xml_declaration(void *user, const char *version, const char *encoding, int standalone)
{
	struct parser_set *set = user;

	(void)standalone;
	if (encoding && strcasecmp(encoding, "UTF-8") != 0)
		unit_refuse(&set->unit, PARSER_UNSUPPORTED_ENCODING);
	else if (version && strcmp(version, "1.0") != 0)
		unit_refuse(&set->unit, PARSER_NOT_WELL_FORMED);
}

static void XMLCALL on_doctype(void *user, const char *name, const char *system_id, const char *public_id,
                               int subset)
{
	struct parser_set *set = user;

	(void)name, (void)system_id, (void)public_id, (void)subset;
	unit_refuse(&set->unit, PARSER_RESTRICTED);
}

static void XMLCALL on_comment(void *user, const char *text)
{
	struct parser_set *set = user;

	(void)text;
	unit_refuse(&set->unit, PARSER_RESTRICTED);
}

static void XMLCALL on_instruction(void *user, const char *target, const char *text)
{
	struct parser_set *set = user;

	(void)target, (void)text;
	unit_refuse(&set->unit, PARSER_RESTRICTED);
}

/* ---- parsers: made, primed, fed, replaced ---- */

/* The hash salt is left to expat, which takes it from the kernel. A unit comes whole, so nothing may be
 * deferred. */
static XML_Parser expat_new(void)
{
	XML_Parser expat = XML_ParserCreateNS("UTF-8", SEPARATOR);

	if (!expat)
		abort();
	XML_SetReturnNSTriplet(expat, XML_TRUE);
#ifdef HAVE_XML_SETREPARSEDEFERRALENABLED
	XML_SetReparseDeferralEnabled(expat, XML_FALSE);
#endif
	return expat;
}

static void expat_listen(XML_Parser expat, struct parser_set *set)
{
	XML_SetUserData(expat, set);
	XML_SetElementHandler(expat, on_start, on_end);
	XML_SetCharacterDataHandler(expat, on_text);
	XML_SetStartNamespaceDeclHandler(expat, on_declaration);
	XML_SetXmlDeclHandler(expat, on_xml_declaration);
	XML_SetStartDoctypeDeclHandler(expat, on_doctype);
	XML_SetCommentHandler(expat, on_comment);
	XML_SetProcessingInstructionHandler(expat, on_instruction);
}

static enum parser_result expat_fault(XML_Parser expat)
{
	switch (XML_GetErrorCode(expat)) {
	case XML_ERROR_UNBOUND_PREFIX:
	case XML_ERROR_UNDECLARING_PREFIX:
	case XML_ERROR_RESERVED_PREFIX_XML:
	case XML_ERROR_RESERVED_PREFIX_XMLNS:
	case XML_ERROR_RESERVED_NAMESPACE_URI:
		return PARSER_BAD_PREFIX;
	case XML_ERROR_UNDEFINED_ENTITY:
	case XML_ERROR_MISPLACED_XML_PI:
		return PARSER_RESTRICTED;
	case XML_ERROR_UNKNOWN_ENCODING:
	case XML_ERROR_INCORRECT_ENCODING:
		return PARSER_UNSUPPORTED_ENCODING;
	case XML_ERROR_AMPLIFICATION_LIMIT_BREACH:
	case XML_ERROR_NO_MEMORY:
		return PARSER_LIMIT;
	default:
		return PARSER_NOT_WELL_FORMED;
	}
}

/* Feeds one unit. before: the bytes that the parser has had; open: elements of the unit that are to stay
 * open. */
static enum parser_result unit_parse(struct unit *unit, const char *bytes, size_t len, uint64_t before,
                                     uint32_t open)
{
	if (len > INT_MAX / 2)
		return PARSER_LIMIT;
	if (!utf8_is_xml(bytes, len))
		return PARSER_NOT_WELL_FORMED;
	unit->len = len;
	if (XML_Parse(unit->expat, bytes, (int)len, XML_FALSE) != XML_STATUS_OK)
		return unit->result != PARSER_OK ? unit->result : expat_fault(unit->expat);
	if (!unit->top || unit->depth != open ||
	    XML_GetCurrentByteIndex(unit->expat) != (XML_Index)(before + len))
		return PARSER_NOT_WELL_FORMED;
	return PARSER_OK;
}

static void unit_begin(struct parser_set *set, struct arena *arena, const struct parser_limits *limits)
{
	if (set->has_namespaces)
		memset(set->namespaces, 0, sizeof(set->namespaces));
	set->has_namespaces = false;
	if (set->text.cap > TEXT_KEPT)
		buf_clear(&set->text);
	set->text.len = 0;
	set->unit = (struct unit){ .arena = arena, .limits = limits };
}

/* Priming itself raises no events. */
static void primed_make(struct primed *primed, struct parser_set *set)
{
	size_t len = strlen(primed->prime);

	primed->expat = expat_new();
	if (XML_Parse(primed->expat, primed->prime, (int)len, XML_FALSE) != XML_STATUS_OK)
		assert(!"a prime is well-formed");
	primed->bytes = len;
	expat_listen(primed->expat, set);
}

/* The parser of this prime; one of another unusual root gives way when there are too many. */
static struct primed *set_primed(struct parser_set *set, const char *prime)
{
	struct primed *primed = set->primed;

	while (primed < set->primed + PRIMED_MAX && primed->prime && strcmp(primed->prime, prime) != 0)
		primed++;
	if (primed == set->primed + PRIMED_MAX) {
		primed = &set->primed[USUAL_ROOTS + set->next_victim++ % (PRIMED_MAX - USUAL_ROOTS)];
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

	while (i < USUAL_ROOTS && strcmp(usual_roots[i].content_ns, content_ns) != 0)
		i++;
	if (i == USUAL_ROOTS)
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
	expat_listen(unit->expat, set);
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
