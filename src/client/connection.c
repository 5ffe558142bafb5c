/* SPDX-License-Identifier: MIT
 *
 * A client's stream through its states (RFC 6120 §4.3.7): what may come when is the table below, what comes
 * at any other time ends the stream. Admission, the stages of header and features, STARTTLS (§5), direct TLS
 * (XEP-0368), dead peers (§4.6.4), the end.
 */
#include "client.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "registration.h"
#include "xmpp/ns.h"
#include "xmpp/writer.h"

static void client_opened(struct stream *stream, void *owner, const struct stream_header *header);
static void client_received(struct stream *stream, void *owner, struct stanza *stanza,
                            enum stanza_check check);
static void client_secured(struct stream *stream, void *owner);
static void client_late(struct stream *stream, void *owner);
static void client_silent(struct stream *stream, void *owner);
static void client_closed(struct stream *stream, void *owner, enum stream_condition condition,
                          const char *text);

static const struct stream_class client_class = {
	.name = "client",
	.content_ns = NS_CLIENT,
	.opened = client_opened,
	.received = client_received,
	.secured = client_secured,
	.late = client_late,
	.silent = client_silent,
	.returned = client_returned,
	.closed = client_closed,
};

static void client_activity(struct client *client, struct stanza **element);
static void client_starttls(struct client *client, struct stanza **element);

/* What may be received when. A function that keeps the element takes it out of its pointer. */
static const struct rule {
	enum client_state state;
	const char *ns, *name;
	void (*received)(struct client *client, struct stanza **element);
} rules[] = {
	{ CLIENT_BOUND, NS_CLIENT, "message", client_stanza },
	{ CLIENT_BOUND, NS_CLIENT, "presence", client_stanza },
	{ CLIENT_BOUND, NS_CLIENT, "iq", client_stanza },
	{ CLIENT_BOUND, NS_CSI, "active", client_activity },
	{ CLIENT_BOUND, NS_CSI, "inactive", client_activity },
	{ CLIENT_BOUND, NS_SM, "r", client_asks },
	{ CLIENT_BOUND, NS_SM, "a", client_acks },
	{ CLIENT_BOUND, NS_SM, "enable", client_enables },
	{ CLIENT_BOUND, NS_SM, "resume", client_resumes },
	{ CLIENT_CLEAR, NS_TLS, "starttls", client_starttls },
	{ CLIENT_CLEAR, NS_SASL, "auth", client_auth },
	{ CLIENT_CLEAR, NS_SASL, "response", client_response },
	{ CLIENT_CLEAR, NS_SASL, "abort", client_abort },
	{ CLIENT_SECURE, NS_SASL, "auth", client_auth },
	{ CLIENT_SECURE, NS_SASL, "response", client_response },
	{ CLIENT_SECURE, NS_SASL, "abort", client_abort },
	{ CLIENT_SASL, NS_SASL, "auth", client_auth },
	{ CLIENT_SASL, NS_SASL, "response", client_response },
	{ CLIENT_SASL, NS_SASL, "abort", client_abort },
	{ CLIENT_SECURE, NS_SASL2, "authenticate", client_authenticate },
	{ CLIENT_SECURE, NS_CLIENT, "iq", client_registers },
	{ CLIENT_SASL2, NS_SASL2, "response", client_sasl2_response },
	{ CLIENT_SASL2, NS_SASL2, "abort", client_sasl2_abort },
	{ CLIENT_AUTHENTICATED, NS_CLIENT, "iq", client_bind },
	{ CLIENT_AUTHENTICATED, NS_SM, "enable", client_enables },
	{ CLIENT_AUTHENTICATED, NS_SM, "resume", client_resumes },
};

static const char *const state_names[] = {
	[CLIENT_WAITING] = "waiting",   [CLIENT_HEADER] = "header",
	[CLIENT_SECURING] = "securing", [CLIENT_CLEAR] = "clear",
	[CLIENT_SECURE] = "secure",     [CLIENT_SASL] = "sasl",
	[CLIENT_SASL2] = "sasl2",       [CLIENT_BUSY] = "busy",
	[CLIENT_AUTHENTICATED] = "authenticated",
	[CLIENT_BINDING] = "binding",   [CLIENT_BOUND] = "bound",
	[CLIENT_ENDING] = "ending",
};

void client_set_state(struct client *client, enum client_state state)
{
	if (client->state == CLIENT_ENDING)
		return;
	log_debug(worker_log(stream_home(client->stream)->worker), stream_name(client->stream), "client state",
	          LOG_STR("from", state_names[client->state]), LOG_STR("to", state_names[state]));
	client->state = state;
}

void client_fail(struct client *client, enum stream_condition condition, const char *text)
{
	client_set_state(client, CLIENT_ENDING);
	stream_fail(client->stream, condition, text);
}

/* ---- accepted ---- */

