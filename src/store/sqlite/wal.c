/* SPDX-License-Identifier: MIT
 *
 * A VFS on top of the system's that gathers writes to the write-ahead log (https://www.sqlite.org/walformat.html,
 * https://www.sqlite.org/c3ref/vfs.html). Other files pass through.
 *
 * What must stay true: whoever is told of a page finds it in the file. SQLite tells others of a transaction's pages
 * after the last of them has been written and synchronised, and of no others. So only what continues the write before is
 * gathered, and all of it leaves with the frame that ends the transaction, and before the file is read, synchronised, cut
 * or closed. What a failed write has left is forgotten with it: its transaction is rolled back, and the next one writes
 * in the same place again.
 *
 * A transaction counts when its last frame is synchronised. Whoever does not want it any more by then can say so: the frame
 * is made void, so that nobody finds the transaction who reads the log after a crash, and SQLite is told of a failure.
 */
#include "wal.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
	GATHERED_MAX = 127 * 1024, /* the system's VFS writes less than 128 KiB at once */
	FRAME_HEADER = 24, /* page number, pages of the database after a commit or 0, salts, checksums */
	COMMIT_AT = 4,
};

struct wal {
	sqlite3_vfs vfs;        /* first */
	char name[32];
	bool (*verdict)(void *context);
	void *context;
};

/* The log, and behind it the file as the system's VFS knows it. */
struct wal_file {
	sqlite3_file base;
	const struct wal *wal;
	char *gathered;
	size_t len;
	sqlite3_int64 at;       /* of what was gathered */
	sqlite3_int64 next;     /* where the next write goes if it continues */
	bool ends;              /* the next write ends a transaction */
	bool ended;             /* one is written and not synchronised, */
	sqlite3_int64 ended_at; /* whose last frame is here */
};

static sqlite3_file *file_below(struct wal_file *file)
{
	return (sqlite3_file *)(file + 1);
}

static struct wal_file *wal_file(sqlite3_file *file)
{
	return (struct wal_file *)file;
}

/* ---- writing ---- */

static int file_flush(struct wal_file *file)
{
	sqlite3_file *below = file_below(file);
	size_t len = file->len;
	int code;

	if (len == 0)
		return SQLITE_OK;
	file->len = 0;
	code = below->pMethods->xWrite(below, file->gathered, (int)len, file->at);
	if (code != SQLITE_OK)
		file->next = -1;
	return code;
}

static int file_write_through(struct wal_file *file, const void *bytes, int len, sqlite3_int64 at)
{
	sqlite3_file *below = file_below(file);
	int code = below->pMethods->xWrite(below, bytes, len, at);

	file->next = code == SQLITE_OK ? at + len : -1;
	return code;
}

static void file_gather(struct wal_file *file, const void *bytes, int len)
{
	if (!file->gathered)
		file->gathered = mem_alloc(GATHERED_MAX);
	if (file->len == 0)
		file->at = file->next;
	memcpy(file->gathered + file->len, bytes, (size_t)len);
	file->len += (size_t)len;
	file->next += len;
}

static bool header_ends_transaction(const void *bytes, int len)
{
	static const char none[4];

	return len == FRAME_HEADER && memcmp((const char *)bytes + COMMIT_AT, none, sizeof(none)) != 0;
}

static int wal_write(sqlite3_file *given, const void *bytes, int len, sqlite3_int64 at)
{
	struct wal_file *file = wal_file(given);
	bool continues = at == file->next && len <= GATHERED_MAX, ended = file->ends;
	int code = SQLITE_OK;

	file->ends = continues && header_ends_transaction(bytes, len);
	if (header_ends_transaction(bytes, len)) {
		file->ended = true;
		file->ended_at = at;
	}
	if (!continues || file->len + (size_t)len > GATHERED_MAX)
		code = file_flush(file);
	if (code != SQLITE_OK)
		return code;
	if (!continues)
		return file_write_through(file, bytes, len, at);
	file_gather(file, bytes, len);
	return ended ? file_flush(file) : SQLITE_OK;
}

/* ---- everything else ---- */

static int wal_read(sqlite3_file *given, void *bytes, int len, sqlite3_int64 at)
{
	sqlite3_file *below = file_below(wal_file(given));
	int code = file_flush(wal_file(given));

	return code == SQLITE_OK ? below->pMethods->xRead(below, bytes, len, at) : code;
}

static int wal_truncate(sqlite3_file *given, sqlite3_int64 size)
{
	sqlite3_file *below = file_below(wal_file(given));
	int code = file_flush(wal_file(given));

	wal_file(given)->next = -1;
	return code == SQLITE_OK ? below->pMethods->xTruncate(below, size) : code;
}

