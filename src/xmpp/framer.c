/* SPDX-License-Identifier: MIT
 *
 * The framer: a scanner of XML 1.0's outermost grammar (tags, quotes, CDATA sections) that counts depth. Each
 * state has one function, which moves `at` to where the state ends or the bytes do. Its answer does not
 * depend on how the bytes were cut into calls.
 */
#include "xmpp/framer.h"

#include <string.h>

enum framer_state {
	START,                  /* nothing yet: a byte order mark may come */
	MARK_2, MARK_3,         /* inside the byte order mark EF BB BF */
	OUTSIDE,                /* between units: blanks */
	DECLARATION,            /* inside <?xml ... ?> */
	DECLARED,               /* between the declaration and the root: blanks */
	TEXT,                   /* character data inside a stanza */
	OPENED,                 /* behind < */
	START_TAG,
	EMPTY_TAG,              /* behind the / of <a/> */
	QUOTE_SINGLE, QUOTE_DOUBLE,
	END_TAG,
	MARKUP,                 /* behind <! */
	CDATA_NAME,             /* behind <![ */
	CDATA,
	OVER,                   /* behind the footer */
};

#define CDATA_OPEN "<![CDATA["

/* The bytes of one call. */
struct scan {
	struct framer *framer;
	const char *unit;       /* where the unit begins; NULL: outside */
	const char *at, *end;
};

/* No answer yet: go on in the state that framer->state names. */
enum { FRAMER_ON = -1 };

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* What can begin a name, as far as one byte tells. */
static bool is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
	       (unsigned char)c >= 0x80;
}

static int scan_mark(struct scan *scan)
{
	static const char mark[] = "\xef\xbb\xbf";
	struct framer *framer = scan->framer;

	if (*scan->at != mark[framer->state - START]) {
		if (framer->state != START)
			return FRAMER_BROKEN;
		framer->state = OUTSIDE;
		return FRAMER_ON;
	}
	scan->at++;
	framer->state = framer->state == MARK_3 ? OUTSIDE : framer->state + 1;
	return FRAMER_ON;
}

/* Blanks, then the < of a unit, or of the root behind its declaration. */
static int scan_blanks(struct scan *scan)
{
	while (scan->at < scan->end && is_blank(*scan->at))
		scan->at++;
	if (scan->at == scan->end)
		return FRAMER_ON;
	if (*scan->at != '<' || scan->framer->state == OVER)
		return FRAMER_BROKEN;
	if (scan->framer->state == OUTSIDE)
		scan->unit = scan->at;
	scan->at++;
	scan->framer->state = OPENED;
	return FRAMER_ON;
}

/* The byte behind <. A declaration may stand only where the header begins. */
static int scan_opened(struct scan *scan)
{
	struct framer *framer = scan->framer;
	char c = *scan->at;

	if (c == '?') {
		if (framer->depth > 0 || scan->at - scan->unit != 1)
			return FRAMER_RESTRICTED;
		framer->state = DECLARATION;
	} else if (c == '!') {
		framer->state = MARKUP;
	} else if (c == '/') {
		if (framer->depth == 0)
			return FRAMER_BROKEN;
		framer->state = END_TAG;
	} else if (is_name_start(c)) {
		framer->attributes = 0;
		framer->state = START_TAG;
	} else {
		return FRAMER_BROKEN;
	}
	scan->at++;
	return FRAMER_ON;
}

/* The first ?> ends it; any other target than xml is a processing instruction. */
static int scan_declaration(struct scan *scan)
{
	while (scan->at < scan->end) {
		if (*scan->at++ != '>' || scan->at[-2] != '?')
			continue;
		if (scan->at - scan->unit < 8 || memcmp(scan->unit, "<?xml", 5) != 0 ||
		    !is_blank(scan->unit[5]))
			return FRAMER_RESTRICTED;
		scan->framer->state = DECLARED;
		break;
	}
	return FRAMER_ON;
}

/* Leaves the state for next when the byte has been found. */
static int scan_past(struct scan *scan, char byte, enum framer_state next)
{
	const char *found = memchr(scan->at, byte, (size_t)(scan->end - scan->at));

	scan->at = found ? found + 1 : scan->end;
	if (found)
		scan->framer->state = next;
	return FRAMER_ON;
}

/* A tag has ended and the depth has changed: the unit may be whole. */
static int scan_tag_ended(struct scan *scan, enum framer_result at_root)
{
	scan->framer->state = TEXT;
	if (scan->framer->depth > 1)
		return FRAMER_ON;
	return scan->framer->depth == 1 ? FRAMER_STANZA : (int)at_root;
}

static int scan_quote(struct framer *framer, enum framer_state quote)
{
	framer->state = quote;
	return ++framer->attributes > FRAMER_ATTRIBUTES_MAX ? (int)FRAMER_TOO_BIG : FRAMER_ON;
}

static int scan_opening_ended(struct framer *framer)
{
	framer->state = TEXT;
	if (++framer->depth == 1)
		return FRAMER_HEADER;
	return framer->depth > FRAMER_DEPTH_MAX ? (int)FRAMER_TOO_BIG : FRAMER_ON;
}

