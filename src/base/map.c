/* SPDX-License-Identifier: MIT
 *
 * The hash table: linear probing in a power of two of slots. A removal shifts the entries behind it back, so
 * there are no tombstones and a table with much coming and going stays fast. It grows at three quarters,
 * shrinks at the next put when an eighth or less is used, and an empty table holds no slots.
 *
 * A walk goes downwards from a free slot: what a removal at the current slot shifts comes from slots already
 * seen.
 */
#include "base/map.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { MAP_SLOTS_MIN = 8 };

struct map_slot {
	uint32_t hash;
	uint32_t len;
	const void *key;
	void *value; /* NULL: the slot is free */
};

struct map {
	struct hash_seed seed;
	struct map_slot *slots;
	size_t cap; /* 0 or a power of two */
	size_t count;
};

struct map *map_new(const struct hash_seed *seed)
{
	struct map *map = mem_zalloc(sizeof(*map));

	map->seed = *seed;
	return map;
}

void map_free(struct map **map)
{
	if (*map)
		free((*map)->slots);
	free(*map);
	*map = NULL;
}

size_t map_count(const struct map *map)
{
	return map->count;
}

static uint32_t map_hash(const struct map *map, const void *key, size_t len)
{
	assert(len <= UINT32_MAX);
	return (uint32_t)hash_bytes(&map->seed, key, len);
}

/* The slot of the key, or the free slot where its probing ends. */
static struct map_slot *map_probe(const struct map *map, uint32_t hash, const void *key, size_t len)
{
	size_t mask = map->cap - 1;

	for (size_t at = hash & mask;; at = (at + 1) & mask) {
		struct map_slot *slot = &map->slots[at];

		if (!slot->value)
			return slot;
		if (slot->hash == hash && slot->len == len && (len == 0 || memcmp(slot->key, key, len) == 0))
			return slot;
	}
}

void *map_find(const struct map *map, const void *key, size_t len)
{
	if (map->count == 0)
		return NULL;
	return map_probe(map, map_hash(map, key, len), key, len)->value;
}

static void map_resize(struct map *map, size_t cap)
{
	struct map_slot *old = map->slots;
	size_t old_cap = map->cap;

	map->slots = mem_zalloc(cap * sizeof(*map->slots));
	map->cap = cap;
	for (size_t at = 0; at < old_cap; at++) {
		if (old[at].value)
			*map_probe(map, old[at].hash, old[at].key, old[at].len) = old[at];
	}
	free(old);
}

/* Makes the slots fit one entry more. */
static void map_fit(struct map *map)
{
	if (map->cap == 0)
		map_resize(map, MAP_SLOTS_MIN);
	else if (map->count + 1 > map->cap / 4 * 3)
		map_resize(map, map->cap * 2);
	else if (map->cap > MAP_SLOTS_MIN && map->count < map->cap / 8)
		map_resize(map, map->cap / 4);
}

void *map_put(struct map *map, const void *key, size_t len, void *value)
{
	uint32_t hash = map_hash(map, key, len);
	struct map_slot *slot;
	void *replaced;

	assert(value);
	map_fit(map);
	slot = map_probe(map, hash, key, len);
	replaced = slot->value;
	*slot = (struct map_slot){ hash, (uint32_t)len, key, value };
	if (!replaced)
		map->count++;
	return replaced;
}

/* Fills the hole with the next entry that may lie there, and so on with the hole that this leaves. */
static void map_close_hole(struct map *map, size_t hole)
{
	size_t mask = map->cap - 1;

	for (size_t at = (hole + 1) & mask; map->slots[at].value; at = (at + 1) & mask) {
		size_t home = map->slots[at].hash & mask;

		if (((at - home) & mask) >= ((at - hole) & mask)) {
			map->slots[hole] = map->slots[at];
			hole = at;
		}
	}
	map->slots[hole].value = NULL;
}

void *map_remove(struct map *map, const void *key, size_t len)
{
	struct map_slot *slot;
	void *value;

	if (map->count == 0)
		return NULL;
	slot = map_probe(map, map_hash(map, key, len), key, len);
	value = slot->value;
	if (!value)
		return NULL;
	map_close_hole(map, (size_t)(slot - map->slots));
	if (--map->count == 0) {
		free(map->slots);
		map->slots = NULL;
		map->cap = 0;
	}
	return value;
}

static size_t map_free_slot(const struct map *map)
{
	size_t at = 0;

	while (map->slots[at].value)
		at++;
	return at;
}

void *map_next(const struct map *map, struct map_walk *walk)
{
	size_t mask = map->cap - 1;

	if (map->count == 0)
		return NULL;
	if (walk->steps == 0)
		walk->start = map_free_slot(map);
	while (walk->steps < mask) {
		void *value = map->slots[(walk->start - ++walk->steps) & mask].value;

		if (value)
			return value;
	}
	return NULL;
}
