/* SPDX-License-Identifier: MIT
 *
 * RFC 6121 §4 in its order: initial and subsequent broadcast (§4.2, §4.4), unavailable presence (§4.5), directed presence
 * (§4.6), and the syntax that a server reads (§4.7); probes (§4.3) are answered in im/probe.c. Everything that an account
 * says goes through the router, to its own sessions too, so that it keeps its order with the answers to their requests.
 */
#include "im/presence.h"

#include <stdlib.h>
#include <string.h>

#include "core/router.h"
#include "im/directed.h"
#include "im/im.h"
#include "im/subscribing.h"
#include "xmpp/ns.h"

static void presence_broadcast(struct session *session, struct stanza *stanza);
static void presence_withdraw(struct session *session, struct stanza *stanza);
static void presence_direct(struct session *session, struct stanza *stanza);

void presence_sent(struct session *session, struct stanza *stanza)
{
	switch (stanza->type) {
	case PRESENCE_AVAILABLE:
	case PRESENCE_UNAVAILABLE:
		if (stanza->to.text)
			presence_direct(session, stanza);
		else if (stanza->type == PRESENCE_AVAILABLE)
			presence_broadcast(session, stanza);
		else
			presence_withdraw(session, stanza);
		return;
	case PRESENCE_PROBE:
	case PRESENCE_ERROR:
		if (stanza->to.text) {
			im_route_sent(session->account, stanza);
			return;
		}
		/* fall through */
	default:
		im_refuse_sent(session, stanza, STANZA_BAD_REQUEST, NULL);
	}
}

/* §4.7.2.3: at most one, an integer from -128 to 127; 0 where there is none. */
static bool presence_priority(struct stanza *stanza, int8_t *priority)
{
	struct element *element = element_child(stanza->root, "priority", NS_CLIENT);
	const char *text;
	char *end;
	long value;

	*priority = 0;
	if (!element)
		return true;
	for (const struct node *n = element->place->next; n; n = n->next)
		if (n->element && element_is(n->element, "priority", NS_CLIENT))
			return false;
	text = element_text(&stanza->arena, element);
	value = strtol(text, &end, 10);
	if (end == text || end[strspn(end, " \t\r\n")] != '\0' || value < INT8_MIN || value > INT8_MAX)
		return false;
	*priority = (int8_t)value;
	return true;
}

static void presence_route(struct account *account, const struct stanza *stanza, const struct jid *to)
{
	if (account_blocks(account, to))
		return;
	route(account->home, parcel_new(account->home, stanza, to));
}

bool presence_is_elsewhere(const struct account *account, const struct jid *who)
{
	const struct destination *destination =
		config_destination(account->home->config, jid_domain_text(who), who->domain_len);

	return !destination || !destination->host;
}

bool presence_has_contacts_elsewhere(const struct account *account)
{
	const struct roster *roster = roster_of(account);

	for (size_t i = 0; i < roster->count; i++) {
		if (subscription_gives((enum subscription)roster->items[i]->state) &&
		    presence_is_elsewhere(account, &roster->items[i]->contact))
			return true;
	}
	return false;
}

static void presence_note_shown(struct session *session)
{
	for (const struct module *const *module = session->account->home->server->modules; *module; module++) {
		if ((*module)->presence_shown)
			(*module)->presence_shown(session);
	}
}

/* To the account itself, which is its own first subscriber, and to all contacts with "from" or "both". */
static void presence_publish(struct account *account, const struct stanza *stanza)
{
	const struct roster *roster = roster_of(account);

	presence_route(account, stanza, &account->jid);
	for (size_t i = 0; i < roster->count; i++)
		if (subscription_gives(roster->items[i]->state))
			presence_route(account, stanza, &roster->items[i]->contact);
}

static void request_answered(struct home *home, struct parcel *parcel)
{
	(void)home;
	parcel_free(&parcel);
}

/* §3.1.2: a request that the contact has not answered may have been lost. That it cannot be delivered now is no news. */
static void presence_request_again(struct account *account, const struct jid *contact)
{
	const struct stanza *request = stanza_seal(
		stanza_make(STANZA_PRESENCE, PRESENCE_SUBSCRIBE, &account->jid, contact, NULL));
	struct parcel *parcel = parcel_new(account->home, request, NULL);

	stanza_unref(&request);
	parcel->answered = request_answered;
	route(account->home, parcel);
}

