/* SPDX-License-Identifier: MIT
 *
 * SASL on a client's stream (RFC 6120 §6.4, §6.5): each element has one answer, <challenge/>, <failure/> or
 * <success/>. When the user is known the client moves to the account's home, where its keys are; a password
 * is derived in the background. While it waits for any of these nothing is read.
 */
#include <string.h>

#include "base/mem.h"
#include "client.h"
#include "xmpp/ns.h"

enum { DELAY_MAX_MS = 5000 };

static void auth_go_on(struct client *client, enum sasl_result result, enum sasl_condition condition,
                       struct buf *out);

static struct log *client_log(const struct client *client)
{
	return worker_log(stream_home(client->stream)->worker);
}

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

static void auth_end_exchange(struct client *client)
{
	sasl_free(&client->login->sasl);
	client->login->guesses = false;
	client_set_state(client, conn_is_secure(stream_conn(client->stream)) ? CLIENT_SECURE : CLIENT_CLEAR);
	stream_resume(client->stream);
}

/* A wrong password is an event. What fails before is how some clients find the mechanism that they can speak. */
static void auth_log_failure(const struct client *client, enum sasl_condition condition)
{
	const struct login *login = client->login;
	const struct sasl *sasl = login->sasl;

	LOG_LINE(client_log(client), login->guesses ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG,
	         stream_name(client->stream), "login failed", LOG_STR("user", sasl ? sasl_claimed(sasl) : NULL),
	         LOG_STR("host", login->host), LOG_STR("address", login->address),
	         LOG_STR("mechanism", sasl ? sasl_mechanism_name(sasl_used(sasl)) : NULL),
	         LOG_STR("reason", sasl_condition_name(condition)));
}

static void auth_say_failure(struct client *client, enum sasl_condition condition)
{
	buf_printf(stream_out(client->stream), "<failure xmlns='" NS_SASL "'><%s/></failure>",
	           sasl_condition_name(condition));
}

/* The peer may begin in vain a few times on a stream (§6.4.5). */
static void auth_count_failure(struct client *client)
{
	const struct limits *limits = &stream_home(client->stream)->config->limits;

	if (++client->login->failures >= limits->login_failures_per_stream)
		client_fail(client, STREAM_POLICY_VIOLATION, "too many failed logins");
}

/* A fault of ours is not counted; what is remembered beyond the stream is only a wrong password. */
static void auth_failed(struct client *client, enum sasl_condition condition)
{
	struct login *login = client->login;
	struct home *home = stream_home(client->stream);
	struct address peer, own;

	conn_address(stream_conn(client->stream), &peer, &own);
	auth_say_failure(client, condition);
	if (condition != SASL_ABORTED && condition != SASL_TEMPORARY_AUTH_FAILURE) {
		figure_add(&home->figures.login_failures, 1);
		if (login->guesses)
			failures_note(home, sasl_user(login->sasl), &peer);
		auth_log_failure(client, condition);
	}
	auth_end_exchange(client);
	if (condition != SASL_TEMPORARY_AUTH_FAILURE)
		auth_count_failure(client);
}

/* §6.4.6: whom the header named under TLS is who must have logged in. */
static bool header_agrees(const struct login *login, const struct jid *user)
{
	return !login->from || strcmp(login->from, user->text) == 0;
}

static void auth_succeeded(struct client *client, const struct buf *message)
{
	struct login *login = client->login;
	struct home *home = stream_home(client->stream);
	const struct limits *limits = &home->config->limits;
	struct jid user = *sasl_user(login->sasl);

	if (conn_is_secure(stream_conn(client->stream)) && !header_agrees(login, &user)) {
		client_fail(client, STREAM_INVALID_FROM, "the stream's from is not who has logged in");
		return;
	}
	auth_say(client, "success", message);
	figure_add(&home->figures.logins, 1);
	login->user = jid_copy(&login->arena, &user);
	sasl_free(&login->sasl);
	login_admit_next(home, login);
	client->authenticated = true;
	client_set_state(client, CLIENT_HEADER);
	stream_restart(client->stream);
	stream_set_deadline(client->stream, 0);
	stream_set_limit(client->stream, limits->stanza_client);
	stream_set_rate(client->stream, limits->client_rate, limits->client_burst);
	stream_watch(client->stream, limits->silence_ms);
	stream_resume(client->stream);
}

