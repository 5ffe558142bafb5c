/* SPDX-License-Identifier: MIT
 *
 * Explicit subscriptions (XEP-0060 §6.1, §6.2): who has them (§5.6, §8.8) and how the owner approves those of a node with the
 * access model authorize (§8.6). An address has at most one at a node; it may be a bare or a full JID. Who loses his access
 * to a node hears no more of it, and with the next event his subscription ends.
 */
#include <string.h>

#include "core/router.h"
#include "pubsub_inside.h"
#include "xmpp/dataform.h"
#include "xmpp/ns.h"

#define FORM_AUTHORIZATION NS_PUBSUB "#subscribe_authorization"

static void subscribed(struct store_request *stored);
static void last_found(struct store_request *found);
static void unsubscribed(struct store_request *stored);
static void subscriptions_found(struct store_request *found);
static void node_subscriptions_changed(struct store_request *stored);
static void approval_start(struct line_place *place);
static void approval_node_found(struct store_request *found);
static void approval_stored(struct store_request *stored);

static void subscription_add(struct arena *arena, struct element *parent, const char *ns, const char *node,
                             const char *jid, const char *state)
{
	struct element *subscription = element_add(arena, parent, "subscription", ns);

	element_set(arena, subscription, "node", node);
	element_set(arena, subscription, "jid", jid);
	element_set(arena, subscription, "subscription", state);
}

/* §12.14: the subscriber learns of a change that he has not made himself. */
static void subscription_tell(struct home *home, const struct jid *service, const char *node, const struct jid *to,
                              const char *state)
{
	struct stanza *message = stanza_make(STANZA_MESSAGE, MESSAGE_HEADLINE, service, to, NULL);
	struct element *event = element_add(&message->arena, message->root, "event", NS_PUBSUB_EVENT);

	subscription_add(&message->arena, event, NS_PUBSUB_EVENT, node, to->text, state);
	route_stanza(home, stanza_seal(message));
}

/* The address that a request is about: the sender's own, with or without a resource. false: the call has been refused. */
static bool call_subscriber(struct pubsub_call *call, enum stanza_condition foreign, const char *foreign_detail,
                            struct jid *who)
{
	const char *text = element_attr(call->element, "jid");

	if (!text) {
		call_refuse(call, STANZA_BAD_REQUEST, "jid-required");
		return false;
	}
	if (!jid_prepare(&call->arena, text, strlen(text), JID_ANY, who) ||
	    !jid_same_bare(who, &call->request->parcel->stanza->from)) {
		call_refuse(call, foreign, foreign_detail);
		return false;
	}
	return true;
}

static void subscription_write(struct pubsub_call *call, const struct jid *who, const char *state,
                               void (*done)(struct store_request *done))
{
	struct store_pubsub_write *write;

	call->node.affiliations = node_subscribe(&call->arena, &call->node, who, state);
	write = call_write(call, STORE_PUBSUB_NODE_CHANGE, done);
	store_submit(call_store(call), &write->request);
}

/* ---- §6.1 ---- */

static void subscription_answer(struct pubsub_call *call, const char *state)
{
	struct stanza *result = iq_result(call->request);
	struct element *pubsub = element_add(&result->arena, result->root, "pubsub", NS_PUBSUB);

	subscription_add(&result->arena, pubsub, NS_PUBSUB, call->node.name, call->subscriber.text, state);
	call_answer(call, result);
}

void subscribe_asked(struct pubsub_call *call)
{
	const struct jid *from = &call->request->parcel->stanza->from;
	struct home *home = call->request->home;
	const char *state;
	bool pends;

	if (element_child(call->request->payload, "options", NS_PUBSUB)) {
		call_refuse_feature(call, "subscription-options"); /* §6.3.7 */
		return;
	}
	if (!call_subscriber(call, STANZA_BAD_REQUEST, "invalid-jid", &call->subscriber))
		return;
	pends = pubsub_may_read(home, call->class, call_service(call), &call->node, from) == PUBSUB_NOT_APPROVED;
	state = node_subscription(&call->arena, &call->node, &call->subscriber);
	if (!pends && !call_may_read(call))
		return;
	if (strcmp(state, "subscribed") == 0)
		subscription_answer(call, state);
	else if (pends && strcmp(state, "pending") == 0)
		call_refuse(call, STANZA_NOT_AUTHORIZED, "pending-subscription");
	else if (node_subscription_count(&call->node) >= call_limits(call)->subscriptions)
		call_refuse(call, STANZA_POLICY_VIOLATION, "too-many-subscriptions");
	else
		subscription_write(call, &call->subscriber, pends ? "pending" : "subscribed", subscribed);
}

