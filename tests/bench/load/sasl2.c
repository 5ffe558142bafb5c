/* SPDX-License-Identifier: MIT
 *
 * Logins as XEP-0388 has them, with the session inline (XEP-0386, XEP-0198 §9) and, from the second on, by a token
 * (XEP-0484): the client has been here before and says with its header what it has to say.
 */
#include "sasl2.h"

#include <stdio.h>
#include <string.h>

#include "xmpp/ns.h"

#define TOKENS "HT-SHA-256-EXPR"

enum { BINDING_MAX = 64 };

static bool client_has_token(const struct client *client)
{
	return client->load->options.login == LOGIN_FAST && *client->token;
}

static const char *client_wishes(const struct client *client)
{
	if (client->load->options.login != LOGIN_FAST)
		return "";
	return *client->token ? "<fast xmlns='urn:xmpp:fast:0'/>"
	                      : "<request-token xmlns='urn:xmpp:fast:0' mechanism='" TOKENS "'/>";
}

/* XEP-0484 §3.4: the user's name, and the proof over the connection's binding. */
static void token_start(struct client *client, struct buf *out)
{
	uint8_t binding[BINDING_MAX], proof[DIGEST_MAX];
	size_t len = conn_binding_exporter(client->conn, binding);
	struct buf said = { 0 };

	if (len == 0)
		load_fail("user%u: a token wants TLS 1.3", client->number);
	buf_add_lit(&said, "Initiator");
	buf_add(&said, binding, len);
	digest_hmac(DIGEST_SHA256, client->token, strlen(client->token), said.data, said.len, proof);
	buf_clear(&said);
	buf_printf(out, "user%u", client->number);
	buf_add_char(out, '\0');
	buf_add(out, proof, digest_size(DIGEST_SHA256));
}

void sasl2_authenticate(struct client *client)
{
	bool by_token = client_has_token(client);
	struct buf first = { 0 }, *out = conn_out(client->conn);

	if (by_token)
		token_start(client, &first);
	else
		client_start_proof(client, DIGEST_SHA256, &first);
	buf_printf(out, "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='%s'><initial-response>",
	           by_token ? TOKENS : proof_mechanism(DIGEST_SHA256));
	base64_encode(out, first.data, first.len);
	buf_printf(out, "</initial-response><user-agent id='d4565fa7-4d72-4749-b3d3-%012u'/>%s"
	           "<bind xmlns='urn:xmpp:bind:0'><tag>bench</tag>%s</bind></authenticate>", client->number,
	           client_wishes(client),
	           client->load->options.sm ? "<enable xmlns='urn:xmpp:sm:3' resume='true'/>" : "");
	buf_clear(&first);
}

static void sasl2_succeeded(struct client *client, const struct element *success)
{
	const struct element *bound = element_child(success, "bound", "urn:xmpp:bind:0");
	const struct element *token = element_child(success, "token", "urn:xmpp:fast:0");
	bool enabled = bound && element_child(bound, "enabled", "urn:xmpp:sm:3");

	if (!bound || enabled != client->load->options.sm)
		load_fail("user%u: no session comes with the login", client->number);
	if (token)
		snprintf(client->token, sizeof(client->token), "%s", element_attr(token, "token"));
	if (enabled)
		acks_enable(&client->acks);
	client->authenticated = true;
}

void sasl2_met(struct client *client, const struct element *element)
{
	if (element_is(element, "challenge", "urn:xmpp:sasl:2"))
		client_challenged(client, element, "<response xmlns='urn:xmpp:sasl:2'>");
	else if (element_is(element, "success", "urn:xmpp:sasl:2"))
		sasl2_succeeded(client, element);
	else if (element_is(element, "failure", "urn:xmpp:sasl:2"))
		load_fail("user%u is not let in: %s", client->number, element_first(element)->name);
	else if (element_is(element, "features", NS_STREAM) && client->authenticated)
		client_arrive(client);
}
