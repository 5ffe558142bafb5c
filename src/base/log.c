/* SPDX-License-Identifier: MIT
 *
 * Log lines are made on the stack of the thread that writes them and go out with one write(2), so lines of
 * several threads never mix. A line has a bound; what does not fit is cut, and the line says so. Reopening
 * puts the new file under the old descriptor: a writer on another thread writes to the one or the other,
 * never to neither.
 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum { LOG_LINE_MAX = 4096, LOG_FILE_MODE = 0640 };

struct log {
	enum log_target target;
	int fd;
	char *path; /* LOG_TARGET_FILE */
	_Atomic int level;
};

struct log_line {
	size_t len;
	bool cut;
	char text[LOG_LINE_MAX];
};

static const char *const level_names[] = { "error", "warn", "info", "debug" };
static const int level_priorities[] = { LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

static int file_open(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, LOG_FILE_MODE);
}

struct log *log_open(enum log_target target, const char *path, enum log_level level, const char **error)
{
	struct log *log;
	int fd = target == LOG_TARGET_FILE ? file_open(path) : STDERR_FILENO;

	if (fd < 0) {
		*error = strerrordesc_np(errno);
		return NULL;
	}
	log = mem_zalloc(sizeof(*log));
	log->target = target;
	log->fd = fd;
	log->path = target == LOG_TARGET_FILE ? str_dup(path) : NULL;
	log->level = (int)level;
	if (target == LOG_TARGET_SYSLOG)
		openlog("hansad", LOG_PID | LOG_NDELAY, LOG_DAEMON);
	return log;
}

void log_close(struct log **log)
{
	if (!*log)
		return;
	if ((*log)->target == LOG_TARGET_FILE)
		close((*log)->fd);
	if ((*log)->target == LOG_TARGET_SYSLOG)
		closelog();
	free((*log)->path);
	free(*log);
	*log = NULL;
}

/* A file that cannot be opened any more leaves the old one in use, and says so there. */
void log_reopen(struct log *log, enum log_level level)
{
	int fd;

	log->level = (int)level;
	if (log->target != LOG_TARGET_FILE)
		return;
	fd = file_open(log->path);
	if (fd < 0 || dup3(fd, log->fd, O_CLOEXEC) < 0)
		log_error(log, NULL, "log file not reopened", LOG_STR("file", log->path),
		          LOG_STR("error", strerrordesc_np(errno)));
	if (fd >= 0)
		close(fd);
}

int log_level_find(const char *name)
{
	for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
		if (strcmp(name, level_names[i]) == 0)
			return (int)i;
	}
	return -1;
}

/* The end keeps room for " cut" and the line's end. */
static void line_add(struct log_line *line, const char *text, size_t len)
{
	if (line->cut || len > sizeof(line->text) - sizeof(" cut\n") - line->len) {
		line->cut = true;
		return;
	}
	memcpy(line->text + line->len, text, len);
	line->len += len;
}

static void line_add_str(struct log_line *line, const char *s)
{
	line_add(line, s, strlen(s));
}

static bool is_continuation(unsigned char byte)
{
	return (byte & 0xc0) == 0x80;
}

/* The length of the UTF-8 character at text when it may stand in a log as it is; 0: its first byte must be
 * escaped. C0, DEL, C1, line and paragraph separators and marks that reorder text may not. Overlong forms
 * never decode to an ASCII character in a reader that checks, and are refused here. */
