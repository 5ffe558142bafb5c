/* SPDX-License-Identifier: MIT
 *
 * The configuration file: sections, some with a title, of options; read through libconfuse, of which this is the only
 * door. What may stand in the file is declared as rows by the files that use it; the manual page, the checker and the
 * example come from the same rows. A fault is one line, "file:line: what is wrong, what is allowed".
 *
 * Values are read while the configuration is turned into the snapshot of the layer above, never later.
 */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum conf_type {
	CONF_STRING,
	CONF_INT,               /* min .. max */
	CONF_BOOL,              /* true, false, yes, no, on, off */
	CONF_CHOICE,            /* one of the words in allowed, separated by " | " */
	CONF_SIZE,              /* bytes: 4096, 10kB, 256kB, 1MB, 2GB (kB is 1024 bytes); min .. max in bytes */
	CONF_TIME,              /* 500ms, 30s, 5m, 2h, 3d; min .. max in milliseconds */
	CONF_LIST,              /* strings: { a, b } */
};

/* One option: the row from which everything about it is made. */
struct conf_option {
	const char *name;       /* NULL ends the array; words joined by '-' */
	enum conf_type type;
	const char *fallback;   /* as written in the file; NULL: the option may be absent; for lists comma-separated */
	int64_t min, max;       /* INT, SIZE, TIME; both 0: any value that is not negative */
	const char *allowed;    /* CHOICE: the words; STRING: what may be said in an error, or NULL */
	const char *sentence;   /* for the manual: one full sentence */
	const char *example;    /* for the commented example, bare or as written in the file; NULL: the fallback */
	bool required;
};

struct conf_section_kind {
	const char *name;       /* NULL ends the array */
	bool titled;            /* host "north.example" { ... }; may occur many times, each title once */
	const struct conf_option *options;
	const char *sentence;
};

struct conf;
struct conf_section;

/* Reads path and what it includes. kinds: an array of pointers that NULL ends; several kinds of the same name are one
 * section with the rows of all (modules add rows to "limits"). NULL and a malloc'ed line in *error when it cannot. One
 * call at a time in a process: libconfuse parses with globals of its own. */
struct conf *conf_load(const char *path, const struct conf_section_kind *const *kinds, char **error);
void conf_free(struct conf **conf);

/* Untitled: the one section (absent in the file: all fallbacks; never NULL). */
const struct conf_section *conf_section(const struct conf *conf, const char *name);
/* Titled: by number from 0 in the file's order; NULL behind the last. */
const struct conf_section *conf_section_at(const struct conf *conf, const char *name, size_t number);
const char *conf_title(const struct conf_section *section);

/* An option that was not declared, or is read as another type, is our bug (assert). */
const char *conf_string(const struct conf_section *section, const char *name);  /* STRING, CHOICE; NULL: absent */
int64_t conf_number(const struct conf_section *section, const char *name);      /* INT, SIZE in bytes, TIME in ms */
bool conf_bool(const struct conf_section *section, const char *name);
size_t conf_list_count(const struct conf_section *section, const char *name);
const char *conf_list_at(const struct conf_section *section, const char *name, size_t number);
bool conf_is_set(const struct conf_section *section, const char *name);         /* stands in the file */

/* Whether a file of that name is, or would be, read with it by an include(). path: as config files name each other, from the
 * folder of the first. */
bool conf_includes(const struct conf *conf, const char *path);

/* The malloc'ed line "file:line: sentence" for a fault that a layer above finds in a section. */
char *conf_fault(const struct conf_section *section, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The options as text: hansa.conf's commented example, and the option part of hansa.conf(5) in mdoc. */
struct buf;
void conf_write_example(const struct conf_section_kind *const *kinds, struct buf *out);
void conf_write_manual(const struct conf_section_kind *const *kinds, struct buf *out);

#endif
