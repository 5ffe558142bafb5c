/* SPDX-License-Identifier: MIT
 *
 * vcard-temp (XEP-0054): an account's own vCard (§3.1, §3.2), shown to everybody who asks (§3.3). To others an account
 * without a vCard looks like an account that does not exist. Its photo is the avatar (XEP-0398): where the user shows that to
 * some only, the others see the vCard without it.
 *
 * A vCard is changed by its user and by conversions of what he publishes elsewhere, in one line. It is the document of kind
 * "vcard".
 */
#include "vcard.h"

#include <string.h>

#include "core/module.h"
#include "document.h"
#include "pep.h"
#include "xmpp/ns.h"

enum { LINE_MAX = 100 };

static void vcard_found(struct store_request *found);
static void photo_ask(struct iq_request *request, struct stanza *result);
static void photo_node_found(struct store_request *found);
static struct element *vcard_replace(struct vcard_change *change, struct element *vcard);
static void vcard_replaced(struct vcard_change *change, enum store_status status);
static void change_start(struct line_place *place);
static void change_found(struct store_request *found);
static void change_store(struct vcard_change *change, const struct element *vcard);
static void change_stored(struct store_request *stored);

extern const struct module vcard_module;

/* ---- §3.1, §3.3 ---- */

static void vcard_get(struct iq_request *request)
{
	document_submit(request, document_new(request, STORE_DOCUMENT_GET, "vcard", "", vcard_found));
}

static struct element *photo_find(const struct stanza *result)
{
	const struct element *vcard = element_child(result->root, "vCard", NS_VCARD);

	return vcard ? element_child(vcard, "PHOTO", NS_VCARD) : NULL;
}

static void vcard_found(struct store_request *found)
{
	struct store_document *document = (struct store_document *)found;
	struct iq_request *request = found->context;
	struct stanza *result = iq_result(request);
	const struct stanza *unused = result;
	enum stanza_condition refusal = STANZA_NO_ERROR;

	if (found->status != STORE_OK)
		refusal = document_refusal(found->status);
	else if (!document_add(request, result, result->root, document))
		refusal = STANZA_INTERNAL_SERVER_ERROR;
	if (refusal == STANZA_ITEM_NOT_FOUND && request->scope != IQ_OWN)
		refusal = STANZA_SERVICE_UNAVAILABLE;
	if (refusal) {
		stanza_unref(&unused);
		iq_refuse(request, refusal, NULL);
	} else if (request->scope == IQ_OWN || !photo_find(result)) {
		iq_answer(request, result);
	} else {
		photo_ask(request, result);
	}
	store_request_free(found);
}

/* ---- the photo, XEP-0398 §7 ---- */

/* An answer that waits to be told who may see the photo. */
struct photo_view {
	struct iq_request *request;
	struct stanza *result;
};

static void photo_ask(struct iq_request *request, struct stanza *result)
{
	const struct jid *user = &request->parcel->to;
	struct store_pubsub_nodes *nodes = store_request_new(sizeof(*nodes), STORE_PUBSUB_NODES, request->home->worker,
	                                                     user->text, jid_bare_len(user), photo_node_found);
	struct photo_view *view = arena_alloc(&nodes->request.arena, sizeof(*view));

	*view = (struct photo_view){ request, result };
	nodes->name = NS_AVATAR_DATA;
	nodes->request.context = view;
	store_submit(request->home->server->store, &nodes->request);
}

/* A photo that is in no node is in the vCard because its user has put it there. */
static bool photo_is_shown(const struct iq_request *request, struct store_request *found)
{
	struct pubsub_node node;

	if (found->status != STORE_OK)
		return found->status == STORE_ABSENT;
	pubsub_node_read(&found->arena, &((const struct store_pubsub_nodes *)found)->nodes[0], &node);
	return pubsub_may_read(request->home, &pep_class, &request->parcel->to, &node, &request->parcel->stanza->from) ==
	       PUBSUB_GRANTED;
}

static void photo_node_found(struct store_request *found)
{
	struct photo_view *view = found->context;

	iq_account(view->request);
	if (!photo_is_shown(view->request, found))
		element_remove(element_child(view->result->root, "vCard", NS_VCARD), photo_find(view->result));
	iq_answer(view->request, view->result);
	store_request_free(found);
}

/* ---- §3.2 ---- */

/* What the user's client sets. It lives in its arena. */
struct vcard_set {
	struct iq_request *request;
	struct vcard_change change;
	struct arena arena;
};

