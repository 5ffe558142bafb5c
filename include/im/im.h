/* SPDX-License-Identifier: MIT
 *
 * What this edge keeps of an account: its roster, the changes under way, and when it was last available; its limits; and
 * the way of a stanza through it.
 */
#ifndef IM_IM_H
#define IM_IM_H

#include "core/account.h"
#include "core/session.h"
#include "im/change.h"
#include "im/roster.h"

extern const struct module im_module;

struct im {
	struct roster roster;
	struct changes changes;
	int64_t left_us; /* wall clock: the last session became unavailable; 0: not known */
};

/* Options of the section "limits". */
struct im_limits {
	uint32_t roster_text;      /* bytes of a name or of a group's name */
	uint32_t roster_groups;    /* of one item */
	uint32_t roster_bytes;     /* of all texts of a roster */
	uint32_t pending_requests; /* subscription requests of strangers that wait for the user's answer */
	uint32_t pending_bytes;    /* of one such request */
	uint32_t directed;         /* addresses that a session has sent directed presence */
};

static inline struct im *im_of(const struct account *account)
{
	return account_part(account, &im_module);
}

static inline struct roster *roster_of(const struct account *account)
{
	return &im_of(account)->roster;
}

static inline const struct im_limits *im_limits(const struct home *home)
{
	return config_part(home->config, &im_module);
}

/* The rules of RFC 6121 §8.5 for a parcel whose turn it is. False for a request that the server answers for the account:
 * the parcel is still the caller's. */
bool im_receive(struct account *account, struct parcel *parcel);

/* Routes a client's stanza, behind a change that concerns the same contact. Takes the stanza. */
void im_route_sent(struct account *account, struct stanza *stanza);
/* Refuses a client's stanza. Takes it. text: NULL for none. */
void im_refuse_sent(struct session *session, struct stanza *stanza, enum stanza_condition condition,
                    const char *text);

#endif
