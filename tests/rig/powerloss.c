/* SPDX-License-Identifier: MIT
 *
 * A disk that loses its power, for tests: a VFS of SQLite on top of the one of the system that keeps what is written in the
 * memory of the process and brings it to the files only when it is synchronised. SIGKILL is the loss of power: what was not
 * synchronised is forgotten. As on a real disk, a part of it may be there all the same: at random moments random sectors
 * are written early, in any order, so that files are torn.
 *
 * As a shared object it is preloaded into a program (LD_PRELOAD), whose databases are then on such a disk. A process that
 * ends in order leaves everything on the disk: the machine goes on. The rules:
 *   - a sector (512 bytes) is written whole or not at all, and nothing beside it changes (SQLITE_IOCAP_POWERSAFE_OVERWRITE);
 *   - a file that was made and never synchronised is empty, which SQLite takes for one that is not there;
 *   - a file that was removed may be there again until its folder is synchronised, which SQLite does with the first
 *     synchronising of a journal that it has made; an end that was cut off is there again until the file is synchronised;
 *   - shared memory (-shm) is nothing that anybody believes after a start: it is left to the system's VFS.
 *
 * The environment, read whenever a database is opened:
 *   POWERLOSS_SEED=number          of the random numbers; without it they differ each time
 *   POWERLOSS_EARLY=number         one write of so many takes sectors to the disk early (8); 0: none
 *   POWERLOSS_SYNCHRONOUS=OFF      every PRAGMA synchronous says this instead (at most four letters): what a test must notice
 *   POWERLOSS_SLOW=microseconds    synchronising takes up to so long
 *   POWERLOSS_STALL=path           while this file exists, writing and synchronising wait
 *   POWERLOSS_DIES=number          the power fails when the log has been synchronised so often, before anybody hears of it
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SECTOR = 512, STALL_US = 2000, EARLY_DEFAULT = 8, EARLY_MOST = 16 };

/* A file as its readers see it, and which of its sectors the disk does not have. */
struct disk_file {
	struct disk_file *next;
	char *path;
	int fd;                                 /* never closed while it may be locked: POSIX locks would go */
	bool gone;                              /* removed, but the disk may not know */
	size_t users;
	uint8_t *image, *is_dirty;              /* bytes; sectors */
	size_t room, size, disk_size;
	uint32_t *dirty;                        /* numbers of sectors */
	size_t dirty_count;
};

struct open_file {
	sqlite3_file base;
	struct disk_file *disk;
	bool syncs_folder, is_log;
	sqlite3_file *real;                     /* behind this struct: locks and shared memory */
};

static struct {
	pthread_mutex_t lock;
	sqlite3_vfs vfs, *real;
	struct disk_file *files;
	uint64_t random;
	unsigned early, slow, dies;
	bool is_counting;                       /* how often the log is synchronised until it dies */
	const char *synchronous, *stall;
} powerloss = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- settings ---- */

static unsigned long number_of(const char *name, unsigned long fallback)
{
	const char *text = getenv(name);

	return text && *text ? strtoul(text, NULL, 10) : fallback;
}

static void settings_read(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!powerloss.random)
		powerloss.random = number_of("POWERLOSS_SEED", (unsigned long)(now.tv_nsec ^ ((long)getpid() << 32)));
	powerloss.early = (unsigned)number_of("POWERLOSS_EARLY", EARLY_DEFAULT);
	powerloss.slow = (unsigned)number_of("POWERLOSS_SLOW", 0);
	powerloss.synchronous = getenv("POWERLOSS_SYNCHRONOUS");
	powerloss.stall = getenv("POWERLOSS_STALL");
	if (!powerloss.is_counting)
		powerloss.dies = (unsigned)number_of("POWERLOSS_DIES", 0);
	powerloss.is_counting = true;
}

