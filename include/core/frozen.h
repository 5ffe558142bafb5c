/* SPDX-License-Identifier: MIT
 *
 * Sessions that outlive the server. One that leaves in order puts what its clients may resume (XEP-0198 §5) into the store,
 * as a document of the account, and the next one finds it there: who is present, with what was on its way to the client.
 * Nobody hears of the restart. What a server has left that did not get to its end is not trusted.
 */
#ifndef CORE_FROZEN_H
#define CORE_FROZEN_H

#include "base/buf.h"
#include "core/session.h"
#include "store/account.h"

/* Writes the session, as XML: what belongs to it beside its outlet. Around it the outlet's owner writes an element, with
 * attributes of its own. */
void frozen_write_session(struct buf *out, const struct session *session);
/* A parcel that the session's client has not acknowledged. */
void frozen_write_parcel(struct buf *out, const struct parcel *parcel);

/* The session is durable under its id; the server says so at its end. It is left without a word to anybody. */
void frozen_note(struct session *session);
/* Of a parcel that stands in what is durable: it is let go. */
void frozen_put_away(struct session *session, struct parcel *parcel);

/* Binds the session anew; nobody hears of it. NULL: it cannot be. */
struct session *frozen_read_session(struct account *account, const struct element *frozen,
                                    const struct session_outlet *outlet, void *outlet_owner);
/* The parcel; NULL: it cannot be read. */
struct parcel *frozen_read_parcel(struct account *account, const struct element *frozen);
/* The session is complete: it asks for what it may have missed. */
void frozen_thawed(struct session *session, const struct element *frozen);

/* Is the document one that the last server left in order? */
bool frozen_is_ours(const struct home *home, const struct element *frozen);

/* Core's own. Reads, at the start, what there is: before the homes are open. Loads the accounts on their homes. At the end,
 * when all is quiet, leaves the list for the next one. */
void frozen_open(struct server *server);
void frozen_home_open(struct home *home);
void frozen_home_close(struct home *home);
void frozen_leave(struct server *server);
void frozen_close(struct server *server);

#endif
