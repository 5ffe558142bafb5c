/* SPDX-License-Identifier: MIT
 *
 * Operations on publish-subscribe nodes and items (store/pubsub.h).
 */
#include "store/pubsub.h"

#include <string.h>

#include "operation.h"
#include "query.h"

/* ---- nodes ---- */

static enum store_status node_find(struct database *db, const char *owner, const char *name, int64_t *id)
{
	struct query q;
	bool found;

	query_start(&q, db, QUERY_PUBSUB_NODE);
	query_put_text(&q, owner);
	query_put_text(&q, name);
	found = query_next(&q);
	if (found)
		*id = query_number(&q);
	if (!query_finish(&q))
		return STORE_FAILED;
	return found ? STORE_OK : STORE_ABSENT;
}

/* A service that is an account must be one that exists. */
static enum store_status owner_check(struct database *db, const char *owner)
{
	struct account_row row;

	return strchr(owner, '@') ? sqlite_account_find(db, owner, &row) : STORE_OK;
}

static enum store_status node_create(struct database *db, const char *owner, const char *name,
                                     const char *config, const char *affiliations, size_t most)
{
	enum store_status status = owner_check(db, owner);
	struct query q;

	if (status != STORE_OK)
		return status;
	query_start(&q, db, QUERY_PUBSUB_NODE_CREATE);
	query_put_text(&q, owner);
	query_put_text(&q, name);
	query_put_text(&q, config);
	query_put_text(&q, affiliations);
	query_put_unsigned(&q, most);
	return query_change(&q, STORE_FULL);
}

enum store_status sqlite_pubsub_node_create(struct database *db, struct store_request *request)
{
	struct store_pubsub_write *write = (struct store_pubsub_write *)request;
	enum store_status status;
	int64_t id;

	status = node_find(db, request->owner, write->node.name, &id);
	if (status != STORE_ABSENT)
		return status == STORE_OK ? STORE_CONFLICT : status;
	return node_create(db, request->owner, write->node.name, write->node.config, write->node.affiliations,
	                   write->most_nodes);
}

static enum store_status items_trim(struct database *db, int64_t node, size_t most)
{
	struct query q;

	query_start(&q, db, QUERY_PUBSUB_TRIM);
	query_put_number(&q, node);
	query_put_unsigned(&q, most);
	return query_change(&q, STORE_OK);
}

enum store_status sqlite_pubsub_node_change(struct database *db, struct store_request *request)
{
	struct store_pubsub_write *write = (struct store_pubsub_write *)request;
	enum store_status status;
	struct query q;
	int64_t id;

	status = node_find(db, request->owner, write->node.name, &id);
	if (status != STORE_OK)
		return status;
	query_start(&q, db, QUERY_PUBSUB_NODE_CHANGE);
	query_put_number(&q, id);
	query_put_text(&q, write->node.config);
	query_put_text(&q, write->node.affiliations);
	status = query_change(&q, STORE_ABSENT);
	return status == STORE_OK ? items_trim(db, id, write->most_items) : status;
}

enum store_status sqlite_pubsub_node_remove(struct database *db, struct store_request *request)
{
	const struct store_pubsub_write *write = (struct store_pubsub_write *)request;
	struct query q;

	query_start(&q, db, QUERY_PUBSUB_NODE_REMOVE);
	query_put_text(&q, request->owner);
	query_put_text(&q, write->node.name);
	return query_change(&q, STORE_ABSENT);
}

enum store_status sqlite_pubsub_node_purge(struct database *db, struct store_request *request)
{
	const struct store_pubsub_write *write = (struct store_pubsub_write *)request;
	enum store_status status;
	int64_t id;

	status = node_find(db, request->owner, write->node.name, &id);
	return status == STORE_OK ? items_trim(db, id, 0) : status;
}

static void item_read(struct query *q, struct arena *arena, struct store_pubsub_item *item)
{
	item->id = query_text(q, arena);
	item->publisher = query_text(q, arena);
	item->at_us = query_number(q);
	item->payload = query_text_len(q, arena, &item->payload_len);
}

static void node_read(struct query *q, struct arena *arena, struct store_pubsub_node *node)
{
	node->name = query_text(q, arena);
	node->config = query_text(q, arena);
	node->affiliations = query_text(q, arena);
}

static struct store_pubsub_node *nodes_add(struct store_pubsub_nodes *nodes)
{
	nodes->nodes = rows_grow(&nodes->request.arena, nodes->nodes, nodes->count, sizeof(*nodes->nodes));
	return &nodes->nodes[nodes->count++];
}

/* name NULL stands for all. */
enum store_status sqlite_pubsub_nodes(struct database *db, struct store_request *request)
{
	struct store_pubsub_nodes *nodes = (struct store_pubsub_nodes *)request;
	struct query q;

	nodes->count = 0;
	query_start(&q, db, QUERY_PUBSUB_NODES);
	query_put_text(&q, request->owner);
	query_put_text(&q, nodes->name);
	while (query_next(&q))
		node_read(&q, &request->arena, nodes_add(nodes));
	if (!query_finish(&q))
		return STORE_FAILED;
	return nodes->name && !nodes->count ? STORE_ABSENT : STORE_OK;
}

enum store_status sqlite_pubsub_last(struct database *db, struct store_request *request)
{
	struct store_pubsub_nodes *nodes = (struct store_pubsub_nodes *)request;

