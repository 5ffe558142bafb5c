/* SPDX-License-Identifier: MIT
 *
 * How long archives are kept: each host's bounds by time, number and size, for each of its accounts alike. What lies beyond
 * them goes in the background, the oldest first; what is undelivered stays.
 *
 * One walk for the server, on its first home: a while after the start and then once an hour (option archive-expiry) it asks
 * the store, some accounts at a time, which of them have more than their bounds, and takes that away in small steps, so that it never holds the
 * store up for long. It needs nobody to log in.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "core/journal.h"
#include "core/module.h"
#include "core/server.h"
#include "net/timer.h"
#include "store/journal.h"

extern const struct module retention_module;

enum {
	FIRST_MS = 60000,      /* after the start, at most */
	STEP_MS = 100,         /* between two questions to the store */
	ACCOUNTS_AT_ONCE = 20, /* looked at */
	ENTRIES_AT_ONCE = 200, /* taken away */
};

/* Of a host; 0: no bound. */
struct bounds {
	uint64_t keep_ms;
	size_t entries;
	uint64_t bytes;
};

struct retention {
	uint32_t pause_ms;     /* from the end of a walk to the next */
	struct bounds *bounds; /* in the order of config->hosts */
};

/* The first home's part. */
struct walk {
	struct home *home;
	struct timer timer;
	size_t host;                         /* that is being looked through */
	char *after;                         /* the last account looked at; NULL: none yet */
	struct store_journal_surplus *found; /* accounts with too much; NULL: to be asked for */
	size_t next;                         /* of them */
};

static void walk_looked(struct store_request *request);
static void walk_expired(struct store_request *request);
static void walk_goes_on(struct worker *worker, struct timer *timer);

static void walk_rest(struct walk *walk, uint32_t ms)
{
	timer_start(walk->home->worker, &walk->timer, ms, walk_goes_on);
}

static uint32_t walk_pause_ms(const struct walk *walk)
{
	const struct retention *retention = config_part(walk->home->config, &retention_module);

	return retention->pause_ms;
}

/* ---- which accounts ---- */

static void walk_set_after(struct walk *walk, const char *account)
{
	free(walk->after);
	walk->after = account ? str_dup(account) : NULL;
}

static uint64_t sequence_before(const struct walk *walk, const struct bounds *bounds)
{
	int64_t now_us = clock_wall_us(worker_clock(walk->home->worker));

	return bounds->keep_ms ? journal_sequence_at(now_us - (int64_t)bounds->keep_ms * 1000) : 0;
}

static void walk_look(struct walk *walk, const struct host *host, const struct bounds *bounds)
{
	struct store_journal_surplus *surplus =
		store_request_new(sizeof(*surplus), STORE_JOURNAL_SURPLUS, walk->home->worker, host->domain,
	                          strlen(host->domain), walk_looked);

	surplus->after = walk->after ? arena_str(&surplus->request.arena, walk->after) : NULL;
	surplus->limit = ACCOUNTS_AT_ONCE;
	surplus->before = sequence_before(walk, bounds);
	surplus->most = bounds->entries;
	surplus->most_bytes = bounds->bytes;
	store_submit(walk->home->server->store, &surplus->request);
}

static bool bounds_are_none(const struct bounds *bounds)
{
	return bounds->keep_ms == 0 && bounds->entries == 0 && bounds->bytes == 0;
}

static void walk_next_host(struct walk *walk)
{
	walk_set_after(walk, NULL);
	walk->host++;
}

/* A host without bounds is passed over; behind the last the walk is over. */
static void walk_ask(struct walk *walk)
{
	const struct config *config = walk->home->config;
	const struct retention *retention = config_part(config, &retention_module);
	const struct bounds *bounds = retention->bounds;

	while (walk->host < config->host_count && bounds_are_none(&bounds[walk->host]))
		walk_next_host(walk);
	if (walk->host < config->host_count) {
		walk_look(walk, &config->hosts[walk->host], &bounds[walk->host]);
		return;
	}
	walk->host = 0;
	walk_rest(walk, walk_pause_ms(walk));
}

/* A walk that the store does not answer begins anew later. */
static void walk_looked(struct store_request *request)
{
	struct walk *walk = home_part(home_of(request->worker), &retention_module);
	struct store_journal_surplus *surplus = (struct store_journal_surplus *)request;

	if (request->status != STORE_OK) {
		store_request_free(request);
		walk_set_after(walk, NULL);
		walk->host = 0;
		walk_rest(walk, walk_pause_ms(walk));
		return;
	}
	walk->found = surplus;
	walk->next = 0;
	if (surplus->last)
		walk_set_after(walk, surplus->last);
	else
		walk_next_host(walk);
	walk_rest(walk, STEP_MS);
}

/* ---- what goes ---- */

static void walk_expire(struct walk *walk)
{
	const char *account = walk->found->accounts[walk->next];
	struct store_journal_expire *expire = store_request_new(sizeof(*expire), STORE_JOURNAL_EXPIRE, walk->home->worker,
	                                                        account, strlen(account), walk_expired);

	expire->before = walk->found->below[walk->next];
	expire->limit = ENTRIES_AT_ONCE;
	store_submit(walk->home->server->store, &expire->request);
}