/* Without its header the frame is none, and what is behind it neither. */
static int file_undo(struct wal_file *file, int flags)
{
	static const char none[FRAME_HEADER];
	sqlite3_file *below = file_below(file);

	file->next = -1;
	if (below->pMethods->xWrite(below, none, sizeof(none), file->ended_at) == SQLITE_OK)
		below->pMethods->xSync(below, flags);
	return SQLITE_IOERR_FSYNC;
}

static int wal_sync(sqlite3_file *given, int flags)
{
	struct wal_file *file = wal_file(given);
	sqlite3_file *below = file_below(file);
	bool ended = file->ended;
	int code = file_flush(file);

	file->ended = false;
	if (code == SQLITE_OK)
		code = below->pMethods->xSync(below, flags);
	if (code == SQLITE_OK && ended && file->wal->verdict && !file->wal->verdict(file->wal->context))
		return file_undo(file, flags);
	return code;
}

static int wal_size(sqlite3_file *given, sqlite3_int64 *size)
{
	sqlite3_file *below = file_below(wal_file(given));
	int code = file_flush(wal_file(given));

	return code == SQLITE_OK ? below->pMethods->xFileSize(below, size) : code;
}

static int wal_close(sqlite3_file *given)
{
	sqlite3_file *below = file_below(wal_file(given));
	int flushed = file_flush(wal_file(given)), closed = below->pMethods->xClose(below);

	free(wal_file(given)->gathered);
	return flushed == SQLITE_OK ? closed : flushed;
}

static int wal_lock(sqlite3_file *given, int lock)
{
	sqlite3_file *below = file_below(wal_file(given));

	return below->pMethods->xLock(below, lock);
}

static int wal_unlock(sqlite3_file *given, int lock)
{
	sqlite3_file *below = file_below(wal_file(given));

	return below->pMethods->xUnlock(below, lock);
}

static int wal_check_lock(sqlite3_file *given, int *is_reserved)
{
	sqlite3_file *below = file_below(wal_file(given));

	return below->pMethods->xCheckReservedLock(below, is_reserved);
}

static int wal_control(sqlite3_file *given, int op, void *arg)
{
	sqlite3_file *below = file_below(wal_file(given));

	return below->pMethods->xFileControl(below, op, arg);
}

static int wal_sector_size(sqlite3_file *given)
{
	sqlite3_file *below = file_below(wal_file(given));

	return below->pMethods->xSectorSize(below);
}

static int wal_characteristics(sqlite3_file *given)
{
	sqlite3_file *below = file_below(wal_file(given));

	return below->pMethods->xDeviceCharacteristics(below);
}

static const sqlite3_io_methods wal_methods = {
	.iVersion = 1,
	.xClose = wal_close,
	.xRead = wal_read,
	.xWrite = wal_write,
	.xTruncate = wal_truncate,
	.xSync = wal_sync,
	.xFileSize = wal_size,
	.xLock = wal_lock,
	.xUnlock = wal_unlock,
	.xCheckReservedLock = wal_check_lock,
	.xFileControl = wal_control,
	.xSectorSize = wal_sector_size,
	.xDeviceCharacteristics = wal_characteristics,
};

/* ---- the VFS ---- */

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename path, sqlite3_file *given, int flags, int *out_flags)
{
	sqlite3_vfs *below = vfs->pAppData;
	struct wal_file *file = wal_file(given);
	int code;

	if (!(flags & SQLITE_OPEN_WAL))
		return below->xOpen(below, path, given, flags, out_flags);
	*file = (struct wal_file){ .next = -1, .wal = (const struct wal *)vfs };
	code = below->xOpen(below, path, file_below(file), flags, out_flags);
	if (code == SQLITE_OK)
		file->base.pMethods = &wal_methods;
	return code;
}

/* A connection keeps its VFS when others can no longer find it. */
int wal_open(const char *path, struct sqlite3 **handle, int flags, struct wal **out)
{
	sqlite3_vfs *below = sqlite3_vfs_find(NULL);
	struct wal *wal = mem_zalloc(sizeof(*wal));
	int code;

	assert(sizeof(struct wal_file) % 8 == 0);
	snprintf(wal->name, sizeof(wal->name), "wal-%p", (void *)wal);
	wal->vfs = *below;
	wal->vfs.zName = wal->name;
	wal->vfs.pNext = NULL;
	wal->vfs.pAppData = below;
	wal->vfs.szOsFile = (int)sizeof(struct wal_file) + below->szOsFile;
	wal->vfs.xOpen = vfs_open;
	code = sqlite3_vfs_register(&wal->vfs, 0);
	if (code == SQLITE_OK)
		code = sqlite3_open_v2(path, handle, flags, wal->name);
	sqlite3_vfs_unregister(&wal->vfs);
	*out = wal;
	return code;
}

void wal_set_verdict(struct wal *wal, bool (*verdict)(void *context), void *context)
{
	wal->verdict = verdict;
	wal->context = context;
}

void wal_free(struct wal **wal)
{
	free(*wal);
	*wal = NULL;
}
