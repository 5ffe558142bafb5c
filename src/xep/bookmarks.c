/* SPDX-License-Identifier: MIT
 *
 * Bookmarks in agreement (XEP-0402 §5.3): a client that keeps them as one list (XEP-0048), in private storage or in the node
 * storage:bookmarks, sees and changes those of the account's node urn:xmpp:bookmarks:1, one item for each room. A list that it
 * stores is taken apart: what is new or different is published, what is missing is retracted, the rest is nobody's news
 * (§5.3.2). Extensions that the old format cannot carry stay (§2). What it asked for is answered when all of it is durable.
 */
#include "bookmarks.h"

#include <string.h>

#include "core/account.h"
#include "core/module.h"
#include "document.h"
#include "pep.h"
#include "private.h"
#include "xmpp/ns.h"

enum { BOOKMARKS_MAX = 1000, LINE_MAX = 100 };

static void call_start(struct line_place *place);
static void call_run(struct bookmarks_call *call);
static void bookmarks_listed(struct store_request *found);
static void bookmarks_compared(struct store_request *found);
static void bookmarks_stored(struct bookmarks_call *call, enum store_status status);

extern const struct module bookmarks_module;

/* ---- which requests ---- */

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
	if (bookmarks_list_is_asked(request))
		call_enter(request);
	else
		private_asked(request);
}

static void node_asked(struct iq_request *request)
{
	if (bookmarks_list_is_asked(request) ||
	    (is_about_node(request) && (!is_moved(request->account) || waiting_count(request))))
		call_enter(request);
	else
		pubsub_asked(request, &pep_class);
}

static void call_end(struct bookmarks_call *call)
{
	line_leave(&call->place);
	arena_free_self(call, offsetof(struct bookmarks_call, arena));
}

void bookmarks_refuse(struct bookmarks_call *call, enum store_status status)
{
	iq_refuse(call->request, document_refusal(status), NULL);
	call_end(call);
}

static void call_start(struct line_place *place)
{
	struct bookmarks_call *call = LIST_MEMBER(place, struct bookmarks_call, place);
	const struct account *account = iq_account(call->request);

	if (account && !is_moved(account))
		bookmarks_move(call);
	else
		call_run(call);
}

void bookmarks_items_ask(struct home *home, const struct jid *user, void (*done)(struct store_request *done), void *context)
{
	struct store_pubsub_items *items = store_request_new(sizeof(*items), STORE_PUBSUB_ITEMS, home->worker, user->text,
	                                                     jid_bare_len(user), done);

	items->node = NS_BOOKMARKS;
	items->limit = BOOKMARKS_MAX;
	items->request.context = context;
	store_submit(home->server->store, &items->request);
}

static void call_run(struct bookmarks_call *call)
{
	struct iq_request *request = call->request;

	if (!bookmarks_list_is_asked(request)) {
		pubsub_asked(request, &pep_class);
		call_end(call);
	} else {
		bookmarks_items_ask(request->home, &request->parcel->to,
		                    request->parcel->stanza->type == IQ_GET ? bookmarks_listed : bookmarks_compared, call);
	}
}

void bookmarks_moved(struct bookmarks_call *call)
{
	struct account *account = iq_account(call->request);

	if (account)
		account_set_part(account, &bookmarks_module, (void *)&bookmarks_module);
	call_run(call);
}

/* ---- read ---- */

static void bookmarks_listed(struct store_request *found)
{
	struct bookmarks_call *call = found->context;

	if (found->status == STORE_OK || found->status == STORE_ABSENT) {
		bookmarks_list_answer(call->request, (const struct store_pubsub_items *)found);
		call_end(call);
	} else {
		bookmarks_refuse(call, found->status);
	}
	store_request_free(found);
}

/* ---- stored ---- */

static void bookmarks_compared(struct store_request *found)
{
	struct bookmarks_call *call = found->context;
	struct iq_request *request = call->request;
	const struct element *list = bookmarks_list_find(request);
	size_t count = bookmarks_count(list);

	if (found->status != STORE_OK && found->status != STORE_ABSENT) {
		bookmarks_refuse(call, found->status);
	} else if (count > BOOKMARKS_MAX || count > pep_class.limits(request->config)->items) {
		iq_refuse(request, STANZA_NOT_ACCEPTABLE, "Too many bookmarks");
		call_end(call);
	} else {
		bookmarks_replace(call, list, (const struct store_pubsub_items *)found);
		bookmarks_change(call, bookmarks_stored);
	}
	store_request_free(found);
}

static void bookmarks_stored(struct bookmarks_call *call, enum store_status status)
{
	if (status == STORE_OK) {
		if (call->count > 0)
			bookmarks_list_changed(call->request->home, &call->request->parcel->to);
		bookmarks_list_stored(call->request);
		call_end(call);
	} else {
		bookmarks_refuse(call, status);
	}
}

static void bookmarks_account_published(struct home *home, const struct jid *user, const char *node, const char *id,
                                        const struct element *payload)
{
	(void)id;
	(void)payload;
	if (strcmp(node, NS_BOOKMARKS) == 0)
		bookmarks_list_changed(home, user);
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
	{ "XEP-0048", "Bookmarks", "1.2", "in private storage and in a node of the account, as a view of XEP-0402's" },
	{ "XEP-0402", "PEP Native Bookmarks", "1.2.0", NULL },
	{ 0 },
};

static const char *const features[] = { NS_BOOKMARKS "#compat", NS_BOOKMARKS "#compat-pep", NULL };

const struct module bookmarks_module = {
	.name = "bookmarks",
	.specs = specs,
	.account_features = features,
	.iqs = handlers,
	.home_open = bookmarks_home_open,
	.home_close = bookmarks_home_close,
	.account_published = bookmarks_account_published,
};
