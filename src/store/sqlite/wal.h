/* SPDX-License-Identifier: MIT
 *
 * How the writer's write-ahead log reaches the file: SQLite writes each page with two small system calls, and here what
 * follows one another leaves with one for many pages.
 */
#ifndef SQLITE_WAL_H
#define SQLITE_WAL_H

struct sqlite3;
struct wal;

/* Opens a database whose log is written so; like sqlite3_open_v2. *wal is freed after the database is closed. */
int wal_open(const char *path, struct sqlite3 **handle, int flags, struct wal **wal);
void wal_free(struct wal **wal);        /* NULL is fine */

#endif
