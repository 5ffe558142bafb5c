/* SPDX-License-Identifier: MIT
 *
 * Asking about invitations from any home, what follows when one was used, and the module with its options.
 */
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "core/account.h"
#include "core/module.h"
#include "invite_inside.h"
#include "store/account.h"

struct invite_part {
	struct invite_terms *hosts;     /* by number of the snapshot's */
	struct invite_limits limits;
};

static const struct invite_part *part_of(const struct config *config)
{
	return config_part(config, &invite_module);
}

const struct invite_terms *invite_terms(const struct config *config, const struct host *host)
{
	return &part_of(config)->hosts[host - config->hosts];
}

const struct invite_limits *invite_limits(const struct config *config)
{
	return &part_of(config)->limits;
}

bool invite_may(const struct config *config, const struct host *host, const struct jid *who)
{
	const struct invite_terms *terms = invite_terms(config, host);

	return terms->users || (terms->admins && config_is_admin(config, who));
}

/* ---- requests ---- */

struct invite_request *invite_request_new(enum invite_op op, const char *host,
                                          void (*done)(struct home *home, struct invite_request *request),
                                          void *context)
{
	struct invite_request *request = mem_zalloc(sizeof(*request));

	request->op = op;
	request->host = arena_str(&request->arena, host);
	request->done = done;
	request->context = context;
	list_init(&request->taken);
	return request;
}

void invite_request_free(struct invite_request *request)
{
	struct list_link *link;

	while ((link = list_take_first(&request->taken)))
		invitation_free(LIST_MEMBER(link, struct invitation, link));
	json_decref(request->rows);
	arena_wipe(&request->arena);
	mem_wipe(request, sizeof(*request));
	free(request);
}

void invite_request_token(struct invite_request *request, const char *token)
{
	uint8_t digest[DIGEST_MAX];

	request->with_token = true;
	digest_bytes(DIGEST_SHA256, token, strlen(token), digest);
	memcpy(request->digest, digest, INVITE_DIGEST);
}

static void token_make(struct home *home, struct invite_request *request)
{
	uint8_t bytes[INVITE_TOKEN / 2];
	struct buf hex = { 0 };

	entropy_fill(worker_entropy(home->worker), bytes, sizeof(bytes));
	hex_encode(&hex, bytes, sizeof(bytes));
	memcpy(request->token, hex.data, INVITE_TOKEN);
	mem_wipe(hex.data, hex.len);
	mem_wipe(bytes, sizeof(bytes));
	buf_clear(&hex);
	invite_request_token(request, request->token);
}

static void invite_answered(struct home *home, struct errand *errand)
{
	struct invite_request *request = (struct invite_request *)errand;

	request->done(home, request);
}

static void invite_send(struct home *home, struct invite_request *request)
{
	errand_send(home, home_for(home, request->host, strlen(request->host)), &request->errand, invites_asked,
	            invite_answered);
}

/* Nobody is invited under the name of somebody else. */
static void name_was_looked_up(struct store_request *load)
{
	struct invite_request *request = load->context;
	struct home *home = home_of(load->worker);
	enum store_status status = load->status;

	mem_wipe(((struct store_account_load *)load)->credentials, sizeof(((struct store_account_load *)load)->credentials));
	store_request_free(load);
	if (status == STORE_ABSENT) {
		invite_send(home, request);
		return;
	}
	request->status = status == STORE_OK ? INVITE_EXISTS : INVITE_FAILED;
	request->done(home, request);
}

static void name_look_up(struct home *home, struct invite_request *request)
{
	const char *bare = arena_printf(&request->arena, "%s@%s", request->invite.user, request->host);
	struct store_account_load *load = store_request_new(sizeof(*load), STORE_ACCOUNT_LOAD, home->worker, bare,
	                                                    strlen(bare), name_was_looked_up);

	load->request.context = request;
	store_submit(home->server->store, &load->request);
}

void invite_ask(struct home *home, struct invite_request *request)
{
	const struct host *host = config_host(home->config, request->host, strlen(request->host));

	if (request->op != INVITE_CREATE) {
		invite_send(home, request);
		return;
	}
	token_make(home, request);
	if (request->valid_ms == 0 && host)
		request->valid_ms = invite_terms(home->config, host)->valid_ms;
	if (request->invite.user)
		name_look_up(home, request);
	else
		invite_send(home, request);
}

const char *invite_status_text(enum invite_status status)
{
	static const char *const texts[] = {
		[INVITE_OK] = "",
		[INVITE_UNKNOWN] = "there is no such invitation, or it has expired",
		[INVITE_EXISTS] = "there is a user of this name",
		[INVITE_TAKEN] = "this name is reserved for somebody who was invited",
		[INVITE_FULL] = "there are too many invitations already",
		[INVITE_FAILED] = "the store failed, its log says why",
	};

	return texts[status];
}

enum stanza_condition invite_status_condition(enum invite_status status)
{
	static const enum stanza_condition conditions[] = {
		[INVITE_OK] = STANZA_NO_ERROR,
		[INVITE_UNKNOWN] = STANZA_ITEM_NOT_FOUND,
		[INVITE_EXISTS] = STANZA_CONFLICT,
		[INVITE_TAKEN] = STANZA_CONFLICT,
		[INVITE_FULL] = STANZA_RESOURCE_CONSTRAINT,
		[INVITE_FAILED] = STANZA_INTERNAL_SERVER_ERROR,
	};

	return conditions[status];
}

/* ---- contacts ---- */

