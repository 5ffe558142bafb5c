/* SPDX-License-Identifier: MIT
 *
 * SASL 2 (XEP-0388): the profile in which <authenticate/> also says which client this is and what shall be done once it is
 * authenticated, and <success/> tells what became of it, without a new stream. Only under TLS (§3). The exchange itself is
 * exchange.c's, binding bind2.c's.
 */
#include "client.h"

#include <ctype.h>
#include <string.h>

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
	exchange_end(client);
	sasl2_go_on(client);
}

static const struct auth_profile sasl2_profile = {
	.challenged = CLIENT_SASL2,
	.say_challenge = sasl2_say_challenge,
	.say_failure = sasl2_say_failure,
	.succeeded = sasl2_succeeded,
};

/* ---- elements (§2.3, §2.5, §4.5) ---- */

/* The id in lower case; NULL: it is no UUID. */
static const char *uuid_read(struct arena *arena, const char *text)
{
	static const char pattern[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	char *id;

	if (strlen(text) != sizeof(pattern) - 1)
		return NULL;
	id = arena_str(arena, text);
	for (size_t i = 0; id[i]; i++) {
		if (pattern[i] == '-' ? id[i] != '-' : !isxdigit((unsigned char)id[i]))
			return NULL;
		id[i] = (char)tolower((unsigned char)id[i]);
	}
	return id;
}

/* Which installation of a client it is, for as long as the request lives. false: what it calls its id is none. */
static bool agent_read(struct login *login)
{
	const struct element *agent = element_child(login->request->root, "user-agent", NS_SASL2);
	const char *id = agent ? element_attr(agent, "id") : NULL;

	login->agent = id ? uuid_read(&login->request->arena, id) : NULL;
	return !id || login->agent;
}

void client_authenticate(struct client *client, struct stanza **element)
{
	struct login *login = client->login;
	struct arena *arena = &(*element)->arena;
	const struct element *root = (*element)->root;

	login->request = *element;
	*element = NULL;
	login->profile = &sasl2_profile;
	if (agent_read(login))
		exchange_begin(client, &sasl2_profile, element_attr(root, "mechanism"),
		               element_child_text(arena, root, "initial-response", NS_SASL2));
	else
		exchange_fail(client, SASL_MALFORMED_REQUEST);
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
