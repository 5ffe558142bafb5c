/* SPDX-License-Identifier: MIT
 *
 * Digests, keyed digests, key derivation, text forms of bytes and comparison in constant time. With net/tls.c the
 * only door to OpenSSL. Sources: RFC 2104, RFC 8018 (PBKDF2), RFC 4648 (base 64 strictly: no blanks, no missing
 * padding, no bits behind the end).
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum digest_kind { DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA512 };
enum { DIGEST_MAX = 64 };

size_t digest_size(enum digest_kind kind);
/* Each writes digest_size(kind) bytes. */
void digest_bytes(enum digest_kind kind, const void *bytes, size_t len, uint8_t out[DIGEST_MAX]);
void digest_hmac(enum digest_kind kind, const void *key, size_t key_len, const void *bytes, size_t len,
                 uint8_t out[DIGEST_MAX]);
/* Takes milliseconds: never on a worker's loop (net/background.h). */
void digest_pbkdf2(enum digest_kind kind, const char *password, size_t password_len, const void *salt, size_t salt_len,
                   unsigned iterations, uint8_t out[DIGEST_MAX]);

/* Compares in constant time for equal lengths. */
bool digest_same(const void *a, const void *b, size_t len);
/* Two NUL-terminated strings; the time depends on b's length only. */
bool digest_same_str(const char *a, const char *b);

void base64_encode(struct buf *out, const void *bytes, size_t len);
bool base64_decode(struct buf *out, const char *text, size_t len);   /* false: not strict base 64; out unchanged */
void hex_encode(struct buf *out, const void *bytes, size_t len);     /* lower case */

#endif
