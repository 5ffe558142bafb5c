/* SPDX-License-Identifier: MIT
 *
 * What a read configuration is inside base/conf: the kinds of sections with the rows of all who declare them,
 * the sections of the file, and their values. All of it lives in one arena and never changes once the file is
 * read.
 */
#ifndef BASE_CONF_MODEL_H
#define BASE_CONF_MODEL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/conf.h"

struct conf_kind {
	const char *name;
	const char *sentence;
	bool titled;
	const struct conf_option **options;
	size_t option_count;
	struct conf_section *first, *last; /* in the file's order */
};

struct conf_value {
	bool is_set;  /* stands in the file */
	size_t count; /* of texts: at most 1 where the option is no list */
	const char **texts;
	int64_t number; /* of INT, SIZE, TIME; BOOL as 0 or 1 */
};

struct conf_section {
	const struct conf *conf;
	const struct conf_kind *kind;
	struct conf_section *next;
	const char *title; /* NULL: untitled */
	const char *file;
	unsigned line;             /* 0: does not stand in the file */
	struct conf_value *values; /* one for each of the kind's options */
};

struct conf {
	struct arena arena;
	struct conf_kind *kinds;
	size_t kind_count;
	struct conf_include *includes; /* the last first */
};

/* What the file includes, as a pattern with the folder that it means. */
struct conf_include {
	struct conf_include *next;
	const char *pattern;
};

/* An empty configuration of these kinds. */
struct conf *conf_new(const struct conf_section_kind *const *kinds);

struct conf_kind *kind_find(const struct conf *conf, const char *name);
/* The option's number in the kind; SIZE_MAX: no such option. */
size_t kind_option_find(const struct conf_kind *kind, const char *name);

/* Appends a section without values. file and title are copied. */
struct conf_section *section_add(struct conf *conf, struct conf_kind *kind, const char *title,
                                 const char *file, unsigned line);
/* Adds a value as it is written; false: it is not allowed. */
bool section_set(struct conf *conf, struct conf_section *section, size_t option, const char *text);
/* Gives what is absent its fallback. Answers an option that is required and absent, else NULL. */
const struct conf_option *section_complete(struct conf *conf, struct conf_section *section);

/* Writes the values that an option may have, as words: "a time from 1s to 1h, such as 30s". */
void option_write_allowed(const struct conf_option *option, struct buf *out);

#endif
