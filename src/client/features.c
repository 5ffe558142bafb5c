/* SPDX-License-Identifier: MIT
 *
 * What a stream offers its client at each stage (RFC 6120 §4.3.2): STARTTLS (§5), SASL mechanisms (§6.4.1), under TLS in
 * both profiles (XEP-0388 §2.1), with the channel bindings that this very connection has (XEP-0440), binding (§7.4) and
 * the features of a bound stream.
 */
#include "client.h"

#include <string.h>

#include "core/disco.h"
#include "registration.h"
#include "xmpp/ns.h"

/* ---- SASL ---- */

static const unsigned in_clear = 1u << SASL_SCRAM_SHA_256 | 1u << SASL_SCRAM_SHA_1;
static const unsigned on_tls = 1u << SASL_SCRAM_SHA_256 | 1u << SASL_SCRAM_SHA_1 | 1u << SASL_PLAIN;
static const unsigned bound_to_tls = 1u << SASL_SCRAM_SHA_256_PLUS | 1u << SASL_SCRAM_SHA_1_PLUS;

/* XEP-0484 §3.1. */
static unsigned tokens_offered(const struct client_limits *limits, const struct sasl_terms *terms)
{
	unsigned offered = 0;

	if (limits->token_clients == 0)
		return 0;
	if (terms->exporter_len)
		offered |= 1u << SASL_HT_SHA_256_EXPR;
	if (terms->end_point_len)
		offered |= 1u << SASL_HT_SHA_256_ENDP;
	if (limits->token_unbound)
		offered |= 1u << SASL_HT_SHA_256_NONE;
	return offered;
}

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
	terms->tokens = tokens_offered(client_limits(home->config), terms);
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

static void say_mechanisms(struct buf *out, unsigned mechanisms)
{
	for (int i = 0; i < SASL_MECHANISMS; i++)
		if (mechanisms & 1u << i)
			buf_printf(out, "<mechanism>%s</mechanism>", sasl_mechanism_name(i));
}

/* What may be asked for with the login (XEP-0386 §3.1, XEP-0198 §9, XEP-0484 §3.1). */
static void say_inline(struct buf *out, const struct sasl_terms *terms)
{
	buf_add_lit(out, "<inline><bind xmlns='" NS_BIND2 "'><inline>"
	                 "<feature var='" NS_CARBONS "'/>"
	                 "<feature var='" NS_CSI "'/>"
	                 "<feature var='" NS_SM "'/>"
	                 "</inline></bind><sm xmlns='" NS_SM "'/>");
	if (terms->tokens) {
		buf_add_lit(out, "<fast xmlns='" NS_FAST "'>");
		say_mechanisms(out, terms->tokens);
		buf_add_lit(out, "</fast>");
	}
	buf_add_lit(out, "</inline>");
}

static void say_sasl(struct buf *out, const struct sasl_terms *terms)
{
	if (!terms->offered)
		return;
	buf_add_lit(out, "<mechanisms xmlns='" NS_SASL "'>");
	say_mechanisms(out, terms->offered);
	buf_add_lit(out, "</mechanisms>");
	say_bindings(out, terms);
}

/* XEP-0509 §2.3.1: a digest of what stands there from that place on. */
static void say_offer(struct buf *out, size_t from, struct login *login)
{
	struct buf text = { 0 };
	uint8_t digest[DIGEST_MAX];

	digest_bytes(DIGEST_SHA256, out->data + from, out->len - from, digest);
	hex_encode(&text, digest, OFFER_LEN / 2);
	memcpy(login->offer, text.data, OFFER_LEN);
	buf_printf(out, "<config-version xmlns='" NS_IAP "' scheme='opaque' value='%s'/>", login->offer);
	buf_clear(&text);
}

/* XEP-0388 §3: for TLS only. A client that was here before may say which offer it goes by, and need not wait for it. */
static void say_sasl2(struct buf *out, struct login *login)
{
	size_t from = out->len;

	buf_add_lit(out, "<authentication xmlns='" NS_SASL2 "'>");
	say_mechanisms(out, login->terms.offered);
	say_inline(out, &login->terms);
	buf_add_lit(out, "</authentication>");
	say_sasl(out, &login->terms);
	say_offer(out, from, login);
}

/* ---- the stages ---- */

static void say_starttls(struct buf *out, bool required)
{
	buf_add_lit(out, "<starttls xmlns='" NS_TLS "'>");
	if (required)
		buf_add_lit(out, "<required/>");
	buf_add_lit(out, "</starttls>");
}

static void say_binding(struct buf *out)
{
	buf_add_lit(out, "<bind xmlns='" NS_BIND "'/>"
	                 "<session xmlns='" NS_SESSION "'><optional/></session>");
}

static void say_bound(struct buf *out, const struct home *home, const struct jid *who)
{
	const struct host *host = config_host(home->config, jid_domain_text(who), who->domain_len);

	buf_add_lit(out, "<ver xmlns='" NS_ROSTERVER "'/>"
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
	if (client->state == CLIENT_CLEAR) {
		say_starttls(out, home->config->client_tls_required);
		say_sasl(out, &client->login->terms);
	} else if (client->state == CLIENT_SECURE) {
		say_sasl2(out, client->login);
		newcomer_say_feature(client, out);
	} else if (client->state == CLIENT_AUTHENTICATED) {
		say_binding(out);
		say_bound(out, home, &client->login->user);
	} else {
		say_bound(out, home, &client->session->jid);
	}
	buf_add_lit(out, "</stream:features>");
}
