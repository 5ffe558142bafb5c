/* SPDX-License-Identifier: MIT
 *
 * Users come, change their password and go: one way for the administrator's commands and for what users ask themselves. A
 * password leaves as SCRAM keys, derived in the background, and is wiped as soon as they are made. An account that is
 * removed is loaded first, so that its contacts hear of it (RFC 6121 §3, XEP-0077 §3.2).
 */
#ifndef CORE_USER_H
#define CORE_USER_H

#include "base/arena.h"
#include "core/server.h"
#include "xmpp/error.h"
#include "xmpp/jid.h"

enum user_outcome {
	USER_DONE,
	USER_EXISTS,            /* nothing was created */
	USER_ABSENT,            /* there is nobody to change or to remove */
	USER_BAD_PASSWORD,      /* empty, or characters that SASLprep does not allow */
	USER_BUSY,              /* too much is being derived: try again */
	USER_FAILED,            /* the store could not; it is logged there */
};

/* A reason for people, and for requests; USER_DONE has none. */
const char *user_outcome_text(enum user_outcome outcome);
enum stanza_condition user_outcome_condition(enum user_outcome outcome);

/* The address of a new user of a host, prepared in the arena; false: the name is none. A name is a localpart and nothing
 * else. */
bool user_name(struct arena *arena, const char *name, const char *domain, struct jid *user);

/* Runs on the home that asked, once, after the asking has returned. */
typedef void user_changed(struct home *home, void *context, enum user_outcome outcome);

/* user: a bare JID of a host, copied, as the password is. A name that is created must have been prepared as a new one
 * (JID_NEW_LOCAL). */
void user_create(struct home *home, const struct jid *user, const char *password, user_changed *done, void *context);
void user_set_password(struct home *home, const struct jid *user, const char *password, user_changed *done,
                       void *context);
/* The account's sessions are closed behind whatever done() routes to them. */
void user_remove(struct home *home, const struct jid *user, user_changed *done, void *context);

#endif
