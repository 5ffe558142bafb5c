/* SPDX-License-Identifier: MIT
 *
 * Passwords for hansactl: asked for twice on a terminal without showing them, or a line of standard input.
 */
#ifndef CTL_PASSWORD_H
#define CTL_PASSWORD_H

#include <stdio.h>

/* malloc'ed, to be wiped by the caller. NULL: nothing came, or the two did not agree; said on stderr. */
char *password_ask(const char *prompt);
/* The next line without its end; NULL: the end. */
char *password_line(FILE *in);

#endif
