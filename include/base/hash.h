/* SPDX-License-Identifier: MIT
 *
 * SipHash-1-3: a seeded hash of bytes that an attacker who does not know the seed cannot steer. Used by the hash
 * table and to find the home of an address.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_seed {
	uint64_t k0, k1;
};

uint64_t hash_bytes(const struct hash_seed *seed, const void *bytes, size_t len);

#endif
