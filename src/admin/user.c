/* SPDX-License-Identifier: MIT
 *
 * Commands about accounts: user add, passwd, del, list. A password comes as named input and leaves as SCRAM keys, derived
 * in the background; it is wiped as soon as they are made.
 */
#include "user.h"

#include <string.h>

#include "base/mem.h"
#include "core/account.h"
#include "core/command.h"
#include "core/config.h"
#include "core/sasl.h"
#include "xmpp/stamp.h"

enum { USER_PAGE = 500 };

/* A command about one account on its way: derive keys, write, tell the account's home, answer. */
struct user_change {
	struct background_job job;
	struct command_call *call;
	enum store_op op;
	struct arena arena;
	struct jid jid;
	char *password;
	bool allowed;                   /* the password could be made into keys */
	struct store_credential keys[STORE_CREDENTIALS];
};

static void user_change_free(struct user_change *change)
{
	str_wipe(&change->password);
	mem_wipe(change->keys, sizeof(change->keys));
	arena_clear(&change->arena);
	free(change);
}

static void user_change_fail(struct user_change *change, enum command_status status, const char *text)
{
	command_fail(change->call, status, "%s: %s", change->jid.text, text);
	user_change_free(change);
}

/* The account's own home forgets what it knew. */
static void user_changed_at_home(struct home *home, void *context)
{
	struct user_change *change = context;

	if (change->op == STORE_ACCOUNT_REMOVE)
		account_deleted(home, &change->jid);
	else
		account_changed(home, &change->jid);
}

static void user_changed(struct command_call *call, void *context)
{
	struct user_change *change = context;
	const char *done = change->op == STORE_ACCOUNT_CREATE ? "added" :
	                   change->op == STORE_ACCOUNT_REMOVE ? "removed" : "password changed";

	command_answer(call, json_pack("{s:s, s:s}", "user", change->jid.text, "done", done));
	user_change_free(change);
}

static void user_written(struct store_request *request)
{
	struct user_change *change = request->context;
	struct home *home = change->call->home;
	enum store_status status = request->status;

	mem_wipe(((struct store_account_write *)request)->credentials, sizeof(change->keys));
	store_request_free(request);
	if (status == STORE_OK)
		command_at_home(change->call, home_of(workers_home(home->server->workers, change->jid.text,
			jid_len(&change->jid))), user_changed_at_home, user_changed, change);
	else if (status == STORE_CONFLICT)
		user_change_fail(change, COMMAND_REFUSED, "exists already");
	else if (status == STORE_ABSENT)
		user_change_fail(change, COMMAND_NOT_FOUND, "there is no such user");
	else
		user_change_fail(change, COMMAND_REFUSED, "the store could not write it; see the log");
}

static void user_write(struct user_change *change, size_t key_count)
{
	struct home *home = change->call->home;
	struct store_account_write *write = store_request_new(sizeof(*write), change->op, home->worker,
		change->jid.text, jid_len(&change->jid), user_written);

	memcpy(write->credentials, change->keys, sizeof(change->keys));
	write->credential_count = key_count;
	write->created_us = clock_wall_us(worker_clock(home->worker));
	write->request.context = change;
	store_submit(home->server->store, &write->request);
}

static void user_derive(struct background_job *job)
{
	struct user_change *change = (struct user_change *)job;

	change->allowed = sasl_make_keys(worker_entropy(job->worker), change->password, strlen(change->password),
	                                 change->keys);
}

static void user_derived(struct worker *worker, struct background_job *job)
{
	struct user_change *change = (struct user_change *)job;

	(void)worker;
	str_wipe(&change->password);
	if (change->allowed)
		user_write(change, STORE_CREDENTIALS);
	else
		user_change_fail(change, COMMAND_REFUSED, "the password is empty or has characters that are not allowed");
}

/* NULL: the call has ended with what is wrong. use: a new name is held to stricter rules. */
static struct user_change *user_change_new(struct command_call *call, enum store_op op, enum jid_use use)
{
	struct user_change *change = mem_zalloc(sizeof(*change));
	const char *text = call->args[0];

	change->call = call;
	change->op = op;
	if (!jid_prepare(&change->arena, text, strlen(text), use, &change->jid) || !change->jid.local_len ||
	    !jid_is_bare(&change->jid)) {
		command_fail(call, COMMAND_REFUSED, "\"%s\" is not a user's address, such as ann@north.example", text);
	} else if (!config_host(call->home->config, jid_domain_text(&change->jid), change->jid.domain_len)) {
		command_fail(call, COMMAND_NOT_FOUND, "%s: this server has no such host", jid_domain_text(&change->jid));
	} else {
		return change;
	}
	user_change_free(change);
	return NULL;
}

static void user_set_password(struct command_call *call, enum store_op op, enum jid_use use)
{
	struct user_change *change = user_change_new(call, op, use);

	if (!change)
		return;
	change->password = str_dup(command_input(call, "password"));
	change->job.run = user_derive;
	change->job.done = user_derived;
	if (!background_run(call->home->server->background, call->home->worker, &change->job))
		user_change_fail(change, COMMAND_REFUSED, "the server is busy, try again");
}

static void user_add(struct command_call *call)
{
	user_set_password(call, STORE_ACCOUNT_CREATE, JID_NEW_LOCAL);
}

static void user_passwd(struct command_call *call)
{
	user_set_password(call, STORE_ACCOUNT_CREDENTIALS, JID_ANY);
}

static void user_del(struct command_call *call)
{
	struct user_change *change = user_change_new(call, STORE_ACCOUNT_REMOVE, JID_ANY);

	if (change)
		user_write(change, 0);
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
	{ "user del", "JID", "Remove a user with everything that is kept of it.", 1, 1, user_del, NULL },
	{ "user list", "[HOST]", "List the users.", 0, 1, user_list, NULL },
	{ 0 },
};

const struct module user_module = {
	.name = "user",
	.commands = user_commands,
};
