/* SPDX-License-Identifier: MIT
 *
 * The subscription states of RFC 6121 Appendix A.1 and what a subscription stanza does to them (A.2, A.3). Pure tables:
 * what follows from a change (pushes, presence, replies) is in im/subscribing.h. The numbers are kept in the store.
 */
#ifndef IM_SUBSCRIPTION_H
#define IM_SUBSCRIPTION_H

#include <stdbool.h>

#include "xmpp/stanza.h"

enum subscription {
	SUBSCRIPTION_NONE,
	SUBSCRIPTION_NONE_OUT, /* "None + Pending Out" */
	SUBSCRIPTION_NONE_IN,
	SUBSCRIPTION_NONE_OUT_IN,
	SUBSCRIPTION_TO,
	SUBSCRIPTION_TO_IN,
	SUBSCRIPTION_FROM,
	SUBSCRIPTION_FROM_OUT,
	SUBSCRIPTION_BOTH,
	SUBSCRIPTIONS
};

struct subscription_rule {
	bool pass; /* outbound: route it; inbound: deliver it to the user */
	enum subscription next;
	enum stanza_type
		reply; /* inbound: the server answers the contact for the user; STANZA_TYPE_NONE: nothing */
};

/* type: one of subscribe, subscribed, unsubscribe, unsubscribed. */
bool subscription_is_type(enum stanza_type type);
const struct subscription_rule *subscription_outbound(enum stanza_type type,
                                                      enum subscription state); /* A.2 */
const struct subscription_rule *subscription_inbound(enum stanza_type type,
                                                     enum subscription state); /* A.3 */

/* The state after a request that the user has pre-approved (§3.4, A.3.1 note 1). */
enum subscription subscription_granted(enum subscription state);

/* The contact gets the user's presence: "from" or "both". */
bool subscription_gives(enum subscription state);
/* The user gets the contact's presence: "to" or "both". */
bool subscription_gets(enum subscription state);
bool subscription_is_asked(enum subscription state);   /* Pending Out: ask='subscribe' */
bool subscription_is_pending(enum subscription state); /* Pending In: a request waits for the user's answer */
/* The value of the roster item's attribute (§2.1.2.5): "none", "to", "from", "both". */
const char *subscription_name(enum subscription state);

#endif
