/* SPDX-License-Identifier: MIT
 *
 * Requests about one account's journal: append-only entries, which are the archive (XEP-0313), the offline messages
 * (XEP-0160) and the recovery at once, and the watermark of what has been delivered.
 *
 * An entry is undelivered when its direction is IN, its sequence lies beyond the watermark and it was not reported
 * as an exception (ADVANCE). Sequences are given by the account's home (core/journal.h): unique on this server, ascending
 * for the account and with time.
 */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

enum store_direction { STORE_IN, STORE_OUT };

struct store_journal_entry {
	uint64_t sequence;
	/* APPEND: the key of the stanza's text. Two entries that name the same key share one text; whoever comes first
	 * brings it, the last that goes takes it along. */
	uint64_t body;
	int64_t at_us;                  /* wall clock, when it was taken */
	enum store_direction direction;
	uint8_t type;                   /* enum stanza_type */
	bool archived;                  /* false: kept for delivery only, and forgotten then */
	uint64_t repeat;                /* APPEND: by what the message is known again (core/repeats.c); 0: it never is */
	uint64_t stream;                /* APPEND: of whoever sent it (XEP-0198), and how many of his stanzas were in safe */
	uint32_t handled;               /* hands when he sent it; stream 0: unknown */
	const char *peer;               /* prepared full or bare JID of the other side */
	const char *stanza;             /* XML in jabber:client */
	size_t stanza_len;
};

/*
 * APPEND: ABSENT: no such account. A sequence that the account has already: FAILED.
 *
 * An entry comes with its text or not at all, and a text goes with its last entry: there is never one without the other,
 * whenever the server dies. A message between two accounts here is two requests: the sender's home asks first, the
 * recipient's when its rules have decided that there is an entry (blocked, not archived, come before: there is none), and they
 * are applied in that order. One request for both would have to wait for those rules with a sequence that is given already;
 * entries of the same account with higher ones would be seen before it, and who reads an archive onwards from what he has
 * (XEP-0313) would never see it. So a server that dies between the two leaves the sender's alone: a message that was not
 * acknowledged. Sent again it is known by its digest (repeat), gets no second entry there, and a recipient's with a text of
 * its own.
 */
struct store_journal_append {
	struct store_request request;
	struct store_journal_entry entry;
};

/* READ: undelivered entries with sequence > after, in order, at most limit. */
struct store_journal_read {
	struct store_request request;
	uint64_t after;
	size_t limit;
	struct store_journal_entry *entries;
	size_t count;
};

/* ADVANCE: all up to sequence has been delivered, and those of beyond (exceptions) too. The watermark never falls and
 * never passes the newest entry. What was delivered and is not archived is forgotten. */
struct store_journal_advance {
	struct store_request request;
	uint64_t sequence;
	const uint64_t *beyond;
	size_t beyond_count;
};

/* HANDLED: how many stanzas of that stream were in safe hands at least, as the newest entries say. ABSENT: they say nothing
 * of it. */
struct store_journal_handled {
	struct store_request request;
	uint64_t stream;
	uint32_t handled;
};

/* FETCHED: what is archived and undelivered with after < sequence <= up_to has been delivered. The watermark follows where
 * nothing else is undelivered below. */
struct store_journal_fetched {
	struct store_request request;
	uint64_t after, up_to;
	uint64_t count, bytes;                  /* answered: of what was undelivered */
};

/*
 * ARCHIVE: a page of the archived entries with from <= sequence <= to, and with that peer: a bare JID (of any resource) or
 * a full one; NULL: any. after and before (exclusive) bound the page, 0 and UINT64_MAX where there is no bound; backwards:
 * the page is the last entries within the bounds, else the first. Entries come in ascending order either way. ids: only
 * those entries, whichever of them exist; the page's bounds do not count. more: there are others beyond the page. total
 * is counted without after and before, up to count_most (0: not at all), and where there are fewer, preceding: those in front
 * of the page.
 */
struct store_journal_archive {
	struct store_request request;
	uint64_t from, to;
	const char *with;
	uint64_t after, before;
	bool backwards;
	size_t limit;
	const uint64_t *ids;
	size_t id_count;
	size_t count_most;
	struct store_journal_entry *entries;    /* answered, as all below */
	size_t count;
	bool more;
	size_t total, preceding;
};

/* SPAN: the oldest and the newest archived entry. */
struct store_journal_span {
	struct store_request request;
	uint64_t first, last;                   /* answered; 0: the archive is empty */
	int64_t first_us, last_us;
};

/* SURPLUS (owner: a host): of its accounts behind the account after (NULL: from the start), at most limit are looked at. Those
 * that have archived entries below the sequence before, beyond the newest most, or beyond the newest that are most_bytes
 * together (0: no bound), and undelivered ones aside: below which sequence EXPIRE takes them away. */
struct store_journal_surplus {
	struct store_request request;
	const char *after;
	size_t limit;
	uint64_t before;
	size_t most;
	uint64_t most_bytes;
	const char **accounts;                  /* answered, as all below */
	uint64_t *below;
	size_t count;
	const char *last;                       /* the last that was looked at; NULL: there are no more behind */
};

/* EXPIRE: forgets the oldest archived entries below the sequence before and those beyond the newest most (0: no bound),
 * at most limit in one step; what is undelivered stays. */
struct store_journal_expire {
	struct store_request request;
	uint64_t before;
	size_t most;
	size_t limit;
	size_t removed;                         /* answered; as many as limit: ask again */
};

#endif
