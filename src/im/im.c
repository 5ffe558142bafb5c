/* SPDX-License-Identifier: MIT
 *
 * RFC 6121: the way of a stanza through an account, outwards from its clients and inwards to them (§8). Which rule applies
 * is decided in im/delivery.h; what each does is in the files named by the RFC's sections: roster (§2), subscribing (§3),
 * presence (§4).
 */
#include "im/im.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/journal.h"
#include "core/router.h"
#include "im/delivery.h"
#include "im/directed.h"
#include "im/presence.h"
#include "im/probe.h"
#include "im/roster_query.h"
#include "im/spread.h"
#include "im/subscribing.h"
#include "xmpp/ns.h"
#include "xmpp/writer.h"

/* Outwards. */

static enum hook_result im_session_sent(struct session *session, struct stanza *stanza)
{
	if (stanza->kind == STANZA_PRESENCE) {
		if (subscription_is_type(stanza->type))
			subscribing_sent(session, stanza);
		else
			presence_sent(session, stanza);
		return HOOK_DONE;
	}
	if (stanza->to.text && change_concerns(session->account, &stanza->to)) {
		change_delay_sent(session->account, stanza);
		return HOOK_DONE;
	}
	return HOOK_NEXT;
}

void im_route_sent(struct account *account, struct stanza *stanza)
{
	if (change_concerns(account, &stanza->to))
		change_delay_sent(account, stanza);
	else
		journal_send(account, stanza);
}

void im_refuse_sent(struct session *session, struct stanza *stanza, enum stanza_condition condition,
                    const char *text)
{
	const struct jid *from = stanza->to.text ? NULL : &session->account->jid;
	const struct stanza *sealed = stanza_seal(stanza);
	const struct stanza *error = stanza_error(sealed, from, condition, text);

	if (error)
		route_stanza(session->account->home, error);
	stanza_unref(&sealed);
}

/* Inwards. */

/* §8.5.2.1.1: "most available" is the highest priority, however many sessions have it. */
static int best_priority(const struct account *account)
{
	int best = -1;

	for (const struct session *session = session_first(account); session;
	     session = session_next(session)) {
		if (session_is_available(session) && session->priority > best)
			best = session->priority;
	}
	return best;
}

static bool choose_best(const struct session *session, const struct parcel *parcel)
{
	(void)parcel;
	return session_is_available(session) && session->priority == best_priority(session->account);
}

static bool choose_willing(const struct session *session, const struct parcel *parcel)
{
	(void)parcel;
	return session_is_available(session) && session->priority >= 0;
}

static struct session *session_addressed(const struct account *account, const struct parcel *parcel)
{
	return jid_is_bare(&parcel->to) ? NULL : session_find(account, jid_resource(&parcel->to));
}

/* §2.1.6: only the server pushes a roster; not every client looks at who pushes. */
static bool is_forged_push(const struct account *account, const struct stanza *stanza)
{
	return stanza->type == IQ_SET && element_child(stanza->root, "query", NS_ROSTER) &&
	       !jid_same(&stanza->from, &account->jid);
}

static enum delivery parcel_decide(const struct account *account, const struct parcel *parcel)
{
	const struct session *match = session_addressed(account, parcel);
	const struct stanza *stanza = parcel->stanza;
	struct delivery_terms terms = {
		.full = !jid_is_bare(&parcel->to),
		.match = match != NULL,
		.willing = best_priority(account) >= 0,
	};

	if (stanza->kind == STANZA_MESSAGE) {
		terms.kept = delivery_may_keep(stanza);
		terms.unheard = delivery_is_unheard(stanza);
	}
	if (stanza->kind == STANZA_IQ && match)
		terms.shared = presence_is_shared(account, match, &stanza->from) &&
		               !is_forged_push(account, stanza);
	return delivery_decide(stanza->type, &terms);
}

static bool choose_addressed(const struct session *session, const struct parcel *parcel)
{
	return session == session_addressed(session->account, parcel);
}

/* Who is not there yet gets what is kept when he comes. */
static bool choose_coming(const struct session *session, const struct parcel *parcel)
{
	(void)parcel;
	return !session_is_available(session);
}

/* Before it is handed on: then it may be gone. */
static void message_show(struct account *account, struct parcel *parcel, session_choice *gets_it)
{
	if (parcel->stanza->kind != STANZA_MESSAGE || parcel->shown)
		return;
	parcel->shown = true;
	for (const struct module *const *module = account->home->server->modules; *module; module++) {
		if ((*module)->message_delivered)
			(*module)->message_delivered(account, parcel, gets_it);
	}
}

