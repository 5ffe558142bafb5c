/* SPDX-License-Identifier: MIT
 *
 * Operations on outboxes (store/outbox.h).
 */
#include "store/outbox.h"

#include "operation.h"
#include "query.h"

enum store_status sqlite_outbox_append(struct database *db, struct store_request *request)
{
	const struct store_outbox_entry *entry = &((struct store_outbox_append *)request)->entry;
	struct query q;

	query_start(&q, db, QUERY_OUTBOX_APPEND);
	query_put_text(&q, request->owner);
	query_put_unsigned(&q, entry->sequence);
	query_put_number(&q, entry->since_us);
	query_put_unsigned(&q, entry->bytes);
	query_put_text_len(&q, entry->stanza, entry->stanza_len);
	return query_change(&q, STORE_FAILED);
}

static void entry_read(struct query *q, struct arena *arena, struct store_outbox_entry *entry)
{
	entry->sequence = (uint64_t)query_number(q);
	entry->since_us = query_number(q);
	entry->bytes = (uint64_t)query_number(q);
	entry->stanza = query_xml(q, arena, &entry->stanza_len);
}

enum store_status sqlite_outbox_read(struct database *db, struct store_request *request)
{
	struct store_outbox_read *read = (struct store_outbox_read *)request;
	uint64_t bytes = 0;
	struct query q;

	read->count = 0;
	read->more = false;
	query_start(&q, db, QUERY_OUTBOX_READ);
	query_put_text(&q, request->owner);
	query_put_unsigned(&q, read->after);
	query_put_unsigned(&q, read->limit < SIZE_MAX ? read->limit + 1 : SIZE_MAX);
	while (query_next(&q)) {
		read->more = read->count == read->limit || (read->count > 0 && bytes >= read->most_bytes);
		if (read->more)
			break;
		read->entries = rows_grow(&request->arena, read->entries, read->count, sizeof(*read->entries));
		entry_read(&q, &request->arena, &read->entries[read->count]);
		bytes += read->entries[read->count++].bytes;
	}
	return query_finish(&q) ? STORE_OK : STORE_FAILED;
}

enum store_status sqlite_outbox_remove(struct database *db, struct store_request *request)
{
	const struct store_outbox_remove *removed = (const struct store_outbox_remove *)request;
	enum store_status status = STORE_OK;
	struct query q;

	for (size_t i = 0; i < removed->count && status == STORE_OK; i++) {
		query_start(&q, db, QUERY_OUTBOX_REMOVE);
		query_put_text(&q, request->owner);
		query_put_unsigned(&q, removed->sequences[i]);
		status = query_change(&q, STORE_OK);
	}
	return status;
}

enum store_status sqlite_outbox_list(struct database *db, struct store_request *request)
{
	struct store_outbox_list *list = (struct store_outbox_list *)request;
	struct arena *arena = &request->arena;
	struct query q;

	list->count = 0;
	query_start(&q, db, QUERY_OUTBOX_LIST);
	while (query_next(&q)) {
		struct store_outbox *outbox;

		list->outboxes = rows_grow(arena, list->outboxes, list->count, sizeof(*list->outboxes));
		outbox = &list->outboxes[list->count++];
		outbox->key = query_text(&q, arena);
		outbox->count = (uint64_t)query_number(&q);
		outbox->bytes = (uint64_t)query_number(&q);
		outbox->newest = (uint64_t)query_number(&q);
	}
	return query_finish(&q) ? STORE_OK : STORE_FAILED;
}
