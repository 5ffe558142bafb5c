/* SPDX-License-Identifier: MIT
 *
 * What the files that read `peer` sections share: policy.c has the sections, policy_trust.c what they say about where a peer
 * is and by what it proves itself.
 */
#ifndef S2S_POLICY_INSIDE_H
#define S2S_POLICY_INSIDE_H

#include "policy.h"

/* The section that says it: the peer's own, or "*" where that one does not. */
const struct conf_section *policy_teller(const struct conf_section *own, const struct conf_section *everybody,
                                         const char *option);

/* Each: NULL, or the malloc'ed line on a fault. own may be NULL where the file has neither. */
char *policy_read_targets(struct arena *arena, const struct conf_section *section, struct peer_policy *policy);
char *policy_read_trust(struct config *config, const struct conf_section *own, const struct conf_section *everybody,
                        struct peer_policies *policies, struct peer_policy *policy);
char *policy_read_pki(const struct conf_section *section, struct peer_policies *policies, struct peer_policy *policy);

#endif
