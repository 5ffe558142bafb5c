/* SPDX-License-Identifier: MIT
 *
 * The delivery rules of RFC 6121 §8.5 for an account that exists, in the RFC's order: the bare JID (§8.5.2), the full JID
 * with a session (§8.5.3.1) and without one (§8.5.3.2).
 */
#include "im/delivery.h"

#include <string.h>

#include "xmpp/ns.h"

static enum delivery bare_decide(enum stanza_type type, const struct delivery_terms *terms);
static enum delivery match_decide(enum stanza_type type, const struct delivery_terms *terms);
static enum delivery gone_decide(enum stanza_type type, const struct delivery_terms *terms);

enum delivery delivery_decide(enum stanza_type type, const struct delivery_terms *terms)
{
	if (!terms->full)
		return bare_decide(type, terms);
	return terms->match ? match_decide(type, terms) : gone_decide(type, terms);
}

/* §8.5.2.1.1, §8.5.2.2.1: a message that a person shall read, now or later. */
static enum delivery person_decide(const struct delivery_terms *terms)
{
	if (terms->willing)
		return DELIVERY_BEST;
	if (terms->kept)
		return DELIVERY_KEEP;
	return terms->unheard ? DELIVERY_IGNORE : DELIVERY_REFUSE;
}

/* §8.5.2: localpart@domainpart. */
static enum delivery bare_decide(enum stanza_type type, const struct delivery_terms *terms)
{
	switch (type) {
	case MESSAGE_NORMAL:
	case MESSAGE_CHAT:
		return person_decide(terms);
	case MESSAGE_GROUPCHAT:
		return DELIVERY_REFUSE;
	case MESSAGE_HEADLINE:
		return terms->willing ? DELIVERY_WILLING : DELIVERY_IGNORE;
	case MESSAGE_ERROR:
		return DELIVERY_IGNORE;
	case PRESENCE_AVAILABLE:
	case PRESENCE_UNAVAILABLE:
	case PRESENCE_ERROR:
		return DELIVERY_AVAILABLE;
	case PRESENCE_SUBSCRIBE:
	case PRESENCE_SUBSCRIBED:
	case PRESENCE_UNSUBSCRIBE:
	case PRESENCE_UNSUBSCRIBED:
		return DELIVERY_SUBSCRIPTION;
	case PRESENCE_PROBE:
		return DELIVERY_PROBE;
	case IQ_GET:
	case IQ_SET:
		return DELIVERY_ANSWER;
	case IQ_RESULT:
	case IQ_ERROR:
		return DELIVERY_IGNORE;
	default:
		return DELIVERY_REFUSE;
	}
}

/* §8.5.3.1: a session matches. */
static enum delivery match_decide(enum stanza_type type, const struct delivery_terms *terms)
{
	switch (type) {
	case MESSAGE_NORMAL:
	case MESSAGE_CHAT:
	case MESSAGE_GROUPCHAT:
	case MESSAGE_HEADLINE:
	case MESSAGE_ERROR:
	case PRESENCE_AVAILABLE:
	case PRESENCE_UNAVAILABLE:
	case PRESENCE_ERROR:
	case IQ_RESULT:
	case IQ_ERROR:
		return DELIVERY_MATCH;
	case PRESENCE_SUBSCRIBE:
	case PRESENCE_SUBSCRIBED:
	case PRESENCE_UNSUBSCRIBE:
	case PRESENCE_UNSUBSCRIBED:
		return DELIVERY_SUBSCRIPTION;
	case PRESENCE_PROBE:
		return DELIVERY_PROBE;
	case IQ_GET:
	case IQ_SET:
		return terms->shared ? DELIVERY_MATCH : DELIVERY_REFUSE;
	default:
		return DELIVERY_REFUSE;
	}
}

/* §8.5.3.2: no session matches. A message of type normal is treated like chat, as if it was sent to the bare JID: many
 * programs send no type at all, and what they say would be lost with the session. So would the news that a message has come
 * back which we had taken over: such an error of ours is kept too. */
static enum delivery gone_decide(enum stanza_type type, const struct delivery_terms *terms)
{
	switch (type) {
	case MESSAGE_NORMAL:
	case MESSAGE_CHAT:
		return person_decide(terms);
	case MESSAGE_ERROR:
		return terms->kept ? person_decide(terms) : DELIVERY_IGNORE;
	case MESSAGE_GROUPCHAT:
		return DELIVERY_REFUSE;
	case MESSAGE_HEADLINE:
	case PRESENCE_AVAILABLE:
	case PRESENCE_UNAVAILABLE:
	case PRESENCE_ERROR:
	case PRESENCE_SUBSCRIBED:
	case PRESENCE_UNSUBSCRIBE:
	case PRESENCE_UNSUBSCRIBED:
	case IQ_RESULT:
	case IQ_ERROR:
		return DELIVERY_IGNORE;
	case PRESENCE_SUBSCRIBE:
		return DELIVERY_SUBSCRIPTION;
	case PRESENCE_PROBE:
		return DELIVERY_PROBE;
	default:
		return DELIVERY_REFUSE;
	}
}

bool delivery_may_keep(const struct stanza *message)
{
	if (message->type == MESSAGE_ERROR)
		return message->returns != NULL;
	return (message->type == MESSAGE_NORMAL || message->type == MESSAGE_CHAT) &&
	       !element_child(message->root, "no-store", NS_HINTS) && !delivery_is_unheard(message);
}

bool delivery_is_unheard(const struct stanza *message)
{
	bool states = false;

	for (const struct node *n = message->root->first; n; n = n->next) {
		if (!n->element || element_is(n->element, "thread", NS_CLIENT))
			continue;
		if (strcmp(n->element->ns, NS_HINTS) == 0 && strcmp(n->element->name, "store") != 0)
			continue;
		if (strcmp(n->element->ns, NS_CHAT_STATES) != 0)
			return false;
		states = true;
	}
	return states;
}
