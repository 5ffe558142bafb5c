/* SPDX-License-Identifier: MIT
 *
 * What the administrator wants of each remote domain: the `peer` sections of the configuration, in the
 * snapshot. The section titled "*" is meant for all that have none of their own.
 */
#ifndef S2S_POLICY_H
#define S2S_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/conf.h"
#include "core/config.h"
#include "core/outbox.h"
#include "net/certificate.h"
#include "net/resolve.h"
#include "xmpp/stanza.h"

enum peer_tls { PEER_TLS_REQUIRED, PEER_TLS_OPTIONAL, PEER_TLS_1_3 };

/* What a peer is to us: what is one of ours, or known to us, is there also when it says no. */
enum peer_role { PEER_BRANCH, PEER_PARTNER, PEER_STRANGER };

/* How a peer may prove who it is; bits. */
enum peer_proof { PEER_BY_PIN = 1, PEER_BY_CA = 2, PEER_BY_PKI = 4, PEER_BY_DIALBACK = 8 };

struct peer_policy {
	const char *domain; /* prepared; "*" */
	enum peer_role role;
	bool allow;
	enum peer_tls tls;
	unsigned takes, sends;   /* 1 << enum stanza_kind: from there, and from here */
	unsigned authentication; /* of enum peer_proof: one of them is enough */
	const char **pins;       /* of keys, as net/certificate.h writes them */
	size_t pin_count;
	struct trust *ca, *pki; /* where they are needed; else NULL */
	struct outbox_limits outbox;
	uint32_t resume_ms; /* how long the peer may resume its broken stream; 0: not at all */
	uint64_t idle_ms; /* an outgoing stream without a stanza for so long is closed; 0: never */
	struct resolve_target *targets; /* instead of what the DNS says */
	size_t target_count;
};

/* The module's part of a snapshot. */
struct peer_policies {
	struct peer_policy fallback;
	struct peer_policy *peers; /* by domain */
	size_t count;
	struct trust *pki; /* the system's authorities; NULL: nobody needs them */
	size_t unverified_pairs; /* of one incoming stream: under way */
	size_t verified_pairs;   /* and proven */
};

extern const struct conf_section_kind policy_sections[];

/* For the module's configure(): NULL and the malloc'ed line on a fault. */
void *policy_configure(struct config *config, const struct conf *conf, char **error);
void policy_unconfigure(void *part);

/* "host", "host:port", "192.0.2.7:5269", "[::1]:5269"; false: none of these. */
bool policy_read_target(struct arena *arena, const char *text, struct resolve_target *out);

bool policy_is_pin(const char *text);

/* What a stream is secured by, "TLSv1.3" or "", is enough. */
bool policy_suits_tls(const struct peer_policy *policy, const char *version);
/* kinds: takes or sends. What answers something passes always: results, and errors of each kind. */
bool policy_lets(unsigned kinds, const struct stanza *stanza);

const struct peer_policies *policies_of(const struct config *config);
const char *policy_role_name(const struct peer_policy *policy);
/* Never NULL. domain is len bytes, prepared. */
const struct peer_policy *policy_find(const struct config *config, const char *domain, size_t len);

#endif
