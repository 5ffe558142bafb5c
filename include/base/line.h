/* SPDX-License-Identifier: MIT
 *
 * Lines: jobs on the same thing are done one after the other, in the order of their coming; jobs on different things know
 * nothing of each other. What a job does may take its time; the next begins when it leaves. Used by one thread.
 */
#ifndef BASE_LINE_H
#define BASE_LINE_H

#include <stddef.h>

#include "base/hash.h"
#include "base/list.h"

struct lines;
struct line;

/* A job's place, inside the job; all zero while it is in no line. */
struct line_place {
	struct list_link link;
	struct line *line;
	void (*start)(struct line_place *place);
};

struct lines *lines_new(const struct hash_seed *seed);
/* NULL is fine. Who still stands in line is forgotten and never started. */
void lines_free(struct lines **lines);

/* start() is called when all that came before have left; at once where nobody did. The key is copied. A line has no end:
 * who lets others join asks how many stand in it. */
void line_join(struct lines *lines, const char *key, size_t len, struct line_place *place,
               void (*start)(struct line_place *place));
size_t line_length(const struct lines *lines, const char *key, size_t len);
/* Once, by the job that was started; it may be freed then. Does nothing in no line. */
void line_leave(struct line_place *place);

#endif
