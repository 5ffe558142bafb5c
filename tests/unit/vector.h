/* SPDX-License-Identifier: MIT
 *
 * Rows of the tables in tests/vectors (comma-separated, a field in quotes may hold commas and doubled quotes).
 */
#ifndef UNIT_VECTOR_H
#define UNIT_VECTOR_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VECTOR_FIELDS = 16 };

struct vector {
	FILE *file;
	char line[4096];
	char *fields[VECTOR_FIELDS];
	size_t count;
};

static inline bool vector_next(struct vector *v)
{
	char *in, *out;

	if (!fgets(v->line, sizeof(v->line), v->file))
		return false;
	v->line[strcspn(v->line, "\r\n")] = '\0';
	v->count = 0;
	in = out = v->line;
	for (bool more = true; more && v->count < VECTOR_FIELDS;) {
		bool quoted = *in == '"';

		v->fields[v->count++] = out;
		in += quoted;
		while (*in && (quoted || *in != ',')) {
			if (quoted && *in == '"' && *++in != '"')
				quoted = false;
			else
				*out++ = *in++;
		}
		more = *in == ',';
		in += more;
		*out++ = '\0';
	}
	return true;
}

/* Opens tests/vectors/name and skips its heading. */
static inline struct vector vector_open(const char *name)
{
	const char *top = getenv("top_srcdir");
	struct vector v = { .file = NULL };
	char path[512];

	snprintf(path, sizeof(path), "%s/tests/vectors/%s", top ? top : ".", name);
	v.file = fopen(path, "r");
	if (!v.file || !vector_next(&v)) {
		fprintf(stderr, "cannot read %s\n", path);
		abort();
	}
	return v;
}

#endif
