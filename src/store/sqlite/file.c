/* SPDX-License-Identifier: MIT
 *
 * Claiming the database file. The lock is on a file of its own: SQLite's locks on the database are POSIX
 * locks, which a process loses when it closes any descriptor of the file. The kernel gives the lock back
 * however the process ends.
 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/mem.h"

static bool file_refuse(const char *path, const char *what, char **error)
{
	*error = str_printf("%s: %s: %s", path, what, strerror(errno));
	return false;
}

static char *holder_sentence(const char *path, int lock)
{
	char holder[16] = "";
	ssize_t len = pread(lock, holder, sizeof(holder) - 1, 0);
	long number = len > 0 ? strtol(holder, NULL, 10) : 0;

	if (number <= 0)
		return str_printf("%s: in use by another server", path);
	return str_printf("%s: in use by another server, process %ld", path, number);
}

static bool lock_take(const char *path, int *lock, char **error)
{
	char *lock_path = str_printf("%s-lock", path);
	bool ok = false;

	*lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*lock < 0)
		file_refuse(lock_path, "cannot be opened", error);
	else if (flock(*lock, LOCK_EX | LOCK_NB) == 0)
		ok = ftruncate(*lock, 0) == 0 && dprintf(*lock, "%ld\n", (long)getpid()) > 0;
	else if (errno == EWOULDBLOCK)
		*error = holder_sentence(path, *lock);
	if (!ok && !*error)
		file_refuse(lock_path, "cannot be locked", error);
	if (!ok && *lock >= 0)
		close(*lock);
	free(lock_path);
	return ok;
}

/* A new name lasts when its folder is on the disk. */
static bool folder_sync(const char *path)
{
	char *copy = str_dup(path);
	int folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = folder >= 0 && fsync(folder) == 0;

	if (folder >= 0)
		close(folder);
	free(copy);
	return ok;
}

static bool file_make(const char *path, char **error)
{
	int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (file < 0)
		return errno == EEXIST || file_refuse(path, "cannot be made", error);
	close(file);
	return folder_sync(path) || file_refuse(path, "its folder cannot be written", error);
}

bool sqlite_file_claim(const char *path, int *lock, char **error)
{
	*error = NULL;
	if (!lock_take(path, lock, error))
		return false;
	if (file_make(path, error))
		return true;
	close(*lock);
	return false;
}
