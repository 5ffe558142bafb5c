/* SPDX-License-Identifier: MIT
 *
 * Items: retrieved (XEP-0060 §6.5, with the pages of XEP-0059), published (§7.1), retracted (§7.2).
 */
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "pubsub_inside.h"
#include "xmpp/dataform.h"
#include "xmpp/ns.h"
#include "xmpp/rsm.h"
#include "xmpp/stamp.h"
#include "xmpp/writer.h"

enum { ID_BYTES = 1023, IDS_MAX = 100 };

static void items_found(struct store_request *found);
static void publish_begin(struct pubsub_call *call, const struct element *item);
static void published(struct store_request *stored);
static void retracted(struct store_request *stored);

/* ---- §6.5 ---- */

static bool items_ids(struct pubsub_call *call, struct store_pubsub_items *items)
{
	items->ids = arena_zalloc(&items->request.arena, IDS_MAX * sizeof(*items->ids));
	for (const struct node *node = call->element->first; node; node = node->next) {
		const char *id = node->element ? element_attr(node->element, "id") : NULL;

		if (!node->element || !element_is(node->element, "item", NS_PUBSUB))
			continue;
		if (!id || items->id_count == IDS_MAX)
			return false;
		items->ids[items->id_count++] = id;
	}
	return true;
}

/* A page of XEP-0059, or the newest max_items (§6.5.7). */
static bool items_page(struct pubsub_call *call, struct store_pubsub_items *items)
{
	const char *max = element_attr(call->element, "max_items");
	struct rsm rsm;

	if (!rsm_read(&call->arena, call->request->payload, &rsm))
		return false;
	items->limit = rsm.limited ? rsm.max : call_limits(call)->items;
	items->after = rsm.after;
	items->before = rsm.before;
	items->index = rsm.index;
	if (max && !rsm.asked) {
		items->before = "";
		items->limit = strtoul(max, NULL, 10);
		return *max >= '1' && *max <= '9';
	}
	return true;
}

void items_asked(struct pubsub_call *call)
{
	struct store_pubsub_items *items;

	if (!call_may_read(call))
		return;
	items = call_ask(call, sizeof(*items), STORE_PUBSUB_ITEMS, items_found);
	items->node = call->node.name;
	if (!items_ids(call, items) || !items_page(call, items)) {
		store_request_free(&items->request);
		call_refuse(call, STANZA_BAD_REQUEST, NULL);
		return;
	}
	store_submit(call_store(call), &items->request);
}

static struct element *item_add(struct home *home, struct stanza *stanza, struct element *parent,
                                const char *ns, const struct store_pubsub_item *item, bool with_payload)
{
	struct arena arena = { 0 };
	struct element *element = element_add(&stanza->arena, parent, "item", ns), *payload;

	element_set(&stanza->arena, element, "id", item->id);
	if (!with_payload || !item->payload_len)
		return element;
	payload = parser_text(home->parsers, &arena, NS_CLIENT, item->payload, item->payload_len,
	                      &home->config->limits.parser);
	if (payload)
		element_copy(&stanza->arena, element, payload);
	else
		log_error(home->server->log, NULL, "a stored item cannot be read", LOG_STR("id", item->id));
	arena_clear(&arena);
	return element;
}

static void items_answer(struct pubsub_call *call, const struct store_pubsub_items *found)
{
	struct stanza *result = iq_result(call->request);
	struct arena *arena = &result->arena;
	struct element *pubsub = element_add(arena, result->root, "pubsub", NS_PUBSUB);
	struct element *items = element_add(arena, pubsub, "items", NS_PUBSUB);
	struct rsm_page page = { .counted = true, .index = found->index, .count = found->count };

	element_set(arena, items, "node", call->node.name);
	for (size_t i = 0; i < found->item_count; i++)
		item_add(call->request->home, result, items, NS_PUBSUB, &found->items[i], true);
	if (found->item_count) {
		page.first = found->items[0].id;
		page.last = found->items[found->item_count - 1].id;
	}
	if (element_child(call->request->payload, "set", NS_RSM))
		rsm_add(arena, pubsub, &page);
	call_answer(call, result);
}

