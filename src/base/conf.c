/* SPDX-License-Identifier: MIT
 *
 * Reading a configuration file through libconfuse: it parses, and calls back for each section opened, each
 * value and each section closed, with the file and line where it is. From that the model is filled; nothing
 * of libconfuse's own storage is used afterwards. Its parser keeps its place in globals: one file is read at
 * a time in a process.
 *
 * libconfuse has no pointer for the caller's context. Each option is declared here with its default number,
 * which text options do not use, holding the address of the reader.
 */
#include "base/conf.h"

#include <assert.h>
#include <confuse.h>
#include <fnmatch.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "conf_model.h"
#include "conf_source.h"

enum { INCLUDE_DEPTH_MAX = 8 };

struct conf_reader {
	struct conf *conf;
	struct conf_section *section; /* that is being read */
	unsigned depth;               /* of includes */
	char *error;                  /* the first one */
};

/* libconfuse's own messages, told in our words around the one text that they contain. */
static const struct {
	const char *format, *before, *after;
} reader_messages[] = {
	{ "missing equal sign after option '%s'", "option ", " needs \"=\" and a value" },
	{ "missing title for section '%s'", "section ", " needs a title before its {" },
	{ "missing opening brace for section '%s'", "section ", " needs { right behind it" },
	{ "attempt to append to non-list option '%s'", "option ", " is no list; allowed: =" },
	{ "unexpected token '%s'", "unexpected ", "; allowed: option = value, section { ... }" },
	{ "no sub-section title/index for '%s'", "unexpected ",
	  "; allowed: option = value, section { ... }" },
	{ "syntax error in call of function '%s'", "", " needs one file name in parentheses" },
	{ "missing parenthesis for function '%s'", "", " needs one file name in parentheses" },
};

static struct conf_reader *option_reader(const cfg_opt_t *option)
{
	return (struct conf_reader *)option->def.number;
}

/* Takes the first fault of all; a control character from the file must not break the line. */
static void reader_fail(struct conf_reader *reader, const char *file, unsigned line, const char *sentence)
{
	if (reader->error)
		return;
	reader->error =
		line ? str_printf("%s:%u: %s", file, line, sentence) : str_printf("%s: %s", file, sentence);
	for (char *c = reader->error; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	}
}

/* The same with the sentence in a buffer, which is cleared. */
static void reader_fail_buf(struct conf_reader *reader, const char *file, unsigned line, struct buf *sentence)
{
	buf_add_char(sentence, '\0');
	reader_fail(reader, file, line, sentence->data);
	buf_clear(sentence);
}

static void write_section_name(const struct conf_section *section, struct buf *out)
{
	buf_printf(out, "section %s", section->kind->name);
	if (section->title)
		buf_printf(out, " \"%s\"", section->title);
}

static void write_names_allowed(const cfg_opt_t *options, struct buf *out)
{
	const char *separator = "; allowed: ";

	for (; options->name; options++) {
		if (*options->name == '\0')
			continue;
		buf_add_str(out, separator);
		buf_add_str(out, options->name);
		separator = ", ";
	}
}

static void write_unknown(const struct conf_reader *reader, const cfg_t *cfg, const char *name,
                          struct buf *out)
{
	if (reader->section && strcmp(cfg->name, "root") != 0) {
		buf_printf(out, "unknown option \"%s\" in ", name);
		write_section_name(reader->section, out);
	} else {
		buf_printf(out, "unknown section \"%s\"", name);
	}
	write_names_allowed(cfg->opts, out);
}

