/* SPDX-License-Identifier: MIT
 *
 * Passwords for hansactl.
 */
#include "password.h"

#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/mem.h"

char *password_line(FILE *in)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t len = getline(&line, &cap, in);

	if (len < 0) {
		free(line);
		return NULL;
	}
	while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		line[--len] = '\0';
	return line;
}

static char *password_hidden(const char *prompt)
{
	struct termios shown, hidden;
	char *line;

	tcgetattr(STDIN_FILENO, &shown);
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	fputs(prompt, stderr);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	line = password_line(stdin);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
	fputc('\n', stderr);
	return line;
}

char *password_ask(const char *prompt)
{
	char *first, *second;

	if (!isatty(STDIN_FILENO)) {
		first = password_line(stdin);
		if (!first)
			fputs("hansactl: a password is expected as one line of standard input\n", stderr);
		return first;
	}
	first = password_hidden(prompt);
	second = password_hidden("The same again: ");
	if (!first || !second || !digest_same_str(first, second)) {
		fputs("hansactl: the two did not agree\n", stderr);
		str_wipe(&first);
	}
	str_wipe(&second);
	return first;
}
