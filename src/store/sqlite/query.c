/* SPDX-License-Identifier: MIT
 *
 * All SQL of the embedded store, and how values get into it and out of it. ?1 and ?2 are the owner's host and
 * name wherever a statement finds an account by its address; "id > 0" leaves out the server itself, which is
 * no account.
 *
 * Text is checked again when it comes out: what a damaged disk or a stranger's hand has put into the file is
 * a fault and reaches no stream.
 */
#include "query.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "xmpp/utf8.h"

/* Of an entry with its text; the entry is found first. */
#define ENTRY_COLUMNS                                                                  \
	"sequence, at_us, direction, type, archived, peer, resource, stanza"           \
	" FROM journal_entry CROSS JOIN journal_body ON journal_body.id = journal_entry.body"

/* Archived entries with one peer, of the account ?1 from ?2 to ?3, as far as journal_peer knows them. */
#define PEER_ENTRIES                                                                   \
	"journal_peer CROSS JOIN journal_entry ON journal_entry.account = journal_peer.account" \
	" AND journal_entry.sequence = journal_peer.sequence"                          \
	" WHERE journal_peer.account = ?1 AND journal_peer.peer = ?5"                  \
	" AND journal_peer.sequence BETWEEN ?2 AND ?3 AND archived = 1 AND (?6 IS NULL OR resource = ?6)"
#define PEER_COLUMNS                                                                   \
	"journal_entry.sequence, at_us, direction, type, archived, journal_entry.peer, resource," \
	" (SELECT stanza FROM journal_body WHERE id = body) FROM " PEER_ENTRIES

