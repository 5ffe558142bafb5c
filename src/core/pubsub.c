/* SPDX-License-Identifier: MIT
 *
 * The way of a publish-subscribe request: what is asked (one table), who asks, the node it is about, then the action itself.
 * The errors are those of XEP-0060's sections, with their conditions in #errors.
 *
 * Requests to one service, and what it publishes itself, stand in a line, so that each finds the node as the one before has
 * left it.
 */
#include "core/pubsub.h"

#include <string.h>

#include "core/account.h"
#include "core/module.h"
#include "core/router.h"
#include "pubsub_inside.h"
#include "xmpp/ns.h"
#include "xmpp/writer.h"

enum { LINE_MAX = 200 };

static void call_start(struct line_place *place);
static void call_begin(struct pubsub_call *call);
static void call_node_found(struct store_request *found);

static const struct pubsub_action actions[] = {
	{ "items", NS_PUBSUB, IQ_GET, .named = true, .run = items_asked },
	{ "subscriptions", NS_PUBSUB, IQ_GET, .run = subscriptions_asked },
	{ "affiliations", NS_PUBSUB, IQ_GET, .run = affiliations_asked },
	{ "default", NS_PUBSUB, IQ_GET, .unsupported = "retrieve-default-sub" },
	{ "options", NS_PUBSUB, IQ_GET, .unsupported = "subscription-options" },
	{ "publish", NS_PUBSUB, IQ_SET, .of_owner = true, .named = true, .creates = true,
	  .run = publish_asked },
	{ "retract", NS_PUBSUB, IQ_SET, .of_owner = true, .named = true, .run = retract_asked },
	{ "create", NS_PUBSUB, IQ_SET, .of_owner = true, .run = create_asked },
	{ "subscribe", NS_PUBSUB, IQ_SET, .named = true, .run = subscribe_asked },
	{ "unsubscribe", NS_PUBSUB, IQ_SET, .named = true, .run = unsubscribe_asked },
	{ "options", NS_PUBSUB, IQ_SET, .unsupported = "subscription-options" },
	{ "configure", NS_PUBSUB_OWNER, IQ_GET, .of_owner = true, .named = true, .run = configure_asked },
	{ "configure", NS_PUBSUB_OWNER, IQ_SET, .of_owner = true, .named = true, .run = configure_asked },
	{ "default", NS_PUBSUB_OWNER, IQ_GET, .of_owner = true, .run = default_asked },
	{ "delete", NS_PUBSUB_OWNER, IQ_SET, .of_owner = true, .named = true, .run = delete_asked },
	{ "purge", NS_PUBSUB_OWNER, IQ_SET, .of_owner = true, .named = true, .run = purge_asked },
	{ "subscriptions", NS_PUBSUB_OWNER, IQ_GET, .of_owner = true, .named = true,
	  .run = node_subscriptions_asked },
	{ "subscriptions", NS_PUBSUB_OWNER, IQ_SET, .of_owner = true, .named = true,
	  .run = node_subscriptions_asked },
	{ "affiliations", NS_PUBSUB_OWNER, IQ_GET, .of_owner = true, .named = true,
	  .run = node_affiliations_asked },
	{ "affiliations", NS_PUBSUB_OWNER, IQ_SET, .of_owner = true, .named = true,
	  .run = node_affiliations_asked },
	{ 0 },
};

const char *const pubsub_features[] = {
	NS_PUBSUB,
	NS_PUBSUB "#access-authorize",
	NS_PUBSUB "#access-open",
	NS_PUBSUB "#access-presence",
	NS_PUBSUB "#access-roster",
	NS_PUBSUB "#access-whitelist",
	NS_PUBSUB "#auto-create",
	NS_PUBSUB "#config-node",
	NS_PUBSUB "#config-node-max",
	NS_PUBSUB "#create-and-configure",
	NS_PUBSUB "#create-nodes",
	NS_PUBSUB "#delete-items",
	NS_PUBSUB "#delete-nodes",
	NS_PUBSUB "#instant-nodes",
	NS_PUBSUB "#item-ids",
	NS_PUBSUB "#last-published",
	NS_PUBSUB "#manage-subscriptions",
	NS_PUBSUB "#member-affiliation",
	NS_PUBSUB "#meta-data",
	NS_PUBSUB "#modify-affiliations",
	NS_PUBSUB "#multi-items",
	NS_PUBSUB "#outcast-affiliation",
	NS_PUBSUB "#persistent-items",
	NS_PUBSUB "#publish",
	NS_PUBSUB "#publish-options",
	NS_PUBSUB "#purge-nodes",
	NS_PUBSUB "#retract-items",
	NS_PUBSUB "#retrieve-affiliations",
	NS_PUBSUB "#retrieve-default",
	NS_PUBSUB "#retrieve-items",
	NS_PUBSUB "#retrieve-subscriptions",
	NS_PUBSUB "#subscribe",
	NS_PUBSUB "#subscription-notifications",
	NS_DATA_FORM,
	NS_RSM,
	NULL,
};

