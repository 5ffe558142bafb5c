/* SPDX-License-Identifier: MIT
 *
 * Commands about accounts: user add, passwd, revoke, del, show, list. A password comes as named input.
 */
#include "user.h"

#include <string.h>

#include "base/mem.h"
#include "core/account.h"
#include "core/command.h"
#include "core/config.h"
#include "core/errand.h"
#include "core/user.h"
#include "store/account.h"
#include "store/token.h"
#include "xmpp/stamp.h"

enum { USER_PAGE = 500 };

/* A command about one account on its way. */
struct user_change {
	struct command_call *call;
	struct arena arena;
	struct jid jid;
	const char *done;               /* in a word */
};

static void user_change_free(struct user_change *change)
{
	arena_clear(&change->arena);
	free(change);
}

static void user_change_ended(struct home *home, void *context, enum user_outcome outcome)
{
	struct user_change *change = context;

	(void)home;
	if (outcome == USER_DONE)
		command_answer(change->call, json_pack("{s:s, s:s}", "user", change->jid.text, "done", change->done));
	else
		command_fail(change->call, outcome == USER_ABSENT ? COMMAND_NOT_FOUND : COMMAND_REFUSED, "%s: %s",
		             change->jid.text, user_outcome_text(outcome));
	user_change_free(change);
}

/* The first argument; false: the call has ended with what is wrong. use: a new name is held to stricter rules. */
static bool user_read(struct command_call *call, struct arena *arena, enum jid_use use, struct jid *user)
{
	const char *text = call->args[0];

	if (!jid_prepare(arena, text, strlen(text), use, user) || !user->local_len || !jid_is_bare(user))
		command_fail(call, COMMAND_REFUSED, "\"%s\" is not a user's address, such as ann@north.example", text);
	else if (!config_host(call->home->config, jid_domain_text(user), user->domain_len))
		command_fail(call, COMMAND_NOT_FOUND, "%s: this server has no such host", jid_domain_text(user));
	else
		return true;
	return false;
}

/* NULL: the call has ended. */
static struct user_change *user_change_new(struct command_call *call, enum jid_use use, const char *done)
{
	struct user_change *change = mem_zalloc(sizeof(*change));

	change->call = call;
	change->done = done;
	if (user_read(call, &change->arena, use, &change->jid))
		return change;
	user_change_free(change);
	return NULL;
}

static void user_add(struct command_call *call)
{
	struct user_change *change = user_change_new(call, JID_NEW_LOCAL, "added");

	if (change)
		user_create(call->home, &change->jid, command_input(call, "password"), user_change_ended, change);
}

static void user_passwd(struct command_call *call)
{
	struct user_change *change = user_change_new(call, JID_ANY, "password changed");

	if (change)
		user_set_password(call->home, &change->jid, command_input(call, "password"), user_change_ended, change);
}

static void user_revoked(struct store_request *request)
{
	struct user_change *change = request->context;
	size_t removed = ((struct store_token_revoke *)request)->removed;

	if (request->status == STORE_OK)
		command_answer(change->call,
		               json_pack("{s:s, s:I}", "user", change->jid.text, "revoked", (json_int_t)removed));
	else
		command_fail(change->call, request->status == STORE_ABSENT ? COMMAND_NOT_FOUND : COMMAND_REFUSED,
		             "%s: %s", change->jid.text,
		             user_outcome_text(request->status == STORE_ABSENT ? USER_ABSENT : USER_FAILED));
	user_change_free(change);
	store_request_free(request);
}

/* The tokens are in the store and nowhere else. */
static void user_revoke(struct command_call *call)
{
	struct user_change *change = user_change_new(call, JID_ANY, NULL);
	struct store_token_revoke *revoke;

	if (!change)
		return;
	revoke = store_request_new(sizeof(*revoke), STORE_TOKENS_REVOKE, call->home->worker, change->jid.text,
	                           jid_len(&change->jid), user_revoked);
	revoke->request.context = change;
	store_submit(call->home->server->store, &revoke->request);
}

static void user_del(struct command_call *call)
{
	struct user_change *change = user_change_new(call, JID_ANY, "removed");

	if (change)
		user_remove(call->home, &change->jid, user_change_ended, change);
}

/* user show: what the store holds, and how many sessions there are. */

struct user_show {
	struct command_call *call;
	struct arena arena;
	struct jid jid;
	json_t *row;
	size_t sessions;
};

static void user_show_free(struct user_show *show)
{
	arena_clear(&show->arena);
	free(show);
}

static void user_show_at_home(struct home *home, void *context)
{
	struct user_show *show = context;
	const struct account *account = account_find(home, show->jid.text, jid_len(&show->jid));

	show->sessions = account ? account->session_count : 0;
}

static void user_shown(struct command_call *call, void *context)
{
	struct user_show *show = context;

	json_object_set_new(show->row, "sessions", json_integer((json_int_t)show->sessions));
	command_answer(call, show->row);
	user_show_free(show);
}

