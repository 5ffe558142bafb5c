/* SPDX-License-Identifier: MIT
 *
 * The token by which one branch invites another: where it is, by which key it is known, and a secret that is good for one
 * join. One word, so that it survives a telephone's keyboard, a mail or a chat.
 */
#ifndef S2S_TOKEN_H
#define S2S_TOKEN_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/id.h"
#include "net/certificate.h"

struct token {
	const char *domain;             /* of the branch that invites, prepared */
	const char *address;            /* "198.51.100.20:5269" */
	char pin[PIN_LEN + 1];
	char secret[ID_LEN + 1];
};

void token_write(struct buf *out, const struct token *token);
/* false: it is none. What out points to lies in the arena. */
bool token_read(struct arena *arena, const char *text, struct token *out);

/* A domain (prepared) and an address that a peer has given, and nothing else: they are going to stand in a configuration. */
bool token_domain_is_fine(const char *domain);
bool token_address_is_fine(const char *address);

#endif
