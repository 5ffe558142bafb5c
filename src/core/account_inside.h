/* SPDX-License-Identifier: MIT
 *
 * Private to core: what account*.c, session.c, kept.c and journal.c know of one another.
 */
#ifndef ACCOUNT_INSIDE_H
#define ACCOUNT_INSIDE_H

#include "core/account.h"
#include "store/journal.h"

/* account.c. In whatever state; NULL: not in memory. */
struct account *account_lookup(const struct home *home, const char *bare, size_t len);
/* The same, which is being loaded where it was not in memory. */
struct account *account_get(struct home *home, const struct jid *address);
/* account_keep.c. So many entries are not undelivered any more. */
void kept_forget(struct account *account, uint64_t count, uint64_t bytes);
/* account_receive.c. It has been loaded with that outcome, or goes: what waited for it is received or refused. */
void account_receive_waiting(struct account *account, enum account_state state);

/* kept.c. A message that would overtake the backlog is queued behind it: true, the parcel is taken over. */
bool kept_queues(struct account *account, struct parcel *parcel);
/* A session gives a parcel back. One that stands in the journal need not be kept again: true, it is
 * answered, and what is given back after it waits until it has gone to another session. */
bool kept_takes_back(struct account *account, struct parcel *parcel);
/* The store is told of deliveries: what is being read of the backlog is read again behind that. */
void kept_read_again(struct account *account);
/* An entry that was on its way waits again: the watermark does not pass it with what is being sent. */
void kept_leave_gap(struct account *account);
/* It is one that kept.c sends from the journal. */
bool kept_is_from_journal(const struct parcel *parcel);
/* The account is going: nothing more is sent, what queued is refused. */
void kept_clear(struct account *account);

/* overdue.c. A parcel of the account waits for somebody's answer, from now on. */
void overdue_watch(struct account *account, struct parcel *parcel);
/* The parcel is watched no more, for it is going to be written down; what came before it and sessions hold is written first. */
void overdue_write_earlier(struct account *account, struct parcel *parcel);

/* repeats.c. A message arrives for the account: true, it has come before, and is answered when and as the first is. */
bool repeats_takes(struct account *account, struct parcel *parcel);
/* A message that might come again is refused: if it does, it is a new one. */
void repeats_refused(struct home *home, const struct parcel *parcel);
/* A client of the account sends it; it is sealed and not under way yet. false: it has been sent before. */
bool repeats_sends(struct account *account, struct stanza *message);
/* By what a message is known again; 0: it never is. */
uint64_t repeats_digest(const struct server *server, const struct stanza *message, const struct jid *to,
                        enum store_direction direction);
void repeats_forget(struct account *account, uint64_t digest);
/* What an account that is loaded shall remember; what has been loaded; the account goes. */
void repeats_ask(const struct home *home, struct store_account_load *load);
void repeats_load(struct account *account, const struct store_account_load *load);
void repeats_clear(struct account *account);

/* journal.c. A message that was archived on its way to a session, and that no session may have now: true, it is answered
 * and waits in the journal. */
bool journal_takes_back(const struct account *account, struct parcel *parcel);
/* Another client than the one that is getting an entry has acknowledged a copy of it. */
void journal_land(struct account *account, uint64_t sequence);
/* Up to there no entry is on its way to a session. */
uint64_t journal_settled_up_to(const struct account *account);
/* A session gives back what another one has got meanwhile as a copy. */
bool journal_has(const struct account *account, const struct parcel *parcel);
/* An entry that is undelivered is on its way again, in this parcel. */
void journal_take_up(struct account *account, struct parcel *parcel, uint64_t sequence);
/* An entry that a session is getting, or has got and the store does not know yet. */
bool journal_is_on_its_way(const struct account *account, uint64_t sequence);
/* Entries that were undelivered, from the oldest on, have been delivered: the store is told. */
void journal_delivered(struct account *account, const struct store_journal_entry *entries, size_t count);
/* The same of some of them, whatever stands between. */
void journal_excepted(struct account *account, const struct store_journal_entry *entries, size_t count);
/* The entry, whose sequence is the newest, is archived. */
void journal_archive(struct account *account, struct store_journal_entry *entry);
/* Something may be told to the store; soon, for company, and at once when the server leaves. */
void journal_touch(struct account *account);
/* Tells the store at once what it does not know yet. */
void journal_flush(struct account *account);
/* The account is going. */
void journal_clear(struct account *account);

#endif
