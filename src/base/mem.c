/* SPDX-License-Identifier: MIT
 *
 * Allocation that never fails: out of memory is the end of the process, said in one line on stderr.
 */
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Nothing here allocates, not even stdio. */
static void *mem_present(void *memory)
{
	static const char line[] = "out of memory\n";

	if (memory)
		return memory;
	if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0)
		abort();
	abort();
}

void *mem_alloc(size_t size)
{
	return mem_present(malloc(size ? size : 1));
}

void *mem_zalloc(size_t size)
{
	return mem_present(calloc(1, size ? size : 1));
}

void *mem_realloc(void *old, size_t size)
{
	return mem_present(realloc(old, size ? size : 1));
}

void *mem_dup(const void *bytes, size_t len)
{
	void *copy = mem_alloc(len);

	if (len)
		memcpy(copy, bytes, len);
	return copy;
}

char *str_dup(const char *s)
{
	return s ? mem_dup(s, strlen(s) + 1) : NULL;
}

char *str_dup_len(const char *s, size_t len)
{
	char *copy = mem_alloc(len + 1);

	if (len)
		memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *str_printf(const char *format, ...)
{
	va_list args;
	char *s = NULL;
	int len;

	va_start(args, format);
	len = vasprintf(&s, format, args);
	va_end(args);
	return mem_present(len < 0 ? NULL : s);
}

void mem_wipe(void *secret, size_t len)
{
	if (len)
		explicit_bzero(secret, len);
}

void str_wipe(char **secret)
{
	if (*secret)
		mem_wipe(*secret, strlen(*secret));
	free(*secret);
	*secret = NULL;
}
