/* SPDX-License-Identifier: MIT
 *
 * Personal Eventing Protocol (XEP-0163): every account is a publish-subscribe service whose owner is its user and whose
 * subscribers are those who get the user's presence (§4.1). They hear of a node when their capabilities ask for it (§4.2),
 * at their full JID; of what was published last when they come (§4.3.4). The own resources are subscribers like others and
 * may read everything. Who has subscribed by name hears too, whether his presence is known or not.
 */
#include "pep.h"

#include <string.h>

#include "core/account.h"
#include "core/caps.h"
#include "core/disco.h"
#include "core/module.h"
#include "core/pubsub.h"
#include "core/router.h"
#include "core/session.h"
#include "xmpp/ns.h"

static void nodes_listed(struct store_request *listed);
static void node_described(struct store_request *found);
static void last_found(struct store_request *found);

/* ---- the account as a service ---- */

static const struct pubsub_limits *pep_limits(const struct config *config)
{
	return config_part(config, &pep_module);
}

static bool pep_owns(const struct jid *service, const struct jid *who)
{
	return jid_same_bare(service, who);
}

static bool pep_subscribed(struct home *home, const struct jid *service, const struct jid *who)
{
	const struct account *account = account_find(home, service->text, jid_bare_len(service));

	return account && account_has_subscriber(account, who);
}

static bool pep_in_group(struct home *home, const struct jid *service, const struct jid *who,
                         const char *group)
{
	const struct account *account = account_find(home, service->text, jid_bare_len(service));

	return account && account_has_in_group(account, who, group);
}

/* §4.3.3: who is subscribed, may read the node, and has not been blocked by the user. */
static bool pep_tells(struct home *home, const struct jid *service, const struct pubsub_node *node,
                      const struct jid *who)
{
	const struct account *account = account_find(home, service->text, jid_bare_len(service));

	return account && account_has_subscriber(account, who) && !account_blocks(account, who) &&
	       pubsub_may_read(home, &pep_class, service, node, who) == PUBSUB_GRANTED;
}

/* §4.3: what cannot be delivered is nobody's loss. */
static void event_answered(struct home *home, struct parcel *parcel)
{
	(void)home;
	parcel_free(&parcel);
}

static void event_route(struct home *home, const struct stanza *event, const struct jid *to)
{
	struct parcel *parcel = parcel_new(home, event, to);

	parcel->answered = event_answered;
	route(home, parcel);
}

/* Has somebody at that address, a resource or any of them, heard of it already because his capabilities say so? */
static bool peers_hear(const struct account *account, const struct jid *who, const char *node)
{
	const struct caps_peer *peer = NULL;

	while ((peer = caps_peer_next(account, peer))) {
		const struct jid *jid = caps_peer_jid(peer);

		if ((jid_is_bare(who) ? jid_same_bare(jid, who) : jid_same(jid, who)) && caps_peer_wants(peer, node) &&
		    account_has_subscriber(account, jid))
			return true;
	}
	return false;
}

/* §4.3.2: explicit subscriptions, one event to each address that has not had it; §7.1: who has lost access is not subscribed. */
static void subscribers_notify(const struct account *account, const struct jid *service,
                               const struct pubsub_node *node, const struct stanza *event)
{
	const char *rest = node->affiliations, *state;
	struct arena arena = { 0 };
	struct jid who;

	while (pubsub_subscription_next(&arena, &rest, &who, &state)) {
		if (strcmp(state, "subscribed") != 0 || account_blocks(account, &who))
			continue;
		if (pubsub_may_read(account->home, &pep_class, service, node, &who) != PUBSUB_GRANTED)
			pubsub_cancel(account->home, &pep_class, service, node->name, &who);
		else if (!peers_hear(account, &who, node->name))
			event_route(account->home, event, &who);
	}
	arena_clear(&arena);
}

static void pep_notify(struct home *home, const struct jid *service, const struct pubsub_node *node,
                       const struct stanza *event)
{
	const struct account *account = account_find(home, service->text, jid_bare_len(service));
	const struct caps_peer *peer = NULL;

	if (!account)
		return;
	while ((peer = caps_peer_next(account, peer))) {
		const struct jid *to = caps_peer_jid(peer);

		if (caps_peer_wants(peer, node->name) && pep_tells(home, service, node, to))
			event_route(home, event, to);
	}
	subscribers_notify(account, service, node, event);
}