static const char *const query_sql[QUERIES] = {
	[QUERY_BEGIN_READ] = "BEGIN",
	[QUERY_BEGIN_WRITE] = "BEGIN IMMEDIATE",
	[QUERY_COMMIT] = "COMMIT",
	[QUERY_ROLLBACK] = "ROLLBACK",
	[QUERY_SAVEPOINT] = "SAVEPOINT request",
	[QUERY_RELEASE] = "RELEASE request",
	[QUERY_ROLLBACK_TO] = "ROLLBACK TO request",

	[QUERY_ACCOUNT] =
		"SELECT id, roster_version, delivered, peers_up_to FROM account"
		" WHERE host = ?1 AND name = ?2 AND id > 0",
	[QUERY_ACCOUNT_CREATE] =
		"INSERT INTO account (host, name, created_us) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
	[QUERY_ACCOUNT_REMOVE] =
		"DELETE FROM account WHERE host = ?1 AND name = ?2 AND id > 0",
	[QUERY_ACCOUNT_LIST] =
		"SELECT name, created_us FROM account WHERE host = ?1 AND name > ?2 AND id > 0"
		" ORDER BY name LIMIT ?3",
	[QUERY_CREDENTIALS] =
		"SELECT hash, iterations, salt, stored_key, server_key FROM credential WHERE account = ?1"
		" ORDER BY hash",
	[QUERY_CREDENTIAL_PUT] =
		"INSERT INTO credential (account, hash, iterations, salt, stored_key, server_key)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[QUERY_CREDENTIALS_REMOVE] =
		"DELETE FROM credential WHERE account = ?1",

	[QUERY_ROSTER] =
		"SELECT contact, name, groups, state, approved, listed, request, version"
		" FROM roster WHERE account = ?1 ORDER BY contact",
	[QUERY_ROSTER_PUT] =
		"INSERT INTO roster"
		" (account, contact, name, groups, state, approved, listed, request, version)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
		" ON CONFLICT (account, contact) DO UPDATE SET"
		" name = excluded.name, groups = excluded.groups, state = excluded.state,"
		" approved = excluded.approved, listed = excluded.listed,"
		" request = excluded.request, version = excluded.version",
	[QUERY_ROSTER_REMOVE] =
		"DELETE FROM roster WHERE account = ?1 AND contact = ?2",
	[QUERY_ROSTER_VERSION] =
		"UPDATE account SET roster_version = max(roster_version, ?2) WHERE id = ?1",

	[QUERY_JOURNAL_APPEND] =
		"INSERT INTO journal_entry"
		" (account, sequence, body, at_us, direction, type, archived, bytes, peer, resource, repeat, stream, handled)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
	[QUERY_JOURNAL_BODY] =
		"INSERT INTO journal_body (id, holders, stanza) VALUES (?1, 1, ?2)"
		" ON CONFLICT (id) DO UPDATE SET holders = holders + 1",
	[QUERY_JOURNAL_PEERS] =
		"INSERT INTO journal_peer (account, peer, sequence) SELECT account, peer, sequence FROM journal_entry"
		" WHERE account = ?1 AND sequence > ?2 AND sequence <= ?3",
	[QUERY_JOURNAL_PEERS_UP_TO] =
		"UPDATE account SET peers_up_to = ?2 WHERE id = ?1",
	[QUERY_JOURNAL_READ] =
		"SELECT " ENTRY_COLUMNS " WHERE account = ?1 AND sequence > ?2 AND direction = 0 AND delivered = 0"
		" ORDER BY sequence LIMIT ?3",
	[QUERY_JOURNAL_WEIGH] =
		"SELECT count(*), coalesce(sum(bytes), 0) FROM journal_entry"
		" WHERE account = ?1 AND sequence > ?2 AND direction = 0 AND delivered = 0",
	[QUERY_JOURNAL_NEWEST] =
		"SELECT coalesce(max(sequence), 0) FROM journal_entry WHERE account = ?1",
	/* The watermark never falls and never runs ahead of the newest entry. */
	[QUERY_JOURNAL_ADVANCE] =
		"UPDATE account SET delivered = max(delivered, min(?2,"
		" (SELECT coalesce(max(sequence), 0) FROM journal_entry WHERE account = ?1)))"
		" WHERE id = ?1",
	[QUERY_JOURNAL_EXCEPT] =
		"UPDATE journal_entry SET delivered = 1 WHERE account = ?1 AND sequence = ?2",
	[QUERY_JOURNAL_FETCHED_WEIGH] =
		"SELECT count(*), coalesce(sum(bytes), 0) FROM journal_entry WHERE account = ?1"
		" AND sequence > ?2 AND sequence <= ?3 AND direction = 0 AND delivered = 0 AND archived >= ?4",
	[QUERY_JOURNAL_FETCHED] =
		"UPDATE journal_entry SET delivered = 1 WHERE account = ?1"
		" AND sequence > ?2 AND sequence <= ?3 AND direction = 0 AND delivered = 0 AND archived = 1",
	/* What lies between the watermarks of before and now, and an exception just made, may be forgotten. */
	[QUERY_JOURNAL_FORGET] =
		"DELETE FROM journal_entry WHERE account = ?1 AND sequence > ?2 AND sequence <= ?3"
		" AND archived = 0 AND (?4 OR delivered = 1)",

	[QUERY_JOURNAL_FORWARDS] =
		"SELECT " ENTRY_COLUMNS " WHERE account = ?1 AND archived = 1 AND sequence BETWEEN ?2 AND ?3"
		" ORDER BY sequence LIMIT ?4",
	[QUERY_JOURNAL_BACKWARDS] =
		"SELECT " ENTRY_COLUMNS " WHERE account = ?1 AND archived = 1 AND sequence BETWEEN ?2 AND ?3"
		" ORDER BY sequence DESC LIMIT ?4",
	[QUERY_JOURNAL_WITH_FORWARDS] =
		"SELECT " ENTRY_COLUMNS " WHERE account = ?1 AND archived = 1 AND sequence BETWEEN ?2 AND ?3"
		" AND peer = ?5 AND (?6 IS NULL OR resource = ?6) ORDER BY sequence LIMIT ?4",
	[QUERY_JOURNAL_WITH_BACKWARDS] =
		"SELECT " ENTRY_COLUMNS " WHERE account = ?1 AND archived = 1 AND sequence BETWEEN ?2 AND ?3"
		" AND peer = ?5 AND (?6 IS NULL OR resource = ?6) ORDER BY sequence DESC LIMIT ?4",
	[QUERY_JOURNAL_PEER_FORWARDS] =
		"SELECT " PEER_COLUMNS " ORDER BY journal_peer.sequence LIMIT ?4",
	[QUERY_JOURNAL_PEER_BACKWARDS] =
		"SELECT " PEER_COLUMNS " ORDER BY journal_peer.sequence DESC LIMIT ?4",
	[QUERY_JOURNAL_COUNT] =
		"SELECT count(*) FROM (SELECT 1 FROM journal_entry WHERE account = ?1 AND archived = 1"
		" AND sequence BETWEEN ?2 AND ?3 LIMIT ?4)",
	[QUERY_JOURNAL_WITH_COUNT] =
		"SELECT count(*) FROM (SELECT 1 FROM journal_entry WHERE account = ?1 AND archived = 1"
		" AND sequence BETWEEN ?2 AND ?3 AND peer = ?5 AND (?6 IS NULL OR resource = ?6) LIMIT ?4)",
	[QUERY_JOURNAL_PEER_COUNT] =
		"SELECT count(*) FROM (SELECT 1 FROM " PEER_ENTRIES " LIMIT ?4)",
	[QUERY_JOURNAL_FIRST] =
		"SELECT sequence, at_us FROM journal_entry WHERE account = ?1 AND archived = 1 ORDER BY sequence LIMIT 1",
	[QUERY_JOURNAL_LAST] =
		"SELECT sequence, at_us FROM journal_entry WHERE account = ?1 AND archived = 1"
		" ORDER BY sequence DESC LIMIT 1",
	[QUERY_JOURNAL_ACCOUNTS] =
		"SELECT id, name, delivered FROM account WHERE host = ?1 AND name > ?2 AND id > 0"
		" ORDER BY name LIMIT ?3",
	/* The last column: it may go. */
	[QUERY_JOURNAL_BYTES] =
		"SELECT sequence, bytes, direction = 1 OR delivered = 1 OR sequence <= ?2 FROM journal_entry"
		" WHERE account = ?1 AND archived = 1 ORDER BY sequence DESC",
	/* The newest of those beyond the newest ?2. */
	[QUERY_JOURNAL_SURPLUS] =
		"SELECT sequence FROM journal_entry WHERE account = ?1 AND archived = 1"
		" ORDER BY sequence DESC LIMIT 1 OFFSET ?2",
	[QUERY_JOURNAL_EXPIRE] =
		"DELETE FROM journal_entry WHERE account = ?1 AND sequence IN (SELECT sequence FROM journal_entry"
		" WHERE account = ?1 AND archived = 1 AND sequence < ?2"
		" AND (direction = 1 OR delivered = 1 OR sequence <= ?3) ORDER BY sequence LIMIT ?4)",

	[QUERY_JOURNAL_REPEATS] =
		"SELECT repeat, at_us FROM journal_entry WHERE account = ?1 AND sequence > ?2 AND repeat <> 0"
		" ORDER BY sequence DESC LIMIT ?3",
	[QUERY_JOURNAL_HANDLED] =
		"SELECT handled FROM (SELECT stream, handled FROM journal_entry WHERE account = ?1"
		" ORDER BY sequence DESC LIMIT 1000) WHERE stream = ?2 LIMIT 1",

	/* Documents may belong to the server itself. */
	[QUERY_DOCUMENT] =
		"SELECT text FROM document"
		" WHERE account = (SELECT id FROM account WHERE host = ?1 AND name = ?2)"
		" AND kind = ?3 AND key = ?4",
	[QUERY_DOCUMENT_PUT] =
		"INSERT INTO document (account, kind, key, text)"
		" SELECT id, ?3, ?4, ?5 FROM account WHERE host = ?1 AND name = ?2"
		" AND (?6 = 0 OR ?6 > (SELECT count(*) FROM document"
		" WHERE account = account.id AND kind = ?3 AND key <> ?4))"
		" ON CONFLICT (account, kind, key) DO UPDATE SET text = excluded.text",
	[QUERY_DOCUMENT_CREATE] =
		"INSERT INTO document (account, kind, key, text)"
		" SELECT id, ?3, ?4, ?5 FROM account WHERE host = ?1 AND name = ?2"
		" ON CONFLICT (account, kind, key) DO NOTHING",
	[QUERY_DOCUMENT_REMOVE] =
		"DELETE FROM document"
		" WHERE account = (SELECT id FROM account WHERE host = ?1 AND name = ?2)"
		" AND kind = ?3 AND key = ?4",

	[QUERY_DOCUMENTS_OF_LOAD] =
		"SELECT kind, key, text FROM document WHERE account = ?1 AND kind IN ('archive', 'blocking', 'push',"
		" 'session', 'shown')",
	[QUERY_DOCUMENT_OWNERS] =
		"SELECT document.account, host, name FROM document CROSS JOIN account ON account.id = document.account"
		" WHERE kind = ?1 AND document.account > ?2 GROUP BY document.account ORDER BY document.account LIMIT ?3",

	[QUERY_PUBSUB_NODE] =
		"SELECT id FROM pubsub_node WHERE owner = ?1 AND name = ?2",
	[QUERY_PUBSUB_NODE_CREATE] =
		"INSERT INTO pubsub_node (owner, name, config, affiliations) SELECT ?1, ?2, ?3, ?4"
		" WHERE (SELECT count(*) FROM pubsub_node WHERE owner = ?1) < ?5",
	[QUERY_PUBSUB_NODE_CHANGE] =
		"UPDATE pubsub_node SET config = ?2, affiliations = ?3 WHERE id = ?1",
	[QUERY_PUBSUB_NODE_REMOVE] =
		"DELETE FROM pubsub_node WHERE owner = ?1 AND name = ?2",
	[QUERY_PUBSUB_NODES] =
		"SELECT name, config, affiliations FROM pubsub_node"
		" WHERE owner = ?1 AND (?2 IS NULL OR name = ?2) ORDER BY name",
	[QUERY_PUBSUB_LAST] =
		"SELECT pubsub_node.name, config, affiliations, pubsub_item.id, publisher, at_us, payload"
		" FROM pubsub_node JOIN pubsub_item ON pubsub_item.node = pubsub_node.id"
		" WHERE owner = ?1 AND pubsub_node.name = ?2 ORDER BY sequence DESC LIMIT 1",
	[QUERY_PUBSUB_TRIM] =
		"DELETE FROM pubsub_item WHERE node = ?1 AND sequence <="
		" (SELECT sequence FROM pubsub_item WHERE node = ?1 ORDER BY sequence DESC LIMIT 1 OFFSET ?2)",
	[QUERY_PUBSUB_ITEM] =
		"SELECT id, publisher, at_us, payload FROM pubsub_item WHERE node = ?1 AND id = ?2",
	[QUERY_PUBSUB_ITEM_PUT] =
		"INSERT INTO pubsub_item (node, id, publisher, at_us, payload) VALUES (?1, ?2, ?3, ?4, ?5)",
	[QUERY_PUBSUB_ITEM_REMOVE] =
		"DELETE FROM pubsub_item WHERE node = ?1 AND id = ?2",
	/* All; in front of the item; the item itself. */
	[QUERY_PUBSUB_COUNT] =
		"SELECT count(*), coalesce(sum(sequence <"
		" (SELECT sequence FROM pubsub_item WHERE node = ?1 AND id = ?2)), 0), coalesce(sum(id = ?2), 0)"
		" FROM pubsub_item WHERE node = ?1",
	[QUERY_PUBSUB_ITEMS] =
		"SELECT id, publisher, at_us, payload FROM pubsub_item WHERE node = ?1"
		" ORDER BY sequence LIMIT ?3 OFFSET ?2",

	[QUERY_TOKENS] =
		"SELECT id, mechanism, secret, issued_us, expires_us, used, count FROM token"
		" WHERE account = (SELECT id FROM account WHERE host = ?1 AND name = ?2 AND id > 0)"
		" AND client = ?3 ORDER BY id DESC",
	[QUERY_TOKEN_USE] =
		"UPDATE token SET used = 1, count = max(count, ?4) WHERE account = ?1 AND client = ?2 AND id = ?3"
		" AND (?4 = 0 OR count < ?4)",
	[QUERY_TOKENS_OLDER] =
		"DELETE FROM token WHERE account = ?1 AND client = ?2 AND id <> ?3"
		" AND (id < ?3 OR expires_us < (SELECT expires_us FROM token WHERE id = ?3))",
	[QUERY_TOKENS_FORGET] =
		"DELETE FROM token WHERE account = ?1 AND client = ?2",
	[QUERY_TOKENS_UNUSED] =
		"DELETE FROM token WHERE account = ?1 AND client = ?2 AND used = 0",
	[QUERY_TOKEN_PUT] =
		"INSERT INTO token (account, client, mechanism, secret, issued_us, expires_us)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[QUERY_TOKENS_TRIM] =
		"DELETE FROM token WHERE account = ?1 AND client NOT IN (SELECT client FROM token"
		" WHERE account = ?1 GROUP BY client ORDER BY max(id) DESC LIMIT ?2)",
	[QUERY_TOKENS_REMOVE] =
		"DELETE FROM token WHERE account = ?1",

	[QUERY_OUTBOX_APPEND] =
		"INSERT INTO outbox_entry (outbox, sequence, since_us, bytes, stanza) VALUES (?1, ?2, ?3, ?4, ?5)",
	[QUERY_OUTBOX_READ] =
		"SELECT sequence, since_us, bytes, stanza FROM outbox_entry WHERE outbox = ?1 AND sequence > ?2"
		" ORDER BY sequence LIMIT ?3",
	[QUERY_OUTBOX_REMOVE] =
		"DELETE FROM outbox_entry WHERE outbox = ?1 AND sequence = ?2",
	[QUERY_OUTBOX_LIST] =
		"SELECT outbox, count(*), sum(bytes), max(sequence) FROM outbox_entry GROUP BY outbox ORDER BY outbox",
};

