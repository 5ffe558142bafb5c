/* SPDX-License-Identifier: MIT
 *
 * The messages and the sums of SCRAM (RFC 5802 §3, §5, §7), as pure values; the exchange that they belong to
 * is core/sasl.c's. Texts lie in the arena that was given. Callable on any thread.
 */
#ifndef CORE_SCRAM_H
#define CORE_SCRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"

/* client-first-message */
struct scram_first {
	char flag;                      /* gs2-cbind-flag: 'n', 'y', 'p' */
	const char *binding;            /* cb-name of 'p' */
	const char *authzid;            /* NULL: none */
	const char *username;
	const char *nonce;
	const char *gs2_header;         /* as it was sent */
	const char *bare;               /* client-first-message-bare, as it was sent */
};

/* client-final-message */
struct scram_final {
	const uint8_t *binding;         /* cbind-input, decoded */
	size_t binding_len;
	const char *nonce;
	const uint8_t *proof;
	size_t proof_len;
	const char *without_proof;      /* as it was sent */
};

/* false: not such a message, or it has an extension that must be understood ("m="). */
bool scram_first_read(struct arena *arena, const char *message, size_t len, struct scram_first *out);
bool scram_final_read(struct arena *arena, const char *message, size_t len, struct scram_final *out);

/* AuthMessage: what both sides sign. */
const char *scram_auth_message(struct arena *arena, const struct scram_first *first, const char *server_first,
                               const struct scram_final *final);

/* StoredKey and ServerKey from a prepared password; takes milliseconds. */
void scram_keys(enum digest_kind kind, const char *password, size_t len, const void *salt, size_t salt_len,
                uint32_t iterations, uint8_t stored_key[DIGEST_MAX], uint8_t server_key[DIGEST_MAX]);

/* Whether the client that made the proof has the password; in constant time. */
bool scram_proves(enum digest_kind kind, const uint8_t *stored_key, const char *auth_message,
                  const uint8_t *proof, size_t proof_len);
/* ServerSignature */
void scram_sign(enum digest_kind kind, const uint8_t *server_key, const char *auth_message,
                uint8_t out[DIGEST_MAX]);

#endif