/* From here on there is an absolute time to authenticate, which nothing that arrives extends. */
void client_accepted(struct home *home, enum listen_kind kind, struct transport *transport)
{
	struct client *client = mem_zalloc(sizeof(*client));
	const struct limits *limits = &home->config->limits;

	client->direct_tls = kind == LISTEN_CLIENT_TLS;
	client->stream =
		stream_new(home, transport, &client_class, client, true, limits->stanza_unauthenticated);
	list_add_last(&client_room(home)->clients, &client->link);
	stream_set_deadline(client->stream, limits->authenticate_ms);
	client_begin_login(client);
}

void client_admitted(struct client *client)
{
	if (client->direct_tls) {
		client_set_state(client, CLIENT_SECURING);
		stream_start_tls(client->stream, stream_home(client->stream)->config->tls, NULL,
		                 "xmpp-client");
	} else {
		client_set_state(client, CLIENT_HEADER);
	}
}

static void client_secured(struct stream *stream, void *owner)
{
	(void)stream;
	client_set_state(owner, CLIENT_HEADER);
}

/* ---- headers (RFC 6120 §4.7) ---- */

/* The host that the header names; where it names none, the only one there is. NULL: not ours. */
static const struct host *header_host(const struct config *config, struct arena *arena,
                                      const struct stream_header *header)
{
	struct jid domain;

	if (!header->to)
		return config->host_count == 1 ? &config->hosts[0] : NULL;
	if (!jid_domain_prepare(arena, header->to, strlen(header->to), &domain))
		return NULL;
	return config_host(config, domain.text, domain.domain_len);
}

/* The bare JID that the client claims, for our `to` (§4.7.2) and to be compared later; NULL: none, or none
 * that is one. COMPAT XML::Stream, under sendxmpp 1.24 (2026-11): it names its machine, which claims no account. */
static const char *header_from(struct arena *arena, const struct stream_header *header)
{
	struct jid from;

	if (!header->from || !jid_prepare(arena, header->from, strlen(header->from), JID_ANY, &from) ||
	    from.local_len == 0)
		return NULL;
	return jid_bare(arena, &from).text;
}

/* What is said in clear before TLS does not count afterwards (§5.4.3.3), but for the host: it holds for the
 * connection's life, so that nobody authenticates at one and binds at another. */
static enum stream_condition client_take_header(struct client *client, const struct stream_header *header,
                                                const char **text)
{
	struct login *login = client->login;
	const struct config *config = stream_home(client->stream)->config;
	struct arena arena = { 0 };
	const struct host *host = header_host(config, &arena, header);
	const char *from = header_from(&arena, header);
	enum stream_condition condition = STREAM_NO_ERROR;

	*text = NULL;
	if (!host) {
		condition = STREAM_HOST_UNKNOWN;
	} else if (login->host && strcmp(login->host, host->domain) != 0) {
		condition = STREAM_NOT_AUTHORIZED;
		*text = "the host of a connection cannot change";
	} else if (header->major < 1) {
		condition = STREAM_UNSUPPORTED_VERSION;
	} else if (from && conn_is_secure(stream_conn(client->stream)) &&
	           strcmp(strchr(from, '@') + 1, host->domain) != 0) {
		condition = STREAM_INVALID_FROM;
	}
	if (!login->host && host)
		login->host = str_dup(host->domain);
	login->from = from ? arena_str(&login->arena, from) : NULL;
	stream_open(client->stream, login->host ? login->host : config->hosts[0].domain, from, "en", NULL);
	arena_clear(&arena);
	return condition;
}

static enum client_state client_next_stage(const struct client *client)
{
	if (client->authenticated)
		return CLIENT_AUTHENTICATED;
	return conn_is_secure(stream_conn(client->stream)) ? CLIENT_SECURE : CLIENT_CLEAR;
}

static void client_opened(struct stream *stream, void *owner, const struct stream_header *header)
{
	struct client *client = owner;
	enum stream_condition condition;
	const char *text;

	(void)stream;
	condition = client_take_header(client, header, &text);
	if (condition != STREAM_NO_ERROR) {
		client_fail(client, condition, text);
		return;
	}
	client_set_state(client, client_next_stage(client));
	if (!client->authenticated)
		client_offer(client);
	client_say_features(client);
}

/* ---- elements ---- */

/* §5.4.2.2: a <starttls/> that was not offered ends the stream by a failure of its own. */
static void client_refuse_starttls(struct client *client)
{
	buf_add_lit(stream_out(client->stream), "<failure xmlns='" NS_TLS "'/>");
	client_set_state(client, CLIENT_ENDING);
	stream_close(client->stream);
}

/* Stanzas and negotiation at the wrong time are not authorized (§4.9.3.12), what nobody knows is no stanza
 * (§4.9.3.24). */
static void client_refuse(struct client *client, const struct stanza *stanza)
{
	const char *ns = stanza->root->ns;

	if (element_is(stanza->root, "starttls", NS_TLS))
		client_refuse_starttls(client);
	else if (stanza->kind != STANZA_OTHER || strcmp(ns, NS_SASL) == 0 || strcmp(ns, NS_SASL2) == 0 ||
	         strcmp(ns, NS_TLS) == 0)
		client_fail(client, STREAM_NOT_AUTHORIZED, NULL);
	else
		client_fail(client, STREAM_UNSUPPORTED_STANZA_TYPE, NULL);
}

