/* SPDX-License-Identifier: MIT
 *
 * The options as text for people: the commented example, and their part of the manual page in mdoc(7).
 */
#include "base/conf.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "conf_model.h"

/* A word that libconfuse reads without quotes. */
static bool text_is_bare(const char *text)
{
	return *text && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
	                        strlen(text);
}

static void write_quoted(const char *text, size_t len, struct buf *out)
{
	buf_add_char(out, '"');
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"' || text[i] == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, text[i]);
	}
	buf_add_char(out, '"');
}

static void write_list(const char *text, struct buf *out)
{
	const char *separator = "{ ";

	for (text += strspn(text, ", "); *text; text += strspn(text, ", ")) {
		size_t len = strcspn(text, ", ");

		buf_add_str(out, separator);
		write_quoted(text, len, out);
		separator = ", ";
		text += len;
	}
	buf_add_str(out, *separator == '{' ? "{ }" : " }");
}

/* As it would stand in the file behind the equal sign. A row may have written it like that already. */
static void write_value(const struct conf_option *option, const char *text, struct buf *out)
{
	if (*text == '"' || *text == '{')
		buf_add_str(out, text);
	else if (option->type == CONF_LIST)
		write_list(text, out);
	else if (option->type != CONF_STRING && text_is_bare(text))
		buf_add_str(out, text);
	else
		write_quoted(text, strlen(text), out);
}

/* Breaks the sentence into lines of comment. */
static void write_comment(const char *indent, const char *sentence, struct buf *out)
{
	enum { COMMENT_COLUMNS = 90 };

	while (*sentence) {
		size_t len = strlen(sentence);

		if (len > COMMENT_COLUMNS) {
			for (len = COMMENT_COLUMNS; len > 0 && sentence[len] != ' '; len--)
				continue;
			if (len == 0)
				len = strcspn(sentence, " ");
		}
		buf_printf(out, "%s# %.*s\n", indent, (int)len, sentence);
		sentence += len;
		sentence += strspn(sentence, " ");
	}
}

/* An untitled section stands open in the example, its options commented out; a titled one is commented out
 * whole. */
static void write_example_section(const struct conf_kind *kind, struct buf *out)
{
	const char *off = kind->titled ? "#" : "";

	write_comment("", kind->sentence, out);
	buf_printf(out, "%s%s%s {\n", off, kind->name, kind->titled ? " \"name\"" : "");
	for (size_t i = 0; i < kind->option_count; i++) {
		const struct conf_option *option = kind->options[i];
		const char *text = option->example ? option->example : option->fallback;

		write_comment("\t", option->sentence, out);
		buf_printf(out, "\t#%s = ", option->name);
		write_value(option, text ? text : "", out);
		buf_add_char(out, '\n');
	}
	buf_printf(out, "%s}\n\n", off);
}

void conf_write_example(const struct conf_section_kind *const *kinds, struct buf *out)
{
	struct conf *conf = conf_new(kinds);

	for (size_t i = 0; i < conf->kind_count; i++)
		write_example_section(&conf->kinds[i], out);
	conf_free(&conf);
}

/* Text in mdoc: no line of it may look like a request, and a backslash begins an escape. */
static void write_mdoc(const char *text, struct buf *out)
{
	if (*text == '.' || *text == '\'')
		buf_add_lit(out, "\\&");
	for (; *text; text++) {
		if (*text == '\\')
			buf_add_lit(out, "\\e");
		else
			buf_add_char(out, *text);
	}
}

static void write_manual_option(const struct conf_option *option, struct buf *out)
{
	struct buf fallback = { 0 };

	buf_printf(out, ".It Ic %s No = ", option->name);
	option_write_allowed(option, out);
	buf_add_char(out, '\n');
	write_mdoc(option->sentence, out);
	if (option->required)
		buf_add_lit(out, "\nRequired.");
	if (option->fallback) {
		write_value(option, option->fallback, &fallback);
		buf_add_char(&fallback, '\0');
		buf_add_lit(out, "\nDefault: ");
		write_mdoc(fallback.data, out);
		buf_add_char(out, '.');
	}
	buf_add_char(out, '\n');
	buf_clear(&fallback);
}

void conf_write_manual(const struct conf_section_kind *const *kinds, struct buf *out)
{
	struct conf *conf = conf_new(kinds);

	for (size_t i = 0; i < conf->kind_count; i++) {
		const struct conf_kind *kind = &conf->kinds[i];

		buf_printf(out, ".Ss %s%s\n", kind->name, kind->titled ? " \\(dqname\\(dq" : "");
		write_mdoc(kind->sentence, out);
		buf_add_lit(out, "\n.Bl -tag -width Ds\n");
		for (size_t j = 0; j < kind->option_count; j++)
			write_manual_option(kind->options[j], out);
		buf_add_lit(out, ".El\n");
	}
	conf_free(&conf);
}
