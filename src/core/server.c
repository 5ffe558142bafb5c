/* SPDX-License-Identifier: MIT
 *
 * The server's life, all on the main thread: start in the order in which one part needs the other, a new
 * configuration, drain and stop in the reverse order. What is opened is in the struct before the next step,
 * so one function frees a server that stands and one that came half way.
 */
#include "core/server.h"

#include <assert.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/mem.h"
#include "core/account.h"
#include "core/frozen.h"
#include "core/stream.h"
#include "home_inside.h"
#include "listening.h"
#include "store/document.h"
#include "store/sqlite.h"

enum {
	DRAIN_SESSIONS_MS = 2000,       /* for clients to say goodbye, */
	DRAIN_MS = 3000,                /* then for servers and components, */
	ABORT_MS = 1000,                /* and for what is returned to be kept */
	DRAIN_LOOK_MS = 10,
	QUIET_VISITS = 4,
	BACKGROUND_THREADS = 2,
	BACKGROUND_QUEUE = 1000,
	SECRET_BYTES = 32,
	STORE_READERS = 2,
	STORE_QUEUE = 100000,
};

/* ---- waiting for others, on the main thread ---- */

static void main_nap(long ms)
{
	const struct timespec nap = { .tv_nsec = ms * 1000000 };

	nanosleep(&nap, NULL);
}

/* Lets stepped workers, or the caller's store, take a step; false: nothing of the kind, somebody else's
 * thread must. */
static bool main_step(struct server *server)
{
	if (!server->stepped || workers_step(server->workers))
		return server->stepped;
	if (server->idle)
		server->idle(server->idle_context);
	return server->idle != NULL;
}

/* Waits until somebody has posted done. */
static void main_await(struct server *server, sem_t *done)
{
	while (!server->stepped && sem_wait(done) != 0)
		continue;
	while (server->stepped && sem_trywait(done) != 0) {
		if (!main_step(server))
			main_nap(1);
	}
}

struct home_visit {
	struct mail mail;
	void (*visit)(struct home *home, void *context);
	void *context;
	sem_t *done;
};

static void visit_arrive(struct worker *worker, struct mail *mail)
{
	struct home_visit *visit = (struct home_visit *)mail;

	visit->visit(home_of(worker), visit->context);
	sem_post(visit->done);
}

void server_visit_homes(struct server *server, void (*visit)(struct home *home, void *context), void *context)
{
	size_t count = workers_count(server->workers);
	struct home_visit *visits = mem_zalloc(count * sizeof(*visits));
	sem_t done;

	sem_init(&done, 0, 0);
	for (size_t i = 0; i < count; i++) {
		visits[i] = (struct home_visit){ .visit = visit, .context = context, .done = &done };
		visits[i].mail.arrive = visit_arrive;
		worker_post(NULL, server->homes[i].worker, &visits[i].mail);
	}
	for (size_t i = 0; i < count; i++)
		main_await(server, &done);
	sem_destroy(&done);
	free(visits);
}

/* ---- start ---- */

static bool server_open_log(struct server *server, const struct server_options *options, char **error)
{
	const struct config *config = server->config;
	const char *reason;

	server->owns_log = !options->log;
	server->log = options->log
	                      ? options->log
	                      : log_open(config->log_target, config->log_path, config->log_level, &reason);
	if (!server->log)
		*error = str_printf("cannot open the log file %s: %s", config->log_path, reason);
	return server->log != NULL;
}

static void server_open_workers(struct server *server, const struct server_options *options)
{
	struct workers_options workers = {
		.count = server->config->workers,
		.stepped = options->stepped,
		.clock = options->clock ? options->clock : &clock_system,
		.entropy = options->entropy ? options->entropy : &entropy_system,
		.log = server->log,
	};

	if (options->seed)
		workers.seed = *options->seed;
	else
		entropy_fill(workers.entropy, &workers.seed, sizeof(workers.seed));
	server->workers = workers_new(&workers);
	server->background = background_new(BACKGROUND_THREADS, BACKGROUND_QUEUE, options->stepped);
	server->admission =
		admission_new(server->config->limits.unauthenticated_per_address,
		              server->config->limits.unauthenticated, server->config->trusted,
	                      server->config->trusted_count, &workers.seed);
	server->started_ms = clock_monotonic_ms(workers.clock);
}