/* §8.6 of XEP-0060: the service asks its user, like somebody who writes to him. */
static void pep_tell_owner(struct home *home, const struct jid *service, const struct stanza *message)
{
	struct jid owner = *service;
	struct arena arena = { 0 };

	owner.resource_len = 0;
	owner.text = arena_str_len(&arena, service->text, jid_bare_len(service));
	route(home, parcel_new(home, message, &owner));
	arena_clear(&arena);
}

/* His answer goes to his own address. */
static enum hook_result pep_session_sent(struct session *session, struct stanza *stanza)
{
	const struct account *account = session->account;
	const struct stanza *answer = stanza;

	if (stanza->kind != STANZA_MESSAGE || stanza->type == MESSAGE_ERROR ||
	    (stanza->to.text && (!jid_is_bare(&stanza->to) || !jid_same(&stanza->to, &account->jid))) ||
	    !element_child(stanza->root, "x", NS_DATA_FORM) ||
	    !pubsub_approved(account->home, &pep_class, &account->jid, stanza))
		return HOOK_NEXT;
	stanza_unref(&answer);
	return HOOK_DONE;
}

static void pep_published(struct home *home, const struct jid *service, const char *node, const char *id,
                          const struct element *payload)
{
	const struct account *account = account_find(home, service->text, jid_bare_len(service));

	for (const struct module *const *module = home->server->modules; account && *module; module++) {
		if ((*module)->account_published)
			(*module)->account_published(home, service, node, id, payload);
	}
}

const struct pubsub_class pep_class = {
	.limits = pep_limits,
	.owns = pep_owns,
	.subscribed = pep_subscribed,
	.in_group = pep_in_group,
	.notify = pep_notify,
	.tell_owner = pep_tell_owner,
	.published = pep_published,
};

static void pep_asked(struct iq_request *request)
{
	pubsub_asked(request, &pep_class);
}

/* ---- §4.3.4: the last items ---- */

static void pep_caps_known(struct account *account, const struct caps_peer *peer, const char *const *nodes,
                           size_t count)
{
	struct home *home = account->home;
	struct store_pubsub_nodes *last =
		store_request_new(sizeof(*last), STORE_PUBSUB_LAST, home->worker, account->jid.text,
	                          jid_bare_len(&account->jid), last_found);
	struct arena *arena = &last->request.arena;
	struct jid *to = arena_alloc(arena, sizeof(*to));

	*to = jid_copy(arena, caps_peer_jid(peer));
	last->names = arena_alloc(arena, count * sizeof(*last->names));
	for (size_t i = 0; i < count; i++)
		last->names[last->name_count++] = arena_str(arena, nodes[i]);
	last->request.context = to;
	store_submit(home->server->store, &last->request);
}

static void last_send(struct home *home, const struct jid *service, const struct store_pubsub_node *stored,
                      struct arena *arena, const struct jid *to)
{
	const struct stanza *event;
	struct pubsub_node node;

	pubsub_node_read(arena, stored, &node);
	if (!pubsub_value_is(&node, PUBSUB_SEND_LAST, "on_sub_and_presence") ||
	    !pep_tells(home, service, &node, to))
		return;
	event = pubsub_item_event(home, service, &node, &stored->last);
	event_route(home, event, to);
	stanza_unref(&event);
}

static void last_found(struct store_request *found)
{
	const struct store_pubsub_nodes *last = (const struct store_pubsub_nodes *)found;
	struct home *home = home_of(found->worker);
	struct jid service;

	if (found->status == STORE_OK &&
	    jid_prepare(&found->arena, found->owner, strlen(found->owner), JID_ANY, &service))
		for (size_t i = 0; i < last->count; i++)
			last_send(home, &service, &last->nodes[i], &found->arena, found->context);
	store_request_free(found);
}

/* ---- §6: discovery ---- */

static void *disco_ask(struct iq_request *request, void (*done)(struct store_request *done))
{
	const struct jid *service = &request->parcel->to;
	struct store_pubsub_nodes *nodes =
		store_request_new(sizeof(*nodes), STORE_PUBSUB_NODES, request->home->worker, service->text,
	                          jid_bare_len(service), done);

	nodes->request.context = request;
	return nodes;
}

