/* SPDX-License-Identifier: MIT
 *
 * The embedded store: SQLite in WAL with synchronous=FULL. One writer thread commits whatever has gathered as one
 * transaction, a savepoint for each request; reader threads answer beside it. Schema steps are numbered, applied at
 * opening in a transaction, and never undone: a newer schema is refused with a sentence.
 */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include "store/store.h"

struct store_sqlite_options {
	const char *path;               /* of the database file; made where it is missing, mode 0600 */
	size_t readers;                 /* threads (2) */
	uint32_t gather_us;             /* how long the writer waits for company before it commits (0) */
	size_t queue_limit;             /* requests waiting at most (100000); beyond: STORE_FULL */
	struct log *log;
};

/* NULL and a malloc'ed sentence in *error. */
struct store *store_sqlite_open(const struct store_sqlite_options *options, char **error);

#endif