/* Probes for the presence of the contacts (§4.3.1). */
static void presence_ask_contacts(struct account *account)
{
	const struct roster *roster = roster_of(account);
	const struct stanza *probe =
		stanza_seal(stanza_make(STANZA_PRESENCE, PRESENCE_PROBE, &account->jid, NULL, NULL));

	for (size_t i = 0; i < roster->count; i++) {
		const struct roster_item *item = roster->items[i];

		if (subscription_gets((enum subscription)item->state))
			presence_route(account, probe, &item->contact);
		if (subscription_is_asked((enum subscription)item->state) &&
		    !account_blocks(account, &item->contact))
			presence_request_again(account, &item->contact);
	}
	stanza_unref(&probe);
}

/* §4.2.2: what a new session is told and asks. */
static void presence_ask(struct session *session)
{
	struct account *account = session->account;

	for (const struct session *other = session_first(account); other; other = session_next(other))
		if (other != session && session_is_available(other))
			presence_route(account, other->presence, &session->jid);
	presence_ask_contacts(account);
	subscribing_deliver_requests(session);
}

/* §4.2.2, §4.4.2. */
static void presence_broadcast(struct session *session, struct stanza *stanza)
{
	bool initial = !session_is_available(session);
	bool willing = !initial && session->priority >= 0;
	int8_t priority;

	if (!presence_priority(stanza, &priority)) {
		im_refuse_sent(session, stanza, STANZA_BAD_REQUEST,
		               "A priority is one integer from -128 to 127");
		return;
	}
	stanza_unref(&session->presence);
	session->presence = stanza_seal(stanza);
	session->priority = priority;
	presence_publish(session->account, session->presence);
	if (initial && presence_has_contacts_elsewhere(session->account))
		presence_note_shown(session);
	if (initial)
		presence_ask(session);
	if (!willing && priority >= 0)
		account_deliver_kept(session->account, session);
}

/* §4.5.2, §4.6.3: who knew of the session hears that it is gone. Each hears it once. */
static void presence_leave(struct session *session, const struct stanza *stanza)
{
	struct account *account = session->account;
	bool was_available = session->presence != NULL;

	stanza_unref(&session->presence);
	session->priority = 0;
	if (was_available) {
		im_of(account)->left_us = clock_wall_us(worker_clock(account->home->worker));
		presence_publish(account, stanza);
	}
	for (size_t i = 0; i < directed_count(session->directed); i++) {
		const struct jid *to = directed_at(session->directed, i);

		if (!was_available || !subscription_gives(roster_state(roster_of(account), to)))
			presence_route(account, stanza, to);
	}
	directed_free(&session->directed);
}

static void presence_withdraw(struct session *session, struct stanza *stanza)
{
	const struct stanza *sealed = stanza_seal(stanza);

	if (session_is_available(session))
		presence_route(session->account, sealed, &session->jid);
	presence_leave(session, sealed);
	stanza_unref(&sealed);
}

/* Its contacts may have come and gone meanwhile, and nobody here remembers what clients can do (XEP-0115). */
void presence_session_thawed(struct session *session)
{
	if (!session_is_available(session))
		return;
	presence_route(session->account, session->presence, &session->account->jid);
	presence_ask_contacts(session->account);
}

void presence_session_ended(struct session *session)
{
	const struct stanza *stanza;

	if (!session->presence && !session->directed)
		return;
	stanza = stanza_seal(stanza_make(STANZA_PRESENCE, PRESENCE_UNAVAILABLE, &session->jid, NULL, NULL));
	presence_leave(session, stanza);
	stanza_unref(&stanza);
}

/* §4.6.3. A contact that gets the broadcasts of this session anyway is not remembered. */
static void presence_direct(struct session *session, struct stanza *stanza)
{
	struct account *account = session->account;
	bool subscribed = subscription_gives(roster_state(roster_of(account), &stanza->to));

	if (stanza->type == PRESENCE_UNAVAILABLE) {
		directed_remove(&session->directed, &stanza->to);
	} else if (!subscribed || !session_is_available(session)) {
		if (!directed_add(&session->directed, &stanza->to, im_limits(account->home)->directed)) {
			im_refuse_sent(session, stanza, STANZA_RESOURCE_CONSTRAINT,
			               "Directed presence to too many addresses");
			return;
		}
		if (presence_is_elsewhere(account, &stanza->to))
			presence_note_shown(session);
	}
	im_route_sent(account, stanza);
}

