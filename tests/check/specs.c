/* SPDX-License-Identifier: MIT
 *
 * What the module tables say of standards. Alone it checks them: each row has a title, a XEP its version, and modules that
 * name the same document agree on both. `specs --markdown` prints the tables of docs/xeps.md, `specs --doap` the list of
 * docs/hansa.doap (XEP-0453); tests/check/xeps puts them there. A document that several modules share has one row.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/module.h"
#include "modules.h"

enum { ROWS_MAX = 1000 };

/* One module's word on a document. */
struct row {
	const struct module_spec *spec;
	const char *module;
};

struct rows {
	struct row all[ROWS_MAX];
	size_t count;
};

/* ---- reading ---- */

static int row_compare(const void *a, const void *b)
{
	const struct row *left = a, *right = b;
	int order = strcmp(left->spec->id, right->spec->id);

	return order ? order : strcmp(left->module, right->module);
}

static void rows_read(struct rows *rows)
{
	for (const struct module *const *module = modules; *module; module++) {
		const struct module_spec *spec = (*module)->specs;

		for (; spec && spec->id && rows->count < ROWS_MAX; spec++)
			rows->all[rows->count++] = (struct row){ spec, (*module)->name };
	}
	qsort(rows->all, rows->count, sizeof(*rows->all), row_compare);
}

static bool is_xep(const struct row *row)
{
	return strncmp(row->spec->id, "XEP-", 4) == 0;
}

static const char *row_number(const struct row *row)
{
	return row->spec->id + 4;
}

/* How many rows from this one on are about the same document. */
static size_t rows_same(const struct rows *rows, size_t first)
{
	size_t count = 1;

	while (first + count < rows->count && strcmp(rows->all[first].spec->id, rows->all[first + count].spec->id) == 0)
		count++;
	return count;
}

/* ---- checking ---- */

static bool text_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static const char *row_fault(const struct row *row)
{
	const struct module_spec *spec = row->spec;

	if (!is_xep(row) && strncmp(spec->id, "RFC ", 4) != 0)
		return "its id is neither XEP-NNNN nor RFC NNNN";
	if (strspn(row_number(row), "0123456789") != 4 || strlen(row_number(row)) != 4)
		return "its id has no number of four digits";
	if (!spec->title || !*spec->title || strspn(spec->title, "0123456789.") == strlen(spec->title))
		return "it has no title";
	if (is_xep(row) != (spec->version != NULL))
		return is_xep(row) ? "it has no version" : "a RFC has no version";
	if (strpbrk(spec->title, "<>&|") || (spec->note && strpbrk(spec->note, "<>&|")))
		return "its title or note would have to be escaped";
	return NULL;
}

static int rows_check(const struct rows *rows)
{
	int faults = 0;

	for (size_t i = 0; i < rows->count; i++) {
		const struct row *row = &rows->all[i], *before = i ? row - 1 : row;
		bool shared = strcmp(row->spec->id, before->spec->id) == 0;
		const char *fault = row_fault(row);

		if (!fault && shared && (!text_same(row->spec->title, before->spec->title) ||
		                         !text_same(row->spec->version, before->spec->version)))
			fault = "another module names another title or version";
		if (!fault)
			continue;
		printf("module %s: %s: %s\n", row->module, row->spec->id, fault);
		faults++;
	}
	return faults ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- printing ---- */

/* The notes of all modules that have one; there is none where all of a document is implemented. */
static void notes_print(const struct row *row, size_t count)
{
	const char *separator = "";

	for (size_t i = 0; i < count; i++) {
		if (row[i].spec->note)
			printf("%s%s", separator, row[i].spec->note);
		separator = row[i].spec->note ? "; " : separator;
	}
}

static bool rows_have_note(const struct row *row, size_t count)
{
	while (count > 0 && !row[count - 1].spec->note)
		count--;
	return count > 0;
}

static void document_print(const struct row *row, size_t count)
{
	if (is_xep(row))
		printf("| [%s](https://xmpp.org/extensions/xep-%s.html) | %s | %s |", row->spec->id, row_number(row),
		       row->spec->title, row->spec->version);
	else
		printf("| [%s](https://www.rfc-editor.org/info/rfc%s) | %s |", row->spec->id, row_number(row),
		       row->spec->title);
	for (size_t i = 0; i < count; i++)
		printf("%s %s", i ? "," : "", row[i].module);
	printf(" | ");
	notes_print(row, count);
	printf(" |\n");
}

static void markdown_print(const struct rows *rows, bool xeps)
{
	printf(xeps ? "\n## Extensions\n\n| XEP | title | version | modules | which part |\n| --- | --- | --- | --- | --- |\n"
	            : "\n## The protocol\n\n| RFC | title | modules | which part |\n| --- | --- | --- | --- |\n");
	for (size_t i = 0; i < rows->count; i += rows_same(rows, i)) {
		if (is_xep(&rows->all[i]) == xeps)
			document_print(&rows->all[i], rows_same(rows, i));
	}
}

static void doap_print(const struct rows *rows)
{
	for (size_t i = 0, count; i < rows->count; i += count) {
		const struct row *row = &rows->all[i];
		bool partial;

		count = rows_same(rows, i);
		partial = rows_have_note(row, count);
		if (!is_xep(row)) {
			printf("    <implements rdf:resource=\"https://www.rfc-editor.org/info/rfc%s\"/>\n", row_number(row));
			continue;
		}
		printf("    <implements>\n      <xmpp:SupportedXep>\n"
		       "        <xmpp:xep rdf:resource=\"https://xmpp.org/extensions/xep-%s.html\"/>\n"
		       "        <xmpp:version>%s</xmpp:version>\n        <xmpp:status>%s</xmpp:status>\n",
		       row_number(row), row->spec->version, partial ? "partial" : "complete");
		if (partial) {
			printf("        <xmpp:note>");
			notes_print(row, count);
			printf("</xmpp:note>\n");
		}
		printf("      </xmpp:SupportedXep>\n    </implements>\n");
	}
}

int main(int argc, char **argv)
{
	static struct rows rows;

	rows_read(&rows);
	if (argc == 2 && strcmp(argv[1], "--markdown") == 0) {
		markdown_print(&rows, false);
		markdown_print(&rows, true);
		return EXIT_SUCCESS;
	}
	if (argc == 2 && strcmp(argv[1], "--doap") == 0) {
		doap_print(&rows);
		return EXIT_SUCCESS;
	}
	return rows_check(&rows);
}
