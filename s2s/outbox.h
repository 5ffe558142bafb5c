/* SPDX-License-Identifier: MIT
 *
 * The outbox of a link: the parcels that wait for a stream, in order, bounded by its owner in number and
 * bytes. It has custody of them; each leaves to a stream or with an answer. While a parcel waits, its
 * position is the time (monotonic) until which it may.
 */
#ifndef S2S_OUTBOX_H
#define S2S_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/custody.h"

struct outbox {
	struct parcel *first, **end;
	size_t count, bytes;
};

void outbox_init(struct outbox *outbox);
void outbox_add(struct outbox *outbox, struct parcel *parcel, uint64_t until_ms); /* behind the last */
/* All of returned come before the first, in their order; returned is empty then. */
void outbox_put_back(struct outbox *outbox, struct outbox *returned);
struct parcel *outbox_take(struct outbox *outbox); /* the first; NULL: none */
/* Takes the first parcel whose time is over; NULL: none. */
struct parcel *outbox_take_expired(struct outbox *outbox, uint64_t now_ms);
/* When the next one expires; UINT64_MAX: none waits. */
uint64_t outbox_next_expiry(const struct outbox *outbox);

static inline bool outbox_is_empty(const struct outbox *outbox)
{
	return outbox->count == 0;
}

#endif