	nodes->count = 0;
	for (size_t i = 0; i < nodes->name_count; i++) {
		struct query q;

		query_start(&q, db, QUERY_PUBSUB_LAST);
		query_put_text(&q, request->owner);
		query_put_text(&q, nodes->names[i]);
		if (query_next(&q)) {
			struct store_pubsub_node *node = nodes_add(nodes);

			node_read(&q, &request->arena, node);
			item_read(&q, &request->arena, &node->last);
		}
		if (!query_finish(&q))
			return STORE_FAILED;
	}
	return STORE_OK;
}

/* ---- items ---- */

static enum store_status item_forget(struct database *db, int64_t node, const char *id,
                                     enum store_status absent)
{
	struct query q;

	query_start(&q, db, QUERY_PUBSUB_ITEM_REMOVE);
	query_put_number(&q, node);
	query_put_text(&q, id);
	return query_change(&q, absent);
}

static enum store_status item_insert(struct database *db, int64_t node, const struct store_pubsub_item *item)
{
	struct query q;

	query_start(&q, db, QUERY_PUBSUB_ITEM_PUT);
	query_put_number(&q, node);
	query_put_text(&q, item->id);
	query_put_text(&q, item->publisher);
	query_put_number(&q, item->at_us);
	query_put_text_len(&q, item->payload, item->payload_len);
	return query_change(&q, STORE_FAILED);
}

/* The node's number, of one that is created here where it may be. */
static enum store_status item_node(struct database *db, struct store_pubsub_item_write *write, int64_t *node)
{
	enum store_status status = node_find(db, write->request.owner, write->node, node);

	write->created = false;
	if (status != STORE_ABSENT || !write->create_config)
		return status;
	status = node_create(db, write->request.owner, write->node, write->create_config, "",
	                     write->most_nodes);
	write->created = status == STORE_OK;
	*node = database_new_row(db);
	return status;
}

enum store_status sqlite_pubsub_item_put(struct database *db, struct store_request *request)
{
	struct store_pubsub_item_write *write = (struct store_pubsub_item_write *)request;
	enum store_status status;
	int64_t node = 0;

	status = item_node(db, write, &node);
	if (status == STORE_OK)
		status = item_forget(db, node, write->item.id, STORE_OK);
	if (status == STORE_OK)
		status = item_insert(db, node, &write->item);
	return status == STORE_OK ? items_trim(db, node, write->most_items) : status;
}

enum store_status sqlite_pubsub_item_remove(struct database *db, struct store_request *request)
{
	const struct store_pubsub_item_write *write = (struct store_pubsub_item_write *)request;
	enum store_status status;
	int64_t node;

	status = node_find(db, request->owner, write->node, &node);
	return status == STORE_OK ? item_forget(db, node, write->item.id, STORE_ABSENT) : status;
}

static struct store_pubsub_item *items_add(struct store_pubsub_items *items)
{
	items->items =
		rows_grow(&items->request.arena, items->items, items->item_count, sizeof(*items->items));
	return &items->items[items->item_count++];
}

static enum store_status items_by_id(struct database *db, int64_t node, struct store_pubsub_items *items)
{
	for (size_t i = 0; i < items->id_count; i++) {
		struct query q;

		query_start(&q, db, QUERY_PUBSUB_ITEM);
		query_put_number(&q, node);
		query_put_text(&q, items->ids[i]);
		if (query_next(&q))
			item_read(&q, &items->request.arena, items_add(items));
		if (!query_finish(&q))
			return STORE_FAILED;
	}
	return STORE_OK;
}

/* How many items the node has, and how many of them stand in front of the one with that id. */
static enum store_status items_count(struct database *db, int64_t node, const char *id, size_t *count,
                                     size_t *place)
{
	struct query q;
	bool known = false;

	query_start(&q, db, QUERY_PUBSUB_COUNT);
	query_put_number(&q, node);
	query_put_text(&q, id);
	if (query_next(&q)) {
		*count = (size_t)query_number(&q);
		*place = (size_t)query_number(&q);
		known = query_number(&q) > 0;
	}
	if (!query_finish(&q))
		return STORE_FAILED;
	return known || !id ? STORE_OK : STORE_ABSENT;
}

static enum store_status items_range(struct database *db, int64_t node, struct store_pubsub_items *items,
                                     size_t first, size_t limit)
{
	struct query q;

	query_start(&q, db, QUERY_PUBSUB_ITEMS);
	query_put_number(&q, node);
	query_put_unsigned(&q, first);
	query_put_unsigned(&q, limit);
	while (query_next(&q))
		item_read(&q, &items->request.arena, items_add(items));
	items->index = first;
	return query_finish(&q) ? STORE_OK : STORE_FAILED;
}

static enum store_status items_page(struct database *db, int64_t node, struct store_pubsub_items *items)
{
	const char *id = items->after ? items->after : items->before && *items->before ? items->before : NULL;
	enum store_status status;
	size_t place = 0, first;

	status = items_count(db, node, id, &items->count, &place);
	if (status != STORE_OK)
		return status;
	if (items->after)
		return items_range(db, node, items, place + 1, items->limit);
	if (!items->before)
		return items_range(db, node, items, items->index, items->limit);
	place = id ? place : items->count;
	first = place > items->limit ? place - items->limit : 0;
	return items_range(db, node, items, first, place - first);
}

enum store_status sqlite_pubsub_items(struct database *db, struct store_request *request)
{
	struct store_pubsub_items *items = (struct store_pubsub_items *)request;
	enum store_status status;
	int64_t node;

	items->item_count = items->count = 0;
	status = node_find(db, request->owner, items->node, &node);
	if (status != STORE_OK)
		return status;
	return items->id_count ? items_by_id(db, node, items) : items_page(db, node, items);
}
