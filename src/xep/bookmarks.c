/* SPDX-License-Identifier: MIT
 *
 * Bookmarks in agreement (XEP-0402 §5.3): a client that keeps them in private storage (XEP-0048 over XEP-0049) sees and
 * changes those of the account's node urn:xmpp:bookmarks:1, one item for each room. A list that it stores is taken apart:
 * what is new or different is published, what is missing is retracted, the rest is nobody's news (§5.3.2). Extensions that
 * the old format cannot carry stay (§2). What it asked for is answered when all of it is durable.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/module.h"
#include "document.h"
#include "pep.h"
#include "private.h"
#include "store/pubsub.h"
#include "xmpp/dataform.h"
#include "xmpp/ns.h"
#include "xmpp/writer.h"

/* §3: what the node must be like. */
#define BOOKMARKS_CONFIG "access_model whitelist\nmax_items max\nsend_last_published_item never\n"

enum { BOOKMARKS_MAX = 1000 };

/* A list that is being stored: what is to be done, one after the other. */
struct bookmarks_change {
	const char *id;
	const struct element *payload; /* NULL: retract */
};

struct bookmarks_set {
	struct iq_request *request;
	struct bookmarks_change *changes;
	size_t count, next;
	struct arena arena;
};

static void bookmarks_ask(struct iq_request *request, void (*done)(struct store_request *done));
static void bookmarks_listed(struct store_request *found);
static void bookmarks_compared(struct store_request *found);
static void set_continue(struct bookmarks_set *set);
static void set_published(struct home *home, void *context, enum store_status status);

static const struct element *storage_find(const struct iq_request *request)
{
	const struct element *first = element_first(request->payload);

	return first && element_is(first, "storage", NS_BOOKMARKS_OLD) &&
	                       !element_next(request->payload, first)
	               ? first
	               : NULL;
}

static void bookmarks_asked(struct iq_request *request)
{
	if (!storage_find(request))
		private_asked(request);
	else if (request->parcel->stanza->type == IQ_GET)
		bookmarks_ask(request, bookmarks_listed);
	else
		bookmarks_ask(request, bookmarks_compared);
}

static void bookmarks_ask(struct iq_request *request, void (*done)(struct store_request *done))
{
	const struct jid *to = &request->parcel->to;
	struct store_pubsub_items *items =
		store_request_new(sizeof(*items), STORE_PUBSUB_ITEMS, request->home->worker, to->text,
	                          jid_bare_len(to), done);

	items->node = NS_BOOKMARKS;
	items->limit = BOOKMARKS_MAX;
	items->request.context = request;
	store_submit(request->home->server->store, &items->request);
}

/* The stored <conference/> of an item; NULL: it is something else. */
static struct element *item_conference(struct iq_request *request, struct arena *arena,
                                       const struct store_pubsub_item *item)
{
	struct element *conference = parser_text(request->home->parsers, arena, NS_CLIENT, item->payload,
	                                         item->payload_len, &request->config->limits.parser);

	return conference && element_is(conference, "conference", NS_BOOKMARKS) ? conference : NULL;
}

/* ---- read ---- */

static void text_copy(struct arena *arena, struct element *to, const char *ns, const struct element *from,
                      const char *name, const char *from_ns)
{
	const char *text = element_child_text(arena, from, name, from_ns);

	if (text)
		element_add_text(arena, element_add(arena, to, name, ns), text);
}

static void conference_list(struct arena *arena, struct element *storage, const char *jid,
                            const struct element *from)
{
	struct element *conference = element_add(arena, storage, "conference", NS_BOOKMARKS_OLD);

	element_set(arena, conference, "jid", jid);
	element_set(arena, conference, "name", element_attr(from, "name"));
	element_set(arena, conference, "autojoin", element_attr(from, "autojoin"));
	text_copy(arena, conference, NS_BOOKMARKS_OLD, from, "nick", NS_BOOKMARKS);
	text_copy(arena, conference, NS_BOOKMARKS_OLD, from, "password", NS_BOOKMARKS);
}

