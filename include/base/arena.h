/* SPDX-License-Identifier: MIT
 *
 * An arena: memory with one lifetime, allocated piece by piece, freed at once. A stanza lives in one, a parsed
 * header, a store reply. Owner: whoever made it. Not shared between threads while it is written; readable by all
 * afterwards. All pieces but strings are aligned for any type.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena_chunk;

/* Small enough to lie inside the noun that it serves; all zero is an empty arena. */
struct arena {
	char *next;               /* free bytes of the newest chunk */
	char *end;
	struct arena_chunk *chunks;
};

/* The first chunk is allocated at the first use, of at least first_size bytes (0: a default of 1 KiB). */
void arena_init(struct arena *arena, size_t first_size);
/* Frees all chunks. */
void arena_clear(struct arena *arena);
/* The same for what holds a secret: the pieces are overwritten first. */
void arena_wipe(struct arena *arena);
/* Forgets all pieces and keeps one chunk for the next use. */
void arena_reset(struct arena *arena);

/* Allocates a zeroed object that contains its arena, at arena_offset, inside the arena's own first chunk: one malloc
 * for both. first_size bytes are left for pieces. Freed by arena_free_self, never by arena_clear. */
void *arena_new_self(size_t object_size, size_t arena_offset, size_t first_size);
void arena_free_self(void *object, size_t arena_offset);
void arena_wipe_self(void *object, size_t arena_offset);

void *arena_alloc(struct arena *arena, size_t size);
void *arena_zalloc(struct arena *arena, size_t size);
void *arena_dup(struct arena *arena, const void *bytes, size_t len);
char *arena_str(struct arena *arena, const char *s);
char *arena_str_len(struct arena *arena, const char *s, size_t len);
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Bytes that the arena's chunks hold. */
size_t arena_footprint(const struct arena *arena);

#endif
