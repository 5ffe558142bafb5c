/* SPDX-License-Identifier: MIT
 *
 * A question to the authoritative server of a domain: is this dialback key yours (XEP-0220 §2.1.2)? It goes
 * over the link's stream to that domain where there is one on this home, else over one of its own. Only an
 * answer on the stream that the question went out on, with the same from, to and id, is an answer (§3.1).
 */
#ifndef S2S_VERIFY_H
#define S2S_VERIFY_H

#include "dialback.h"
#include "s2s.h"

struct outgoing;

/* type: valid, invalid or error with its condition. */
typedef void verify_done(void *owner, enum dialback_type type, const char *condition);

struct verify {
	struct list_link link; /* of its outgoing stream's requests */
	struct outgoing *outgoing;
	char *receiving, *originating, *id, *key;
	bool sent;
	verify_done *done;
	void *owner;
};

/* receiving: ours; originating: who claims to own the key; id: of the stream on which it was presented.
 * done() comes later, once. NULL: too many questions for that domain are under way. */
struct verify *verify_start(struct s2s *s2s, const char *receiving, const char *originating, const char *id,
                            const char *key, verify_done *done, void *owner);
void verify_cancel(struct verify **verify); /* done() will not come */

/* By the outgoing stream: answers and frees. */
void verify_finish(struct verify *verify, enum dialback_type type, const char *condition);
bool verify_is_answered_by(const struct verify *verify, const struct dialback *answer);

#endif
