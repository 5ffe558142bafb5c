/* SPDX-License-Identifier: MIT
 *
 * Bookmarks in agreement (XEP-0402 §5.3): a client that keeps them in private storage (XEP-0048 over XEP-0049) sees and
 * changes those of the account's node urn:xmpp:bookmarks:1, one item for each room. A list that it stores is taken apart:
 * what is new or different is published, what is missing is retracted, the rest is nobody's news (§5.3.2). Extensions that
 * the old format cannot carry stay (§2). What it asked for is answered when all of it is durable.
 *
 * A list that private storage itself still holds, from before there was a node, is moved to the node when the account's
 * bookmarks are first asked for in either way; what the node has already wins.
 */
#include <string.h>

#include "base/line.h"
#include "core/account.h"
#include "core/module.h"
#include "bookmark.h"
#include "document.h"
#include "pep.h"
#include "private.h"
#include "store/pubsub.h"
#include "xmpp/ns.h"

/* §3: what the node must be like. */
#define BOOKMARKS_CONFIG "access_model whitelist\nmax_items max\nsend_last_published_item never\n"

#define LEGACY_KEY "storage:bookmarks storage" /* of private.c */

enum { BOOKMARKS_MAX = 1000, LINE_MAX = 100 };

/* What is to be done to the node, one after the other. */
struct bookmarks_change {
	const char *id;
	const struct element *payload; /* NULL: retract */
};

/* A request about bookmarks. Those of an account stand in a line. It lives in its arena. */
struct bookmarks_call {
	struct iq_request *request;
	struct line_place place;
	struct bookmarks_change *changes;
	size_t count, next;
	const struct element *legacy;   /* the list that private storage holds */
	void (*changed)(struct bookmarks_call *call, enum store_status status); /* when all are done, or one failed */
	struct arena arena;
};

static void call_start(struct line_place *place);
static void legacy_ask(struct bookmarks_call *call);
static void legacy_found(struct store_request *found);
static void legacy_compared(struct store_request *found);
static void legacy_published(struct bookmarks_call *call, enum store_status status);
static void legacy_removed(struct store_request *stored);
static void call_run(struct bookmarks_call *call);
static void bookmarks_listed(struct store_request *found);
static void bookmarks_compared(struct store_request *found);
static void bookmarks_stored(struct bookmarks_call *call, enum store_status status);
static void changes_continue(struct bookmarks_call *call);
static void change_published(struct home *home, void *context, enum store_status status);

extern const struct module bookmarks_module;

/* ---- which requests ---- */

static bool is_storage(const struct element *element)
{
	return element_is(element, "storage", NS_BOOKMARKS_OLD);
}

/* The list in a request to private storage; NULL: it is about something else. */
static const struct element *storage_find(const struct iq_request *request)
{
	const struct element *first = element_first(request->payload);

	return first && is_storage(first) && !element_next(request->payload, first) ? first : NULL;
}

static bool is_about_node(const struct iq_request *request)
{
	for (const struct node *node = request->payload->first; node; node = node->next) {
		const char *name = node->element ? element_attr(node->element, "node") : NULL;

		if (name && strcmp(name, NS_BOOKMARKS) == 0)
			return true;
	}
	return false;
}

static bool is_moved(const struct account *account)
{
	return account_part(account, &bookmarks_module) != NULL;
}

static size_t waiting_count(const struct iq_request *request)
{
	const struct jid *user = &request->parcel->to;

	return line_length(home_part(request->home, &bookmarks_module), user->text, jid_bare_len(user));
}

static void call_enter(struct iq_request *request)
{
	struct lines *lines = home_part(request->home, &bookmarks_module);
	const struct jid *user = &request->parcel->to;
	struct bookmarks_call *call;

	if (waiting_count(request) >= LINE_MAX) {
		iq_refuse(request, STANZA_RESOURCE_CONSTRAINT, NULL);
		return;
	}
	call = arena_new_self(sizeof(*call), offsetof(struct bookmarks_call, arena), 0);
	call->request = request;
	line_join(lines, user->text, jid_bare_len(user), &call->place, call_start);
}

static void private_storage_asked(struct iq_request *request)
{
	if (storage_find(request))
		call_enter(request);
	else
		private_asked(request);
}

static void node_asked(struct iq_request *request)
{
	if (is_about_node(request) && (!is_moved(request->account) || waiting_count(request)))
		call_enter(request);
	else
		pubsub_asked(request, &pep_class);
}

static void call_end(struct bookmarks_call *call)
{
	line_leave(&call->place);
	arena_free_self(call, offsetof(struct bookmarks_call, arena));
}

static void call_refuse(struct bookmarks_call *call, enum store_status status)
{
	iq_refuse(call->request, document_refusal(status), NULL);
	call_end(call);
}

