/* SPDX-License-Identifier: MIT
 *
 * The set of blocked addresses (XEP-0191 §6): a sorted array that is made anew with each change, so that asking it costs a
 * binary search for each of the three forms in which an address may be blocked.
 */
#include "blocklist.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static int entry_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void blocklist_sort(struct blocklist *list)
{
	size_t count = 0;

	qsort(list->entries, list->count, sizeof(*list->entries), entry_order);
	for (size_t i = 0; i < list->count; i++) {
		if (count == 0 || strcmp(list->entries[count - 1], list->entries[i]) != 0)
			list->entries[count++] = list->entries[i];
	}
	list->count = count;
}

void blocklist_read(struct blocklist *list, const char *text, size_t len)
{
	size_t lines = 0;
	char *line, *rest;

	*list = (struct blocklist){ 0 };
	if (len == 0)
		return;
	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	list->text = rest = str_dup_len(text, len);
	list->entries = mem_alloc((lines + 1) * sizeof(*list->entries));
	while ((line = strsep(&rest, "\n"))) {
		if (*line)
			list->entries[list->count++] = line;
	}
	blocklist_sort(list);
}

void blocklist_write(const struct blocklist *list, struct buf *out)
{
	for (size_t i = 0; i < list->count; i++) {
		buf_add_str(out, list->entries[i]);
		buf_add_char(out, '\n');
	}
}

void blocklist_clear(struct blocklist *list)
{
	free(list->text);
	free(list->entries);
	*list = (struct blocklist){ 0 };
}

bool blocklist_has(const struct blocklist *list, const char *entry, size_t len)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *text = list->entries[middle];
		int order = strncmp(text, entry, len);

		if (order == 0 && text[len] == '\0')
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

bool blocklist_matches(const struct blocklist *list, const struct jid *who)
{
	if (list->count == 0 || !who->text)
		return false;
	return blocklist_has(list, who->text, jid_len(who)) ||
	       blocklist_has(list, who->text, jid_bare_len(who)) ||
	       blocklist_has(list, jid_domain_text(who), who->domain_len);
}

void blocklist_add(const struct blocklist *before, const struct jid *names, size_t count,
                   struct blocklist *after)
{
	struct buf text = { 0 };

	blocklist_write(before, &text);
	for (size_t i = 0; i < count; i++) {
		buf_add_str(&text, names[i].text);
		buf_add_char(&text, '\n');
	}
	blocklist_read(after, text.data, text.len);
	buf_clear(&text);
}

static bool names_have(const struct jid *names, size_t count, const char *entry)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(names[i].text, entry) == 0)
			return true;
	}
	return false;
}

void blocklist_subtract(const struct blocklist *before, const struct jid *names, size_t count,
                        struct blocklist *after)
{
	struct buf text = { 0 };

	for (size_t i = 0; i < before->count; i++) {
		if (names_have(names, count, before->entries[i]))
			continue;
		buf_add_str(&text, before->entries[i]);
		buf_add_char(&text, '\n');
	}
	blocklist_read(after, text.data, text.len);
	buf_clear(&text);
}
