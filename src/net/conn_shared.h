/* SPDX-License-Identifier: MIT
 *
 * What the conns of one worker share: the scratch buffers that bytes pass through, spare output buffers, and the lists
 * of conns for which the turn has something to do. Touched by its worker only.
 */
#ifndef NET_CONN_SHARED_H
#define NET_CONN_SHARED_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/list.h"

enum {
	CONN_READ_SIZE = 65536,                 /* of one read */
	CONN_HANDSHAKES_A_TURN = 20,
	CONN_SPARE_BUFFERS = 256,
	CONN_SPARE_SIZE = 4096,                 /* a larger buffer is freed, not spared */
};

struct conn_shared {
	struct list ready;      /* input to go on with: kept bytes, a handshake that waits for its turn */
	struct list dirty;      /* output to flush */
	struct list moving;     /* leave for another worker at the end of the turn */
	struct list dead;       /* closed() and free at the end of the turn */
	unsigned handshakes;    /* that may still begin before the next turn */
	size_t spare_count;
	struct buf spare[CONN_SPARE_BUFFERS];
	struct buf sealed;      /* TLS records between encryption and the write */
	char input[CONN_READ_SIZE];
	char plain[CONN_READ_SIZE];
};

void conn_shared_init(struct conn_shared *shared);
/* Frees the conns that are dead already, without a word to their owners. */
void conn_shared_clear(struct conn_shared *shared);

/* Parts of a turn. true: something was done. */
bool conn_shared_go_on(struct conn_shared *shared);     /* after events */
bool conn_shared_flush(struct conn_shared *shared);     /* at its end */
bool conn_shared_has_work(const struct conn_shared *shared);

/* An empty buffer with some room, and what to do with it when it is drained. */
void conn_shared_lend(struct conn_shared *shared, struct buf *buf);
void conn_shared_take_back(struct conn_shared *shared, struct buf *buf);

#endif