static void call_start(struct line_place *place)
{
	struct bookmarks_call *call = LIST_MEMBER(place, struct bookmarks_call, place);
	const struct account *account = iq_account(call->request);

	if (account && !is_moved(account))
		legacy_ask(call);
	else
		call_run(call);
}

static void items_ask(struct bookmarks_call *call, void (*done)(struct store_request *done))
{
	const struct jid *to = &call->request->parcel->to;
	struct store_pubsub_items *items =
		store_request_new(sizeof(*items), STORE_PUBSUB_ITEMS, call->request->home->worker, to->text,
	                          jid_bare_len(to), done);

	items->node = NS_BOOKMARKS;
	items->limit = BOOKMARKS_MAX;
	items->request.context = call;
	store_submit(call->request->home->server->store, &items->request);
}

static void call_run(struct bookmarks_call *call)
{
	struct iq_request *request = call->request;

	if (strcmp(request->payload->ns, NS_PRIVATE) != 0) {
		pubsub_asked(request, &pep_class);
		call_end(call);
	} else {
		items_ask(call, request->parcel->stanza->type == IQ_GET ? bookmarks_listed : bookmarks_compared);
	}
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

static void bookmarks_answer(struct iq_request *request, const struct store_pubsub_items *items)
{
	struct stanza *result = iq_result(request);
	struct arena *arena = &result->arena;
	struct element *query = element_add(arena, result->root, "query", NS_PRIVATE);
	struct element *storage = element_add(arena, query, "storage", NS_BOOKMARKS_OLD);

	for (size_t i = 0; i < items->item_count; i++) {
		const struct element *conference = item_conference(request, arena, &items->items[i]);

		if (conference)
			bookmark_list(arena, storage, items->items[i].id, conference);
	}
	iq_answer(request, result);
}

static void bookmarks_listed(struct store_request *found)
{
	struct bookmarks_call *call = found->context;

	if (found->status == STORE_OK || found->status == STORE_ABSENT) {
		bookmarks_answer(call->request, (const struct store_pubsub_items *)found);
		call_end(call);
	} else {
		call_refuse(call, found->status);
	}
	store_request_free(found);
}

/* ---- what changes ---- */

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
		const char *other = node->element ? bookmark_room(arena, node->element) : NULL;

		if (other && strcmp(other, room) == 0)
			return true;
	}
	return false;
}

static void change_add(struct bookmarks_call *call, const char *id, const struct element *payload)
{
	call->changes[call->count++] = (struct bookmarks_change){ arena_str(&call->arena, id), payload };
}

/* A bookmark of the list that is new or not as it was. */
static void conference_compare(struct bookmarks_call *call, const struct store_pubsub_items *items,
                               const struct element *conference)
{
	const char *room = bookmark_room(&call->arena, conference);
	const struct store_pubsub_item *item = room ? item_find(items, room) : NULL;
	const struct element *before = item ? item_conference(call->request, &call->arena, item) : NULL;
	struct element *renewed;

	if (!room)
		return;
	renewed = bookmark_renew(&call->arena, conference, before);
	if (!before || !bookmark_same(&call->arena, renewed, before))
		change_add(call, room, renewed);
}

static size_t children_count(const struct element *element)
{
	size_t count = 0;

	for (const struct node *node = element->first; node; node = node->next)
		count += node->element != NULL;
	return count;
}

/* Makes the changes that turn the items into the list. */
static void changes_make(struct bookmarks_call *call, const struct element *storage,
                         const struct store_pubsub_items *items)
{
	call->changes = arena_zalloc(&call->arena,
	                             (children_count(storage) + items->item_count) * sizeof(*call->changes));
	for (const struct node *node = storage->first; node; node = node->next) {
		if (node->element)
			conference_compare(call, items, node->element);
	}
	for (size_t i = 0; i < items->item_count; i++) {
		if (!storage_has(&call->arena, storage, items->items[i].id))
			change_add(call, items->items[i].id, NULL);
	}
}

/* ---- stored ---- */

static void bookmarks_compared(struct store_request *found)
{
	struct bookmarks_call *call = found->context;
	struct iq_request *request = call->request;
	const struct element *storage = storage_find(request);
	size_t count = children_count(storage);

	if (found->status != STORE_OK && found->status != STORE_ABSENT) {
		call_refuse(call, found->status);
	} else if (count > BOOKMARKS_MAX || count > pep_class.limits(request->config)->items) {
		iq_refuse(request, STANZA_NOT_ACCEPTABLE, "Too many bookmarks");
		call_end(call);
	} else {
		changes_make(call, storage, (const struct store_pubsub_items *)found);
		call->changed = bookmarks_stored;
		changes_continue(call);
	}
	store_request_free(found);
}

static void bookmarks_stored(struct bookmarks_call *call, enum store_status status)
{
	if (status == STORE_OK) {
		iq_done(call->request);
		call_end(call);
	} else {
		call_refuse(call, status);
	}
}