/* ---- the account's keys ---- */

static void auth_account_ready(struct account_want *want, struct account *account)
{
	struct login *login = LIST_MEMBER(want, struct login, want);
	struct client *client = login->client;
	bool exists = account->state == ACCOUNT_READY;
	enum sasl_condition condition = SASL_NO_ERROR;
	enum sasl_result result;
	struct buf out = { 0 };

	login->wants = false;
	if (client->state != CLIENT_BUSY)
		return;
	if (account->state == ACCOUNT_FAILED) {
		auth_failed(client, SASL_TEMPORARY_AUTH_FAILURE);
		return;
	}
	login->guesses = true;
	result = sasl_keys(login->sasl, exists ? account->credentials : NULL,
	                   exists ? account->credential_count : 0, &out, &condition);
	auth_go_on(client, result, condition, &out);
	buf_clear(&out);
}

static void auth_delay_over(struct worker *worker, struct timer *timer)
{
	struct login *login = LIST_MEMBER(timer, struct login, delay);

	login->wants = true;
	account_want(home_of(worker), sasl_user(login->sasl), &login->want, auth_account_ready);
}

/* At the account's home. */
static void auth_arrived(struct stream *stream, void *owner)
{
	struct client *client = owner;
	struct login *login = client->login;
	struct home *home = stream_home(stream);
	struct address peer, own;
	uint64_t wait;

	list_add_last(&client_room(home)->clients, &client->link);
	if (home->draining) {
		client_fail(client, STREAM_SYSTEM_SHUTDOWN, NULL);
		return;
	}
	login->terms.entropy = worker_entropy(home->worker);
	conn_address(stream_conn(stream), &peer, &own);
	wait = failures_wait_ms(home, sasl_user(login->sasl), &peer);
	if (wait > 0)
		timer_start(home->worker, &login->delay, wait < DELAY_MAX_MS ? wait : DELAY_MAX_MS,
		            auth_delay_over);
	else
		auth_delay_over(home->worker, &login->delay);
}

static void auth_look_up(struct client *client)
{
	const struct jid *user = sasl_user(client->login->sasl);
	struct home *home = stream_home(client->stream);

	client_set_state(client, CLIENT_BUSY);
	stream_pause(client->stream);
	list_remove(&client->link);
	stream_move(client->stream,
	            home_of(workers_home(home->server->workers, user->text, jid_bare_len(user))),
	            auth_arrived);
}

/* ---- a password to derive ---- */

static void auth_derive(struct background_job *job)
{
	sasl_derive(LIST_MEMBER(job, struct login, job)->sasl);
}

static void auth_derived(struct worker *worker, struct background_job *job)
{
	struct login *login = LIST_MEMBER(job, struct login, job);
	enum sasl_condition condition = SASL_NO_ERROR;
	enum sasl_result result;
	struct buf out = { 0 };

	(void)worker;
	login->deriving = false;
	if (!login->client) {
		login_let_go(login);
		return;
	}
	if (login->client->state != CLIENT_BUSY)
		return;
	result = sasl_derived(login->sasl, &out, &condition);
	auth_go_on(login->client, result, condition, &out);
	buf_clear(&out);
}

static void auth_begin_derivation(struct client *client)
{
	struct login *login = client->login;
	struct home *home = stream_home(client->stream);

	login->job.run = auth_derive;
	login->job.done = auth_derived;
	login->deriving = background_run(home->server->background, home->worker, &login->job);
	if (!login->deriving)
		auth_failed(client, SASL_TEMPORARY_AUTH_FAILURE);
}

