/* SPDX-License-Identifier: MIT
 *
 * An outbox against a far side that the test plays: it has room or not, acknowledges, breaks off, and the server crashes. What
 * must hold is what a sender notices: what was taken arrives, in order, or comes back.
 */
#include "core/outbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/core/outbox_inside.h"
#include "../support/store_trial.h"
#include "base/map.h"
#include "core/router.h"
#include "world.h"
#include "xmpp/parser.h"

#define ANN "ann@north.example/desk"
#define BOB "bob@south.example"

enum { MANY = 4000 };

struct desk {
	struct world *world;
	struct server server;
	struct home home;
	struct config config;
	struct outbox *outbox;
	struct outbox_limits limits;
	bool has_room;
	struct parcel *handed[MANY];    /* and not answered, oldest first */
	size_t handed_count;
	unsigned sent;                  /* stanzas are numbered from 1 */
	unsigned arrived[MANY];         /* how often each has come to the far side */
	unsigned newest;                /* the highest number that has arrived: what comes first, comes in order */
	bool durable[MANY], taken[MANY], refused[MANY], returned[MANY];
	struct buf heard;               /* what came back as errors */
	bool delayed;                   /* the last one that was handed */
};

static struct desk *desk; /* what callbacks without a context find */

static unsigned number_of(const struct stanza *stanza)
{
	return (unsigned)strtoul(stanza->id, NULL, 10);
}

/* ---- the owner ---- */

static const struct outbox_limits *desk_limits(const void *owner)
{
	return &((const struct desk *)owner)->limits;
}

static struct outbox_excuse desk_excuse(const void *owner)
{
	(void)owner;
	return (struct outbox_excuse){ STANZA_REMOTE_SERVER_TIMEOUT, "not reached" };
}

static bool desk_has_room(const void *owner)
{
	return ((const struct desk *)owner)->has_room;
}

static void desk_hand(void *owner, struct parcel *parcel)
{
	struct desk *d = owner;

	d->delayed = parcel->delayed;
	d->handed[d->handed_count++] = parcel;
}

static void desk_changed(void *owner)
{
	outbox_push(((struct desk *)owner)->outbox);
}

static const struct outbox_class desk_class = {
	.limits = desk_limits,
	.excuse = desk_excuse,
	.has_room = desk_has_room,
	.hand = desk_hand,
	.changed = desk_changed,
};

/* ---- where errors go ---- */

static struct worker *errors_home(struct home *from, const struct parcel *parcel)
{
	(void)parcel;
	return from->worker;
}

static void errors_deliver(struct home *home, struct parcel *parcel)
{
	desk->returned[number_of(parcel->stanza)] = true;
	stanza_write(&desk->heard, parcel->stanza, NULL);
	parcel_taken(home, &parcel);
}

static const struct destination_class errors = { "errors", errors_home, errors_deliver };

/* ---- a server ---- */

static bool desk_step(struct desk *d)
{
	return workers_step(d->world->workers) || store_trial_step(d->server.store);
}

static void desk_settle(struct desk *d)
{
	while (desk_step(d))
		;
}

static void desk_pass(struct desk *d, uint64_t ms)
{
	desk_settle(d);
	for (uint64_t until = d->world->now_ms + ms; d->world->now_ms < until; desk_settle(d))
		d->world->now_ms += 10;
}

static void list_came(struct store_request *request)
{
	(void)request;
}

static struct store_outbox_list *desk_list(struct desk *d)
{
	struct store_outbox_list *list = store_request_new(sizeof(*list), STORE_OUTBOX_LIST, NULL, "", 0, list_came);

	store_submit(d->server.store, &list->request);
	desk_settle(d);
	assert_int_equal(list->request.status, STORE_OK);
	return list;
}

static void desk_restore(void *context, const char *name, const struct store_outbox *left)
{
	assert_string_equal(name, "north south");
	outbox_restore(((struct desk *)context)->outbox, left);
}

static void desk_start(struct desk *d)
{
	d->server.outboxes = desk_list(d);
	outboxes_home_open(&d->home);
	d->outbox = outbox_new(&d->home, &desk_class, d, "test north south");
	outboxes_left(&d->home, "test", desk_restore, d);
	outboxes_left(&d->home, "tes", NULL, NULL);
}

static void desk_stop(struct desk *d)
{
	while (d->handed_count > 0)
		parcel_free(&d->handed[--d->handed_count]);
	outbox_free(&d->outbox);
	outboxes_home_close(&d->home);
	outboxes_stop(&d->server);
}