static void reader_report(cfg_t *cfg, const char *format, va_list args)
{
	struct conf_reader *reader = option_reader(&cfg->opts[0]);
	const char *text = strstr(format, "%s") ? va_arg(args, const char *) : "";
	struct buf sentence = { 0 };

	if (strcmp(format, "no such option '%s'") == 0)
		write_unknown(reader, cfg, text, &sentence);
	for (size_t i = 0; i < sizeof(reader_messages) / sizeof(reader_messages[0]); i++) {
		if (strcmp(format, reader_messages[i].format) == 0)
			buf_printf(&sentence, "%s\"%s\"%s", reader_messages[i].before, text,
			           reader_messages[i].after);
	}
	if (sentence.len == 0)
		buf_printf(&sentence, "%.*s%s", (int)strcspn(format, "%'"), format, text);
	reader_fail_buf(reader, cfg->filename, (unsigned)cfg->line, &sentence);
}

/* ---- called while libconfuse parses ---- */

static void reader_refuse_twin(struct conf_reader *reader, const struct conf_kind *kind, const char *title,
                               const char *file, unsigned line)
{
	for (const struct conf_section *other = kind->first; other; other = other->next) {
		struct buf sentence = { 0 };

		if (kind->titled && strcmp(other->title, title) != 0)
			continue;
		write_section_name(other, &sentence);
		buf_printf(&sentence, " stands already in %s:%u; allowed is one", other->file, other->line);
		reader_fail_buf(reader, file, line, &sentence);
	}
}

/* The option without a name has a default, which libconfuse parses whenever it opens a section. It would
 * abort if that failed, so a fault here only stops the reading at the next value or at the section's end. */
static int section_opened(cfg_t *cfg, cfg_opt_t *option, const char *text, void *result)
{
	struct conf_reader *reader = option_reader(option);
	struct conf_kind *kind = kind_find(reader->conf, cfg->name);

	reader_refuse_twin(reader, kind, cfg->title, cfg->filename, (unsigned)cfg->line);
	reader->section = section_add(reader->conf, kind, cfg->title, cfg->filename, (unsigned)cfg->line);
	*(const char **)result = text;
	return 0;
}

static void reader_refuse_value(struct conf_reader *reader, const cfg_t *cfg,
                                const struct conf_option *option, const char *text)
{
	struct buf sentence = { 0 };

	buf_printf(&sentence, "bad value \"%s\" for %s in ", text, option->name);
	write_section_name(reader->section, &sentence);
	buf_add_lit(&sentence, "; allowed: ");
	option_write_allowed(option, &sentence);
	reader_fail_buf(reader, cfg->filename, (unsigned)cfg->line, &sentence);
}

/* Called for each value, and for each member of a list: the first of an assignment finds libconfuse's list
 * new. */
static int value_read(cfg_t *cfg, cfg_opt_t *row, const char *text, void *result)
{
	struct conf_reader *reader = option_reader(row);
	struct conf_section *section = reader->section;
	size_t option = section ? kind_option_find(section->kind, row->name) : SIZE_MAX;

	if (reader->error || option == SIZE_MAX || strcmp(cfg->name, section->kind->name) != 0)
		return -1;
	if (section->values[option].is_set && row->nvalues == 1) {
		struct buf sentence = { 0 };

		buf_printf(&sentence, "option \"%s\" stands twice in ", row->name);
		write_section_name(section, &sentence);
		reader_fail_buf(reader, cfg->filename, (unsigned)cfg->line, &sentence);
		return -1;
	}
	if (!section_set(reader->conf, section, option, text)) {
		reader_refuse_value(reader, cfg, section->kind->options[option], text);
		return -1;
	}
	*(const char **)result = text;
	return 0;
}

/* An empty list had no value to call for; only libconfuse's flag tells it from an absent one. */
static void section_note_empty_lists(struct conf_section *section, const cfg_opt_t *rows)
{
	for (; rows->name; rows++) {
		if (*rows->name && (rows->flags & CFGF_LIST) && (rows->flags & CFGF_MODIFIED))
			section->values[kind_option_find(section->kind, rows->name)].is_set = true;
	}
}

