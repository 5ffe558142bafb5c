/* SPDX-License-Identifier: MIT
 *
 * Resource binding (RFC 6120 §7): the iq that binds is answered once the account is in memory; the resource
 * is the one that the client asks for, prepared, or one that the server makes.
 */
#include <string.h>

#include "client.h"
#include "xmpp/ns.h"

static void bind_refuse(struct client *client, enum stanza_condition condition, const char *text)
{
	const struct stanza *error = stanza_error(stanza_seal(client->login->request), NULL, condition, text);

	if (error)
		stream_write(client->stream, error, NULL);
	stanza_unref(&error);
	stanza_drop(&client->login->request);
	client_set_state(client, CLIENT_AUTHENTICATED);
	stream_resume(client->stream);
}

/* §7.7: NULL with true: the server shall make one (§7.6). */
static bool bind_resource(struct login *login, const struct limits *limits, const char **resource)
{
	struct arena *arena = &login->request->arena;
	const struct element *bind = element_child(login->request->root, "bind", NS_BIND);
	const char *asked = element_child_text(arena, bind, "resource", NS_BIND);

	*resource = NULL;
	if (!asked || !*asked)
		return true;
	return jid_resource_prepare(arena, asked, strlen(asked), resource) &&
	       strlen(*resource) <= limits->resource_bytes;
}

static void bind_say_jid(struct client *client, const struct stanza *request, const struct jid *jid)
{
	struct stanza *result = stanza_result(request);
	struct element *bind = element_add(&result->arena, result->root, "bind", NS_BIND);
	const struct stanza *sealed;

	element_add_text(&result->arena, element_add(&result->arena, bind, "jid", NS_BIND),
	                 jid->text);
	sealed = stanza_seal(result);
	stream_write(client->stream, sealed, NULL);
	stanza_unref(&sealed);
}

void client_bound(struct client *client, struct session *session)
{
	struct conn *conn = stream_conn(client->stream);
	struct address peer, own;
	struct conn_tls tls = { .version = "none" };

	client->session = session;
	conn_address(conn, &peer, &own);
	address_write(&peer, session->address);
	if (conn_is_secure(conn))
		conn_tls(conn, &tls);
	client_end_login(client);
	client_set_state(client, CLIENT_BOUND);
	log_info(worker_log(session->account->home->worker), stream_name(client->stream), "session bound",
	         LOG_STR("jid", session->jid.text), LOG_STR("address", session->address),
	         LOG_STR("tls", tls.version), LOG_STR("client", session->client));
	stream_resume(client->stream);
}

static void bind_ready(struct account_want *want, struct account *account)
{
	struct login *login = LIST_MEMBER(want, struct login, want);
	struct client *client = login->client;
	struct session *session;
	enum stanza_condition condition;
	const char *resource;

	login->wants = false;
	if (client->state != CLIENT_BINDING)
		return;
	if (account->state == ACCOUNT_ABSENT) {
		client_fail(client, STREAM_NOT_AUTHORIZED, "the account has been removed");
		return;
	}
	if (account->state != ACCOUNT_READY) {
		bind_refuse(client, STANZA_RESOURCE_CONSTRAINT, "The account cannot be read, try again");
		return;
	}
	if (!bind_resource(login, &account->home->config->limits, &resource)) {
		bind_refuse(client, STANZA_BAD_REQUEST, "This is no resource");
		return;
	}
	condition = session_bind(account, resource, &client_outlet, client, &session);
	if (condition != STANZA_NO_ERROR) {
		bind_refuse(client, condition, NULL);
		return;
	}
	bind_say_jid(client, login->request, &session->jid);
	client_bound(client, session);
}

/* Anything else before binding is not authorized (§7.1). */
void client_bind(struct client *client, struct stanza **iq)
{
	struct login *login = client->login;

	if (!element_child((*iq)->root, "bind", NS_BIND)) {
		client_fail(client, STREAM_NOT_AUTHORIZED, "a resource must be bound first");
		return;
	}
	login->request = *iq;
	*iq = NULL;
	if (login->request->type != IQ_SET || !login->request->id) {
		bind_refuse(client, STANZA_BAD_REQUEST, NULL);
		return;
	}
	client_set_state(client, CLIENT_BINDING);
	stream_pause(client->stream);
	login->wants = true;
	account_want(stream_home(client->stream), &login->user, &login->want, bind_ready);
}
