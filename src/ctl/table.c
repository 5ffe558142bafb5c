/* SPDX-License-Identifier: MIT
 *
 * Tables for people. The columns are the keys of the rows in the order in which they first occur; widths count
 * characters, not bytes. Control characters never reach the terminal.
 */
#include "table.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { TABLE_COLUMNS = 24 };

struct table {
	const char *names[TABLE_COLUMNS];
	size_t widths[TABLE_COLUMNS];
	size_t count;
};

/* A value as text, malloc'ed. */
static char *table_cell(const json_t *value)
{
	char *text;

	if (!value || json_is_null(value))
		return str_dup("-");
	if (json_is_integer(value))
		return str_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	if (json_is_boolean(value))
		return str_dup(json_is_true(value) ? "yes" : "no");
	text = json_is_string(value) ? str_dup(json_string_value(value)) : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	return text;
}

/* Characters of UTF-8: bytes that do not continue one. */
static size_t table_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

static void table_print_padded(FILE *out, const char *text, size_t width)
{
	size_t used = table_width(text);

	fprintf(out, "%s%*s", text, (int)(width > used ? width - used : 0), "");
}

static size_t table_column(struct table *table, const char *name)
{
	size_t i;

	for (i = 0; i < table->count; i++)
		if (strcmp(table->names[i], name) == 0)
			return i;
	if (table->count == TABLE_COLUMNS)
		return TABLE_COLUMNS - 1;
	table->names[table->count] = name;
	table->widths[table->count] = table_width(name);
	return table->count++;
}

static void table_measure(struct table *table, json_t *row)
{
	const char *name;
	json_t *value;

	json_object_foreach(row, name, value) {
		size_t column = table_column(table, name);
		char *cell = table_cell(value);
		size_t width = table_width(cell);

		if (width > table->widths[column])
			table->widths[column] = width;
		free(cell);
	}
}

static void table_print_row(FILE *out, const struct table *table, const json_t *row)
{
	for (size_t i = 0; i < table->count; i++) {
		char *cell = row ? table_cell(json_object_get(row, table->names[i])) : str_dup(table->names[i]);

		table_print_padded(out, cell, i + 1 < table->count ? table->widths[i] + 2 : 0);
		free(cell);
	}
	fputc('\n', out);
}

static void table_print_rows(FILE *out, const json_t *rows)
{
	struct table table = { .count = 0 };
	json_t *row;
	size_t i;

	if (json_array_size(rows) == 0) {
		fputs("(none)\n", out);
		return;
	}
	json_array_foreach(rows, i, row)
		table_measure(&table, row);
	table_print_row(out, &table, NULL);
	json_array_foreach(rows, i, row)
		table_print_row(out, &table, row);
}

static void table_print_pairs(FILE *out, json_t *object)
{
	const char *name;
	json_t *value;
	size_t width = 0;

	json_object_foreach(object, name, value)
		if (table_width(name) > width)
			width = table_width(name);
	json_object_foreach(object, name, value) {
		char *cell = table_cell(value);

		table_print_padded(out, name, width + 2);
		fprintf(out, "%s\n", cell);
		free(cell);
	}
}

void table_print(FILE *out, json_t *result)
{
	if (json_is_array(result))
		table_print_rows(out, result);
	else if (json_is_object(result))
		table_print_pairs(out, result);
}
