/* SPDX-License-Identifier: MIT
 *
 * Requests about one account's roster (RFC 6121 §2, §3, Appendix A). Each change carries the roster version
 * that it makes; versions of an account only grow. A pending subscription request that is waiting for the
 * user's answer is part of the item, with its stanza.
 */
#ifndef STORE_ROSTER_H
#define STORE_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

struct store_roster_item {
	const char *contact;            /* prepared bare JID */
	const char *name;               /* NULL: none */
	const char **groups;
	size_t group_count;
	uint8_t state;                  /* the subscription state of im/subscription.h, Appendix A.1 */
	bool approved;                  /* pre-approval, RFC 6121 §3.4 */
	bool listed;                    /* false: not shown, only a pending-in request holds the item */
	const char *request;            /* the pending subscribe stanza as XML in jabber:client; NULL: none */
	uint64_t version;               /* of the last change */
};

/* PUT: the item as it is now; ABSENT: no such account. REMOVE: item.contact and item.version count;
 * ABSENT: no such item, and the version stays. */
struct store_roster_write {
	struct store_request request;
	struct store_roster_item item;
};

#endif