const char *query_text_of(enum query_name name)
{
	return query_sql[name];
}

static void query_complain(struct query *q)
{
	database_complain(q->db);
	q->statement = NULL;
}

void query_start(struct query *q, struct database *db, enum query_name name)
{
	sqlite3_stmt **kept = &db->statements[name];

	*q = (struct query){ .db = db };
	if (!*kept)
		sqlite3_prepare_v3(db->handle, query_sql[name], -1, SQLITE_PREPARE_PERSISTENT, kept, NULL);
	q->statement = *kept;
	if (!q->statement)
		query_complain(q);
}

/* ---- parameters ---- */

static void query_bound(struct query *q, int code)
{
	if (code != SQLITE_OK)
		query_complain(q);
}

void query_put_number(struct query *q, int64_t number)
{
	if (q->statement)
		query_bound(q, sqlite3_bind_int64(q->statement, ++q->parameter, number));
}

void query_put_unsigned(struct query *q, uint64_t number)
{
	query_put_number(q, number > INT64_MAX ? INT64_MAX : (int64_t)number);
}

void query_put_text(struct query *q, const char *text)
{
	query_put_text_len(q, text, text ? strlen(text) : 0);
}

void query_put_text_len(struct query *q, const char *text, size_t len)
{
	if (!q->statement)
		return;
	q->parameter++;
	query_bound(q, sqlite3_bind_text64(q->statement, q->parameter, text, len, SQLITE_STATIC, SQLITE_UTF8));
}

