/* SPDX-License-Identifier: MIT
 *
 * Entity capabilities: the verification string of a disco#info answer (XEP-0115 §5.1). Pure.
 */
#ifndef CORE_CAPS_H
#define CORE_CAPS_H

#include "base/buf.h"
#include "xmpp/element.h"

/* The string S of a <query/> of disco#info: what is hashed. */
void caps_string(const struct element *query, struct buf *out);
/* The ver attribute: base 64 of the SHA-1 of S, 28 characters and a NUL. */
enum { CAPS_VER_LEN = 28 };
void caps_ver(const struct element *query, char ver[CAPS_VER_LEN + 1]);

#endif
