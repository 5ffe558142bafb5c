/* SPDX-License-Identifier: MIT
 *
 * A set of addresses that match others (XEP-0191 §6), in prepared form. Pure. Its text has one address on each line, sorted.
 */
#ifndef XEP_BLOCKLIST_H
#define XEP_BLOCKLIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "xmpp/jid.h"

/* All zero: empty. */
struct blocklist {
	char *text;             /* owned; the entries one behind the NUL of the other */
	const char **entries;   /* sorted by bytes, each once; owned */
	size_t count;
};

/* Takes the text's lines; what was in the list must have been cleared. */
void blocklist_read(struct blocklist *list, const char *text, size_t len);
void blocklist_write(const struct blocklist *list, struct buf *out);
void blocklist_clear(struct blocklist *list);

bool blocklist_has(const struct blocklist *list, const char *entry, size_t len);
/* By the full JID, by the bare one, or by its domain; an entry domain/resource only by its own full text. */
bool blocklist_matches(const struct blocklist *list, const struct jid *who);

/* Makes after, which is empty, from before with the names, or without them. */
void blocklist_add(const struct blocklist *before, const struct jid *names, size_t count,
                   struct blocklist *after);
void blocklist_subtract(const struct blocklist *before, const struct jid *names, size_t count,
                        struct blocklist *after);

#endif
