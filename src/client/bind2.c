/* SPDX-License-Identifier: MIT
 *
 * Bind 2 (XEP-0386): a session is bound and set up as <authenticate/> asks, before success is said. A client that says which
 * installation it is gets the same resource every time, and whatever session it left behind ends. It hears how far its
 * archive reaches in the moment of binding, and what lies there is not delivered to it again.
 */
#include "client.h"

#include <string.h>

#include "core/journal.h"
#include "xmpp/ns.h"
#include "xmpp/writer.h"

enum {
	STABLE_BYTES = 9,
	AGENT_TEXT = 64, /* longest name of a software or a device that is kept */
};

/* ---- the resource (§3.2.1) ---- */

/* The same for one installation of an account's client, and nothing that its id could be told from. */
static void stable_part(const struct home *home, const struct login *login, struct buf *out)
{
	const char *secret = home->server->secret;
	struct buf label = { 0 };
	uint8_t mac[DIGEST_MAX];

	buf_printf(&label, "resource %s %s", login->user.text, login->agent);
	digest_hmac(DIGEST_SHA256, secret, strlen(secret), label.data, label.len, mac);
	hex_encode(out, mac, STABLE_BYTES);
	buf_clear(&label);
}

static void random_part(const struct home *home, struct buf *out)
{
	char id[ID_LEN + 1];

	id_random(worker_entropy(home->worker), id);
	buf_add_str(out, id);
}

/* "tag/part", or the part alone where the tag can be in no resource. */
static const char *bind2_resource(const struct home *home, struct login *login, const struct element *bind)
{
	struct arena *arena = &login->request->arena;
	const char *tag = element_child_text(arena, bind, "tag", NS_BIND2), *part, *asked, *resource;
	struct buf made = { 0 };

	if (login->agent[0])
		stable_part(home, login, &made);
	else
		random_part(home, &made);
	part = arena_str_len(arena, made.data, made.len);
	buf_clear(&made);
	if (!tag || !*tag)
		return part;
	asked = arena_printf(arena, "%s/%s", tag, part);
	return jid_resource_prepare(arena, asked, strlen(asked), &resource) &&
	                       strlen(resource) <= home->config->limits.resource_bytes
	               ? resource
	               : part;
}

/* ---- who the client is (XEP-0388 §2.3) ---- */

/* What could not stand in a resource is not shown to anybody. */
static const char *agent_text(struct arena *arena, const struct element *agent, const char *name)
{
	const char *text = agent ? element_child_text(arena, agent, name, NS_SASL2) : NULL, *shown;

	return text && *text && strlen(text) <= AGENT_TEXT && jid_resource_prepare(arena, text, strlen(text), &shown)
	               ? shown
	               : NULL;
}

/* "software on device", as far as the client says it. */
static void bind2_note_agent(struct session *session, struct login *login)
{
	struct arena *arena = &login->request->arena;
	const struct element *agent = element_child(login->request->root, "user-agent", NS_SASL2);
	const char *software = agent_text(arena, agent, "software"), *device = agent_text(arena, agent, "device");

	if (software && device)
		software = arena_printf(arena, "%s on %s", software, device);
	session_set_agent(session, login->agent[0] ? login->agent : NULL, software ? software : device);
}

/* ---- the session (§3.2) ---- */

/* An installation has one session. */
static void bind2_end_earlier(const struct session *session)
{
	struct list *sessions = &session->account->sessions;
	struct list_link *link = list_first(sessions);

	while (session->agent && link) {
		struct session *earlier = LIST_MEMBER(link, struct session, link);

		link = list_next(sessions, link);
		if (earlier != session && earlier->agent && strcmp(earlier->agent, session->agent) == 0)
			session_close(earlier, STREAM_CONFLICT, "This client has come again");
	}
}

/* What else the client wants from the first moment (XEP-0280, XEP-0352, XEP-0198 §9.1); what answers it goes into out. */
static void bind2_enable(struct client *client, const struct element *bind, struct buf *out)
{
	const struct element *enable = element_child(bind, "enable", NS_SM);
	struct session *session = client->session;

	session->carbons = element_child(bind, "enable", NS_CARBONS);
	if (element_child(bind, "inactive", NS_CSI))
		session_set_inactive(session, true);
	if (enable)
		smacks_enable(client, enable, out);
}

/* What the client is told to get from the archive itself need not be delivered to it. */
static void bind2_say_archive(struct client *client, struct store_journal_span *span)
{
	struct session *session = client->session;
	struct arena *arena = &client->login->request->arena;
	struct element *bound = element_new(arena, "bound", NS_BIND2);

	journal_span_now(session->account, span);
	session->fetches = span->last;
	writer_element(&client->login->results, journal_add_metadata(arena, bound, span), NS_BIND2);
}

/* span: how far the archive reaches; NULL: there is none, or nobody knows. */
static void bind2_bind(struct client *client, struct account *account, struct store_journal_span *span)
{
	struct login *login = client->login;
	const struct element *bind = element_child(login->request->root, "bind", NS_BIND2);
	const char *resource = bind2_resource(account->home, login, bind);
	struct session *session;

	if (session_bind(account, resource, &client_outlet, client, &session) != STANZA_NO_ERROR) {
		sasl2_finish(client, NULL);
		return;
	}
	bind2_note_agent(session, login);
	bind2_end_earlier(session);
	client->session = session;
	buf_add_lit(&login->results, "<bound xmlns='" NS_BIND2 "'>");
	if (span)
		bind2_say_archive(client, span);
	bind2_enable(client, bind, &login->results);
	buf_add_lit(&login->results, "</bound>");
	sasl2_finish(client, session);
}

/* ---- before it (§3.2) ---- */

static void bind2_span_came(struct store_request *request)
{
	struct login *login = request->context;
	struct client *client = login->client;
	struct account *account;

	login->asking = false;
	if (!client) {
		login_let_go(login);
	} else if (client->state == CLIENT_BUSY) {
		account = account_find(stream_home(client->stream), request->owner, strlen(request->owner));
		if (account)
			bind2_bind(client, account,
			           request->status == STORE_OK ? (struct store_journal_span *)request : NULL);
		else
			sasl2_finish(client, NULL);
	}
	store_request_free(request);
}

/* What cannot be bound now is left to the client, who may ask again by an iq (RFC 6120 §7). */
static void bind2_ready(struct account_want *want, struct account *account)
{
	struct login *login = LIST_MEMBER(want, struct login, want);
	struct client *client = login->client;

	login->wants = false;
	if (client->state != CLIENT_BUSY)
		return;
	if (account->state == ACCOUNT_ABSENT) {
		client_fail(client, STREAM_NOT_AUTHORIZED, "the account has been removed");
	} else if (account->state != ACCOUNT_READY) {
		sasl2_finish(client, NULL);
	} else if (!journal_may_archive(account)) {
		bind2_bind(client, account, NULL);
	} else {
		login->asking = true;
		journal_span_ask(account, bind2_span_came)->request.context = login;
	}
}

void bind2_begin(struct client *client)
{
	struct login *login = client->login;

	login->wants = true;
	account_want(stream_home(client->stream), &login->user, &login->want, bind2_ready);
}
