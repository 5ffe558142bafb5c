/* SPDX-License-Identifier: MIT
 *
 * Managing presence subscriptions (RFC 6121 §3): what subscription stanzas do to an account, its contacts and its clients.
 * The states are in im/subscription.h. Custody of a stanza is taken when the change that it made is durable.
 */
#ifndef IM_SUBSCRIBING_H
#define IM_SUBSCRIBING_H

#include "core/custody.h"
#include "core/session.h"
#include "im/subscription.h"

/* A client's subscribe, subscribed, unsubscribe or unsubscribed. Takes the stanza. */
void subscribing_sent(struct session *session, struct stanza *stanza);
/* The same from a contact. Answers the parcel, now or later. */
void subscribing_received(struct account *account, struct parcel *parcel);

/* The item of a contact with this state is being removed by the user: takes back and cancels what there is (§2.5.2). */
void subscribing_cancel(struct account *account, const struct jid *contact, enum subscription state);
/* The account approves the contact's subscription and asks for its own (XEP-0379 §3.5), as a client of it would. */
void subscribing_befriend(struct account *account, const struct jid *contact);
/* §3.1.3 rule 4: the requests that wait for an answer, to a session that has become available. */
void subscribing_deliver_requests(struct session *session);

#endif
