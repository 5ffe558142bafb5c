/* SPDX-License-Identifier: MIT
 *
 * A byte buffer that grows. Bytes are taken at the front and added at the end. All zero is an empty buffer that
 * holds no memory.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>
#include <string.h>

struct buf {
	char *data;     /* owned; the live bytes are data[0 .. len) */
	size_t len;
	size_t cap;
};

void buf_clear(struct buf *buf);                 /* frees; the buffer is empty and usable */
void buf_reserve(struct buf *buf, size_t more);  /* room for more bytes behind len */
void buf_consume(struct buf *buf, size_t n);     /* drops n bytes at the front, n <= len */
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline void buf_add(struct buf *buf, const void *bytes, size_t len)
{
	if (buf->cap - buf->len < len)
		buf_reserve(buf, len);
	if (len)
		memcpy(buf->data + buf->len, bytes, len);
	buf->len += len;
}

static inline void buf_add_str(struct buf *buf, const char *s)
{
	buf_add(buf, s, strlen(s));
}

/* A literal's length is known to the compiler. */
#define buf_add_lit(buf, literal) buf_add((buf), "" literal, sizeof(literal) - 1)

static inline void buf_add_char(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

#endif
