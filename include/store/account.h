/* SPDX-License-Identifier: MIT
 *
 * Requests about accounts: who exists, how they authenticate, everything that a login needs in one read.
 * Owner of each request: the account's bare JID (STORE_ACCOUNT_LIST: the host).
 */
#ifndef STORE_ACCOUNT_H
#define STORE_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "store/roster.h"
#include "store/store.h"

/* SCRAM keys (RFC 5802 §3); never a password. */
struct store_credential {
	enum digest_kind kind;
	uint32_t iterations;
	uint8_t salt[16];
	uint8_t stored_key[DIGEST_MAX];
	uint8_t server_key[DIGEST_MAX];
};
enum { STORE_CREDENTIALS = 2 };         /* SHA-1 and SHA-256 */

/* CREATE: CONFLICT when it exists. CREDENTIALS (a new password; the account's tokens go):
 * ABSENT when it does not. REMOVE: the account with its roster, journal, documents and tokens; ABSENT. */
struct store_account_write {
	struct store_request request;
	struct store_credential credentials[STORE_CREDENTIALS];
	size_t credential_count;
	int64_t created_us;                     /* CREATE: wall clock */
};

struct store_repeat {
	uint64_t digest;
	int64_t at_us;
};

/* LOAD: everything an account holds in memory. ABSENT: no such account. */
struct store_account_load {
	struct store_request request;
	struct store_credential credentials[STORE_CREDENTIALS];
	size_t credential_count;
	struct store_roster_item *roster;       /* in the request's arena */
	size_t roster_count;
	uint64_t roster_version;                /* of the newest change */
	uint64_t undelivered;                   /* journal entries beyond the watermark */
	uint64_t undelivered_bytes;
	uint64_t repeats_after;                 /* asked: digests of entries beyond, the newest most of them */
	size_t repeats_most;
	struct store_repeat *repeats;           /* newest first */
	size_t repeat_count;
	uint64_t journal_newest;                /* no entry was ever given a higher sequence */
	struct store_account_document *documents;       /* of the kinds "blocking", "archive", "push", "session", "shown" */
	size_t document_count;
};
struct store_account_document {
	const char *kind, *key, *text;
	size_t len;                             /* of text */
};
/* NULL: there is none. */
const struct store_account_document *store_account_document(const struct store_account_load *load, const char *kind,
                                                            const char *key);

/* LIST: accounts of a host in order of their names, from behind the account after (NULL: from the start),
 * at most limit. */
struct store_account_list {
	struct store_request request;
	const char *after;
	size_t limit;
	const char **accounts;                  /* bare JIDs */
	int64_t *created_us;
	size_t count;
};

#endif
