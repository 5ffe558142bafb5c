/* SPDX-License-Identifier: MIT
 *
 * SASL EXTERNAL on a stream that was opened to us (RFC 6120 §6, XEP-0178 §3): a peer whose certificate proves the domain of
 * its header has verified the pair of that header, and begins anew. Any other pair of the stream is a matter of dialback.
 */
#include "incoming_inside.h"

#include <string.h>

#include "base/digest.h"
#include "link.h"
#include "trust.h"
#include "xmpp/ns.h"

enum { FAILURES_MAX = 3 }; /* RFC 6120 §6.4.5: between 2 and 5 */

bool incoming_offers_external(const struct incoming *incoming)
{
	char reason[LINK_REASON];

	return incoming->from && incoming->verified == 0 && conn_is_secure(stream_conn(incoming->stream)) &&
	       trust_prove(incoming->stream, incoming_policy(incoming, incoming->from), incoming->from, reason,
	                   sizeof(reason));
}

static void incoming_refuse_external(struct incoming *incoming, const char *condition, const char *reason)
{
	log_info(s2s_log(incoming->s2s), stream_name(incoming->stream), "SASL EXTERNAL refused",
	         LOG_STR("from", incoming->from), LOG_STR("condition", condition), LOG_STR("reason", reason));
	buf_printf(stream_out(incoming->stream), "<failure xmlns='" NS_SASL "'><%s/></failure>", condition);
	if (++incoming->failures == FAILURES_MAX)
		incoming_fail(incoming, STREAM_POLICY_VIOLATION, "too many failures to authenticate");
}

/* §3 step 11: "=", nothing, or the domain of the header. */
static bool identity_is(const struct stanza *auth, const char *domain)
{
	struct arena arena = { 0 };
	const char *text = element_text(&arena, auth->root);
	struct buf decoded = { 0 };
	struct jid claimed;
	bool same = !*text || strcmp(text, "=") == 0;

	if (!same && base64_decode(&decoded, text, strlen(text)) && decoded.len > 0)
		same = jid_domain_prepare(&arena, decoded.data, decoded.len, &claimed) && strcmp(claimed.text, domain) == 0;
	buf_clear(&decoded);
	arena_clear(&arena);
	return same;
}

void incoming_auth(struct incoming *incoming, struct stanza *stanza)
{
	const char *mechanism = element_attr(stanza->root, "mechanism"), *method;
	char reason[LINK_REASON];

	if (!incoming->from || incoming->verified > 0) {
		incoming_fail(incoming, STREAM_NOT_AUTHORIZED, "nothing of the kind was offered");
		return;
	}
	method = trust_prove(incoming->stream, incoming_policy(incoming, incoming->from), incoming->from, reason,
	                     sizeof(reason));
	if (!mechanism || strcmp(mechanism, "EXTERNAL") != 0) {
		incoming_refuse_external(incoming, "invalid-mechanism", NULL);
	} else if (!method) {
		incoming_refuse_external(incoming, "not-authorized", reason);
	} else if (!identity_is(stanza, incoming->from)) {
		incoming_refuse_external(incoming, "invalid-authzid", "it claims another domain");
	} else {
		buf_add_lit(stream_out(incoming->stream), "<success xmlns='" NS_SASL "'/>");
		stream_restart(incoming->stream);
		incoming->state = INCOMING_HEADER;
		pair_add_proven(incoming, method);
	}
}
