/* SPDX-License-Identifier: MIT
 *
 * The server's life, all on the main thread: start in the order in which one part needs the other, a new
 * configuration, stop in the reverse order when it has drained (drain.c). What is opened is in the struct
 * before the next step, so one function frees a server that stands and one that came half way.
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
#include "core/outbox.h"
#include "core/stream.h"
#include "home_inside.h"
#include "listening.h"
#include "server_inside.h"
#include "store/document.h"
#include "store/sqlite.h"

enum {
	BACKGROUND_THREADS = 2,
	BACKGROUND_QUEUE = 1000,
	SECRET_BYTES = 32,
	STORE_READERS = 2,
	STORE_QUEUE = 100000,
};

/* ---- waiting for others, on the main thread ---- */

void main_nap(long ms)
{
	const struct timespec nap = { .tv_nsec = ms * 1000000 };

	nanosleep(&nap, NULL);
}

bool main_step(struct server *server)
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
	if (!outboxes_start(server, error))
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
	outboxes_stop(server);
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

/* ---- leave ---- */

void server_stop(struct server **server)
{
	server_drain(*server);
	frozen_leave(*server);
	log_info((*server)->log, NULL, "server stopped");
	server_free(*server);
	*server = NULL;
}
