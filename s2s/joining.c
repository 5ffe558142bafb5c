/* SPDX-License-Identifier: MIT
 *
 * The two commands by which branches join. What goes over the wire between them is in outgoing_join.c and incoming_join.c.
 */
#include "joining.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/mem.h"
#include "invited.h"
#include "peer_file.h"
#include "policy.h"
#include "s2s.h"
#include "token.h"
#include "trial.h"
#include "xmpp/stamp.h"

struct joining {
	struct arena arena;
	struct token token;
	struct peer_policy policy;
	struct resolve_target target;
	const char *pins[1];
	const char *address;    /* ours; NULL: as we reach the peer, at the port */
	uint16_t port;
};

void joining_free(struct joining **joining)
{
	if (*joining) {
		mem_wipe((*joining)->token.secret, sizeof((*joining)->token.secret));
		arena_clear(&(*joining)->arena);
	}
	free(*joining);
	*joining = NULL;
}

const struct peer_policy *joining_policy(const struct joining *joining)
{
	return &joining->policy;
}

const char *joining_secret(const struct joining *joining)
{
	return joining->token.secret;
}

void joining_address(const struct joining *joining, const struct address *own, char out[JOINING_ADDRESS])
{
	struct address ours = *own;

	if (joining->address) {
		snprintf(out, JOINING_ADDRESS, "%s", joining->address);
		return;
	}
	address_set_port(&ours, joining->port);
	address_write(&ours, out);
}

/* ---- what both commands need ---- */

/* Who we are to the other branch. */
struct face {
	const struct host *host;
	const char *address;            /* as given, or as we listen; NULL: we listen everywhere */
	char written[ADDRESS_TEXT];     /* its memory where we listen */
	uint16_t port;                  /* where we listen */
	char pin[PIN_LEN + 1];
};

static const struct listen *servers_listen(const struct config *config)
{
	for (size_t i = 0; i < config->listen_count; i++)
		if (config->listens[i].kind == LISTEN_SERVER)
			return &config->listens[i];
	return NULL;
}

/* "-" in place of an address leaves it to us. NULL: fine; else what is wrong. */
static const char *face_read(const struct config *config, const char *address, const char *host, struct face *out)
{
	const struct listen *listen = servers_listen(config);
	const struct tls *tls;

	*out = (struct face){ .host = host ? config_host(config, host, strlen(host)) : &config->hosts[0] };
	if (!out->host)
		return "there is no such host";
	tls = out->host->tls_client ? out->host->tls_client : config->tls_client;
	if (!tls || !tls_pin(tls, out->pin))
		return "this server has no certificate to be known by: see section tls";
	if (!listen)
		return "this server does not listen for others: it needs a listen section with kind = server";
	out->port = address_port(&listen->address);
	if (address && strcmp(address, "-") != 0) {
		out->address = address;
		return token_address_is_fine(address) ? NULL : "an address is like 198.51.100.20:5269 or xmpp.south.example:5269";
	}
	if (address_is_any(&listen->address))
		return NULL;
	address_write(&listen->address, out->written);
	out->address = out->written;
	return NULL;
}

/* ---- peer invite ---- */

struct invitation {
	struct command_call *call;
	struct buf token;
	char *domain, *address;
	int64_t until_us;
};

static void invitation_made(struct store_request *request)
{
	struct invitation *invitation = request->context;
	struct command_call *call = invitation->call;
	char until[STAMP_LEN + 1];

	stamp_write(invitation->until_us, until);
	if (request->status == STORE_OK)
		command_answer(call, json_pack("{s:s, s:s, s:s, s:s%}", "for", invitation->domain, "our address",
		                               invitation->address, "until", until, "token", invitation->token.data,
		                               invitation->token.len));
	else
		command_fail(call, COMMAND_REFUSED, "%s",
		             request->status == STORE_FULL ? "too many branches were invited and have not come"
		                                           : "the store could not answer; its log lines say why");
	store_request_free(request);
	mem_wipe(invitation->token.data, invitation->token.len);
	buf_clear(&invitation->token);
	free(invitation->domain);
	free(invitation->address);
	free(invitation);
}

static void invitation_make(struct command_call *call, const struct face *face, const char *domain)
{
	struct invitation *invitation = mem_zalloc(sizeof(*invitation));
	struct token token = { .domain = face->host->domain, .address = face->address };
	struct store_document *put = invited_ask(call->home, STORE_DOCUMENT_PUT, face->host->domain, domain,
	                                         invitation_made, invitation);

	id_random(worker_entropy(call->home->worker), token.secret);
	memcpy(token.pin, face->pin, sizeof(token.pin));
	token_write(&invitation->token, &token);
	invitation->call = call;
	invitation->domain = str_dup(domain);
	invitation->address = str_dup(face->address);
	invitation->until_us =
		invited_set(put, token.secret, clock_wall_us(worker_clock(call->home->worker)));
	mem_wipe(token.secret, sizeof(token.secret));
	store_submit(call->home->server->store, &put->request);
}

