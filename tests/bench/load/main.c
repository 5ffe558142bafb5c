/* SPDX-License-Identifier: MIT
 *
 *	tests/bench/load/load MODE --host ADDRESS --domain NAME --pid PID[,PID...] [options]
 *
 * MODE: chat (pairs with a window), lone (one client, the time until its acknowledgement), idle, login. The answer is one
 * line of JSON: operations a second, the server's CPU time for one of them, how long they took.
 */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "load.h"

enum { DRAIN_MS = 20000, LOOK_MS = 20 };

uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void load_fail(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	vfprintf(stderr, format, values);
	va_end(values);
	fputc('\n', stderr);
	_exit(1);
}

/* ---- the phases: warm up, measure, leave ---- */

void load_count(struct load *load, uint64_t began_us)
{
	if (!load->measuring)
		return;
	if (load->operations == load->took_room) {
		load->took_room = load->took_room ? load->took_room * 2 : 1 << 16;
		load->took_us = mem_realloc(load->took_us, load->took_room * sizeof(*load->took_us));
	}
	load->took_us[load->operations++] = (uint32_t)(now_us() - began_us);
}

static uint64_t load_outstanding(const struct load *load)
{
	uint64_t outstanding = 0;

	for (unsigned i = 0; i < load->options.clients; i++)
		outstanding += load->clients[i].sent - load->clients[i].done;
	return outstanding;
}

/* All that was said must arrive. */
static void load_drain(struct worker *worker, struct timer *timer)
{
	struct load *load = LIST_MEMBER(timer, struct load, phase);
	uint64_t outstanding = load_outstanding(load);

	if (outstanding > 0 && now_us() > load->ended_us + DRAIN_MS * 1000ULL)
		load_fail("%llu messages were lost or are not acknowledged", (unsigned long long)outstanding);
	if (outstanding > 0)
		timer_start(worker, timer, LOOK_MS, load_drain);
	else
		sem_post(&load->done);
}

static void load_measured(struct worker *worker, struct timer *timer)
{
	struct load *load = LIST_MEMBER(timer, struct load, phase);

	load->cpu = cost_cpu(load->options.pids) - load->cpu;
	load->ended_us = now_us();
	load->measuring = false;
	load->leaving = true;
	load_drain(worker, timer);
}

static void load_measure(struct worker *worker, struct timer *timer)
{
	struct load *load = LIST_MEMBER(timer, struct load, phase);

	load->measuring = true;
	load->cpu = cost_cpu(load->options.pids);
	load->began_us = now_us();
	timer_start(worker, timer, (uint64_t)(load->options.seconds * 1000), load_measured);
}

void load_begin(struct load *load)
{
	if (load->mode->begin)
		load->mode->begin(load);
	timer_start(load->worker, &load->phase, (uint64_t)(load->options.warm_up * 1000), load_measure);
}

void load_open_next(struct load *load)
{
	if (load->mode->opens_all && load->opened == load->options.clients)
		return;
	client_open(&load->clients[load->opened++ % load->options.clients]);
}

void load_client_ready(struct client *client)
{
	struct load *load = client->load;

	load->ready++;
	if (load->ready == load->options.clients)
		load_begin(load);
	else
		load_open_next(load);
}

static void load_start(struct worker *worker, struct mail *mail)
{
	struct load *load = LIST_MEMBER(mail, struct load, mail);

	(void)worker;
	load->memory_before = cost_memory(load->options.pids);
	for (unsigned i = 0; i < load->options.at_once && i < load->options.clients; i++)
		load_open_next(load);
}

/* ---- the answer ---- */

