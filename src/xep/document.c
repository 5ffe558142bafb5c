/* SPDX-License-Identifier: MIT
 *
 * Documents of accounts: one element each, kept as XML text.
 */
#include "document.h"

#include "base/buf.h"
#include "xmpp/ns.h"
#include "xmpp/writer.h"

struct store_document *document_new(struct iq_request *request, enum store_op op, const char *kind,
                                    const char *key, void (*done)(struct store_request *done))
{
	const struct jid *to = &request->parcel->to;
	struct store_document *document = store_request_new(sizeof(*document), op, request->home->worker,
	                                                    to->text, jid_bare_len(to), done);

	document->kind = kind;
	document->key = arena_str(&document->request.arena, key);
	document->request.context = request;
	return document;
}

void document_set(struct store_document *document, const struct element *element)
{
	struct buf text = { 0 };

	writer_element(&text, element, NULL);
	document->text = arena_str_len(&document->request.arena, text.data, text.len);
	document->text_len = text.len;
	buf_clear(&text);
}

void document_submit(struct iq_request *request, struct store_document *document)
{
	store_submit(request->home->server->store, &document->request);
}

bool document_add(struct iq_request *request, struct stanza *stanza, struct element *parent,
                  const struct store_document *document)
{
	struct arena arena = { 0 };
	const struct element *element = parser_text(request->home->parsers, &arena, NS_CLIENT, document->text,
	                                            document->text_len, &request->config->limits.parser);

	if (element)
		element_copy(&stanza->arena, parent, element);
	else
		log_error(request->home->server->log, NULL, "a stored document cannot be read",
		          LOG_STR("owner", document->request.owner), LOG_STR("kind", document->kind),
		          LOG_STR("key", document->key));
	arena_clear(&arena);
	return element != NULL;
}

enum stanza_condition document_refusal(enum store_status status)
{
	switch (status) {
	case STORE_ABSENT:
		return STANZA_ITEM_NOT_FOUND;
	case STORE_FULL:
		return STANZA_RESOURCE_CONSTRAINT;
	default:
		return STANZA_INTERNAL_SERVER_ERROR;
	}
}
