/* SPDX-License-Identifier: MIT
 *
 * Commands about the server: status, reload, stop.
 */
#include "status.h"

#include <string.h>

#include "base/mem.h"
#include "core/command.h"
#include "store/store.h"

/* A counter of all workers, by its place in their figures. */
static json_int_t status_sum(const struct server *server, size_t place)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < workers_count(server->workers); i++)
		sum += figure_get((const struct figure *)((const char *)&server->homes[i].figures + place));
	return (json_int_t)sum;
}

#define STATUS_SUM(server, counter) status_sum(server, offsetof(struct home_figures, counter))

static void status_show(struct command_call *call)
{
	const struct server *server = call->home->server;
	struct store_figures store;
	uint64_t seconds = (worker_now_ms(call->home->worker) - server->started_ms) / 1000;

	store_figures(server->store, &store);
	command_answer(call, json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:I, s:I, s:I, s:I}",
		"version", HANSA_VERSION, "seconds", (json_int_t)seconds,
		"workers", (json_int_t)workers_count(server->workers), "sessions", STATUS_SUM(server, sessions),
		"accounts in memory", STATUS_SUM(server, accounts), "messages", STATUS_SUM(server, messages),
		"presences", STATUS_SUM(server, presences), "iqs", STATUS_SUM(server, iqs), "bounced", STATUS_SUM(server, bounced),
		"logins", STATUS_SUM(server, logins), "login failures", STATUS_SUM(server, login_failures),
		"expired", STATUS_SUM(server, expired),
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