static void bookmarks_answer(struct iq_request *request, const struct store_pubsub_items *items)
{
	struct stanza *result = iq_result(request);
	struct arena *arena = &result->arena;
	struct element *query = element_add(arena, result->root, "query", NS_PRIVATE);
	struct element *storage = element_add(arena, query, "storage", NS_BOOKMARKS_OLD);

	for (size_t i = 0; i < items->item_count; i++) {
		const struct element *conference = item_conference(request, arena, &items->items[i]);

		if (conference)
			conference_list(arena, storage, items->items[i].id, conference);
	}
	iq_answer(request, result);
}

static void bookmarks_listed(struct store_request *found)
{
	struct iq_request *request = found->context;

	if (found->status == STORE_OK || found->status == STORE_ABSENT)
		bookmarks_answer(request, (const struct store_pubsub_items *)found);
	else
		iq_refuse(request, document_refusal(found->status), NULL);
	store_request_free(found);
}

/* ---- stored: what changes ---- */

static bool autojoin_of(const struct element *conference)
{
	const char *text = element_attr(conference, "autojoin");
	bool autojoin = false;

	return text && dataform_read_bool(text, &autojoin) && autojoin;
}

/* The bookmark in its new form, with what only the new form of before has. */
static struct element *conference_renew(struct arena *arena, const struct element *from,
                                        const struct element *before)
{
	struct element *conference = element_new(arena, "conference", NS_BOOKMARKS);
	const struct element *extensions = before ? element_child(before, "extensions", NS_BOOKMARKS) : NULL;

	element_set(arena, conference, "name", element_attr(from, "name"));
	element_set(arena, conference, "autojoin", autojoin_of(from) ? "true" : NULL);
	text_copy(arena, conference, NS_BOOKMARKS, from, "nick", NS_BOOKMARKS_OLD);
	text_copy(arena, conference, NS_BOOKMARKS, from, "password", NS_BOOKMARKS_OLD);
	if (extensions)
		element_copy(arena, conference, extensions);
	return conference;
}

static bool text_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool conference_same(struct arena *arena, const struct element *a, const struct element *b)
{
	return autojoin_of(a) == autojoin_of(b) &&
	       text_same(element_attr(a, "name"), element_attr(b, "name")) &&
	       text_same(element_child_text(arena, a, "nick", NS_BOOKMARKS),
	                 element_child_text(arena, b, "nick", NS_BOOKMARKS)) &&
	       text_same(element_child_text(arena, a, "password", NS_BOOKMARKS),
	                 element_child_text(arena, b, "password", NS_BOOKMARKS));
}

/* The prepared address of a room; NULL: none. */
static const char *room_of(struct arena *arena, const struct element *conference)
{
	const char *text = element_attr(conference, "jid");
	struct jid jid;

	if (!element_is(conference, "conference", NS_BOOKMARKS_OLD) || !text ||
	    !jid_prepare(arena, text, strlen(text), JID_ANY, &jid) || !jid_is_bare(&jid))
		return NULL;
	return jid.text;
}

static const struct store_pubsub_item *item_find(const struct store_pubsub_items *items, const char *id)
{
	for (size_t i = 0; i < items->item_count; i++) {
		if (strcmp(items->items[i].id, id) == 0)
			return &items->items[i];
	}
	return NULL;
}

static bool storage_has(struct arena *arena, const struct element *storage, const char *room)
{
	for (const struct node *node = storage->first; node; node = node->next) {
		const char *other = node->element ? room_of(arena, node->element) : NULL;

		if (other && strcmp(other, room) == 0)
			return true;
	}
	return false;
}

static void change_add(struct bookmarks_set *set, const char *id, const struct element *payload)
{
	set->changes[set->count++] = (struct bookmarks_change){ arena_str(&set->arena, id), payload };
}

