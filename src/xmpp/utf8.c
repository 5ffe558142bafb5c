/* SPDX-License-Identifier: MIT
 *
 * UTF-8 (RFC 3629 §4) narrowed to XML 1.0's Char production. Runs over every unit that is parsed: plain
 * ASCII is passed by words.
 */
#include "xmpp/utf8.h"

#include <stdint.h>
#include <string.h>

#define UTF8_EACH(byte) ((byte)*UINT64_C(0x0101010101010101))

/* The high bit of each byte that is a control character or lies beyond ASCII; a borrow may set one too many
 * behind it. */
static uint64_t utf8_marks(const unsigned char *s)
{
	uint64_t word;

	memcpy(&word, s, sizeof(word));
	return (word | (word - UTF8_EACH(0x20))) & UTF8_EACH(0x80);
}

/* How many bytes from s on are plain ASCII for certain; whole words only. */
static size_t utf8_plain(const unsigned char *s, size_t len)
{
	size_t at = 0;

	while (len - at >= 32 && !(utf8_marks(s + at) | utf8_marks(s + at + 8) | utf8_marks(s + at + 16) |
	                           utf8_marks(s + at + 24)))
		at += 32;
	while (len - at >= 8 && !utf8_marks(s + at))
		at += 8;
	return at;
}

static bool utf8_is_tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* The length of the character that begins at s, which is not ASCII; 0: none that is allowed. */
static size_t utf8_char(const unsigned char *s, size_t left)
{
	uint32_t c;

	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		return left >= 2 && utf8_is_tail(s[1]) ? 2 : 0;
	if ((s[0] & 0xf0) == 0xe0) {
		if (left < 3 || !utf8_is_tail(s[1]) || !utf8_is_tail(s[2]))
			return 0;
		c = (uint32_t)(s[0] & 0x0f) << 12 | (uint32_t)(s[1] & 0x3f) << 6 | (s[2] & 0x3f);
		return c >= 0x800 && (c < 0xd800 || c > 0xdfff) && c < 0xfffe ? 3 : 0;
	}
	if ((s[0] & 0xf8) == 0xf0) {
		if (left < 4 || !utf8_is_tail(s[1]) || !utf8_is_tail(s[2]) || !utf8_is_tail(s[3]))
			return 0;
		c = (uint32_t)(s[0] & 0x07) << 18 | (uint32_t)(s[1] & 0x3f) << 12 |
		    (uint32_t)(s[2] & 0x3f) << 6;
		return c >= 0x10000 && c <= 0x10ffff ? 4 : 0;
	}
	return 0;
}

bool utf8_is_xml(const char *bytes, size_t len)
{
	const unsigned char *s = (const unsigned char *)bytes;
	size_t at = 0;

	while ((at += utf8_plain(s + at, len - at)) < len) {
		size_t n = 1;

		if (s[at] >= 0x80)
			n = utf8_char(s + at, len - at);
		else if (s[at] < 0x20 && s[at] != '\t' && s[at] != '\n' && s[at] != '\r')
			n = 0;
		if (n == 0)
			return false;
		at += n;
	}
	return true;
}

void utf8_trim(char *text)
{
	size_t len = strlen(text), begin = len;

	while (begin > 0 && utf8_is_tail((unsigned char)text[begin - 1]))
		begin--;
	if (begin == 0 || (unsigned char)text[--begin] < 0x80)
		return;
	if (utf8_char((const unsigned char *)text + begin, len - begin) != len - begin)
		text[begin] = '\0';
}
