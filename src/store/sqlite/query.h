/* SPDX-License-Identifier: MIT
 *
 * Questions to SQLite by name. All SQL stands in one table in query.c and takes its values as parameters
 * only. A statement is prepared at the first use and kept as long as its connection.
 *
 *	query_start(&q, db, QUERY_CREDENTIALS);
 *	query_put_number(&q, account);
 *	while (query_next(&q))
 *		... query_number(&q), query_text(&q, arena) in the order of the columns ...
 *	if (!query_finish(&q))
 *		return STORE_FAILED;
 *
 * After a fault every further call on the query does nothing and query_finish says false; db->fault says why.
 */
#ifndef SQLITE_QUERY_H
#define SQLITE_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "database.h"
#include "store/store.h"

enum query_name {
	QUERY_BEGIN_READ, QUERY_BEGIN_WRITE, QUERY_COMMIT, QUERY_ROLLBACK,
	QUERY_SAVEPOINT, QUERY_RELEASE, QUERY_ROLLBACK_TO,

	QUERY_ACCOUNT, QUERY_ACCOUNT_CREATE, QUERY_ACCOUNT_REMOVE, QUERY_ACCOUNT_LIST,
	QUERY_CREDENTIALS, QUERY_CREDENTIAL_PUT, QUERY_CREDENTIALS_REMOVE,

	QUERY_ROSTER, QUERY_ROSTER_PUT, QUERY_ROSTER_REMOVE, QUERY_ROSTER_VERSION,

	QUERY_JOURNAL_APPEND, QUERY_JOURNAL_BODY, QUERY_JOURNAL_READ, QUERY_JOURNAL_WEIGH, QUERY_JOURNAL_NEWEST,
	QUERY_JOURNAL_ADVANCE, QUERY_JOURNAL_EXCEPT, QUERY_JOURNAL_FETCHED_WEIGH, QUERY_JOURNAL_FETCHED, QUERY_JOURNAL_FORGET,
	QUERY_JOURNAL_FORWARDS, QUERY_JOURNAL_BACKWARDS, QUERY_JOURNAL_WITH_FORWARDS, QUERY_JOURNAL_WITH_BACKWARDS,
	QUERY_JOURNAL_PEER_FORWARDS, QUERY_JOURNAL_PEER_BACKWARDS, QUERY_JOURNAL_PEERS, QUERY_JOURNAL_PEERS_UP_TO,
	QUERY_JOURNAL_COUNT, QUERY_JOURNAL_WITH_COUNT, QUERY_JOURNAL_PEER_COUNT, QUERY_JOURNAL_FIRST, QUERY_JOURNAL_LAST,
	QUERY_JOURNAL_ACCOUNTS, QUERY_JOURNAL_BYTES, QUERY_JOURNAL_SURPLUS, QUERY_JOURNAL_EXPIRE, QUERY_JOURNAL_REPEATS,
	QUERY_JOURNAL_HANDLED,

	QUERY_DOCUMENT, QUERY_DOCUMENT_PUT, QUERY_DOCUMENT_CREATE, QUERY_DOCUMENT_REMOVE,
	QUERY_DOCUMENTS_OF_LOAD, QUERY_DOCUMENT_OWNERS,

	QUERY_PUBSUB_NODE, QUERY_PUBSUB_NODE_CREATE, QUERY_PUBSUB_NODE_CHANGE, QUERY_PUBSUB_NODE_REMOVE,
	QUERY_PUBSUB_NODES, QUERY_PUBSUB_LAST, QUERY_PUBSUB_TRIM,
	QUERY_PUBSUB_ITEM, QUERY_PUBSUB_ITEM_PUT, QUERY_PUBSUB_ITEM_REMOVE, QUERY_PUBSUB_COUNT, QUERY_PUBSUB_ITEMS,

	QUERY_TOKENS, QUERY_TOKEN_USE, QUERY_TOKENS_OLDER, QUERY_TOKENS_FORGET, QUERY_TOKENS_UNUSED, QUERY_TOKEN_PUT,
	QUERY_TOKENS_TRIM, QUERY_TOKENS_REMOVE,

	QUERY_OUTBOX_APPEND, QUERY_OUTBOX_READ, QUERY_OUTBOX_REMOVE, QUERY_OUTBOX_LIST,

	QUERIES
};
_Static_assert((int)QUERIES <= (int)DATABASE_STATEMENTS, "a connection keeps every statement");

/* As it stands, for who wants to know its plan. */
const char *query_text_of(enum query_name name);

struct query {
	struct database *db;
	struct sqlite3_stmt *statement;         /* NULL after a fault */
	int parameter;                          /* bound last */
	int column;                             /* read last */
};

void query_start(struct query *q, struct database *db, enum query_name name);

/* Parameters, in their order. Text and bytes are borrowed until the query is finished; NULL is SQL's NULL. */
void query_put_number(struct query *q, int64_t number);
void query_put_unsigned(struct query *q, uint64_t number);      /* beyond INT64_MAX: as that */
void query_put_text(struct query *q, const char *text);
void query_put_text_len(struct query *q, const char *text, size_t len);
void query_put_bytes(struct query *q, const void *bytes, size_t len);
void query_put_owner(struct query *q, const char *owner);       /* two parameters: host and name */

/* The next row; false: none, or a fault. */
bool query_next(struct query *q);
/* Columns, in their order; copied into the arena. Text that xmpp/utf8.h refuses is a fault. */
int64_t query_number(struct query *q);
const char *query_text(struct query *q, struct arena *arena);
const char *query_text_len(struct query *q, struct arena *arena, size_t *len);
/* Not looked at here: it is parsed, and one that cannot be does not stop those behind it. */
const char *query_xml(struct query *q, struct arena *arena, size_t *len);
const void *query_bytes(struct query *q, struct arena *arena, size_t *len);
/* Exactly len bytes, or a fault. */
void query_copy(struct query *q, void *bytes, size_t len);
/* What was read makes no sense. */
void query_fail(struct query *q, const char *why);

bool query_finish(struct query *q);

/* A statement without parameters and rows. */
bool query_run(struct database *db, enum query_name name);
/* Carries out a write: STORE_OK where it changed rows, unchanged where it changed none, or STORE_FAILED. */
enum store_status query_change(struct query *q, enum store_status unchanged);
/* How many rows a write has changed, those of triggers not counted. */
size_t query_changed(const struct query *q);

#endif