/* Who listens everywhere is found at one of the machine's addresses. */
static const char *face_find_address(struct face *face)
{
	struct address own;

	if (face->address)
		return NULL;
	if (!address_own(face->port, &own))
		return "this machine has no address for others: say where they reach it, as in 198.51.100.20:5269";
	address_write(&own, face->written);
	face->address = face->written;
	return NULL;
}

/* false: the call is refused. */
static bool domain_is_fine(struct command_call *call, const char *domain)
{
	const struct config *config = call->home->config;
	char *fault = NULL;

	if (config_destination(config, domain, strlen(domain)))
		fault = str_dup("this domain is served here");
	else if (!token_domain_is_fine(domain))
		fault = str_dup("this is no domain");
	else
		fault = peer_file_fault(config, domain);
	if (fault)
		command_fail(call, COMMAND_REFUSED, "%s: %s", domain, fault);
	free(fault);
	return !fault;
}

void joining_invite(struct command_call *call)
{
	struct arena arena = { 0 };
	struct face face;
	struct jid domain;
	const char *fault = face_read(call->home->config, call->arg_count > 1 ? call->args[1] : NULL,
	                              call->arg_count > 2 ? call->args[2] : NULL, &face);

	if (!fault)
		fault = face_find_address(&face);
	if (fault)
		command_fail(call, COMMAND_REFUSED, "%s", fault);
	else if (!jid_domain_prepare(&arena, call->args[0], strlen(call->args[0]), &domain))
		command_fail(call, COMMAND_USAGE, "%s: this is no domain", call->args[0]);
	else if (domain_is_fine(call, domain.text))
		invitation_make(call, &face, domain.text);
	arena_clear(&arena);
}

/* ---- peer join ---- */

static void joining_entered(struct home *home, void *owner, char *error)
{
	struct trial *trial = owner;

	trial_set_joining(trial, NULL);
	trial_add_step(trial, "configuration", error ? error : "written and in force",
	               error ? str_printf("the other branch has taken this one, but here %s", error) : NULL);
	free(error);
	if (trial_has_failed(trial))
		trial_answer(home, trial);
	else
		trial_start(trial, trial_answer);
}

/* The other branch has us in its configuration. */
static void joining_agreed(struct home *home, struct trial *trial)
{
	const struct joining *joining = trial_joining(trial);
	const struct token *token = &joining->token;
	struct peer_entry entry = { .domain = token->domain, .address = token->address, .pin = token->pin };

	if (trial_has_failed(trial))
		trial_answer(home, trial);
	else
		peer_file_enter(home, &entry, joining_entered, trial);
}

/* The file's own entry, before it is one. */
static void joining_make_policy(struct joining *joining, const struct config *config)
{
	joining->policy = policies_of(config)->fallback;
	joining->policy.domain = joining->token.domain;
	joining->policy.allow = true;
	joining->policy.tls = PEER_TLS_REQUIRED;
	joining->policy.authentication = PEER_BY_PIN;
	joining->policy.pins = joining->pins;
	joining->policy.pin_count = 1;
	joining->pins[0] = joining->token.pin;
	joining->policy.targets = &joining->target;
	joining->policy.target_count = 1;
	policy_read_target(&joining->arena, joining->token.address, &joining->target);
}

static void joining_start(struct command_call *call, struct joining *joining, const struct face *face)
{
	struct trial *trial = trial_new(call, face->host->domain, joining->token.domain);

	joining->address = face->address ? arena_str(&joining->arena, face->address) : NULL;
	joining->port = face->port;
	joining_make_policy(joining, call->home->config);
	trial_set_joining(trial, joining);
	trial_start(trial, joining_agreed);
}

void joining_join(struct command_call *call)
{
	struct joining *joining = mem_zalloc(sizeof(*joining));
	struct face face;
	const char *fault = face_read(call->home->config, call->arg_count > 1 ? call->args[1] : NULL,
	                              call->arg_count > 2 ? call->args[2] : NULL, &face);

	if (!fault && !token_read(&joining->arena, call->args[0], &joining->token))
		fault = "this is no token of hansactl peer invite";
	if (fault)
		command_fail(call, COMMAND_REFUSED, "%s", fault);
	if (fault || !domain_is_fine(call, joining->token.domain))
		joining_free(&joining);
	else
		joining_start(call, joining, &face);
}