/* The items of the account are its nodes, as far as the asker may read them (§6.2). Those of a node are nobody's to list. */
static void pep_items_asked(struct iq_request *request)
{
	struct store_pubsub_nodes *nodes;

	if (element_attr(request->payload, "node")) {
		disco_asked(request);
		return;
	}
	nodes = disco_ask(request, nodes_listed);
	store_submit(request->home->server->store, &nodes->request);
}

static size_t nodes_add(const struct iq_request *request, struct stanza *result, struct element *query,
                        const struct store_pubsub_nodes *listed)
{
	const struct jid *service = &request->parcel->to;
	size_t count = 0;

	for (size_t i = 0; i < listed->count; i++) {
		struct pubsub_node node;
		struct element *item;

		pubsub_node_read(&result->arena, &listed->nodes[i], &node);
		if (pubsub_may_read(request->home, &pep_class, service, &node,
		                    &request->parcel->stanza->from) != PUBSUB_GRANTED)
			continue;
		item = element_add(&result->arena, query, "item", NS_DISCO_ITEMS);
		element_set(&result->arena, item, "jid",
		            arena_str_len(&result->arena, service->text, jid_bare_len(service)));
		element_set(&result->arena, item, "node", node.name);
		element_set(&result->arena, item, "name",
		            *node.values[PUBSUB_TITLE] ? node.values[PUBSUB_TITLE] : NULL);
		count++;
	}
	return count;
}

/* Who may neither see the user's presence nor any node learns nothing, not even that there is an account. */
static void nodes_listed(struct store_request *listed)
{
	struct iq_request *request = listed->context;
	const struct account *account = iq_account(request);
	struct stanza *result = iq_result(request);
	const struct stanza *unused = result;
	bool shares = account && account_shares_presence(account, &request->parcel->stanza->from);
	struct element *query = shares ? disco_account_items(&result->arena, result->root, account)
	                               : element_add(&result->arena, result->root, "query", NS_DISCO_ITEMS);
	size_t count = nodes_add(request, result, query, (const struct store_pubsub_nodes *)listed);

	if (listed->status == STORE_OK && (shares || count)) {
		iq_answer(request, result);
	} else {
		stanza_unref(&unused);
		iq_refuse(request,
		          listed->status == STORE_OK ? STANZA_SERVICE_UNAVAILABLE
		                                     : STANZA_INTERNAL_SERVER_ERROR,
		          NULL);
	}
	store_request_free(listed);
}

/* XEP-0060 §5.3: one node. */
static void pep_info_asked(struct iq_request *request)
{
	const char *name = element_attr(request->payload, "node");
	struct store_pubsub_nodes *nodes;

	if (!name) {
		disco_asked(request);
		return;
	}
	nodes = disco_ask(request, node_described);
	nodes->name = name;
	store_submit(request->home->server->store, &nodes->request);
}

static void node_answer(struct iq_request *request, const struct pubsub_node *node)
{
	struct stanza *result = iq_result(request);
	struct arena *arena = &result->arena;
	struct element *query = element_add(arena, result->root, "query", NS_DISCO_INFO);
	struct element *identity = element_add(arena, query, "identity", NS_DISCO_INFO);

	element_set(arena, query, "node", node->name);
	element_set(arena, identity, "category", "pubsub");
	element_set(arena, identity, "type", "leaf");
	element_set(arena, element_add(arena, query, "feature", NS_DISCO_INFO), "var", NS_PUBSUB);
	pubsub_metadata_add(arena, query, node);
	iq_answer(request, result);
}