/* Splitmix64. */
static size_t random_below(size_t bound)
{
	uint64_t z = powerloss.random += 0x9e3779b97f4a7c15U;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return (size_t)((z ^ (z >> 31)) % bound);
}

static void stall_wait(void)
{
	while (powerloss.stall && access(powerloss.stall, F_OK) == 0)
		usleep(STALL_US);
}

/* Others read meanwhile. */
static void slow_wait(void)
{
	useconds_t time = 0;

	pthread_mutex_lock(&powerloss.lock);
	if (powerloss.slow)
		time = (useconds_t)random_below(powerloss.slow);
	pthread_mutex_unlock(&powerloss.lock);
	if (time)
		usleep(time);
}

/* ---- a file on the disk ---- */

static size_t sectors_of(size_t size)
{
	return (size + SECTOR - 1) / SECTOR;
}

static bool room_make(struct disk_file *disk, size_t size)
{
	size_t room = disk->room ? disk->room : (size_t)64 * SECTOR, sectors, before = sectors_of(disk->room);
	void *image, *is_dirty, *dirty;

	while (room < size)
		room *= 2;
	if (room == disk->room)
		return true;
	sectors = sectors_of(room);
	if ((image = realloc(disk->image, room)))
		disk->image = image;
	if ((is_dirty = realloc(disk->is_dirty, sectors)))
		disk->is_dirty = is_dirty;
	if ((dirty = realloc(disk->dirty, sectors * sizeof(*disk->dirty))))
		disk->dirty = dirty;
	if (!image || !is_dirty || !dirty)
		return false;
	memset(disk->image + disk->room, 0, room - disk->room);
	memset(disk->is_dirty + before, 0, sectors - before);
	disk->room = room;
	return true;
}

static bool image_read(struct disk_file *disk)
{
	struct stat status;
	size_t got = 0;

	if (fstat(disk->fd, &status) != 0 || !room_make(disk, (size_t)status.st_size))
		return false;
	disk->size = disk->disk_size = (size_t)status.st_size;
	while (got < disk->size) {
		ssize_t more = pread(disk->fd, disk->image + got, disk->size - got, (off_t)got);

		if (more <= 0)
			return false;
		got += (size_t)more;
	}
	return true;
}

/* The dirty sector at that place of the list reaches the disk. */
static bool sector_write(struct disk_file *disk, size_t place)
{
	uint32_t sector = disk->dirty[place];
	size_t at = (size_t)sector * SECTOR, len = disk->size - at < SECTOR ? disk->size - at : SECTOR;

	if (pwrite(disk->fd, disk->image + at, len, (off_t)at) != (ssize_t)len)
		return false;
	if (disk->disk_size < at + len)
		disk->disk_size = at + len;
	disk->is_dirty[sector] = 0;
	disk->dirty[place] = disk->dirty[--disk->dirty_count];
	return true;
}

static bool disk_flush(struct disk_file *disk)
{
	if (disk->disk_size > disk->size && ftruncate(disk->fd, (off_t)disk->size) != 0)
		return false;
	if (disk->disk_size > disk->size)
		disk->disk_size = disk->size;
	while (disk->dirty_count > 0) {
		if (!sector_write(disk, random_below(disk->dirty_count)))
			return false;
	}
	return true;
}

/* What a disk does when it has nothing better to do. */
static void sectors_write_early(struct disk_file *disk)
{
	if (!powerloss.early || random_below(powerloss.early) != 0)
		return;
	for (size_t n = 1 + random_below(EARLY_MOST); n > 0 && disk->dirty_count > 0; n--) {
		if (!sector_write(disk, random_below(disk->dirty_count)))
			return;
	}
}

static void range_mark(struct disk_file *disk, size_t from, size_t to)
{
	for (size_t sector = from / SECTOR; sector < sectors_of(to); sector++) {
		if (!disk->is_dirty[sector])
			disk->dirty[disk->dirty_count++] = (uint32_t)sector;
		disk->is_dirty[sector] = 1;
	}
}

