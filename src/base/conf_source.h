/* SPDX-License-Identifier: MIT
 *
 * A configuration file's text, made safe for libconfuse. Its lexer counts the lines of comments wrongly, ends
 * the process where reading fails, drops characters that it does not know, and takes an open string or brace
 * at the end of the file as complete. So the file is read here, comments are blanked out, and those faults
 * are found with their line.
 */
#ifndef BASE_CONF_SOURCE_H
#define BASE_CONF_SOURCE_H

#include "base/buf.h"

enum { CONF_SOURCE_MAX = 1 << 20 }; /* bytes of one file */

/* Reads the file. NULL, or a sentence that says why not (not to be freed). */
const char *source_read(const char *path, struct buf *text);

/* Blanks comments out and checks strings, braces and characters. NULL, or a sentence, with the line that it
 * is about. */
const char *source_check(struct buf *text, unsigned *line);

#endif
