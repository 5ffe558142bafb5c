/* SPDX-License-Identifier: MIT
 *
 * The file's text before libconfuse sees it: one pass over the bytes. Comments run from # to the end of the
 * line, and from // or between slash-star and star-slash where a word could begin. Strings end on their line.
 */
#include "conf_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char control_fault[] = "a control character stands here; allowed is text";

static const char *source_read_fd(int fd, struct buf *text)
{
	struct stat stat;

	if (fstat(fd, &stat) < 0)
		return strerrordesc_np(errno);
	if (!S_ISREG(stat.st_mode))
		return "this is not a file";
	for (;;) {
		ssize_t n;

		if (text->len > CONF_SOURCE_MAX)
			return "the file is larger than 1 MB";
		buf_reserve(text, 4096);
		n = read(fd, text->data + text->len, text->cap - text->len);
		if (n == 0)
			return NULL;
		if (n > 0)
			text->len += (size_t)n;
		else if (errno != EINTR)
			return strerrordesc_np(errno);
	}
}

const char *source_read(const char *path, struct buf *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const char *fault;

	if (fd < 0)
		return strerrordesc_np(errno);
	fault = source_read_fd(fd, text);
	close(fd);
	return fault;
}

/* The place in the text: everything before it is checked. */
struct source {
	char *at, *end;
	unsigned line;
	unsigned depth;      /* of open braces */
	unsigned brace_line; /* of the newest brace opened */
	bool in_word;        /* the byte before belongs to an unquoted word */
};

static bool source_starts(const struct source *source, const char *token)
{
	size_t len = strlen(token);

	return (size_t)(source->end - source->at) >= len && memcmp(source->at, token, len) == 0;
}

static void source_blank(struct source *source)
{
	if (*source->at == '\n')
		source->line++;
	else
		*source->at = ' ';
	source->at++;
}

static void source_skip_line_comment(struct source *source)
{
	while (source->at < source->end && *source->at != '\n')
		source_blank(source);
}

static const char *source_skip_block_comment(struct source *source, unsigned *line)
{
	*line = source->line;
	while (!source_starts(source, "*/")) {
		if (source->at == source->end)
			return "the comment that begins here does not end";
		source_blank(source);
	}
	source_blank(source);
	source_blank(source);
	return NULL;
}

static bool is_control(char c)
{
	return (c >= 0 && c < 0x20 && c != '\t' && c != '\r' && c != '\n') || c == 0x7f;
}

static const char *source_skip_string(struct source *source)
{
	char quote = *source->at++;

	for (; source->at < source->end && *source->at != '\n'; source->at++) {
		if (*source->at == quote) {
			source->at++;
			return NULL;
		}
		if (is_control(*source->at))
			return control_fault;
		if (quote == '"' && source_starts(source, "${"))
			return "${ would mean a variable of the environment; write the text in single quotes";
		if (*source->at == '\\' && source->at + 1 < source->end && source->at[1] != '\n')
			source->at++;
	}
	return "the string that begins here does not end on its line";
}

/* One byte that belongs to no comment and no string. */
static const char *source_step(struct source *source)
{
	char c = *source->at;

	if (c == '{') {
		source->depth++;
		source->brace_line = source->line;
	} else if (c == '}') {
		if (source->depth == 0)
			return "this } closes nothing";
		source->depth--;
	} else if (c == '\r') {
		*source->at = ' ';
	} else if (c == '\n') {
		source->line++;
	} else if (strchr("*;|$+", c) && !source_starts(source, "+=")) {
		return "a value with one of * + ; | $ in it must stand in quotes";
	}
	source->in_word = !strchr(" \t\r\n{}()=,+", c);
	source->at++;
	return NULL;
}

static const char *source_next(struct source *source, unsigned *line)
{
	*line = source->line;
	if (is_control(*source->at))
		return control_fault;
	if (*source->at == '#' || (!source->in_word && source_starts(source, "//"))) {
		source_skip_line_comment(source);
		return NULL;
	}
	if (!source->in_word && source_starts(source, "/*"))
		return source_skip_block_comment(source, line);
	if (*source->at == '"' || *source->at == '\'') {
		source->in_word = false;
		return source_skip_string(source);
	}
	return source_step(source);
}

const char *source_check(struct buf *text, unsigned *line)
{
	struct source source = { .at = text->data, .end = text->data + text->len, .line = 1 };

	if (source_starts(&source, "\xef\xbb\xbf")) {
		memset(source.at, ' ', 3);
		source.at += 3;
	}
	while (source.at < source.end) {
		const char *fault = source_next(&source, line);

		if (fault)
			return fault;
	}
	*line = source.brace_line;
	return source.depth ? "a { that was opened before or here is never closed" : NULL;
}
