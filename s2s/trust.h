/* SPDX-License-Identifier: MIT
 *
 * Whether the certificate that a peer shows on a stream proves that it is a domain's server, as the policy for that domain
 * says: a key that we know (pin), an authority of the administrator's (ca), one that everybody trusts (pki). Dialback is no
 * matter of certificates; a policy that allows it takes a peer that proves nothing here.
 */
#ifndef S2S_TRUST_H
#define S2S_TRUST_H

#include "core/stream.h"
#include "policy.h"

/* The method, as the configuration writes it; NULL: nothing is proven, and reason (size bytes) says why in words for the log
 * and the administrator. domain: prepared. */
const char *trust_prove(struct stream *stream, const struct peer_policy *policy, const char *domain, char *reason,
                        size_t size);

/* Where nothing is proven: a pin or an authority that is not known here might make it good; else the certificate itself is
 * wrong. */
bool trust_could_know(struct stream *stream, const struct peer_policy *policy, const char *domain);

#endif
