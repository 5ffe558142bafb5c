/* SPDX-License-Identifier: MIT
 *
 * The database file as a file: whose it is, and that it is there.
 */
#ifndef SQLITE_FILE_H
#define SQLITE_FILE_H

#include <stdbool.h>

/* Claims path for this process by a lock on "path-lock", where its number is written, then makes the file
 * where it is missing, mode 0600. *lock is closed to give it back. false and a malloc'ed sentence in
 * *error. */
bool sqlite_file_claim(const char *path, int *lock, char **error);

#endif
