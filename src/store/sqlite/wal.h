/* SPDX-License-Identifier: MIT
 *
 * How the writer's write-ahead log reaches the file: SQLite writes each page with two small system calls, and here what
 * follows one another leaves with one for many pages; and who has a last word in what is committed.
 */
#ifndef SQLITE_WAL_H
#define SQLITE_WAL_H

#include <stdbool.h>

struct sqlite3;
struct wal;

/* Opens a database whose log is written so; like sqlite3_open_v2. *wal is freed after the database is closed. */
int wal_open(const char *path, struct sqlite3 **handle, int flags, struct wal **wal);
/* Asked when all of a transaction is on the disk: does it count? Where not, it is undone there and has failed. */
void wal_set_verdict(struct wal *wal, bool (*verdict)(void *context), void *context);
void wal_free(struct wal **wal);        /* NULL is fine */

#endif