/* §8.6: the owner is asked. */
static void approval_ask(struct pubsub_call *call)
{
	struct stanza *message = stanza_make(STANZA_MESSAGE, MESSAGE_NORMAL, call_service(call), NULL,
	                                     call->request->parcel->stanza->id);
	struct arena *arena = &message->arena;
	struct element *form = dataform_add(arena, message->root, "form", FORM_AUTHORIZATION);
	const struct stanza *sealed;

	dataform_add_field(arena, form, "pubsub#node", "text-single", "Node", call->node.name);
	dataform_add_field(arena, form, "pubsub#subscriber_jid", "jid-single", "Who asks", call->subscriber.text);
	dataform_add_field(arena, form, "pubsub#allow", "boolean", "Whether this address may subscribe to the node", "0");
	sealed = stanza_seal(message);
	call->class->tell_owner(call->request->home, call_service(call), sealed);
	stanza_unref(&sealed);
}

static void subscribed(struct store_request *stored)
{
	static const char *const states[] = { "pending", "subscribed" };
	struct pubsub_call *call = stored->context;
	const char *state = node_subscription(&call->arena, &call->node, &call->subscriber);
	struct store_pubsub_nodes *last;

	if (stored->status != STORE_OK) {
		call_refuse_store(call, stored->status);
	} else if (strcmp(state, states[0]) == 0) {
		approval_ask(call);
		subscription_answer(call, states[0]);
	} else if (pubsub_value_is(&call->node, PUBSUB_SEND_LAST, "never")) {
		subscription_answer(call, states[1]);
	} else {
		last = call_ask(call, sizeof(*last), STORE_PUBSUB_LAST, last_found);
		last->names = arena_dup(&last->request.arena, &call->node.name, sizeof(call->node.name));
		last->name_count = 1;
		store_submit(call_store(call), &last->request);
	}
	store_request_free(stored);
}

/* §6.1.7: behind the answer. */
static void last_found(struct store_request *found)
{
	const struct store_pubsub_nodes *last = (const struct store_pubsub_nodes *)found;
	struct pubsub_call *call = found->context;
	struct home *home = call->request->home;
	struct jid to = jid_copy(&found->arena, &call->subscriber);
	const struct stanza *event = NULL;

	if (found->status == STORE_OK && last->count)
		event = pubsub_item_event(home, call_service(call), &call->node, &last->nodes[0].last);
	subscription_answer(call, "subscribed");
	if (event)
		route(home, parcel_new(home, event, &to));
	stanza_unref(&event);
	store_request_free(found);
}

/* ---- §6.2 ---- */

void unsubscribe_asked(struct pubsub_call *call)
{
	if (!call_subscriber(call, STANZA_FORBIDDEN, NULL, &call->subscriber))
		return;
	if (strcmp(node_subscription(&call->arena, &call->node, &call->subscriber), "none") == 0)
		call_refuse(call, STANZA_UNEXPECTED_REQUEST, "not-subscribed");
	else
		subscription_write(call, &call->subscriber, "none", unsubscribed);
}

static void unsubscribed(struct store_request *stored)
{
	struct pubsub_call *call = stored->context;

	if (stored->status == STORE_OK)
		subscription_answer(call, "none");
	else
		call_refuse_store(call, stored->status);
	store_request_free(stored);
}

/* ---- §5.6 ---- */

void subscriptions_asked(struct pubsub_call *call)
{
	struct store_pubsub_nodes *nodes =
		call_ask(call, sizeof(*nodes), STORE_PUBSUB_NODES, subscriptions_found);

	nodes->name = call->node.name;
	store_submit(call_store(call), &nodes->request);
}

static void subscriptions_answer(struct pubsub_call *call, const struct store_pubsub_nodes *nodes)
{
	struct stanza *result = iq_result(call->request);
	struct arena *arena = &result->arena;
	struct element *list = element_add(arena, element_add(arena, result->root, "pubsub", NS_PUBSUB),
	                                   "subscriptions", NS_PUBSUB);

	element_set(arena, list, "node", call->node.name);
	for (size_t i = 0; i < nodes->count; i++) {
		const char *rest = nodes->nodes[i].affiliations, *state;
		struct jid who;

		while (pubsub_subscription_next(arena, &rest, &who, &state)) {
			if (jid_same_bare(&who, &call->request->parcel->stanza->from))
				subscription_add(arena, list, NS_PUBSUB, arena_str(arena, nodes->nodes[i].name),
				                 who.text, state);
		}
	}
	call_answer(call, result);
}