static void user_show_loaded(struct store_request *request)
{
	const struct store_account_load *load = (const struct store_account_load *)request;
	struct user_show *show = request->context;
	struct command_call *call = show->call;

	if (request->status == STORE_OK) {
		show->row = json_pack("{s:s, s:I, s:I}", "user", show->jid.text, "contacts", (json_int_t)load->roster_count,
		                      "undelivered", (json_int_t)load->undelivered);
		command_at_home(call, home_for(call->home, show->jid.text, jid_len(&show->jid)), user_show_at_home,
		                user_shown, show);
	} else {
		command_fail(call, request->status == STORE_ABSENT ? COMMAND_NOT_FOUND : COMMAND_REFUSED, "%s: %s",
		             show->jid.text, request->status == STORE_ABSENT ? "there is no such user" :
		             "the store could not read; see the log");
		user_show_free(show);
	}
	mem_wipe(((struct store_account_load *)request)->credentials, sizeof(load->credentials));
	store_request_free(request);
}

static void user_show(struct command_call *call)
{
	struct user_show *show = mem_zalloc(sizeof(*show));
	struct store_account_load *load;

	if (!user_read(call, &show->arena, JID_ANY, &show->jid)) {
		user_show_free(show);
		return;
	}
	show->call = call;
	load = store_request_new(sizeof(*load), STORE_ACCOUNT_LOAD, call->home->worker, show->jid.text,
	                         jid_len(&show->jid), user_show_loaded);
	load->request.context = show;
	store_submit(call->home->server->store, &load->request);
}

/* user list: page by page, host by host. */

struct user_list {
	struct command_call *call;
	size_t host;                    /* that is being read */
	json_t *rows;
};

static void user_list_read(struct user_list *list, const char *after);

static void user_list_append(struct user_list *list, const struct store_account_list *page)
{
	for (size_t i = 0; i < page->count; i++) {
		char created[STAMP_LEN + 1];

		stamp_write(page->created_us[i], created);
		json_array_append_new(list->rows, json_pack("{s:s, s:s}", "user", page->accounts[i], "created", created));
	}
}

static void user_list_page(struct store_request *request)
{
	struct store_account_list *page = (struct store_account_list *)request;
	struct user_list *list = request->context;

	if (request->status != STORE_OK) {
		command_fail(list->call, COMMAND_REFUSED, "the store could not read; see the log");
		json_decref(list->rows);
		free(list);
	} else {
		user_list_append(list, page);
		list->host += page->count < USER_PAGE;
		user_list_read(list, page->count < USER_PAGE ? NULL : page->accounts[page->count - 1]);
	}
	store_request_free(request);
}

static bool user_list_wants(const struct user_list *list, const char *domain)
{
	return list->call->arg_count == 0 || strcmp(list->call->args[0], domain) == 0;
}

static void user_list_read(struct user_list *list, const char *after)
{
	struct home *home = list->call->home;
	const struct config *config = home->config;
	struct store_account_list *page;
	const char *domain;

	while (list->host < config->host_count && !user_list_wants(list, config->hosts[list->host].domain))
		list->host++;
	if (list->host >= config->host_count) {
		command_answer(list->call, list->rows);
		free(list);
		return;
	}
	domain = config->hosts[list->host].domain;
	page = store_request_new(sizeof(*page), STORE_ACCOUNT_LIST, home->worker, domain, strlen(domain),
	                         user_list_page);
	page->after = after ? arena_str(&page->request.arena, after) : NULL;
	page->limit = USER_PAGE;
	page->request.context = list;
	store_submit(home->server->store, &page->request);
}

static void user_list(struct command_call *call)
{
	struct user_list *list;

	if (call->arg_count && !config_host(call->home->config, call->args[0], strlen(call->args[0]))) {
		command_fail(call, COMMAND_NOT_FOUND, "%s: this server has no such host", call->args[0]);
		return;
	}
	list = mem_zalloc(sizeof(*list));
	list->call = call;
	list->rows = json_array();
	user_list_read(list, NULL);
}

static const struct command user_commands[] = {
	{ "user add", "JID", "Add a user; the password is asked for, or read from standard input.", 1, 1, user_add,
	  "password" },
	{ "user passwd", "JID", "Give a user a new password.", 1, 1, user_passwd, "password" },
	{ "user revoke", "JID", "Take the login tokens of all of a user's clients away.", 1, 1, user_revoke, NULL },
	{ "user del", "JID", "Remove a user with everything that is kept of it.", 1, 1, user_del, NULL },
	{ "user show", "JID", "Show what is known of a user.", 1, 1, user_show, NULL },
	{ "user list", "[HOST]", "List the users.", 0, 1, user_list, NULL },
	{ 0 },
};

const struct module user_module = {
	.name = "user",
	.commands = user_commands,
};