static bool server_open_store(struct server *server, char **error)
{
	const struct store_sqlite_options options = {
		.path = server->config->store_path,
		.readers = STORE_READERS,
		.queue_limit = STORE_QUEUE,
		.patience_ms = server->config->store_patience_ms,
		.log = server->log,
	};

	if (!server->store)
		server->store = store_sqlite_open(&options, error);
	return server->store != NULL;
}

static void secret_make(struct server *server, char secret[2 * SECRET_BYTES + 1])
{
	uint8_t bytes[SECRET_BYTES];
	struct buf hex = { 0 };

	entropy_fill(worker_entropy(workers_at(server->workers, 0)), bytes, sizeof(bytes));
	hex_encode(&hex, bytes, sizeof(bytes));
	memcpy(secret, hex.data, hex.len);
	secret[hex.len] = '\0';
	mem_wipe(bytes, sizeof(bytes));
	buf_clear(&hex);
}

static void ask_answered(struct store_request *request)
{
	sem_post(request->context);
}

void server_ask(struct server *server, struct store_request *request)
{
	sem_t done;

	sem_init(&done, 0, 0);
	request->worker = server->stepped ? workers_at(server->workers, 0) : NULL;
	request->done = ask_answered;
	request->context = &done;
	store_submit(server->store, request);
	main_await(server, &done);
	sem_destroy(&done);
}

/* Whoever comes first has made it; everybody after finds it. */
static bool server_fix_secret(struct server *server, char **error)
{
	struct store_document *put = store_request_new(sizeof(*put), STORE_DOCUMENT_PUT, NULL, "", 0, NULL);
	char made[2 * SECRET_BYTES + 1];
	const char *stands;

	secret_make(server, made);
	put->kind = "secret";
	put->key = "server";
	put->text = arena_str(&put->request.arena, made);
	put->text_len = strlen(made);
	put->create_only = true;
	server_ask(server, &put->request);
	stands = put->request.status == STORE_OK         ? made
	         : put->request.status == STORE_CONFLICT ? put->text
	                                                 : "";
	if (strlen(stands) == sizeof(made) - 1)
		memcpy(server->secret, stands, sizeof(made));
	else
		*error = str_dup("the store could not answer; its log lines say why");
	mem_wipe(made, sizeof(made));
	store_request_free(&put->request);
	return server->secret[0] != '\0';
}

static bool server_start_modules(struct server *server, char **error)
{
	for (; server->started < server->module_count; server->started++) {
		const struct module *module = server->modules[server->started];

		if (module->start && !module->start(server, error))
			return false;
	}
	return true;
}

static void server_open_homes(struct server *server)
{
	size_t count = workers_count(server->workers);

	server->homes = mem_zalloc(count * sizeof(*server->homes));
	for (size_t i = 0; i < count; i++)
		home_open(&server->homes[i], server, workers_at(server->workers, i));
}

static bool server_open(struct server *server, const struct server_options *options, char **error)
{
	server->config = config_load(options->config_path, options->modules, error);
	if (!server->config || !server_open_log(server, options, error))
		return false;
	server_open_workers(server, options);
	if (!server_open_store(server, error) || !server_fix_secret(server, error) ||
	    !server_start_modules(server, error))
		return false;
	frozen_open(server);
	server_open_homes(server);
	return listening_update(server, server->config, error);
}

