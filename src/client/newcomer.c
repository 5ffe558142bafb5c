/* SPDX-License-Identifier: MIT
 *
 * Newcomers: in-band registration before a login (XEP-0077 §3.1.1, §8), on streams with TLS and where the host wants it. A
 * registration is counted at the home of its address, written, and answered when the account is there; then the client
 * logs in on the same stream, which registers nobody else. While it is under way nothing is read.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "client.h"
#include "core/errand.h"
#include "core/user.h"
#include "registration.h"
#include "xmpp/ns.h"

enum {
	REQUESTS_MAX = 16,      /* of one stream */
	HOUR_S = 3600,
};

struct newcomer {
	struct errand errand;   /* first */
	struct client *client;  /* NULL: it is gone */
	struct arena arena;
	struct jid user;
	const char *password;   /* in the arena, which is wiped */
	const char *id;         /* of the iq */
	struct address address;
	uint32_t an_hour;
	bool allowed;
};

static void newcomer_free(struct newcomer *newcomer)
{
	arena_wipe(&newcomer->arena);
	free(newcomer);
}

void newcomer_forget(struct newcomer *newcomer)
{
	newcomer->client = NULL;
}

/* ---- answers ---- */

/* NULL: it is served no more, since the stream began. */
static const struct host *newcomer_host(const struct client *client)
{
	const char *domain = client->login->host;

	return config_host(stream_home(client->stream)->config, domain, strlen(domain));
}

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

/* ---- the form (§3.1) ---- */

static void fields_say(struct client *client, const char *id)
{
	struct stanza *result = answer_new(client, IQ_RESULT, id);
	struct arena *arena = &result->arena;
	struct element *query = element_add(arena, result->root, "query", NS_REGISTER);

	element_add_text(arena, element_add(arena, query, "instructions", NS_REGISTER),
	                 "Choose a user name and a password.");
	element_add(arena, query, "username", NS_REGISTER);
	element_add(arena, query, "password", NS_REGISTER);
	answer_send(client, result);
}

/* ---- a registration ---- */

static void newcomer_finish(struct client *client, enum user_outcome outcome, const struct newcomer *newcomer)
{
	struct login *login = client->login;

	login->newcomer = NULL;
	login->registered = outcome == USER_DONE;
	if (outcome == USER_DONE)
		answer_send(client, answer_new(client, IQ_RESULT, newcomer->id));
	else
		newcomer_refuse(client, newcomer->id, user_outcome_condition(outcome), user_outcome_text(outcome));
	client_set_state(client, CLIENT_SECURE);
	stream_resume(client->stream);
}

static void newcomer_created(struct home *home, void *context, enum user_outcome outcome)
{
	struct newcomer *newcomer = context;
	char address[ADDRESS_TEXT];

	address_write(&newcomer->address, address);
	log_info(home->server->log, NULL, outcome == USER_DONE ? "account registered" : "registration failed",
	         LOG_STR("user", newcomer->user.text), LOG_STR("address", address),
	         LOG_STR("reason", outcome == USER_DONE ? NULL : user_outcome_text(outcome)));
	if (newcomer->client)
		newcomer_finish(newcomer->client, outcome, newcomer);
	newcomer_free(newcomer);
}

static void newcomer_counted(struct home *home, struct errand *errand)
{
	struct newcomer *newcomer = (struct newcomer *)errand;

	if (newcomer->allowed) {
		user_create(home, &newcomer->user, newcomer->password, newcomer_created, newcomer);
		return;
	}
	log_info(home->server->log, NULL, "registration failed", LOG_STR("user", newcomer->user.text),
	         LOG_STR("reason", "too many of this address"));
	if (newcomer->client) {
		newcomer->client->login->newcomer = NULL;
		newcomer_refuse(newcomer->client, newcomer->id, STANZA_RESOURCE_CONSTRAINT,
		                "Too many accounts have been registered from your address, try again later");
		client_set_state(newcomer->client, CLIENT_SECURE);
		stream_resume(newcomer->client->stream);
	}
	newcomer_free(newcomer);
}

/* At the home of the address. An hour gives back what a registration costs so many times. */
static void newcomer_count(struct home *home, struct errand *errand)
{
	struct newcomer *newcomer = (struct newcomer *)errand;
	uint8_t key[ADDRESS_CUSTOMER];
	size_t len = address_customer(&newcomer->address, key);

	newcomer->allowed = newcomer->an_hour == 0 ||
	                    rate_take(rates_get(registration_rates(home), key, len), worker_now_ms(home->worker),
	                              HOUR_S / newcomer->an_hour, 1, HOUR_S);
	errand_return(home, errand);
}

