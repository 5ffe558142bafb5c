/* SPDX-License-Identifier: MIT
 *
 * The table of operations.
 */
#include "operation.h"

#include <string.h>

static const struct operation operations[STORE_OPS] = {
	[STORE_ACCOUNT_CREATE] = { "account create", true, sqlite_account_create },
	[STORE_ACCOUNT_CREDENTIALS] = { "account credentials", true, sqlite_account_credentials },
	[STORE_ACCOUNT_REMOVE] = { "account remove", true, sqlite_account_remove },
	[STORE_ACCOUNT_LOAD] = { "account load", false, sqlite_account_load },
	[STORE_ACCOUNT_LIST] = { "account list", false, sqlite_account_list },
	[STORE_ROSTER_PUT] = { "roster put", true, sqlite_roster_put },
	[STORE_ROSTER_REMOVE] = { "roster remove", true, sqlite_roster_remove },
	[STORE_JOURNAL_APPEND] = { "journal append", true, sqlite_journal_append },
	[STORE_JOURNAL_READ] = { "journal read", false, sqlite_journal_read },
	[STORE_JOURNAL_ADVANCE] = { "journal advance", true, sqlite_journal_advance },
	[STORE_JOURNAL_FETCHED] = { "journal fetched", true, sqlite_journal_fetched },
	[STORE_JOURNAL_ARCHIVE] = { "journal archive", false, sqlite_journal_archive },
	[STORE_JOURNAL_SPAN] = { "journal span", false, sqlite_journal_span },
	[STORE_JOURNAL_SURPLUS] = { "journal surplus", false, sqlite_journal_surplus },
	[STORE_JOURNAL_EXPIRE] = { "journal expire", true, sqlite_journal_expire },
	[STORE_JOURNAL_HANDLED] = { "journal handled", false, sqlite_journal_handled },
	[STORE_DOCUMENT_GET] = { "document get", false, sqlite_document_get },
	[STORE_DOCUMENT_PUT] = { "document put", true, sqlite_document_put },
	[STORE_DOCUMENT_OWNERS] = { "document owners", false, sqlite_document_owners },
	[STORE_PUBSUB_NODE_CREATE] = { "pubsub node create", true, sqlite_pubsub_node_create },
	[STORE_PUBSUB_NODE_CHANGE] = { "pubsub node change", true, sqlite_pubsub_node_change },
	[STORE_PUBSUB_NODE_REMOVE] = { "pubsub node remove", true, sqlite_pubsub_node_remove },
	[STORE_PUBSUB_NODE_PURGE] = { "pubsub node purge", true, sqlite_pubsub_node_purge },
	[STORE_PUBSUB_NODES] = { "pubsub nodes", false, sqlite_pubsub_nodes },
	[STORE_PUBSUB_LAST] = { "pubsub last", false, sqlite_pubsub_last },
	[STORE_PUBSUB_ITEM_PUT] = { "pubsub item put", true, sqlite_pubsub_item_put },
	[STORE_PUBSUB_ITEM_REMOVE] = { "pubsub item remove", true, sqlite_pubsub_item_remove },
	[STORE_PUBSUB_ITEMS] = { "pubsub items", false, sqlite_pubsub_items },
	[STORE_TOKENS_READ] = { "tokens read", false, sqlite_tokens_read },
	[STORE_TOKEN_CHANGE] = { "token change", true, sqlite_token_change },
	[STORE_TOKENS_REVOKE] = { "tokens revoke", true, sqlite_tokens_revoke },
	[STORE_OUTBOX_APPEND] = { "outbox append", true, sqlite_outbox_append },
	[STORE_OUTBOX_READ] = { "outbox read", false, sqlite_outbox_read },
	[STORE_OUTBOX_REMOVE] = { "outbox remove", true, sqlite_outbox_remove },
	[STORE_OUTBOX_LIST] = { "outbox list", false, sqlite_outbox_list },
};

const struct operation *operation_get(enum store_op op)
{
	return &operations[op];
}

enum { ROWS_FIRST = 8 };

void *rows_grow(struct arena *arena, void *items, size_t count, size_t item_size)
{
	bool is_full = count == 0 || (count >= ROWS_FIRST && (count & (count - 1)) == 0);
	void *larger;

	if (!is_full)
		return items;
	larger = arena_zalloc(arena, (count ? 2 * count : ROWS_FIRST) * item_size);
	if (count)
		memcpy(larger, items, count * item_size);
	return larger;
}