static int desk_setup(void **state)
{
	struct desk *d = mem_zalloc(sizeof(*d));

	d->world = world_new(1, true);
	d->world->now_ms = 1700000000000;
	d->home.worker = world_worker(d->world, 0);
	worker_set_owner(d->home.worker, &d->home);
	d->home.server = &d->server;
	d->home.config = &d->config;
	d->home.parsers = parser_set_new(worker_seed(d->home.worker));
	d->server.workers = d->world->workers;
	d->server.homes = &d->home;
	d->server.store = store_trial_open(1);
	d->config.write_after_ms = 100;
	d->config.limits.outbox_bytes = 100000000;
	d->config.domains = map_new(worker_seed(d->home.worker));
	d->config.remote = &errors;
	d->limits = (struct outbox_limits){ 100000, 10000000, 1000000, 86400000, 60000, 30000 };
	*state = desk = d;
	desk_start(d);
	return 0;
}

static int desk_teardown(void **state)
{
	struct desk *d = *state;

	desk_settle(d);
	desk_stop(d);
	store_close(&d->server.store);
	parser_set_free(&d->home.parsers);
	map_free(&d->config.domains);
	world_free(d->world);
	buf_clear(&d->heard);
	free(d);
	return 0;
}

/* kill -9: nobody is told anything any more, and what the store has not begun it never hears of. */
static void desk_crash(struct desk *d)
{
	while (workers_step(d->world->workers))
		;
	store_trial_lose(d->server.store);
	desk_stop(d);
	desk_settle(d);
	desk_start(d);
	desk_settle(d);
}

/* ---- senders ---- */

static void sender_answered(struct home *home, struct parcel *parcel)
{
	unsigned number = number_of(parcel->stanza);

	(void)home;
	assert_false(desk->taken[number] || desk->refused[number]);
	desk->taken[number] = parcel->answer == PARCEL_TAKEN;
	desk->refused[number] = parcel->answer == PARCEL_REFUSED;
	parcel_free(&parcel);
}

/* Ann says it to Bob; to: it is broadcast, and this is where the copy goes. */
static void desk_says(struct desk *d, const char *kind, const char *type, const char *content, const char *to)
{
	char *xml = str_printf("<%s type='%s' id='%u' from='" ANN "'%s>%s</%s>", kind, type, ++d->sent,
	                       to ? "" : " to='" BOB "'", content, kind);
	struct stanza *stanza = stanza_new(0);
	const struct stanza *sealed;
	struct parcel *parcel;
	struct jid address;

	assert_int_equal(stanza_read(stanza, parser_text(d->home.parsers, &stanza->arena, "jabber:client", xml, strlen(xml),
	                                                 &parser_limits_default), NULL), STANZA_CHECK_OK);
	if (to)
		assert_true(jid_prepare(&stanza->arena, to, strlen(to), JID_ANY, &address));
	sealed = stanza_seal(stanza);
	parcel = parcel_new(&d->home, sealed, to ? &address : NULL);
	parcel->answered = sender_answered;
	stanza_unref(&sealed);
	free(xml);
	outbox_add(d->outbox, parcel);
}

static void desk_says_message(struct desk *d)
{
	d->durable[d->sent + 1] = true;
	desk_says(d, "message", "chat", "<body>hello</body>", NULL);
}

static void desk_says_result(struct desk *d)
{
	desk_says(d, "iq", "result", "", NULL);
}

/* ---- the far side ---- */

static void far_gets(struct desk *d, size_t at)
{
	unsigned number = number_of(d->handed[at]->stanza);

	if (d->arrived[number]++ == 0) {
		assert_true(number > d->newest);
		d->newest = number;
	}
}

static void far_acknowledges(struct desk *d, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		far_gets(d, i);
		parcel_taken(&d->home, &d->handed[i]);
	}
	d->handed_count -= count;
	memmove(d->handed, d->handed + count, d->handed_count * sizeof(d->handed[0]));
}

/* The first so many have arrived, but nobody knows. */
static void far_breaks(struct desk *d, size_t arrived)
{
	for (size_t i = 0; i < d->handed_count; i++) {
		if (i < arrived)
			far_gets(d, i);
		outbox_take_back(d->outbox, d->handed[i]);
	}
	d->handed_count = 0;
	d->has_room = false;
}

static void far_comes(struct desk *d)
{
	d->has_room = true;
	outbox_push(d->outbox);
}

