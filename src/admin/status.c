/* SPDX-License-Identifier: MIT
 *
 * Commands about the server: status, reload, stop.
 */
#include "status.h"

#include <string.h>

#include "base/mem.h"
#include "core/command.h"
#include "store/store.h"

/* Counters of all workers; reading those of others without a lock is what they are made for. */
static struct home_figures status_sum(const struct server *server)
{
	struct home_figures sum = { 0 };

	for (size_t i = 0; i < workers_count(server->workers); i++) {
		const struct home_figures *one = &server->homes[i].figures;

		sum.messages += one->messages;
		sum.presences += one->presences;
		sum.iqs += one->iqs;
		sum.bounced += one->bounced;
		sum.sessions += one->sessions;
		sum.accounts += one->accounts;
		sum.logins += one->logins;
		sum.login_failures += one->login_failures;
	}
	return sum;
}

static void status_show(struct command_call *call)
{
	const struct server *server = call->home->server;
	struct home_figures sum = status_sum(server);
	struct store_figures store;
	uint64_t seconds = (worker_now_ms(call->home->worker) - server->started_ms) / 1000;

	store_figures(server->store, &store);
	command_answer(call, json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:I, s:I, s:I, s:I}",
		"version", HANSA_VERSION, "seconds", (json_int_t)seconds,
		"workers", (json_int_t)workers_count(server->workers), "sessions", (json_int_t)sum.sessions,
		"accounts in memory", (json_int_t)sum.accounts, "messages", (json_int_t)sum.messages,
		"presences", (json_int_t)sum.presences, "iqs", (json_int_t)sum.iqs, "bounced", (json_int_t)sum.bounced,
		"logins", (json_int_t)sum.logins, "login failures", (json_int_t)sum.login_failures,
		"store", server->store->driver->name, "store writes", (json_int_t)store.writes,
		"store commits", (json_int_t)store.commits, "store failures", (json_int_t)store.failed,
		"store waiting", (json_int_t)store.waiting));
}

/* The main thread reads the configuration and calls back on its own thread; the answer goes home by mail. */

struct status_reload {
	struct mail mail;
	struct command_call *call;
	char *error;
};

static void status_reload_arrived(struct worker *worker, struct mail *mail)
{
	struct status_reload *reload = (struct status_reload *)mail;

	(void)worker;
	if (reload->error)
		command_fail(reload->call, COMMAND_REFUSED, "nothing was changed: %s", reload->error);
	else
		command_answer(reload->call, json_pack("{s:s}", "done", "the configuration was read again"));
	free(reload->error);
	free(reload);
}

static void status_reloaded(void *context, char *error)
{
	struct status_reload *reload = context;

	reload->error = error;
	reload->mail.arrive = status_reload_arrived;
	worker_post(NULL, reload->call->home->worker, &reload->mail);
}

static void status_reload(struct command_call *call)
{
	struct status_reload *reload = mem_zalloc(sizeof(*reload));

	reload->call = call;
	call->home->server->reload(call->home->server, status_reloaded, reload);
}

static void status_stop(struct command_call *call)
{
	struct server *server = call->home->server;

	command_answer(call, json_pack("{s:s}", "done", "the server drains and leaves"));
	server->stop(server);
}

static const struct command status_commands[] = {
	{ "status", "", "Show what the server is doing.", 0, 0, status_show, NULL },
	{ "reload", "", "Read the configuration and the certificates again.", 0, 0, status_reload, NULL },
	{ "stop", "", "Drain and leave.", 0, 0, status_stop, NULL },
	{ 0 },
};

const struct module status_module = {
	.name = "status",
	.commands = status_commands,
};
