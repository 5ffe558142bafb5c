/* SPDX-License-Identifier: MIT
 *
 * A worker's share of the server: opened and closed on the main thread while no worker runs, swapped to a
 * new snapshot by mail in between.
 */
#include "home_inside.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "core/account.h"
#include "core/frozen.h"
#include "core/outbox.h"
#include "net/timer.h"

enum { FORGET_EVERY_MS = 5000 };

struct timer_box {
	struct timer forget; /* accounts without use */
};

/* A snapshot on its way to a home. */
struct config_mail {
	struct mail mail;
	const struct config *config;
};

static void home_forget(struct worker *worker, struct timer *timer)
{
	accounts_forget_idle(home_of(worker));
	timer_start(worker, timer, FORGET_EVERY_MS, home_forget);
}

void home_open(struct home *home, struct server *server, struct worker *worker)
{
	home->server = server;
	home->worker = worker;
	home->config = config_ref(server->config);
	worker_set_owner(worker, home);
	home->parsers = parser_set_new(worker_seed(worker));
	list_init(&home->open_streams);
	accounts_open(home);
	overdue_open(home);
	outboxes_home_open(home);
	frozen_home_open(home);
	home->timers = mem_zalloc(sizeof(*home->timers));
	timer_start(worker, &home->timers->forget, FORGET_EVERY_MS, home_forget);
	home->parts = mem_zalloc(server->module_count * sizeof(*home->parts));
	for (size_t i = 0; i < server->module_count; i++) {
		if (server->modules[i]->home_open)
			home->parts[i] = server->modules[i]->home_open(home);
	}
}

void home_close(struct home *home)
{
	struct server *server = home->server;

	home->closed = true;
	accounts_close(home);
	for (size_t i = server->module_count; i-- > 0;) {
		if (server->modules[i]->home_close)
			server->modules[i]->home_close(home, home->parts[i]);
	}
	outboxes_home_close(home);
	overdue_close(home);
	frozen_home_close(home);
	timer_stop(home->worker, &home->timers->forget);
	free(home->timers);
	free(home->parts);
	parser_set_free(&home->parsers);
	config_unref(&home->config);
}

static void config_arrive(struct worker *worker, struct mail *mail)
{
	struct config_mail *configured = (struct config_mail *)mail;
	struct home *home = home_of(worker);
	const struct config *old = home->config;

	home->config = configured->config;
	free(configured);
	for (const struct module *const *module = home->server->modules; *module; module++) {
		if ((*module)->home_configured)
			(*module)->home_configured(home);
	}
	accounts_configured(home);
	config_unref(&old);
}

void home_configure(struct home *home, const struct config *config)
{
	struct config_mail *mail = mem_zalloc(sizeof(*mail));

	mail->mail.arrive = config_arrive;
	mail->config = config_ref(config);
	worker_post(NULL, home->worker, &mail->mail);
}

/* Where a module is looked for first. Two modules are never closer than their size. */
static size_t module_slot(const struct module *module)
{
	return (uintptr_t)module / sizeof(*module) % MODULE_SLOTS;
}

void modules_number(struct server *server)
{
	assert(server->module_count < MODULE_SLOTS / 2);
	for (size_t number = 0; number < server->module_count; number++) {
		size_t slot = module_slot(server->modules[number]);

		while (server->module_slots[slot])
			slot = (slot + 1) % MODULE_SLOTS;
		server->module_slots[slot] = (uint8_t)(number + 1);
	}
}

size_t module_number(const struct server *server, const struct module *module)
{
	for (size_t slot = module_slot(module);; slot = (slot + 1) % MODULE_SLOTS) {
		size_t number = server->module_slots[slot];

		assert(number > 0);
		if (server->modules[number - 1] == module)
			return number - 1;
	}
}
