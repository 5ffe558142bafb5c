/* SPDX-License-Identifier: MIT
 *
 * Invitations: a token that goes from hand to hand outside of XMPP and is good once, until it expires. With one of kind
 * contact somebody becomes a contact of the inviter without being asked (XEP-0379), and may register where the host takes
 * invited newcomers; with one of kind account somebody registers (XEP-0401, XEP-0445).
 *
 * A token has 128 random bits. Only its digest is kept, and looked up by: how long that takes tells nothing of the tokens
 * that there are. All invitations of a host live at the home of its name and are one document of the store, read at the
 * first need and written whole with each change; what is asked about them goes there and is answered when the change is
 * durable. So one token is never used twice, on whichever workers.
 */
#ifndef CORE_INVITE_H
#define CORE_INVITE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "core/errand.h"
#include "xmpp/error.h"
#include "xmpp/jid.h"

enum { INVITE_TOKEN = 32, INVITE_DIGEST = 32, INVITE_ID = 12 };

enum invite_kind { INVITE_CONTACT, INVITE_ACCOUNT };

struct invite {
	enum invite_kind kind;
	const char *inviter;            /* bare JID; NULL: the administrator of the machine */
	const char *user;               /* localpart that it is for, which nobody else gets meanwhile; NULL: any */
	bool befriends;                 /* whoever registers and the inviter see each other's presence */
	int64_t created_us, expires_us; /* wall clock */
};

enum invite_op {
	INVITE_CREATE,          /* invite without times, valid_ms (0: as the host's options say); answered: token, invite */
	INVITE_FIND,            /* digest; answered: invite. It does not expire on the stream that has found it */
	INVITE_CLAIM,           /* digest or, with_token false, nothing; user: the name to be registered. Held until the next two */
	INVITE_USE,             /* digest that was claimed: gone for good */
	INVITE_RELEASE,         /* digest that was claimed: free again */
	INVITE_REDEEM,          /* digest, inviter: as a contact; gone for good */
	INVITE_LIST,            /* answered: rows, an array that the asker takes */
	INVITE_REVOKE,          /* id */
	INVITE_FORGET,          /* inviter: all of his */
};

enum invite_status {
	INVITE_OK,
	INVITE_UNKNOWN,         /* no such invitation: never, expired, used, revoked, of somebody else */
	INVITE_EXISTS,          /* there is a user of that name */
	INVITE_TAKEN,           /* another invitation reserves that name */
	INVITE_FULL,            /* the host, or the inviter, has as many as may be */
	INVITE_FAILED,          /* the store could not; it is logged there */
};

struct invite_request {
	struct errand errand;                   /* first */
	enum invite_op op;
	enum invite_status status;              /* answered */
	const char *host;                       /* prepared domain; in the arena, as all texts */
	struct invite invite;
	bool with_token;
	uint8_t digest[INVITE_DIGEST];
	char token[INVITE_TOKEN + 1];           /* wiped with the request */
	int64_t valid_ms;
	const char *id;                         /* as a list shows it: INVITE_ID characters of the digest */
	json_t *rows;
	void *context;                          /* the asker's */
	uint64_t serial;                        /* likewise */
	struct arena arena;
	struct list_link link;                  /* at the host's home, as what follows */
	struct list taken;
	void (*done)(struct home *home, struct invite_request *request);
};

/* done() runs once on the home that asks, after invite_ask has returned, and frees the request. */
struct invite_request *invite_request_new(enum invite_op op, const char *host,
                                          void (*done)(struct home *home, struct invite_request *request),
                                          void *context);
void invite_request_free(struct invite_request *request);
/* The digest of a token that somebody brings. */
void invite_request_token(struct invite_request *request, const char *token);
void invite_ask(struct home *home, struct invite_request *request);

const char *invite_status_text(enum invite_status status);
enum stanza_condition invite_status_condition(enum invite_status status);

/* The address to hand out (XEP-0147, RFC 5122), and that of the page for people without a client (option invitation-page;
 * NULL: there is none), of an invitation that was created just now; in its arena. */
const char *invite_uri(const struct home *home, struct invite_request *request);
const char *invite_page(const struct home *home, struct invite_request *request);

/* Two accounts of this server become each other's contacts, on their homes. */
void invite_befriend(struct home *home, const struct jid *one, const struct jid *other);

/* Who may invite with his client: an option of the host. */
bool invite_may(const struct config *config, const struct host *host, const struct jid *who);

extern const struct module invite_module;

#endif