static void changes_continue(struct bookmarks_call *call)
{
	const struct bookmarks_change *change = &call->changes[call->next++];

	if (call->next > call->count) {
		call->changed(call, STORE_OK);
		return;
	}
	pubsub_publish(call->request->home, &(struct pubsub_publication){ .class = &pep_class,
	                                                                  .service = &call->request->parcel->to,
	                                                                  .node = NS_BOOKMARKS,
	                                                                  .id = change->id,
	                                                                  .config = BOOKMARKS_CONFIG,
	                                                                  .payload = change->payload,
	                                                                  .done = change_published,
	                                                                  .context = call });
}

/* A bookmark that another client has just removed is gone, as it should be. */
static void change_published(struct home *home, void *context, enum store_status status)
{
	struct bookmarks_call *call = context;
	bool is_gone = status == STORE_ABSENT && !call->changes[call->next - 1].payload;

	(void)home;
	if (status == STORE_OK || is_gone)
		changes_continue(call);
	else
		call->changed(call, status);
}

/* ---- what private storage itself holds ---- */

static void legacy_ask(struct bookmarks_call *call)
{
	struct store_document *document =
		document_new(call->request, STORE_DOCUMENT_GET, "private", LEGACY_KEY, legacy_found);

	document->request.context = call;
	document_submit(call->request, document);
}

static void legacy_end(struct bookmarks_call *call)
{
	struct account *account = iq_account(call->request);

	if (account)
		account_set_part(account, &bookmarks_module, (void *)&bookmarks_module);
	call_run(call);
}

static void legacy_found(struct store_request *found)
{
	const struct store_document *document = (const struct store_document *)found;
	struct bookmarks_call *call = found->context;
	struct iq_request *request = call->request;

	if (found->status == STORE_OK)
		call->legacy = parser_text(request->home->parsers, &call->arena, NS_CLIENT, document->text,
		                           document->text_len, &request->config->limits.parser);
	if (found->status != STORE_OK && found->status != STORE_ABSENT)
		call_refuse(call, found->status);
	else if (call->legacy && is_storage(call->legacy))
		items_ask(call, legacy_compared);
	else
		legacy_end(call);
	store_request_free(found);
}

/* Only what the node does not have is published. */
static void legacy_compared(struct store_request *found)
{
	const struct store_pubsub_items *items = (const struct store_pubsub_items *)found;
	struct bookmarks_call *call = found->context;

	if (found->status != STORE_OK && found->status != STORE_ABSENT) {
		call_refuse(call, found->status);
		store_request_free(found);
		return;
	}
	call->changes = arena_zalloc(&call->arena, (children_count(call->legacy) + 1) * sizeof(*call->changes));
	for (const struct node *node = call->legacy->first; node; node = node->next) {
		const char *room = node->element ? bookmark_room(&call->arena, node->element) : NULL;

		if (room && !item_find(items, room))
			change_add(call, room, bookmark_renew(&call->arena, node->element, NULL));
	}
	call->changed = legacy_published;
	changes_continue(call);
	store_request_free(found);
}

static void legacy_published(struct bookmarks_call *call, enum store_status status)
{
	struct store_document *document;

	if (status != STORE_OK) {
		call_refuse(call, status);
		return;
	}
	call->count = call->next = 0;
	document = document_new(call->request, STORE_DOCUMENT_PUT, "private", LEGACY_KEY, legacy_removed);
	document->request.context = call;
	document_submit(call->request, document);
}

static void legacy_removed(struct store_request *stored)
{
	struct bookmarks_call *call = stored->context;

	if (stored->status == STORE_OK || stored->status == STORE_ABSENT)
		legacy_end(call);
	else
		call_refuse(call, stored->status);
	store_request_free(stored);
}

/* ---- the module: its part of a home is the lines, its part of an account the mark that nothing is left to be moved ---- */

static void *bookmarks_home_open(struct home *home)
{
	return lines_new(worker_seed(home->worker));
}

static void bookmarks_home_close(struct home *home, void *part)
{
	struct lines *lines = part;

	(void)home;
	lines_free(&lines);
}

static const struct iq_handler handlers[] = {
	{ "query", NS_PRIVATE, IQ_KIND_GET | IQ_KIND_SET, IQ_OWN, private_storage_asked },
	{ "pubsub", NS_PUBSUB, IQ_KIND_GET | IQ_KIND_SET, IQ_OWN, node_asked },
	{ 0 },
};

static const struct module_spec specs[] = {
	{ "XEP-0048", "Bookmarks", "1.2", "in private storage, as a view of XEP-0402's" },
	{ "XEP-0402", "PEP Native Bookmarks", "1.2.0", NULL },
	{ 0 },
};

static const char *const features[] = { NS_BOOKMARKS "#compat", NULL };

const struct module bookmarks_module = {
	.name = "bookmarks",
	.specs = specs,
	.account_features = features,
	.iqs = handlers,
	.home_open = bookmarks_home_open,
	.home_close = bookmarks_home_close,
};
