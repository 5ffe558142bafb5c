/* SPDX-License-Identifier: MIT
 *
 * Newcomers: in-band registration before a login (XEP-0077 §3.1.1, §8), perhaps by invitation (XEP-0445), on streams with
 * TLS and where the host wants it. A registration is counted at the home of its address, claims its invitation, is written,
 * and answered when the account is there and the invitation gone; then the client logs in on the same stream, which
 * registers nobody else. While it is under way nothing is read. It goes to its end also when the client has left. The account
 * is written before the invitation ends (XEP-0445 §4): a crash in between leaves one that is good once more, never one that
 * was used in vain.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "client.h"
#include "core/errand.h"
#include "core/invite.h"
#include "core/user.h"
#include "registration.h"
#include "xmpp/ns.h"

enum {
	REQUESTS_MAX = 16,              /* of one stream */
	INVITED_PART = 10,              /* what a registration by invitation costs, of one without */
	BUCKET_A_SECOND = 10,
	BUCKET = 3600 * BUCKET_A_SECOND,
};

struct newcomer {
	struct errand errand;           /* first */
	struct client *client;          /* NULL: it is gone */
	struct arena arena;
	char *host;
	const char *id;                 /* of the iq */
	struct jid user;
	const char *password;           /* in the arena, which is wiped */
	bool invited;
	uint8_t digest[INVITE_DIGEST];  /* of the invitation's token */
	struct address address;
	uint32_t an_hour;
	bool allowed;
};

static struct newcomer *newcomer_new(struct client *client, const char *id)
{
	struct newcomer *newcomer = mem_zalloc(sizeof(*newcomer));
	struct address own;

	newcomer->client = client;
	newcomer->host = str_dup(client->login->host);
	newcomer->id = arena_str(&newcomer->arena, id);
	conn_address(stream_conn(client->stream), &newcomer->address, &own);
	return newcomer;
}

static void newcomer_free(struct newcomer *newcomer)
{
	arena_wipe(&newcomer->arena);
	free(newcomer->host);
	free(newcomer);
}

void newcomer_forget(struct newcomer *newcomer)
{
	newcomer->client = NULL;
}

/* From here on nothing is read, until newcomer_end. */
static void newcomer_wait(struct newcomer *newcomer)
{
	newcomer->client->login->newcomer = newcomer;
	client_set_state(newcomer->client, CLIENT_BUSY);
	stream_pause(newcomer->client->stream);
}

/* ---- answers ---- */

static struct stanza *answer_new(const struct client *client, enum stanza_type type, const char *id)
{
	const char *domain = client->login->host;
	const struct jid host = { .text = domain, .domain_len = (uint16_t)strlen(domain) };

	return stanza_make(STANZA_IQ, type, &host, NULL, id);
}

static void answer_send(struct client *client, struct stanza *answer)
{
	const struct stanza *sealed = stanza_seal(answer);

	stream_write(client->stream, sealed, NULL);
	stanza_unref(&sealed);
}

static void newcomer_refuse(struct client *client, const char *id, enum stanza_condition condition, const char *text)
{
	struct stanza *error = answer_new(client, IQ_ERROR, id);

	error_add(&error->arena, error->root, condition, text);
	answer_send(client, error);
}

/* The client, which reads again; NULL: it is gone, or its stream has ended meanwhile. */
static struct client *newcomer_end(struct newcomer *newcomer)
{
	struct client *client = newcomer->client;

	if (!client)
		return NULL;
	client->login->newcomer = NULL;
	if (client->state != CLIENT_BUSY)
		return NULL;
	client_set_state(client, CLIENT_SECURE);
	stream_resume(client->stream);
	return client;
}

