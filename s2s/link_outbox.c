/* SPDX-License-Identifier: MIT
 *
 * The outbox of a link: which stanzas go into it (RFC 6120 §10.4), how long they may wait, and what their senders are told
 * (§8.3.3.16, §8.3.3.17). Everything behind that is core/outbox.h's, from one stream, and one server, to the next.
 */
#include <stdio.h>
#include <string.h>

#include "link.h"
#include "outgoing.h"
#include "policy.h"

const struct peer_policy *link_policy(const struct link *link)
{
	return policy_find(link->s2s->home->config, link->remote, strlen(link->remote));
}

/* ---- what the outbox asks ---- */

static const struct outbox_limits *outbox_limits(const void *owner)
{
	return &link_policy(owner)->outbox;
}

static struct outbox_excuse outbox_excuse(const void *owner)
{
	const struct trouble_meaning *meaning = link_excuse(owner);

	return (struct outbox_excuse){ meaning->condition, meaning->text };
}

static bool outbox_has_room(const void *owner)
{
	const struct link *link = owner;

	return link->state == LINK_READY && outgoing_has_room(link->outgoing);
}

static void outbox_hand(void *owner, struct parcel *parcel)
{
	struct link *link = owner;

	link->sent++;
	link->sent_ms = worker_now_ms(link->s2s->home->worker);
	outgoing_send(link->outgoing, parcel);
}

static void outbox_changed(void *owner)
{
	link_outbox_changed(owner);
}

static const struct outbox_class link_outbox_class = {
	.limits = outbox_limits,
	.excuse = outbox_excuse,
	.has_room = outbox_has_room,
	.hand = outbox_hand,
	.changed = outbox_changed,
};

/* Domains have no spaces. */
struct outbox *link_outbox_new(struct link *link)
{
	char key[sizeof(LINK_OUTBOX) + sizeof(struct link_key)];

	snprintf(key, sizeof(key), "%s %s %s", LINK_OUTBOX, link->local, link->remote);
	return outbox_new(link->s2s->home, &link_outbox_class, link, key);
}

void link_restore(void *context, const char *name, const struct store_outbox *left)
{
	const char *space = strchr(name, ' ');
	struct s2s *s2s = context;
	struct link_key key;
	struct link *link;

	if (!space)
		return;
	link_key_make(&key, name, (size_t)(space - name), space + 1, strlen(space + 1));
	if (link_home(s2s->home, &key) != s2s->home)
		return;
	link = link_get(s2s, &key);
	outbox_restore(link->outbox, left);
	link_configured(link);
}

/* ---- a stanza comes ---- */

/* What stands against sending it at all; NULL: nothing. We never relay for others (RFC 6120 §10.4: only
 * our domains' stanzas leave), and addresses that are IP literals are none of anybody's domains. */
static const char *parcel_fault(struct s2s *s2s, const struct peer_policy *policy,
                                const struct parcel *parcel, enum stanza_condition *condition)
{
	const struct jid *from = &parcel->stanza->from;
	struct link_key remote;
	struct address literal;

	link_key_make(&remote, "", 0, jid_domain_text(&parcel->to), parcel->to.domain_len);
	remote.text[remote.len] = '\0';
	*condition = STANZA_NOT_ALLOWED;
	if (!policy->allow)
		return "This server exchanges no stanzas with that domain";
	if (!policy_lets(policy->sends, parcel->stanza))
		return "Nothing of the kind is sent to that domain from here";
	*condition = STANZA_REMOTE_SERVER_NOT_FOUND;
	if (!from->text || !s2s_is_ours(s2s, jid_domain_text(from), from->domain_len))
		return "That domain is not served here";
	if (policy->target_count == 0 && address_read(remote.text + 1, 0, &literal))
		return "An IP address is no domain";
	*condition = STANZA_POLICY_VIOLATION;
	if (!stanza_fits(parcel->stanza, &parcel->to, s2s->home->config->limits.stanza_server))
		return "This is larger than servers take from one another";
	*condition = STANZA_REMOTE_SERVER_TIMEOUT;
	return s2s->draining ? "This server is being stopped" : NULL;
}

/* A question, or a word to one address (RFC 6121 §4.6), whose sender wants to know now: not that it may be answered when the
 * line is back, perhaps in hours. */
static bool stanza_is_urgent(const struct stanza *stanza)
{
	return stanza->type == IQ_GET || stanza->type == IQ_SET ||
	       (stanza->type == PRESENCE_AVAILABLE && stanza->to.text);
}

void link_deliver(struct home *home, struct parcel *parcel)
{
	struct s2s *s2s = s2s_of(home);
	const struct jid *from = &parcel->stanza->from, *to = &parcel->to;
	const struct peer_policy *policy = policy_find(home->config, jid_domain_text(to), to->domain_len);
	enum stanza_condition condition;
	const char *fault = parcel_fault(s2s, policy, parcel, &condition);
	struct link_key key;
	struct link *link;

	if (fault) {
		parcel_refused(home, &parcel, condition, fault);
		return;
	}
	link_key_make(&key, jid_domain_text(from), from->domain_len, jid_domain_text(to), to->domain_len);
	link = link_get(s2s, &key);
	if (link_is_down(link) && stanza_is_urgent(parcel->stanza)) {
		parcel_refused(home, &parcel, link_excuse(link)->condition, link_excuse(link)->text);
		return;
	}
	outbox_add(link->outbox, parcel);
	link_outbox_changed(link);
}

void link_take_back(struct link *link, struct parcel *parcel)
{
	outbox_take_back(link->outbox, parcel);
}

void link_flush(struct link *link)
{
	outbox_refuse(link->outbox, STANZA_REMOTE_SERVER_TIMEOUT,
	              "The administrators of this server have returned what waited for that one");
}
