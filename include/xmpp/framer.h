/* SPDX-License-Identifier: MIT
 *
 * The framer finds where a stanza ends, in one linear pass, before any byte reaches expat (reasons and costs:
 * docs/architecture.md). It knows tags, quotes, CDATA and depth and nothing else; expat stays the authority
 * on what is well-formed. It stops at once at what RFC 6120 §11.1 forbids (comment, processing instruction,
 * DOCTYPE) and at the size limit. An idle stream keeps these few bytes and no buffer.
 */
#ifndef XMPP_FRAMER_H
#define XMPP_FRAMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum framer_result {
	FRAMER_MORE,            /* all len bytes were scanned; an unfinished unit begins at *start */
	FRAMER_HEADER,          /* [*start, *end) is the opening tag of the root, and an XML declaration */
	FRAMER_STANZA,          /* [*start, *end) is one child of the root, whole */
	FRAMER_FOOTER,          /* [*start, *end) is the closing tag of the root */
	FRAMER_TOO_BIG,         /* the unit is larger than the limit, or passes a hard limit below */
	FRAMER_RESTRICTED,      /* comment, processing instruction, DOCTYPE, a later XML declaration */
	FRAMER_BROKEN,          /* text that is not blank between stanzas, or a tag that cannot be one */
};

/*
 * What expat must never see, whatever the configuration says: its cost for one tag grows with attributes
 * times the length of their namespaces before any of our counters runs. The parser's limits lie below these.
 */
enum {
	FRAMER_DEPTH_MAX = 256,         /* open elements, the root among them */
	FRAMER_ATTRIBUTES_MAX = 128,    /* attributes and namespace declarations of one tag */
};

struct framer {
	uint32_t size;          /* bytes of the unit so far */
	uint16_t depth;         /* open elements: 0 before the root, 1 between stanzas */
	uint8_t state;
	uint8_t attributes;     /* of the tag so far */
};

void framer_init(struct framer *framer);        /* the root is still to come */

/*
 * Scans bytes[*pos .. len); *pos moves past what was scanned. bytes holds the unfinished unit from its first
 * byte on when called again: the caller keeps [*start, len) after FRAMER_MORE and passes *pos just behind it.
 * Blanks between stanzas and a byte order mark before the header are skipped (then *start == *pos). limit:
 * largest unit in bytes.
 */
enum framer_result framer_next(struct framer *framer, const char *bytes, size_t len, size_t limit,
                               size_t *pos, size_t *start, size_t *end);

#endif