static int took_compare(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static double took_ms(const struct load *load, unsigned percent)
{
	return load->operations ? load->took_us[(load->operations - 1) * percent / 100] / 1000.0 : 0;
}

static void load_report(struct load *load)
{
	double seconds = (double)(load->ended_us - load->began_us) / 1e6;
	double each = load->operations ? load->cpu * 1e6 / (double)load->operations : 0;

	if (load->operations)
		qsort(load->took_us, load->operations, sizeof(*load->took_us), took_compare);
	printf("{\"mode\": \"%s\", \"unit\": \"%s\", \"sm\": %s, \"ops\": %llu, \"seconds\": %.3f, \"ops_per_s\": %.1f, "
	       "\"server_cpu_s\": %.4f, \"server_cpu_us_per_op\": %.3f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, "
	       "\"memory_per_session\": %.0f, \"round_trips\": %u}\n", load->mode->name, load->mode->unit,
	       load->options.sm ? "true" : "false", (unsigned long long)load->operations, seconds,
	       (double)load->operations / seconds, load->cpu, each, took_ms(load, 50), took_ms(load, 99),
	       load->memory / load->options.clients, load->round_trips);
}

/* ---- options ---- */

static enum login_kind login_read(const char *name)
{
	if (strcmp(name, "sasl") == 0)
		return LOGIN_SASL;
	if (strcmp(name, "sasl2") == 0)
		return LOGIN_SASL2;
	if (strcmp(name, "fast") == 0)
		return LOGIN_FAST;
	load_fail("there is no login %s: sasl, sasl2, fast", name);
}

static const struct mode *const modes[] = { &mode_chat, &mode_lone, &mode_idle, &mode_login, NULL };

static const struct mode *mode_find(const char *name)
{
	for (const struct mode *const *mode = modes; *mode; mode++) {
		if (strcmp((*mode)->name, name) == 0)
			return *mode;
	}
	load_fail("there is no mode %s: chat, lone, idle, login", name);
}

enum { O_HOST = 256, O_PORT, O_DOMAIN, O_PID, O_PLAIN, O_DIRECT, O_NO_SM, O_FIRST, O_BODY, O_WARM_UP, O_PAUSE, O_WINDOW,
       O_LOGIN };

static const struct option long_options[] = {
	{ "host", required_argument, NULL, O_HOST },
	{ "port", required_argument, NULL, O_PORT },
	{ "domain", required_argument, NULL, O_DOMAIN },
	{ "pid", required_argument, NULL, O_PID },
	{ "plain", no_argument, NULL, O_PLAIN },
	{ "direct", no_argument, NULL, O_DIRECT },
	{ "no-sm", no_argument, NULL, O_NO_SM },
	{ "login", required_argument, NULL, O_LOGIN },
	{ "clients", required_argument, NULL, 'n' },
	{ "first", required_argument, NULL, O_FIRST },
	{ "at-once", required_argument, NULL, 'c' },
	{ "window", required_argument, NULL, O_WINDOW },
	{ "body", required_argument, NULL, O_BODY },
	{ "warm-up", required_argument, NULL, O_WARM_UP },
	{ "seconds", required_argument, NULL, 't' },
	{ "pause", required_argument, NULL, O_PAUSE },
	{ 0 },
};

static void option_read(struct load_options *options, int option, char *value)
{
	switch (option) {
	case O_HOST: options->host = value; break;
	case O_PORT: options->port = (uint16_t)atoi(value); break;
	case O_DOMAIN: options->domain = value; break;
	case O_PID: options->pids = value; break;
	case O_PLAIN: options->plain = true; break;
	case O_DIRECT: options->direct = true; break;
	case O_NO_SM: options->sm = false; break;
	case O_LOGIN: options->login = login_read(value); break;
	case 'n': options->clients = (unsigned)atoi(value); break;
	case O_FIRST: options->first = (unsigned)atoi(value); break;
	case 'c': options->at_once = (unsigned)atoi(value); break;
	case O_WINDOW: options->window = (unsigned)atoi(value); break;
	case O_BODY: options->body = (unsigned)atoi(value); break;
	case O_WARM_UP: options->warm_up = atof(value); break;
	case 't': options->seconds = atof(value); break;
	case O_PAUSE: options->pause = atof(value); break;
	default: exit(2);
	}
}

static void options_read(struct load *load, int argc, char **argv)
{
	struct load_options *options = &load->options;
	int option;

	*options = (struct load_options){ .host = "127.0.0.1", .port = 5222, .sm = true, .clients = 2, .first = 1,
	                                  .at_once = 20, .window = 4, .body = 80, .warm_up = 2, .seconds = 5,
	                                  .pause = 0.02 };
	while ((option = getopt_long(argc, argv, "n:c:t:", long_options, NULL)) != -1)
		option_read(options, option, optarg);
	if (optind + 1 != argc || !options->domain)
		load_fail("usage: %s MODE --host ADDRESS --domain NAME --pid PID[,PID...] [options]", argv[0]);
	load->mode = mode_find(argv[optind]);
	if (options->window < 1 || options->window > OPERATIONS_IN_FLIGHT || options->clients < 1)
		load_fail("--window is 1 to %d, --clients at least 1", OPERATIONS_IN_FLIGHT);
}

static void files_allow_all(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
	static struct load load;
	const struct hash_seed seed = { 0, 0 };
	struct workers_options workers = { .count = 1, .clock = &clock_system, .entropy = &entropy_system };
	char *error = NULL;

	options_read(&load, argc, argv);
	id_random(&entropy_system, load.run);
	files_allow_all();
	load.workers = workers_new(&workers);
	load.worker = workers_at(load.workers, 0);
	load.parsers = parser_set_new(&seed);
	load.tls = tls_client_new(NULL, TLS_1_2, &error);
	load.clients = mem_zalloc(load.options.clients * sizeof(*load.clients));
	for (unsigned i = 0; i < load.options.clients; i++) {
		load.clients[i].load = &load;
		load.clients[i].number = load.options.first + i;
	}
	sem_init(&load.done, 0, 0);
	load.mail.arrive = load_start;
	worker_post(NULL, load.worker, &load.mail);
	workers_start(load.workers);
	while (sem_wait(&load.done) != 0)
		;
	workers_stop(load.workers);
	load_report(&load);
	return 0;
}