/* A null pointer would be SQL's NULL; no bytes are bytes nevertheless. */
void query_put_bytes(struct query *q, const void *bytes, size_t len)
{
	if (!q->statement)
		return;
	q->parameter++;
	query_bound(q, sqlite3_bind_blob64(q->statement, q->parameter, len ? bytes : "", len, SQLITE_STATIC));
}

/* "romeo@north.example" is romeo of north.example; without an @ there is no name. */
void query_put_owner(struct query *q, const char *owner)
{
	const char *at = strchr(owner, '@');

	query_put_text(q, at ? at + 1 : owner);
	query_put_text_len(q, owner, at ? (size_t)(at - owner) : 0);
}

/* ---- rows ---- */

bool query_next(struct query *q)
{
	int code = q->statement ? sqlite3_step(q->statement) : SQLITE_ERROR;

	q->column = -1;
	if (code == SQLITE_ROW)
		return true;
	if (code != SQLITE_DONE && q->statement) {
		sqlite3_stmt *statement = q->statement;

		query_complain(q);
		sqlite3_reset(statement);
	}
	return false;
}

int64_t query_number(struct query *q)
{
	return q->statement ? sqlite3_column_int64(q->statement, ++q->column) : 0;
}

const char *query_xml(struct query *q, struct arena *arena, size_t *len)
{
	const char *text = q->statement ? (const char *)sqlite3_column_text(q->statement, ++q->column) : NULL;

	*len = text ? (size_t)sqlite3_column_bytes(q->statement, q->column) : 0;
	return text ? arena_str_len(arena, text, *len) : NULL;
}

