/* SPDX-License-Identifier: MIT
 *
 * Requests about one account's journal: append-only entries with a watermark of what has been delivered. An
 * entry's sequence is the driver's, ascending for the account; its id is ours (XEP-0359) and unique.
 */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

enum store_direction { STORE_IN, STORE_OUT };

struct store_journal_entry {
	uint64_t sequence;              /* answered */
	const char *id;
	int64_t at_us;                  /* wall clock, when it was taken */
	enum store_direction direction;
	uint8_t type;                   /* enum stanza_type */
	const char *peer;               /* prepared full or bare JID of the other side */
	const char *stanza;             /* XML in jabber:client */
	size_t stanza_len;
};

/* APPEND: one entry; request.sequence is answered. ABSENT: no such account. */
struct store_journal_append {
	struct store_request request;
	struct store_journal_entry entry;
};

/* READ: undelivered entries (beyond the watermark) with sequence > after, in order, at most limit entries. */
struct store_journal_read {
	struct store_request request;
	uint64_t after;
	size_t limit;
	struct store_journal_entry *entries;
	size_t count;
};

/* ADVANCE: all up to sequence has been delivered; entries up to there may be forgotten (policy of the
 * host). The watermark never falls and never passes the newest entry. */
struct store_journal_advance {
	struct store_request request;
	uint64_t sequence;
};

#endif