/* RFC 6120 §8.3.3.8 */
static void client_refuse_address(struct client *client, struct stanza *stanza)
{
	struct session *session = client->session;
	const struct stanza *error;

	if (!smacks_counts(client, stanza))
		return;
	stanza->from = session->jid;
	error = stanza_error(stanza_seal(stanza), &session->account->jid, STANZA_JID_MALFORMED, NULL);
	if (error)
		session_push(session, error);
	smacks_passed_on(session, stanza->token, false);
}

static const struct rule *rule_find(enum client_state state, const struct element *element)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		if (rules[i].state == state && element_is(element, rules[i].name, rules[i].ns))
			return &rules[i];
	return NULL;
}

static void client_received(struct stream *stream, void *owner, struct stanza *stanza,
                            enum stanza_check check)
{
	struct client *client = owner;
	const struct rule *rule = rule_find(client->state, stanza->root);

	if (client->asked) {
		client->asked = false;
		stream_watch(stream, stream_home(stream)->config->limits.silence_ms);
	}
	if (!rule)
		client_refuse(client, stanza);
	else if (check == STANZA_CHECK_FROM)
		client_fail(client, STREAM_INVALID_FROM, NULL);
	else if (check == STANZA_CHECK_TO && client->state == CLIENT_BOUND)
		client_refuse_address(client, stanza);
	else
		rule->received(client, &stanza);
	if (stanza)
		stanza_drop(&stanza);
}

/* XEP-0352 §4.2. A session that has left its account hears nothing any more. */
static void client_activity(struct client *client, struct stanza **element)
{
	if (!client->session->ending)
		session_set_inactive(client->session, strcmp((*element)->root->name, "inactive") == 0);
}

/* §5.4.2.3. Bytes behind the command came in clear and must not be taken for what comes under TLS. */
static void client_starttls(struct client *client, struct stanza **element)
{
	(void)element;
	if (stream_has_unread(client->stream)) {
		client_fail(client, STREAM_POLICY_VIOLATION, "bytes in clear behind <starttls/>");
		return;
	}
	buf_add_lit(stream_out(client->stream), "<proceed xmlns='" NS_TLS "'/>");
	client_set_state(client, CLIENT_SECURING);
	stream_start_tls(client->stream, stream_home(client->stream)->config->tls, NULL, NULL);
}

/* ---- time ---- */

/* To one that never said a word of XMPP nothing is said. */
static void client_late(struct stream *stream, void *owner)
{
	struct client *client = owner;

	if (client->state != CLIENT_WAITING) {
		client_fail(client, STREAM_CONNECTION_TIMEOUT, "not authenticated in time");
		return;
	}
	client_set_state(client, CLIENT_ENDING);
	stream_close(stream);
}

/* XEP-0199 §4.1, or XEP-0198's request. Whatever comes shows that the client lives. */
static void client_ask(struct client *client)
{
	struct home *home = stream_home(client->stream);
	const struct jid *jid = &client->session->jid;
	struct buf *out = stream_out(client->stream);

	client->asked = true;
	stream_watch(client->stream, home->config->limits.answer_ms);
	if (smacks_asks_whether_alive(client))
		return;
	buf_add_lit(out, "<iq type='get'");
	buf_printf(out, " id='ping-%llu' from='", (unsigned long long)++home->serial);
	writer_text(out, jid_domain_text(jid), jid->domain_len);
	buf_add_char(out, '\'');
	writer_attr(out, "to", jid->text);
	buf_add_lit(out, "><ping xmlns='" NS_PING "'/></iq>");
}

/* §4.6.4: only a client that was asked and did not answer is given up. */
static void client_silent(struct stream *stream, void *owner)
{
	struct client *client = owner;

	(void)stream;
	if (client->state == CLIENT_BOUND && !client->asked)
		client_ask(client);
	else
		client_fail(client, STREAM_CONNECTION_TIMEOUT, NULL);
}

/* ---- the end ---- */

/* Who connects and leaves again, as those do who look whether somebody listens, is no event. */
static void client_log_end(const struct client *client, enum stream_condition condition, const char *text)
{
	bool is_event = client->session || condition != STREAM_NO_ERROR || text;

	LOG_LINE(worker_log(stream_home(client->stream)->worker), is_event ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG,
	         stream_name(client->stream), "client closed",
	         LOG_STR("jid", client->session ? client->session->jid.text : NULL),
	         LOG_STR("address", client->login ? client->login->address : NULL),
	         LOG_STR("condition", condition ? stream_condition_name(condition) : NULL),
	         LOG_STR("reason", text));
}

static void client_closed(struct stream *stream, void *owner, enum stream_condition condition,
                          const char *text)
{
	struct client *client = owner;

	(void)stream;
	client_log_end(client, condition, text);
	list_remove(&client->link);
	client_end_login(client);
	barrier_clear(&client->barrier);
	if (client->session && !smacks_closed(client, condition))
		session_end(client->session);
	free(client);
}
