/* SPDX-License-Identifier: MIT
 *
 * A doubly linked list whose links lie inside the members. A link that is in no list is all zero, so a member can
 * say whether it is in one. The list owns nothing.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

struct list_link {
	struct list_link *prev, *next;
};

struct list {
	struct list_link head;          /* circular; init before use */
};

#define LIST_MEMBER(link, type, field) ((type *)((char *)(link) - offsetof(type, field)))

static inline void list_init(struct list *list)
{
	list->head.prev = list->head.next = &list->head;
}

static inline bool list_is_empty(const struct list *list)
{
	return list->head.next == &list->head;
}

static inline bool list_is_linked(const struct list_link *link)
{
	return link->next != NULL;
}

static inline void list_add_last(struct list *list, struct list_link *link)
{
	assert(!list_is_linked(link));
	link->prev = list->head.prev;
	link->next = &list->head;
	link->prev->next = link;
	list->head.prev = link;
}

/* next: NULL, at the end. */
static inline void list_add_before(struct list *list, struct list_link *next, struct list_link *link)
{
	assert(!list_is_linked(link));
	if (!next)
		next = &list->head;
	link->prev = next->prev;
	link->next = next;
	link->prev->next = next->prev = link;
}

/* Does nothing where the link is in no list. */
static inline void list_remove(struct list_link *link)
{
	if (!list_is_linked(link))
		return;
	link->prev->next = link->next;
	link->next->prev = link->prev;
	link->prev = link->next = NULL;
}

/* The newcomer has its place, which may be in no list. */
static inline void list_replace(struct list_link *link, struct list_link *newcomer)
{
	assert(!list_is_linked(newcomer));
	if (!list_is_linked(link))
		return;
	*newcomer = *link;
	newcomer->prev->next = newcomer->next->prev = newcomer;
	link->prev = link->next = NULL;
}

static inline struct list_link *list_first(const struct list *list)
{
	return list_is_empty(list) ? NULL : list->head.next;
}

static inline struct list_link *list_next(const struct list *list, const struct list_link *link)
{
	return link->next == &list->head ? NULL : link->next;
}

static inline struct list_link *list_last(const struct list *list)
{
	return list_is_empty(list) ? NULL : list->head.prev;
}

static inline struct list_link *list_previous(const struct list *list, const struct list_link *link)
{
	return link->prev == &list->head ? NULL : link->prev;
}

static inline struct list_link *list_take_first(struct list *list)
{
	struct list_link *link = list_first(list);

	if (link)
		list_remove(link);
	return link;
}

#endif
