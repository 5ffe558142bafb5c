/* SPDX-License-Identifier: MIT
 *
 * The methods by which a certificate may prove a peer, in the order of how much they ask of others: a pin nobody, a CA of
 * our own its keeper, the public ones everybody. RFC 6120 §13.7.2, XEP-0178 §3.
 */
#include "trust.h"

#include <stdio.h>
#include <string.h>

#include "net/certificate.h"
#include "xmpp/jid.h"

static bool pin_is_known(const struct peer_policy *policy, const char *pin)
{
	for (size_t i = 0; i < policy->pin_count; i++)
		if (strcmp(policy->pins[i], pin) == 0)
			return true;
	return false;
}

/* Appends what speaks against one method. */
static void reason_add(char *reason, size_t size, const char *method, const char *text)
{
	size_t len = strlen(reason);

	snprintf(reason + len, size - len, "%s%s: %s", len ? "; " : "its certificate: ", method, text);
}

static bool authority_proves(struct stream *stream, const struct trust *trust, const char *method, const char *domain,
                             char *reason, size_t size)
{
	struct arena arena = { 0 };
	enum certificate_fault fault =
		conn_certificate_check(stream_conn(stream), trust, jid_domain_ascii(&arena, domain));

	arena_clear(&arena);
	if (fault != CERTIFICATE_FINE)
		reason_add(reason, size, method, certificate_fault_text(fault));
	return fault == CERTIFICATE_FINE;
}

const char *trust_prove(struct stream *stream, const struct peer_policy *policy, const char *domain, char *reason,
                        size_t size)
{
	struct certificate_about about;

	snprintf(reason, size, "%s", "");
	if (!conn_certificate_about(stream_conn(stream), &about)) {
		snprintf(reason, size, "it shows no certificate");
		return NULL;
	}
	if (policy->authentication & PEER_BY_PIN) {
		if (pin_is_known(policy, about.pin))
			return "pin";
		reason_add(reason, size, "pin", "its key is none of those that are known");
	}
	if (policy->authentication & PEER_BY_CA && authority_proves(stream, policy->ca, "ca", domain, reason, size))
		return "ca";
	if (policy->authentication & PEER_BY_PKI && authority_proves(stream, policy->pki, "pki", domain, reason, size))
		return "pki";
	return NULL;
}

static bool authority_is_unknown(struct stream *stream, const struct trust *trust, const char *domain)
{
	struct arena arena = { 0 };
	enum certificate_fault fault =
		conn_certificate_check(stream_conn(stream), trust, jid_domain_ascii(&arena, domain));

	arena_clear(&arena);
	return fault == CERTIFICATE_UNKNOWN_AUTHORITY;
}

bool trust_could_know(struct stream *stream, const struct peer_policy *policy, const char *domain)
{
	struct certificate_about about;

	return conn_certificate_about(stream_conn(stream), &about) &&
	       (policy->authentication & PEER_BY_PIN ||
	        (policy->authentication & PEER_BY_CA && authority_is_unknown(stream, policy->ca, domain)) ||
	        (policy->authentication & PEER_BY_PKI && authority_is_unknown(stream, policy->pki, domain)));
}