static void server_free(struct server *server)
{
	listening_stop(server);
	if (server->running)
		workers_stop(server->workers);
	background_free(&server->background);
	store_close(&server->store);
	if (server->workers)
		workers_finish(server->workers);
	for (size_t i = 0; server->homes && i < workers_count(server->workers); i++)
		home_close(&server->homes[i]);
	while (server->started-- > 0) {
		if (server->modules[server->started]->stop)
			server->modules[server->started]->stop(server);
	}
	frozen_close(server);
	admission_free(&server->admission);
	workers_free(&server->workers);
	config_unref(&server->config);
	if (server->owns_log)
		log_close(&server->log);
	mem_wipe(server->secret, sizeof(server->secret));
	free(server->homes);
	free(server->config_path);
	free(server);
}

struct server *server_start(const struct server_options *options, char **error)
{
	struct server *server = mem_zalloc(sizeof(*server));

	list_init(&server->listeners);
	server->modules = options->modules;
	while (server->modules[server->module_count])
		server->module_count++;
	modules_number(server);
	server->store = options->store;
	server->config_path = str_dup(options->config_path);
	server->stepped = options->stepped;
	server->main = options->main;
	server->stop = options->stop;
	server->idle = options->idle;
	server->idle_context = options->idle_context;
	server->reload = options->reload;
	if (!server_open(server, options, error)) {
		server_free(server);
		return NULL;
	}
	workers_start(server->workers);
	server->running = true;
	log_info(server->log, NULL, "server started", LOG_STR("version", HANSA_VERSION),
	         LOG_INT("workers", workers_count(server->workers)),
	         LOG_INT("hosts", server->config->host_count));
	return server;
}

/* ---- a new configuration ---- */

char *server_check(const char *config_path, const struct module *const *modules)
{
	char *error = NULL;
	const struct config *config = config_load(config_path, modules, &error);

	config_unref(&config);
	return error;
}

/* What threads and files were opened from stays as it was. */
static void server_note_restart(const struct server *server, const struct config *config)
{
	const struct config *old = server->config;

	if (config->workers != old->workers || strcmp(config->store_path, old->store_path) != 0 ||
	    config->store_patience_ms != old->store_patience_ms || strcmp(config->control_path, old->control_path) != 0)
		log_warn(server->log, NULL, "a change of workers, store or control needs a restart");
}

char *server_reload(struct server *server)
{
	char *error = NULL;
	const struct config *config = config_load(server->config_path, server->modules, &error);

	if (!config)
		return error;
	if (!listening_update(server, config, &error)) {
		config_unref(&config);
		return error;
	}
	server_note_restart(server, config);
	if (server->owns_log)
		log_reopen(server->log, config->log_level);
	admission_set(server->admission, config->limits.unauthenticated_per_address,
	              config->limits.unauthenticated, config->trusted,
	              config->trusted_count);
	for (size_t i = 0; i < workers_count(server->workers); i++)
		home_configure(&server->homes[i], config);
	config_unref(&server->config);
	server->config = config;
	log_info(server->log, NULL, "configuration reloaded", LOG_INT("hosts", config->host_count));
	return NULL;
}

/* ---- drain and leave ---- */

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

/* Sessions end first: others are told by links and components that somebody has gone. A peer that does not close its
 * side is cut off; what it had not taken goes back and is kept. */
static void server_drain(struct server *server)
{
	log_info(server->log, NULL, "server drains");
	listening_stop(server);
	server_visit_homes(server, home_drain, NULL);
	server_await_quiet(server, home_count_sessions, DRAIN_SESSIONS_MS);
	server_visit_homes(server, home_drain_late, NULL);
	server_await_quiet(server, home_count_open, DRAIN_MS);
	server_visit_homes(server, home_abort, NULL);
	server_await_quiet(server, home_count_open, ABORT_MS);
}

void server_stop(struct server **server)
{
	server_drain(*server);
	frozen_leave(*server);
	log_info((*server)->log, NULL, "server stopped");
	server_free(*server);
	*server = NULL;
}
