/* SPDX-License-Identifier: MIT
 *
 * Operations on documents (store/document.h). Their owner is an account or, "", the server itself.
 */
#include "store/document.h"

#include "operation.h"
#include "query.h"
#include "store/account.h"

static void document_start(struct query *q, struct database *db, enum query_name name,
                           const struct store_document *document)
{
	query_start(q, db, name);
	query_put_owner(q, document->request.owner);
	query_put_text(q, document->kind);
	query_put_text(q, document->key);
}

enum store_status sqlite_document_get(struct database *db, struct store_request *request)
{
	struct store_document *document = (struct store_document *)request;
	struct query q;

	document->text = NULL;
	document->text_len = 0;
	document_start(&q, db, QUERY_DOCUMENT, document);
	if (query_next(&q))
		document->text = query_text_len(&q, &request->arena, &document->text_len);
	if (!query_finish(&q))
		return STORE_FAILED;
	return document->text ? STORE_OK : STORE_ABSENT;
}

/* What an account needs from its first moment in memory. */
bool sqlite_documents_load(struct database *db, int64_t account, struct store_account_load *load)
{
	struct arena *arena = &load->request.arena;
	struct query q;

	load->document_count = 0;
	query_start(&q, db, QUERY_DOCUMENTS_OF_LOAD);
	query_put_number(&q, account);
	while (query_next(&q)) {
		struct store_account_document *document;

		load->documents = rows_grow(arena, load->documents, load->document_count, sizeof(*load->documents));
		document = &load->documents[load->document_count++];
		document->kind = query_text(&q, arena);
		document->key = query_text(&q, arena);
		document->text = query_text_len(&q, arena, &document->len);
	}
	return query_finish(&q);
}

static enum store_status document_create(struct database *db, struct store_document *document)
{
	enum store_status status;
	struct query q;

	document_start(&q, db, QUERY_DOCUMENT_CREATE, document);
	query_put_text_len(&q, document->text, document->text_len);
	status = query_change(&q, STORE_CONFLICT);
	if (status != STORE_CONFLICT)
		return status;
	/* There is one already, or there is no such owner. */
	status = sqlite_document_get(db, &document->request);
	return status == STORE_OK ? STORE_CONFLICT : status;
}

/* Why nothing was put: there is no such owner, or there are too many. */
static enum store_status document_absence(struct database *db, const struct store_document *document)
{
	struct account_row row;
	enum store_status status = sqlite_account_find(db, document->request.owner, &row);

	return status == STORE_OK ? STORE_FULL : status;
}

enum store_status sqlite_document_put(struct database *db, struct store_request *request)
{
	struct store_document *document = (struct store_document *)request;
	enum store_status status;
	struct query q;

	if (!document->text) {
		document_start(&q, db, QUERY_DOCUMENT_REMOVE, document);
		return query_change(&q, STORE_ABSENT);
	}
	if (document->create_only)
		return document_create(db, document);
	document_start(&q, db, QUERY_DOCUMENT_PUT, document);
	query_put_text_len(&q, document->text, document->text_len);
	query_put_unsigned(&q, document->most);
	status = query_change(&q, STORE_ABSENT);
	return status == STORE_ABSENT ? document_absence(db, document) : status;
}

enum store_status sqlite_document_owners(struct database *db, struct store_request *request)
{
	struct store_document_owners *owners = (struct store_document_owners *)request;
	struct arena *arena = &request->arena;
	struct query q;

	owners->count = 0;
	owners->end = owners->after;
	query_start(&q, db, QUERY_DOCUMENT_OWNERS);
	query_put_text(&q, owners->kind);
	query_put_unsigned(&q, owners->after);
	query_put_unsigned(&q, owners->limit);
	while (query_next(&q)) {
		uint64_t account = (uint64_t)query_number(&q);
		const char *host = query_text(&q, arena), *name = query_text(&q, arena);

		owners->accounts = rows_grow(arena, owners->accounts, owners->count, sizeof(*owners->accounts));
		owners->accounts[owners->count++] = arena_printf(arena, "%s@%s", name ? name : "", host ? host : "");
		owners->end = account;
	}
	return query_finish(&q) ? STORE_OK : STORE_FAILED;
}
