/* SPDX-License-Identifier: MIT
 *
 * What a user wants to be archived (XEP-0441 §2.1). Pure.
 */
#ifndef XEP_PREFERENCES_H
#define XEP_PREFERENCES_H

#include "base/buf.h"
#include "blocklist.h"
#include "core/account.h"
#include "xmpp/element.h"
#include "xmpp/error.h"

/* All zero: nobody's messages are. */
struct preferences {
	enum archive_policy usual;
	struct blocklist always, never;
};

/* never, roster, always. */
const char *archive_policy_word(enum archive_policy policy);
bool archive_policy_read(const char *word, size_t len, enum archive_policy *policy);

/* From a <prefs/> with no more than so many addresses, into empty ones. What it answers is refused. */
enum stanza_condition preferences_read_form(const struct element *prefs, size_t most, struct preferences *preferences);
/* As text: a line "default WORD" and lines "always JID" and "never JID". Reads into empty ones; false: it is no such text. */
void preferences_write(const struct preferences *preferences, struct buf *out);
bool preferences_read(struct preferences *preferences, const char *text, size_t len);
void preferences_clear(struct preferences *preferences);

/* What they say about messages with somebody (§2.3). */
enum archive_policy preferences_say(const struct preferences *preferences, const struct jid *peer);

#endif
