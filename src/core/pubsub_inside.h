/* SPDX-License-Identifier: MIT
 *
 * What the files of the publish-subscribe engine share: a request on its way, and the node's configuration as text and form.
 */
#ifndef CORE_PUBSUB_INSIDE_H
#define CORE_PUBSUB_INSIDE_H

#include "base/line.h"
#include "core/pubsub.h"

#define PUBSUB_FORM_CONFIG NS_PUBSUB "#node_config"
#define PUBSUB_FORM_OPTIONS NS_PUBSUB "#publish-options"

struct pubsub_action;

/* Of a home: what is under way for each service, one after the other. */
struct lines *pubsub_lines(const struct home *home);

/* A request, from its arrival to its answer. It lives in its arena. */
struct pubsub_call {
	struct iq_request *request;
	const struct pubsub_class *class;
	const struct pubsub_action *action;
	const struct element *element;          /* what is asked: <publish/>, <items/>, ... */
	bool owns;
	bool exists;                            /* the node does; else it has the defaults */
	struct pubsub_node node;                /* name NULL: none was named */
	struct jid subscriber;                  /* whom a subscription is about */
	struct home *home;
	struct line_place place;
	struct arena arena;
};

struct pubsub_action {
	const char *name, *ns;
	enum stanza_type type;                  /* IQ_GET or IQ_SET */
	bool of_owner;
	bool named;                             /* it is about a node, which is read first */
	bool creates;                           /* the node need not exist */
	void (*run)(struct pubsub_call *call);
	const char *unsupported;                /* run NULL: the feature that is missing */
};

/* Endings; each frees the call. condition_of: a pubsub error condition (§ the schema of #errors), NULL: none. */
void call_done(struct pubsub_call *call);
void call_answer(struct pubsub_call *call, struct stanza *result);
void call_refuse(struct pubsub_call *call, enum stanza_condition condition, const char *pubsub_condition);
void call_refuse_feature(struct pubsub_call *call, const char *feature);
/* What the store could not do. */
void call_refuse_store(struct pubsub_call *call, enum store_status status);
/* True: the sender may read the node; else the call has been refused. */
bool call_may_read(struct pubsub_call *call);

const struct jid *call_service(const struct pubsub_call *call);
struct store *call_store(const struct pubsub_call *call);
const struct pubsub_limits *call_limits(const struct pubsub_call *call);
/* A request to the store about the service, with the call as its context. */
void *call_ask(struct pubsub_call *call, size_t size, enum store_op op, void (*done)(struct store_request *done));

/* The configuration. */
void node_defaults(struct pubsub_node *node, const char *name);
void node_config_read(struct arena *arena, const char *config, struct pubsub_node *node);
const char *node_config_write(struct arena *arena, const struct pubsub_node *node);
/* Takes the fields of a submitted form over. false: one of them has no sense. */
bool node_submit(struct arena *arena, const struct element *form, const struct pubsub_limits *limits,
                 struct pubsub_node *node);
/* §7.1.5: true where the node is already as the form wants it. */
bool node_meets(struct arena *arena, const struct element *form, const struct pubsub_limits *limits,
                const struct pubsub_node *node);
void node_form_add(struct arena *arena, struct element *parent, const char *type, const struct pubsub_node *node);
/* Items that are kept: 0 where they are not. */
size_t node_most_items(const struct pubsub_node *node, const struct pubsub_limits *limits);

/* The affiliation of an address, "none" where it has none; how many have one. */
const char *node_affiliation(struct arena *arena, const struct pubsub_node *node, const struct jid *who);
size_t node_affiliation_count(const struct pubsub_node *node);
/* The list without that address, or with its new affiliation. */
const char *node_affiliate(struct arena *arena, const struct pubsub_node *node, const struct jid *who,
                           const char *affiliation);
/* One line of the list: true, and the rest in *rest. */
bool node_affiliation_next(struct arena *arena, const char **rest, const char **jid, const char **affiliation);

/* The state of that very address; how many have one; the list with another one ("none": without). */
const char *node_subscription(struct arena *arena, const struct pubsub_node *node, const struct jid *who);
size_t node_subscription_count(const struct pubsub_node *node);
const char *node_subscribe(struct arena *arena, const struct pubsub_node *node, const struct jid *who, const char *state);

/* The node as it is now, to be written: NODE_CREATE or NODE_CHANGE. */
struct store_pubsub_write *call_write(struct pubsub_call *call, enum store_op op,
                                      void (*done)(struct store_request *done));

/* Events: <event/> in a headline of the service; sealed and notified by event_send. */
struct stanza *event_new(const struct jid *service, const char *kind, const char *node, struct element **inside);
void event_send(struct home *home, const struct pubsub_class *class, const struct jid *service,
                const struct pubsub_node *node, struct stanza *event);

/* An item as it is to be stored, its texts in the arena; id NULL: one of ours. */
void item_fill(struct arena *arena, struct home *home, struct store_pubsub_item *item, const char *id,
               const struct element *payload, const struct jid *publisher);
/* §7.1.2, §7.2.2: events of an item that is there, and of one that is there no more. */
struct stanza *item_event(struct home *home, const struct jid *service, const struct pubsub_node *node,
                          const struct store_pubsub_item *item);
struct stanza *retract_event(const struct jid *service, const char *node, const char *id);

/* The actions, by the sections of XEP-0060. */
void subscriptions_asked(struct pubsub_call *call);     /* §5.6 */
void subscribe_asked(struct pubsub_call *call);         /* §6.1 */
void unsubscribe_asked(struct pubsub_call *call);       /* §6.2 */
void items_asked(struct pubsub_call *call);             /* §6.5 */
void publish_asked(struct pubsub_call *call);           /* §7.1 */
void retract_asked(struct pubsub_call *call);           /* §7.2 */
void create_asked(struct pubsub_call *call);            /* §8.1 */
void configure_asked(struct pubsub_call *call);         /* §8.2 */
void default_asked(struct pubsub_call *call);           /* §8.3 */
void delete_asked(struct pubsub_call *call);            /* §8.4 */
void purge_asked(struct pubsub_call *call);             /* §8.5 */
void affiliations_asked(struct pubsub_call *call);      /* §5.7 */
void node_subscriptions_asked(struct pubsub_call *call); /* §8.8 */
void node_affiliations_asked(struct pubsub_call *call); /* §8.9 */

#endif
