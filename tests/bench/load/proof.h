/* SPDX-License-Identifier: MIT
 *
 * SCRAM as a client speaks it (RFC 5802 §3, §5), without channel binding.
 */
#ifndef BENCH_PROOF_H
#define BENCH_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

enum { PROOF_TEXT = 512 };

/* All zero at first. What the server's salt and iterations make of the password is kept for the next login. */
struct proof {
	char first[PROOF_TEXT];         /* client-first-message-bare */
	char salt[PROOF_TEXT];          /* with the iterations, as the server writes them */
	uint8_t salted[DIGEST_MAX];
	enum digest_kind kind;
};

/* "SCRAM-SHA-256" or "SCRAM-SHA-1". */
const char *proof_mechanism(enum digest_kind kind);
/* Appends the client-first-message. */
void proof_start(struct proof *proof, enum digest_kind kind, const char *user, const char *nonce, struct buf *out);
/* The server-first-message; appends the client-final-message. false: it is none. */
bool proof_answer(struct proof *proof, const char *server_first, const char *password, struct buf *out);

#endif
