/* SPDX-License-Identifier: MIT
 *
 * SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012, with fewer rounds than its 2-4, as Python and
 * Rust have it for their tables: nobody sees what comes out): one round for each eight bytes, three at the end. Every
 * look-up by name passes here.
 */
#include "base/hash.h"

#include <endian.h>
#include <string.h>

static inline uint64_t rotate_left(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate_left(v[1], 13) ^ v[0];
	v[3] = rotate_left(v[3], 16) ^ v[2];
	v[0] = rotate_left(v[0], 32) + v[3];
	v[2] += v[1];
	v[3] = rotate_left(v[3], 21) ^ v[0];
	v[1] = rotate_left(v[1], 17) ^ v[2];
	v[2] = rotate_left(v[2], 32);
}

static inline void sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
}

uint64_t hash_bytes(const struct hash_seed *seed, const void *bytes, size_t len)
{
	uint64_t v[4] = {
		seed->k0 ^ 0x736f6d6570736575,
		seed->k1 ^ 0x646f72616e646f6d,
		seed->k0 ^ 0x6c7967656e657261,
		seed->k1 ^ 0x7465646279746573,
	};
	const uint8_t *at = bytes;
	const uint8_t *rest = at + (len & ~(size_t)7);
	uint64_t word;

	for (; at < rest; at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		sip_word(v, le64toh(word));
	}
	word = (uint64_t)len << 56;
	for (size_t i = 0; i < (len & 7); i++)
		word |= (uint64_t)rest[i] << (8 * i);
	sip_word(v, word);
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
