/* SPDX-License-Identifier: MIT
 *
 * A table of token buckets, and the order in which they were asked for.
 */
#include "net/rates.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

struct keyed_rate {
	struct list_link link;
	struct rate rate;
	size_t key_len;
	char key[];
};

struct rates {
	struct map *map;
	struct list list;       /* the longest not asked for first */
	size_t most;
};

struct rates *rates_new(const struct hash_seed *seed, size_t most)
{
	struct rates *rates = mem_zalloc(sizeof(*rates));

	rates->map = map_new(seed);
	rates->most = most;
	list_init(&rates->list);
	return rates;
}

static void rates_forget_first(struct rates *rates)
{
	struct keyed_rate *first = LIST_MEMBER(list_first(&rates->list), struct keyed_rate, link);

	map_remove(rates->map, first->key, first->key_len);
	list_remove(&first->link);
	free(first);
}

void rates_free(struct rates **rates)
{
	if (!*rates)
		return;
	while (!list_is_empty(&(*rates)->list))
		rates_forget_first(*rates);
	map_free(&(*rates)->map);
	free(*rates);
	*rates = NULL;
}

struct rate *rates_get(struct rates *rates, const void *key, size_t len)
{
	struct keyed_rate *keyed = map_find(rates->map, key, len);

	if (!keyed) {
		if (map_count(rates->map) == rates->most)
			rates_forget_first(rates);
		keyed = mem_zalloc(sizeof(*keyed) + len);
		memcpy(keyed->key, key, len);
		keyed->key_len = len;
		map_put(rates->map, keyed->key, len, keyed);
	}
	list_remove(&keyed->link);
	list_add_last(&rates->list, &keyed->link);
	return &keyed->rate;
}

const struct rate *rates_find(const struct rates *rates, const void *key, size_t len)
{
	const struct keyed_rate *keyed = map_find(rates->map, key, len);

	return keyed ? &keyed->rate : NULL;
}
