/* SPDX-License-Identifier: MIT
 *
 * RFC 6121 §3: outbound (§3.1.2, §3.1.5, §3.2.2, §3.3.2, §3.4.2), then inbound (§3.1.3, §3.1.6, §3.2.3, §3.3.3). Each is a
 * change: decided by the tables of Appendix A, written, and then told: first to the contact and with the stanza itself,
 * after that by a roster push.
 */
#include "im/subscribing.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "core/invite.h"
#include "core/router.h"
#include "im/im.h"
#include "im/presence.h"
#include "im/roster_query.h"
#include "im/spread.h"
#include "xmpp/ns.h"

static void outbound_decided(struct account *account, struct change *change);
static void outbound_written(struct account *account, struct change *change);
static void outbound_failed(struct home *home, struct change *change, enum stanza_condition condition);
static void inbound_decided(struct account *account, struct change *change);
static void inbound_written(struct account *account, struct change *change);
static void inbound_failed(struct home *home, struct change *change, enum stanza_condition condition);

static const struct change_class outbound_class = { outbound_decided, outbound_written, outbound_failed };
static const struct change_class inbound_class = { inbound_decided, inbound_written, inbound_failed };

/* What clients see of an item has changed: only then is there a new version of the roster (§2.6.3), and a push. */
static bool item_is_seen_to_change(const struct roster_item *item, const struct store_roster_item *draft)
{
	bool was_listed = item && item->listed;

	if (!was_listed || !draft->listed)
		return was_listed != draft->listed;
	return item->approved != draft->approved ||
	       strcmp(subscription_name(item->state), subscription_name(draft->state)) != 0 ||
	       subscription_is_asked(item->state) != subscription_is_asked(draft->state);
}

static bool item_changes(const struct roster_item *item, const struct store_roster_item *draft)
{
	return item_is_seen_to_change(item, draft) ||
	       draft->state != (item ? item->state : SUBSCRIPTION_NONE);
}

/* Writes the draft where it differs from the item; an item that only a request held goes with it. */
static void subscribing_write(struct account *account, struct change *change, struct store_roster_item *draft)
{
	const struct roster_item *item = roster_find(roster_of(account), &change->contact);

	if (!item_changes(item, draft)) {
		change->class->written(account, change);
		return;
	}
	if (!subscription_is_pending(draft->state))
		draft->request = NULL;
	change->push = item_is_seen_to_change(item, draft);
	draft->version = roster_of(account)->version + (change->push ? 1 : 0);
	if (!draft->listed && draft->state == SUBSCRIPTION_NONE)
		change_remove(account, change, draft->version);
	else
		change_write(account, change, draft);
}

void subscribing_sent(struct session *session, struct stanza *stanza)
{
	struct account *account = session->account;
	struct change *change;

	if (!stanza->to.text || jid_same_bare(&stanza->to, &account->jid)) {
		im_refuse_sent(session, stanza, STANZA_NOT_ALLOWED, "Nobody subscribes to himself");
		return;
	}
	stanza->from = jid_copy(&stanza->arena, &account->jid);
	stanza->to = jid_bare(&stanza->arena, &stanza->to);
	change = change_new(&outbound_class, &stanza->to);
	change->sent = stanza;
	change_begin(account, change);
}

/* As if a client of the account had sent it. */
static void subscribing_say(struct account *account, enum stanza_type type, const struct jid *contact)
{
	struct change *change = change_new(&outbound_class, contact);

	change->sent = stanza_make(STANZA_PRESENCE, type, &account->jid, &change->contact, NULL);
	change_begin(account, change);
}

void subscribing_befriend(struct account *account, const struct jid *contact)
{
	if (jid_same_bare(contact, &account->jid))
		return;
	subscribing_say(account, PRESENCE_SUBSCRIBED, contact);
	subscribing_say(account, PRESENCE_SUBSCRIBE, contact);
}

static void outbound_decided(struct account *account, struct change *change)
{
	enum stanza_type type = change->sent->type;
	const struct roster *roster = roster_of(account);
	const struct roster_item *item = roster_find(roster, &change->contact);
	const struct subscription_rule *rule;
	struct store_roster_item draft = roster_draft(&change->arena, item, &change->contact);

	change->before = (enum subscription)draft.state;
	rule = subscription_outbound(type, change->before);
	change->pass = rule->pass;
	draft.state = (uint8_t)rule->next;
	if (type == PRESENCE_SUBSCRIBE)
		draft.listed = true;
	if (type == PRESENCE_SUBSCRIBED) {
		draft.listed = true;
		draft.approved = !subscription_gives(rule->next); /* §3.4.2 */
	}
	if (type == PRESENCE_UNSUBSCRIBED)
		draft.approved = false;
	if (draft.listed && !roster_has_room(roster, &draft, account->home->config->limits.roster_items,
	                                     im_limits(account->home)->roster_bytes)) {
		outbound_failed(account->home, change, STANZA_RESOURCE_CONSTRAINT);
		change_end(account, change);
		return;
	}
	subscribing_write(account, change, &draft);
}