static void newcomer_fail(struct home *home, struct newcomer *newcomer, enum stanza_condition condition,
                          const char *text)
{
	struct client *client = newcomer_end(newcomer);
	char address[ADDRESS_TEXT];

	address_write(&newcomer->address, address);
	log_info(home->server->log, client ? stream_name(client->stream) : NULL, "registration failed",
	         LOG_STR("user", newcomer->user.text), LOG_STR("host", newcomer->host), LOG_STR("address", address),
	         LOG_STR("reason", text));
	if (client)
		newcomer_refuse(client, newcomer->id, condition, text);
	newcomer_free(newcomer);
}

/* ---- an invitation (XEP-0445 §4) ---- */

static void pass_found(struct home *home, struct invite_request *request)
{
	struct newcomer *newcomer = request->context;
	struct client *client;
	struct newcomer_pass *pass;

	if (request->status != INVITE_OK) {
		newcomer_fail(home, newcomer, invite_status_condition(request->status),
		              "The provided token is invalid or expired");
		invite_request_free(request);
		return;
	}
	client = newcomer_end(newcomer);
	if (client) {
		pass = arena_zalloc(&client->login->arena, sizeof(*pass));
		memcpy(pass->digest, request->digest, sizeof(pass->digest));
		pass->user = request->invite.user ? arena_str(&client->login->arena, request->invite.user) : NULL;
		client->login->invited = pass;
		answer_send(client, answer_new(client, IQ_RESULT, newcomer->id));
	}
	newcomer_free(newcomer);
	invite_request_free(request);
}

static void pass_shown(struct client *client, const char *id, const struct element *preauth)
{
	const char *token = element_attr(preauth, "token");
	struct newcomer *newcomer;
	struct invite_request *request;

	if (!token) {
		newcomer_refuse(client, id, STANZA_BAD_REQUEST, NULL);
		return;
	}
	newcomer = newcomer_new(client, id);
	newcomer_wait(newcomer);
	request = invite_request_new(INVITE_FIND, newcomer->host, pass_found, newcomer);
	invite_request_token(request, token);
	invite_ask(stream_home(client->stream), request);
}

/* ---- the form (§3.1) ---- */

static void fields_say(struct client *client, const char *id)
{
	const struct newcomer_pass *pass = client->login->invited;
	struct stanza *result = answer_new(client, IQ_RESULT, id);
	struct arena *arena = &result->arena;
	struct element *query = element_add(arena, result->root, "query", NS_REGISTER), *name;

	element_add_text(arena, element_add(arena, query, "instructions", NS_REGISTER),
	                 "Choose a user name and a password.");
	name = element_add(arena, query, "username", NS_REGISTER);
	if (pass && pass->user)
		element_add_text(arena, name, pass->user);
	element_add(arena, query, "password", NS_REGISTER);
	answer_send(client, result);
}

/* ---- a registration, step by step: counted, claimed, created, settled ---- */

static void newcomer_claim(struct home *home, struct newcomer *newcomer);
static void newcomer_claimed(struct home *home, struct invite_request *request);
static void newcomer_created(struct home *home, void *context, enum user_outcome outcome);
static void newcomer_settled(struct home *home, struct invite_request *request);
static void newcomer_released(struct home *home, struct invite_request *request);
static void newcomer_arrives(struct home *home, struct newcomer *newcomer);

/* At the home of the address. An hour gives back what a registration costs so many times. */
static void newcomer_count(struct home *home, struct errand *errand)
{
	struct newcomer *newcomer = (struct newcomer *)errand;
	uint32_t cost = newcomer->an_hour ? BUCKET / newcomer->an_hour : 0;
	uint8_t key[ADDRESS_CUSTOMER];
	size_t len = address_customer(&newcomer->address, key);

	newcomer->allowed = cost == 0 || rate_take(rates_get(registration_rates(home), key, len),
	                                           worker_now_ms(home->worker),
	                                           newcomer->invited ? cost / INVITED_PART : cost, BUCKET_A_SECOND, BUCKET);
	errand_return(home, errand);
}