static size_t char_len(const unsigned char *text, size_t len)
{
	if (text[0] < 0x80)
		return text[0] >= 0x20 && text[0] != 0x7f;
	if (len >= 2 && text[0] >= 0xc2 && text[0] <= 0xdf && is_continuation(text[1]))
		return text[0] == 0xc2 && text[1] < 0xa0 ? 0 : 2;
	if (len >= 3 && (text[0] & 0xf0) == 0xe0 && is_continuation(text[1]) && is_continuation(text[2])) {
		unsigned code = (text[0] & 0x0fu) << 12 | (text[1] & 0x3fu) << 6 | (text[2] & 0x3fu);
		bool reorders = (code >= 0x200e && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
		                (code >= 0x2066 && code <= 0x2069);

		return code < 0x800 || (code >= 0xd800 && code <= 0xdfff) || reorders ? 0 : 3;
	}
	if (len >= 4 && text[0] >= 0xf0 && text[0] <= 0xf4 && is_continuation(text[1]) &&
	    is_continuation(text[2]) && is_continuation(text[3])) {
		unsigned high = (text[0] & 7u) << 6 | (text[1] & 0x3fu); /* without the last 12 bits */

		return high < 0x10 || high > 0x10f ? 0 : 4;
	}
	return 0;
}

static bool text_is_plain(const char *text, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		n = char_len((const unsigned char *)text + i, len - i);
		if (n == 0 || strchr(" \"\\=", text[i]))
			return false;
	}
	return len > 0;
}

static void line_add_quoted(struct log_line *line, const char *text, size_t len)
{
	line_add(line, "\"", 1);
	for (size_t i = 0, n; i < len && !line->cut; i += n) {
		char escape[8];

		n = char_len((const unsigned char *)text + i, len - i);
		if (n == 0) {
			snprintf(escape, sizeof(escape), "\\x%02x", (unsigned char)text[i]);
			line_add(line, escape, 4);
			n = 1;
		} else {
			if (text[i] == '"' || text[i] == '\\')
				line_add(line, "\\", 1);
			line_add(line, text + i, n);
		}
	}
	line_add(line, "\"", 1);
}

static void line_add_text(struct log_line *line, const char *text, size_t len)
{
	if (text_is_plain(text, len))
		line_add(line, text, len);
	else
		line_add_quoted(line, text, len);
}

static bool field_is_absent(const struct log_field *field)
{
	return !field->text && field->len > 0;
}

static void line_add_field(struct log_line *line, const struct log_field *field)
{
	char number[24];

	line_add_str(line, " ");
	line_add_str(line, field->key);
	line_add_str(line, "=");
	if (field->text) {
		line_add_text(line, field->text, field->len == SIZE_MAX ? strlen(field->text) : field->len);
	} else {
		snprintf(number, sizeof(number), "%lld", (long long)field->number);
		line_add_str(line, number);
	}
}

/* "2026-01-31T08:00:00.000Z info ": syslog writes both itself. */
static void line_add_head(struct log_line *line, enum log_level level)
{
	int64_t now_us = clock_wall_us(&clock_system);
	time_t seconds = (time_t)(now_us / 1000000);
	struct tm tm;
	char stamp[64];

	gmtime_r(&seconds, &tm);
	snprintf(stamp, sizeof(stamp), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ %s ", tm.tm_year + 1900,
	         tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(now_us / 1000 % 1000),
	         level_names[level]);
	line_add_str(line, stamp);
}

static void line_end(struct log_line *line)
{
	if (line->cut) {
		memcpy(line->text + line->len, " cut", 4);
		line->len += 4;
	}
	line->text[line->len++] = '\n';
}

void log_write(struct log *log, enum log_level level, const char *id, const char *event,
               const struct log_field *fields)
{
	struct log_line line;

	if (!log || (int)level > atomic_load_explicit(&log->level, memory_order_relaxed))
		return;
	line.len = 0;
	line.cut = false;
	if (log->target != LOG_TARGET_SYSLOG)
		line_add_head(&line, level);
	line_add_text(&line, id ? id : "-", strlen(id ? id : "-"));
	line_add_str(&line, " ");
	line_add_str(&line, event);
	for (; fields->key; fields++) {
		if (!field_is_absent(fields))
			line_add_field(&line, fields);
	}
	line_end(&line);
	if (log->target == LOG_TARGET_SYSLOG)
		syslog(level_priorities[level], "%.*s", (int)line.len - 1, line.text);
	else if (write(log->fd, line.text, line.len) < 0)
		return; /* nobody is left who could be told */
}
