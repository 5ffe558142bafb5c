/* SPDX-License-Identifier: MIT
 *
 * Arenas: a chain of chunks, the newest first, each twice as large as the one before up to a bound. A piece
 * is cut off the newest chunk's free end. Under AddressSanitizer the free bytes and a gap behind each piece
 * are poisoned, so that running over a piece's end is found inside a chunk too.
 */
#include "base/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#endif

#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
enum { ARENA_GAP = 16 };
#else
#define ASAN_POISON_MEMORY_REGION(start, len) ((void)(start), (void)(len))
#define ASAN_UNPOISON_MEMORY_REGION(start, len) ((void)(start), (void)(len))
enum { ARENA_GAP = 0 };
#endif

enum {
	ARENA_ALIGN = _Alignof(max_align_t),
	ARENA_FIRST_SIZE = 1024,
	ARENA_DOUBLE_UP_TO = 65536, /* larger chunks only for larger pieces */
	ARENA_PIECE_MAX = 1 << 30,  /* more than this is a length gone wrong, not a piece */
};

struct arena_chunk {
	struct arena_chunk *older;
	size_t size;  /* of bytes[] */
	size_t taken; /* by the object that the arena lives in; else 0 */
	_Alignas(max_align_t) char bytes[];
};

static struct arena_chunk *chunk_new(size_t size, struct arena_chunk *older)
{
	struct arena_chunk *chunk = mem_alloc(sizeof(*chunk) + size);

	chunk->older = older;
	chunk->size = size;
	chunk->taken = 0;
	return chunk;
}

static void chunk_free(struct arena_chunk *chunk)
{
	ASAN_UNPOISON_MEMORY_REGION(chunk->bytes, chunk->size);
	free(chunk);
}

/* Makes the chunk's free bytes those that are handed out next. */
static void arena_open_chunk(struct arena *arena, struct arena_chunk *chunk)
{
	arena->chunks = chunk;
	arena->next = chunk->bytes + chunk->taken;
	arena->end = chunk->bytes + chunk->size;
	ASAN_POISON_MEMORY_REGION(arena->next, chunk->size - chunk->taken);
}

/* While there is no chunk, next and end are equal: their value is the size that the first shall have. */
void arena_init(struct arena *arena, size_t first_size)
{
	arena->next = arena->end = (char *)first_size;
	arena->chunks = NULL;
}

void arena_clear(struct arena *arena)
{
	struct arena_chunk *chunk = arena->chunks, *older;

	*arena = (struct arena){ 0 };
	for (; chunk; chunk = older) {
		older = chunk->older;
		chunk_free(chunk);
	}
}

void arena_wipe(struct arena *arena)
{
	for (struct arena_chunk *chunk = arena->chunks; chunk; chunk = chunk->older) {
		ASAN_UNPOISON_MEMORY_REGION(chunk->bytes, chunk->size);
		mem_wipe(chunk->bytes, chunk->size);
	}
	arena_clear(arena);
}

/* The oldest chunk is kept: it has the size that was asked for, and an object that the arena lives in. */
void arena_reset(struct arena *arena)
{
	struct arena_chunk *chunk = arena->chunks, *older;

	if (!chunk)
		return;
	for (; chunk->older; chunk = older) {
		older = chunk->older;
		chunk_free(chunk);
	}
	arena_open_chunk(arena, chunk);
}

static size_t align_up(size_t n)
{
	return (n + ARENA_ALIGN - 1) & ~((size_t)ARENA_ALIGN - 1);
}

void *arena_new_self(size_t object_size, size_t arena_offset, size_t first_size)
{
	size_t taken = align_up(object_size);
	struct arena_chunk *chunk =
		chunk_new(taken + align_up(first_size ? first_size : ARENA_FIRST_SIZE), NULL);

	assert(arena_offset + sizeof(struct arena) <= object_size);
	memset(chunk->bytes, 0, object_size);
	chunk->taken = taken;
	arena_open_chunk((struct arena *)(chunk->bytes + arena_offset), chunk);
	return chunk->bytes;
}

/* The arena itself goes with the oldest chunk, so it is not touched any more. */
void arena_free_self(void *object, size_t arena_offset)
{
	struct arena arena = *(struct arena *)((char *)object + arena_offset);

	arena_clear(&arena);
}

void arena_wipe_self(void *object, size_t arena_offset)
{
	struct arena arena = *(struct arena *)((char *)object + arena_offset);

	arena_wipe(&arena);
}

static void arena_grow(struct arena *arena, size_t size)
{
	size_t next_size = ARENA_FIRST_SIZE;

	if (arena->chunks)
		next_size = arena->chunks->size < ARENA_DOUBLE_UP_TO ? 2 * arena->chunks->size
		                                                     : ARENA_DOUBLE_UP_TO;
	else if (arena->next)
		next_size = align_up((uintptr_t)arena->next);
	if (next_size < size)
		next_size = size;
	arena_open_chunk(arena, chunk_new(next_size, arena->chunks));
}

/* Cuts a piece off, at an address that is a multiple of align. */
static void *arena_cut(struct arena *arena, size_t size, size_t align)
{
	uintptr_t start = ((uintptr_t)arena->next + align - 1) & ~((uintptr_t)align - 1);
	size_t whole = size + !size + ARENA_GAP;

	if (start > (uintptr_t)arena->end || (uintptr_t)arena->end - start < whole) {
		assert(size <= ARENA_PIECE_MAX);
		arena_grow(arena, whole);
		start = (uintptr_t)arena->next;
	}
	arena->next = (char *)start + whole;
	ASAN_UNPOISON_MEMORY_REGION((char *)start, size);
	return (char *)start;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	return arena_cut(arena, size, ARENA_ALIGN);
}

void *arena_zalloc(struct arena *arena, size_t size)
{
	return memset(arena_alloc(arena, size), 0, size);
}

void *arena_dup(struct arena *arena, const void *bytes, size_t len)
{
	void *copy = arena_alloc(arena, len);

	if (len)
		memcpy(copy, bytes, len);
	return copy;
}

char *arena_str(struct arena *arena, const char *s)
{
	return arena_str_len(arena, s, strlen(s));
}

char *arena_str_len(struct arena *arena, const char *s, size_t len)
{
	char *copy = arena_cut(arena, len + 1, ARENA_GAP ? ARENA_ALIGN : 1);

	if (len)
		memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args, again;
	char *text;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	assert(len >= 0);
	text = arena_cut(arena, (size_t)len + 1, ARENA_GAP ? ARENA_ALIGN : 1);
	vsnprintf(text, (size_t)len + 1, format, again);
	va_end(again);
	va_end(args);
	return text;
}

size_t arena_footprint(const struct arena *arena)
{
	size_t bytes = 0;

	for (const struct arena_chunk *chunk = arena->chunks; chunk; chunk = chunk->older)
		bytes += sizeof(*chunk) + chunk->size;
	return bytes;
}