static void subscriptions_found(struct store_request *found)
{
	struct pubsub_call *call = found->context;

	if (found->status == STORE_OK || found->status == STORE_ABSENT)
		subscriptions_answer(call, (const struct store_pubsub_nodes *)found);
	else
		call_refuse_store(call, found->status);
	store_request_free(found);
}

/* ---- §8.8 ---- */

static void node_subscriptions_answer(struct pubsub_call *call)
{
	struct stanza *result = iq_result(call->request);
	struct arena *arena = &result->arena;
	struct element *list = element_add(arena, element_add(arena, result->root, "pubsub", NS_PUBSUB_OWNER),
	                                   "subscriptions", NS_PUBSUB_OWNER);
	const char *rest = call->node.affiliations, *state;
	struct jid who;

	element_set(arena, list, "node", call->node.name);
	while (pubsub_subscription_next(arena, &rest, &who, &state)) {
		if (strcmp(state, "subscribed") == 0)
			subscription_add(arena, list, NS_PUBSUB_OWNER, NULL, who.text, state);
	}
	call_answer(call, result);
}

/* What the owner's request says of one address. */
struct wish {
	struct jid who;
	const char *state;
};

/* false: it is none. state NULL: nothing is to change. */
static bool wish_read(struct pubsub_call *call, const struct element *element, struct wish *wish)
{
	const char *text = element_attr(element, "jid");

	wish->state = element_attr(element, "subscription");
	return text && jid_prepare(&call->arena, text, strlen(text), JID_ANY, &wish->who) &&
	       (!wish->state || strcmp(wish->state, "none") == 0 || strcmp(wish->state, "subscribed") == 0);
}

/* Nobody gets events that he has not asked for: the owner approves and ends subscriptions of others, and begins none. */
static bool wish_is_fair(const struct pubsub_call *call, const struct wish *wish)
{
	struct arena arena = { 0 };
	bool is_fair = !wish->state || strcmp(wish->state, "none") == 0 ||
	               call->class->owns(call_service(call), &wish->who) ||
	               strcmp(node_subscription(&arena, &call->node, &wish->who), "none") != 0;

	arena_clear(&arena);
	return is_fair;
}

void node_subscriptions_asked(struct pubsub_call *call)
{
	struct store_pubsub_write *write;
	bool fulfilled = true;

	if (call->action->type == IQ_GET) {
		node_subscriptions_answer(call);
		return;
	}
	for (const struct node *node = call->element->first; node && fulfilled; node = node->next) {
		struct wish wish;

		if (!node->element || !element_is(node->element, "subscription", NS_PUBSUB_OWNER))
			continue;
		fulfilled = wish_read(call, node->element, &wish) && wish_is_fair(call, &wish);
		if (fulfilled && wish.state)
			call->node.affiliations = node_subscribe(&call->arena, &call->node, &wish.who, wish.state);
	}
	if (!fulfilled || node_subscription_count(&call->node) > call_limits(call)->subscriptions) {
		call_refuse(call, STANZA_NOT_ACCEPTABLE, NULL);
		return;
	}
	write = call_write(call, STORE_PUBSUB_NODE_CHANGE, node_subscriptions_changed);
	store_submit(call_store(call), &write->request);
}

static void node_subscriptions_changed(struct store_request *stored)
{
	struct pubsub_call *call = stored->context;

	if (stored->status != STORE_OK) {
		call_refuse_store(call, stored->status);
		store_request_free(stored);
		return;
	}
	for (const struct node *node = call->element->first; node; node = node->next) {
		struct wish wish;

		if (node->element && element_is(node->element, "subscription", NS_PUBSUB_OWNER) &&
		    wish_read(call, node->element, &wish) && wish.state)
			subscription_tell(call->request->home, call_service(call), call->node.name, &wish.who, wish.state);
	}
	call_done(call);
	store_request_free(stored);
}

/* ---- §8.6 ---- */

/* The owner's answer on its way to the node, or the end of a subscription. It lives in its arena. */
struct approval {
	struct home *home;
	const struct pubsub_class *class;
	struct jid service, who;
	const char *node;
	const char *before;     /* the state that it is about */
	bool allows;
	struct line_place place;
	struct arena arena;
};

