/* SPDX-License-Identifier: MIT
 *
 * Answers to presence probes (RFC 6121 §4.3.2): to who has a subscription the presence of all sessions, or since when there
 * is none; to who got directed presence from one session that it is there (§4.6.6); to others that they have no subscription.
 */
#include "im/probe.h"

#include "core/router.h"
#include "im/directed.h"
#include "im/im.h"
#include "im/presence.h"
#include "xmpp/ns.h"
#include "xmpp/stamp.h"

/* An answer to a probe that tells no more than its type; the id is the probe's (§4.3.2.1). */
static struct stanza *probe_answer_new(const struct parcel *probe, enum stanza_type type, const struct jid *from)
{
	return stanza_make(STANZA_PRESENCE, type, from, &probe->stanza->from, probe->stanza->id);
}

/* §4.3.2 rule 3: unavailable, with the time since when, if that is known. */
static void probe_answer_left(struct account *account, const struct parcel *probe)
{
	struct stanza *answer = probe_answer_new(probe, PRESENCE_UNAVAILABLE, &account->jid);
	int64_t left_us = im_of(account)->left_us;
	char stamp[STAMP_LEN + 1];

	if (left_us) {
		struct element *delay = element_add(&answer->arena, answer->root, "delay", NS_DELAY);

		stamp_write(left_us, stamp);
		element_set(&answer->arena, delay, "from", account->jid.text);
		element_set(&answer->arena, delay, "stamp", stamp);
	}
	route_stanza(account->home, stanza_seal(answer));
}

/* A probe for one resource: mere presence, and to who got directed presence from it as well (§4.6.6). */
static void probe_one(struct account *account, const struct parcel *probe, bool subscribed)
{
	const struct session *session = session_find(account, jid_resource(&probe->to));
	bool directed = session && directed_knows(session->directed, &probe->stanza->from);
	enum stanza_type type = PRESENCE_UNAVAILABLE;
	const struct jid *from = &probe->to;

	if (directed || (subscribed && session && session_is_available(session)))
		type = PRESENCE_AVAILABLE;
	if (!subscribed && !directed) {
		type = PRESENCE_UNSUBSCRIBED;
		from = &account->jid;
	}
	route_stanza(account->home, stanza_seal(probe_answer_new(probe, type, from)));
}

void probe_received(struct account *account, struct parcel *probe)
{
	const struct jid *who = &probe->stanza->from;
	bool subscribed = jid_same_bare(who, &account->jid) ||
	                  subscription_gives(roster_state(roster_of(account), who));

	if (!jid_is_bare(&probe->to))
		probe_one(account, probe, subscribed);
	else if (!subscribed)
		route_stanza(account->home,
		             stanza_seal(probe_answer_new(probe, PRESENCE_UNSUBSCRIBED, &account->jid)));
	else if (presence_show(account, who) == 0)
		probe_answer_left(account, probe);
	parcel_taken(account->home, &probe);
}
