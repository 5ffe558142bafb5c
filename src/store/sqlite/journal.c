/* SPDX-License-Identifier: MIT
 *
 * Operations on journals (store/journal.h).
 */
#include "store/journal.h"

#include "operation.h"
#include "query.h"
#include "store/account.h"

enum store_status sqlite_journal_append(struct database *db, struct store_request *request)
{
	struct store_journal_entry *entry = &((struct store_journal_append *)request)->entry;
	enum store_status status;
	struct query q;

	query_start(&q, db, QUERY_JOURNAL_APPEND);
	query_put_owner(&q, request->owner);
	query_put_number(&q, entry->at_us);
	query_put_number(&q, entry->direction);
	query_put_number(&q, entry->type);
	query_put_unsigned(&q, entry->stanza_len);
	query_put_text(&q, entry->id);
	query_put_text(&q, entry->peer);
	query_put_text_len(&q, entry->stanza, entry->stanza_len);
	status = query_change(&q, STORE_ABSENT);
	if (status == STORE_OK)
		entry->sequence = (uint64_t)database_new_row(db);
	return status;
}

static void entry_read(struct query *q, struct arena *arena, struct store_journal_entry *entry)
{
	entry->sequence = (uint64_t)query_number(q);
	entry->at_us = query_number(q);
	entry->direction = query_number(q) == STORE_OUT ? STORE_OUT : STORE_IN;
	entry->type = (uint8_t)query_number(q);
	entry->id = query_text(q, arena);
	entry->peer = query_text(q, arena);
	entry->stanza = query_xml(q, arena, &entry->stanza_len);
}

enum store_status sqlite_journal_read(struct database *db, struct store_request *request)
{
	struct store_journal_read *read = (struct store_journal_read *)request;
	struct arena *arena = &request->arena;
	struct account_row row;
	enum store_status status = sqlite_account_find(db, request->owner, &row);
	struct query q;

	if (status != STORE_OK)
		return status;
	read->count = 0;
	query_start(&q, db, QUERY_JOURNAL_READ);
	query_put_number(&q, row.id);
	query_put_unsigned(&q, read->after > row.delivered ? read->after : row.delivered);
	query_put_unsigned(&q, read->limit);
	while (query_next(&q)) {
		read->entries = rows_grow(arena, read->entries, read->count, sizeof(*read->entries));
		entry_read(&q, arena, &read->entries[read->count++]);
	}
	return query_finish(&q) ? STORE_OK : STORE_FAILED;
}

enum store_status sqlite_journal_advance(struct database *db, struct store_request *request)
{
	struct store_journal_advance *advance = (struct store_journal_advance *)request;
	struct account_row row;
	enum store_status status = sqlite_account_find(db, request->owner, &row);
	struct query q;

	if (status != STORE_OK)
		return status;
	query_start(&q, db, QUERY_JOURNAL_ADVANCE);
	query_put_number(&q, row.id);
	query_put_unsigned(&q, advance->sequence);
	status = query_change(&q, STORE_ABSENT);
	if (status != STORE_OK)
		return status;
	query_start(&q, db, QUERY_JOURNAL_FORGET);
	query_put_number(&q, row.id);
	return query_change(&q, STORE_OK);
}

bool sqlite_journal_weigh(struct database *db, const struct account_row *row, struct store_account_load *load)
{
	struct query q;

	query_start(&q, db, QUERY_JOURNAL_WEIGH);
	query_put_number(&q, row->id);
	query_put_unsigned(&q, row->delivered);
	if (query_next(&q)) {
		load->undelivered = (uint64_t)query_number(&q);
		load->undelivered_bytes = (uint64_t)query_number(&q);
	}
	return query_finish(&q);
}