bool im_receive(struct account *account, struct parcel *parcel)
{
	struct home *home = account->home;

	if (parcel->stanza->type == PRESENCE_UNAVAILABLE)
		presence_contact_left(account, &parcel->stanza->from);
	switch (parcel_decide(account, parcel)) {
	case DELIVERY_MATCH:
		journal_received(account, parcel);
		message_show(account, parcel, choose_addressed);
		session_deliver(session_addressed(account, parcel), parcel);
		break;
	case DELIVERY_BEST:
		journal_received(account, parcel);
		message_show(account, parcel, choose_best);
		spread_message(account, parcel, choose_best);
		break;
	case DELIVERY_WILLING:
		journal_received(account, parcel);
		spread_message(account, parcel, choose_willing);
		break;
	case DELIVERY_AVAILABLE:
		spread_copies(account, parcel, &parcel->to, spread_to_available);
		parcel_taken(home, &parcel);
		break;
	case DELIVERY_KEEP:
		if (account_keep(account, parcel))
			message_show(account, parcel, choose_coming);
		break;
	case DELIVERY_SUBSCRIPTION:
		subscribing_received(account, parcel);
		break;
	case DELIVERY_PROBE:
		probe_received(account, parcel);
		break;
	case DELIVERY_REFUSE:
		parcel_refused(home, &parcel, STANZA_SERVICE_UNAVAILABLE, NULL);
		break;
	case DELIVERY_IGNORE:
		parcel_taken(home, &parcel);
		break;
	case DELIVERY_ANSWER:
		return false;
	}
	return true;
}

/* What must wait for a change waits; a subscription stanza is a change itself, and requests to the bare JID do not. */
static bool parcel_must_wait(const struct account *account, const struct parcel *parcel)
{
	const struct stanza *stanza = parcel->stanza;

	if (subscription_is_type(stanza->type) || (stanza->kind == STANZA_IQ && jid_is_bare(&parcel->to)))
		return false;
	return change_concerns(account, &stanza->from);
}

static enum hook_result im_account_received(struct account *account, struct parcel *parcel)
{
	if (spread_returned(account->home, parcel))
		return HOOK_DONE;
	if (parcel_must_wait(account, parcel)) {
		change_delay_received(account, parcel);
		return HOOK_DONE;
	}
	return im_receive(account, parcel) ? HOOK_DONE : HOOK_NEXT;
}

static bool im_shares_presence(const struct account *account, const struct jid *with)
{
	return presence_is_shared(account, NULL, with);
}

static bool im_has_subscriber(const struct account *account, const struct jid *who)
{
	return subscription_gives(roster_state(roster_of(account), who));
}

static bool im_has_in_group(const struct account *account, const struct jid *who, const char *group)
{
	const struct roster_item *item = roster_find(roster_of(account), who);
	const char *name = item ? item->groups : NULL;

	for (size_t i = 0; item && i < item->group_count; i++, name = roster_group_next(name)) {
		if (strcmp(name, group) == 0)
			return true;
	}
	return false;
}

static bool im_has_contact(const struct account *account, const struct jid *who)
{
	const struct roster_item *item = roster_find(roster_of(account), who);

	return item && item->listed;
}

/* The account's and its sessions' lives. */

static void im_account_loaded(struct account *account, const struct store_account_load *load)
{
	struct im *im = mem_zalloc(sizeof(*im));

	for (size_t i = 0; i < load->roster_count; i++)
		roster_put(&im->roster, &load->roster[i]);
	im->roster.version = load->roster_version;
	account_set_part(account, &im_module, im);
}

static void im_account_unloaded(struct account *account)
{
	struct im *im = im_of(account);

	changes_clear(account);
	roster_clear(&im->roster);
	free(im);
	account_set_part(account, &im_module, NULL);
}

/* Nobody shall stay subscribed to an account that is no more, or wait for its answer. */
static void im_account_removed(struct account *account)
{
	const struct roster *roster = roster_of(account);

	for (size_t i = 0; i < roster->count; i++)
		subscribing_cancel(account, &roster->items[i]->contact, (enum subscription)roster->items[i]->state);
}

static void im_session_ended(struct session *session)
{
	if (!session->frozen)
		presence_session_ended(session);
	directed_free(&session->directed);
}

static void im_session_freezing(const struct session *session, struct buf *out)
{
	for (size_t i = 0; i < directed_count(session->directed); i++) {
		buf_add_lit(out, "<directed");
		writer_attr(out, "to", directed_at(session->directed, i)->text);
		buf_add_lit(out, "/>");
	}
}

