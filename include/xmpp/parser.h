/* SPDX-License-Identifier: MIT
 *
 * Turns one framed unit into a tree. The one constructor of expat parsers in the whole code (a test greps):
 * namespaces with triplets, separator 0x1F, UTF-8 forced, DOCTYPE, comments and processing instructions
 * refused, depth, attributes, declarations and elements counted. A parser is primed with the root's
 * declarations, serves many streams of the same kind, and is replaced after a number of stanzas, a large one,
 * or any error. One set of parsers for each worker; not shared between threads.
 */
#ifndef XMPP_PARSER_H
#define XMPP_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/hash.h"
#include "xmpp/element.h"

/* The longest namespace name in bytes: expat copies it for every attribute that is in it. */
enum { PARSER_NS_MAX = 1024 };

/* A stanza is refused too where its written form would pass them: three attributes of its start tag are kept
 * for what is stamped, and attributes with a prefix count as declarations. */
struct parser_limits {
	uint32_t depth;                 /* of elements in a stanza (64) */
	uint32_t attributes;            /* of one element (64) */
	uint32_t declarations;          /* of namespaces on one element (32) */
	uint32_t elements;              /* in a stanza (10000) */
};

enum parser_result {
	PARSER_OK,
	PARSER_NOT_WELL_FORMED,         /* RFC 6120 §4.9.3.13 */
	PARSER_RESTRICTED,              /* §4.9.3.18 */
	PARSER_BAD_PREFIX,              /* §4.9.3.2 bad-namespace-prefix: unbound; an element named xml:... */
	PARSER_UNSUPPORTED_ENCODING,    /* §4.9.3.22 */
	PARSER_LIMIT,                   /* §4.9.3.14 policy-violation; a count limit */
};

struct parser_set;

struct parser_set *parser_set_new(const struct hash_seed *seed);
void parser_set_free(struct parser_set **set);

/*
 * A stream's root as its peer declared it. prime is the opening tag, rebuilt by us with the declarations of
 * the peer, that stanzas of this stream are parsed under: shared (one of three literals) when the root
 * declares nothing unusual.
 */
struct parser_root {
	struct element *element;        /* the root: name, ns, attributes (id, from, to, version, xml:lang) */
	const char *content_ns;         /* the default namespace: jabber:client, jabber:server; "": none */
	const char *prime;              /* in the arena, or a literal; keep it as long as the stream */
	bool shared;                    /* prime is a literal */
};

enum parser_result parser_header(struct parser_set *set, struct arena *arena, const char *bytes, size_t len,
                                 const struct parser_limits *limits, struct parser_root *out);

/*
 * Parses one whole child of the root. Elements in the stream's content namespace (content_ns, as
 * parser_header answered it) are answered as in jabber:client: the child itself, and below it along an
 * unbroken chain of such elements; below a foreign element the literal namespace stays (XEP-0297 §3). Known
 * names and namespaces are static strings, others lie in the arena.
 */
enum parser_result parser_stanza(struct parser_set *set, struct arena *arena, const char *prime,
                                 const char *content_ns, const char *bytes, size_t len,
                                 const struct parser_limits *limits, struct element **out);

/* XML text of ours (from the store, from a test) as a tree; scope: the default namespace around it. NULL: not
 * well-formed or over the limits. Uses the same constructor. */
struct element *parser_text(struct parser_set *set, struct arena *arena, const char *scope, const char *bytes,
                            size_t len, const struct parser_limits *limits);

extern const struct parser_limits parser_limits_default;
/* Of what is read from the store: what the limits allowed when it came is not limited again. */
extern const struct parser_limits parser_limits_stored;

#endif
