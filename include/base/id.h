/* SPDX-License-Identifier: MIT
 *
 * Randomness, replaceable, and the identifiers made of it: stream ids, resources, session ids. An id has 128 random
 * bits in 22 characters of base64url, legal in XML attributes, resources and file names.
 */
#ifndef BASE_ID_H
#define BASE_ID_H

#include <stdbool.h>
#include <stddef.h>

struct entropy {
	void (*fill)(struct entropy *entropy, void *bytes, size_t len);
};

/* The kernel's random numbers; callable on any thread. */
extern struct entropy entropy_system;

static inline void entropy_fill(struct entropy *entropy, void *bytes, size_t len)
{
	entropy->fill(entropy, bytes, len);
}

enum { ID_LEN = 22 };

/* Writes ID_LEN characters and a NUL. */
void id_random(struct entropy *entropy, char id[ID_LEN + 1]);

/* A UUID as others write it (RFC 4122 §3), in lower case; false: it is none. */
enum { UUID_LEN = 36 };
bool uuid_read(const char *text, char out[UUID_LEN + 1]);

#endif