static void im_session_thawed(struct session *session, const struct element *frozen)
{
	struct arena arena = { 0 };
	struct jid jid;

	for (const struct node *node = frozen->first; node; node = node->next) {
		const char *to = node->element ? element_attr(node->element, "to") : NULL;

		if (to && strcmp(node->element->name, "directed") == 0 && jid_prepare(&arena, to, strlen(to), JID_ANY, &jid))
			directed_add(&session->directed, &jid, SIZE_MAX);
	}
	arena_clear(&arena);
	presence_session_thawed(session);
}

static void *im_home_open(struct home *home)
{
	return spreads_open(home);
}

static void im_home_close(struct home *home, void *part)
{
	(void)home;
	spreads_close(part);
}

/* The configuration. */

static const struct conf_option limit_options[] = {
	{ .name = "roster-text", .type = CONF_SIZE, .fallback = "1023", .min = 64, .max = 65536,
	  .sentence = "How long the name of a contact and the name of a group in a roster may be." },
	{ .name = "roster-groups", .type = CONF_INT, .fallback = "100", .min = 1, .max = 10000,
	  .sentence = "How many groups a contact in a roster may be in." },
	{ .name = "roster-size", .type = CONF_SIZE, .fallback = "512kB", .min = 4096, .max = 1 << 26,
	  .sentence = "How large the addresses, names and groups of a roster may be together." },
	{ .name = "pending-requests", .type = CONF_INT, .fallback = "100", .min = 1, .max = 100000,
	  .sentence = "How many subscription requests of strangers may wait for a user's answer." },
	{ .name = "pending-request-size", .type = CONF_SIZE, .fallback = "8kB", .min = 1024, .max = 262144,
	  .sentence = "How large a subscription request that waits for a user's answer may be." },
	{ .name = "directed-presences", .type = CONF_INT, .fallback = "1000", .min = 1, .max = 100000,
	  .sentence = "To how many addresses outside of the roster a session may have shown its presence." },
	{ 0 },
};

static const struct conf_section_kind options[] = {
	{ .name = "limits", .options = limit_options },
	{ 0 },
};

static void *im_configure(struct config *config, const struct conf *conf, char **error)
{
	const struct conf_section *section = conf_section(conf, "limits");
	struct im_limits *limits = arena_alloc(&config->arena, sizeof(*limits));

	(void)error;
	*limits = (struct im_limits){
		.roster_text = (uint32_t)conf_number(section, "roster-text"),
		.roster_groups = (uint32_t)conf_number(section, "roster-groups"),
		.roster_bytes = (uint32_t)conf_number(section, "roster-size"),
		.pending_requests = (uint32_t)conf_number(section, "pending-requests"),
		.pending_bytes = (uint32_t)conf_number(section, "pending-request-size"),
		.directed = (uint32_t)conf_number(section, "directed-presences"),
	};
	return limits;
}

static const struct module_spec specs[] = {
	{ "RFC 6121", "Extensible Messaging and Presence Protocol (XMPP): Instant Messaging and Presence", NULL,
	  NULL },
	{ "XEP-0160", "Best Practices for Handling Offline Messages", "1.0.1", NULL },
	{ "XEP-0203", "Delayed Delivery", "2.0", NULL },
	{ "XEP-0359", "Unique and Stable Stanza IDs", "0.7.0", NULL },
	{ "XEP-0334", "Message Processing Hints", "1.0.0", NULL },
	{ 0 },
};

/* Whatever the archive does: what was kept has such an id, and nobody else can give one. */
static const char *const account_features[] = { NS_SID, NULL };
static const char *const host_features[] = { NS_OFFLINE_FEATURE, NS_DELAY, NULL };

const struct module im_module = {
	.name = "im",
	.specs = specs,
	.host_features = host_features,
	.account_features = account_features,
	.iqs = roster_handlers,
	.options = options,
	.configure = im_configure,
	.home_open = im_home_open,
	.home_close = im_home_close,
	.account_loaded = im_account_loaded,
	.account_unloaded = im_account_unloaded,
	.account_removed = im_account_removed,
	.account_shares_presence = im_shares_presence,
	.account_has_subscriber = im_has_subscriber,
	.account_has_in_group = im_has_in_group,
	.presence_withdrawn = presence_withdrawn,
	.presence_restored = presence_restored,
	.account_befriended = subscribing_befriend,
	.account_has_contact = im_has_contact,
	.session_ended = im_session_ended,
	.session_freezing = im_session_freezing,
	.session_thawed = im_session_thawed,
	.session_sent = im_session_sent,
	.account_received = im_account_received,
};