static bool disk_write(struct disk_file *disk, const void *bytes, size_t len, size_t at)
{
	if (!room_make(disk, at + len))
		return false;
	memcpy(disk->image + at, bytes, len);
	range_mark(disk, disk->size < at ? disk->size : at, at + len);
	if (disk->size < at + len)
		disk->size = at + len;
	sectors_write_early(disk);
	return true;
}

static void disk_cut(struct disk_file *disk, size_t size)
{
	size_t kept = 0;

	if (size >= disk->size)
		return;
	for (size_t i = 0; i < disk->dirty_count; i++) {
		uint32_t sector = disk->dirty[i];

		disk->is_dirty[sector] = sector < sectors_of(size);
		if (disk->is_dirty[sector])
			disk->dirty[kept++] = sector;
	}
	disk->dirty_count = kept;
	memset(disk->image + size, 0, disk->size - size);
	disk->size = size;
}

/* ---- all files ---- */

static struct disk_file *disk_find(const char *path)
{
	struct disk_file *disk = powerloss.files;

	while (disk && strcmp(disk->path, path) != 0)
		disk = disk->next;
	return disk;
}

static void disk_forget(struct disk_file *disk)
{
	struct disk_file **link = &powerloss.files;

	while (*link != disk)
		link = &(*link)->next;
	*link = disk->next;
	close(disk->fd);
	free(disk->path);
	free(disk->image);
	free(disk->is_dirty);
	free(disk->dirty);
	free(disk);
}

static struct disk_file *disk_new(const char *path)
{
	struct disk_file *disk = calloc(1, sizeof(*disk));

	if (!disk)
		return NULL;
	disk->next = powerloss.files;
	powerloss.files = disk;
	disk->path = strdup(path);
	disk->fd = open(path, O_RDWR | O_CLOEXEC);
	if (disk->path && disk->fd >= 0 && image_read(disk))
		return disk;
	disk_forget(disk);
	return NULL;
}

/* One that was removed is made anew: empty, whatever the disk still has. */
static struct disk_file *disk_use(const char *path)
{
	struct disk_file *disk = disk_find(path);

	if (!disk)
		disk = disk_new(path);
	if (!disk)
		return NULL;
	disk->gone = false;
	disk->users++;
	return disk;
}

/* All databases of a process are in one folder. */
static void folder_sync(void)
{
	struct disk_file *disk, *next;

	for (disk = powerloss.files; disk; disk = next) {
		next = disk->next;
		if (!disk->gone || disk->users > 0)
			continue;
		unlink(disk->path);
		disk_forget(disk);
	}
}

static void disk_remove(struct disk_file *disk, bool syncs_folder)
{
	disk_cut(disk, 0);
	disk->gone = true;
	if (syncs_folder || (powerloss.early && random_below(2) == 0))
		folder_sync();
}

/* The process ends in order: what the system still holds reaches the disk in time. */
__attribute__((destructor)) static void disks_settle(void)
{
	struct disk_file *disk;

	while ((disk = powerloss.files)) {
		if (disk->gone)
			unlink(disk->path);
		else
			disk_flush(disk);
		disk_forget(disk);
	}
}

/* ---- SQLite's files ---- */

static struct open_file *opened(sqlite3_file *file)
{
	return (struct open_file *)file;
}

static int file_close(sqlite3_file *file)
{
	struct open_file *f = opened(file);

	pthread_mutex_lock(&powerloss.lock);
	f->disk->users--;
	pthread_mutex_unlock(&powerloss.lock);
	return f->real->pMethods->xClose(f->real);
}

