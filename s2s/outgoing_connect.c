/* SPDX-License-Identifier: MIT
 *
 * The way to the peer of a stream that we open: RFC 6120 §3.2 connecting, XEP-0368 where TLS begins with the first byte.
 */
#include "outgoing_inside.h"

#include <string.h>

#include "net/connect.h"
#include "policy.h"
#include "trial.h"

enum {
	OUTGOING_CONNECT_MS = 20000,
	OUTGOING_SETUP_MS = 30000, /* from connected to verified */
	SERVER_PORT = 5269,
};

static const enum trouble connect_troubles[] = {
	[CONNECT_NO_SUCH_DOMAIN] = TROUBLE_NO_SUCH_DOMAIN,
	[CONNECT_NO_SERVICE] = TROUBLE_NO_SERVICE,
	[CONNECT_DNS_FAILED] = TROUBLE_DNS,
	[CONNECT_REFUSED] = TROUBLE_NOBODY_LISTENS,
	[CONNECT_SILENT] = TROUBLE_SILENT,
	[CONNECT_FAILED] = TROUBLE_UNREACHABLE,
};

static void outgoing_connected(void *owner, enum connect_status status, struct transport *transport, bool tls,
                               const char *reason)
{
	struct outgoing *outgoing = owner;
	struct home *home = outgoing->s2s->home;
	struct address peer, own;

	outgoing->connect = NULL;
	if (status != CONNECT_OK) {
		outgoing_note(outgoing, connect_troubles[status], reason);
		outgoing_gone(outgoing);
		return;
	}
	outgoing->stream = stream_new(home, transport, &outgoing_class, outgoing, false,
	                              home->config->limits.stanza_unauthenticated);
	stream_set_deadline(outgoing->stream, OUTGOING_SETUP_MS);
	stream_set_rate(outgoing->stream, home->config->limits.server_rate,
	                home->config->limits.server_burst);
	conn_address(stream_conn(outgoing->stream), &peer, &own);
	address_write(&peer, outgoing->address);
	if (outgoing->trial)
		trial_reached(outgoing->trial, outgoing->address);
	if (tls)
		outgoing_start_tls(outgoing, ALPN_SERVER);
	else
		outgoing_open(outgoing);
}

/* Only for a trial. */
static void outgoing_found(void *owner, const char *place)
{
	const struct outgoing *outgoing = owner;

	trial_found(outgoing->trial, place);
}

void outgoing_connect(struct outgoing *outgoing)
{
	const struct peer_policy *policy = outgoing_policy(outgoing);
	struct s2s *s2s = outgoing->s2s;
	struct arena arena = { 0 };
	struct connect_options options = {
		.domain = jid_domain_ascii(&arena, outgoing->remote),
		.service = "_xmpp-server._tcp",
		.tls_service = s2s->home->config->tls_client ? "_xmpps-server._tcp" : NULL,
		.fallback_port = SERVER_PORT,
		.targets = policy->targets,
		.target_count = policy->target_count,
		.timeout_ms = outgoing->trial ? TRIAL_CONNECT_MS : OUTGOING_CONNECT_MS,
		.found = outgoing->trial ? outgoing_found : NULL,
	};

	outgoing->connect =
		connect_start(s2s->home->worker, s2s->resolver, &options, outgoing_connected, outgoing);
	arena_clear(&arena);
}

void outgoing_resolve_again(struct outgoing *outgoing)
{
	if (!outgoing->connect)
		return;
	connect_cancel(&outgoing->connect);
	outgoing_connect(outgoing);
}