/* ---- the exchange ---- */

static void auth_go_on(struct client *client, enum sasl_result result, enum sasl_condition condition,
                       struct buf *out)
{
	switch (result) {
	case SASL_CHALLENGE:
		auth_say(client, "challenge", out);
		client_set_state(client, CLIENT_SASL);
		stream_resume(client->stream);
		break;
	case SASL_LOOKUP:
		auth_look_up(client);
		break;
	case SASL_DERIVE:
		auth_begin_derivation(client);
		break;
	case SASL_SUCCESS:
		auth_succeeded(client, out);
		break;
	case SASL_FAILED:
		auth_failed(client, condition);
		break;
	}
}

/* The character data of an element, which is wiped: "=" is zero bytes. false: not base 64. */
static bool auth_data(struct stanza *element, struct buf *out)
{
	const char *text = element_text(&element->arena, element->root);
	bool decoded = strcmp(text, "=") == 0 || base64_decode(out, text, strlen(text));

	if (*text)
		mem_wipe((char *)text, strlen(text));
	return decoded;
}

/* Which of ours the client asks for; the list is the one that this stream was told. */
static enum sasl_condition auth_mechanism(const struct client *client, const struct element *auth,
                                          enum sasl_mechanism *mechanism)
{
	const char *name = element_attr(auth, "mechanism");
	int found = name ? sasl_mechanism_find(name) : -1;

	if (found < 0)
		return SASL_INVALID_MECHANISM;
	*mechanism = (enum sasl_mechanism)found;
	if (client->login->terms.offered & 1u << found)
		return SASL_NO_ERROR;
	return conn_is_secure(stream_conn(client->stream)) ? SASL_INVALID_MECHANISM
	                                                   : SASL_ENCRYPTION_REQUIRED;
}

static void wipe(struct buf *buf)
{
	if (buf->data)
		mem_wipe(buf->data, buf->cap);
	buf_clear(buf);
}

/* §6.4.2. A new <auth/> discards a handshake that is under way. */
void client_auth(struct client *client, struct stanza **element)
{
	struct login *login = client->login;
	enum sasl_mechanism mechanism = SASL_PLAIN;
	enum sasl_condition condition = auth_mechanism(client, (*element)->root, &mechanism);
	enum sasl_result result;
	struct buf initial = { 0 }, out = { 0 };
	bool has_initial = (*element)->root->first != NULL;

	if (login->sasl)
		auth_count_failure(client);
	sasl_free(&login->sasl);
	if (client->state == CLIENT_ENDING)
		return;
	if (condition == SASL_NO_ERROR && !auth_data(*element, &initial))
		condition = SASL_INCORRECT_ENCODING;
	if (condition != SASL_NO_ERROR) {
		auth_failed(client, condition);
	} else {
		login->sasl = sasl_new(&login->terms);
		result = sasl_begin(login->sasl, mechanism, initial.data, initial.len, has_initial, &out,
		                    &condition);
		auth_go_on(client, result, condition, &out);
	}
	wipe(&initial);
	buf_clear(&out);
}

/* §6.4.3 */
void client_response(struct client *client, struct stanza **element)
{
	enum sasl_condition condition = SASL_NO_ERROR;
	enum sasl_result result;
	struct buf response = { 0 }, out = { 0 };

	if (!client->login->sasl) {
		auth_failed(client, SASL_MALFORMED_REQUEST);
	} else if (!auth_data(*element, &response)) {
		auth_failed(client, SASL_INCORRECT_ENCODING);
	} else {
		result = sasl_respond(client->login->sasl, response.data, response.len, &out, &condition);
		auth_go_on(client, result, condition, &out);
	}
	wipe(&response);
	buf_clear(&out);
}

/* §6.4.4 */
void client_abort(struct client *client, struct stanza **element)
{
	(void)element;
	auth_failed(client, SASL_ABORTED);
}