/* What is behind the end reads as zeros. */
static int file_read(sqlite3_file *file, void *out, int len, sqlite3_int64 at)
{
	struct disk_file *disk = opened(file)->disk;
	size_t wanted = (size_t)len, from = (size_t)at, got;

	pthread_mutex_lock(&powerloss.lock);
	got = from >= disk->size ? 0 : disk->size - from;
	got = got < wanted ? got : wanted;
	if (got > 0)
		memcpy(out, disk->image + from, got);
	pthread_mutex_unlock(&powerloss.lock);
	memset((char *)out + got, 0, wanted - got);
	return got < wanted ? SQLITE_IOERR_SHORT_READ : SQLITE_OK;
}

static int file_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at)
{
	bool done;

	stall_wait();
	pthread_mutex_lock(&powerloss.lock);
	done = disk_write(opened(file)->disk, bytes, (size_t)len, (size_t)at);
	pthread_mutex_unlock(&powerloss.lock);
	return done ? SQLITE_OK : SQLITE_IOERR_NOMEM;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	stall_wait();
	pthread_mutex_lock(&powerloss.lock);
	disk_cut(opened(file)->disk, (size_t)size);
	pthread_mutex_unlock(&powerloss.lock);
	return SQLITE_OK;
}

/* Mostly that is a commit. */
static void log_synchronised(const struct open_file *f)
{
	if (f->is_log && powerloss.dies > 0 && --powerloss.dies == 0)
		kill(getpid(), SIGKILL);
}

static int file_sync(sqlite3_file *file, int flags)
{
	struct open_file *f = opened(file);
	bool done;

	(void)flags;
	stall_wait();
	slow_wait();
	pthread_mutex_lock(&powerloss.lock);
	done = disk_flush(f->disk);
	if (done && f->syncs_folder)
		folder_sync();
	f->syncs_folder &= !done;
	log_synchronised(f);
	pthread_mutex_unlock(&powerloss.lock);
	return done ? SQLITE_OK : SQLITE_IOERR_FSYNC;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
	pthread_mutex_lock(&powerloss.lock);
	*size = (sqlite3_int64)opened(file)->disk->size;
	pthread_mutex_unlock(&powerloss.lock);
	return SQLITE_OK;
}

static int file_lock(sqlite3_file *file, int lock)
{
	sqlite3_file *real = opened(file)->real;

	return real->pMethods->xLock(real, lock);
}

static int file_unlock(sqlite3_file *file, int lock)
{
	sqlite3_file *real = opened(file)->real;

	return real->pMethods->xUnlock(real, lock);
}

static int file_check_lock(sqlite3_file *file, int *held)
{
	sqlite3_file *real = opened(file)->real;

	return real->pMethods->xCheckReservedLock(real, held);
}

/* SQLite reads the value after it has asked us: what it finds then is another. */
static int file_control(sqlite3_file *file, int op, void *arg)
{
	sqlite3_file *real = opened(file)->real;
	char **pragma = arg;

	if (op == SQLITE_FCNTL_SIZE_HINT)
		return SQLITE_OK;
	if (op == SQLITE_FCNTL_PRAGMA && powerloss.synchronous && pragma[2] &&
	    sqlite3_stricmp(pragma[1], "synchronous") == 0 && strlen(powerloss.synchronous) <= strlen(pragma[2]))
		memcpy(pragma[2], powerloss.synchronous, strlen(powerloss.synchronous) + 1);
	return real->pMethods->xFileControl(real, op, arg);
}

static int file_sector_size(sqlite3_file *file)
{
	(void)file;
	return SECTOR;
}

static int file_device(sqlite3_file *file)
{
	(void)file;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int file_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
	sqlite3_file *real = opened(file)->real;

	return real->pMethods->xShmMap(real, page, size, extend, out);
}

static int file_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
	sqlite3_file *real = opened(file)->real;

	return real->pMethods->xShmLock(real, offset, count, flags);
}

static void file_shm_barrier(sqlite3_file *file)
{
	sqlite3_file *real = opened(file)->real;

	real->pMethods->xShmBarrier(real);
}

