/* SPDX-License-Identifier: MIT
 *
 * Changes of the node of bookmarks: what turns its items into a list of XEP-0048 (XEP-0402 §5.3.2), and made one after the
 * other.
 */
#include "bookmarks.h"

#include <string.h>

#include "bookmark.h"
#include "pep.h"
#include "xmpp/ns.h"

static void changes_continue(struct bookmarks_call *call);
static void change_published(struct home *home, void *context, enum store_status status);

/* ---- the list and the node ---- */

size_t bookmarks_count(const struct element *list)
{
	size_t count = 0;

	for (const struct node *node = list->first; node; node = node->next)
		count += node->element != NULL;
	return count;
}

static const struct store_pubsub_item *item_find(const struct store_pubsub_items *items, const char *id)
{
	for (size_t i = 0; i < items->item_count; i++) {
		if (strcmp(items->items[i].id, id) == 0)
			return &items->items[i];
	}
	return NULL;
}

struct element *bookmarks_conference(struct home *home, struct arena *arena, const struct store_pubsub_item *item)
{
	struct element *conference = parser_text(home->parsers, arena, NS_CLIENT, item->payload, item->payload_len,
	                                         &home->config->limits.parser);

	return conference && element_is(conference, "conference", NS_BOOKMARKS) ? conference : NULL;
}

static bool list_has(struct arena *arena, const struct element *list, const char *room)
{
	for (const struct node *node = list->first; node; node = node->next) {
		const char *other = node->element ? bookmark_room(arena, node->element) : NULL;

		if (other && strcmp(other, room) == 0)
			return true;
	}
	return false;
}

static void changes_begin(struct bookmarks_call *call, size_t most)
{
	call->changes = arena_zalloc(&call->arena, (most + 1) * sizeof(*call->changes));
	call->count = 0;
}

static void change_add(struct bookmarks_call *call, const char *id, const struct element *payload)
{
	call->changes[call->count++] = (struct bookmarks_change){ arena_str(&call->arena, id), payload };
}

/* A bookmark of the list that is new or not as it was. */
static void conference_compare(struct bookmarks_call *call, const struct store_pubsub_items *items,
                               const struct element *conference)
{
	const char *room = bookmark_room(&call->arena, conference);
	const struct store_pubsub_item *item = room ? item_find(items, room) : NULL;
	const struct element *before = item ? bookmarks_conference(call->request->home, &call->arena, item) : NULL;
	struct element *renewed;

	if (!room)
		return;
	renewed = bookmark_renew(&call->arena, conference, before);
	if (!before || !bookmark_same(&call->arena, renewed, before))
		change_add(call, room, renewed);
}

void bookmarks_replace(struct bookmarks_call *call, const struct element *list, const struct store_pubsub_items *items)
{
	changes_begin(call, bookmarks_count(list) + items->item_count);
	for (const struct node *node = list->first; node; node = node->next) {
		if (node->element)
			conference_compare(call, items, node->element);
	}
	for (size_t i = 0; i < items->item_count; i++) {
		if (!list_has(&call->arena, list, items->items[i].id))
			change_add(call, items->items[i].id, NULL);
	}
}

void bookmarks_complete(struct bookmarks_call *call, const struct element *list, const struct store_pubsub_items *items)
{
	changes_begin(call, bookmarks_count(list));
	for (const struct node *node = list->first; node; node = node->next) {
		const char *room = node->element ? bookmark_room(&call->arena, node->element) : NULL;

		if (room && !item_find(items, room))
			change_add(call, room, bookmark_renew(&call->arena, node->element, NULL));
	}
}

/* ---- made ---- */

void bookmarks_change(struct bookmarks_call *call,
                      void (*changed)(struct bookmarks_call *call, enum store_status status))
{
	call->next = 0;
	call->changed = changed;
	changes_continue(call);
}

static void changes_continue(struct bookmarks_call *call)
{
	const struct bookmarks_change *change = &call->changes[call->next++];

	if (call->next > call->count) {
		call->changed(call, STORE_OK);
		return;
	}
	pubsub_publish(call->request->home, &(struct pubsub_publication){ .class = &pep_class,
	                                                                  .service = &call->request->parcel->to,
	                                                                  .node = NS_BOOKMARKS,
	                                                                  .id = change->id,
	                                                                  .config = BOOKMARKS_CONFIG,
	                                                                  .payload = change->payload,
	                                                                  .done = change_published,
	                                                                  .context = call });
}

/* A bookmark that another client has just removed is gone, as it should be. */
static void change_published(struct home *home, void *context, enum store_status status)
{
	struct bookmarks_call *call = context;
	bool is_gone = status == STORE_ABSENT && !call->changes[call->next - 1].payload;

	(void)home;
	if (status == STORE_OK || is_gone)
		changes_continue(call);
	else
		call->changed(call, status);
}
