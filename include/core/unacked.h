/* SPDX-License-Identifier: MIT
 *
 * Parcels until the peer that they are written to, a client or another server, has acknowledged them (XEP-0198 §4), in the
 * order in which they came: first those that are written, then those that wait for room in the window, for a stream, or both.
 */
#ifndef CORE_UNACKED_H
#define CORE_UNACKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/custody.h"

struct unacked {
	struct parcel *first, **end;
	struct parcel *next;            /* the first that is not written; NULL: all are */
	uint32_t acked;                 /* the peer's h */
	uint32_t sent;                  /* written, counted from the start */
	uint32_t count;                 /* in the queue */
	size_t bytes, written_bytes;
};

void unacked_init(struct unacked *queue);
void unacked_add(struct unacked *queue, struct parcel *parcel);
/* The next to be written, which counts as sent; NULL: none, or window bytes are on their way. */
struct parcel *unacked_next(struct unacked *queue, size_t window);
/* The peer has handled h stanzas: they are taken. false: it was not sent so many. */
bool unacked_ack(struct unacked *queue, struct home *home, uint32_t h);
/* A new stream: what is not acknowledged has to be written again. */
void unacked_rewind(struct unacked *queue);
/* The queue of a server before this one: the peer has acknowledged acked, and the first `written` may have reached it. */
void unacked_restore(struct unacked *queue, uint32_t acked, uint32_t written);
/* Gives up the first; NULL: none. */
struct parcel *unacked_take(struct unacked *queue);

#endif