static void far_takes_all(struct desk *d)
{
	far_comes(d);
	do {
		far_acknowledges(d, d->handed_count);
		desk_pass(d, 100);
	} while (d->handed_count > 0);
}

static uint64_t in_store(struct desk *d)
{
	struct store_outbox_list *list = desk_list(d);
	uint64_t count = list->count ? list->outboxes[0].count : 0;

	store_request_free(&list->request);
	return count;
}

static uint64_t waiting(struct desk *d)
{
	struct outbox_figures figures;

	outbox_figures(d->outbox, &figures);
	return figures.count;
}

/* ---- what a sender hears, and when ---- */

static void what_is_acknowledged_in_time_costs_no_disk(void **state)
{
	struct desk *d = *state;
	struct store_figures figures;

	far_comes(d);
	desk_says_message(d);
	desk_settle(d);
	assert_false(d->taken[1]);
	far_acknowledges(d, 1);
	desk_settle(d);
	assert_true(d->taken[1]);
	assert_true(outbox_is_empty(d->outbox));
	desk_pass(d, 1000);
	store_figures(d->server.store, &figures);
	assert_int_equal(figures.writes, 0);
}

static void nobody_waits_for_a_slow_far_side(void **state)
{
	struct desk *d = *state;

	far_comes(d);
	desk_says_message(d);
	desk_says_result(d);
	desk_pass(d, 90);
	assert_false(d->taken[1] || d->taken[2]);
	desk_pass(d, 100);
	assert_true(d->taken[1] && d->taken[2]);
	assert_int_equal(in_store(d), 1);
	far_acknowledges(d, 2);
	desk_pass(d, 100);
	assert_int_equal(in_store(d), 0);
	assert_true(outbox_is_empty(d->outbox));
}

static void what_must_wait_is_durable_at_once(void **state)
{
	struct desk *d = *state;

	desk_says_message(d);
	desk_says_result(d);
	desk_says(d, "message", "chat", "<active xmlns='http://jabber.org/protocol/chatstates'/>", NULL);
	desk_says(d, "message", "headline", "<body>x</body>", NULL);
	desk_says(d, "presence", "subscribe", "", NULL);
	desk_settle(d);
	assert_true(d->taken[1] && d->taken[5]);
	assert_false(d->taken[2] || d->taken[3] || d->taken[4]);
	assert_int_equal(in_store(d), 2);
	desk_crash(d);
	assert_int_equal(waiting(d), 2);
	far_takes_all(d);
	assert_int_equal(d->arrived[1] + d->arrived[5], 2);
	assert_int_equal(d->newest, 5);
}

static void what_leaves_late_says_so(void **state)
{
	struct desk *d = *state;

	desk_says_message(d);
	desk_pass(d, 2000);
	far_comes(d);
	assert_int_equal(d->handed_count, 1);
	assert_false(d->delayed);
	far_breaks(d, 0);
	desk_pass(d, 2000);
	far_comes(d);
	assert_true(d->delayed);
	assert_int_equal(d->handed[0]->since_us, 1700000000000000);
}

/* ---- the order ---- */

static void what_comes_back_goes_first(void **state)
{
	struct desk *d = *state;

	far_comes(d);
	for (int i = 0; i < 10; i++)
		desk_says_message(d);
	far_acknowledges(d, 3);
	far_breaks(d, 0);
	desk_says_message(d);
	far_takes_all(d);
	assert_int_equal(d->newest, 11);
	for (unsigned i = 1; i <= 11; i++)
		assert_true(d->arrived[i] == 1 && d->taken[i]);
}

static void memory_is_bounded_and_order_kept(void **state)
{
	struct desk *d = *state;

	d->limits.memory = 2000;
	for (int i = 0; i < 1000; i++) {
		desk_says_message(d);
		if (i % 10 == 0)
			desk_settle(d);
	}
	desk_settle(d);
	assert_int_equal(waiting(d), 1000);
	assert_true(map_count(d->home.outboxes->entries) < 100);
	desk_says_result(d);
	far_takes_all(d);
	assert_int_equal(d->newest, 1001);
	for (unsigned i = 1; i <= 1001; i++)
		assert_int_equal(d->arrived[i], 1);
	assert_true(outbox_is_empty(d->outbox));
	assert_int_equal(in_store(d), 0);
}

static uint64_t random_next(uint64_t *random)
{
	*random = *random * 6364136223846793005u + 1442695040888963407u;
	return *random >> 33;
}