static void outbound_written(struct account *account, struct change *change)
{
	enum stanza_type type = change->sent->type;
	const struct stanza *stanza = stanza_seal(change->sent);

	if (change->pass && type == PRESENCE_UNSUBSCRIBED && subscription_gives(change->before))
		presence_hide(account, &change->contact);
	if (change->pass)
		route_stanza(account->home, stanza);
	else
		stanza_unref(&stanza);
	if (change->push)
		roster_push(account, &change->contact);
	if (change->pass && type == PRESENCE_SUBSCRIBED)
		presence_welcome(account, &change->contact);
	change_end_behind(account, change);
}

/* §3.1.2: an error to the user, as if the contact's server had said it. */
static void outbound_failed(struct home *home, struct change *change, enum stanza_condition condition)
{
	const struct stanza *stanza = stanza_seal(change->sent);

	route_stanza(home, stanza_error(stanza, NULL, condition, NULL));
	stanza_unref(&stanza);
}

void subscribing_received(struct account *account, struct parcel *parcel)
{
	struct change *change;

	if (jid_same_bare(&parcel->stanza->from, &account->jid)) {
		parcel_taken(account->home, &parcel);
		return;
	}
	change = change_new(&inbound_class, &parcel->stanza->from);
	change->parcel = parcel;
	change_begin(account, change);
}

/* §3.1.3 rule 4: the complete stanza is kept, addressed to the bare JID. */
static const char *request_text(struct account *account, struct change *change)
{
	const struct stanza_copy copy = { .from = &change->contact, .to = &account->jid };
	struct buf buf = { 0 };
	const char *text;

	stanza_write(&buf, change->parcel->stanza, &copy);
	text = arena_str_len(&change->arena, buf.data, buf.len);
	buf_clear(&buf);
	return text;
}

/* Whether a request may wait for the user's answer: requests are bounded in size and, of strangers, in number. */
static enum stanza_condition request_refusal(const struct account *account, const struct roster_item *item,
                                             const char *text)
{
	const struct im_limits *limits = im_limits(account->home);
	const struct roster *roster = roster_of(account);

	if (strlen(text) > limits->pending_bytes)
		return STANZA_POLICY_VIOLATION;
	if (!item && roster->count - roster->listed >= limits->pending_requests)
		return STANZA_RESOURCE_CONSTRAINT;
	return STANZA_NO_ERROR;
}

/* ---- a request that an invitation vouches for (XEP-0379) ---- */

static void inbound_decide(struct account *account, struct change *change);

/* The token of a request; NULL: it has none. */
static const char *inbound_token(const struct change *change)
{
	const struct stanza *stanza = change->parcel->stanza;
	const struct element *preauth = element_child(stanza->root, "preauth", NS_PARS);

	return stanza->type == PRESENCE_SUBSCRIBE && preauth ? element_attr(preauth, "token") : NULL;
}

/* A token that is not the server's may be a client's: then it is as if there were none here (§4.1). */
static void inbound_vouched(struct home *home, struct invite_request *request)
{
	struct account *account =
		account_find(home, request->invite.inviter, strlen(request->invite.inviter));
	struct change *change = account ? change_resume(account, request->serial) : NULL;

	if (change) {
		change->vouched = request->status == INVITE_OK;
		inbound_decide(account, change);
	}
	invite_request_free(request);
}

static void inbound_ask(struct account *account, struct change *change, const char *token)
{
	struct invite_request *request =
		invite_request_new(INVITE_REDEEM, jid_domain_text(&account->jid), inbound_vouched, NULL);

	request->invite.inviter = arena_str(&request->arena, account->jid.text);
	invite_request_token(request, token);
	request->serial = change_wait(account, change);
	invite_ask(account->home, request);
}

static void inbound_decided(struct account *account, struct change *change)
{
	const char *token = inbound_token(change);

	if (token)
		inbound_ask(account, change, token);
	else
		inbound_decide(account, change);
}

/* Whether there is room for a contact that nobody has to approve. */
static bool inbound_fits(const struct account *account, struct store_roster_item *draft)
{
	draft->listed = true;
	return roster_has_room(roster_of(account), draft, account->home->config->limits.roster_items,
	                       im_limits(account->home)->roster_bytes);
}

