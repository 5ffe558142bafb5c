/* SPDX-License-Identifier: MIT
 *
 * Token buckets (net/rate.h) by key: of accounts, of addresses. Their number is bounded; the one that was longest not asked
 * for is forgotten, which is as if it were full again.
 */
#ifndef NET_RATES_H
#define NET_RATES_H

#include <stddef.h>

#include "base/hash.h"
#include "net/rate.h"

struct rates;

struct rates *rates_new(const struct hash_seed *seed, size_t most);
void rates_free(struct rates **rates);          /* NULL is fine */

/* The bucket of a key, a new one where there is none; the key is copied. Good until the next call. */
struct rate *rates_get(struct rates *rates, const void *key, size_t len);
/* NULL: there is none, it would be full. */
const struct rate *rates_find(const struct rates *rates, const void *key, size_t len);

#endif
