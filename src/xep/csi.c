/* SPDX-License-Identifier: MIT
 *
 * Client State Indication (XEP-0352): while a client says that nobody looks at it, presence, lone chat states and events of
 * others' nodes (XEP-0163) wait, the newest of each sender and item. Anything else takes all that waits along, in order, so
 * nothing is overtaken; so does too much that waits, and the client's return. What waits when the session ends was worth
 * nothing to anybody else.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/module.h"
#include "core/session.h"
#include "xmpp/ns.h"

extern const struct module csi_module;

/* What waits for a session, in the order of its coming. */
struct held {
	struct parcel *first, **end;
	size_t count;
};

struct csi_limits {
	size_t held;
};

/* ---- what can wait (§3.2) ---- */

/* Chat states (XEP-0085) and nothing that a person would read. */
static bool is_lone_chat_state(const struct element *message)
{
	bool states = false;

	for (const struct node *n = message->first; n; n = n->next) {
		if (!n->element || element_is(n->element, "thread", NS_CLIENT) ||
		    strcmp(n->element->ns, NS_HINTS) == 0)
			continue;
		if (strcmp(n->element->ns, NS_CHAT_STATES) != 0)
			return false;
		states = true;
	}
	return states;
}

/* What a carbon (XEP-0280) has inside; NULL: it is none. */
static const struct element *carbon_content(const struct element *message)
{
	const struct element *carbon = element_child_ns(message, NS_CARBONS);
	const struct element *forwarded = carbon ? element_child(carbon, "forwarded", NS_FORWARD) : NULL;

	return forwarded ? element_child(forwarded, "message", NS_CLIENT) : NULL;
}

/* What has happened to a node; NULL: it is no event. */
static const struct element *event_content(const struct stanza *message)
{
	const struct element *event = message->type == MESSAGE_HEADLINE
	                                      ? element_child(message->root, "event", NS_PUBSUB_EVENT)
	                                      : NULL;

	return event ? element_first(event) : NULL;
}

/* Of the own nodes at once: what has been read at another client (XEP-0490) is to be seen at this one, too. */
static bool can_wait(const struct session *session, const struct stanza *stanza)
{
	const struct element *content;

	if (stanza->kind == STANZA_PRESENCE)
		return stanza->type == PRESENCE_AVAILABLE || stanza->type == PRESENCE_UNAVAILABLE;
	if (stanza->kind != STANZA_MESSAGE || stanza->type == MESSAGE_ERROR)
		return false;
	content = carbon_content(stanza->root);
	if (event_content(stanza))
		return stanza->from.text && !jid_same_bare(&stanza->from, &session->jid);
	return is_lone_chat_state(content ? content : stanza->root);
}

/* ---- what the newer one of two says as well ---- */

static bool attr_is_same(const struct element *a, const struct element *b, const char *name)
{
	const char *left = element_attr(a, name), *right = element_attr(b, name);

	return left && right && strcmp(left, right) == 0;
}

/* Items: the same one of the same node, published or retracted. */
static bool event_is_replaced(const struct element *older, const struct element *newer)
{
	const struct element *before = element_first(older), *after = element_first(newer);

	return before && after && attr_is_same(older, newer, "node") && attr_is_same(before, after, "id") &&
	       !element_next(older, before) && !element_next(newer, after);
}

static bool is_replaced(const struct stanza *older, const struct stanza *newer)
{
	const struct element *before, *after;

	if (older->kind != newer->kind || !older->from.text || !newer->from.text || !jid_same(&older->from, &newer->from))
		return false;
	if (older->kind == STANZA_PRESENCE)
		return true;
	before = event_content(older);
	after = event_content(newer);
	if (before || after)
		return before && after && event_is_replaced(before, after);
	return !carbon_content(older->root);
}

/* ---- the queue ---- */

static struct parcel *held_take(struct held *held, struct parcel **at)
{
	struct parcel *parcel = *at;

	*at = parcel->next;
	if (held->end == &parcel->next)
		held->end = at;
	parcel->next = NULL;
	held->count--;
	return parcel;
}

static void held_flush(struct session *session)
{
	while (session->held && session->held->first)
		session_deliver_now(session, held_take(session->held, &session->held->first));
}

static void held_replace(struct home *home, struct held *held, const struct stanza *newer)
{
	struct parcel **at = &held->first, *older;

	while (*at) {
		if (!is_replaced((*at)->stanza, newer)) {
			at = &(*at)->next;
			continue;
		}
		older = held_take(held, at);
		parcel_taken(home, &older);
	}
}

static void held_add(struct session *session, struct parcel *parcel)
{
	struct held *held = session->held;

	if (!held) {
		session->held = held = mem_zalloc(sizeof(*held));
		held->end = &held->first;
	}
	held_replace(session->account->home, held, parcel->stanza);
	parcel->next = NULL;
	*held->end = parcel;
	held->end = &parcel->next;
	held->count++;
}

/* ---- hooks ---- */

static enum hook_result csi_session_delivering(struct session *session, struct parcel *parcel)
{
	const struct csi_limits *limits = config_part(session->account->home->config, &csi_module);

	if (limits->held == 0 || !can_wait(session, parcel->stanza)) {
		held_flush(session);
		return HOOK_NEXT;
	}
	held_add(session, parcel);
	if (session->held->count > limits->held)
		held_flush(session);
	return HOOK_DONE;
}

static void csi_session_active(struct session *session)
{
	held_flush(session);
	free(session->held);
	session->held = NULL;
}

static void csi_session_ended(struct session *session)
{
	struct held *held = session->held;

	while (held && held->first) {
		struct parcel *parcel = held_take(held, &held->first);

		parcel_taken(session->account->home, &parcel);
	}
	free(held);
	session->held = NULL;
}

/* ---- the module ---- */

static const struct conf_option limit_options[] = {
	{ .name = "held-while-inactive", .type = CONF_INT, .fallback = "500", .min = 0, .max = 100000,
	  .sentence = "How many stanzas of presence, typing and events may wait for a client that says that nobody looks at it." },
	{ 0 },
};

static const struct conf_section_kind options[] = {
	{ .name = "limits", .options = limit_options },
	{ 0 },
};

static void *csi_configure(struct config *config, const struct conf *conf, char **error)
{
	struct csi_limits *limits = arena_alloc(&config->arena, sizeof(*limits));

	(void)error;
	limits->held = (size_t)conf_number(conf_section(conf, "limits"), "held-while-inactive");
	return limits;
}

static const struct module_spec specs[] = {
	{ "XEP-0352", "Client State Indication", "1.0.0", NULL },
	{ 0 },
};

const struct module csi_module = {
	.name = "csi",
	.specs = specs,
	.options = options,
	.configure = csi_configure,
	.session_ended = csi_session_ended,
	.session_delivering = csi_session_delivering,
	.session_active = csi_session_active,
};
