/* SPDX-License-Identifier: MIT
 *
 * UTF-8 and XML's characters: each class of byte sequence that RFC 3629 §4 and XML 1.0 §2.2 tell apart, at
 * every place relative to the words that the validator reads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "xmpp/utf8.h"

static const struct {
	const char *bytes;
	size_t len;
	bool is_xml;
} sequences[] = {
#define SEQUENCE(bytes, is_xml) { bytes, sizeof(bytes) - 1, is_xml }
	SEQUENCE("", true),
	SEQUENCE("a", true),
	SEQUENCE("\t\n\r ~\x7f", true),
	SEQUENCE("\xc2\x80", true),
	SEQUENCE("\xdf\xbf", true),
	SEQUENCE("\xe0\xa0\x80", true),
	SEQUENCE("\xed\x9f\xbf", true),
	SEQUENCE("\xee\x80\x80", true),
	SEQUENCE("\xef\xbf\xbd", true),
	SEQUENCE("\xf0\x90\x80\x80", true),
	SEQUENCE("\xf0\x9f\xbf\xbf", true),             /* U+1FFFF is a character of XML */
	SEQUENCE("\xf4\x8f\xbf\xbf", true),
	SEQUENCE("\0", false),
	SEQUENCE("\x01", false),
	SEQUENCE("\x0b", false),
	SEQUENCE("\x1f", false),
	SEQUENCE("\x80", false),
	SEQUENCE("\xbf", false),
	SEQUENCE("\xc0\x80", false),                    /* overlong */
	SEQUENCE("\xc1\xbf", false),
	SEQUENCE("\xe0\x9f\xbf", false),
	SEQUENCE("\xf0\x8f\xbf\xbf", false),
	SEQUENCE("\xed\xa0\x80", false),                /* surrogates */
	SEQUENCE("\xed\xbf\xbf", false),
	SEQUENCE("\xef\xbf\xbe", false),                /* U+FFFE, U+FFFF */
	SEQUENCE("\xef\xbf\xbf", false),
	SEQUENCE("\xf4\x90\x80\x80", false),            /* beyond U+10FFFF */
	SEQUENCE("\xf5\x80\x80\x80", false),
	SEQUENCE("\xff", false),
	SEQUENCE("\xc2", false),                        /* cut off */
	SEQUENCE("\xe2\x82", false),
	SEQUENCE("\xf0\x9f\x98", false),
	SEQUENCE("\xe2\x82" "a", false),
	SEQUENCE("\xc2\xc2", false),
};

static void each_sequence_at_each_place(void **state)
{
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
		for (size_t before = 0; before < 17; before++) {
			for (size_t after = 0; after < 9; after++) {
				size_t len = before + sequences[i].len + after;

				memset(text, 'x', sizeof(text));
				memcpy(text + before, sequences[i].bytes, sequences[i].len);
				assert_int_equal(utf8_is_xml(text, len), sequences[i].is_xml);
			}
		}
	}
}

static void each_ascii_byte(void **state)
{
	(void)state;
	for (int c = 0; c < 0x80; c++) {
		char text[8] = { 'a', 'b', 'c', (char)c, 'd', 'e', 'f', 'g' };

		assert_int_equal(utf8_is_xml(text, sizeof(text)),
		                 c >= 0x20 || c == '\t' || c == '\n' || c == '\r');
	}
}

/* Cut at each byte, what is left is whole characters. */
static void what_was_cut_is_trimmed(void **state)
{
	static const char whole[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z";
	static const size_t left[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11 };
	char text[sizeof(whole)];

	(void)state;
	for (size_t len = 0; len < sizeof(whole); len++) {
		memcpy(text, whole, len);
		text[len] = '\0';
		utf8_trim(text);
		assert_int_equal(strlen(text), left[len]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_sequence_at_each_place),
		cmocka_unit_test(each_ascii_byte),
		cmocka_unit_test(what_was_cut_is_trimmed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
