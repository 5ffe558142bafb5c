/* SPDX-License-Identifier: MIT
 *
 * The byte buffer's growth: capacity doubles, so that adding is linear over all.
 */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

enum { BUF_FIRST_CAP = 64 };

void buf_clear(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){ 0 };
}

void buf_reserve(struct buf *buf, size_t more)
{
	size_t cap = buf->cap ? buf->cap : BUF_FIRST_CAP;

	if (buf->cap - buf->len >= more)
		return;
	assert(more <= SIZE_MAX / 4 - buf->len);
	while (cap - buf->len < more)
		cap *= 2;
	buf->data = mem_realloc(buf->data, cap);
	buf->cap = cap;
}

void buf_consume(struct buf *buf, size_t n)
{
	assert(n <= buf->len);
	buf->len -= n;
	if (n && buf->len)
		memmove(buf->data, buf->data + n, buf->len);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args, again;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	assert(len >= 0);
	buf_reserve(buf, (size_t)len + 1);
	vsnprintf(buf->data + buf->len, (size_t)len + 1, format, again);
	buf->len += (size_t)len;
	va_end(again);
	va_end(args);
}
