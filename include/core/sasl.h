/* SPDX-License-Identifier: MIT
 *
 * The server's side of SASL (RFC 4422): SCRAM-SHA-1 and -SHA-256 with and without channel binding (RFC 5802,
 * RFC 7677), PLAIN (RFC 4616), and with a token instead of the password HT-SHA-256-* (XEP-0484). A state machine without
 * I/O: it says when it needs the account's keys or the client's tokens, and when a password must be derived in the
 * background. An unknown user goes through the same exchange as a known one, with a salt made from the server's secret.
 */
#ifndef CORE_SASL_H
#define CORE_SASL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/id.h"
#include "store/account.h"
#include "store/token.h"
#include "xmpp/error.h"
#include "xmpp/jid.h"

enum sasl_mechanism {
	SASL_SCRAM_SHA_256_PLUS, SASL_SCRAM_SHA_256, SASL_SCRAM_SHA_1_PLUS, SASL_SCRAM_SHA_1, SASL_PLAIN,
	/* With tokens: bound by tls-exporter, by tls-server-end-point, not bound. */
	SASL_HT_SHA_256_EXPR, SASL_HT_SHA_256_ENDP, SASL_HT_SHA_256_NONE,
	SASL_MECHANISMS
};
const char *sasl_mechanism_name(enum sasl_mechanism mechanism);
int sasl_mechanism_find(const char *name);      /* -1: none of ours */
bool sasl_mechanism_takes_token(enum sasl_mechanism mechanism);

/* What the stream can offer. Borrowed by sasl_new for its life. */
struct sasl_terms {
	unsigned offered;                       /* bits 1 << mechanism, as announced */
	unsigned tokens;                        /* likewise, of those with tokens */
	const char *host;                       /* prepared domain of the stream */
	uint8_t exporter[64];                   /* tls-exporter */
	size_t exporter_len;                    /* 0: not available */
	uint8_t end_point[64];                  /* tls-server-end-point */
	size_t end_point_len;
	const char *secret;                     /* the server's, for salts of unknown users */
	struct entropy *entropy;
};

enum sasl_result {
	SASL_CHALLENGE,         /* send out; wait for the response */
	SASL_LOOKUP,            /* sasl_user() is known now: load its keys, then sasl_keys(); or sasl_tokens() */
	SASL_DERIVE,            /* sasl_derive() must run in the background, then sasl_derived() */
	SASL_SUCCESS,           /* out: additional data for <success/> */
	SASL_FAILED,            /* *condition */
};

struct sasl;

struct sasl *sasl_new(const struct sasl_terms *terms);
void sasl_free(struct sasl **sasl);             /* wipes */

/* The initial message; has_initial false: the mechanism was begun without one. Bytes are decoded already. */
enum sasl_result sasl_begin(struct sasl *sasl, enum sasl_mechanism mechanism, const char *initial, size_t len,
                            bool has_initial, struct buf *out, enum sasl_condition *condition);
enum sasl_result sasl_respond(struct sasl *sasl, const char *response, size_t len, struct buf *out,
                              enum sasl_condition *condition);
/* NULL, 0: there is no such account; the exchange goes on and fails at its end like a wrong password. */
enum sasl_result sasl_keys(struct sasl *sasl, const struct store_credential *keys, size_t count,
                           struct buf *out, enum sasl_condition *condition);
/* For a mechanism with tokens: those of the client, whichever the user is. */
enum sasl_result sasl_tokens(struct sasl *sasl, const struct store_token *tokens, size_t count, int64_t now_us,
                             struct buf *out, enum sasl_condition *condition);
void sasl_derive(struct sasl *sasl);            /* on any thread */
enum sasl_result sasl_derived(struct sasl *sasl, struct buf *out, enum sasl_condition *condition);

const struct jid *sasl_user(const struct sasl *sasl);   /* bare JID on the stream's host */
/* The user name as the client wrote it, for the log; NULL: none was understood. */
const char *sasl_claimed(const struct sasl *sasl);
enum sasl_mechanism sasl_used(const struct sasl *sasl);
uint64_t sasl_token_used(const struct sasl *sasl);      /* its id; 0: none */

/* Keys from a new password (SASLprep'ed here): salt random, 10000 iterations; slow. false: the password is
 * not allowed (empty or forbidden characters). */
bool sasl_make_keys(struct entropy *entropy, const char *password, size_t len,
                    struct store_credential keys[STORE_CREDENTIALS]);

#endif
