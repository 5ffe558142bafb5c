/* SPDX-License-Identifier: MIT
 *
 * The roster of an account in memory (RFC 6121 §2), on the account's home: what is durable, in the order of the
 * contacts' addresses. An item is const; a change puts a new one in its place. Who changes it goes through im/change.h.
 */
#ifndef IM_ROSTER_H
#define IM_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "im/subscription.h"
#include "store/roster.h"
#include "xmpp/jid.h"

/* One piece of memory with its texts. */
struct roster_item {
	struct jid contact;  /* bare */
	const char *name;    /* NULL: none */
	const char *groups;  /* group_count strings, one behind the NUL of the other */
	const char *request; /* the pending subscription request as XML; NULL: none */
	uint64_t version;
	size_t bytes; /* of contact, name and groups */
	uint16_t group_count;
	uint8_t state; /* enum subscription */
	bool approved; /* §3.4 */
	bool listed;   /* false: only a pending request holds it; no client sees it */
};

struct roster {
	struct roster_item **items; /* sorted; owned */
	size_t count, room;
	size_t listed;    /* of them */
	size_t bytes;     /* of their texts */
	uint64_t version; /* of the newest change */
};

void roster_clear(struct roster *roster);
void roster_put(struct roster *roster, const struct store_roster_item *item);
void roster_remove(struct roster *roster, const struct jid *contact);

/* Whether an item that clients see may become this: so many listed items, so many bytes of texts. */
bool roster_has_room(const struct roster *roster, const struct store_roster_item *item, size_t most_items,
                     size_t most_bytes);

/* By the bare part of an address; NULL: absent. */
const struct roster_item *roster_find(const struct roster *roster, const struct jid *contact);
/* The state towards an address: "None" for who is not in the roster (A.1). */
enum subscription roster_state(const struct roster *roster, const struct jid *contact);

/* The item as the store knows it, copied into the arena, to be changed and written; item NULL: a new one. */
struct store_roster_item roster_draft(struct arena *arena, const struct roster_item *item,
                                      const struct jid *contact);

static inline const char *roster_group_next(const char *group)
{
	return group + strlen(group) + 1;
}

#endif