/* One thing that happens. A crash may make twice what was under way, and lose what its sender has not heard of. */
static void desk_lives(struct desk *d, uint64_t *random)
{
	size_t some = random_next(random) % (d->handed_count + 1);

	switch (random_next(random) % 16) {
	case 0:
		far_breaks(d, some);
		break;
	case 1:
		if (random_next(random) % 4 == 0) {
			for (size_t i = 0; i < some; i++)
				far_gets(d, i);
			desk_crash(d);
			d->has_room = false;
		}
		break;
	case 2: case 3:
		far_comes(d);
		break;
	case 4: case 5: case 6:
		far_acknowledges(d, some);
		break;
	case 7:
		desk_pass(d, random_next(random) % 200);
		break;
	case 8: case 9: case 10:
		for (uint64_t steps = random_next(random) % 20; steps > 0 && desk_step(d); steps--)
			;
		break;
	case 11:
		desk_says_result(d);
		break;
	default:
		desk_says_message(d);
	}
}

/* What a message's sender heard was taken has arrived, in order (far_gets). */
static void taken_is_delivered_in_order(void **state)
{
	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct desk *d = *state;
		uint64_t random = seed;

		d->limits.memory = 1000 + random_next(&random) % 4000;
		while (d->sent < 600)
			desk_lives(d, &random);
		far_takes_all(d);
		for (unsigned i = 1; i <= d->sent; i++) {
			if (d->durable[i] && d->taken[i] && !d->arrived[i])
				fail_msg("seed %d: %u was taken and has not arrived", (int)seed, i);
			if (d->refused[i] || d->returned[i])
				fail_msg("seed %d: %u came back", (int)seed, i);
		}
		assert_true(outbox_is_empty(d->outbox));
		assert_int_equal(in_store(d), 0);
		desk_teardown(state);
		desk_setup(state);
	}
}

/* ---- what does not arrive ---- */

static void what_gets_too_old_comes_back(void **state)
{
	struct desk *d = *state;

	d->limits.lifetime_ms = 600000;
	desk_says_message(d);
	desk_says_result(d);
	desk_says(d, "iq", "get", "<x xmlns='urn:x'/>", NULL);
	desk_pass(d, 29000);
	assert_false(d->returned[3]);
	desk_pass(d, 2000);
	assert_true(d->returned[3]);
	assert_int_equal(waiting(d), 1);
	desk_crash(d);
	desk_pass(d, 560000);
	assert_int_equal(waiting(d), 1);
	buf_consume(&d->heard, d->heard.len);
	desk_pass(d, 20000);
	assert_int_equal(waiting(d), 0);
	assert_true(d->returned[1]);
	buf_add_char(&d->heard, '\0');
	assert_non_null(strstr(d->heard.data, "<remote-server-timeout"));
	assert_non_null(strstr(d->heard.data, "may have arrived"));
	assert_int_equal(in_store(d), 0);
}

/* The stream broke and is held, to be resumed. What has come back is not sent any more. */
static void what_is_held_for_too_long_comes_back(void **state)
{
	struct desk *d = *state;

	d->limits.lifetime_ms = 600000;
	far_comes(d);
	desk_says_message(d);
	desk_says(d, "iq", "get", "<x xmlns='urn:x'/>", NULL);
	desk_pass(d, 31000);
	assert_true(d->returned[2] && !d->returned[1]);
	desk_pass(d, 570000);
	assert_true(d->returned[1]);
	buf_add_char(&d->heard, '\0');
	assert_non_null(strstr(d->heard.data, "may have arrived"));
	far_breaks(d, 0);
	far_comes(d);
	assert_int_equal(d->handed_count, 0);
	desk_pass(d, 100);
	assert_true(outbox_is_empty(d->outbox));
	assert_int_equal(in_store(d), 0);
}

static void too_much_is_refused_at_once(void **state)
{
	struct desk *d = *state;

	d->limits.entries = 2;
	desk_says_message(d);
	desk_says_message(d);
	desk_says_message(d);
	desk_settle(d);
	assert_true(d->taken[1] && d->taken[2] && d->refused[3]);
	d->limits.entries = 100;
	d->config.limits.outbox_bytes = 100;
	desk_says_message(d);
	desk_settle(d);
	assert_true(d->refused[4]);
}

