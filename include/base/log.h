/* SPDX-License-Identifier: MIT
 *
 * The log: one line for an event, "time level id event key=value ...", to stderr, a file or syslog. Everything in a
 * value is escaped (C0, C1, quotes, blanks put it in quotes), so nothing from outside can forge a line. A value that is
 * absent is left out with its key. Never message content, never a secret. Callable on any thread; a line is written
 * whole.
 *
 *	log_info(log, name, "session bound", LOG_STR("jid", jid), LOG_INT("worker", 1));
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_target { LOG_TARGET_STDERR, LOG_TARGET_FILE, LOG_TARGET_SYSLOG };

struct log;

struct log_field {
	const char *key;        /* NULL ends the array */
	const char *text;       /* NULL: absent, or with len 0 number is meant */
	size_t len;             /* of text; SIZE_MAX: up to its NUL */
	int64_t number;
};

#define LOG_STR(key, value) { (key), (value), SIZE_MAX, 0 }
#define LOG_STRN(key, value, len) { (key), (value), (len), 0 }
#define LOG_INT(key, value) { (key), NULL, 0, (int64_t)(value) }

/* path: for LOG_TARGET_FILE. NULL and *error where the file cannot be opened (text owned by errno's table). */
struct log *log_open(enum log_target target, const char *path, enum log_level level, const char **error);
void log_close(struct log **log);
/* Opens the file anew (after rotation) and takes a new level; callable while other threads write. */
void log_reopen(struct log *log, enum log_level level);
/* Turns a level's name ("error", "warn", "info", "debug") into a level; -1: no such name. */
int log_level_find(const char *name);

/* id: of the stream, session, link or store that this is about; NULL where there is none. log NULL: nothing is
 * written. */
void log_write(struct log *log, enum log_level level, const char *id, const char *event,
               const struct log_field *fields);

#define LOG_LINE(log, level, id, event, ...) \
	log_write((log), (level), (id), (event), (const struct log_field[]){ __VA_ARGS__ __VA_OPT__(, ) { NULL, NULL, 0, 0 } })
#define log_error(log, id, ...) LOG_LINE(log, LOG_LEVEL_ERROR, id, __VA_ARGS__)
#define log_warn(log, id, ...) LOG_LINE(log, LOG_LEVEL_WARN, id, __VA_ARGS__)
#define log_info(log, id, ...) LOG_LINE(log, LOG_LEVEL_INFO, id, __VA_ARGS__)
#define log_debug(log, id, ...) LOG_LINE(log, LOG_LEVEL_DEBUG, id, __VA_ARGS__)

#endif
