/* SPDX-License-Identifier: MIT
 *
 * In-band registration (XEP-0077) for users who have logged in: what is on file (§3.1), a new password (§3.3), the end of the
 * account (§3.2); and the module with its options. Errors never carry what was asked: it may hold a password.
 */
#include "registration.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/disco.h"
#include "core/iq.h"
#include "core/user.h"
#include "xmpp/ns.h"

enum { ADDRESSES_MAX = 8192 };  /* remembered on one home */

struct registration_part {
	struct registration_terms *hosts;       /* by number of the snapshot's */
	uint32_t an_hour;
};

static const struct registration_part *part_of(const struct config *config)
{
	return config_part(config, &registration_module);
}

const struct registration_terms *registration_terms(const struct config *config, const struct host *host)
{
	return &part_of(config)->hosts[host - config->hosts];
}

uint32_t registrations_an_hour(const struct config *config)
{
	return part_of(config)->an_hour;
}

struct rates *registration_rates(const struct home *home)
{
	return home_part(home, &registration_module);
}

const char *registration_field(struct arena *arena, const struct element *query, const char *name)
{
	return element_child_text(arena, query, name, NS_REGISTER);
}

/* ---- what is on file (§3.1) ---- */

static void on_file_asked(struct iq_request *request, const struct jid *user)
{
	struct stanza *result = iq_result(request);
	struct arena *arena = &result->arena;
	struct element *query = element_add(arena, result->root, "query", NS_REGISTER);

	element_add(arena, query, "registered", NS_REGISTER);
	element_add_text_len(arena, element_add(arena, query, "username", NS_REGISTER), user->text, user->local_len);
	element_add(arena, query, "password", NS_REGISTER);
	iq_answer(request, result);
}

/* ---- a new password (§3.3) ---- */

static bool session_is_secure(const struct iq_request *request)
{
	const struct jid *from = &request->parcel->stanza->from;
	const struct account *account = account_find(request->home, from->text, jid_bare_len(from));
	const struct session *session = account && from->resource_len ? session_find(account, jid_resource(from)) : NULL;
	const struct client *client;

	if (!session || session->outlet != &client_outlet)
		return false;
	client = session->outlet_owner;
	return conn_is_secure(stream_conn(client->stream));
}

/* Whether the name is that of the user, spelled in whichever way. */
static bool is_name_of(const struct jid *user, const char *name)
{
	struct arena arena = { 0 };
	const char *text = arena_printf(&arena, "%s@%s", name, jid_domain_text(user));
	struct jid named;
	bool is_same = jid_prepare(&arena, text, strlen(text), JID_ANY, &named) && jid_same(&named, user);

	arena_clear(&arena);
	return is_same;
}

static void password_changed(struct home *home, void *context, enum user_outcome outcome)
{
	struct iq_request *request = context;

	if (outcome == USER_DONE) {
		log_info(home->server->log, NULL, "password changed", LOG_STR("user", request->parcel->stanza->from.text));
		iq_done(request);
	} else {
		iq_answer(request, iq_error(request, user_outcome_condition(outcome), user_outcome_text(outcome)));
	}
}

static void password_asked(struct iq_request *request, const struct jid *user)
{
	const struct registration_terms *terms = registration_terms(request->config, request->host);
	struct arena arena = { 0 };
	const char *name = registration_field(&arena, request->payload, "username");
	const char *password = registration_field(&arena, request->payload, "password");

	stanza_keep_secret(request->parcel->stanza);
	if (!terms->may_change)
		iq_answer(request, iq_error(request, STANZA_NOT_ALLOWED, NULL));
	else if (!session_is_secure(request))
		iq_answer(request, iq_error(request, STANZA_NOT_AUTHORIZED, "A password is taken over TLS only"));
	else if (!name || !password || !*password)
		iq_answer(request, iq_error(request, STANZA_BAD_REQUEST, "A name and a password are needed"));
	else if (!is_name_of(user, name))
		iq_answer(request, iq_error(request, STANZA_FORBIDDEN, "This is not your name"));
	else
		user_set_password(request->home, user, password, password_changed, request);
	arena_wipe(&arena);
}

/* ---- the end of the account (§3.2) ---- */

/* The result goes out before the sessions are closed (core/user.h). */
static void account_left(struct home *home, void *context, enum user_outcome outcome)
{
	struct iq_request *request = context;

	if (outcome == USER_DONE) {
		log_info(home->server->log, NULL, "account removed by its user",
		         LOG_STR("user", request->parcel->stanza->from.text));
		iq_done(request);
	} else {
		iq_refuse(request, outcome == USER_ABSENT ? STANZA_REGISTRATION_REQUIRED : STANZA_INTERNAL_SERVER_ERROR,
		          NULL);
	}
}