static bool reader_complete(struct conf_reader *reader, struct conf_section *section)
{
	const struct conf_option *missing = section_complete(reader->conf, section);
	struct buf sentence = { 0 };

	if (!missing)
		return true;
	write_section_name(section, &sentence);
	buf_printf(&sentence, " needs the option \"%s\": ", missing->name);
	option_write_allowed(missing, &sentence);
	reader_fail_buf(reader, section->file, section->line, &sentence);
	return false;
}

static int section_closed(cfg_t *cfg, cfg_opt_t *option)
{
	struct conf_reader *reader = option_reader(option);
	struct conf_section *section = reader->section;

	(void)cfg;
	section_note_empty_lists(section, option->values[option->nvalues - 1]->section->opts);
	reader->section = NULL;
	return !reader->error && reader_complete(reader, section) ? 0 : -1;
}

/* ---- files ---- */

static bool reader_parse(struct conf_reader *reader, cfg_t *cfg, struct buf *text)
{
	FILE *file;
	int result;

	buf_add_char(text, '\n');
	file = fmemopen(text->data, text->len, "r");
	if (!file)
		abort();
	result = cfg_parse_fp(cfg, file);
	fclose(file);
	if (result != CFG_SUCCESS)
		reader_fail(reader, cfg->filename, (unsigned)cfg->line,
		            "cannot be understood; allowed: option = value, section { ... }");
	return result == CFG_SUCCESS;
}

/* Reads the file into cfg, which keeps its own place where this is an include. from: the file and line that
 * name it. */
static bool reader_read_file(struct conf_reader *reader, cfg_t *cfg, const char *path, const char *from,
                             unsigned line)
{
	struct buf text = { 0 };
	char *outer_file = cfg->filename;
	int outer_line = cfg->line;
	const char *fault = source_read(path, &text);
	bool done = false;

	if (fault) {
		struct buf sentence = { 0 };

		buf_printf(&sentence, "%s%s%s", from ? path : "", from ? ": " : "", fault);
		reader_fail_buf(reader, from ? from : path, from ? line : 0, &sentence);
	} else if ((fault = source_check(&text, &line))) {
		reader_fail(reader, path, line, fault);
	} else {
		cfg->filename = str_dup(path);
		done = reader_parse(reader, cfg, &text);
		free(cfg->filename);
		cfg->filename = outer_file;
		cfg->line = outer_line;
	}
	buf_clear(&text);
	return done;
}

/* What an include names is relative to the file that includes. */
static char *path_beside(const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');

	if (*path == '/' || !slash)
		return str_dup(path);
	return str_printf("%.*s%s", (int)(slash + 1 - file), file, path);
}

static int reader_include_all(struct conf_reader *reader, cfg_t *cfg, const char *pattern)
{
	bool has_wildcards = strpbrk(pattern, "*?[") != NULL;
	char *from = str_dup(cfg->filename);
	unsigned line = (unsigned)cfg->line;
	glob_t paths = { 0 };
	bool done = true;

	if (has_wildcards && glob(pattern, 0, NULL, &paths) == 0) {
		for (size_t i = 0; done && i < paths.gl_pathc; i++)
			done = reader_read_file(reader, cfg, paths.gl_pathv[i], from, line);
		globfree(&paths);
	} else if (!has_wildcards) {
		done = reader_read_file(reader, cfg, pattern, from, line);
	}
	free(from);
	return done ? 0 : -1;
}

static void include_note(struct conf *conf, const char *pattern)
{
	struct conf_include *include = arena_zalloc(&conf->arena, sizeof(*include));

	include->pattern = arena_str(&conf->arena, pattern);
	include->next = conf->includes;
	conf->includes = include;
}

bool conf_includes(const struct conf *conf, const char *path)
{
	for (const struct conf_include *include = conf->includes; include; include = include->next)
		if (fnmatch(include->pattern, path, FNM_PATHNAME | FNM_PERIOD) == 0)
			return true;
	return false;
}

