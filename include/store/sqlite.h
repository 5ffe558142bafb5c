/* SPDX-License-Identifier: MIT
 *
 * The embedded store: SQLite in WAL with synchronous=FULL. One writer thread commits whatever has gathered as
 * one transaction, reader threads answer beside it, and one more gives up what has waited too long. Schema steps
 * are numbered, applied at opening in a transaction, and never undone: a newer schema is refused with a sentence.
 */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include "store/store.h"

/* 0 stands for the number in brackets. */
struct store_sqlite_options {
	const char *path;               /* of the database file; made where it is missing, mode 0600 */
	size_t readers;                 /* threads (2) */
	uint32_t gather_us;             /* how long the writer waits for company before it commits (0) */
	uint32_t patience_ms;           /* how long a request may wait before it is given up (5000) */
	size_t queue_limit;             /* requests waiting at most (100000); beyond: STORE_FULL */
	size_t queue_bytes;             /* and the memory that they hold at most (64 MiB) */
	struct log *log;
};

/* Closing waits for a disk that hangs as long as for a request, and leaves the threads behind then: for the end of a process.
 * NULL and a malloc'ed sentence in *error: a file that another server has open, is of another program or
 * of a newer schema. Beside the file lie path-wal, path-shm and path-lock. */
struct store *store_sqlite_open(const struct store_sqlite_options *options, char **error);

#endif
