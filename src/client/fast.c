/* SPDX-License-Identifier: MIT
 *
 * Login tokens of an account's clients (XEP-0484). A client that has logged in gets one when it asks for it, and a new one
 * in time when it logs in with one (§3.5). Nothing of it is kept in memory: the tokens are read for the one login, and what
 * it changes is durable before the client hears of its success.
 */
#include "client.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "xmpp/ns.h"
#include "xmpp/stamp.h"

static void fast_came(struct store_request *request);
static void fast_settled(struct store_request *request);

static struct home *fast_home(const struct client *client)
{
	return stream_home(client->stream);
}

static int64_t now_us(const struct home *home)
{
	return clock_wall_us(worker_clock(home->worker));
}

/* ---- logging in with one (§3.4) ---- */

void fast_look_up(struct client *client)
{
	struct login *login = client->login;
	const struct jid *user = sasl_user(login->sasl);
	struct home *home = fast_home(client);
	struct store_tokens_read *read = store_request_new(sizeof(*read), STORE_TOKENS_READ, home->worker, user->text,
	                                                   jid_bare_len(user), fast_came);

	read->client = arena_str(&read->request.arena, login->agent);
	read->request.context = login;
	login->asking = true;
	store_submit(home->server->store, &read->request);
}

/* NULL: the client has gone meanwhile, and so has its login. */
static struct client *fast_client(struct store_request *request)
{
	struct login *login = request->context;
	struct client *client = login->client;

	login->asking = false;
	if (!client)
		login_let_go(login);
	return client && client->state == CLIENT_BUSY ? client : NULL;
}

static void fast_note(struct login *login, const struct store_tokens_read *read)
{
	for (size_t i = 0; i < read->count; i++) {
		if (read->tokens[i].id != sasl_token_used(login->sasl))
			continue;
		login->token = read->tokens[i];
		login->token.mechanism = NULL;
		mem_wipe(login->token.secret, sizeof(login->token.secret));
	}
}

/* A token that has expired was the client's: that is no guess. */
static void fast_came(struct store_request *request)
{
	struct store_tokens_read *read = (struct store_tokens_read *)request;
	struct client *client = fast_client(request);
	enum sasl_condition condition = SASL_TEMPORARY_AUTH_FAILURE;
	enum sasl_result result = SASL_FAILED;
	struct buf out = { 0 };

	if (client && request->status == STORE_OK) {
		condition = SASL_NO_ERROR;
		result = sasl_tokens(client->login->sasl, read->tokens, read->count, now_us(fast_home(client)), &out,
		                     &condition);
		client->login->guesses = condition != SASL_CREDENTIALS_EXPIRED;
	}
	if (client) {
		fast_note(client->login, read);
		exchange_go_on(client, result, condition, &out);
	}
	buf_clear(&out);
	store_request_free(request);
}

/* ---- what is asked for ---- */

/* The mechanism that the client wants a token for (§3.2); NULL: none, or none that is offered. */
static const char *wanted_mechanism(const struct login *login)
{
	const struct element *wish = element_child(login->request->root, "request-token", NS_FAST);
	const char *name = wish ? element_attr(wish, "mechanism") : NULL;
	int mechanism = name && login->agent[0] ? sasl_mechanism_find(name) : -1;

	return mechanism >= 0 && login->terms.tokens & 1u << mechanism ? sasl_mechanism_name(mechanism) : NULL;
}

static bool wants_invalidation(const struct element *fast)
{
	const char *value = fast ? element_attr(fast, "invalidate") : NULL;

	return value && (strcmp(value, "true") == 0 || strcmp(value, "1") == 0);
}

/* 0: none, or nothing that could be one. */
static uint64_t said_count(const struct element *fast)
{
	const char *value = fast ? element_attr(fast, "count") : NULL;
	uint64_t count = value && *value >= '0' && *value <= '9' ? strtoull(value, NULL, 10) : 0;

	return count < INT64_MAX ? count : INT64_MAX;
}

static bool is_due(const struct client *client)
{
	const struct client_limits *limits = client_limits(fast_home(client)->config);

	return now_us(fast_home(client)) >= client->login->token.issued_us + limits->token_renewal_us;
}

/* The mechanism of the token that the client shall get: one that it asks for, or like the one that it has used. */
static const char *fresh_mechanism(const struct client *client, bool forget)
{
	const struct login *login = client->login;
	const char *wanted = wanted_mechanism(login);

	if (wanted || !login->token.id || forget || !is_due(client))
		return wanted;
	return sasl_mechanism_name(sasl_used(login->sasl));
}

/* ---- what becomes of them (§3.3, §3.5, §3.6) ---- */

static void token_make(struct home *home, const char *mechanism, struct store_token *token)
{
	uint8_t random[STORE_TOKEN_LEN / 2];
	struct buf text = { 0 };

	entropy_fill(worker_entropy(home->worker), random, sizeof(random));
	hex_encode(&text, random, sizeof(random));
	memcpy(token->secret, text.data, STORE_TOKEN_LEN);
	token->mechanism = mechanism;
	token->issued_us = now_us(home);
	token->expires_us = token->issued_us + client_limits(home->config)->token_us;
	mem_wipe(random, sizeof(random));
	mem_wipe(text.data, text.len);
	buf_clear(&text);
}

/* NULL: all is as it should be. */
static struct store_token_change *fast_change(struct client *client)
{
	struct login *login = client->login;
	struct home *home = fast_home(client);
	const struct jid *user = sasl_user(login->sasl);
	const struct element *fast = login->token.id ? element_child(login->request->root, "fast", NS_FAST) : NULL;
	bool forget = wants_invalidation(fast);
	const char *fresh = fresh_mechanism(client, forget);
	struct store_token_change *change;

	if (!fresh && (!login->token.id || (login->token.used && !forget && said_count(fast) == 0)))
		return NULL;
	change = store_request_new(sizeof(*change), STORE_TOKEN_CHANGE, home->worker, user->text, jid_bare_len(user),
	                           fast_settled);
	change->client = arena_str(&change->request.arena, login->agent);
	change->used = login->token.id;
	change->count = said_count(fast);
	change->forget = forget;
	change->most = client_limits(home->config)->token_clients;
	if (fresh)
		token_make(home, fresh, &change->fresh);
	return change;
}

void fast_settle(struct client *client)
{
	struct store_token_change *change = fast_change(client);

	if (!change) {
		sasl2_tokens_settled(client);
		return;
	}
	change->request.context = client->login;
	client->login->asking = true;
	store_submit(fast_home(client)->server->store, &change->request);
}

static void token_say(struct buf *out, const struct store_token *token)
{
	char expiry[STAMP_LEN + 1];

	stamp_write(token->expires_us, expiry);
	buf_printf(out, "<token xmlns='" NS_FAST "' expiry='%s' token='%s'/>", expiry, token->secret);
}

/* Who has the password is in without a token too. */
static void fast_settled(struct store_request *request)
{
	const struct store_token_change *change = (struct store_token_change *)request;
	struct client *client = fast_client(request);
	bool is_done = request->status == STORE_OK;

	if (client && !is_done && change->used) {
		exchange_fail(client, request->status == STORE_ABSENT ? SASL_NOT_AUTHORIZED
		                                                      : SASL_TEMPORARY_AUTH_FAILURE);
	} else if (client) {
		if (is_done && change->fresh.mechanism)
			token_say(&client->login->results, &change->fresh);
		sasl2_tokens_settled(client);
	}
	store_request_free(request);
}