/* include("conf.d/STAR.conf"): a pattern that fits nothing is no fault, a missing file is. */
static int include_read(cfg_t *cfg, cfg_opt_t *option, int argc, const char **argv)
{
	struct conf_reader *reader = option_reader(option);
	char *pattern;
	int result;

	if (argc != 1 || reader->depth == INCLUDE_DEPTH_MAX) {
		reader_fail(reader, cfg->filename, (unsigned)cfg->line,
		            argc != 1 ? "include needs one file name" : "includes are nested too deeply");
		return -1;
	}
	pattern = path_beside(cfg->filename, argv[0]);
	include_note(reader->conf, pattern);
	reader->depth++;
	result = reader_include_all(reader, cfg, pattern);
	reader->depth--;
	free(pattern);
	return result;
}

/* ---- what libconfuse shall know ---- */

/* No field of an option but these is used. */
static cfg_opt_t row_make(const struct conf_reader *reader, const char *name, cfg_type_t type,
                          cfg_flag_t flags)
{
	return (cfg_opt_t){ .name = name, .type = type, .flags = flags, .def.number = (long)reader };
}

static cfg_opt_t *section_rows(const struct conf_reader *reader, const struct conf_kind *kind)
{
	cfg_opt_t *rows = arena_zalloc(&reader->conf->arena, (kind->option_count + 2) * sizeof(*rows));

	rows[0] = row_make(reader, "", CFGT_STR, CFGF_NONE);
	rows[0].def.parsed = (char *)"opened";
	rows[0].parsecb = section_opened;
	for (size_t i = 0; i < kind->option_count; i++) {
		const struct conf_option *option = kind->options[i];

		rows[i + 1] =
			row_make(reader, option->name, CFGT_STR,
		                 option->type == CONF_LIST ? CFGF_NODEFAULT | CFGF_LIST : CFGF_NODEFAULT);
		rows[i + 1].parsecb = value_read;
	}
	return rows;
}

static cfg_opt_t *root_rows(const struct conf_reader *reader)
{
	const struct conf *conf = reader->conf;
	cfg_opt_t *rows = arena_zalloc(&reader->conf->arena, (conf->kind_count + 3) * sizeof(*rows));
	size_t count = 0;

	rows[count++] = row_make(reader, "", CFGT_STR, CFGF_NODEFAULT);
	for (size_t i = 0; i < conf->kind_count; i++) {
		const struct conf_kind *kind = &conf->kinds[i];

		rows[count] = row_make(reader, kind->name, CFGT_SEC,
		                       kind->titled ? CFGF_MULTI | CFGF_TITLE : CFGF_MULTI);
		rows[count].subopts = section_rows(reader, kind);
		rows[count++].validcb = section_closed;
	}
	rows[count] = row_make(reader, "include", CFGT_FUNC, CFGF_NONE);
	rows[count].func = include_read;
	return rows;
}

/* Untitled sections that the file does not have consist of fallbacks. */
static bool reader_add_absent(struct conf_reader *reader, const char *path)
{
	for (size_t i = 0; i < reader->conf->kind_count; i++) {
		struct conf_kind *kind = &reader->conf->kinds[i];

		if (!kind->titled && !kind->first &&
		    !reader_complete(reader, section_add(reader->conf, kind, NULL, path, 0)))
			return false;
	}
	return true;
}

struct conf *conf_load(const char *path, const struct conf_section_kind *const *kinds, char **error)
{
	struct conf_reader reader = { .conf = conf_new(kinds) };
	cfg_t *cfg = cfg_init(root_rows(&reader), CFGF_NONE);

	if (!cfg)
		abort();
	cfg_set_error_function(cfg, reader_report);
	if (!reader_read_file(&reader, cfg, path, NULL, 0) || !reader_add_absent(&reader, path)) {
		*error = reader.error;
		conf_free(&reader.conf);
	}
	cfg_free(cfg);
	return reader.conf;
}