static void node_described(struct store_request *found)
{
	const struct store_pubsub_nodes *nodes = (const struct store_pubsub_nodes *)found;
	struct iq_request *request = found->context;
	const struct jid *from = &request->parcel->stanza->from;
	bool known = pep_subscribed(request->home, &request->parcel->to, from);
	bool granted = false;
	struct pubsub_node node;

	if (found->status == STORE_OK) {
		pubsub_node_read(&found->arena, &nodes->nodes[0], &node);
		granted = pubsub_may_read(request->home, &pep_class, &request->parcel->to, &node, from) ==
		          PUBSUB_GRANTED;
	}
	if (granted)
		node_answer(request, &node);
	else if (found->status != STORE_OK && found->status != STORE_ABSENT)
		iq_refuse(request, STANZA_INTERNAL_SERVER_ERROR, NULL);
	else
		iq_refuse(request, known ? STANZA_ITEM_NOT_FOUND : STANZA_SERVICE_UNAVAILABLE, NULL);
	store_request_free(found);
}

/* ---- the module ---- */

static const struct iq_handler handlers[] = {
	{ "pubsub", NS_PUBSUB, IQ_KIND_GET | IQ_KIND_SET, IQ_OWN | IQ_ACCOUNT, pep_asked },
	{ "pubsub", NS_PUBSUB_OWNER, IQ_KIND_GET | IQ_KIND_SET, IQ_OWN | IQ_ACCOUNT, pep_asked },
	{ "query", NS_DISCO_ITEMS, IQ_KIND_GET, IQ_OWN | IQ_ACCOUNT, pep_items_asked },
	{ "query", NS_DISCO_INFO, IQ_KIND_GET, IQ_OWN | IQ_ACCOUNT, pep_info_asked },
	{ 0 },
};

static const struct conf_option limit_options[] = {
	{ .name = "pubsub-nodes",
	  .type = CONF_INT,
	  .fallback = "200",
	  .min = 1,
	  .max = 100000,
	  .sentence = "How many publish-subscribe nodes an account may have." },
	{ .name = "pubsub-items",
	  .type = CONF_INT,
	  .fallback = "1000",
	  .min = 1,
	  .max = 1000000,
	  .sentence = "How many items a publish-subscribe node of an account may keep." },
	{ .name = "pubsub-item-size",
	  .type = CONF_SIZE,
	  .fallback = "128kB",
	  .min = 1024,
	  .max = 524288,
	  .sentence = "How large the content of one publish-subscribe item of an account may be." },
	{ .name = "pubsub-affiliations",
	  .type = CONF_INT,
	  .fallback = "200",
	  .min = 0,
	  .max = 10000,
	  .sentence =
	          "How many addresses the owner of a publish-subscribe node may admit or shut out by name." },
	{ .name = "pubsub-subscriptions",
	  .type = CONF_INT,
	  .fallback = "200",
	  .min = 0,
	  .max = 10000,
	  .sentence = "How many addresses may be subscribed to a publish-subscribe node of an account by name." },
	{ 0 },
};

static const struct conf_section_kind options[] = {
	{ .name = "limits", .options = limit_options },
	{ 0 },
};

static void *pep_configure(struct config *config, const struct conf *conf, char **error)
{
	const struct conf_section *section = conf_section(conf, "limits");
	struct pubsub_limits *limits = arena_alloc(&config->arena, sizeof(*limits));

	(void)error;
	*limits = (struct pubsub_limits){
		.nodes = (size_t)conf_number(section, "pubsub-nodes"),
		.items = (size_t)conf_number(section, "pubsub-items"),
		.item_bytes = (size_t)conf_number(section, "pubsub-item-size"),
		.affiliations = (size_t)conf_number(section, "pubsub-affiliations"),
		.subscriptions = (size_t)conf_number(section, "pubsub-subscriptions"),
	};
	return limits;
}

static const struct module_spec specs[] = {
	{ "XEP-0163", "Personal Eventing Protocol", "1.2.2", NULL },
	{ "XEP-0222", "Persistent Storage of Public Data via PubSub", "1.0", NULL },
	{ "XEP-0223", "Persistent Storage of Private Data via PubSub", "1.1.1", NULL },
	{ 0 },
};

static const char *const identities[] = { "pubsub", "pep", NULL };

static const char *const features[] = {
	NS_PUBSUB "#auto-subscribe",
	NS_PUBSUB "#filtered-notifications",
	NULL,
};

const struct module pep_module = {
	.name = "pep",
	.specs = specs,
	.account_features = features,
	.account_identities = identities,
	.iqs = handlers,
	.options = options,
	.configure = pep_configure,
	.caps_known = pep_caps_known,
	.session_sent = pep_session_sent,
};