static void approval_free(struct approval *approval)
{
	line_leave(&approval->place);
	arena_free_self(approval, offsetof(struct approval, arena));
}

static bool approval_read(struct approval *approval, const struct element *form)
{
	struct arena *arena = &approval->arena;
	const char *node = dataform_value(arena, form, "pubsub#node");
	const char *who = dataform_value(arena, form, "pubsub#subscriber_jid");
	const char *allow = dataform_value(arena, form, "pubsub#allow");

	if (!node || !who || !allow)
		return false;
	approval->node = arena_str(arena, node);
	return dataform_read_bool(allow, &approval->allows) &&
	       jid_prepare(arena, who, strlen(who), JID_ANY, &approval->who);
}

static void approval_enter(struct approval *approval, struct home *home, const struct pubsub_class *class,
                           const struct jid *service)
{
	approval->home = home;
	approval->class = class;
	approval->service = *service;
	approval->service.resource_len = 0;
	approval->service.text = arena_str_len(&approval->arena, service->text, jid_bare_len(service));
	line_join(pubsub_lines(home), service->text, jid_bare_len(service), &approval->place, approval_start);
}

bool pubsub_approved(struct home *home, const struct pubsub_class *class, const struct jid *service,
                     const struct stanza *message)
{
	struct approval *approval = arena_new_self(sizeof(*approval), offsetof(struct approval, arena), 0);
	const struct element *form = dataform_find(&approval->arena, message->root, FORM_AUTHORIZATION);
	const char *type = form ? dataform_value(&approval->arena, form, "FORM_TYPE") : NULL;
	bool is_answer = type && strcmp(type, FORM_AUTHORIZATION) == 0;

	if (!is_answer || strcmp(dataform_type(form), "submit") != 0 || !approval_read(approval, form)) {
		approval_free(approval);
		return is_answer;
	}
	approval->before = "pending";
	approval_enter(approval, home, class, service);
	return true;
}

void pubsub_cancel(struct home *home, const struct pubsub_class *class, const struct jid *service, const char *node,
                   const struct jid *who)
{
	struct approval *approval = arena_new_self(sizeof(*approval), offsetof(struct approval, arena), 0);

	approval->node = arena_str(&approval->arena, node);
	approval->who = jid_copy(&approval->arena, who);
	approval->before = "subscribed";
	approval_enter(approval, home, class, service);
}

static void *approval_store(struct approval *approval, size_t size, enum store_op op,
                            void (*done)(struct store_request *done))
{
	struct store_request *request = store_request_new(size, op, approval->home->worker, approval->service.text,
	                                                  jid_bare_len(&approval->service), done);

	request->context = approval;
	return request;
}

static void approval_start(struct line_place *place)
{
	struct approval *approval = LIST_MEMBER(place, struct approval, place);
	struct store_pubsub_nodes *nodes =
		approval_store(approval, sizeof(*nodes), STORE_PUBSUB_NODES, approval_node_found);

	nodes->name = approval->node;
	store_submit(approval->home->server->store, &nodes->request);
}

/* What has been answered already is not answered again. */
static void approval_node_found(struct store_request *found)
{
	const struct store_pubsub_nodes *nodes = (const struct store_pubsub_nodes *)found;
	struct approval *approval = found->context;
	struct arena *arena = &approval->arena;
	struct store_pubsub_write *write;
	struct pubsub_node node;

	if (found->status == STORE_OK)
		pubsub_node_read(arena, &nodes->nodes[0], &node);
	if (found->status != STORE_OK ||
	    strcmp(node_subscription(arena, &node, &approval->who), approval->before) != 0) {
		approval_free(approval);
		store_request_free(found);
		return;
	}
	node.affiliations = node_subscribe(arena, &node, &approval->who, approval->allows ? "subscribed" : "none");
	write = approval_store(approval, sizeof(*write), STORE_PUBSUB_NODE_CHANGE, approval_stored);
	write->node = (struct store_pubsub_node){ .name = approval->node,
		                                  .config = node_config_write(arena, &node),
		                                  .affiliations = node.affiliations };
	write->most_items = node_most_items(&node, approval->class->limits(approval->home->config));
	store_submit(approval->home->server->store, &write->request);
	store_request_free(found);
}

static void approval_stored(struct store_request *stored)
{
	struct approval *approval = stored->context;

	if (stored->status == STORE_OK)
		subscription_tell(approval->home, &approval->service, approval->node, &approval->who,
		                  approval->allows ? "subscribed" : "none");
	approval_free(approval);
	store_request_free(stored);
}