struct befriending {
	struct errand errand;           /* first */
	struct account_want want;
	struct arena arena;
	struct jid account, contact;
};

static void befriending_free(struct home *home, struct errand *errand)
{
	struct befriending *befriending = (struct befriending *)errand;

	(void)home;
	arena_clear(&befriending->arena);
	free(befriending);
}

static void befriending_ready(struct account_want *want, struct account *account)
{
	struct befriending *befriending = LIST_MEMBER(want, struct befriending, want);
	struct home *home = account->home;

	if (account->state == ACCOUNT_READY)
		account_befriend(account, &befriending->contact);
	else
		log_warn(home->server->log, NULL, "an invitation made no contact",
		         LOG_STR("account", befriending->account.text), LOG_STR("contact", befriending->contact.text));
	errand_return(home, &befriending->errand);
}

static void befriending_arrived(struct home *home, struct errand *errand)
{
	struct befriending *befriending = (struct befriending *)errand;

	account_want(home, &befriending->account, &befriending->want, befriending_ready);
}

static void befriend(struct home *home, const struct jid *account, const struct jid *contact)
{
	struct befriending *befriending = mem_zalloc(sizeof(*befriending));

	befriending->account = jid_copy(&befriending->arena, account);
	befriending->contact = jid_copy(&befriending->arena, contact);
	errand_send(home, home_for(home, account->text, jid_bare_len(account)), &befriending->errand,
	            befriending_arrived, befriending_free);
}

void invite_befriend(struct home *home, const struct jid *one, const struct jid *other)
{
	befriend(home, one, other);
	befriend(home, other, one);
}

/* ---- the module ---- */

static void forgotten(struct home *home, struct invite_request *request)
{
	(void)home;
	invite_request_free(request);
}

/* Who is no more invites nobody. */
static void invite_account_removed(struct account *account)
{
	struct invite_request *request =
		invite_request_new(INVITE_FORGET, jid_domain_text(&account->jid), forgotten, NULL);

	request->invite.inviter = arena_str(&request->arena, account->jid.text);
	invite_ask(account->home, request);
}

static const struct conf_option host_options[] = {
	{ .name = "invitations", .type = CONF_CHOICE, .fallback = "admins", .allowed = "nobody | admins | users",
	  .sentence = "Who may invite others with a client (XEP-0401): to become contacts and, where registration allows it, to "
	              "register." },
	{ .name = "invitation-time", .type = CONF_TIME, .fallback = "7d", .min = 60000, .max = 31536000000,
	  .sentence = "How long an invitation is good." },
	{ .name = "invitation-page", .type = CONF_STRING, .example = "\"https://north.example/invite/#{uri}\"",
	  .sentence = "A web page for people who have no client yet; {token} stands for the invitation's token and {uri} for its "
	              "xmpp: address without the scheme." },
	{ 0 },
};

static const struct conf_option limit_options[] = {
	{ .name = "invitations", .type = CONF_INT, .fallback = "1000", .min = 1, .max = 10000,
	  .sentence = "How many invitations of a host may be open at a time." },
	{ .name = "invitations-per-user", .type = CONF_INT, .fallback = "20", .min = 1, .max = 10000,
	  .sentence = "How many invitations of one user may be open at a time." },
	{ 0 },
};

static const struct conf_section_kind options[] = {
	{ .name = "host", .titled = true, .options = host_options },
	{ .name = "limits", .options = limit_options },
	{ 0 },
};

static char *terms_read(const struct conf_section *section, struct invite_terms *terms)
{
	const char *who = conf_string(section, "invitations");

	terms->users = strcmp(who, "users") == 0;
	terms->admins = strcmp(who, "nobody") != 0;
	terms->valid_ms = conf_number(section, "invitation-time");
	terms->page = conf_string(section, "invitation-page");
	if (terms->page && (strncmp(terms->page, "https://", 8) != 0 ||
	                    (!strstr(terms->page, "{token}") && !strstr(terms->page, "{uri}"))))
		return conf_fault(section, "bad value \"%s\" for invitation-page; allowed: an https: address with {token} or "
		                  "{uri} in it", terms->page);
	return NULL;
}

static void *invite_configure(struct config *config, const struct conf *conf, char **error)
{
	const struct conf_section *limits = conf_section(conf, "limits");
	struct invite_part *part = arena_alloc(&config->arena, sizeof(*part));

	part->hosts = arena_zalloc(&config->arena, config->host_count * sizeof(*part->hosts));
	part->limits.of_host = (uint32_t)conf_number(limits, "invitations");
	part->limits.of_inviter = (uint32_t)conf_number(limits, "invitations-per-user");
	for (size_t i = 0; i < config->host_count && !*error; i++)
		*error = terms_read(conf_section_at(conf, "host", i), &part->hosts[i]);
	return *error ? NULL : part;
}

static void *invite_home_open(struct home *home)
{
	return invites_open(home);
}

static void invite_home_close(struct home *home, void *part)
{
	struct map *invites = part;

	(void)home;
	invites_close(&invites);
}

static const struct module_spec specs[] = {
	{ "XEP-0379", "Pre-Authenticated Roster Subscription", "0.3.3", "for invitations that the server has made" },
	{ "XEP-0445", "Pre-Authenticated In-Band Registration", "0.2.0", NULL },
	{ 0 },
};

const struct module invite_module = {
	.name = "invite",
	.specs = specs,
	.options = options,
	.configure = invite_configure,
	.home_open = invite_home_open,
	.home_close = invite_home_close,
	.account_removed = invite_account_removed,
};
