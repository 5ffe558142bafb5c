/* SPDX-License-Identifier: MIT
 *
 * The journal of an account at its home: the sequences of its entries and their ids (XEP-0359), and the archive of what
 * the account sends and gets, as the policy of its host says (option archive).
 *
 * A sequence is a time with the number of the worker behind it: unique on this server, and ascending for an account
 * whatever the clock does. So an id says where in time its entry stands, also when the entry itself is no more.
 *
 * A message that is archived is appended while it is delivered: delivery does not wait, but the message is taken when its
 * entry is durable. What a session has got moves the watermark, some time later and for many messages at once; what no
 * session got stays beyond it and is delivered at the next login (core/kept.c). What lies between is told as exceptions
 * (core/journal_watermark.c). After a crash the newest messages may come once more, with the same id.
 */
#ifndef CORE_JOURNAL_H
#define CORE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/account.h"
#include "store/journal.h"

enum { JOURNAL_ID_LEN = 16 };

/* The next entry's. */
uint64_t journal_sequence(struct account *account);
/* No entry of an earlier time has it or a higher one, unless the clock was set back. */
uint64_t journal_sequence_at(int64_t wall_us);
int64_t journal_time(uint64_t sequence);        /* wall clock */
void journal_id(uint64_t sequence, char out[JOURNAL_ID_LEN + 1]);
bool journal_id_read(const char *id, uint64_t *sequence);       /* false: not one of ours */

/* Is a message between the account and that address archived? Not: of type headline, error or groupchat, nothing but chat
 * states, empty, or with a hint no-store or no-permanent-store (XEP-0334); the hint store is honoured. */
bool journal_wants(const struct account *account, const struct stanza *message, const struct jid *peer);
/* Can a message of the account be archived at all, or could it if its user asked for that? */
bool journal_may_archive(const struct account *account);

/* Sends a stanza of a client of the account on its way: it is sealed, a message that is archived gets its entry, and modules
 * see it (message_sent). Takes the reference. */
void journal_send(struct account *account, struct stanza *stanza);
/* May a message wait in the journal for its reader, whatever is archived? One of type normal or chat, or one that comes back,
 * that is more than chat states and has no hint no-store (XEP-0160 §3, XEP-0334). */
bool journal_may_keep(const struct stanza *message);

/* A parcel that sessions of the account are about to get. A message that is archived gets its entry, and its parcel the
 * entry's sequence: who handed it on is answered when the entry is durable. Anything else is watched (core/overdue.c). */
void journal_received(struct account *account, struct parcel *parcel);
/* The same entry for a message that nobody has acknowledged in time; forgotten when it is, where it is not archived. */
void journal_write_down(struct account *account, struct parcel *parcel);
/* A client that gets what is said to others has acknowledged its copy of an entry, or of a page of the archive all that lies in
 * it: delivered. For parcel.answered of session_push_told; the token is the entry's sequence, the page's last one. */
void journal_copy_answered(struct home *home, struct parcel *copy);
void journal_page_answered(struct home *home, struct parcel *page);
/* What is archived with after < sequence <= up_to is fetched from the archive, by a client that need not be sent it as well:
 * it counts as delivered, but for what sessions are getting now. */
void journal_fetched(struct account *account, uint64_t after, uint64_t up_to);

/* <stanza-id/> for the copy that a client gets; nothing where it has no entry. */
void journal_tail(struct buf *out, const struct account *account, const struct parcel *parcel);
/* The same as the last child of a message that is forwarded to a client; sequence 0: nothing. */
void journal_add_id(struct arena *arena, struct element *message, const struct account *account, uint64_t sequence);

/* Asks how far the archive reaches. journal_span_now: a span of the account, in the moment of the call; what is archived later
 * has a higher sequence. */
struct store_journal_span *journal_span_ask(struct account *account, void (*done)(struct store_request *request));
void journal_span_now(const struct account *account, struct store_journal_span *span);
/* <metadata/> of XEP-0313 §5. */
struct element *journal_add_metadata(struct arena *arena, struct element *parent, const struct store_journal_span *span);

/* The request that appends an entry for a message with a new sequence; done is the caller's. */
struct store_journal_append *journal_entry(struct account *account, const struct stanza *message, const struct jid *to,
                                           enum store_direction direction,
                                           void (*done)(struct store_request *request));
/* The message of an entry as a tree in the arena; NULL: it cannot be read. */
struct element *journal_entry_read(const struct account *account, struct arena *arena,
                                   const struct store_journal_entry *entry);

#endif
