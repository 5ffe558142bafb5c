/* SPDX-License-Identifier: MIT
 *
 * The roster as clients see it: get, set, push and versions (RFC 6121 §2).
 */
#ifndef IM_ROSTER_QUERY_H
#define IM_ROSTER_QUERY_H

#include "core/account.h"
#include "core/iq.h"

extern const struct iq_handler roster_handlers[];

/* §2.1.6: the contact's item as it is now, or its removal, to every session that has asked for the roster. */
void roster_push(struct account *account, const struct jid *contact);

#endif
