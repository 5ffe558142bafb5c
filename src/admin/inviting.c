/* SPDX-License-Identifier: MIT
 *
 * Commands about invitations: invite create, list, revoke. Of a token the server keeps a digest only, so its address is shown
 * once, when it is created.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/command.h"
#include "core/config.h"
#include "core/invite.h"
#include "core/module.h"
#include "core/user.h"
#include "xmpp/stamp.h"

extern const struct module inviting_module;

enum { CREATE_WORDS = 8 };

/* ---- invite create ---- */

static void invite_created(struct home *home, struct invite_request *request)
{
	struct command_call *call = request->context;
	char expires[STAMP_LEN + 1];

	if (request->status != INVITE_OK) {
		command_fail(call, COMMAND_REFUSED, "%s", invite_status_text(request->status));
	} else {
		stamp_write(request->invite.expires_us, expires);
		command_answer(call, json_pack("{s:s, s:s*, s:s}", "uri", invite_uri(home, request), "page",
		                               invite_page(home, request), "expires", expires));
	}
	invite_request_free(request);
}

/* The value of an option among the words; NULL: it is absent. */
static const char *create_option(const struct command_call *call, const char *name)
{
	for (size_t i = 0; i + 1 < call->arg_count; i += 2)
		if (strcmp(call->args[i], name) == 0)
			return call->args[i + 1];
	return NULL;
}

/* Names and values by turns, and no name that is none. */
static bool create_is_understood(const struct command_call *call)
{
	static const char *const names[] = { "--host", "--user", "--contact", "--expires" };

	for (size_t i = 0; i < call->arg_count; i += 2) {
		size_t n = 0;

		while (n < 4 && strcmp(call->args[i], names[n]) != 0)
			n++;
		if (n == 4 || i + 1 == call->arg_count)
			return false;
	}
	return true;
}

/* "7d", "12h", "30m", "90s"; 0: it is none of these, or more than a year. */
static int64_t time_read(const char *text)
{
	static const struct {
		char unit;
		int64_t ms;
	} units[] = { { 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 }, { 'd', 86400000 } };
	static const int64_t year_ms = 366 * INT64_C(86400000);
	char *rest;
	unsigned long count = strtoul(text, &rest, 10);

	if (*text < '0' || *text > '9' || count > 40000000)
		return 0;
	for (size_t i = 0; i < 4; i++)
		if (rest[0] == units[i].unit && rest[1] == '\0')
			return (int64_t)count * units[i].ms <= year_ms ? (int64_t)count * units[i].ms : 0;
	return 0;
}

/* Whose host it is: the one that is named, the inviter's, the only one. NULL: none of ours, or several. */
static const struct host *create_host(const struct command_call *call, const struct jid *contact)
{
	const struct config *config = call->home->config;
	const char *domain = create_option(call, "--host");

	if (!domain && contact->text)
		domain = jid_domain_text(contact);
	if (domain)
		return config_host(config, domain, strlen(domain));
	return config->host_count == 1 ? &config->hosts[0] : NULL;
}

/* What is wrong with what was asked for; NULL: nothing, and it is in the request. */
static const char *create_read(struct command_call *call, struct invite_request *request, const struct host *host,
                               const struct jid *contact)
{
	const char *name = create_option(call, "--user"), *expires = create_option(call, "--expires");
	struct jid user;

	request->invite.kind = contact->text && !name ? INVITE_CONTACT : INVITE_ACCOUNT;
	request->invite.befriends = contact->text != NULL;
	request->invite.inviter = contact->text ? arena_str(&request->arena, contact->text) : NULL;
	if (contact->text && strcmp(jid_domain_text(contact), host->domain) != 0)
		return "the contact is not of this host";
	if (request->invite.kind == INVITE_ACCOUNT && host->registration == REGISTRATION_NO)
		return "nobody may register at this host: see its option registration";
	if (name && !user_name(&request->arena, name, host->domain, &user))
		return "this is no user name";
	if (name)
		request->invite.user = arena_str_len(&request->arena, user.text, user.local_len);
	request->valid_ms = expires ? time_read(expires) : 0;
	return expires && request->valid_ms == 0 ? "a time is like 7d, 12h or 30m, and at most a year" : NULL;
}

