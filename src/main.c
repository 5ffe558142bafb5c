/* SPDX-License-Identifier: MIT
 *
 * hansad: reads its options, starts the server and waits on the main thread for a signal or for a wish of a
 * worker. SIGHUP reloads the configuration, SIGTERM and SIGINT drain and leave; memory that the allocator
 * holds without use is given back now and then.
 */
#include <getopt.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "core/config.h"
#include "core/server.h"
#include "modules.h"

enum {
	ARENAS_BESIDE_WORKERS = 4, /* of the allocator: store, background, main */
	TRIM_MS = 60000,
};

/* A reload that a worker waits for. */
struct reload_wish {
	struct reload_wish *next;
	void (*done)(void *context, char *error);
	void *context;
};

/* What other threads may touch is behind the lock; they wake the main thread through the eventfd. */
struct attendant {
	struct server *server;
	int signals, wake;
	pthread_mutex_t lock;
	struct reload_wish *wishes;
	bool leave;
};

static void usage(FILE *out)
{
	fputs("usage: hansad [-tv] [-c file] [--print-config | --print-manual]\n"
	      "  -c, --config FILE   the configuration (" HANSA_SYSCONFDIR "/hansa/hansa.conf)\n"
	      "  -t, --test          only check the configuration\n"
	      "  -v, --version       say the version\n"
	      "  --print-config      write an example configuration with all options\n"
	      "  --print-manual      write the options as a part of a manual page\n",
	      out);
}

/* ---- the process ---- */

static void process_prepare(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct rlimit files;

	signal(SIGPIPE, SIG_IGN);
	mallopt(M_ARENA_MAX, (int)cores + ARENAS_BESIDE_WORKERS);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

/* Before any thread is started: all of them inherit the mask. */
static int signals_open(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* ---- wishes of other threads ---- */

static void attendant_stop(struct server *server)
{
	struct attendant *attendant = server->main;

	pthread_mutex_lock(&attendant->lock);
	attendant->leave = true;
	pthread_mutex_unlock(&attendant->lock);
	eventfd_write(attendant->wake, 1);
}

static void attendant_reload(struct server *server, void (*done)(void *context, char *error), void *context)
{
	struct attendant *attendant = server->main;
	struct reload_wish *wish = mem_zalloc(sizeof(*wish)), **end;

	wish->done = done;
	wish->context = context;
	pthread_mutex_lock(&attendant->lock);
	for (end = &attendant->wishes; *end; end = &(*end)->next)
		continue;
	*end = wish;
	pthread_mutex_unlock(&attendant->lock);
	eventfd_write(attendant->wake, 1);
}

static void attendant_fulfil(struct attendant *attendant, struct reload_wish *wishes)
{
	struct reload_wish *next;

	for (; wishes; wishes = next) {
		next = wishes->next;
		wishes->done(wishes->context, server_reload(attendant->server));
		free(wishes);
	}
}

/* true: somebody wants the server to leave. */
static bool attendant_read_wishes(struct attendant *attendant)
{
	struct reload_wish *wishes;
	eventfd_t count;
	bool leave;

	if (eventfd_read(attendant->wake, &count) != 0)
		return false;
	pthread_mutex_lock(&attendant->lock);
	wishes = attendant->wishes;
	attendant->wishes = NULL;
	leave = attendant->leave;
	pthread_mutex_unlock(&attendant->lock);
	attendant_fulfil(attendant, wishes);
	return leave;
}

/* ---- signals ---- */

static void attendant_reload_now(struct attendant *attendant)
{
	char *error = server_reload(attendant->server);

	if (error)
		log_error(attendant->server->log, NULL, "configuration not reloaded",
		          LOG_STR("reason", error));
	free(error);
}

static bool attendant_read_signals(struct attendant *attendant)
{
	struct signalfd_siginfo signal_read;
	bool leave = false;

	while (read(attendant->signals, &signal_read, sizeof(signal_read)) == sizeof(signal_read)) {
		if (signal_read.ssi_signo == SIGHUP)
			attendant_reload_now(attendant);
		else
			leave = true;
	}
	return leave;
}

static void attendant_wait(struct attendant *attendant)
{
	struct pollfd fds[] = {
		{ .fd = attendant->signals, .events = POLLIN },
		{ .fd = attendant->wake, .events = POLLIN },
	};
	bool leave = false;

	while (!leave) {
		if (poll(fds, 2, TRIM_MS) == 0)
			malloc_trim(0);
		leave = attendant_read_signals(attendant);
		leave |= attendant_read_wishes(attendant);
	}
}

/* ---- what hansad is asked to do ---- */

static int run(const char *config_path)
{
	struct server_options options = { .config_path = config_path, .modules = modules };
	struct attendant attendant = { .lock = PTHREAD_MUTEX_INITIALIZER };
	char *error = NULL;

	process_prepare();
	attendant.signals = signals_open();
	attendant.wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	options.main = &attendant;
	options.stop = attendant_stop;
	options.reload = attendant_reload;
	attendant.server = server_start(&options, &error);
	if (!attendant.server) {
		fprintf(stderr, "hansad: %s\n", error);
		free(error);
		return EXIT_FAILURE;
	}
	attendant_wait(&attendant);
	server_stop(&attendant.server);
	close(attendant.signals);
	close(attendant.wake);
	return EXIT_SUCCESS;
}

static int check(const char *config_path)
{
	char *error = server_check(config_path, modules);

	if (!error) {
		printf("%s: no faults\n", config_path);
		return EXIT_SUCCESS;
	}
	fprintf(stderr, "%s\n", error);
	free(error);
	return EXIT_FAILURE;
}

static int print(void (*write)(const struct conf_section_kind *const *kinds, struct buf *out))
{
	const struct conf_section_kind **kinds = config_kinds(modules);
	struct buf out = { 0 };

	write(kinds, &out);
	fwrite(out.data, 1, out.len, stdout);
	buf_clear(&out);
	free(kinds);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "test", no_argument, NULL, 't' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ "print-config", no_argument, NULL, 'C' },
		{ "print-manual", no_argument, NULL, 'M' },
		{ 0 },
	};
	const char *config_path = HANSA_SYSCONFDIR "/hansa/hansa.conf";
	bool only_check = false;
	int option;

	while ((option = getopt_long(argc, argv, "c:tvh", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			config_path = optarg;
			break;
		case 't':
			only_check = true;
			break;
		case 'v':
			puts("hansad " HANSA_VERSION);
			return EXIT_SUCCESS;
		case 'C':
			return print(conf_write_example);
		case 'M':
			return print(conf_write_manual);
		default:
			usage(option == 'h' ? stdout : stderr);
			return option == 'h' ? EXIT_SUCCESS : EXIT_FAILURE;
		}
	}
	if (optind < argc) {
		usage(stderr);
		return EXIT_FAILURE;
	}
	return only_check ? check(config_path) : run(config_path);
}
