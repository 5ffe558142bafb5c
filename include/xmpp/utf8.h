/* SPDX-License-Identifier: MIT
 *
 * UTF-8 (RFC 3629) and the characters of XML 1.0: what comes from outside is checked, never cut.
 */
#ifndef XMPP_UTF8_H
#define XMPP_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Whole UTF-8 of characters that XML 1.0 allows (no NUL, no other C0 than TAB LF CR, no U+FFFE/FFFF, no
 * surrogates). */
bool utf8_is_xml(const char *bytes, size_t len);
/* Words for a person that were cut to fit: takes away what is left of a character at the end. */
void utf8_trim(char *text);

#endif