static void inbound_decide(struct account *account, struct change *change)
{
	enum stanza_type type = change->parcel->stanza->type;
	const struct roster_item *item = roster_find(roster_of(account), &change->contact);
	const struct subscription_rule *rule;
	struct store_roster_item draft = roster_draft(&change->arena, item, &change->contact);
	enum stanza_condition refusal = STANZA_NO_ERROR;

	change->before = (enum subscription)draft.state;
	rule = subscription_inbound(type, change->before);
	change->pass = rule->pass;
	change->reply = rule->reply;
	draft.state = (uint8_t)rule->next;
	if (change->vouched && !draft.approved && !subscription_gives(change->before)) {
		bool was_listed = draft.listed;

		change->vouched = draft.approved = inbound_fits(account, &draft);
		draft.listed = was_listed || draft.approved;
	}
	if (type == PRESENCE_SUBSCRIBE && draft.approved) { /* §3.4.2; the approval is used up */
		change->pass = false;
		change->reply = PRESENCE_SUBSCRIBED;
		draft.state = (uint8_t)subscription_granted(change->before);
		draft.approved = false;
	} else if (type == PRESENCE_SUBSCRIBE && rule->pass) {
		draft.request = request_text(account, change);
		refusal = request_refusal(account, item, draft.request);
	}
	if (refusal) {
		inbound_failed(account->home, change, refusal);
		change_end(account, change);
		return;
	}
	subscribing_write(account, change, &draft);
}

static bool choose_interested(const struct session *session, const struct parcel *parcel)
{
	(void)parcel;
	return session->interested;
}

/* A.3: what the server says to the contact for the user, from the bare JID. */
static void inbound_reply(struct account *account, struct change *change)
{
	const struct stanza *stanza = change->parcel->stanza;

	route_stanza(account->home, stanza_seal(stanza_make(STANZA_PRESENCE, change->reply, &account->jid,
	                                                    &change->contact, stanza->id)));
}

static void request_show(struct account *account, const struct jid *from)
{
	for (const struct module *const *module = account->home->server->modules; *module; module++) {
		if ((*module)->subscription_requested)
			(*module)->subscription_requested(account, from);
	}
}

static void inbound_written(struct account *account, struct change *change)
{
	enum stanza_type type = change->parcel->stanza->type;

	if (change->pass)
		spread_copies(account, change->parcel, &account->jid,
		              type == PRESENCE_SUBSCRIBE ? spread_to_available : choose_interested);
	if (change->pass && type == PRESENCE_SUBSCRIBE)
		request_show(account, &change->contact);
	if (change->push)
		roster_push(account, &change->contact);
	if (type == PRESENCE_UNSUBSCRIBE && subscription_gives(change->before))
		presence_hide(account, &change->contact);
	if (change->reply != STANZA_TYPE_NONE)
		inbound_reply(account, change);
	if (change->reply == PRESENCE_SUBSCRIBED)
		presence_welcome(account, &change->contact);
	if (change->vouched)
		subscribing_say(account, PRESENCE_SUBSCRIBE, &change->contact);
	parcel_taken(account->home, &change->parcel);
	change_end_behind(account, change);
}

static void inbound_failed(struct home *home, struct change *change, enum stanza_condition condition)
{
	parcel_refused(home, &change->parcel, condition, NULL);
}

/* §2.5.2; a request of the user that waits for the contact is taken back, a request of the contact is denied. */
void subscribing_cancel(struct account *account, const struct jid *contact, enum subscription state)
{
	struct home *home = account->home;

	if (subscription_gets(state) || subscription_is_asked(state))
		route_stanza(home, stanza_seal(stanza_make(STANZA_PRESENCE, PRESENCE_UNSUBSCRIBE,
		                                           &account->jid, contact, NULL)));
	if (subscription_gives(state))
		presence_hide(account, contact);
	if (subscription_gives(state) || subscription_is_pending(state))
		route_stanza(home, stanza_seal(stanza_make(STANZA_PRESENCE, PRESENCE_UNSUBSCRIBED,
		                                           &account->jid, contact, NULL)));
}

static void request_deliver(struct session *session, const struct roster_item *item)
{
	struct home *home = session->account->home;
	struct stanza *request = stanza_new(strlen(item->request));
	struct element *root = parser_text(home->parsers, &request->arena, NS_CLIENT, item->request,
	                                   strlen(item->request), &home->config->limits.parser);
	const struct stanza *sealed;

	if (!root || stanza_read(request, root, NULL) != STANZA_CHECK_OK ||
	    request->type != PRESENCE_SUBSCRIBE) {
		log_error(home->server->log, session->id, "a stored subscription request cannot be read",
		          LOG_STR("account", session->account->jid.text),
		          LOG_STR("contact", item->contact.text));
		sealed = request;
		stanza_unref(&sealed);
		return;
	}
	sealed = stanza_seal(request);
	spread_copy(session, sealed, &session->account->jid);
	stanza_unref(&sealed);
}

void subscribing_deliver_requests(struct session *session)
{
	const struct roster *roster = roster_of(session->account);

	for (size_t i = 0; i < roster->count; i++)
		if (roster->items[i]->request)
			request_deliver(session, roster->items[i]);
}