static void newcomer_counted(struct home *home, struct errand *errand)
{
	struct newcomer *newcomer = (struct newcomer *)errand;

	if (newcomer->allowed)
		newcomer_claim(home, newcomer);
	else
		newcomer_fail(home, newcomer, STANZA_RESOURCE_CONSTRAINT,
		              "Too many accounts have been registered from your address, try again later");
}

static struct invite_request *newcomer_invite(struct newcomer *newcomer, enum invite_op op,
                                              void (*done)(struct home *home, struct invite_request *request))
{
	struct invite_request *request = invite_request_new(op, newcomer->host, done, newcomer);

	request->with_token = newcomer->invited;
	memcpy(request->digest, newcomer->digest, sizeof(request->digest));
	return request;
}

/* Also without an invitation: the name may be reserved for somebody who has one. */
static void newcomer_claim(struct home *home, struct newcomer *newcomer)
{
	struct invite_request *request = newcomer_invite(newcomer, INVITE_CLAIM, newcomer_claimed);

	request->invite.user = arena_str_len(&request->arena, newcomer->user.text, newcomer->user.local_len);
	invite_ask(home, request);
}

static void newcomer_claimed(struct home *home, struct invite_request *request)
{
	struct newcomer *newcomer = request->context;

	if (request->status == INVITE_OK)
		user_create(home, &newcomer->user, newcomer->password, newcomer_created, newcomer);
	else
		newcomer_fail(home, newcomer, invite_status_condition(request->status), invite_status_text(request->status));
	invite_request_free(request);
}

static void newcomer_created(struct home *home, void *context, enum user_outcome outcome)
{
	struct newcomer *newcomer = context;

	if (outcome != USER_DONE && newcomer->invited)
		invite_ask(home, newcomer_invite(newcomer, INVITE_RELEASE, newcomer_released));
	if (outcome != USER_DONE)
		newcomer_fail(home, newcomer, user_outcome_condition(outcome), user_outcome_text(outcome));
	else if (newcomer->invited)
		invite_ask(home, newcomer_invite(newcomer, INVITE_USE, newcomer_settled));
	else
		newcomer_arrives(home, newcomer);
}

static void newcomer_released(struct home *home, struct invite_request *request)
{
	(void)home;
	invite_request_free(request);
}

/* XEP-0401 §5.5 */
static void newcomer_settled(struct home *home, struct invite_request *request)
{
	struct newcomer *newcomer = request->context;
	const struct invite *invite = &request->invite;
	struct jid inviter;

	if (request->status == INVITE_OK && invite->inviter && (invite->befriends || invite->kind == INVITE_CONTACT) &&
	    jid_prepare(&request->arena, invite->inviter, strlen(invite->inviter), JID_ANY, &inviter))
		invite_befriend(home, &newcomer->user, &inviter);
	invite_request_free(request);
	newcomer_arrives(home, newcomer);
}

static void newcomer_arrives(struct home *home, struct newcomer *newcomer)
{
	struct client *client = newcomer_end(newcomer);
	char address[ADDRESS_TEXT];

	address_write(&newcomer->address, address);
	log_info(home->server->log, client ? stream_name(client->stream) : NULL, "account registered",
	         LOG_STR("user", newcomer->user.text), LOG_STR("address", address),
	         LOG_STR("invited", newcomer->invited ? "yes" : NULL));
	if (client) {
		client->login->registered = true;
		answer_send(client, answer_new(client, IQ_RESULT, newcomer->id));
	}
	newcomer_free(newcomer);
}

static void newcomer_begin(struct client *client, struct newcomer *newcomer)
{
	struct home *home = stream_home(client->stream);
	const struct newcomer_pass *pass = client->login->invited;
	uint8_t key[ADDRESS_CUSTOMER];
	size_t len = address_customer(&newcomer->address, key);

	newcomer_wait(newcomer);
	newcomer->invited = pass != NULL;
	if (pass)
		memcpy(newcomer->digest, pass->digest, sizeof(newcomer->digest));
	newcomer->an_hour = config_trusts(home->config, &newcomer->address) ? 0 : registrations_an_hour(home->config);
	errand_send(home, home_for(home, key, len), &newcomer->errand, newcomer_count, newcomer_counted);
}

