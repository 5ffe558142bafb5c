/* SPDX-License-Identifier: MIT
 *
 * What the owner of a service does with its nodes (XEP-0060 §8), and how addresses are affiliated with them (§5.7, §8.9).
 */
#include <string.h>

#include "base/id.h"
#include "pubsub_inside.h"
#include "xmpp/dataform.h"
#include "xmpp/ns.h"

enum { NAME_BYTES = 1023 };

static void created(struct store_request *stored);
static void changed(struct store_request *stored);
static void deleted(struct store_request *stored);
static void purged(struct store_request *stored);
static void affiliations_found(struct store_request *found);

struct store_pubsub_write *call_write(struct pubsub_call *call, enum store_op op,
                                      void (*done)(struct store_request *done))
{
	const struct pubsub_limits *limits = call_limits(call);
	struct store_pubsub_write *write = call_ask(call, sizeof(*write), op, done);

	write->node.name = call->node.name;
	write->node.config = node_config_write(&write->request.arena, &call->node);
	write->node.affiliations = call->node.affiliations;
	write->most_nodes = limits->nodes;
	write->most_items = node_most_items(&call->node, limits);
	return write;
}

static void write_submit(struct pubsub_call *call, struct store_pubsub_write *write)
{
	store_submit(call_store(call), &write->request);
}

/* For writes that are answered with the empty result. */
static void changed(struct store_request *stored)
{
	struct pubsub_call *call = stored->context;

	if (stored->status == STORE_OK)
		call_done(call);
	else
		call_refuse_store(call, stored->status);
	store_request_free(stored);
}

/* ---- §8.1 ---- */

/* §8.1.2: without a name the node gets one of ours. */
void create_asked(struct pubsub_call *call)
{
	const struct element *configure = element_child(call->request->payload, "configure", NS_PUBSUB);
	const struct element *form =
		configure ? dataform_find(&call->arena, configure, PUBSUB_FORM_CONFIG) : NULL;
	char made[ID_LEN + 1];

	if (!call->node.name) {
		id_random(worker_entropy(call->request->home->worker), made);
		call->node.name = arena_str(&call->arena, made);
	}
	if (strlen(call->node.name) > NAME_BYTES ||
	    (form && !node_submit(&call->arena, form, call_limits(call), &call->node))) {
		call_refuse(call, STANZA_NOT_ACCEPTABLE, NULL);
		return;
	}
	write_submit(call, call_write(call, STORE_PUBSUB_NODE_CREATE, created));
}

static void created(struct store_request *stored)
{
	struct pubsub_call *call = stored->context;

	if (stored->status == STORE_OK && !element_attr(call->element, "node")) {
		struct stanza *result = iq_result(call->request);
		struct element *pubsub = element_add(&result->arena, result->root, "pubsub", NS_PUBSUB);

		element_set(&result->arena, element_add(&result->arena, pubsub, "create", NS_PUBSUB), "node",
		            call->node.name);
		call_answer(call, result);
	} else if (stored->status == STORE_OK) {
		call_done(call);
	} else {
		call_refuse_store(call, stored->status);
	}
	store_request_free(stored);
}

/* ---- §8.2, §8.3 ---- */

static void form_answer(struct pubsub_call *call, const char *name)
{
	struct stanza *result = iq_result(call->request);
	struct arena *arena = &result->arena;
	struct element *element =
		element_add(arena, element_add(arena, result->root, "pubsub", NS_PUBSUB_OWNER), name,
	                    NS_PUBSUB_OWNER);

	element_set(arena, element, "node", call->node.name);
	node_form_add(arena, element, "form", &call->node);
	call_answer(call, result);
}

void default_asked(struct pubsub_call *call)
{
	form_answer(call, "default");
}

void configure_asked(struct pubsub_call *call)
{
	const struct element *form;

	if (call->action->type == IQ_GET) {
		form_answer(call, "configure");
		return;
	}
	form = dataform_find(&call->arena, call->element, PUBSUB_FORM_CONFIG);
	if (!form)
		call_refuse(call, STANZA_BAD_REQUEST, NULL);
	else if (strcmp(dataform_type(form), "cancel") == 0)
		call_done(call);
	else if (!node_submit(&call->arena, form, call_limits(call), &call->node))
		call_refuse(call, STANZA_NOT_ACCEPTABLE, NULL);
	else
		write_submit(call, call_write(call, STORE_PUBSUB_NODE_CHANGE, changed));
}

/* ---- §8.4, §8.5 ---- */

static void event_plain(struct pubsub_call *call, const char *kind)
{
	struct element *inside;

	event_send(call->request->home, call->class, call_service(call), &call->node,
	           event_new(call_service(call), kind, call->node.name, &inside));
}

void delete_asked(struct pubsub_call *call)
{
	write_submit(call, call_write(call, STORE_PUBSUB_NODE_REMOVE, deleted));
}

static void deleted(struct store_request *stored)
{
	struct pubsub_call *call = stored->context;

	if (stored->status == STORE_OK && pubsub_value_is(&call->node, PUBSUB_NOTIFY_DELETE, "1"))
		event_plain(call, "delete");
	changed(stored);
}

