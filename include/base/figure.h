/* SPDX-License-Identifier: MIT
 *
 * A counter that one thread moves and any thread reads without a lock. What is read may be a moment old, and two
 * figures need not belong to the same moment.
 */
#ifndef BASE_FIGURE_H
#define BASE_FIGURE_H

#include <stdatomic.h>
#include <stdint.h>

struct figure {
	_Atomic uint64_t count;
};

static inline uint64_t figure_get(const struct figure *figure)
{
	return atomic_load_explicit(&figure->count, memory_order_relaxed);
}

/* By its thread alone: no other can come between the two steps. A negative amount takes away. */
static inline void figure_add(struct figure *figure, int64_t amount)
{
	atomic_store_explicit(&figure->count, figure_get(figure) + (uint64_t)amount, memory_order_relaxed);
}

#endif