static int file_shm_unmap(sqlite3_file *file, int remove)
{
	sqlite3_file *real = opened(file)->real;

	return real->pMethods->xShmUnmap(real, remove);
}

/* Version 2: nothing is mapped into memory behind our back. */
static const sqlite3_io_methods file_methods = {
	.iVersion = 2,
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_check_lock,
	.xFileControl = file_control,
	.xSectorSize = file_sector_size,
	.xDeviceCharacteristics = file_device,
	.xShmMap = file_shm_map,
	.xShmLock = file_shm_lock,
	.xShmBarrier = file_shm_barrier,
	.xShmUnmap = file_shm_unmap,
};

/* ---- the VFS ---- */

static bool is_gone(const char *path)
{
	struct disk_file *disk;
	bool gone;

	pthread_mutex_lock(&powerloss.lock);
	disk = disk_find(path);
	gone = disk && disk->gone;
	pthread_mutex_unlock(&powerloss.lock);
	return gone;
}

static int disk_attach(struct open_file *f, const char *path)
{
	pthread_mutex_lock(&powerloss.lock);
	settings_read();
	f->disk = disk_use(path);
	pthread_mutex_unlock(&powerloss.lock);
	if (f->disk) {
		f->base.pMethods = &file_methods;
		return SQLITE_OK;
	}
	f->real->pMethods->xClose(f->real);
	return SQLITE_CANTOPEN;
}

/* Temporary files mean nothing after a crash. */
static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out_flags)
{
	const int lasting = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL;
	struct open_file *f = opened(file);
	int status;

	(void)vfs;
	if (!path || !(flags & lasting))
		return powerloss.real->xOpen(powerloss.real, path, file, flags, out_flags);
	memset(f, 0, sizeof(*f));
	if (!(flags & SQLITE_OPEN_CREATE) && is_gone(path))
		return SQLITE_CANTOPEN;
	f->real = (sqlite3_file *)(f + 1);
	f->syncs_folder = (flags & SQLITE_OPEN_CREATE) && !(flags & SQLITE_OPEN_MAIN_DB);
	f->is_log = flags & SQLITE_OPEN_WAL;
	status = powerloss.real->xOpen(powerloss.real, path, f->real, flags, out_flags);
	return status == SQLITE_OK ? disk_attach(f, path) : status;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
	struct disk_file *disk;

	(void)vfs;
	stall_wait();
	pthread_mutex_lock(&powerloss.lock);
	disk = disk_find(path);
	if (disk)
		disk_remove(disk, sync_folder);
	pthread_mutex_unlock(&powerloss.lock);
	return disk ? SQLITE_OK : powerloss.real->xDelete(powerloss.real, path, sync_folder);
}

/* An empty file is none, as for the system's VFS. */
static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *out)
{
	struct disk_file *disk;
	bool exists;

	(void)vfs;
	pthread_mutex_lock(&powerloss.lock);
	disk = disk_find(path);
	exists = disk && !disk->gone && disk->size > 0;
	pthread_mutex_unlock(&powerloss.lock);
	if (!disk || flags != SQLITE_ACCESS_EXISTS)
		return powerloss.real->xAccess(powerloss.real, path, flags, out);
	*out = exists;
	return SQLITE_OK;
}

__attribute__((constructor)) static void powerloss_register(void)
{
	sqlite3_initialize();
	powerloss.real = sqlite3_vfs_find(NULL);
	powerloss.vfs = *powerloss.real;
	powerloss.vfs.zName = "powerloss";
	powerloss.vfs.szOsFile = (int)sizeof(struct open_file) + powerloss.real->szOsFile;
	powerloss.vfs.pNext = NULL;
	powerloss.vfs.xOpen = vfs_open;
	powerloss.vfs.xDelete = vfs_delete;
	powerloss.vfs.xAccess = vfs_access;
	if (sqlite3_vfs_register(&powerloss.vfs, 1) != SQLITE_OK)
		abort();
}