void purge_asked(struct pubsub_call *call)
{
	write_submit(call, call_write(call, STORE_PUBSUB_NODE_PURGE, purged));
}

static void purged(struct store_request *stored)
{
	struct pubsub_call *call = stored->context;

	if (stored->status == STORE_OK && pubsub_value_is(&call->node, PUBSUB_NOTIFY_RETRACT, "1"))
		event_plain(call, "purge");
	changed(stored);
}

/* ---- §5.7 ---- */

void affiliations_asked(struct pubsub_call *call)
{
	struct store_pubsub_nodes *nodes =
		call_ask(call, sizeof(*nodes), STORE_PUBSUB_NODES, affiliations_found);

	nodes->name = call->node.name;
	store_submit(call_store(call), &nodes->request);
}

static void affiliations_answer(struct pubsub_call *call, const struct store_pubsub_nodes *nodes)
{
	const struct jid *who = &call->request->parcel->stanza->from;
	struct stanza *result = iq_result(call->request);
	struct arena *arena = &result->arena;
	struct element *list = element_add(arena, element_add(arena, result->root, "pubsub", NS_PUBSUB),
	                                   "affiliations", NS_PUBSUB);

	element_set(arena, list, "node", call->node.name);
	for (size_t i = 0; i < nodes->count; i++) {
		struct pubsub_node node;
		const char *affiliation = "owner";
		struct element *element;

		pubsub_node_read(arena, &nodes->nodes[i], &node);
		if (!call->owns)
			affiliation = node_affiliation(arena, &node, who);
		if (strcmp(affiliation, "none") == 0)
			continue;
		element = element_add(arena, list, "affiliation", NS_PUBSUB);
		element_set(arena, element, "node", node.name);
		element_set(arena, element, "affiliation", affiliation);
	}
	call_answer(call, result);
}

static void affiliations_found(struct store_request *found)
{
	struct pubsub_call *call = found->context;

	if (found->status == STORE_OK || found->status == STORE_ABSENT)
		affiliations_answer(call, (const struct store_pubsub_nodes *)found);
	else
		call_refuse_store(call, found->status);
	store_request_free(found);
}

/* ---- §8.9 ---- */

static void affiliation_add(struct arena *arena, struct element *list, const char *jid,
                            const char *affiliation)
{
	struct element *element = element_add(arena, list, "affiliation", NS_PUBSUB_OWNER);

	element_set(arena, element, "jid", jid);
	element_set(arena, element, "affiliation", affiliation);
}

static void node_affiliations_answer(struct pubsub_call *call)
{
	struct stanza *result = iq_result(call->request);
	struct arena *arena = &result->arena;
	struct element *list = element_add(arena, element_add(arena, result->root, "pubsub", NS_PUBSUB_OWNER),
	                                   "affiliations", NS_PUBSUB_OWNER);
	const char *rest = call->node.affiliations, *jid, *affiliation;

	element_set(arena, list, "node", call->node.name);
	affiliation_add(arena, list,
	                arena_str_len(arena, call_service(call)->text, jid_bare_len(call_service(call))),
	                "owner");
	while (node_affiliation_next(arena, &rest, &jid, &affiliation))
		affiliation_add(arena, list, jid, affiliation);
	call_answer(call, result);
}

/* The owner is who he is; others read (member), are shut out (outcast), or neither. */
static enum stanza_condition affiliation_change(struct pubsub_call *call, const struct element *element)
{
	const char *text = element_attr(element, "jid"), *affiliation = element_attr(element, "affiliation");
	struct jid jid;

	if (!text || !affiliation || !jid_prepare(&call->arena, text, strlen(text), JID_ANY, &jid))
		return STANZA_BAD_REQUEST;
	if (call->class->owns(call_service(call), &jid))
		return strcmp(affiliation, "owner") == 0 ? STANZA_NO_ERROR : STANZA_NOT_ACCEPTABLE;
	if (strcmp(affiliation, "member") != 0 && strcmp(affiliation, "outcast") != 0 &&
	    strcmp(affiliation, "none") != 0)
		return STANZA_NOT_ACCEPTABLE;
	call->node.affiliations = node_affiliate(&call->arena, &call->node, &jid, affiliation);
	return node_affiliation_count(&call->node) > call_limits(call)->affiliations ? STANZA_NOT_ACCEPTABLE
	                                                                             : STANZA_NO_ERROR;
}

void node_affiliations_asked(struct pubsub_call *call)
{
	enum stanza_condition refusal = STANZA_NO_ERROR;

	if (call->action->type == IQ_GET) {
		node_affiliations_answer(call);
		return;
	}
	for (const struct node *node = call->element->first; node && !refusal; node = node->next) {
		if (node->element && element_is(node->element, "affiliation", NS_PUBSUB_OWNER))
			refusal = affiliation_change(call, node->element);
	}
	if (refusal)
		call_refuse(call, refusal, NULL);
	else
		write_submit(call, call_write(call, STORE_PUBSUB_NODE_CHANGE, changed));
}
