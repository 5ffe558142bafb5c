/* SPDX-License-Identifier: MIT
 *
 * A list of bookmarks that private storage itself still holds, from before there was a node: it is moved to the node when
 * the account's bookmarks are first asked for in either way. What the node has already wins.
 */
#include "bookmarks.h"

#include "document.h"
#include "xmpp/ns.h"

#define LEGACY_KEY "storage:bookmarks storage" /* of private.c */

static void legacy_found(struct store_request *found);
static void legacy_compared(struct store_request *found);
static void legacy_published(struct bookmarks_call *call, enum store_status status);
static void legacy_removed(struct store_request *stored);

void bookmarks_move(struct bookmarks_call *call)
{
	struct store_document *document =
		document_new(call->request, STORE_DOCUMENT_GET, "private", LEGACY_KEY, legacy_found);

	document->request.context = call;
	document_submit(call->request, document);
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
		bookmarks_refuse(call, found->status);
	else if (call->legacy && bookmarks_is_list(call->legacy))
		bookmarks_items_ask(request->home, &request->parcel->to, legacy_compared, call);
	else
		bookmarks_moved(call);
	store_request_free(found);
}

/* Only what the node does not have is published. */
static void legacy_compared(struct store_request *found)
{
	const struct store_pubsub_items *items = (const struct store_pubsub_items *)found;
	struct bookmarks_call *call = found->context;

	if (found->status != STORE_OK && found->status != STORE_ABSENT) {
		bookmarks_refuse(call, found->status);
		store_request_free(found);
		return;
	}
	bookmarks_complete(call, call->legacy, items);
	bookmarks_change(call, legacy_published);
	store_request_free(found);
}

static void legacy_published(struct bookmarks_call *call, enum store_status status)
{
	struct store_document *document;

	if (status != STORE_OK) {
		bookmarks_refuse(call, status);
		return;
	}
	document = document_new(call->request, STORE_DOCUMENT_PUT, "private", LEGACY_KEY, legacy_removed);
	document->request.context = call;
	document_submit(call->request, document);
}

static void legacy_removed(struct store_request *stored)
{
	struct bookmarks_call *call = stored->context;

	if (stored->status == STORE_OK || stored->status == STORE_ABSENT)
		bookmarks_moved(call);
	else
		bookmarks_refuse(call, stored->status);
	store_request_free(stored);
}