static void create_for(struct command_call *call, const struct host *host, const struct jid *contact)
{
	struct invite_request *request = invite_request_new(INVITE_CREATE, host->domain, invite_created, call);
	const char *fault = create_read(call, request, host, contact);

	if (!fault) {
		invite_ask(call->home, request);
		return;
	}
	command_fail(call, COMMAND_REFUSED, "%s", fault);
	invite_request_free(request);
}

static void invite_create(struct command_call *call)
{
	const char *text = create_option(call, "--contact");
	struct arena arena = { 0 };
	struct jid contact = { .text = NULL };
	const struct host *host;

	if (!create_is_understood(call))
		command_fail(call, COMMAND_USAGE, "usage: hansactl invite create %s", call->command->usage);
	else if (text && (!jid_prepare(&arena, text, strlen(text), JID_ANY, &contact) || !contact.local_len ||
	                  !jid_is_bare(&contact)))
		command_fail(call, COMMAND_REFUSED, "\"%s\" is not a user's address, such as ann@north.example", text);
	else if (!(host = create_host(call, &contact)))
		command_fail(call, COMMAND_NOT_FOUND, "say which host of this server: --host HOST");
	else
		create_for(call, host, &contact);
	arena_clear(&arena);
}

/* ---- invite list, invite revoke: host by host ---- */

struct invite_walk {
	struct command_call *call;
	size_t host;            /* the next */
	json_t *rows;
};

static void walk_end(struct invite_walk *walk)
{
	json_decref(walk->rows);
	free(walk);
}

static void list_go_on(struct home *home, struct invite_walk *walk);
static void revoke_go_on(struct home *home, struct invite_walk *walk);

static bool walk_failed(struct invite_walk *walk, enum invite_status status)
{
	if (status != INVITE_FAILED)
		return false;
	command_fail(walk->call, COMMAND_REFUSED, "%s", invite_status_text(status));
	walk_end(walk);
	return true;
}

static void host_listed(struct home *home, struct invite_request *request)
{
	struct invite_walk *walk = request->context;

	if (!walk_failed(walk, request->status)) {
		json_array_extend(walk->rows, request->rows);
		list_go_on(home, walk);
	}
	invite_request_free(request);
}

static void list_go_on(struct home *home, struct invite_walk *walk)
{
	if (walk->host < home->config->host_count) {
		invite_ask(home, invite_request_new(INVITE_LIST, home->config->hosts[walk->host++].domain, host_listed, walk));
		return;
	}
	command_answer(walk->call, json_incref(walk->rows));
	walk_end(walk);
}

static struct invite_walk *walk_new(struct command_call *call)
{
	struct invite_walk *walk = mem_zalloc(sizeof(*walk));

	walk->call = call;
	walk->rows = json_array();
	return walk;
}

static void invite_list(struct command_call *call)
{
	list_go_on(call->home, walk_new(call));
}

static void host_revoked(struct home *home, struct invite_request *request)
{
	struct invite_walk *walk = request->context;

	if (request->status == INVITE_UNKNOWN) {
		revoke_go_on(home, walk);
	} else if (!walk_failed(walk, request->status)) {
		command_answer(walk->call, json_pack("{s:s, s:s}", "invitation", request->id, "done", "revoked"));
		walk_end(walk);
	}
	invite_request_free(request);
}

static void revoke_go_on(struct home *home, struct invite_walk *walk)
{
	struct invite_request *request;

	if (walk->host == home->config->host_count) {
		command_fail(walk->call, COMMAND_NOT_FOUND, "%s: there is no such invitation", walk->call->args[0]);
		walk_end(walk);
		return;
	}
	request = invite_request_new(INVITE_REVOKE, home->config->hosts[walk->host++].domain, host_revoked, walk);
	request->id = arena_str(&request->arena, walk->call->args[0]);
	invite_ask(home, request);
}

static void invite_revoke(struct command_call *call)
{
	revoke_go_on(call->home, walk_new(call));
}

static const struct command commands[] = {
	{ "invite create", "[--host HOST] [--user NAME] [--contact JID] [--expires TIME]",
	  "Make an invitation and show its address, this once.", 0, CREATE_WORDS, invite_create, NULL },
	{ "invite list", "", "List the invitations that are open.", 0, 0, invite_list, NULL },
	{ "invite revoke", "ID", "Take an invitation back.", 1, 1, invite_revoke, NULL },
	{ 0 },
};

const struct module inviting_module = {
	.name = "inviting",
	.commands = commands,
};
