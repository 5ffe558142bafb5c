/* SPDX-License-Identifier: MIT
 *
 * Trees as XML: parse(write(x)) == x for every tree of legal characters. The walk is a loop.
 */
#include "xmpp/writer.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "xmpp/ns.h"

/* What a byte is written as. A line break other than LF would be normalised away by the reader (XML 1.0
 * §2.11), any blank but the space inside an attribute (§3.3.3). A control character is no XML; trees have
 * none. */
enum escape { PLAIN, AMP, LT, GT, QUOT, APOS, TAB, LF, CR, ILLEGAL };

static const struct {
	const char *text;
	size_t len;
} escapes[] = {
	[AMP] = { "&amp;", 5 },   [LT] = { "&lt;", 4 },	   [GT] = { "&gt;", 4 },
	[QUOT] = { "&quot;", 6 }, [APOS] = { "&apos;", 6 }, [TAB] = { "&#9;", 4 },
	[LF] = { "&#10;", 5 },	  [CR] = { "&#13;", 5 },    [ILLEGAL] = { "\xef\xbf\xbd", 3 },
};

#define ESCAPES_OF_BOTH \
	[0 ... 8] = ILLEGAL, [11 ... 12] = ILLEGAL, ['\r'] = CR, [14 ... 31] = ILLEGAL, \
	['&'] = AMP, ['<'] = LT, ['>'] = GT, ['"'] = QUOT, ['\''] = APOS

static const uint8_t text_escapes[256] = { ESCAPES_OF_BOTH };
static const uint8_t value_escapes[256] = { ESCAPES_OF_BOTH, ['\t'] = TAB, ['\n'] = LF };

/* Sixteen bytes at once, on any machine that the compiler knows. */
typedef uint8_t block __attribute__((vector_size(16)));

/* Whether the block is written as it is. & and ' differ in one bit, < and > in another. TAB and LF may be plain; they are
 * rare. */
static bool block_is_plain(const char *text)
{
	block bytes;
	uint64_t marks[2];

	memcpy(&bytes, text, sizeof(bytes));
	bytes = (block)((bytes < 0x20) | ((bytes | 1) == '\'') | ((bytes | 2) == '>') | (bytes == '"'));
	memcpy(marks, &bytes, sizeof(marks));
	return !(marks[0] | marks[1]);
}

/* How many bytes from the front on are plain for certain. The last block overlaps the one before. */
static size_t plain_blocks(const char *text, size_t len)
{
	size_t at = 0;

	while (len - at >= sizeof(block) && block_is_plain(text + at))
		at += sizeof(block);
	if (at > 0 && len - at < sizeof(block) && block_is_plain(text + len - sizeof(block)))
		at = len;
	return at;
}

static void write_escaped(struct buf *out, const char *text, size_t len, const uint8_t kinds[256])
{
	size_t written = 0;

	for (size_t at = plain_blocks(text, len); at < len;) {
		uint8_t kind = kinds[(unsigned char)text[at]];

		if (kind == PLAIN) {
			at++;
			continue;
		}
		buf_add(out, text + written, at - written);
		buf_add(out, escapes[kind].text, escapes[kind].len);
		written = ++at;
		at += plain_blocks(text + at, len - at);
	}
	buf_add(out, text + written, len - written);
}

void writer_text(struct buf *out, const char *text, size_t len)
{
	write_escaped(out, text, len, text_escapes);
}

void writer_value(struct buf *out, const char *value)
{
	write_escaped(out, value, strlen(value), value_escapes);
}

void writer_attr(struct buf *out, const char *name, const char *value)
{
	if (!value)
		return;
	buf_add_char(out, ' ');
	buf_add_str(out, name);
	buf_add_lit(out, "='");
	writer_value(out, value);
	buf_add_char(out, '\'');
}

/* A namespace of attributes gets the prefix "nsN", N being the place of its first attribute, where it is
 * declared. */
static void write_prefix(struct buf *out, const struct element *element, const struct attr *attr)
{
	const struct attr *first = element->attrs;
	unsigned place = 1;

	for (; !first->ns || strcmp(first->ns, attr->ns) != 0; first = first->next)
		place++;
	if (first == attr) {
		buf_printf(out, " xmlns:ns%u='", place);
		writer_value(out, attr->ns);
		buf_add_char(out, '\'');
	}
	buf_printf(out, " ns%u:", place);
}

void writer_own_attr(struct buf *out, const struct element *element, const struct attr *attr)
{
	if (!attr->ns) {
		writer_attr(out, attr->name, attr->value);
		return;
	}
	if (strcmp(attr->ns, NS_XML) == 0)
		buf_add_lit(out, " xml:");
	else
		write_prefix(out, element, attr);
	buf_add_str(out, attr->name);
	buf_add_lit(out, "='");
	writer_value(out, attr->value);
	buf_add_char(out, '\'');
}

static void write_start_tag(struct buf *out, const struct element *element, const char *scope)
{
	buf_add_char(out, '<');
	buf_add_str(out, element->name);
	if (!scope || (scope != element->ns && strcmp(scope, element->ns) != 0))
		writer_attr(out, "xmlns", element->ns);
	for (const struct attr *attr = element->attrs; attr; attr = attr->next)
		writer_own_attr(out, element, attr);
	if (!element->first)
		buf_add_char(out, '/');
	buf_add_char(out, '>');
}

static void write_end_tag(struct buf *out, const struct element *element)
{
	buf_add_lit(out, "</");
	buf_add_str(out, element->name);
	buf_add_char(out, '>');
}

void writer_content(struct buf *out, const struct element *element)
{
	const struct element *at = element;
	const struct node *node = element->first;

	for (;;) {
		if (!node) {
			if (at == element)
				return;
			write_end_tag(out, at);
			node = at->place->next;
			at = at->parent;
		} else if (!node->element) {
			writer_text(out, node->text, node->len);
			node = node->next;
		} else {
			write_start_tag(out, node->element, at->ns);
			if (node->element->first) {
				at = node->element;
				node = at->first;
			} else {
				node = node->next;
			}
		}
	}
}

void writer_element(struct buf *out, const struct element *element, const char *scope)
{
	write_start_tag(out, element, scope);
	if (!element->first)
		return;
	writer_content(out, element);
	write_end_tag(out, element);
}