void presence_contact_left(struct account *account, const struct jid *contact)
{
	for (struct session *session = session_first(account); session; session = session_next(session))
		directed_remove(&session->directed, contact);
}

/* §3.1.5. */
size_t presence_show(struct account *account, const struct jid *contact)
{
	bool is_elsewhere = presence_is_elsewhere(account, contact);
	size_t count = 0;

	for (struct session *session = session_first(account); session; session = session_next(session)) {
		if (!session_is_available(session))
			continue;
		presence_route(account, session->presence, contact);
		if (is_elsewhere)
			presence_note_shown(session);
		count++;
	}
	return count;
}

/* §3.2.2. */
void presence_hide(struct account *account, const struct jid *contact)
{
	for (struct session *session = session_first(account); session; session = session_next(session)) {
		if (session_is_available(session))
			route_stanza(account->home,
			             stanza_seal(stanza_make(STANZA_PRESENCE, PRESENCE_UNAVAILABLE,
			                                     &session->jid, contact, NULL)));
	}
}

/* Directed presence is taken back, from one session (§4.6.3). */
static void directed_withdraw(struct session *session, const struct address_set *from)
{
	size_t i = 0;

	while (i < directed_count(session->directed)) {
		const struct jid *to = directed_at(session->directed, i);
		const struct stanza *gone;

		if (!from->has(to, from->context)) {
			i++;
			continue;
		}
		gone = stanza_seal(
			stanza_make(STANZA_PRESENCE, PRESENCE_UNAVAILABLE, &session->jid, to, NULL));
		directed_remove(&session->directed, &gone->to);
		route_stanza(session->account->home, gone);
	}
}

/* A single resource of a subscriber. */
static bool is_named_subscriber(const struct account *account, const struct address_set *set,
                                const struct jid *named)
{
	return !jid_is_bare(named) && set->has(named, set->context) &&
	       subscription_gives(roster_state(roster_of(account), named));
}

void presence_withdrawn(struct account *account, const struct address_set *from)
{
	const struct roster *roster = roster_of(account);

	for (size_t i = 0; i < roster->count; i++) {
		const struct roster_item *item = roster->items[i];

		if (subscription_gives((enum subscription)item->state) &&
		    from->has(&item->contact, from->context))
			presence_hide(account, &item->contact);
	}
	for (size_t i = 0; i < from->named_count; i++) {
		if (is_named_subscriber(account, from, &from->named[i]))
			presence_hide(account, &from->named[i]);
	}
	for (struct session *session = session_first(account); session; session = session_next(session))
		directed_withdraw(session, from);
}

void presence_welcome(struct account *account, const struct jid *contact)
{
	const struct roster_item *item = roster_find(roster_of(account), contact);

	if (item && subscription_gives((enum subscription)item->state))
		presence_show(account, contact);
	if (item && subscription_gets((enum subscription)item->state))
		route_stanza(account->home, stanza_seal(stanza_make(STANZA_PRESENCE, PRESENCE_PROBE,
		                                                    &account->jid, contact, NULL)));
}

void presence_restored(struct account *account, const struct address_set *to)
{
	const struct roster *roster = roster_of(account);
	bool is_here = false;

	for (struct session *session = session_first(account); session; session = session_next(session))
		is_here |= session_is_available(session);
	for (size_t i = 0; i < roster->count && is_here; i++) {
		if (to->has(&roster->items[i]->contact, to->context))
			presence_welcome(account, &roster->items[i]->contact);
	}
	for (size_t i = 0; i < to->named_count && is_here; i++) {
		if (is_named_subscriber(account, to, &to->named[i]))
			presence_show(account, &to->named[i]);
	}
}

/* The own host and services that this server hosts may know of its accounts, or nothing attached could serve them. */
static bool presence_is_trusted(const struct account *account, const struct jid *with)
{
	const struct destination *destination =
		config_destination(account->home->config, jid_domain_text(with), with->domain_len);

	if (destination && !destination->host)
		return true;
	return jid_is_domain(with) && jid_same_domain(with, &account->jid);
}

bool presence_is_shared(const struct account *account, const struct session *session, const struct jid *with)
{
	if (jid_same_bare(with, &account->jid) || presence_is_trusted(account, with) ||
	    subscription_gives(roster_state(roster_of(account), with)))
		return true;
	if (session)
		return directed_knows(session->directed, with);
	for (session = session_first(account); session; session = session_next(session))
		if (directed_knows(session->directed, with))
			return true;
	return false;
}
