/* SPDX-License-Identifier: MIT
 *
 * Opening the database file. Write-ahead log with synchronous=FULL: what is committed survives kill -9 and
 * power loss. A file that is somebody else's or of a newer schema is refused before anything in it is
 * changed.
 */
#include "database.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "wal.h"

enum {
	APPLICATION_ID = 0x48616e73,
	BUSY_MS = 2000,                 /* patience with an administrator's own tool that holds the file */
};

/* 10000 pages in the log before they are carried over: measured at 1.4 times the appends of SQLite's own
 * 1000. The log is cut back when it has grown beyond 64 MiB. */
static const char writer_settings[] =
	"PRAGMA synchronous = FULL;"
	"PRAGMA foreign_keys = ON;"
	"PRAGMA trusted_schema = OFF;"
	"PRAGMA wal_autocheckpoint = 10000;"
	"PRAGMA journal_size_limit = 67108864;"
	"PRAGMA temp_store = MEMORY;"
	"PRAGMA cache_size = -8192;";

/* The file is in the system's page cache: a second copy in each reader only weighs. */
static const char reader_settings[] =
	"PRAGMA query_only = ON;"
	"PRAGMA trusted_schema = OFF;"
	"PRAGMA temp_store = MEMORY;"
	"PRAGMA cache_size = -1024;";

void database_complain(struct database *db)
{
	snprintf(db->fault, sizeof(db->fault), "%s (%d)", sqlite3_errmsg(db->handle),
	         sqlite3_extended_errcode(db->handle));
}

static bool database_refuse(struct database *db, const char *path, const char *why, char **error)
{
	*error = str_printf("%s: %s", path, why);
	database_close(db);
	return false;
}

static bool database_script(struct database *db, const char *sql)
{
	if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK)
		return true;
	database_complain(db);
	return false;
}

/* The first column of the first row, as a number or as at most len - 1 bytes of text. */
static bool database_ask(struct database *db, const char *sql, long long *number, char *text, size_t len)
{
	sqlite3_stmt *statement = NULL;
	bool ok = sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL) == SQLITE_OK &&
	          sqlite3_step(statement) == SQLITE_ROW;

	if (!ok)
		database_complain(db);
	else if (number)
		*number = sqlite3_column_int64(statement, 0);
	else
		snprintf(text, len, "%s", (const char *)sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	return ok;
}

static bool database_connect(struct database *db, const char *path, int flags, char **error)
{
	int code;

	*db = (struct database){ 0 };
	if (flags & SQLITE_OPEN_READWRITE)
		code = wal_open(path, &db->handle, flags | SQLITE_OPEN_NOMUTEX, &db->wal);
	else
		code = sqlite3_open_v2(path, &db->handle, flags | SQLITE_OPEN_NOMUTEX, NULL);
	if (code != SQLITE_OK) {
		database_complain(db);
		return database_refuse(db, path, db->fault, error);
	}
	sqlite3_extended_result_codes(db->handle, 1);
	sqlite3_busy_timeout(db->handle, BUSY_MS);
	return true;
}

/* The number of the schema that stands in the file, 0 for an empty file. */
static bool schema_find(struct database *db, const char *path, long long *version, char **error)
{
	long long application, tables;

	if (!database_ask(db, "PRAGMA application_id", &application, NULL, 0) ||
	    !database_ask(db, "PRAGMA user_version", version, NULL, 0) ||
	    !database_ask(db, "SELECT count(*) FROM sqlite_schema", &tables, NULL, 0))
		return database_refuse(db, path, db->fault, error);
	if (application != APPLICATION_ID && (application || *version || tables))
		return database_refuse(db, path, "this is a database of another program", error);
	return true;
}

static long long schema_newest(void)
{
	long long steps = 0;

	while (schema_steps[steps])
		steps++;
	return steps;
}

/* Each step says its own number at its end. */
static bool schema_apply(struct database *db, long long version)
{
	long long reached = 0;

	if (version == schema_newest())
		return true;
	if (!database_script(db, "BEGIN IMMEDIATE"))
		return false;
	for (long long step = version; schema_steps[step]; step++) {
		if (!database_script(db, schema_steps[step]) ||
		    !database_ask(db, "PRAGMA user_version", &reached, NULL, 0))
			return false;
		if (reached != step + 1) {
			snprintf(db->fault, sizeof(db->fault), "schema step %lld says that it is step %lld",
			         step + 1, reached);
			return false;
		}
	}
	return database_script(db, "COMMIT");
}

static bool journal_mode_set(struct database *db)
{
	char mode[16] = "";

	if (!database_ask(db, "PRAGMA journal_mode = WAL", NULL, mode, sizeof(mode)))
		return false;
	if (strcmp(mode, "wal") == 0)
		return true;
	snprintf(db->fault, sizeof(db->fault), "a write-ahead log is not possible on this file system");
	return false;
}

bool database_open_writer(struct database *db, const char *path, char **error)
{
	long long version = 0;

	if (!database_connect(db, path, SQLITE_OPEN_READWRITE, error) ||
	    !schema_find(db, path, &version, error))
		return false;
	if (version > schema_newest()) {
		*error = str_printf("%s: its schema is number %lld and this server knows up to %lld; run the "
		                    "newer server that made it", path, version, schema_newest());
		database_close(db);
		return false;
	}
	if (!journal_mode_set(db) || !schema_apply(db, version) || !database_script(db, writer_settings))
		return database_refuse(db, path, db->fault, error);
	return true;
}

bool database_open_reader(struct database *db, const char *path, char **error)
{
	if (!database_connect(db, path, SQLITE_OPEN_READONLY, error))
		return false;
	if (!database_script(db, reader_settings))
		return database_refuse(db, path, db->fault, error);
	return true;
}

void database_close(struct database *db)
{
	for (size_t i = 0; i < DATABASE_STATEMENTS; i++)
		sqlite3_finalize(db->statements[i]);
	sqlite3_close(db->handle);
	wal_free(&db->wal);
	memset(db->statements, 0, sizeof(db->statements));
	recent_clear(&db->recent);
	db->handle = NULL;
}

bool database_in_transaction(const struct database *db)
{
	return !sqlite3_get_autocommit(db->handle);
}

long long database_new_row(const struct database *db)
{
	return sqlite3_last_insert_rowid(db->handle);
}

int database_changes(const struct database *db)
{
	return sqlite3_total_changes(db->handle);
}
