/* SPDX-License-Identifier: MIT
 *
 * RFC 6121 §8.5.2 and §8.5.3 as one decision without effects: what becomes of a stanza for a local account, by its kind
 * and type, the form of the address and the account's resources. Choices that the RFC leaves open: docs/delivery.md.
 */
#ifndef IM_DELIVERY_H
#define IM_DELIVERY_H

#include <stdbool.h>

#include "xmpp/stanza.h"

enum delivery {
	DELIVERY_IGNORE,       /* taken, nothing happens */
	DELIVERY_REFUSE,       /* service-unavailable to the sender */
	DELIVERY_MATCH,        /* to the session of the full JID */
	DELIVERY_BEST,         /* to the sessions of the highest priority, if that is not negative */
	DELIVERY_WILLING,      /* to all sessions of non-negative priority */
	DELIVERY_AVAILABLE,    /* to all available sessions */
	DELIVERY_KEEP,         /* into the journal, to be delivered later */
	DELIVERY_SUBSCRIPTION, /* §3 */
	DELIVERY_PROBE,        /* §4.3 */
	DELIVERY_ANSWER,       /* the server answers for the account: the iq table */
};

/* What the decision depends on. */
struct delivery_terms {
	bool full;    /* sent to a full JID */
	bool match;   /* one of the sessions has that full JID */
	bool willing; /* there is an available session with a priority that is not negative */
	bool shared;  /* the sender may know of the session's presence (§8.5.3.1) */
	bool kept;    /* a message that may be kept (delivery_may_keep) */
	bool unheard; /* a message that nobody misses: chat states and nothing else */
};

enum delivery delivery_decide(enum stanza_type type, const struct delivery_terms *terms);

/* XEP-0160 §3 and the hints of XEP-0334: whether a message of type normal or chat, or one that comes back, goes to the
 * journal. */
bool delivery_may_keep(const struct stanza *message);
/* It has chat states (XEP-0085) and nothing else worth keeping: when nobody is there it vanishes without an error. */
bool delivery_is_unheard(const struct stanza *message);

#endif
