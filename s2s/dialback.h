/* SPDX-License-Identifier: MIT
 *
 * Server dialback (XEP-0220) as pure values: keys (XEP-0185) and the two elements, db:result and db:verify,
 * as requests and as answers. Who may say what on which stream is decided by incoming.c, outgoing.c and
 * verify.c.
 */
#ifndef S2S_DIALBACK_H
#define S2S_DIALBACK_H

#include <stdbool.h>

#include "base/buf.h"
#include "xmpp/element.h"
#include "xmpp/ns.h"

/* Declared in our stream headers (§2.4.1); everybody knows the prefix, some know no other. */
#define DIALBACK_DECLARATION "xmlns:db='" NS_DIALBACK "'"

enum { DIALBACK_KEY = 64 };

/* The key by which originating proves itself to receiving on the stream that receiving gave this id.
 * Hexadecimal. */
void dialback_key(const char *secret, const char *receiving, const char *originating, const char *id,
                  char key[DIALBACK_KEY + 1]);
/* Compared in constant time. */
bool dialback_key_is(const char *secret, const char *receiving, const char *originating, const char *id,
                     const char *claimed);

enum dialback_kind { DIALBACK_RESULT, DIALBACK_VERIFY };
enum dialback_type { DIALBACK_REQUEST, DIALBACK_VALID, DIALBACK_INVALID, DIALBACK_ERROR };

/* Conditions of §2.5. They are words, not enum stanza_condition: one of them is none of RFC 6120's. */
#define DIALBACK_ITEM_NOT_FOUND "item-not-found"
#define DIALBACK_REMOTE_CONNECTION_FAILED "remote-connection-failed"
#define DIALBACK_REMOTE_SERVER_NOT_FOUND "remote-server-not-found"
#define DIALBACK_REMOTE_SERVER_TIMEOUT "remote-server-timeout"
#define DIALBACK_POLICY_VIOLATION "policy-violation"
#define DIALBACK_FORBIDDEN "forbidden"
#define DIALBACK_RESOURCE_CONSTRAINT "resource-constraint"

struct dialback {
	enum dialback_kind kind;
	enum dialback_type type;
	const char *from, *to; /* domains, prepared */
	const char *id;        /* of DIALBACK_VERIFY; else NULL */
	const char *key;       /* of a request; else NULL */
	const char *condition; /* of DIALBACK_ERROR */
};

enum dialback_read {
	DIALBACK_READ,
	DIALBACK_BAD_ADDRESS, /* from or to is missing or no domain */
	DIALBACK_MALFORMED,   /* no id, no key, or a type that nobody knows */
};

/* A <result/> or <verify/> of NS_DIALBACK. What out points to lies in the arena. */
enum dialback_read dialback_read(struct arena *arena, const struct element *element, struct dialback *out);
void dialback_write(struct buf *out, const struct dialback *dialback);

#endif