static void vcard_set(struct iq_request *request)
{
	const struct jid *user = &request->parcel->to;
	struct vcard_set *set;

	if (request->scope != IQ_OWN) {
		iq_refuse(request, STANZA_FORBIDDEN, NULL);
		return;
	}
	if (line_length(home_part(request->home, &vcard_module), user->text, jid_bare_len(user)) >= LINE_MAX) {
		iq_refuse(request, STANZA_RESOURCE_CONSTRAINT, NULL);
		return;
	}
	set = arena_new_self(sizeof(*set), offsetof(struct vcard_set, arena), 0);
	set->request = request;
	set->change = (struct vcard_change){ .home = request->home,
		                             .user = user,
		                             .arena = &set->arena,
		                             .change = vcard_replace,
		                             .ended = vcard_replaced };
	vcard_change(&set->change);
}

static struct element *vcard_replace(struct vcard_change *change, struct element *vcard)
{
	struct vcard_set *set = LIST_MEMBER(change, struct vcard_set, change);

	(void)vcard;
	return element_copy(&set->arena, NULL, set->request->payload);
}

static void vcard_replaced(struct vcard_change *change, enum store_status status)
{
	struct vcard_set *set = LIST_MEMBER(change, struct vcard_set, change);
	struct iq_request *request = set->request;

	if (status == STORE_OK) {
		for (const struct module *const *module = request->home->server->modules; *module; module++) {
			if ((*module)->account_vcard_stored)
				(*module)->account_vcard_stored(request->home, change->user, request->payload);
		}
		iq_done(request);
	} else {
		iq_refuse(request, document_refusal(status), NULL);
	}
	arena_free_self(set, offsetof(struct vcard_set, arena));
}

/* ---- bytes ---- */

const char *vcard_bytes(struct arena *arena, const char *base64)
{
	char *clean = arena_alloc(arena, strlen(base64) + 1), *end = clean;

	for (; *base64; base64++) {
		if (!strchr(" \t\r\n", *base64))
			*end++ = *base64;
	}
	*end = '\0';
	return clean;
}

/* ---- a change ---- */

void vcard_change(struct vcard_change *change)
{
	line_join(home_part(change->home, &vcard_module), change->user->text, jid_bare_len(change->user), &change->place,
	          change_start);
}

static struct store_document *change_ask(struct vcard_change *change, enum store_op op,
                                         void (*done)(struct store_request *done))
{
	struct store_document *document =
		store_request_new(sizeof(*document), op, change->home->worker, change->user->text,
	                          jid_bare_len(change->user), done);

	document->kind = "vcard";
	document->key = "";
	document->request.context = change;
	return document;
}

static void change_end(struct vcard_change *change, enum store_status status)
{
	line_leave(&change->place);
	change->ended(change, status);
}

static void change_start(struct line_place *place)
{
	struct vcard_change *change = LIST_MEMBER(place, struct vcard_change, place);

	store_submit(change->home->server->store, &change_ask(change, STORE_DOCUMENT_GET, change_found)->request);
}

/* What is stored and cannot be read is replaced like what is not there. */
static void change_found(struct store_request *found)
{
	const struct store_document *document = (const struct store_document *)found;
	struct vcard_change *change = found->context;
	struct home *home = change->home;
	struct element *vcard = NULL;

	if (found->status == STORE_OK)
		vcard = parser_text(home->parsers, change->arena, NS_CLIENT, document->text, document->text_len,
		                    &home->config->limits.parser);
	if (found->status == STORE_OK || found->status == STORE_ABSENT) {
		vcard = change->change(change, vcard);
		if (vcard)
			change_store(change, vcard);
		else
			change_end(change, STORE_OK);
	} else {
		change_end(change, found->status);
	}
	store_request_free(found);
}

static void change_store(struct vcard_change *change, const struct element *vcard)
{
	struct store_document *document = change_ask(change, STORE_DOCUMENT_PUT, change_stored);

	document_set(document, vcard);
	store_submit(change->home->server->store, &document->request);
}

static void change_stored(struct store_request *stored)
{
	change_end(stored->context, stored->status);
	store_request_free(stored);
}

/* ---- the module: its part of a home is the lines ---- */

static void *vcard_home_open(struct home *home)
{
	return lines_new(worker_seed(home->worker));
}

static void vcard_home_close(struct home *home, void *part)
{
	struct lines *lines = part;

	(void)home;
	lines_free(&lines);
}

static const struct iq_handler handlers[] = {
	{ "vCard", NS_VCARD, IQ_KIND_GET, IQ_OWN | IQ_ACCOUNT, vcard_get },
	{ "vCard", NS_VCARD, IQ_KIND_SET, IQ_OWN | IQ_ACCOUNT, vcard_set },
	{ 0 },
};

static const struct module_spec specs[] = {
	{ "XEP-0054", "vcard-temp", "1.3.0", NULL },
	{ 0 },
};

static const char *const features[] = { NS_VCARD, NULL };

const struct module vcard_module = {
	.name = "vcard",
	.specs = specs,
	.host_features = features,
	.account_features = features,
	.iqs = handlers,
	.home_open = vcard_home_open,
	.home_close = vcard_home_close,
};