static void a_flush_returns_all_there_is(void **state)
{
	struct desk *d = *state;

	d->limits.memory = 2000;
	for (int i = 0; i < 300; i++) {
		desk_says_message(d);
		desk_settle(d);
	}
	outbox_refuse(d->outbox, STANZA_REMOTE_SERVER_TIMEOUT, "flushed");
	desk_says_message(d);
	desk_pass(d, 1000);
	for (unsigned i = 1; i <= 300; i++)
		assert_true(d->returned[i]);
	assert_int_equal(waiting(d), 1);
	assert_int_equal(in_store(d), 1);
	far_takes_all(d);
	assert_int_equal(d->newest, 301);
}

static void a_store_that_fails_makes_no_promise(void **state)
{
	struct desk *d = *state;

	store_trial_fail(d->server.store, &(struct store_trial_fault){ .op = STORE_OUTBOX_APPEND, .status = STORE_FAILED });
	desk_says_message(d);
	desk_settle(d);
	assert_true(d->refused[1]);
	far_comes(d);
	desk_says_message(d);
	desk_pass(d, 1000);
	assert_false(d->taken[2] || d->refused[2]);
	far_acknowledges(d, 1);
	desk_settle(d);
	assert_true(d->taken[2]);
}

/* What the store has not forgotten would be sent again after the next start. */
static void the_store_is_told_until_it_hears(void **state)
{
	struct desk *d = *state;

	desk_says_message(d);
	desk_settle(d);
	store_trial_fail(d->server.store, &(struct store_trial_fault){ .op = -1, .times = 2, .status = STORE_FAILED });
	far_comes(d);
	far_acknowledges(d, 1);
	desk_pass(d, 500);
	assert_false(outbox_is_empty(d->outbox));
	desk_pass(d, 3000);
	assert_true(outbox_is_empty(d->outbox));
	assert_int_equal(in_store(d), 0);
}

static void who_ends_the_stream_each_time_is_refused(void **state)
{
	struct desk *d = *state;

	desk_says_message(d);
	desk_says_message(d);
	desk_settle(d);
	for (int i = 0; i < 3; i++) {
		far_comes(d);
		far_breaks(d, 0);
		outbox_blame(d->outbox);
	}
	desk_settle(d);
	assert_true(d->returned[1]);
	far_takes_all(d);
	assert_int_equal(d->arrived[1], 0);
	assert_int_equal(d->arrived[2], 1);
}

/* ---- presence ---- */

static void only_the_newest_presence_waits(void **state)
{
	struct desk *d = *state;

	desk_says(d, "presence", "unavailable", "<status>lunch</status>", BOB);
	desk_says_message(d);
	desk_says(d, "presence", "unavailable", "", "carl@south.example");
	desk_says(d, "presence", "unavailable", "", BOB);
	desk_settle(d);
	assert_true(d->taken[1]);
	assert_int_equal(waiting(d), 3);
	far_takes_all(d);
	assert_int_equal(d->arrived[1], 0);
	assert_int_equal(d->arrived[2] + d->arrived[3] + d->arrived[4], 3);
}

/* ---- the server leaves ---- */

static void what_is_durable_stays_for_the_next_server(void **state)
{
	struct desk *d = *state;

	far_comes(d);
	desk_says_message(d);
	d->has_room = false;
	desk_says_result(d);
	desk_says_message(d);
	d->home.draining = true;
	outbox_leave(d->outbox, STANZA_REMOTE_SERVER_TIMEOUT, "stopped");
	desk_settle(d);
	assert_true(d->taken[1] && d->taken[3] && d->refused[2]);
	far_breaks(d, 0);
	assert_int_equal(in_store(d), 2);
	d->home.draining = false;
	desk_crash(d);
	far_takes_all(d);
	assert_int_equal(d->newest, 3);
	assert_int_equal(d->arrived[1], 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, desk_setup, desk_teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_is_acknowledged_in_time_costs_no_disk),
		TEST(nobody_waits_for_a_slow_far_side),
		TEST(what_must_wait_is_durable_at_once),
		TEST(what_leaves_late_says_so),
		TEST(what_comes_back_goes_first),
		TEST(memory_is_bounded_and_order_kept),
		TEST(taken_is_delivered_in_order),
		TEST(what_gets_too_old_comes_back),
		TEST(what_is_held_for_too_long_comes_back),
		TEST(too_much_is_refused_at_once),
		TEST(a_flush_returns_all_there_is),
		TEST(a_store_that_fails_makes_no_promise),
		TEST(the_store_is_told_until_it_hears),
		TEST(who_ends_the_stream_each_time_is_refused),
		TEST(only_the_newest_presence_waits),
		TEST(what_is_durable_stays_for_the_next_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
