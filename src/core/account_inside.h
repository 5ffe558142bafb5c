/* SPDX-License-Identifier: MIT
 *
 * Private to core: what account.c, session.c and kept.c know of one another.
 */
#ifndef ACCOUNT_INSIDE_H
#define ACCOUNT_INSIDE_H

#include "core/account.h"

/* kept.c. A message that would overtake the backlog is queued behind it: true, the parcel is taken over. */
bool kept_queues(struct account *account, struct parcel *parcel);
/* A session gives a parcel back. One that stands in the journal need not be kept again: true, it is
 * answered, and what is given back after it waits until it has gone to another session. */
bool kept_takes_back(struct account *account, struct parcel *parcel);
/* The account is going: nothing more is sent, what queued is refused. */
void kept_clear(struct account *account);

#endif
