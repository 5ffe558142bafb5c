/* SPDX-License-Identifier: MIT
 *
 * SASL in the profile of RFC 6120 §6.4, §6.5: each element has one answer, <challenge/>, <failure/> or <success/>, and
 * after success the stream begins anew. The exchange itself is exchange.c's.
 */
#include "client.h"

#include <string.h>

#include "xmpp/ns.h"

/* ---- answers ---- */

/* No data is an empty element: neither SCRAM nor PLAIN has data of zero bytes to send. */
static void auth_say(struct client *client, const char *name, const struct buf *message)
{
	struct buf *out = stream_out(client->stream);

	buf_printf(out, "<%s xmlns='" NS_SASL "'", name);
	if (message->len == 0) {
		buf_add_lit(out, "/>");
		return;
	}
	buf_add_char(out, '>');
	base64_encode(out, message->data, message->len);
	buf_printf(out, "</%s>", name);
}

static void auth_say_challenge(struct client *client, const struct buf *message)
{
	auth_say(client, "challenge", message);
}

static void auth_say_failure(struct client *client, enum sasl_condition condition)
{
	buf_printf(stream_out(client->stream), "<failure xmlns='" NS_SASL "'><%s/></failure>",
	           sasl_condition_name(condition));
}

/* §6.4.6: whom the header named under TLS is who must have logged in. */
static void auth_succeeded(struct client *client, const struct buf *message)
{
	if (conn_is_secure(stream_conn(client->stream)) && !exchange_agrees(client)) {
		client_fail(client, STREAM_INVALID_FROM, "the stream's from is not who has logged in");
		return;
	}
	auth_say(client, "success", message);
	exchange_end(client);
	client_set_state(client, CLIENT_HEADER);
	stream_restart(client->stream);
	stream_resume(client->stream);
}

static const struct auth_profile auth_profile = {
	.challenged = CLIENT_SASL,
	.say_challenge = auth_say_challenge,
	.say_failure = auth_say_failure,
	.succeeded = auth_succeeded,
};

/* ---- elements ---- */

/* "=" is zero bytes. */
static const char *auth_text(struct stanza *element)
{
	const char *text = element_text(&element->arena, element->root);

	return strcmp(text, "=") == 0 ? "" : text;
}

/* §6.4.2. A new <auth/> discards a handshake that is under way. */
void client_auth(struct client *client, struct stanza **element)
{
	const struct element *auth = (*element)->root;

	exchange_begin(client, &auth_profile, element_attr(auth, "mechanism"),
	               auth->first ? auth_text(*element) : NULL);
}

/* §6.4.3 */
void client_response(struct client *client, struct stanza **element)
{
	client->login->profile = &auth_profile;
	exchange_respond(client, auth_text(*element));
}

/* §6.4.4 */
void client_abort(struct client *client, struct stanza **element)
{
	(void)element;
	client->login->profile = &auth_profile;
	exchange_fail(client, SASL_ABORTED);
}