/* An invitation may be for one name. Without it nobody becomes an administrator by being the first to register his. */
static bool name_is_his(const struct client *client, const struct newcomer *newcomer)
{
	const struct newcomer_pass *pass = client->login->invited;
	const struct jid *user = &newcomer->user;

	if (pass && pass->user)
		return strlen(pass->user) == user->local_len && memcmp(pass->user, user->text, user->local_len) == 0;
	return !config_is_admin(stream_home(client->stream)->config, user);
}

static void newcomer_comes(struct client *client, const char *id, const struct element *query)
{
	struct newcomer *newcomer = newcomer_new(client, id);
	const char *name = registration_field(&newcomer->arena, query, "username");
	const char *password = registration_field(&newcomer->arena, query, "password");

	newcomer->password = password ? arena_str(&newcomer->arena, password) : NULL;
	if (client->login->registered)
		newcomer_refuse(client, id, STANZA_NOT_ACCEPTABLE, "One account was registered on this stream");
	else if (!name || !password || !*password)
		newcomer_refuse(client, id, STANZA_NOT_ACCEPTABLE, "A user name and a password are needed");
	else if (!user_name(&newcomer->arena, name, newcomer->host, &newcomer->user))
		newcomer_refuse(client, id, STANZA_NOT_ACCEPTABLE, "This is no user name");
	else if (!name_is_his(client, newcomer))
		newcomer_refuse(client, id, STANZA_CONFLICT, "This name is reserved");
	else {
		newcomer_begin(client, newcomer);
		return;
	}
	newcomer_free(newcomer);
}

/* ---- what comes before a login ---- */

static enum registration_policy newcomer_policy(const struct client *client)
{
	const char *domain = client->login->host;
	const struct host *host = config_host(stream_home(client->stream)->config, domain, strlen(domain));

	return host ? host->registration : REGISTRATION_NO;
}

void newcomer_say_feature(struct client *client, struct buf *out)
{
	if (newcomer_policy(client) != REGISTRATION_NO)
		buf_add_lit(out, "<register xmlns='" NS_REGISTER_FEATURE "'/><register xmlns='" NS_IBR_TOKEN "'/>");
}

static void query_asked(struct client *client, const struct stanza *asked, const struct element *query)
{
	if (newcomer_policy(client) == REGISTRATION_INVITED && !client->login->invited)
		newcomer_refuse(client, asked->id, STANZA_NOT_ALLOWED, "An invitation is needed");
	else if (asked->type == IQ_GET)
		fields_say(client, asked->id);
	else if (element_child(query, "remove", NS_REGISTER))
		newcomer_refuse(client, asked->id, STANZA_UNEXPECTED_REQUEST, NULL);
	else
		newcomer_comes(client, asked->id, query);
}

/* Requests of these extensions are answered; any other stanza is not for who has not logged in (RFC 6120 §4.9.3.12). */
void client_registers(struct client *client, struct stanza **iq)
{
	struct stanza *asked = *iq;
	const struct element *query = element_child(asked->root, "query", NS_REGISTER);
	const struct element *preauth = asked->type == IQ_SET ? element_child(asked->root, "preauth", NS_PARS) : NULL;

	stanza_keep_secret(asked);
	if ((!query && !preauth) || (asked->type != IQ_GET && asked->type != IQ_SET) || !asked->id)
		client_fail(client, STREAM_NOT_AUTHORIZED, NULL);
	else if (client->login->requests++ == REQUESTS_MAX)
		client_fail(client, STREAM_POLICY_VIOLATION, "too many requests before a login");
	else if (newcomer_policy(client) == REGISTRATION_NO)
		newcomer_refuse(client, asked->id, STANZA_SERVICE_UNAVAILABLE, NULL);
	else if (preauth)
		pass_shown(client, asked->id, preauth);
	else
		query_asked(client, asked, query);
}
