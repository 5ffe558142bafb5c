/* SPDX-License-Identifier: MIT
 *
 * Publish-subscribe (XEP-0060): the engine that answers requests to a service, whatever the service is. A service is an
 * address that owns nodes; its kind (an account, XEP-0163; later a domain, a room) is a struct pubsub_class, which says who
 * owns it, how others stand to it, and to whom an event goes. The engine keeps nothing in memory: each request reads its
 * node and then acts, both in the order in which the service was asked.
 *
 * Requests come through the iq table; an answer follows when the store has answered.
 */
#ifndef CORE_PUBSUB_H
#define CORE_PUBSUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/iq.h"
#include "store/pubsub.h"
#include "xmpp/stanza.h"

/* The configuration of a node, §16.4.4, as values by field in their canonical spelling; the texts are borrowed. */
enum pubsub_field {
	PUBSUB_ACCESS_MODEL, PUBSUB_PUBLISH_MODEL, PUBSUB_MAX_ITEMS, PUBSUB_PERSIST_ITEMS, PUBSUB_DELIVER_PAYLOADS,
	PUBSUB_DELIVER_NOTIFICATIONS, PUBSUB_NOTIFY_RETRACT, PUBSUB_NOTIFY_DELETE, PUBSUB_SEND_LAST, PUBSUB_TYPE,
	PUBSUB_TITLE, PUBSUB_DESCRIPTION, PUBSUB_ROSTER_GROUPS,
	PUBSUB_FIELDS
};

struct pubsub_node {
	const char *name;
	const char *values[PUBSUB_FIELDS];      /* ROSTER_GROUPS: one a line */
	const char *affiliations;               /* lines of "JID affiliation" and of "JID subscription" */
};

struct pubsub_limits {
	size_t nodes;           /* of a service */
	size_t items;           /* of a node; what max_items "max" stands for */
	size_t item_bytes;      /* of a payload */
	size_t affiliations;    /* of a node */
	size_t subscriptions;   /* of a node, pending ones included */
};

struct pubsub_class {
	const struct pubsub_limits *(*limits)(const struct config *config);
	bool (*owns)(const struct jid *service, const struct jid *who);
	/* The access models presence and roster, §4.5. */
	bool (*subscribed)(struct home *home, const struct jid *service, const struct jid *who);
	bool (*in_group)(struct home *home, const struct jid *service, const struct jid *who, const char *group);
	/* An event of the node, sealed, without an address: to all who want it and may (pubsub_may_read). */
	void (*notify)(struct home *home, const struct jid *service, const struct pubsub_node *node,
	               const struct stanza *event);
	/* A message of the service to its owner, sealed, without an address; the caller's reference. */
	void (*tell_owner)(struct home *home, const struct jid *service, const struct stanza *message);
	/* An item has become durable; payload NULL: it has been retracted. NULL: nobody wants to know. */
	void (*published)(struct home *home, const struct jid *service, const char *node, const char *id,
	                  const struct element *payload);
};

/* The handler of <pubsub/> in both namespaces. */
void pubsub_asked(struct iq_request *request, const struct pubsub_class *class);

/* A node as the store has it, its texts in the arena or borrowed from stored. */
void pubsub_node_read(struct arena *arena, const struct store_pubsub_node *stored, struct pubsub_node *out);
bool pubsub_value_is(const struct pubsub_node *node, enum pubsub_field field, const char *value);

/* May that address read the node and have its events? */
enum pubsub_grant {
	PUBSUB_GRANTED,
	PUBSUB_NOT_SUBSCRIBED,  /* no subscription to the presence of the owner */
	PUBSUB_NOT_IN_GROUP,
	PUBSUB_NOT_APPROVED,    /* the owner has not approved a subscription */
	PUBSUB_CLOSED,          /* not on the whitelist */
	PUBSUB_OUTCAST,
};
enum pubsub_grant pubsub_may_read(struct home *home, const struct pubsub_class *class, const struct jid *service,
                                  const struct pubsub_node *node, const struct jid *who);

/* What disco#info tells of a node, §5.4. */
void pubsub_metadata_add(struct arena *arena, struct element *query, const struct pubsub_node *node);

/* Explicit subscriptions, §6.1: the next one from *rest on, which begins as node->affiliations. state: "subscribed", "pending". */
bool pubsub_subscription_next(struct arena *arena, const char **rest, struct jid *who, const char **state);

/* §8.6: is that message of the owner an answer to a request for a subscription? If so it is carried out. */
bool pubsub_approved(struct home *home, const struct pubsub_class *class, const struct jid *service,
                     const struct stanza *message);

/* Who is subscribed and may read no more is so no longer, and told. */
void pubsub_cancel(struct home *home, const struct pubsub_class *class, const struct jid *service, const char *node,
                   const struct jid *who);

/* An event with an item of before, §6.1.7, that says when it was published; sealed, the caller's reference. NULL: the stored payload is no XML any more (logged). */
const struct stanza *pubsub_item_event(struct home *home, const struct jid *service, const struct pubsub_node *node,
                                       const struct store_pubsub_item *item);

/*
 * Publishes for the service itself, as its owner would: creates the node where it is missing with the values that differ
 * from the defaults ("field value" lines), notifies, calls no published(). payload NULL retracts; STORE_ABSENT where there
 * was nothing. What is borrowed is copied.
 */
struct pubsub_publication {
	const struct pubsub_class *class;
	const struct jid *service;
	const char *node, *id;
	const char *config;             /* "": the defaults */
	const struct element *payload;
	/* Later, once; NULL: nobody waits. */
	void (*done)(struct home *home, void *context, enum store_status status);
	void *context;
};
void pubsub_publish(struct home *home, const struct pubsub_publication *publication);

extern const struct module pubsub_module;
extern const char *const pubsub_features[];     /* disco#info of a service of any class */

#endif
