/* SPDX-License-Identifier: MIT
 *
 * Requests about nodes of publish-subscribe services (XEP-0060) and their items. The owner is the service: an account
 * (whose nodes go with it) or a domain. What a node's configuration and affiliations say is core/pubsub's: opaque here.
 * Items of a node stand in the order in which they were published; to publish an id again moves it to the end.
 */
#ifndef STORE_PUBSUB_H
#define STORE_PUBSUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

struct store_pubsub_item {
	const char *id;
	const char *publisher;          /* full or bare JID */
	int64_t at_us;                  /* wall clock, when it was published */
	const char *payload;            /* XML in jabber:client; "": none */
	size_t payload_len;
};

struct store_pubsub_node {
	const char *name;
	const char *config;
	const char *affiliations;
	struct store_pubsub_item last;  /* LAST: the newest item */
};

/*
 * NODE_CREATE: CONFLICT where it exists, FULL where the service has most_nodes already, ABSENT where the owner is an
 * account that does not exist. NODE_CHANGE, NODE_REMOVE: ABSENT. NODE_CHANGE also drops the oldest items beyond most_items.
 * NODE_PURGE removes all items; ABSENT: no such node.
 */
struct store_pubsub_write {
	struct store_request request;
	struct store_pubsub_node node;
	size_t most_nodes, most_items;
};

/* NODES: all nodes of a service, by name; with name only that one (ABSENT). LAST: those of names that exist and have an
 * item, each with its newest. */
struct store_pubsub_nodes {
	struct store_request request;
	const char *name;
	const char **names;
	size_t name_count;
	struct store_pubsub_node *nodes;        /* answered */
	size_t count;
};

/*
 * ITEM_PUT: item into a node that exists; the oldest beyond most_items go. ABSENT: no such node, but with create_config
 * the node is created first (FULL as above). ITEM_REMOVE: item.id; ABSENT: no such node or item.
 */
struct store_pubsub_item_write {
	struct store_request request;
	const char *node;
	struct store_pubsub_item item;
	size_t most_items;
	const char *create_config;      /* NULL: the node must exist */
	size_t most_nodes;
	bool created;                   /* answered */
};

/*
 * ITEMS: a page of a node's items in their order. With ids those that exist; else at most limit of them: behind the item
 * after, or the last ones in front of the item before ("": of all; NULL both: the first, from place index on). ABSENT: no
 * such node, or an item after or before that it does not have. count: of all items of the node.
 */
struct store_pubsub_items {
	struct store_request request;
	const char *node;
	const char **ids;
	size_t id_count;
	const char *after, *before;
	size_t index;                   /* asked for; answered: the place of the first of the page */
	size_t limit;
	struct store_pubsub_item *items;        /* answered */
	size_t item_count;
	size_t count;
};

#endif
