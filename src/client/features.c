/* SPDX-License-Identifier: MIT
 *
 * What a stream offers its client at each stage (RFC 6120 §4.3.2): STARTTLS (§5), SASL mechanisms (§6.4.1)
 * with the channel bindings that this very connection has (XEP-0440), binding (§7.4) with the features of a
 * bound stream.
 */
#include "client.h"

#include <string.h>

#include "core/disco.h"
#include "xmpp/ns.h"

/* ---- SASL ---- */

static const unsigned in_clear = 1u << SASL_SCRAM_SHA_256 | 1u << SASL_SCRAM_SHA_1;
static const unsigned on_tls = 1u << SASL_SCRAM_SHA_256 | 1u << SASL_SCRAM_SHA_1 | 1u << SASL_PLAIN;
static const unsigned bound_to_tls = 1u << SASL_SCRAM_SHA_256_PLUS | 1u << SASL_SCRAM_SHA_1_PLUS;

/* A password never goes in clear, and nothing does where TLS is required (§6.3.4). */
void client_offer(struct client *client)
{
	struct home *home = stream_home(client->stream);
	struct conn *conn = stream_conn(client->stream);
	struct sasl_terms *terms = &client->login->terms;

	*terms = (struct sasl_terms){ .host = client->login->host,
		                      .secret = home->server->secret,
		                      .entropy = worker_entropy(home->worker) };
	if (!conn_is_secure(conn)) {
		terms->offered = home->config->client_tls_required ? 0 : in_clear;
		return;
	}
	terms->exporter_len = conn_binding_exporter(conn, terms->exporter);
	terms->end_point_len = conn_binding_end_point(conn, terms->end_point);
	terms->offered = on_tls | (terms->exporter_len || terms->end_point_len ? bound_to_tls : 0);
}

static void say_bindings(struct buf *out, const struct sasl_terms *terms)
{
	if (!(terms->offered & bound_to_tls))
		return;
	buf_add_lit(out, "<sasl-channel-binding xmlns='" NS_SASL_CB "'>");
	if (terms->exporter_len)
		buf_add_lit(out, "<channel-binding type='tls-exporter'/>");
	if (terms->end_point_len)
		buf_add_lit(out, "<channel-binding type='tls-server-end-point'/>");
	buf_add_lit(out, "</sasl-channel-binding>");
}

static void say_mechanisms(struct buf *out, const struct sasl_terms *terms)
{
	if (!terms->offered)
		return;
	buf_add_lit(out, "<mechanisms xmlns='" NS_SASL "'>");
	for (int i = 0; i < SASL_MECHANISMS; i++)
		if (terms->offered & 1u << i)
			buf_printf(out, "<mechanism>%s</mechanism>", sasl_mechanism_name(i));
	buf_add_lit(out, "</mechanisms>");
	say_bindings(out, terms);
}

/* ---- the stages ---- */

static void say_starttls(struct buf *out, bool required)
{
	buf_add_lit(out, "<starttls xmlns='" NS_TLS "'>");
	if (required)
		buf_add_lit(out, "<required/>");
	buf_add_lit(out, "</starttls>");
}

static void say_binding(struct buf *out, const struct home *home, const char *domain)
{
	const struct host *host = config_host(home->config, domain, strlen(domain));

	buf_add_lit(out, "<bind xmlns='" NS_BIND "'/>"
	                 "<session xmlns='" NS_SESSION "'><optional/></session>"
	                 "<ver xmlns='" NS_ROSTERVER "'/>"
	                 "<csi xmlns='" NS_CSI "'/>"
	                 "<sub xmlns='" NS_PREAPPROVAL "'/>"
	                 "<sm xmlns='" NS_SM "'/>");
	if (host)
		buf_add_str(out, disco_caps_element(home, host));
}

void client_say_features(struct client *client)
{
	struct home *home = stream_home(client->stream);
	struct buf *out = stream_out(client->stream);

	buf_add_lit(out, "<stream:features>");
	if (client->state == CLIENT_AUTHENTICATED) {
		say_binding(out, home, client->login->host);
	} else {
		if (client->state == CLIENT_CLEAR)
			say_starttls(out, home->config->client_tls_required);
		say_mechanisms(out, &client->login->terms);
	}
	buf_add_lit(out, "</stream:features>");
}
