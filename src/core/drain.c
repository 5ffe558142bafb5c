/* SPDX-License-Identifier: MIT
 *
 * The server leaves: sessions end first, since others are told by links and components that somebody has gone; then links and
 * components. A peer that does not close its side in time is cut off; what it had not taken goes back and is kept.
 */
#include "server_inside.h"

#include "core/account.h"
#include "core/stream.h"
#include "listening.h"

enum {
	DRAIN_SESSIONS_MS = 2000,       /* for clients to say goodbye, */
	DRAIN_MS = 3000,                /* then for servers and components, */
	CUT_MS = 1000,                  /* and after each for what is returned to be kept */
	DRAIN_LOOK_MS = 10,
	QUIET_VISITS = 4,
};

static void home_drain_modules(struct home *home, bool late)
{
	for (const struct module *const *module = home->server->modules; *module; module++) {
		if ((*module)->home_drain && (*module)->drains_late == late)
			(*module)->home_drain(home);
	}
}

static void home_drain(struct home *home, void *context)
{
	(void)context;
	home->draining = true;
	accounts_drain(home);
	home_drain_modules(home, false);
}

/* A client that does not close its side. */
static void home_cut_sessions(struct home *home, void *context)
{
	(void)context;
	for (const struct module *const *module = home->server->modules; *module; module++) {
		if ((*module)->home_cut)
			(*module)->home_cut(home);
	}
}

static void home_drain_late(struct home *home, void *context)
{
	(void)context;
	home_drain_modules(home, true);
}

static void home_count_sessions(struct home *home, void *context)
{
	atomic_size_t *open = context;

	atomic_fetch_add(open, figure_get(&home->figures.sessions));
}

static void home_count_open(struct home *home, void *context)
{
	atomic_size_t *open = context;

	atomic_fetch_add(open, home->streams);
	home_count_sessions(home, context);
}

/* Nothing that count() counts, and nobody waits for the store. Each visit shows that the mail before it has been
 * read, answers of the store too; several, that nothing came of it. */
static bool server_is_quiet(struct server *server, void (*count)(struct home *home, void *open))
{
	for (int visits = 0; visits < QUIET_VISITS; visits++) {
		struct store_figures figures;
		atomic_size_t open = 0;

		server_visit_homes(server, count, &open);
		if (open > 0)
			return false;
		store_figures(server->store, &figures);
		if (figures.waiting > 0)
			return false;
	}
	return true;
}

static void server_await_quiet(struct server *server, void (*count)(struct home *home, void *open), uint32_t most_ms)
{
	uint64_t until_ms = clock_monotonic_ms(&clock_system) + most_ms;

	while (!server_is_quiet(server, count) && clock_monotonic_ms(&clock_system) < until_ms) {
		if (!main_step(server))
			main_nap(DRAIN_LOOK_MS);
	}
}

static void home_abort(struct home *home, void *context)
{
	(void)context;
	streams_abort(home, "the server leaves");
}

void server_drain(struct server *server)
{
	log_info(server->log, NULL, "server drains");
	listening_stop(server);
	server_visit_homes(server, home_drain, NULL);
	server_await_quiet(server, home_count_sessions, DRAIN_SESSIONS_MS);
	server_visit_homes(server, home_cut_sessions, NULL);
	server_await_quiet(server, home_count_sessions, CUT_MS);
	server_visit_homes(server, home_drain_late, NULL);
	server_await_quiet(server, home_count_open, DRAIN_MS);
	server_visit_homes(server, home_abort, NULL);
	server_await_quiet(server, home_count_open, CUT_MS);
}