/* ---- what is asked ---- */

/* The first child that names an action; <configure/>, <publish-options/> and <set/> stand beside one. */
static const struct pubsub_action *action_find(const struct iq_request *request,
                                               const struct element **element)
{
	const struct element *payload = request->payload;

	for (const struct node *node = payload->first; node; node = node->next) {
		for (const struct pubsub_action *action = actions; node->element && action->name; action++) {
			if (action->type == request->parcel->stanza->type &&
			    strcmp(action->ns, payload->ns) == 0 &&
			    element_is(node->element, action->name, payload->ns)) {
				*element = node->element;
				return action;
			}
		}
	}
	return NULL;
}

/* ---- in line ---- */

struct lines *pubsub_lines(const struct home *home)
{
	return home_part(home, &pubsub_module);
}

static void call_enter(struct pubsub_call *call)
{
	const struct jid *service = call_service(call);
	struct lines *lines = pubsub_lines(call->home);

	if (line_length(lines, service->text, jid_bare_len(service)) >= LINE_MAX)
		call_refuse(call, STANZA_RESOURCE_CONSTRAINT, NULL);
	else
		line_join(lines, service->text, jid_bare_len(service), &call->place, call_start);
}

void pubsub_asked(struct iq_request *request, const struct pubsub_class *class)
{
	struct pubsub_call *call = arena_new_self(sizeof(*call), offsetof(struct pubsub_call, arena), 0);

	call->home = request->home;
	call->request = request;
	call->class = class;
	call->action = action_find(request, &call->element);
	call->owns = class->owns(&request->parcel->to, &request->parcel->stanza->from);
	call_enter(call);
}

static void call_start(struct line_place *place)
{
	struct pubsub_call *call = LIST_MEMBER(place, struct pubsub_call, place);

	iq_account(call->request);
	if (!call->action)
		call_refuse(call, STANZA_BAD_REQUEST, NULL);
	else if (!call->action->run)
		call_refuse_feature(call, call->action->unsupported);
	else if (call->action->of_owner && !call->owns)
		call_refuse(call, STANZA_FORBIDDEN, NULL);
	else
		call_begin(call);
}

static void call_begin(struct pubsub_call *call)
{
	const char *name = element_attr(call->element, "node");
	struct store_pubsub_nodes *nodes;

	node_defaults(&call->node, name && *name ? name : NULL);
	if (!call->action->named) {
		call->action->run(call);
		return;
	}
	if (!call->node.name) {
		call_refuse(call, STANZA_BAD_REQUEST, "nodeid-required");
		return;
	}
	nodes = call_ask(call, sizeof(*nodes), STORE_PUBSUB_NODES, call_node_found);
	nodes->name = call->node.name;
	store_submit(call_store(call), &nodes->request);
}

static void call_node_read(struct pubsub_call *call, const struct store_pubsub_node *stored)
{
	const char *name = call->node.name;

	pubsub_node_read(&call->arena, stored, &call->node);
	call->node.name = name;
	call->node.affiliations = arena_str(&call->arena, stored->affiliations);
	call->exists = true;
}

/* To a stranger an address without that node looks like an address that does not exist. */
static void call_refuse_absent(struct pubsub_call *call)
{
	const struct jid *from = &call->request->parcel->stanza->from;
	bool known = call->class->subscribed(call->request->home, call_service(call), from);

	call_refuse(call, call->owns || known ? STANZA_ITEM_NOT_FOUND : STANZA_SERVICE_UNAVAILABLE, NULL);
}

static void call_node_found(struct store_request *found)
{
	const struct store_pubsub_nodes *nodes = (const struct store_pubsub_nodes *)found;
	struct pubsub_call *call = found->context;

	iq_account(call->request);
	if (found->status == STORE_OK)
		call_node_read(call, &nodes->nodes[0]);
	if (found->status != STORE_OK && found->status != STORE_ABSENT)
		call_refuse_store(call, found->status);
	else if (!call->exists && !call->action->creates)
		call_refuse_absent(call);
	else
		call->action->run(call);
	store_request_free(found);
}

/* ---- what an action needs ---- */

const struct jid *call_service(const struct pubsub_call *call)
{
	return &call->request->parcel->to;
}

struct store *call_store(const struct pubsub_call *call)
{
	return call->request->home->server->store;
}

const struct pubsub_limits *call_limits(const struct pubsub_call *call)
{
	return call->class->limits(call->request->config);
}

void *call_ask(struct pubsub_call *call, size_t size, enum store_op op,
               void (*done)(struct store_request *done))
{
	const struct jid *service = call_service(call);
	struct store_request *request = store_request_new(size, op, call->request->home->worker,
	                                                  service->text, jid_bare_len(service), done);

	request->context = call;
	return request;
}