static void newcomer_begin(struct client *client, struct newcomer *newcomer)
{
	struct home *home = stream_home(client->stream);
	struct address own;
	uint8_t key[ADDRESS_CUSTOMER];
	size_t len;

	client->login->newcomer = newcomer;
	newcomer->client = client;
	client_set_state(client, CLIENT_BUSY);
	stream_pause(client->stream);
	conn_address(stream_conn(client->stream), &newcomer->address, &own);
	newcomer->an_hour = config_trusts(home->config, &newcomer->address) ? 0 : registrations_an_hour(home->config);
	len = address_customer(&newcomer->address, key);
	errand_send(home, home_for(home, key, len), &newcomer->errand, newcomer_count, newcomer_counted);
}

/* The new user's address; false: it is none. A name is a localpart and nothing else. */
static bool newcomer_name(struct newcomer *newcomer, const char *name, const char *domain)
{
	const char *text = arena_printf(&newcomer->arena, "%s@%s", name, domain);

	return *name && !strpbrk(name, "@/") &&
	       jid_prepare(&newcomer->arena, text, strlen(text), JID_NEW_LOCAL, &newcomer->user) &&
	       newcomer->user.local_len && jid_is_bare(&newcomer->user);
}

/* Nobody becomes an administrator by being the first to register his name. */
static bool name_is_reserved(const struct client *client, const struct newcomer *newcomer)
{
	return config_is_admin(stream_home(client->stream)->config, &newcomer->user);
}

static void newcomer_comes(struct client *client, const char *id, const struct element *query)
{
	struct newcomer *newcomer = mem_zalloc(sizeof(*newcomer));
	const char *name = registration_field(&newcomer->arena, query, "username");

	newcomer->id = arena_str(&newcomer->arena, id);
	newcomer->password = registration_field(&newcomer->arena, query, "password");
	if (newcomer->password)
		newcomer->password = arena_str(&newcomer->arena, newcomer->password);
	if (client->login->registered)
		newcomer_refuse(client, id, STANZA_NOT_ACCEPTABLE, "One account was registered on this stream");
	else if (!name || !newcomer->password || !*newcomer->password)
		newcomer_refuse(client, id, STANZA_NOT_ACCEPTABLE, "A user name and a password are needed");
	else if (!newcomer_name(newcomer, name, client->login->host))
		newcomer_refuse(client, id, STANZA_NOT_ACCEPTABLE, "This is no user name");
	else if (name_is_reserved(client, newcomer))
		newcomer_refuse(client, id, STANZA_CONFLICT, user_outcome_text(USER_EXISTS));
	else {
		newcomer_begin(client, newcomer);
		return;
	}
	newcomer_free(newcomer);
}

/* ---- what comes before a login ---- */

static enum registration_mode newcomer_mode(const struct client *client)
{
	const struct host *host = newcomer_host(client);

	return host ? registration_terms(stream_home(client->stream)->config, host)->mode : REGISTRATION_NO;
}

void newcomer_say_feature(struct client *client, struct buf *out)
{
	if (newcomer_mode(client) != REGISTRATION_NO)
		buf_add_lit(out, "<register xmlns='" NS_REGISTER_FEATURE "'/>");
}

/* Requests of this extension are answered; any other stanza is not for who has not logged in (RFC 6120 §4.9.3.12). */
void client_registers(struct client *client, struct stanza **iq)
{
	struct stanza *asked = *iq;
	const struct element *query = element_child(asked->root, "query", NS_REGISTER);

	stanza_keep_secret(asked);
	if (!query || (asked->type != IQ_GET && asked->type != IQ_SET) || !asked->id)
		client_fail(client, STREAM_NOT_AUTHORIZED, NULL);
	else if (client->login->requests++ == REQUESTS_MAX)
		client_fail(client, STREAM_POLICY_VIOLATION, "too many requests before a login");
	else if (newcomer_mode(client) == REGISTRATION_NO)
		newcomer_refuse(client, asked->id, STANZA_SERVICE_UNAVAILABLE, NULL);
	else if (asked->type == IQ_GET)
		fields_say(client, asked->id);
	else if (element_child(query, "remove", NS_REGISTER))
		newcomer_refuse(client, asked->id, STANZA_UNEXPECTED_REQUEST, NULL);
	else
		newcomer_comes(client, asked->id, query);
}
