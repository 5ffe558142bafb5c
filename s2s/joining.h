/* SPDX-License-Identifier: MIT
 *
 * Two branches join without public DNS and without an authority: one makes a token (peer invite), the other uses it (peer
 * join), and both have each other's address and the pin of each other's key in a file of their own (peer_file.h).
 *
 *	the one that joins                              the one that has invited
 *	connects to the token's address, TLS:           asks for a certificate
 *	the key is the token's, or nothing is said
 *	<join domain='' address='' secret=''/>          the secret is the one that it has made for that domain, and is
 *	                                                used up; address and shown key go into its file; reload
 *	                                                <joined/>, or <refused>why</refused>
 *	the token's address and key go into its
 *	file; reload; then a trial (trial.h), both ways
 *
 * Elements of NS_JOIN are ours; they go under TLS between two sides that know each other by pin and secret.
 */
#ifndef S2S_JOINING_H
#define S2S_JOINING_H

#include "core/command.h"
#include "net/address.h"

enum { JOINING_ADDRESS = 300 };

struct joining;

/* The commands peer invite and peer join. */
void joining_invite(struct command_call *call);
void joining_join(struct command_call *call);

void joining_free(struct joining **joining);            /* NULL is fine */
/* What holds for the stream by which it joins: the token's address and key, and nothing else. */
const struct peer_policy *joining_policy(const struct joining *joining);
const char *joining_secret(const struct joining *joining);
/* Where the peer finds us: as the administrator says, else as we listen; own is the address by which we reach the peer. */
void joining_address(const struct joining *joining, const struct address *own, char out[JOINING_ADDRESS]);

#endif
