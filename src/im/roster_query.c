/* SPDX-License-Identifier: MIT
 *
 * RFC 6121 §2 in its order: the result (§2.1.4), pushes (§2.1.6), get with versions (§2.2, §2.6), set (§2.3, §2.4) and
 * removal (§2.5). A version is the number of the newest change that clients can see. A client that has an older one gets
 * the complete roster: what was removed since then is not kept.
 */
#include "im/roster_query.h"

#include <stdio.h>
#include <string.h>

#include "core/router.h"
#include "core/session.h"
#include "im/im.h"
#include "im/subscribing.h"
#include "xmpp/ns.h"

enum { VERSION_SIZE = 24 };

static void roster_get(struct iq_request *request);
static void roster_set(struct iq_request *request);
static void roster_asked(struct iq_request *request);
static void set_decided(struct account *account, struct change *change);
static void set_written(struct account *account, struct change *change);
static void removal_decided(struct account *account, struct change *change);
static void removal_written(struct account *account, struct change *change);
static void set_failed(struct home *home, struct change *change, enum stanza_condition condition);

static const struct change_class set_class = { set_decided, set_written, set_failed };
static const struct change_class removal_class = { removal_decided, removal_written, set_failed };

const struct iq_handler roster_handlers[] = {
	{ "query", NS_ROSTER, IQ_KIND_GET | IQ_KIND_SET, IQ_OWN | IQ_ACCOUNT, roster_asked },
	{ 0 },
};

/* §2.3.3: only the account itself may. */
static void roster_asked(struct iq_request *request)
{
	if (request->scope != IQ_OWN)
		iq_refuse(request, STANZA_FORBIDDEN, NULL);
	else if (request->parcel->stanza->type == IQ_GET)
		roster_get(request);
	else
		roster_set(request);
}

static void version_write(uint64_t version, char out[VERSION_SIZE])
{
	snprintf(out, VERSION_SIZE, "%llu", (unsigned long long)version);
}

static struct element *query_add(struct stanza *iq, uint64_t version)
{
	struct element *query = element_add(&iq->arena, iq->root, "query", NS_ROSTER);
	char text[VERSION_SIZE];

	version_write(version, text);
	element_set(&iq->arena, query, "ver", text);
	return query;
}

/* §2.1.2. */
static void item_add(struct arena *arena, struct element *query, const struct roster_item *item)
{
	struct element *element = element_add(arena, query, "item", NS_ROSTER);
	const char *group = item->groups;

	element_set(arena, element, "jid", item->contact.text);
	element_set(arena, element, "name", item->name);
	element_set(arena, element, "subscription", subscription_name((enum subscription)item->state));
	element_set(arena, element, "ask",
	            subscription_is_asked((enum subscription)item->state) ? "subscribe" : NULL);
	element_set(arena, element, "approved", item->approved ? "true" : NULL);
	for (size_t i = 0; i < item->group_count; i++, group = roster_group_next(group))
		element_add_text(arena, element_add(arena, element, "group", NS_ROSTER), group);
}

static void removal_add(struct arena *arena, struct element *query, const struct jid *contact)
{
	struct element *element = element_add(arena, query, "item", NS_ROSTER);

	element_set(arena, element, "jid", contact->text);
	element_set(arena, element, "subscription", "remove");
}

void roster_push(struct account *account, const struct jid *contact)
{
	const struct roster_item *item = roster_find(roster_of(account), contact);
	char id[ID_LEN + 1];
	struct stanza *push;
	const struct stanza *sealed;
	struct element *query;

	id_random(worker_entropy(account->home->worker), id);
	push = stanza_make(STANZA_IQ, IQ_SET, &account->jid, NULL, id);
	query = query_add(push, roster_of(account)->version);
	if (item && item->listed)
		item_add(&push->arena, query, item);
	else
		removal_add(&push->arena, query, contact);
	sealed = stanza_seal(push);
	for (const struct session *session = session_first(account); session;
	     session = session_next(session)) {
		if (session->interested)
			route(account->home, parcel_new(account->home, sealed, &session->jid));
	}
	stanza_unref(&sealed);
}

/* §2.6.3: an empty result says that the client's roster is up to date. */
static void roster_get(struct iq_request *request)
{
	const struct roster *roster = roster_of(request->account);
	const char *cached = element_attr(request->payload, "ver");
	struct session *session = iq_session(request);
	char version[VERSION_SIZE];
	struct stanza *result;
	struct element *query;

	if (element_child(request->payload, "item", NS_ROSTER)) {
		iq_refuse(request, STANZA_BAD_REQUEST, NULL);
		return;
	}
	if (session)
		session->interested = true;
	version_write(roster->version, version);
	result = iq_result(request);
	if (!cached || strcmp(cached, version) != 0) {
		query = query_add(result, roster->version);
		for (size_t i = 0; i < roster->count; i++)
			if (roster->items[i]->listed)
				item_add(&result->arena, query, roster->items[i]);
	}
	iq_answer(request, result);
}