/* A bookmark of the list that is new or not as it was. */
static void conference_compare(struct bookmarks_set *set, const struct store_pubsub_items *items,
                               const struct element *conference)
{
	const char *room = room_of(&set->arena, conference);
	const struct store_pubsub_item *item = room ? item_find(items, room) : NULL;
	const struct element *before = item ? item_conference(set->request, &set->arena, item) : NULL;
	struct element *renewed;

	if (!room)
		return;
	renewed = conference_renew(&set->arena, conference, before);
	if (!before || !conference_same(&set->arena, renewed, before))
		change_add(set, room, renewed);
}

static size_t children_count(const struct element *element)
{
	size_t count = 0;

	for (const struct node *node = element->first; node; node = node->next)
		count += node->element != NULL;
	return count;
}

static struct bookmarks_set *set_new(struct iq_request *request, const struct store_pubsub_items *items)
{
	const struct element *storage = storage_find(request);
	struct bookmarks_set *set = arena_new_self(sizeof(*set), offsetof(struct bookmarks_set, arena), 0);

	set->request = request;
	set->changes = arena_zalloc(&set->arena,
	                            (children_count(storage) + items->item_count) * sizeof(*set->changes));
	for (const struct node *node = storage->first; node; node = node->next) {
		if (node->element)
			conference_compare(set, items, node->element);
	}
	for (size_t i = 0; i < items->item_count; i++) {
		if (!storage_has(&set->arena, storage, items->items[i].id))
			change_add(set, items->items[i].id, NULL);
	}
	return set;
}

static void set_free(struct bookmarks_set *set)
{
	arena_free_self(set, offsetof(struct bookmarks_set, arena));
}

static void bookmarks_compared(struct store_request *found)
{
	struct iq_request *request = found->context;
	size_t count = children_count(storage_find(request));

	if (found->status != STORE_OK && found->status != STORE_ABSENT)
		iq_refuse(request, document_refusal(found->status), NULL);
	else if (count > BOOKMARKS_MAX || count > pep_class.limits(request->config)->items)
		iq_refuse(request, STANZA_NOT_ACCEPTABLE, "Too many bookmarks");
	else
		set_continue(set_new(request, (const struct store_pubsub_items *)found));
	store_request_free(found);
}

static void set_continue(struct bookmarks_set *set)
{
	const struct bookmarks_change *change = &set->changes[set->next++];

	if (set->next > set->count) {
		iq_done(set->request);
		set_free(set);
		return;
	}
	pubsub_publish(set->request->home, &(struct pubsub_publication){ .class = &pep_class,
	                                                                 .service = &set->request->parcel->to,
	                                                                 .node = NS_BOOKMARKS,
	                                                                 .id = change->id,
	                                                                 .config = BOOKMARKS_CONFIG,
	                                                                 .payload = change->payload,
	                                                                 .done = set_published,
	                                                                 .context = set });
}

/* A bookmark that another client has just removed is gone, as it should be. */
static void set_published(struct home *home, void *context, enum store_status status)
{
	struct bookmarks_set *set = context;
	bool is_gone = status == STORE_ABSENT && !set->changes[set->next - 1].payload;

	(void)home;
	if (status == STORE_OK || is_gone) {
		set_continue(set);
	} else {
		iq_refuse(set->request, document_refusal(status), NULL);
		set_free(set);
	}
}

static const struct iq_handler handlers[] = {
	{ "query", NS_PRIVATE, IQ_KIND_GET | IQ_KIND_SET, IQ_OWN, bookmarks_asked },
	{ 0 },
};

static const struct module_spec specs[] = {
	{ "XEP-0048", "Bookmarks", "1.2", "in private storage, as a view of XEP-0402's" },
	{ "XEP-0402", "PEP Native Bookmarks", "1.2.0", NULL },
	{ 0 },
};

static const char *const features[] = { NS_BOOKMARKS "#compat", NULL };

extern const struct module bookmarks_module;
const struct module bookmarks_module = {
	.name = "bookmarks",
	.specs = specs,
	.account_features = features,
	.iqs = handlers,
};
