/* SPDX-License-Identifier: MIT
 *
 * What each request does on a connection. An operation runs inside a transaction (a write also inside a
 * savepoint) that its caller has opened and closes; it answers in the request and says how it ended. What it
 * did before anything but STORE_OK is undone by the caller.
 */
#ifndef SQLITE_OPERATION_H
#define SQLITE_OPERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "database.h"
#include "store/store.h"

struct operation {
	const char *name;
	bool writes;
	enum store_status (*run)(struct database *db, struct store_request *request);
};

const struct operation *operation_get(enum store_op op);

enum store_status sqlite_account_create(struct database *db, struct store_request *request);
enum store_status sqlite_account_credentials(struct database *db, struct store_request *request);
enum store_status sqlite_account_remove(struct database *db, struct store_request *request);
enum store_status sqlite_account_load(struct database *db, struct store_request *request);
enum store_status sqlite_account_list(struct database *db, struct store_request *request);
enum store_status sqlite_roster_put(struct database *db, struct store_request *request);
enum store_status sqlite_roster_remove(struct database *db, struct store_request *request);
enum store_status sqlite_journal_append(struct database *db, struct store_request *request);
enum store_status sqlite_journal_read(struct database *db, struct store_request *request);
enum store_status sqlite_journal_advance(struct database *db, struct store_request *request);
enum store_status sqlite_journal_fetched(struct database *db, struct store_request *request);
enum store_status sqlite_journal_archive(struct database *db, struct store_request *request);
enum store_status sqlite_journal_span(struct database *db, struct store_request *request);
enum store_status sqlite_journal_surplus(struct database *db, struct store_request *request);
enum store_status sqlite_journal_expire(struct database *db, struct store_request *request);
enum store_status sqlite_journal_handled(struct database *db, struct store_request *request);
enum store_status sqlite_document_get(struct database *db, struct store_request *request);
enum store_status sqlite_document_put(struct database *db, struct store_request *request);
enum store_status sqlite_document_owners(struct database *db, struct store_request *request);
enum store_status sqlite_pubsub_node_create(struct database *db, struct store_request *request);
enum store_status sqlite_pubsub_node_change(struct database *db, struct store_request *request);
enum store_status sqlite_pubsub_node_remove(struct database *db, struct store_request *request);
enum store_status sqlite_pubsub_node_purge(struct database *db, struct store_request *request);
enum store_status sqlite_pubsub_nodes(struct database *db, struct store_request *request);
enum store_status sqlite_pubsub_last(struct database *db, struct store_request *request);
enum store_status sqlite_pubsub_item_put(struct database *db, struct store_request *request);
enum store_status sqlite_pubsub_item_remove(struct database *db, struct store_request *request);
enum store_status sqlite_pubsub_items(struct database *db, struct store_request *request);
enum store_status sqlite_tokens_read(struct database *db, struct store_request *request);
enum store_status sqlite_token_change(struct database *db, struct store_request *request);
enum store_status sqlite_tokens_revoke(struct database *db, struct store_request *request);
enum store_status sqlite_outbox_append(struct database *db, struct store_request *request);
enum store_status sqlite_outbox_read(struct database *db, struct store_request *request);
enum store_status sqlite_outbox_remove(struct database *db, struct store_request *request);
enum store_status sqlite_outbox_list(struct database *db, struct store_request *request);

/* Parts of operations that others use. */

struct account_row {
	int64_t id;
	uint64_t roster_version;
	uint64_t delivered;
	uint64_t peers_up_to;           /* journal_peer knows the entries up to here */
};
/* STORE_OK, STORE_ABSENT or STORE_FAILED. */
enum store_status sqlite_account_find(struct database *db, const char *owner, struct account_row *row);

struct store_account_load;
bool sqlite_roster_load(struct database *db, int64_t account, struct store_account_load *load);
bool sqlite_documents_load(struct database *db, int64_t account, struct store_account_load *load);
bool sqlite_journal_weigh(struct database *db, const struct account_row *row,
                          struct store_account_load *load);

enum store_status sqlite_tokens_remove(struct database *db, int64_t account, size_t *removed);
bool sqlite_journal_repeats(struct database *db, int64_t account, struct store_account_load *load);

/* An array in an arena that grows by one: items, or a copy with twice the room. */
void *rows_grow(struct arena *arena, void *items, size_t count, size_t item_size);

#endif