/* §2.1.5 rule 1; whose items they are (§2.1.2.3) is checked before what they say. */
static enum stanza_condition item_contact(const struct iq_request *request, struct arena *arena,
                                          struct jid *contact)
{
	const struct element *item = element_child(request->payload, "item", NS_ROSTER);
	const char *jid = item ? element_attr(item, "jid") : NULL;

	if (!jid)
		return STANZA_BAD_REQUEST;
	for (const struct node *n = item->place->next; n; n = n->next)
		if (n->element && element_is(n->element, "item", NS_ROSTER))
			return STANZA_BAD_REQUEST;
	if (!jid_prepare(arena, jid, strlen(jid), JID_ANY, contact) || !jid_is_bare(contact))
		return STANZA_JID_MALFORMED;
	if (jid_same(contact, &request->account->jid))
		return STANZA_NOT_ALLOWED;
	return STANZA_NO_ERROR;
}

static void roster_set(struct iq_request *request)
{
	struct account *account = request->account;
	const struct element *item = element_child(request->payload, "item", NS_ROSTER);
	const char *subscription = item ? element_attr(item, "subscription") : NULL;
	bool removal = subscription && strcmp(subscription, "remove") == 0;
	struct arena arena = { 0 };
	struct jid contact;
	enum stanza_condition refusal = item_contact(request, &arena, &contact);
	struct change *change;

	if (refusal) {
		iq_refuse(request, refusal, NULL);
	} else {
		change = change_new(removal ? &removal_class : &set_class, &contact);
		change->request = request;
		change_begin(account, change);
	}
	arena_clear(&arena);
}

/* §2.3.3: what a name and groups may be. */
static enum stanza_condition item_read(const struct im_limits *limits, struct arena *arena,
                                       const struct element *element, struct store_roster_item *draft)
{
	const char *name = element_attr(element, "name");
	size_t count = 0;

	if (name && strlen(name) > limits->roster_text)
		return STANZA_NOT_ACCEPTABLE;
	draft->name = name && *name ? name : NULL;
	for (const struct node *n = element->first; n; n = n->next)
		count += n->element && element_is(n->element, "group", NS_ROSTER);
	if (count > limits->roster_groups)
		return STANZA_NOT_ACCEPTABLE;
	draft->groups = arena_alloc(arena, (count + 1) * sizeof(*draft->groups));
	draft->group_count = 0;
	for (const struct node *n = element->first; n; n = n->next) {
		const char *group;

		if (!n->element || !element_is(n->element, "group", NS_ROSTER))
			continue;
		group = element_text(arena, n->element);
		if (!*group || strlen(group) > limits->roster_text)
			return STANZA_NOT_ACCEPTABLE;
		for (size_t i = 0; i < draft->group_count; i++)
			if (strcmp(draft->groups[i], group) == 0)
				return STANZA_BAD_REQUEST;
		draft->groups[draft->group_count++] = group;
	}
	return STANZA_NO_ERROR;
}

/* §2.3.2, §2.4: the item becomes exactly what the set says; its subscription stays. */
static void set_decided(struct account *account, struct change *change)
{
	const struct roster *roster = roster_of(account);
	const struct roster_item *item = roster_find(roster, &change->contact);
	const struct element *element = element_child(change->request->payload, "item", NS_ROSTER);
	struct store_roster_item draft = roster_draft(&change->arena, item, &change->contact);
	const struct im_limits *limits = im_limits(account->home);
	enum stanza_condition refusal = item_read(limits, &change->arena, element, &draft);

	if (!refusal && !roster_has_room(roster, &draft, account->home->config->limits.roster_items,
	                                 limits->roster_bytes))
		refusal = STANZA_RESOURCE_CONSTRAINT;
	if (refusal) {
		set_failed(account->home, change, refusal);
		change_end(account, change);
		return;
	}
	draft.listed = true;
	draft.version = roster->version + 1;
	change_write(account, change, &draft);
}

static void set_written(struct account *account, struct change *change)
{
	iq_done(change->request);
	roster_push(account, &change->contact);
	change_end_behind(account, change);
}

/* §2.5.3. */
static void removal_decided(struct account *account, struct change *change)
{
	const struct roster_item *item = roster_find(roster_of(account), &change->contact);

	if (!item || !item->listed) {
		set_failed(account->home, change, STANZA_ITEM_NOT_FOUND);
		change_end(account, change);
		return;
	}
	change->before = (enum subscription)item->state;
	change_remove(account, change, roster_of(account)->version + 1);
}

/* §2.5.2. */
static void removal_written(struct account *account, struct change *change)
{
	subscribing_cancel(account, &change->contact, change->before);
	iq_done(change->request);
	roster_push(account, &change->contact);
	change_end_behind(account, change);
}

static void set_failed(struct home *home, struct change *change, enum stanza_condition condition)
{
	(void)home;
	iq_refuse(change->request, condition, NULL);
}
