/* SPDX-License-Identifier: MIT
 *
 * What a user wants to be archived (XEP-0441 §2): the default and the two lists, as they are read from a form of his, kept as
 * text, and asked about an address.
 */
#include "preferences.h"

#include <string.h>

#include "xmpp/ns.h"

/* ---- words ---- */

static const char *const words[] = {
	[ARCHIVE_NEVER] = "never",
	[ARCHIVE_ROSTER] = "roster",
	[ARCHIVE_ALWAYS] = "always",
};

bool archive_policy_read(const char *word, size_t len, enum archive_policy *policy)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i]) == len && memcmp(words[i], word, len) == 0) {
			*policy = (enum archive_policy)i;
			return true;
		}
	}
	return false;
}

const char *archive_policy_word(enum archive_policy policy)
{
	return words[policy];
}

/* ---- whom it concerns (§2.3) ---- */

static bool preferences_name(const struct preferences *preferences, const char *address, size_t len,
                             enum archive_policy *policy)
{
	if (blocklist_has(&preferences->never, address, len))
		*policy = ARCHIVE_NEVER;
	else if (blocklist_has(&preferences->always, address, len))
		*policy = ARCHIVE_ALWAYS;
	else
		return false;
	return true;
}

/* What names the full address counts before what names the bare one. */
enum archive_policy preferences_say(const struct preferences *preferences, const struct jid *peer)
{
	enum archive_policy policy = preferences->usual;

	if (!preferences_name(preferences, peer->text, jid_len(peer), &policy))
		preferences_name(preferences, peer->text, jid_bare_len(peer), &policy);
	return policy;
}

/* ---- as text ---- */

void preferences_clear(struct preferences *preferences)
{
	blocklist_clear(&preferences->always);
	blocklist_clear(&preferences->never);
}

static void lines_add(struct buf *out, const char *word, const struct blocklist *list)
{
	for (size_t i = 0; i < list->count; i++)
		buf_printf(out, "%s %s\n", word, list->entries[i]);
}

void preferences_write(const struct preferences *preferences, struct buf *out)
{
	buf_printf(out, "default %s\n", words[preferences->usual]);
	lines_add(out, words[ARCHIVE_ALWAYS], &preferences->always);
	lines_add(out, words[ARCHIVE_NEVER], &preferences->never);
}

/* The addresses behind a word, as the text of a list. */
static void list_read(struct blocklist *list, const char *text, size_t len, const char *word)
{
	size_t word_len = strlen(word);
	const char *end = text + len, *next;
	struct buf found = { 0 };

	for (const char *line = text; line < end; line = next) {
		const char *line_end = memchr(line, '\n', (size_t)(end - line));

		next = line_end ? line_end + 1 : end;
		if ((size_t)(next - line) > word_len + 1 && memcmp(line, word, word_len) == 0 && line[word_len] == ' ')
			buf_add(&found, line + word_len + 1, (size_t)(next - line) - word_len - 1);
	}
	blocklist_read(list, found.data, found.len);
	buf_clear(&found);
}

bool preferences_read(struct preferences *preferences, const char *text, size_t len)
{
	static const char first[] = "default ";
	const char *word = text + strlen(first), *end = memchr(text, '\n', len);

	if (!end || (size_t)(end - text) < strlen(first) || memcmp(text, first, strlen(first)) != 0 ||
	    !archive_policy_read(word, (size_t)(end - word), &preferences->usual))
		return false;
	list_read(&preferences->always, text, len, words[ARCHIVE_ALWAYS]);
	list_read(&preferences->never, text, len, words[ARCHIVE_NEVER]);
	return true;
}

/* ---- from a form of the user, §2.1 ---- */

static enum stanza_condition addresses_read(const struct element *prefs, const char *name, struct blocklist *list)
{
	const struct element *listed = element_child(prefs, name, NS_MAM);
	enum stanza_condition condition = STANZA_NO_ERROR;
	struct arena arena = { 0 };
	struct buf lines = { 0 };

	for (const struct node *n = listed ? listed->first : NULL; n && !condition; n = n->next) {
		const char *text;
		struct jid jid;

		if (!n->element || !element_is(n->element, "jid", NS_MAM))
			continue;
		text = element_text(&arena, n->element);
		if (jid_prepare(&arena, text, strlen(text), JID_ANY, &jid))
			buf_printf(&lines, "%s\n", jid.text);
		else
			condition = STANZA_JID_MALFORMED;
	}
	blocklist_read(list, lines.data, lines.len);
	buf_clear(&lines);
	arena_clear(&arena);
	return condition;
}

static bool lists_meet(const struct preferences *preferences)
{
	const struct blocklist *always = &preferences->always;

	for (size_t i = 0; i < always->count; i++) {
		if (blocklist_has(&preferences->never, always->entries[i], strlen(always->entries[i])))
			return true;
	}
	return false;
}

/* Who stands in both lists would be archived by no rule of the document's. */
enum stanza_condition preferences_read_form(const struct element *prefs, size_t most, struct preferences *preferences)
{
	const char *usual = element_attr(prefs, "default");
	enum stanza_condition condition;

	if (!usual || !archive_policy_read(usual, strlen(usual), &preferences->usual))
		return STANZA_BAD_REQUEST;
	condition = addresses_read(prefs, "always", &preferences->always);
	if (!condition)
		condition = addresses_read(prefs, "never", &preferences->never);
	if (!condition && preferences->always.count + preferences->never.count > most)
		condition = STANZA_RESOURCE_CONSTRAINT;
	if (!condition && lists_meet(preferences))
		condition = STANZA_BAD_REQUEST;
	return condition;
}