bool call_may_read(struct pubsub_call *call)
{
	static const struct {
		enum stanza_condition condition;
		const char *pubsub;
	} refusals[] = {
		[PUBSUB_NOT_SUBSCRIBED] = { STANZA_NOT_AUTHORIZED, "presence-subscription-required" },
		[PUBSUB_NOT_IN_GROUP] = { STANZA_NOT_AUTHORIZED, "not-in-roster-group" },
		[PUBSUB_NOT_APPROVED] = { STANZA_NOT_AUTHORIZED, "not-subscribed" },
		[PUBSUB_CLOSED] = { STANZA_NOT_ALLOWED, "closed-node" },
		[PUBSUB_OUTCAST] = { STANZA_FORBIDDEN, NULL },
	};
	enum pubsub_grant grant = pubsub_may_read(call->request->home, call->class, call_service(call),
	                                          &call->node, &call->request->parcel->stanza->from);

	if (grant != PUBSUB_GRANTED)
		call_refuse(call, refusals[grant].condition, refusals[grant].pubsub);
	return grant == PUBSUB_GRANTED;
}

/* ---- endings ---- */

static void call_free(struct pubsub_call *call)
{
	line_leave(&call->place);
	arena_free_self(call, offsetof(struct pubsub_call, arena));
}

void call_answer(struct pubsub_call *call, struct stanza *result)
{
	iq_answer(call->request, result);
	call_free(call);
}

void call_done(struct pubsub_call *call)
{
	call_answer(call, iq_result(call->request));
}

/* The error stanza with a condition of the extension (RFC 6120 §8.3.4) beside the general one. */
static void call_refuse_with(struct pubsub_call *call, enum stanza_condition condition, const char *name,
                             const char *feature)
{
	const struct stanza *asked = call->request->parcel->stanza;
	struct stanza *error = stanza_make(STANZA_IQ, IQ_ERROR, call_service(call), &asked->from, asked->id);
	struct element *detail;

	error_add(&error->arena, error->root, condition, NULL);
	detail = element_add(&error->arena, element_child(error->root, "error", NS_CLIENT), name,
	                     NS_PUBSUB_ERRORS);
	element_set(&error->arena, detail, "feature", feature);
	call_answer(call, error);
}

void call_refuse(struct pubsub_call *call, enum stanza_condition condition, const char *pubsub_condition)
{
	if (pubsub_condition) {
		call_refuse_with(call, condition, pubsub_condition, NULL);
		return;
	}
	iq_refuse(call->request, condition, NULL);
	call_free(call);
}

void call_refuse_feature(struct pubsub_call *call, const char *feature)
{
	call_refuse_with(call, STANZA_FEATURE_NOT_IMPLEMENTED, "unsupported", feature);
}

void call_refuse_store(struct pubsub_call *call, enum store_status status)
{
	switch (status) {
	case STORE_ABSENT:
		call_refuse(call, STANZA_ITEM_NOT_FOUND, NULL);
		break;
	case STORE_CONFLICT:
		call_refuse(call, STANZA_CONFLICT, NULL);
		break;
	case STORE_FULL:
		call_refuse(call, STANZA_RESOURCE_CONSTRAINT, NULL);
		break;
	default:
		call_refuse(call, STANZA_INTERNAL_SERVER_ERROR, NULL);
	}
}

/* ---- events, §7.1.2.1 ---- */

struct stanza *event_new(const struct jid *service, const char *kind, const char *node,
                         struct element **inside)
{
	struct stanza *stanza = stanza_make(STANZA_MESSAGE, MESSAGE_HEADLINE, NULL, NULL, NULL);
	struct element *event = element_add(&stanza->arena, stanza->root, "event", NS_PUBSUB_EVENT);

	stanza->from = *service;
	stanza->from.resource_len = 0;
	stanza->from.text = arena_str_len(&stanza->arena, service->text, jid_bare_len(service));
	*inside = element_add(&stanza->arena, event, kind, NS_PUBSUB_EVENT);
	element_set(&stanza->arena, *inside, "node", node);
	return stanza;
}

void event_send(struct home *home, const struct pubsub_class *class, const struct jid *service,
                const struct pubsub_node *node, struct stanza *event)
{
	const struct stanza *sealed = stanza_seal(event);

	if (pubsub_value_is(node, PUBSUB_DELIVER_NOTIFICATIONS, "1"))
		class->notify(home, service, node, sealed);
	stanza_unref(&sealed);
}

/* ---- the module: its part of a home is the lines ---- */

static void *pubsub_home_open(struct home *home)
{
	return lines_new(worker_seed(home->worker));
}

static void pubsub_home_close(struct home *home, void *part)
{
	struct lines *lines = part;

	(void)home;
	lines_free(&lines);
}

static const struct module_spec specs[] = {
	{ "XEP-0004", "Data Forms", "2.13.2", NULL },
	{ "XEP-0059", "Result Set Management", "1.0", NULL },
	{ "XEP-0060", "Publish-Subscribe", "1.30.0", "for accounts; without subscription options and collections" },
	{ 0 },
};

const struct module pubsub_module = {
	.name = "pubsub",
	.specs = specs,
	.account_features = pubsub_features,
	.home_open = pubsub_home_open,
	.home_close = pubsub_home_close,
};
