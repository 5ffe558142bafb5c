/* SPDX-License-Identifier: MIT
 *
 * A scene while it is played, and the phrases that a line of it may be.
 */
#ifndef TALK_SCENE_H
#define TALK_SCENE_H

#include <stdbool.h>

#include "base/buf.h"
#include "match.h"
#include "stage.h"

enum { CAPTURES = 4 };

struct scene {
	const char *file;
	int line;                       /* being played */
	bool sockets, failed, tls_required;
	struct buf configuration;
	struct stage *stage;            /* NULL: nothing has been said yet */
	struct memory memory;
};

/* A statement: the words before the colon, what they have caught, and the text behind it or indented
 * below. */
struct statement {
	char *words[CAPTURES];
	char *text;                     /* NULL: none */
};

/* Says where and why; the first reason counts. */
void scene_fail(struct scene *scene, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* An asterisk catches a word (a "quoted one" too), the dots say that a text belongs to it. words NULL ends
 * the table. */
struct phrase {
	const char *words;
	void (*play)(struct scene *scene, struct statement *s);
};
extern const struct phrase phrases[];

#endif
