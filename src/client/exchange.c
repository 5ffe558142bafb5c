/* SPDX-License-Identifier: MIT
 *
 * A login of a client, whichever profile of SASL its messages are written in (auth.c, sasl2.c). When the user is known the
 * client moves to the account's home, where its keys are; a password is derived in the background. While it waits for any
 * of these nothing is read.
 */
#include <string.h>

#include "base/mem.h"
#include "client.h"

enum { DELAY_MAX_MS = 5000 };

static struct log *client_log(const struct client *client)
{
	return worker_log(stream_home(client->stream)->worker);
}

/* ---- failures ---- */

static void exchange_give_up(struct client *client)
{
	sasl_free(&client->login->sasl);
	client->login->guesses = false;
	client->login->token.id = 0;
	buf_clear(&client->login->results);
	if (client->login->request)
		stanza_drop(&client->login->request);
	client_set_state(client, conn_is_secure(stream_conn(client->stream)) ? CLIENT_SECURE : CLIENT_CLEAR);
	stream_resume(client->stream);
}

/* A wrong password is an event. What fails before is how some clients find the mechanism that they can speak. */
static void exchange_log_failure(const struct client *client, enum sasl_condition condition)
{
	const struct login *login = client->login;
	const struct sasl *sasl = login->sasl;

	LOG_LINE(client_log(client), login->guesses ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG,
	         stream_name(client->stream), "login failed", LOG_STR("user", sasl ? sasl_claimed(sasl) : NULL),
	         LOG_STR("host", login->host), LOG_STR("address", login->address),
	         LOG_STR("mechanism", sasl ? sasl_mechanism_name(sasl_used(sasl)) : NULL),
	         LOG_STR("reason", sasl_condition_name(condition)));
}

/* The peer may begin in vain a few times on a stream (§6.4.5). */
static void exchange_count_failure(struct client *client)
{
	const struct limits *limits = &stream_home(client->stream)->config->limits;

	if (++client->login->failures >= limits->login_failures_per_stream)
		client_fail(client, STREAM_POLICY_VIOLATION, "too many failed logins");
}

/* A fault of ours is not counted; what is remembered beyond the stream is only a wrong password. */
void exchange_fail(struct client *client, enum sasl_condition condition)
{
	struct login *login = client->login;
	struct home *home = stream_home(client->stream);
	struct address peer, own;

	conn_address(stream_conn(client->stream), &peer, &own);
	login->profile->say_failure(client, condition);
	if (condition != SASL_ABORTED && condition != SASL_TEMPORARY_AUTH_FAILURE) {
		figure_add(&home->figures.login_failures, 1);
		if (login->guesses)
			failures_note(home, sasl_user(login->sasl), &peer);
		exchange_log_failure(client, condition);
	}
	exchange_give_up(client);
	if (condition != SASL_TEMPORARY_AUTH_FAILURE)
		exchange_count_failure(client);
}

/* ---- the account's keys ---- */

static void exchange_account_ready(struct account_want *want, struct account *account)
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
		exchange_fail(client, SASL_TEMPORARY_AUTH_FAILURE);
		return;
	}
	login->guesses = true;
	if (sasl_mechanism_takes_token(sasl_used(login->sasl))) {
		fast_look_up(client);
		return;
	}
	result = sasl_keys(login->sasl, exists ? account->credentials : NULL,
	                   exists ? account->credential_count : 0, &out, &condition);
	exchange_go_on(client, result, condition, &out);
	buf_clear(&out);
}

static void exchange_delay_over(struct worker *worker, struct timer *timer)
{
	struct login *login = LIST_MEMBER(timer, struct login, delay);

	login->wants = true;
	account_want(home_of(worker), sasl_user(login->sasl), &login->want, exchange_account_ready);
}

/* At the account's home. */
static void exchange_arrived(struct stream *stream, void *owner)
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
		            exchange_delay_over);
	else
		exchange_delay_over(home->worker, &login->delay);
}

static void exchange_look_up(struct client *client)
{
	const struct jid *user = sasl_user(client->login->sasl);
	struct home *home = stream_home(client->stream);

	client_set_state(client, CLIENT_BUSY);
	stream_pause(client->stream);
	list_remove(&client->link);
	stream_move(client->stream,
	            home_of(workers_home(home->server->workers, user->text, jid_bare_len(user))),
	            exchange_arrived);
}

/* ---- a password to derive ---- */

static void exchange_derive(struct background_job *job)
{
	sasl_derive(LIST_MEMBER(job, struct login, job)->sasl);
}

static void exchange_derived(struct worker *worker, struct background_job *job)
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
	exchange_go_on(login->client, result, condition, &out);
	buf_clear(&out);
}

