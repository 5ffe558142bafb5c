/* SPDX-License-Identifier: MIT
 *
 * Digests through OpenSSL's one-shot functions. They fail only without memory or without the algorithm, which
 * ends the process. Base 64 is our own, because OpenSSL's decoder is lenient (RFC 4648 §3.3, §3.5 and §12 say
 * why not).
 */
#include "base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const char base64_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static const EVP_MD *digest_md(enum digest_kind kind)
{
	switch (kind) {
	case DIGEST_SHA1:
		return EVP_sha1();
	case DIGEST_SHA256:
		return EVP_sha256();
	case DIGEST_SHA512:
		return EVP_sha512();
	}
	abort();
}

size_t digest_size(enum digest_kind kind)
{
	return (size_t)EVP_MD_get_size(digest_md(kind));
}

void digest_bytes(enum digest_kind kind, const void *bytes, size_t len, uint8_t out[DIGEST_MAX])
{
	if (EVP_Digest(bytes, len, out, NULL, digest_md(kind), NULL) != 1)
		abort();
}

void digest_hmac(enum digest_kind kind, const void *key, size_t key_len, const void *bytes, size_t len,
                 uint8_t out[DIGEST_MAX])
{
	if (!HMAC(digest_md(kind), key_len ? key : "", (int)key_len, bytes, len, out, NULL))
		abort();
}

void digest_pbkdf2(enum digest_kind kind, const char *password, size_t password_len, const void *salt,
                   size_t salt_len, unsigned iterations, uint8_t out[DIGEST_MAX])
{
	if (PKCS5_PBKDF2_HMAC(password_len ? password : "", (int)password_len, salt, (int)salt_len,
	                      (int)iterations, digest_md(kind), (int)digest_size(kind), out) != 1)
		abort();
}

bool digest_same(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

/* Walks b to its NUL, and a beside it, staying at a's NUL where a is shorter. */
bool digest_same_str(const char *a, const char *b)
{
	size_t len = strlen(b), at = 0;
	volatile unsigned char differ = 0;

	for (size_t i = 0; i <= len; i++) {
		differ |= (unsigned char)(a[at] ^ b[i]);
		at += a[at] != '\0';
	}
	return differ == 0;
}

void base64_encode(struct buf *out, const void *bytes, size_t len)
{
	const uint8_t *in = bytes;

	buf_reserve(out, (len + 2) / 3 * 4);
	for (; len > 0; in += 3, len -= len < 3 ? len : 3) {
		uint32_t bits =
			(uint32_t)in[0] << 16 | (len > 1 ? (uint32_t)in[1] << 8 : 0) | (len > 2 ? in[2] : 0);
		char four[4] = {
			base64_letters[bits >> 18],
			base64_letters[bits >> 12 & 63],
			len > 1 ? base64_letters[bits >> 6 & 63] : '=',
			len > 2 ? base64_letters[bits & 63] : '=',
		};

		buf_add(out, four, sizeof(four));
	}
}

/* The letter's six bits; -1: no letter of the alphabet. */
static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Decodes four letters, the last `padding` of which are '='. False: strange letters, bits behind the end. */
static bool base64_decode_four(struct buf *out, const char *four, size_t padding)
{
	uint32_t bits = 0;
	uint8_t three[3];

	for (size_t i = 0; i < 4; i++) {
		int value = i < 4 - padding ? base64_value(four[i]) : 0;

		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
	}
	if (bits & ((1u << (8 * padding)) - 1))
		return false;
	three[0] = (uint8_t)(bits >> 16);
	three[1] = (uint8_t)(bits >> 8);
	three[2] = (uint8_t)bits;
	buf_add(out, three, 3 - padding);
	return true;
}

bool base64_decode(struct buf *out, const char *text, size_t len)
{
	size_t before = out->len;
	size_t padding = 0;

	if (len % 4 != 0)
		return false;
	if (len > 0 && text[len - 1] == '=')
		padding = text[len - 2] == '=' ? 2 : 1;
	buf_reserve(out, len / 4 * 3);
	for (size_t at = 0; at < len; at += 4) {
		if (!base64_decode_four(out, text + at, at + 4 == len ? padding : 0)) {
			mem_wipe(out->data + before, out->len - before);
			out->len = before;
			return false;
		}
	}
	return true;
}

void hex_encode(struct buf *out, const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *in = bytes;

	buf_reserve(out, 2 * len);
	for (size_t i = 0; i < len; i++) {
		buf_add_char(out, digits[in[i] >> 4]);
		buf_add_char(out, digits[in[i] & 15]);
	}
}