const char *query_text_len(struct query *q, struct arena *arena, size_t *len)
{
	const char *text = query_xml(q, arena, len);

	if (!text || utf8_is_xml(text, *len))
		return text;
	query_fail(q, "text is no text that XML may have");
	return NULL;
}

const char *query_text(struct query *q, struct arena *arena)
{
	size_t len;

	return query_text_len(q, arena, &len);
}

const void *query_bytes(struct query *q, struct arena *arena, size_t *len)
{
	const void *bytes = q->statement ? sqlite3_column_blob(q->statement, ++q->column) : NULL;

	*len = bytes ? (size_t)sqlite3_column_bytes(q->statement, q->column) : 0;
	return arena_dup(arena, bytes, *len);
}

void query_copy(struct query *q, void *bytes, size_t len)
{
	const void *found = q->statement ? sqlite3_column_blob(q->statement, ++q->column) : NULL;

	if (found && (size_t)sqlite3_column_bytes(q->statement, q->column) == len)
		memcpy(bytes, found, len);
	else
		query_fail(q, "a key has a wrong length");
}

void query_fail(struct query *q, const char *why)
{
	if (!q->statement)
		return;
	snprintf(q->db->fault, sizeof(q->db->fault), "%s", why);
	sqlite3_reset(q->statement);
	q->statement = NULL;
}

bool query_finish(struct query *q)
{
	if (!q->statement)
		return false;
	sqlite3_reset(q->statement);
	return true;
}

/* ---- writes ---- */

bool query_run(struct database *db, enum query_name name)
{
	struct query q;

	query_start(&q, db, name);
	query_next(&q);
	return query_finish(&q);
}

enum store_status query_change(struct query *q, enum store_status unchanged)
{
	bool is_row = query_next(q);

	assert(!is_row);
	(void)is_row;
	if (!query_finish(q))
		return STORE_FAILED;
	return sqlite3_changes(q->db->handle) ? STORE_OK : unchanged;
}

size_t query_changed(const struct query *q)
{
	return (size_t)sqlite3_changes(q->db->handle);
}
