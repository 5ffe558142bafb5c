/* SPDX-License-Identifier: MIT
 *
 * SASL 2 (XEP-0388): the profile in which <authenticate/> also says which client this is and what shall be done once it is
 * authenticated, and <success/> tells what became of it, without a new stream. Only under TLS (§3). The exchange itself is
 * exchange.c's, binding bind2.c's.
 */
#include "client.h"

#include <string.h>

#include "base/mem.h"
#include "xmpp/ns.h"
#include "xmpp/writer.h"

/* ---- answers (§2.5, §2.6) ---- */

static void sasl2_say_challenge(struct client *client, const struct buf *message)
{
	struct buf *out = stream_out(client->stream);

	buf_add_lit(out, "<challenge xmlns='" NS_SASL2 "'>");
	base64_encode(out, message->data, message->len);
	buf_add_lit(out, "</challenge>");
}

static void sasl2_say_failure(struct client *client, enum sasl_condition condition)
{
	buf_printf(stream_out(client->stream), "<failure xmlns='" NS_SASL2 "'><%s xmlns='" NS_SASL "'/></failure>",
	           sasl_condition_name(condition));
}

/* XEP-0509 §2.2: without prejudice. */
static void sasl2_say_mismatch(struct client *client)
{
	buf_add_lit(stream_out(client->stream), "<failure xmlns='" NS_SASL2 "'><aborted xmlns='" NS_SASL "'/>"
	                                        "<config-version-mismatch xmlns='" NS_IAP "'/></failure>");
}

static void sasl2_say_success(struct client *client, const struct jid *who)
{
	struct buf *out = stream_out(client->stream);
	const struct buf *results = &client->login->results;

	buf_add_lit(out, "<success xmlns='" NS_SASL2 "'><authorization-identifier>");
	writer_text(out, who->text, jid_len(who));
	buf_add_lit(out, "</authorization-identifier>");
	buf_add(out, results->data, results->len);
	buf_add_lit(out, "</success>");
}

/* §2.6.1: everything that was asked for has been done; the features of the new state follow at once. */
void sasl2_finish(struct client *client, struct session *session)
{
	struct login *login = client->login;

	sasl2_say_success(client, session ? &session->jid : &login->user);
	if (session) {
		client_bound(client, session);
	} else {
		stanza_drop(&login->request);
		client_set_state(client, CLIENT_AUTHENTICATED);
		stream_resume(client->stream);
	}
	client_say_features(client);
}

/* XEP-0198 §9.2: a session that goes on has no features to be told. */
static void sasl2_resumed(struct client *client)
{
	sasl2_say_success(client, &client->session->jid);
	smacks_go_on(client);
	stream_resume(client->stream);
}

static const struct element *sasl2_resume(const struct client *client)
{
	return element_child(client->login->request->root, "resume", NS_SM);
}

static void sasl2_bind(struct client *client)
{
	if (element_child(client->login->request->root, "bind", NS_BIND2))
		bind2_begin(client);
	else
		sasl2_finish(client, NULL);
}

static void sasl2_settled(struct client *client)
{
	switch (smacks_resume(client, sasl2_resume(client), &client->login->results)) {
	case SMACKS_RESUMED:
		sasl2_resumed(client);
		break;
	case SMACKS_REFUSED:
		sasl2_bind(client);
		break;
	case SMACKS_BROKEN:
		break;
	}
}

static void sasl2_go_on(struct client *client)
{
	if (sasl2_resume(client))
		smacks_await(client, sasl2_resume(client), sasl2_settled);
	else
		sasl2_bind(client);
}

/* What is done with the login is done while the exchange can still fail (XEP-0484 §3.4). */
void sasl2_tokens_settled(struct client *client)
{
	exchange_end(client);
	sasl2_go_on(client);
}

/* §2.3: whom the header names is who must log in. */
static void sasl2_succeeded(struct client *client, const struct buf *message)
{
	struct login *login = client->login;

	if (!exchange_agrees(client)) {
		exchange_fail(client, SASL_INVALID_AUTHZID);
		return;
	}
	client_set_state(client, CLIENT_BUSY);
	stream_pause(client->stream);
	if (message->len > 0) {
		buf_add_lit(&login->results, "<additional-data>");
		base64_encode(&login->results, message->data, message->len);
		buf_add_lit(&login->results, "</additional-data>");
	}
	fast_settle(client);
}

static const struct auth_profile sasl2_profile = {
	.challenged = CLIENT_SASL2,
	.takes_tokens = true,
	.say_challenge = sasl2_say_challenge,
	.say_failure = sasl2_say_failure,
	.succeeded = sasl2_succeeded,
};

/* ---- elements (§2.3, §2.5, §4.5) ---- */

/* Which installation of a client it is. false: what it calls its id is none. */
static bool agent_read(struct login *login)
{
	const struct element *agent = element_child(login->request->root, "user-agent", NS_SASL2);
	const char *id = agent ? element_attr(agent, "id") : NULL;

	login->agent[0] = '\0';
	return !id || uuid_read(id, login->agent);
}

/* XEP-0484 §3.4, §4.1: who uses a token says that he does, and which client he is. */
static bool request_is_sound(struct login *login, const char *mechanism)
{
	int number = mechanism ? sasl_mechanism_find(mechanism) : -1;

	if (!agent_read(login))
		return false;
	if (number < 0 || !sasl_mechanism_takes_token((enum sasl_mechanism)number))
		return true;
	return login->agent[0] && element_child(login->request->root, "fast", NS_FAST);
}

/* Does the client know what this stream offers, or has it waited for it? */
static bool offer_is_known(const struct login *login)
{
	const struct element *version = element_child(login->request->root, "config-version", NS_IAP);
	const char *value = version ? element_attr(version, "value") : login->offer;

	return value && strcmp(value, login->offer) == 0;
}

/* It may be a password. */
static void initial_wipe(const char *initial)
{
	if (initial && *initial)
		mem_wipe((char *)initial, strlen(initial));
}

void client_authenticate(struct client *client, struct stanza **element)
{
	struct login *login = client->login;
	const struct element *root = (*element)->root;
	const char *mechanism = element_attr(root, "mechanism");
	const char *initial = element_child_text(&(*element)->arena, root, "initial-response", NS_SASL2);

	login->request = *element;
	*element = NULL;
	login->profile = &sasl2_profile;
	if (!offer_is_known(login)) {
		initial_wipe(initial);
		sasl2_say_mismatch(client);
		stanza_drop(&login->request);
	} else if (!request_is_sound(login, mechanism)) {
		initial_wipe(initial);
		exchange_fail(client, SASL_MALFORMED_REQUEST);
	} else {
		exchange_begin(client, &sasl2_profile, mechanism, initial);
	}
}

void client_sasl2_response(struct client *client, struct stanza **element)
{
	exchange_respond(client, element_text(&(*element)->arena, (*element)->root));
}

void client_sasl2_abort(struct client *client, struct stanza **element)
{
	(void)element;
	exchange_fail(client, SASL_ABORTED);
}