static void exchange_begin_derivation(struct client *client)
{
	struct login *login = client->login;
	struct home *home = stream_home(client->stream);

	login->job.run = exchange_derive;
	login->job.done = exchange_derived;
	login->deriving = background_run(home->server->background, home->worker, &login->job);
	if (!login->deriving)
		exchange_fail(client, SASL_TEMPORARY_AUTH_FAILURE);
}

/* ---- the exchange ---- */

void exchange_go_on(struct client *client, enum sasl_result result, enum sasl_condition condition, struct buf *out)
{
	const struct login *login = client->login;

	switch (result) {
	case SASL_CHALLENGE:
		login->profile->say_challenge(client, out);
		client_set_state(client, login->profile->challenged);
		stream_resume(client->stream);
		break;
	case SASL_LOOKUP:
		exchange_look_up(client);
		break;
	case SASL_DERIVE:
		exchange_begin_derivation(client);
		break;
	case SASL_SUCCESS:
		login->profile->succeeded(client, out);
		break;
	case SASL_FAILED:
		exchange_fail(client, condition);
		break;
	}
}

/* Which of ours the client asks for; the list is the one that this stream was told. */
static enum sasl_condition exchange_choose(const struct client *client, const char *name,
                                           enum sasl_mechanism *mechanism)
{
	const struct login *login = client->login;
	unsigned offered = login->terms.offered | (login->profile->takes_tokens ? login->terms.tokens : 0);
	int found = name ? sasl_mechanism_find(name) : -1;

	if (found < 0)
		return SASL_INVALID_MECHANISM;
	*mechanism = (enum sasl_mechanism)found;
	if (offered & 1u << found)
		return SASL_NO_ERROR;
	return conn_is_secure(stream_conn(client->stream)) ? SASL_INVALID_MECHANISM
	                                                   : SASL_ENCRYPTION_REQUIRED;
}

/* false: not base 64. */
static bool message_decode(const char *text, struct buf *out)
{
	bool decoded = base64_decode(out, text, strlen(text));

	if (*text)
		mem_wipe((char *)text, strlen(text));
	return decoded;
}

static void message_wipe(struct buf *message)
{
	if (message->data)
		mem_wipe(message->data, message->cap);
	buf_clear(message);
}

void exchange_begin(struct client *client, const struct auth_profile *profile, const char *name,
                    const char *initial)
{
	struct login *login = client->login;
	enum sasl_mechanism mechanism = SASL_PLAIN;
	enum sasl_condition condition;
	enum sasl_result result;
	struct buf message = { 0 }, out = { 0 };

	if (login->sasl)
		exchange_count_failure(client);
	sasl_free(&login->sasl);
	login->profile = profile;
	if (client->state == CLIENT_ENDING)
		return;
	condition = exchange_choose(client, name, &mechanism);
	if (initial && !message_decode(initial, &message) && condition == SASL_NO_ERROR)
		condition = SASL_INCORRECT_ENCODING;
	if (condition != SASL_NO_ERROR) {
		exchange_fail(client, condition);
	} else {
		login->sasl = sasl_new(&login->terms);
		result = sasl_begin(login->sasl, mechanism, message.len ? message.data : "", message.len, initial, &out,
		                    &condition);
		exchange_go_on(client, result, condition, &out);
	}
	message_wipe(&message);
	buf_clear(&out);
}

void exchange_respond(struct client *client, const char *response)
{
	enum sasl_condition condition = SASL_NO_ERROR;
	enum sasl_result result;
	struct buf message = { 0 }, out = { 0 };

	if (!client->login->sasl) {
		exchange_fail(client, SASL_MALFORMED_REQUEST);
	} else if (!message_decode(response, &message)) {
		exchange_fail(client, SASL_INCORRECT_ENCODING);
	} else {
		result = sasl_respond(client->login->sasl, message.len ? message.data : "", message.len, &out, &condition);
		exchange_go_on(client, result, condition, &out);
	}
	message_wipe(&message);
	buf_clear(&out);
}

/* ---- the end ---- */

bool exchange_agrees(const struct client *client)
{
	const struct login *login = client->login;

	return !login->from || strcmp(login->from, sasl_user(login->sasl)->text) == 0;
}

void exchange_end(struct client *client)
{
	struct login *login = client->login;
	struct home *home = stream_home(client->stream);
	const struct limits *limits = &home->config->limits;
	struct jid user = *sasl_user(login->sasl);

	figure_add(&home->figures.logins, 1);
	login->user = jid_copy(&login->arena, &user);
	sasl_free(&login->sasl);
	login_admit_next(home, login);
	client->authenticated = true;
	stream_set_deadline(client->stream, 0);
	stream_set_limit(client->stream, limits->stanza_client);
	stream_set_rate(client->stream, limits->client_rate, limits->client_burst);
	stream_watch(client->stream, limits->silence_ms);
}
