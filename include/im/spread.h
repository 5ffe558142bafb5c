/* SPDX-License-Identifier: MIT
 *
 * One stanza to several sessions of its account. Custody of a message that went to several is answered once: taken with the
 * first copy that a client took; when every copy came back it goes through the account's rules again. Of other copies
 * nobody waits for an answer.
 */
#ifndef IM_SPREAD_H
#define IM_SPREAD_H

#include <stdbool.h>

#include "core/custody.h"
#include "core/session.h"

/* Who of an account's sessions gets a copy. */
typedef bool spread_choice(const struct session *session, const struct parcel *parcel);
spread_choice spread_to_available;

/* Delivers a message to all sessions that the choice names; at least one. Takes the parcel. */
void spread_message(struct account *account, struct parcel *parcel, spread_choice *choice);
/* Delivers copies to all that the choice names, addressed to `to`; the parcel stays the caller's. */
void spread_copies(struct account *account, const struct parcel *parcel, const struct jid *to,
                   spread_choice *choice);

/* One copy, addressed to `to`. */
void spread_copy(struct session *session, const struct stanza *stanza, const struct jid *to);

/* A copy that a session gave back: answered here (true). */
bool spread_returned(struct home *home, struct parcel *parcel);

struct map *spreads_open(struct home *home);
void spreads_close(struct map *spreads);

#endif
