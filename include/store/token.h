/* SPDX-License-Identifier: MIT
 *
 * Requests about login tokens (XEP-0484): with one, an installation of an account's client logs in without the password.
 * What is kept is the token itself, for it is the key of the sums by which both sides prove that they have it
 * (docs/security.md). They go with the account, and with its password (STORE_ACCOUNT_CREDENTIALS).
 * Owner of each request: the account's bare JID.
 */
#ifndef STORE_TOKEN_H
#define STORE_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

enum {
	STORE_TOKEN_LEN = 64,
	STORE_TOKENS = 2,       /* of one client: one that it has used, and a newer one that it may not have received */
};

struct store_token {
	uint64_t id;                            /* given by the store */
	char secret[STORE_TOKEN_LEN + 1];       /* as the client has it */
	const char *mechanism;                  /* the only one that it may be used with */
	int64_t issued_us, expires_us;          /* wall clock */
	uint64_t count;                         /* the highest that the client has said with it */
	bool used;
};

/* READ: a client's tokens, the newest first. None where there is no account. */
struct store_tokens_read {
	struct store_request request;
	const char *client;
	struct store_token tokens[STORE_TOKENS];
	size_t count;
};

/*
 * CHANGE: a client has logged in, all or nothing.
 * used: with that token; its older ones go. ABSENT: it is gone, or was used with that count or a higher one before.
 * forget: all of the client's tokens go. fresh, where it has a mechanism: a new one for the client, in place of one that it
 * has not used; where more than most clients have tokens, those whose newest is the oldest lose theirs.
 */
struct store_token_change {
	struct store_request request;
	const char *client;
	uint64_t used;                          /* 0: none of them */
	uint64_t count;                         /* 0: none was said */
	bool forget;
	struct store_token fresh;
	size_t most;
};

/* REVOKE: all tokens of the account. ABSENT: no such account. */
struct store_token_revoke {
	struct store_request request;
	size_t removed;                         /* answered */
};

#endif
