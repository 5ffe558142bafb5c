/* SPDX-License-Identifier: MIT
 *
 * What the two files of the parser share: the set of parsers (parser.c) and one unit on its way through expat
 * (parser_unit.c).
 */
#ifndef XMPP_PARSER_INSIDE_H
#define XMPP_PARSER_INSIDE_H

#include <expat.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "xmpp/name.h"
#include "xmpp/parser.h"

/* No character of XML 1.0, not even as a reference: it can stand in no name and in no namespace. */
#define PARSER_SEPARATOR '\x1f'

enum {
	PARSER_USUAL_ROOTS = 3,
	PARSER_UNUSUAL_ROOTS = 5,       /* whose parsers are kept */
	PARSER_PRIMED_MAX = PARSER_USUAL_ROOTS + PARSER_UNUSUAL_ROOTS,
	PARSER_NS_BUCKETS = 64,
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
	struct primed primed[PARSER_PRIMED_MAX];        /* of the usual roots, then of others as they come */
	unsigned next_victim;
	struct unit unit;
	struct buf text;                /* character data since the last tag */
	struct unit_ns *namespaces[PARSER_NS_BUCKETS];
	bool has_namespaces;
};

/* Begins a unit: what the one before has left is forgotten. */
void unit_begin(struct parser_set *set, struct arena *arena, const struct parser_limits *limits);
/* The events of this parser are those of the set's unit from now on. */
void unit_listen(struct parser_set *set, XML_Parser expat);
/* Feeds the unit's parser in one call. before: the bytes that it has had; open: elements of the unit that are
 * to stay open. */
enum parser_result unit_parse(struct unit *unit, const char *bytes, size_t len, uint64_t before,
                              uint32_t open);

#endif
