/* SPDX-License-Identifier: MIT
 *
 * What a service publishes itself, in line with what it is asked: the node is read, or made, the item stored or removed, and
 * who wants to hear of it is told (XEP-0060 §7.1, §7.2).
 */
#include "pubsub_inside.h"

/* What is under way for the service, with the node as it is to be. It lives in its arena. */
struct publication {
	struct home *home;
	struct line_place place;
	struct pubsub_publication asked;
	struct jid service;
	struct pubsub_node node;
	struct arena arena;
};

static void publication_end(struct publication *publication, enum store_status status)
{
	if (publication->asked.done)
		publication->asked.done(publication->home, publication->asked.context, status);
	line_leave(&publication->place);
	arena_free_self(publication, offsetof(struct publication, arena));
}

static void *publication_ask(struct publication *publication, size_t size, enum store_op op,
                             void (*done)(struct store_request *done))
{
	const struct jid *service = &publication->service;
	struct store_request *request = store_request_new(size, op, publication->home->worker, service->text,
	                                                  jid_bare_len(service), done);

	request->context = publication;
	return request;
}

static void publication_stored(struct store_request *stored)
{
	const struct store_pubsub_item_write *write = (const struct store_pubsub_item_write *)stored;
	struct publication *publication = stored->context;
	struct home *home = publication->home;
	const struct jid *service = &publication->service;
	const struct pubsub_node *node = &publication->node;

	if (stored->status == STORE_OK)
		event_send(home, publication->asked.class, service, node,
		           stored->op == STORE_PUBSUB_ITEM_PUT
		                   ? item_event(home, service, node, &write->item)
		                   : retract_event(service, node->name, write->item.id));
	publication_end(publication, stored->status);
	store_request_free(stored);
}

static void publication_store(struct publication *publication, bool exists)
{
	struct home *home = publication->home;
	const struct pubsub_limits *limits = publication->asked.class->limits(home->config);
	enum store_op op = publication->asked.payload ? STORE_PUBSUB_ITEM_PUT : STORE_PUBSUB_ITEM_REMOVE;
	struct store_pubsub_item_write *write =
		publication_ask(publication, sizeof(*write), op, publication_stored);

	write->node = publication->node.name;
	write->item.id = publication->asked.id;
	if (publication->asked.payload)
		item_fill(&write->request.arena, home, &write->item, publication->asked.id, publication->asked.payload,
		          &publication->service);
	write->most_items = node_most_items(&publication->node, limits);
	write->most_nodes = limits->nodes;
	if (!exists)
		write->create_config = node_config_write(&write->request.arena, &publication->node);
	store_submit(home->server->store, &write->request);
}

static void publication_node_found(struct store_request *found)
{
	const struct store_pubsub_nodes *nodes = (const struct store_pubsub_nodes *)found;
	struct publication *publication = found->context;
	const char *name = publication->node.name;

	if (found->status == STORE_OK) {
		pubsub_node_read(&publication->arena, &nodes->nodes[0], &publication->node);
		publication->node.affiliations =
			arena_str(&publication->arena, nodes->nodes[0].affiliations);
		publication->node.name = name;
	}
	if (found->status == STORE_OK || (found->status == STORE_ABSENT && publication->asked.payload))
		publication_store(publication, found->status == STORE_OK);
	else
		publication_end(publication, found->status);
	store_request_free(found);
}

static void publication_start(struct line_place *place)
{
	struct publication *publication = LIST_MEMBER(place, struct publication, place);
	struct store_pubsub_nodes *nodes =
		publication_ask(publication, sizeof(*nodes), STORE_PUBSUB_NODES, publication_node_found);

	nodes->name = publication->node.name;
	store_submit(publication->home->server->store, &nodes->request);
}

void pubsub_publish(struct home *home, const struct pubsub_publication *asked)
{
	struct publication *publication =
		arena_new_self(sizeof(*publication), offsetof(struct publication, arena), 0);
	struct arena *arena = &publication->arena;
	const struct jid *service = &publication->service;

	publication->home = home;
	publication->asked = *asked;
	publication->service = *asked->service;
	publication->service.resource_len = 0;
	publication->service.text = arena_str_len(arena, asked->service->text, jid_bare_len(asked->service));
	node_defaults(&publication->node, arena_str(arena, asked->node));
	node_config_read(arena, asked->config, &publication->node);
	publication->asked.id = arena_str(arena, asked->id);
	publication->asked.payload = asked->payload ? element_copy(arena, NULL, asked->payload) : NULL;
	line_join(pubsub_lines(home), service->text, jid_bare_len(service), &publication->place,
	          publication_start);
}