static void walk_expired(struct store_request *request)
{
	const struct store_journal_expire *expire = (const struct store_journal_expire *)request;
	struct home *home = home_of(request->worker);
	struct walk *walk = home_part(home, &retention_module);

	if (request->status == STORE_OK)
		figure_add(&home->figures.expired, (int64_t)expire->removed);
	if (request->status != STORE_OK || expire->removed < ENTRIES_AT_ONCE)
		walk->next++;
	store_request_free(request);
	walk_rest(walk, STEP_MS);
}

static void walk_goes_on(struct worker *worker, struct timer *timer)
{
	struct walk *walk = LIST_MEMBER(timer, struct walk, timer);

	(void)worker;
	if (walk->home->draining)
		return;
	if (walk->found && walk->next < walk->found->count) {
		walk_expire(walk);
		return;
	}
	if (walk->found)
		store_request_free(&walk->found->request);
	walk->found = NULL;
	walk_ask(walk);
}

/* ---- the module ---- */

static void walk_begin_soon(struct walk *walk)
{
	uint32_t pause_ms = walk_pause_ms(walk);

	walk_rest(walk, pause_ms < FIRST_MS ? pause_ms : FIRST_MS);
}

static void *retention_home_open(struct home *home)
{
	struct walk *walk;

	if (worker_number(home->worker) != 0)
		return NULL;
	walk = mem_zalloc(sizeof(*walk));
	walk->home = home;
	walk_begin_soon(walk);
	return walk;
}

static void retention_home_close(struct home *home, void *part)
{
	struct walk *walk = part;

	if (!walk)
		return;
	timer_stop(home->worker, &walk->timer);
	if (walk->found)
		store_request_free(&walk->found->request);
	free(walk->after);
	free(walk);
}

/* Hosts may have others by now. A walk that is under way goes on with them. */
static void retention_home_configured(struct home *home)
{
	struct walk *walk = home_part(home, &retention_module);

	if (!walk)
		return;
	walk_set_after(walk, NULL);
	walk->host = 0;
	if (timer_is_running(&walk->timer) && !walk->found)
		walk_begin_soon(walk);
}

static const struct conf_option journal_options[] = {
	{ .name = "archive-keep", .type = CONF_TIME, .fallback = "0s", .max = INT64_C(3153600000000),
	  .sentence = "How long messages stay in the archives of users, such as 365d; 0s: for ever. What is undelivered stays." },
	{ .name = "archive-messages", .type = CONF_INT, .fallback = "1000000", .max = INT64_C(1000000000),
	  .sentence = "How many messages stay in the archive of a user, the newest; 0: any number." },
	{ .name = "archive-size", .type = CONF_SIZE, .fallback = "1GB", .max = INT64_C(1) << 50,
	  .sentence = "How large the messages in the archive of a user may be together; the oldest go. 0: any size." },
	{ .name = "archive-expiry", .type = CONF_TIME, .fallback = "1h", .min = 100, .max = 86400000,
	  .sentence = "How often archives are looked through for what is too much or too old." },
	{ 0 },
};

static const struct conf_option host_options[] = {
	{ .name = "archive-keep", .type = CONF_TIME, .max = INT64_C(3153600000000), .example = "365d",
	  .sentence = "Like archive-keep in section journal, for this host." },
	{ .name = "archive-messages", .type = CONF_INT, .max = INT64_C(1000000000), .example = "100000",
	  .sentence = "Like archive-messages in section journal, for this host." },
	{ .name = "archive-size", .type = CONF_SIZE, .max = INT64_C(1) << 50, .example = "100MB",
	  .sentence = "Like archive-size in section journal, for this host." },
	{ 0 },
};

static const struct conf_section_kind options[] = {
	{ .name = "journal", .options = journal_options },
	{ .name = "host", .titled = true, .options = host_options },
	{ 0 },
};

/* A host's own bound, or that of all. */
static uint64_t bound_read(const struct conf *conf, const struct conf_section *host, const char *option)
{
	return (uint64_t)conf_number(conf_is_set(host, option) ? host : conf_section(conf, "journal"), option);
}

static void *retention_configure(struct config *config, const struct conf *conf, char **error)
{
	struct retention *retention = arena_alloc(&config->arena, sizeof(*retention));
	struct bounds *bounds = arena_alloc(&config->arena, config->host_count * sizeof(*bounds));

	(void)error;
	retention->pause_ms = (uint32_t)conf_number(conf_section(conf, "journal"), "archive-expiry");
	retention->bounds = bounds;
	for (size_t i = 0; i < config->host_count; i++) {
		const struct conf_section *host = conf_section_at(conf, "host", i);

		bounds[i] = (struct bounds){
			.keep_ms = bound_read(conf, host, "archive-keep"),
			.entries = (size_t)bound_read(conf, host, "archive-messages"),
			.bytes = bound_read(conf, host, "archive-size"),
		};
	}
	return retention;
}

const struct module retention_module = {
	.name = "retention",
	.options = options,
	.configure = retention_configure,
	.home_open = retention_home_open,
	.home_close = retention_home_close,
	.home_configured = retention_home_configured,
};
