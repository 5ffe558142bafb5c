/* SPDX-License-Identifier: MIT
 *
 * A hash table from byte strings to pointers: open addressing, seeded. Keys are borrowed: they usually lie inside
 * the value and must live as long as the entry. Used by one thread at a time.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/hash.h"

struct map;

struct map *map_new(const struct hash_seed *seed);
void map_free(struct map **map);                /* the values are not touched */

void *map_find(const struct map *map, const void *key, size_t len);   /* NULL: absent */
/* Puts a value that is not NULL; answers the value that it replaces, or NULL. */
void *map_put(struct map *map, const void *key, size_t len, void *value);
void *map_remove(struct map *map, const void *key, size_t len);       /* answers what was there */
size_t map_count(const struct map *map);

/* Walks all values: struct map_walk w = {0}; while ((v = map_next(m, &w))) ... The value just answered may be
 * removed while walking; nothing may be put. */
struct map_walk {
	size_t start, steps;
};
void *map_next(const struct map *map, struct map_walk *walk);

#endif
