/* SPDX-License-Identifier: MIT
 *
 * The client's half of SCRAM (RFC 5802 §3).
 */
#include "proof.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *proof_mechanism(enum digest_kind kind)
{
	return kind == DIGEST_SHA1 ? "SCRAM-SHA-1" : "SCRAM-SHA-256";
}

void proof_start(struct proof *proof, enum digest_kind kind, const char *user, const char *nonce, struct buf *out)
{
	snprintf(proof->first, sizeof(proof->first), "n=%s,r=%s", user, nonce);
	if (proof->kind != kind)
		proof->salt[0] = '\0';
	proof->kind = kind;
	buf_printf(out, "n,,%s", proof->first);
}

/* SaltedPassword; text: "s=...,i=..." */
static bool proof_salt(struct proof *proof, const char *text, const char *password)
{
	const char *iterations = strstr(text, ",i=");
	struct buf salt = { 0 };
	char salt_text[PROOF_TEXT];
	bool ok;

	if (!iterations || strlen(text) >= PROOF_TEXT)
		return false;
	if (strcmp(proof->salt, text) == 0)
		return true;
	snprintf(salt_text, sizeof(salt_text), "%.*s", (int)(iterations - text - 2), text + 2);
	ok = base64_decode(&salt, salt_text, strlen(salt_text));
	if (ok) {
		digest_pbkdf2(proof->kind, password, strlen(password), salt.data, salt.len,
		              (unsigned)strtoul(iterations + 3, NULL, 10), proof->salted);
		strcpy(proof->salt, text);
	}
	buf_clear(&salt);
	return ok;
}

/* ClientProof := ClientKey XOR HMAC(H(ClientKey), AuthMessage) */
static void proof_sign(const struct proof *proof, const char *message, uint8_t out[DIGEST_MAX])
{
	size_t size = digest_size(proof->kind);
	uint8_t client_key[DIGEST_MAX], stored_key[DIGEST_MAX];

	digest_hmac(proof->kind, proof->salted, size, "Client Key", strlen("Client Key"), client_key);
	digest_bytes(proof->kind, client_key, size, stored_key);
	digest_hmac(proof->kind, stored_key, size, message, strlen(message), out);
	for (size_t i = 0; i < size; i++)
		out[i] ^= client_key[i];
}

bool proof_answer(struct proof *proof, const char *server_first, const char *password, struct buf *out)
{
	const char *salt = strstr(server_first, ",s=");
	uint8_t signature[DIGEST_MAX];
	struct buf message = { 0 };

	if (strncmp(server_first, "r=", 2) != 0 || !salt || !proof_salt(proof, salt + 1, password))
		return false;
	buf_printf(&message, "%s,%s,c=biws,%.*s", proof->first, server_first, (int)(salt - server_first), server_first);
	buf_add_char(&message, '\0');
	proof_sign(proof, message.data, signature);
	buf_printf(out, "c=biws,%.*s,p=", (int)(salt - server_first), server_first);
	base64_encode(out, signature, digest_size(proof->kind));
	buf_clear(&message);
	return true;
}