static void removal_asked(struct iq_request *request, const struct jid *user)
{
	const struct element *remove = element_first(request->payload);

	if (element_next(request->payload, remove))
		iq_refuse(request, STANZA_BAD_REQUEST, "Nothing stands beside <remove/>");
	else if (!registration_terms(request->config, request->host)->may_leave)
		iq_refuse(request, STANZA_NOT_ALLOWED, NULL);
	else
		user_remove(request->home, user, account_left, request);
}

/* ---- requests ---- */

static bool asks_removal(const struct element *query)
{
	return element_child(query, "remove", NS_REGISTER) != NULL;
}

/* What others are told: nobody registers with us through his own server. */
static void stranger_asked(struct iq_request *request)
{
	stanza_keep_secret(request->parcel->stanza);
	iq_answer(request, iq_error(request, asks_removal(request->payload) ? STANZA_REGISTRATION_REQUIRED :
	                                     STANZA_SERVICE_UNAVAILABLE, NULL));
}

static void registration_asked(struct iq_request *request)
{
	const struct jid *from = &request->parcel->stanza->from;
	struct arena arena = { 0 };
	struct jid user = jid_bare(&arena, from);

	if (!user.local_len || strcmp(jid_domain_text(&user), request->host->domain) != 0)
		stranger_asked(request);
	else if (request->parcel->stanza->type == IQ_GET)
		on_file_asked(request, &user);
	else if (asks_removal(request->payload))
		removal_asked(request, &user);
	else
		password_asked(request, &user);
	arena_clear(&arena);
}

static const struct iq_handler handlers[] = {
	{ "query", NS_REGISTER, IQ_KIND_GET | IQ_KIND_SET, IQ_HOST | IQ_OWN, registration_asked },
	{ 0 },
};

/* ---- the module ---- */

/* §10 */
static void registration_described(const struct config *config, const struct host *host, struct arena *arena,
                                   struct element *query)
{
	const struct registration_terms *terms = registration_terms(config, host);

	if (host->registration != REGISTRATION_NO || terms->may_change || terms->may_leave)
		disco_add_feature(arena, query, NS_REGISTER);
}

static const struct conf_option host_options[] = {
	{ .name = "change-password", .type = CONF_BOOL, .fallback = "true",
	  .sentence = "Users may change their passwords with their clients, over TLS." },
	{ .name = "remove-account", .type = CONF_BOOL, .fallback = "true",
	  .sentence = "Users may remove their accounts with their clients, with everything that is kept of them." },
	{ 0 },
};

static const struct conf_option limit_options[] = {
	{ .name = "registrations", .type = CONF_INT, .fallback = "5", .min = 0, .max = 3600,
	  .sentence = "How many times an hour somebody of one address (IPv6: of one /64) may try to register an account, ten times "
	              "as often with invitations; 0 is no bound, and trusted networks have none." },
	{ 0 },
};

static const struct conf_section_kind options[] = {
	{ .name = "host", .titled = true, .options = host_options },
	{ .name = "limits", .options = limit_options },
	{ 0 },
};

static struct registration_terms terms_read(const struct conf_section *section)
{
	return (struct registration_terms){
		.may_change = conf_bool(section, "change-password"),
		.may_leave = conf_bool(section, "remove-account"),
	};
}

static void *registration_configure(struct config *config, const struct conf *conf, char **error)
{
	struct registration_part *part = arena_alloc(&config->arena, sizeof(*part));

	(void)error;
	part->an_hour = (uint32_t)conf_number(conf_section(conf, "limits"), "registrations");
	part->hosts = arena_alloc(&config->arena, config->host_count * sizeof(*part->hosts));
	for (size_t i = 0; i < config->host_count; i++)
		part->hosts[i] = terms_read(conf_section_at(conf, "host", i));
	return part;
}

static void *registration_home_open(struct home *home)
{
	return rates_new(worker_seed(home->worker), ADDRESSES_MAX);
}

static void registration_home_close(struct home *home, void *part)
{
	struct rates *rates = part;

	(void)home;
	rates_free(&rates);
}

static const struct module_spec specs[] = {
	{ "XEP-0077", "In-Band Registration", "2.4", NULL },
	{ 0 },
};

const struct module registration_module = {
	.name = "registration",
	.specs = specs,
	.iqs = handlers,
	.options = options,
	.configure = registration_configure,
	.home_open = registration_home_open,
	.home_close = registration_home_close,
	.host_described = registration_described,
};
