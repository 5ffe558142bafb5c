/* SPDX-License-Identifier: MIT
 *
 * Lines, found by their keys; a line is there while somebody stands in it. Many that end at once in start() are a loop and
 * not a recursion.
 */
#include "base/line.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

struct lines {
	struct map *all;
};

struct line {
	struct lines *lines;
	struct list places;
	size_t count;
	bool busy;    /* the first has been started and has not left */
	bool running; /* line_run is on the stack */
	size_t key_len;
	char key[];
};

struct lines *lines_new(const struct hash_seed *seed)
{
	struct lines *lines = mem_zalloc(sizeof(*lines));

	lines->all = map_new(seed);
	return lines;
}

void lines_free(struct lines **lines)
{
	struct map_walk walk = { 0 };
	struct line *line;

	if (!*lines)
		return;
	while ((line = map_next((*lines)->all, &walk)))
		free(line);
	map_free(&(*lines)->all);
	free(*lines);
	*lines = NULL;
}

static struct line *line_new(struct lines *lines, const char *key, size_t len)
{
	struct line *line = mem_zalloc(sizeof(*line) + len);

	line->lines = lines;
	line->key_len = len;
	memcpy(line->key, key, len);
	list_init(&line->places);
	map_put(lines->all, line->key, len, line);
	return line;
}

/* Starts the first, and the next where the first has left at once; who is left by all goes. */
static void line_run(struct line *line)
{
	struct list_link *first;

	if (line->running)
		return;
	line->running = true;
	while (!line->busy && (first = list_first(&line->places))) {
		struct line_place *place = LIST_MEMBER(first, struct line_place, link);

		line->busy = true;
		place->start(place);
	}
	line->running = false;
	if (line->count > 0)
		return;
	map_remove(line->lines->all, line->key, line->key_len);
	free(line);
}

void line_join(struct lines *lines, const char *key, size_t len, struct line_place *place,
               void (*start)(struct line_place *place))
{
	struct line *line = map_find(lines->all, key, len);

	if (!line)
		line = line_new(lines, key, len);
	place->line = line;
	place->start = start;
	list_add_last(&line->places, &place->link);
	line->count++;
	line_run(line);
}

size_t line_length(const struct lines *lines, const char *key, size_t len)
{
	const struct line *line = map_find(lines->all, key, len);

	return line ? line->count : 0;
}

void line_leave(struct line_place *place)
{
	struct line *line = place->line;

	if (!line)
		return;
	list_remove(&place->link);
	place->line = NULL;
	line->count--;
	line->busy = false;
	line_run(line);
}
