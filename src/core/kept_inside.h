/* SPDX-License-Identifier: MIT
 *
 * What the files of core/kept share: kept.c the backlog of an account from its beginning to its end, and who waits behind
 * it; kept_batch.c the entries that are being sent.
 */
#ifndef CORE_KEPT_INSIDE_H
#define CORE_KEPT_INSIDE_H

#include "account_inside.h"
#include "core/session.h"
#include "store/journal.h"

enum { KEPT_BATCH = 100 }; /* entries read at once */

/* The backlog on its way to one session. */
struct kept {
	uint64_t serial; /* tells its reads from those of an earlier one */
	char session[ID_LEN + 1];
	struct store_journal_read *batch; /* NULL: being read */
	size_t next;                      /* entry to send */
	size_t taken;                     /* entries that the client has, from the first on */
	size_t outstanding;               /* sent and not answered */
	size_t outstanding_bytes;
	uint64_t after; /* what has been taken, up to there */
	uint64_t reach; /* the last entry read */
	bool is_stale;  /* the batch that is being read: entries of it may have been delivered */
	bool has_gap;   /* an entry that was left out, as others were getting it, waits again */
	bool more;      /* there may be entries behind the batch */
	bool stopped;   /* the session is no longer there for messages */
	bool again;     /* somebody asked for the backlog meanwhile */
	bool refused;   /* it has left an entry untaken: what it took behind that does not count */
	bool passed;    /* all has been sent: live messages may follow */
	struct parcel *waiting, **waiting_end;
	size_t waiting_count, waiting_bytes;
};

/* The session that gets the backlog; NULL: it is not there for messages any more. */
struct session *kept_session(const struct account *account);
/* All has been sent: who waits behind it is received. */
void kept_let_pass(struct account *account);
/* All that was sent of the batch is answered, and it is gone. */
void kept_batch_closed(struct account *account);

/* Takes over what has been read, and begins to send it. */
void kept_batch_open(struct account *account, struct store_journal_read *batch);
/* For parcel.answered; its token is the entry's sequence. */
void kept_answered(struct home *home, struct parcel *parcel);

#endif
