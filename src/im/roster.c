/* SPDX-License-Identifier: MIT
 *
 * The roster as a sorted array: rosters are small, read often, and every available session makes somebody look one up.
 */
#include "im/roster.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { ROSTER_ROOM_MIN = 8 };

void roster_clear(struct roster *roster)
{
	for (size_t i = 0; i < roster->count; i++)
		free(roster->items[i]);
	free(roster->items);
	*roster = (struct roster){ 0 };
}

static int contact_compare(const struct roster_item *item, const char *bare, size_t len)
{
	size_t item_len = jid_len(&item->contact);
	int order = memcmp(item->contact.text, bare, item_len < len ? item_len : len);

	return order ? order : (item_len > len) - (item_len < len);
}

/* Where the contact is, or belongs. */
static size_t roster_place(const struct roster *roster, const char *bare, size_t len, bool *found)
{
	size_t low = 0, high = roster->count;

	*found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = contact_compare(roster->items[middle], bare, len);

		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct roster_item *roster_find(const struct roster *roster, const struct jid *contact)
{
	bool found;
	size_t place = roster_place(roster, contact->text, jid_bare_len(contact), &found);

	return found ? roster->items[place] : NULL;
}

enum subscription roster_state(const struct roster *roster, const struct jid *contact)
{
	const struct roster_item *item = roster_find(roster, contact);

	return item ? (enum subscription)item->state : SUBSCRIPTION_NONE;
}

/* The parts of a prepared bare JID. */
static struct jid contact_jid(const char *text, size_t len)
{
	const char *at = memchr(text, '@', len);
	size_t local = at ? (size_t)(at - text) : 0;

	return (struct jid){
		.text = text,
		.local_len = (uint16_t)local,
		.domain_len = (uint16_t)(len - local - (at ? 1 : 0)),
	};
}

static char *text_put(char **end, const char *text)
{
	size_t size = strlen(text) + 1;
	char *place = *end;

	memcpy(place, text, size);
	*end += size;
	return place;
}

static size_t text_size(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

/* Without the request, which no client gets with its roster. */
static size_t item_bytes(const struct store_roster_item *item)
{
	size_t bytes = text_size(item->contact) + text_size(item->name);

	for (size_t i = 0; i < item->group_count; i++)
		bytes += text_size(item->groups[i]);
	return bytes;
}

static struct roster_item *item_new(const struct store_roster_item *from)
{
	size_t bytes = item_bytes(from);
	struct roster_item *item = mem_alloc(sizeof(*item) + bytes + text_size(from->request));
	char *end;

	end = (char *)(item + 1);
	*item = (struct roster_item){
		.version = from->version,
		.bytes = bytes,
		.group_count = (uint16_t)from->group_count,
		.state = from->state,
		.approved = from->approved,
		.listed = from->listed,
	};
	item->contact = contact_jid(text_put(&end, from->contact), strlen(from->contact));
	item->groups = end;
	for (size_t i = 0; i < from->group_count; i++)
		text_put(&end, from->groups[i]);
	item->name = from->name ? text_put(&end, from->name) : NULL;
	item->request = from->request ? text_put(&end, from->request) : NULL;
	return item;
}

static void roster_open_place(struct roster *roster, size_t place)
{
	if (roster->count == roster->room) {
		roster->room = roster->room ? 2 * roster->room : ROSTER_ROOM_MIN;
		roster->items = mem_realloc(roster->items, roster->room * sizeof(*roster->items));
	}
	memmove(roster->items + place + 1, roster->items + place,
	        (roster->count - place) * sizeof(*roster->items));
	roster->count++;
}

void roster_put(struct roster *roster, const struct store_roster_item *from)
{
	bool found;
	size_t place = roster_place(roster, from->contact, strlen(from->contact), &found);

	assert(from->state < SUBSCRIPTIONS);
	if (found) {
		roster->listed -= roster->items[place]->listed;
		roster->bytes -= roster->items[place]->bytes;
		free(roster->items[place]);
	} else {
		roster_open_place(roster, place);
	}
	roster->items[place] = item_new(from);
	roster->listed += from->listed;
	roster->bytes += roster->items[place]->bytes;
	if (from->version > roster->version)
		roster->version = from->version;
}

void roster_remove(struct roster *roster, const struct jid *contact)
{
	bool found;
	size_t place = roster_place(roster, contact->text, jid_bare_len(contact), &found);

	if (!found)
		return;
	roster->listed -= roster->items[place]->listed;
	roster->bytes -= roster->items[place]->bytes;
	free(roster->items[place]);
	roster->count--;
	memmove(roster->items + place, roster->items + place + 1,
	        (roster->count - place) * sizeof(*roster->items));
}

bool roster_has_room(const struct roster *roster, const struct store_roster_item *item, size_t most_items,
                     size_t most_bytes)
{
	bool found;
	size_t place = roster_place(roster, item->contact, strlen(item->contact), &found);
	size_t bytes = item_bytes(item), had = found ? roster->items[place]->bytes : 0;

	if (!(found && roster->items[place]->listed) && roster->listed >= most_items)
		return false;
	return bytes <= had || roster->bytes - had + bytes <= most_bytes;
}

struct store_roster_item roster_draft(struct arena *arena, const struct roster_item *item,
                                      const struct jid *contact)
{
	struct store_roster_item draft = { .contact = arena_str_len(arena, contact->text,
		                                                    jid_bare_len(contact)) };
	const char *group;

	if (!item)
		return draft;
	draft.name = item->name ? arena_str(arena, item->name) : NULL;
	draft.group_count = item->group_count;
	draft.groups = arena_alloc(arena, (item->group_count + 1u) * sizeof(*draft.groups));
	group = item->groups;
	for (size_t i = 0; i < item->group_count; i++, group = roster_group_next(group))
		draft.groups[i] = arena_str(arena, group);
	draft.state = item->state;
	draft.approved = item->approved;
	draft.listed = item->listed;
	draft.request = item->request ? arena_str(arena, item->request) : NULL;
	draft.version = item->version;
	return draft;
}