static int scan_start_tag(struct scan *scan)
{
	static const bool matters[256] = {
		['\''] = true, ['"'] = true, ['>'] = true, ['/'] = true, ['<'] = true
	};

	while (scan->at < scan->end && !matters[(unsigned char)*scan->at])
		scan->at++;
	if (scan->at == scan->end)
		return FRAMER_ON;
	switch (*scan->at++) {
	case '\'':
		return scan_quote(scan->framer, QUOTE_SINGLE);
	case '"':
		return scan_quote(scan->framer, QUOTE_DOUBLE);
	case '>':
		return scan_opening_ended(scan->framer);
	case '/':
		scan->framer->state = EMPTY_TAG;
		return FRAMER_ON;
	default:
		return FRAMER_BROKEN;
	}
}

/* A root that is closed at once is no stream. */
static int scan_empty_tag(struct scan *scan)
{
	if (*scan->at != '>')
		return FRAMER_BROKEN;
	scan->at++;
	return scan_tag_ended(scan, FRAMER_BROKEN);
}

static int scan_end_tag(struct scan *scan)
{
	while (scan->at < scan->end) {
		char c = *scan->at++;

		if (c == '<')
			return FRAMER_BROKEN;
		if (c == '>') {
			scan->framer->depth--;
			return scan_tag_ended(scan, FRAMER_FOOTER);
		}
	}
	return FRAMER_ON;
}

/* Of all that begins with <! only a CDATA section is allowed, and only inside a stanza. */
static int scan_markup(struct scan *scan)
{
	if (*scan->at != '[')
		return FRAMER_RESTRICTED;
	if (scan->framer->depth < 2)
		return FRAMER_BROKEN;
	scan->at++;
	scan->framer->state = CDATA_NAME;
	return FRAMER_ON;
}

static int scan_cdata_name(struct scan *scan)
{
	const ptrdiff_t len = sizeof(CDATA_OPEN) - 1;

	scan_past(scan, '[', CDATA);
	if (scan->framer->state != CDATA)
		return FRAMER_ON;
	if (scan->at - scan->unit < len || memcmp(scan->at - len, CDATA_OPEN, (size_t)len) != 0)
		return FRAMER_BROKEN;
	return FRAMER_ON;
}

/* The section's opening ends in [, so looking back from a > never meets brackets that are not content. */
static int scan_cdata(struct scan *scan)
{
	scan_past(scan, '>', TEXT);
	if (scan->framer->state == TEXT && memcmp(scan->at - 3, "]]>", 3) != 0)
		scan->framer->state = CDATA;
	return FRAMER_ON;
}

static int scan_step(struct scan *scan)
{
	switch ((enum framer_state)scan->framer->state) {
	case START:
	case MARK_2:
	case MARK_3:
		return scan_mark(scan);
	case OUTSIDE:
	case DECLARED:
	case OVER:
		return scan_blanks(scan);
	case DECLARATION:
		return scan_declaration(scan);
	case TEXT:
		return scan_past(scan, '<', OPENED);
	case OPENED:
		return scan_opened(scan);
	case START_TAG:
		return scan_start_tag(scan);
	case EMPTY_TAG:
		return scan_empty_tag(scan);
	case QUOTE_SINGLE:
		return scan_past(scan, '\'', START_TAG);
	case QUOTE_DOUBLE:
		return scan_past(scan, '"', START_TAG);
	case END_TAG:
		return scan_end_tag(scan);
	case MARKUP:
		return scan_markup(scan);
	case CDATA_NAME:
		return scan_cdata_name(scan);
	case CDATA:
		return scan_cdata(scan);
	}
	return FRAMER_BROKEN;
}

/* Scans up to the limit and no further, so that where the bytes were cut makes no difference. */
static int scan_unit(struct scan *scan, size_t limit)
{
	const char *last = scan->end;
	int result = FRAMER_ON;

	while (result == FRAMER_ON && scan->at < scan->end) {
		if (scan->unit && (size_t)(last - scan->unit) > limit)
			scan->end = scan->unit + limit;
		if (scan->at >= scan->end)
			return FRAMER_TOO_BIG;
		result = scan_step(scan);
	}
	return result == FRAMER_ON && scan->end < last ? (int)FRAMER_TOO_BIG : result;
}

void framer_init(struct framer *framer)
{
	*framer = (struct framer){ .state = START };
}

enum framer_result framer_next(struct framer *framer, const char *bytes, size_t len, size_t limit,
                               size_t *pos, size_t *start, size_t *end)
{
	struct scan scan = { .framer = framer, .at = bytes + *pos, .end = bytes + len };
	int result;

	if (framer->size > 0)
		scan.unit = scan.at - framer->size;
	result = scan_unit(&scan, limit);
	*pos = (size_t)(scan.at - bytes);
	*start = scan.unit ? (size_t)(scan.unit - bytes) : *pos;
	*end = *pos;
	if (result == FRAMER_ON) {
		framer->size = (uint32_t)(*pos - *start);
		return FRAMER_MORE;
	}
	framer->size = 0;
	framer->state = result == FRAMER_FOOTER ? OVER : OUTSIDE;
	return (enum framer_result)result;
}
