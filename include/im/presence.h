/* SPDX-License-Identifier: MIT
 *
 * Presence of an account's sessions (RFC 6121 §4): broadcast, directed presence. One stanza is sealed and shared by
 * all who get it; the account itself is one of its subscribers.
 */
#ifndef IM_PRESENCE_H
#define IM_PRESENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/custody.h"
#include "core/session.h"

/* A client's presence without `to`, or to an address of others when it is no subscription stanza. Takes the stanza. */
void presence_sent(struct session *session, struct stanza *stanza);
/* It has outlived a server. */
void presence_session_thawed(struct session *session);
/* The session ends: who knew of it hears that it is gone (§4.5.2). */
void presence_session_ended(struct session *session);

/* An address has told the account that it is unavailable: it is no longer owed our own (§4.6.1). */
void presence_contact_left(struct account *account, const struct jid *contact);

/* Current presence of each available session to a contact who may see it; their number. */
size_t presence_show(struct account *account, const struct jid *contact);
/* §3.1.5: a contact has just been admitted, or is not shut out any more. His presence is asked for as well, as far as the
 * account may see it: with it come his capabilities, and he gets the events that were not for him before (XEP-0163 §4). */
void presence_welcome(struct account *account, const struct jid *contact);
/* §3.2.2: unavailable presence of each available session to a contact that is no longer admitted. */
void presence_hide(struct account *account, const struct jid *contact);

/* The hooks of the same names, for many at a time. */
void presence_withdrawn(struct account *account, const struct address_set *from);
void presence_restored(struct account *account, const struct address_set *to);

/* Has the session, or any of the account's when NULL, shared its presence with the address: §8.5.3.1. */
bool presence_is_shared(const struct account *account, const struct session *session, const struct jid *with);

/* Is that address on another server or at a component, which does not end when this server does? Are there contacts in such
 * places that get the account's presence? */
bool presence_is_elsewhere(const struct account *account, const struct jid *who);
bool presence_has_contacts_elsewhere(const struct account *account);

#endif
