/* SPDX-License-Identifier: MIT
 *
 * SCRAM's messages, read by the grammar of RFC 5802 §7 and nothing more lenient, and its sums (§3).
 */
#include "core/scram.h"

#include <string.h>

#include "base/mem.h"
#include "xmpp/utf8.h"

/* ---- attributes ---- */

/* The value of the attribute at *at, up to the next comma, which is passed too. NULL: another attribute is
 * there, or the value is empty. */
static const char *attr_take(struct arena *arena, const char **at, char name)
{
	const char *value = *at + 2, *end;

	if ((*at)[0] != name || (*at)[1] != '=')
		return NULL;
	end = strchrnul(value, ',');
	if (end == value)
		return NULL;
	*at = *end ? end + 1 : end;
	return arena_str_len(arena, value, (size_t)(end - value));
}

/* An extension that nobody has defined: ignored, unless it says that it must be understood. */
static bool extension_skip(const char **at)
{
	char name = (*at)[0];
	const char *end;

	if (!((name >= 'a' && name <= 'z') || (name >= 'A' && name <= 'Z')) || name == 'm' || (*at)[1] != '=')
		return false;
	end = strchrnul(*at + 2, ',');
	if (end == *at + 2)
		return false;
	*at = *end ? end + 1 : end;
	return true;
}

/* saslname: "=2C" and "=3D" are the only uses of '='. */
static const char *saslname_decode(struct arena *arena, const char *name)
{
	char *out = arena_str(arena, name), *to = out;

	for (const char *from = name; *from; from++) {
		if (*from != '=') {
			*to++ = *from;
		} else if (strncmp(from, "=2C", 3) == 0 || strncmp(from, "=3D", 3) == 0) {
			*to++ = from[1] == '2' ? ',' : '=';
			from += 2;
		} else {
			return NULL;
		}
	}
	*to = '\0';
	return out;
}

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if (*text < 0x21 || *text > 0x7e)
			return false;
	return true;
}

static const uint8_t *base64_take(struct arena *arena, const char *text, size_t *len)
{
	struct buf bytes = { 0 };
	const uint8_t *out = NULL;

	if (text && base64_decode(&bytes, text, strlen(text))) {
		out = arena_dup(arena, bytes.data, bytes.len);
		*len = bytes.len;
	}
	buf_clear(&bytes);
	return out;
}

/* A message as a string; NULL: it has a NUL in it, or is no UTF-8. */
static const char *message_text(struct arena *arena, const char *message, size_t len)
{
	return utf8_is_xml(message, len) ? arena_str_len(arena, message, len) : NULL;
}

/* ---- client-first-message ---- */

/* gs2-cbind-flag "," */
static bool gs2_flag_read(struct arena *arena, const char **at, struct scram_first *out)
{
	out->flag = **at;
	if (out->flag == 'p')
		return (out->binding = attr_take(arena, at, 'p')) != NULL && (*at)[-1] == ',';
	if ((out->flag != 'n' && out->flag != 'y') || (*at)[1] != ',')
		return false;
	*at += 2;
	return true;
}

/* [ authzid ] "," */
static bool gs2_authzid_read(struct arena *arena, const char **at, struct scram_first *out)
{
	const char *name;

	if (**at == ',') {
		*at += 1;
		return true;
	}
	name = attr_take(arena, at, 'a');
	return name && (*at)[-1] == ',' && (out->authzid = saslname_decode(arena, name));
}

static bool first_bare_read(struct arena *arena, const char *at, struct scram_first *out)
{
	const char *name;

	out->bare = at;
	name = attr_take(arena, &at, 'n');
	if (!name || !(out->username = saslname_decode(arena, name)))
		return false;
	out->nonce = attr_take(arena, &at, 'r');
	if (!out->nonce || !is_printable(out->nonce))
		return false;
	while (*at)
		if (!extension_skip(&at))
			return false;
	return at[-1] != ',';
}

bool scram_first_read(struct arena *arena, const char *message, size_t len, struct scram_first *out)
{
	const char *text = message_text(arena, message, len), *at = text;

	memset(out, 0, sizeof(*out));
	if (!text || !gs2_flag_read(arena, &at, out) || !gs2_authzid_read(arena, &at, out))
		return false;
	out->gs2_header = arena_str_len(arena, text, (size_t)(at - text));
	return first_bare_read(arena, at, out);
}

/* ---- client-final-message ---- */

bool scram_final_read(struct arena *arena, const char *message, size_t len, struct scram_final *out)
{
	const char *text = message_text(arena, message, len), *at = text;

	memset(out, 0, sizeof(*out));
	if (!text)
		return false;
	out->binding = base64_take(arena, attr_take(arena, &at, 'c'), &out->binding_len);
	if (!out->binding)
		return false;
	out->nonce = attr_take(arena, &at, 'r');
	if (!out->nonce || !is_printable(out->nonce))
		return false;
	while (*at && *at != 'p')
		if (!extension_skip(&at))
			return false;
	out->without_proof = at > text ? arena_str_len(arena, text, (size_t)(at - text - 1)) : "";
	out->proof = base64_take(arena, attr_take(arena, &at, 'p'), &out->proof_len);
	return out->proof && !*at && at[-1] != ',';
}

/* ---- sums ---- */

const char *scram_auth_message(struct arena *arena, const struct scram_first *first, const char *server_first,
                               const struct scram_final *final)
{
	return arena_printf(arena, "%s,%s,%s", first->bare, server_first, final->without_proof);
}

static void keyed(enum digest_kind kind, const uint8_t *key, const char *text, uint8_t out[DIGEST_MAX])
{
	digest_hmac(kind, key, digest_size(kind), text, strlen(text), out);
}

void scram_keys(enum digest_kind kind, const char *password, size_t len, const void *salt, size_t salt_len,
                uint32_t iterations, uint8_t stored_key[DIGEST_MAX], uint8_t server_key[DIGEST_MAX])
{
	uint8_t salted[DIGEST_MAX], client_key[DIGEST_MAX];

	digest_pbkdf2(kind, password, len, salt, salt_len, iterations, salted);
	keyed(kind, salted, "Client Key", client_key);
	digest_bytes(kind, client_key, digest_size(kind), stored_key);
	keyed(kind, salted, "Server Key", server_key);
	mem_wipe(salted, sizeof(salted));
	mem_wipe(client_key, sizeof(client_key));
}

bool scram_proves(enum digest_kind kind, const uint8_t *stored_key, const char *auth_message,
                  const uint8_t *proof, size_t proof_len)
{
	uint8_t client_key[DIGEST_MAX], hashed[DIGEST_MAX];
	bool right;

	if (proof_len != digest_size(kind))
		return false;
	keyed(kind, stored_key, auth_message, client_key);
	for (size_t i = 0; i < proof_len; i++)
		client_key[i] ^= proof[i];
	digest_bytes(kind, client_key, proof_len, hashed);
	right = digest_same(hashed, stored_key, proof_len);
	mem_wipe(client_key, sizeof(client_key));
	return right;
}

void scram_sign(enum digest_kind kind, const uint8_t *server_key, const char *auth_message,
                uint8_t out[DIGEST_MAX])
{
	keyed(kind, server_key, auth_message, out);
}
