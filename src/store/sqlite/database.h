/* SPDX-License-Identifier: MIT
 *
 * One connection to the database file, used by one thread at a time: the writer's, which makes the file and
 * brings its schema up to date, and the readers', which can change nothing. With query.c the only door to
 * SQLite.
 */
#ifndef SQLITE_DATABASE_H
#define SQLITE_DATABASE_H

#include <stdbool.h>

#include "recent.h"

struct sqlite3;
struct sqlite3_stmt;
struct wal;

enum { DATABASE_STATEMENTS = 96 };

struct database {
	struct sqlite3 *handle;
	struct wal *wal;                                        /* the writer's */
	struct sqlite3_stmt *statements[DATABASE_STATEMENTS];   /* by enum query_name; NULL: not prepared */
	struct recent recent;                                   /* the writer's */
	char fault[160];                                        /* why what failed last has failed */
};

/* The steps of schema/sqlite, made into C when the server is built; NULL ends them. A step's number is its
 * place, counted from 1. */
extern const char *const schema_steps[];

/* false and a malloc'ed sentence in *error. The writer's connection is opened before the readers'. */
bool database_open_writer(struct database *db, const char *path, char **error);
bool database_open_reader(struct database *db, const char *path, char **error);
void database_close(struct database *db);

/* A failed statement may have rolled the whole transaction back. */
bool database_in_transaction(const struct database *db);
/* The row that the last INSERT has made. */
long long database_new_row(const struct database *db);
/* Rows changed so far, those that were undone and those of triggers among them. */
int database_changes(const struct database *db);
/* Remembers SQLite's newest complaint as the fault. */
void database_complain(struct database *db);

#endif
