/* SPDX-License-Identifier: MIT
 *
 * The fields of a bookmark, from XEP-0048 to XEP-0402 and back (XEP-0402 §2, §5.1).
 */
#include "bookmark.h"

#include <string.h>

#include "xmpp/dataform.h"
#include "xmpp/jid.h"
#include "xmpp/ns.h"

static void text_copy(struct arena *arena, struct element *to, const char *ns, const struct element *from,
                      const char *name, const char *from_ns)
{
	const char *text = element_child_text(arena, from, name, from_ns);

	if (text)
		element_add_text(arena, element_add(arena, to, name, ns), text);
}

void bookmark_list(struct arena *arena, struct element *storage, const char *room, const struct element *from)
{
	struct element *conference = element_add(arena, storage, "conference", NS_BOOKMARKS_OLD);

	element_set(arena, conference, "jid", room);
	element_set(arena, conference, "name", element_attr(from, "name"));
	element_set(arena, conference, "autojoin", element_attr(from, "autojoin"));
	text_copy(arena, conference, NS_BOOKMARKS_OLD, from, "nick", NS_BOOKMARKS);
	text_copy(arena, conference, NS_BOOKMARKS_OLD, from, "password", NS_BOOKMARKS);
}

static bool autojoin_of(const struct element *conference)
{
	const char *text = element_attr(conference, "autojoin");
	bool autojoin = false;

	return text && dataform_read_bool(text, &autojoin) && autojoin;
}

struct element *bookmark_renew(struct arena *arena, const struct element *from, const struct element *before)
{
	struct element *conference = element_new(arena, "conference", NS_BOOKMARKS);
	const struct element *extensions = before ? element_child(before, "extensions", NS_BOOKMARKS) : NULL;

	element_set(arena, conference, "name", element_attr(from, "name"));
	element_set(arena, conference, "autojoin", autojoin_of(from) ? "true" : NULL);
	text_copy(arena, conference, NS_BOOKMARKS, from, "nick", NS_BOOKMARKS_OLD);
	text_copy(arena, conference, NS_BOOKMARKS, from, "password", NS_BOOKMARKS_OLD);
	if (extensions)
		element_copy(arena, conference, extensions);
	return conference;
}

static bool text_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool bookmark_same(struct arena *arena, const struct element *a, const struct element *b)
{
	return autojoin_of(a) == autojoin_of(b) &&
	       text_same(element_attr(a, "name"), element_attr(b, "name")) &&
	       text_same(element_child_text(arena, a, "nick", NS_BOOKMARKS),
	                 element_child_text(arena, b, "nick", NS_BOOKMARKS)) &&
	       text_same(element_child_text(arena, a, "password", NS_BOOKMARKS),
	                 element_child_text(arena, b, "password", NS_BOOKMARKS));
}

const char *bookmark_room(struct arena *arena, const struct element *conference)
{
	const char *text = element_attr(conference, "jid");
	struct jid jid;

	if (!element_is(conference, "conference", NS_BOOKMARKS_OLD) || !text ||
	    !jid_prepare(arena, text, strlen(text), JID_ANY, &jid) || !jid_is_bare(&jid))
		return NULL;
	return jid.text;
}
