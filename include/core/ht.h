/* SPDX-License-Identifier: MIT
 *
 * The messages and the sums of the mechanisms HT-* (draft-schmaus-kitten-sasl-ht), by which the holder of a token logs in
 * with one message, as pure values; the exchange that they belong to is core/sasl.c's. Callable on any thread.
 */
#ifndef CORE_HT_H
#define CORE_HT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/digest.h"

/* initiator-message */
struct ht_message {
	const char *authcid;
	uint8_t proof[DIGEST_MAX];
};

/* Texts lie in the arena. false: not such a message. */
bool ht_read(struct arena *arena, enum digest_kind kind, const char *message, size_t len, struct ht_message *out);

enum ht_side { HT_INITIATOR, HT_RESPONDER };
/* What shows that a side has the token, on a channel with that value (no bytes: it is not bound to one). */
void ht_sum(enum digest_kind kind, enum ht_side side, const char *token, const uint8_t *binding, size_t binding_len,
            uint8_t out[DIGEST_MAX]);

#endif
