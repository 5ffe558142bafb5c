/* SPDX-License-Identifier: MIT
 *
 * The messages and the sums of the mechanisms HT-*.
 */
#include "core/ht.h"

#include <string.h>

#include "base/buf.h"
#include "xmpp/utf8.h"

/* authcid NUL proof; of the proof's octets any may be NUL. */
bool ht_read(struct arena *arena, enum digest_kind kind, const char *message, size_t len, struct ht_message *out)
{
	const char *end = len ? memchr(message, '\0', len) : NULL;
	size_t authcid_len = end ? (size_t)(end - message) : 0;

	memset(out, 0, sizeof(*out));
	if (authcid_len == 0 || !utf8_is_xml(message, authcid_len) || len - authcid_len - 1 != digest_size(kind))
		return false;
	out->authcid = arena_str_len(arena, message, authcid_len);
	memcpy(out->proof, end + 1, digest_size(kind));
	return true;
}

void ht_sum(enum digest_kind kind, enum ht_side side, const char *token, const uint8_t *binding, size_t binding_len,
            uint8_t out[DIGEST_MAX])
{
	struct buf text = { 0 };

	buf_add_str(&text, side == HT_INITIATOR ? "Initiator" : "Responder");
	buf_add(&text, binding, binding_len);
	digest_hmac(kind, token, strlen(token), text.data, text.len, out);
	buf_clear(&text);
}