static void items_found(struct store_request *found)
{
	struct pubsub_call *call = found->context;

	if (found->status == STORE_OK)
		items_answer(call, (const struct store_pubsub_items *)found);
	else
		call_refuse_store(call, found->status);
	store_request_free(found);
}

/* ---- §7.1 ---- */

/* The one item of a publish; NULL: none, or several, which need a feature that we do not have. */
static const struct element *item_only(const struct element *parent)
{
	const struct element *item = element_child(parent, "item", NS_PUBSUB);

	for (const struct node *node = item ? item->place->next : NULL; node; node = node->next) {
		if (node->element && element_is(node->element, "item", NS_PUBSUB))
			return NULL;
	}
	return item;
}

/* §7.1.3: what is wrong with the item; false: the call has been refused. */
static bool publish_check(struct pubsub_call *call, const struct element *item)
{
	const struct element *payload = item ? element_first(item) : NULL;
	const char *id = item ? element_attr(item, "id") : NULL;

	if (!item)
		call_refuse(call, STANZA_BAD_REQUEST, "item-required");
	else if (!payload)
		call_refuse(call, STANZA_BAD_REQUEST, "payload-required");
	else if (element_next(item, payload))
		call_refuse(call, STANZA_BAD_REQUEST, "invalid-payload");
	else if (id && (!*id || strlen(id) > ID_BYTES))
		call_refuse(call, STANZA_BAD_REQUEST, NULL);
	else if (strlen(call->node.name) > ID_BYTES)
		call_refuse(call, STANZA_NOT_ACCEPTABLE, NULL);
	else
		return true;
	return false;
}

/* §7.1.5: preconditions of a node that exists, configuration of one that does not; of either it must be one that we know. */
static bool publish_options(struct pubsub_call *call)
{
	const struct element *options = element_child(call->request->payload, "publish-options", NS_PUBSUB);
	const struct element *form =
		options ? dataform_find(&call->arena, options, PUBSUB_FORM_OPTIONS) : NULL;

	if (!form)
		return true;
	if (!call->exists && !node_submit(&call->arena, form, call_limits(call), &call->node)) {
		call_refuse(call, STANZA_NOT_ACCEPTABLE, NULL);
		return false;
	}
	if (!node_meets(&call->arena, form, call_limits(call), &call->node)) {
		call_refuse(call, STANZA_CONFLICT, "precondition-not-met");
		return false;
	}
	return true;
}

void publish_asked(struct pubsub_call *call)
{
	const struct element *item = item_only(call->element);

	if (publish_check(call, item) && publish_options(call))
		publish_begin(call, item);
}

void item_fill(struct arena *arena, struct home *home, struct store_pubsub_item *item, const char *id,
               const struct element *payload, const struct jid *publisher)
{
	char made[ID_LEN + 1];
	struct buf text = { 0 };

	if (!id)
		id_random(worker_entropy(home->worker), made);
	item->id = arena_str(arena, id ? id : made);
	item->publisher = arena_str(arena, publisher->text);
	item->at_us = clock_wall_us(worker_clock(home->worker));
	writer_element(&text, payload, NS_CLIENT);
	item->payload = arena_str_len(arena, text.data, text.len);
	item->payload_len = text.len;
	buf_clear(&text);
}

static void publish_begin(struct pubsub_call *call, const struct element *item)
{
	const struct pubsub_limits *limits = call_limits(call);
	struct store_pubsub_item_write *write =
		call_ask(call, sizeof(*write), STORE_PUBSUB_ITEM_PUT, published);
	struct arena *arena = &write->request.arena;

	item_fill(arena, call->request->home, &write->item, element_attr(item, "id"), element_first(item),
	          &call->request->parcel->stanza->from);
	if (write->item.payload_len > limits->item_bytes) {
		store_request_free(&write->request);
		call_refuse(call, STANZA_NOT_ACCEPTABLE, "payload-too-big");
		return;
	}
	write->node = call->node.name;
	write->most_items = node_most_items(&call->node, limits);
	write->most_nodes = limits->nodes;
	write->create_config = call->exists ? NULL : node_config_write(arena, &call->node);
	store_submit(call_store(call), &write->request);
}

