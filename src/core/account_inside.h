/* SPDX-License-Identifier: MIT
 *
 * Private to core: what account.c, session.c and kept.c know of one another.
 */
#ifndef ACCOUNT_INSIDE_H
#define ACCOUNT_INSIDE_H

#include "core/account.h"

/* kept.c. A message that would overtake the backlog is queued behind it: true, the parcel is taken over. */
bool kept_queues(struct account *account, struct parcel *parcel);
/* The parcel stands in the journal: a session that gives it back need not keep it again. */
bool kept_is_source(const struct parcel *parcel);
/* The account is going: nothing more is sent, what queued is refused. */
void kept_clear(struct account *account);

#endif
