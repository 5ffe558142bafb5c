/* SPDX-License-Identifier: MIT
 *
 * A list of bookmarks (XEP-0048) in the two places where clients look for it: private storage (XEP-0049), and the only item of
 * the node storage:bookmarks (XEP-0402 §5.3). Both are views: nothing is kept there. Who wants to hear of that node hears the
 * new list when the bookmarks have changed.
 */
#include "bookmarks.h"

#include <string.h>

#include "bookmark.h"
#include "core/account.h"
#include "core/caps.h"
#include "core/module.h"
#include "pep.h"
#include "xmpp/ns.h"

#define LIST_NODE NS_BOOKMARKS_OLD
#define LIST_ITEM "current"

static void changes_listed(struct store_request *found);

/* ---- which requests ---- */

bool bookmarks_is_list(const struct element *element)
{
	return element_is(element, "storage", NS_BOOKMARKS_OLD);
}

static bool is_private(const struct iq_request *request)
{
	return strcmp(request->payload->ns, NS_PRIVATE) == 0;
}

/* What reads or writes the item of the node; NULL: the request is about something else. */
static const struct element *action_find(const struct iq_request *request)
{
	const char *name = request->parcel->stanza->type == IQ_GET ? "items" : "publish";
	const struct element *action = element_child(request->payload, name, NS_PUBSUB);
	const char *node = action ? element_attr(action, "node") : NULL;

	return node && strcmp(node, LIST_NODE) == 0 ? action : NULL;
}

const struct element *bookmarks_list_find(const struct iq_request *request)
{
	const struct element *parent = request->payload, *first;

	if (!is_private(request)) {
		parent = action_find(request);
		parent = parent ? element_child(parent, "item", NS_PUBSUB) : NULL;
	}
	first = parent ? element_first(parent) : NULL;
	return first && bookmarks_is_list(first) && !element_next(parent, first) ? first : NULL;
}

bool bookmarks_list_is_asked(const struct iq_request *request)
{
	return bookmarks_list_find(request) ||
	       (!is_private(request) && request->parcel->stanza->type == IQ_GET && action_find(request));
}

/* ---- read ---- */

static void list_add(struct home *home, struct arena *arena, struct element *parent,
                     const struct store_pubsub_items *items)
{
	struct element *list = element_add(arena, parent, "storage", NS_BOOKMARKS_OLD);

	for (size_t i = 0; i < items->item_count; i++) {
		const struct element *conference = bookmarks_conference(home, arena, &items->items[i]);

		if (conference)
			bookmark_list(arena, list, items->items[i].id, conference);
	}
}

/* The item in an element of its node. */
static struct element *item_add(struct arena *arena, struct element *parent, const char *name, const char *ns)
{
	struct element *node = element_add(arena, parent, name, ns), *item = element_add(arena, node, "item", ns);

	element_set(arena, node, "node", LIST_NODE);
	element_set(arena, item, "id", LIST_ITEM);
	return item;
}

void bookmarks_list_answer(struct iq_request *request, const struct store_pubsub_items *items)
{
	struct stanza *result = iq_result(request);
	struct arena *arena = &result->arena;
	struct element *parent = element_add(arena, result->root, is_private(request) ? "query" : "pubsub",
	                                     request->payload->ns);

	if (!is_private(request))
		parent = item_add(arena, parent, "items", NS_PUBSUB);
	list_add(request->home, arena, parent, items);
	iq_answer(request, result);
}

/* ---- stored ---- */

void bookmarks_list_stored(struct iq_request *request)
{
	struct stanza *result = iq_result(request);
	struct arena *arena = &result->arena;

	if (!is_private(request))
		item_add(arena, element_add(arena, result->root, "pubsub", NS_PUBSUB), "publish", NS_PUBSUB);
	iq_answer(request, result);
}

/* ---- changed ---- */

static bool somebody_wants_list(const struct account *account)
{
	const struct caps_peer *peer = NULL;

	while ((peer = caps_peer_next(account, peer))) {
		if (caps_peer_wants(peer, LIST_NODE) && jid_same_bare(caps_peer_jid(peer), &account->jid))
			return true;
	}
	return false;
}

void bookmarks_list_changed(struct home *home, const struct jid *user)
{
	const struct account *account = account_find(home, user->text, jid_bare_len(user));

	if (account && somebody_wants_list(account))
		bookmarks_items_ask(home, &account->jid, changes_listed, NULL);
}

static void list_tell(struct home *home, const struct account *account, const struct store_pubsub_items *items)
{
	static const struct store_pubsub_node stored = { .name = LIST_NODE, .config = BOOKMARKS_CONFIG, .affiliations = "" };
	struct stanza *message = stanza_make(STANZA_MESSAGE, MESSAGE_HEADLINE, &account->jid, NULL, NULL);
	struct arena *arena = &message->arena;
	struct element *event = element_add(arena, message->root, "event", NS_PUBSUB_EVENT);
	const struct stanza *sealed;
	struct pubsub_node node;

	list_add(home, arena, item_add(arena, event, "items", NS_PUBSUB_EVENT), items);
	pubsub_node_read(arena, &stored, &node);
	sealed = stanza_seal(message);
	pep_class.notify(home, &account->jid, &node, sealed);
	stanza_unref(&sealed);
}

static void changes_listed(struct store_request *found)
{
	struct home *home = home_of(found->worker);
	const struct account *account = account_find(home, found->owner, strlen(found->owner));

	if (account && (found->status == STORE_OK || found->status == STORE_ABSENT))
		list_tell(home, account, (const struct store_pubsub_items *)found);
	store_request_free(found);
}
