/* SPDX-License-Identifier: MIT
 *
 * Requests about outboxes (core/outbox.h): what waits for a link until its peer has it. The owner is the outbox, by its
 * key. Entries stand in the order of their sequences, which core gives.
 */
#ifndef STORE_OUTBOX_H
#define STORE_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

struct store_outbox_entry {
	uint64_t sequence;
	int64_t since_us;               /* wall clock, when it entered this server */
	uint64_t bytes;                 /* what it weighs, as core counts */
	const char *stanza;             /* XML in jabber:client, with from and to */
	size_t stanza_len;
};

/* APPEND: a sequence that the outbox has already: FAILED. */
struct store_outbox_append {
	struct store_request request;
	struct store_outbox_entry entry;
};

/* READ: entries with sequence > after, in order, at most limit, and no more behind the one with which they reach
 * most_bytes. more: there are others behind. */
struct store_outbox_read {
	struct store_request request;
	uint64_t after;
	size_t limit;
	uint64_t most_bytes;
	struct store_outbox_entry *entries;     /* answered, as all below */
	size_t count;
	bool more;
};

/* REMOVE: those of the sequences that there are. */
struct store_outbox_remove {
	struct store_request request;
	const uint64_t *sequences;
	size_t count;
};

/* LIST (owner ""): the outboxes that have entries, by their keys. */
struct store_outbox {
	const char *key;
	uint64_t count, bytes;
	uint64_t newest;                /* sequence */
};
struct store_outbox_list {
	struct store_request request;
	struct store_outbox *outboxes;
	size_t count;
};

#endif