struct stanza *item_event(struct home *home, const struct jid *service, const struct pubsub_node *node,
                          const struct store_pubsub_item *item)
{
	struct element *items;
	struct stanza *event = event_new(service, "items", node->name, &items);

	item_add(home, event, items, NS_PUBSUB_EVENT, item,
	         pubsub_value_is(node, PUBSUB_DELIVER_PAYLOADS, "1"));
	return event;
}

const struct stanza *pubsub_item_event(struct home *home, const struct jid *service,
                                       const struct pubsub_node *node, const struct store_pubsub_item *item)
{
	struct stanza *event = item_event(home, service, node, item);
	char stamp[STAMP_LEN + 1];

	stamp_write(item->at_us, stamp);
	element_set(&event->arena, element_add(&event->arena, event->root, "delay", NS_DELAY), "stamp", stamp);
	return stanza_seal(event);
}

/* §7.1.2: the publisher learns the id. */
static struct stanza *publish_result(const struct pubsub_call *call, const struct store_pubsub_item *item)
{
	struct stanza *result = iq_result(call->request);
	struct arena *arena = &result->arena;
	struct element *publish = element_add(arena, element_add(arena, result->root, "pubsub", NS_PUBSUB),
	                                      "publish", NS_PUBSUB);

	element_set(arena, publish, "node", call->node.name);
	element_set(arena, element_add(arena, publish, "item", NS_PUBSUB), "id", item->id);
	return result;
}

/* Who wants to hear of it does so before the publisher has the answer. */
static void published(struct store_request *stored)
{
	const struct store_pubsub_item *item = &((const struct store_pubsub_item_write *)stored)->item;
	struct pubsub_call *call = stored->context;
	const struct jid *service = call_service(call);
	struct home *home = call->request->home;

	if (stored->status != STORE_OK) {
		call_refuse_store(call, stored->status);
	} else {
		event_send(home, call->class, service, &call->node,
		           item_event(home, service, &call->node, item));
		if (call->class->published)
			call->class->published(home, service, call->node.name, item->id,
			                       element_first(item_only(call->element)));
		call_answer(call, publish_result(call, item));
	}
	store_request_free(stored);
}

/* ---- §7.2 ---- */

void retract_asked(struct pubsub_call *call)
{
	const struct element *item = item_only(call->element);
	const char *id = item ? element_attr(item, "id") : NULL;
	struct store_pubsub_item_write *write;

	if (!id) {
		call_refuse(call, STANZA_BAD_REQUEST, "item-required");
		return;
	}
	write = call_ask(call, sizeof(*write), STORE_PUBSUB_ITEM_REMOVE, retracted);
	write->node = call->node.name;
	write->item.id = id;
	store_submit(call_store(call), &write->request);
}

struct stanza *retract_event(const struct jid *service, const char *node, const char *id)
{
	struct element *items;
	struct stanza *event = event_new(service, "items", node, &items);

	element_set(&event->arena, element_add(&event->arena, items, "retract", NS_PUBSUB_EVENT), "id", id);
	return event;
}

static bool retract_notifies(const struct pubsub_call *call)
{
	const char *notify = element_attr(call->element, "notify");
	bool wanted = false;

	return (notify && dataform_read_bool(notify, &wanted) && wanted) ||
	       pubsub_value_is(&call->node, PUBSUB_NOTIFY_RETRACT, "1");
}

static void retracted(struct store_request *stored)
{
	const char *id = ((const struct store_pubsub_item_write *)stored)->item.id;
	struct pubsub_call *call = stored->context;
	const struct jid *service = call_service(call);
	struct home *home = call->request->home;

	if (stored->status != STORE_OK) {
		call_refuse_store(call, stored->status);
	} else {
		if (retract_notifies(call))
			event_send(home, call->class, service, &call->node,
			           retract_event(service, call->node.name, id));
		if (call->class->published)
			call->class->published(home, service, call->node.name, id, NULL);
		call_done(call);
	}
	store_request_free(stored);
}
