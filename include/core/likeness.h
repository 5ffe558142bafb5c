/* SPDX-License-Identifier: MIT
 *
 * Digests by which a stanza is known when it comes again. They are as good as their key is secret: who knows it can make two
 * stanzas look alike.
 */
#ifndef CORE_LIKENESS_H
#define CORE_LIKENESS_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "xmpp/stanza.h"

/* Each piece is hashed under what those before it have made of the key; begin with any number. */
uint64_t likeness_add(const struct hash_seed *key, uint64_t digest, const void *bytes, size_t len);
/* The content of a stanza that is sealed, without <delay/>: who sends again may say so. */
uint64_t likeness_add_words(const struct hash_seed *key, uint64_t digest, const struct stanza *stanza);

#endif
