/* SPDX-License-Identifier: MIT
 *
 * Stream management (XEP-0198): the tally of what a peer sends and the queue of what it is sent. How they
 * meet on a stream is in tests/talk/xep-0198.talk.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/town.h"
#include "core/tally.h"
#include "core/unacked.h"
#include "xmpp/ns.h"

/* ---- the tally ---- */

static struct stanza *message(const char *id, const char *body)
{
	struct stanza *stanza = stanza_make(STANZA_MESSAGE, MESSAGE_CHAT, NULL, NULL, id);

	element_add_text(&stanza->arena, element_add(&stanza->arena, stanza->root, "body", NS_CLIENT), body);
	return stanza;
}

/* Enters it and holds a reference, as a parcel would. */
static uint64_t enter(struct tally *tally, struct stanza *stanza)
{
	return tally_enter(tally, stanza) ? stanza->token : 0;
}

static void drop(struct stanza *stanza)
{
	const struct stanza *gone = stanza;

	stanza_unref(&gone);
}

static void test_h_passes_nothing_that_waits(void **state)
{
	struct tally tally;
	struct stanza *held[20];
	uint64_t tokens[20];

	(void)state;
	tally_init(&tally, 7);
	for (int i = 0; i < 20; i++)
		tokens[i] = enter(&tally, held[i] = message("m", "words"));
	assert_int_equal(tally.received, 20);
	for (int i = 19; i > 0; i--)
		assert_true(tally_done(&tally, tokens[i]));
	assert_int_equal(tally.handled, 0);
	assert_true(tally_done(&tally, tokens[0]));
	assert_int_equal(tally.handled, 20);
	assert_true(tally_done(&tally, tokens[3]));
	assert_int_equal(tally.handled, 20);
	assert_false(tally_done(&tally, tokens[0] + (UINT64_C(1) << 40)));
	for (int i = 0; i < 20; i++)
		drop(held[i]);
	tally_clear(&tally);
}

static void test_what_nobody_holds_has_come_to_its_end(void **state)
{
	struct tally tally;
	struct stanza *stanza = message("m", "words");

	(void)state;
	tally_init(&tally, 1);
	enter(&tally, stanza);
	tally_settle(&tally);
	assert_int_equal(tally.handled, 0);
	drop(stanza);
	tally_settle(&tally);
	assert_int_equal(tally.handled, 1);
	tally_clear(&tally);
}

/* What stands in the sender's archive has two answers: of who gets it and of the store. */
static void test_an_archived_one_waits_for_the_store_too(void **state)
{
	struct tally tally;
	struct stanza *stanza = message("m", "words");
	uint64_t token;

	(void)state;
	tally_init(&tally, 1);
	token = enter(&tally, stanza);
	stanza->journal = 5;
	tally_done(&tally, token);
	assert_int_equal(tally.handled, 0);
	tally_done(&tally, token);
	assert_int_equal(tally.handled, 1);
	drop(stanza);
	tally_clear(&tally);
}

static void test_sent_again(void **state)
{
	struct tally tally;
	struct stanza *first = message("1", "one"), *second = message("2", "two"),
		      *again = message("1", "one"), *other = message("2", "too"),
		      *third = message("3", "three");
	uint64_t tokens[3];

	(void)state;
	tally_init(&tally, 1);
	tokens[0] = enter(&tally, first);
	tokens[1] = enter(&tally, second);
	tally_rewind(&tally);
	/* Answered before it comes again: h waits for its number. */
	tally_done(&tally, tokens[0]);
	assert_int_equal(tally.handled, 0);
	assert_int_equal(enter(&tally, again), 0);
	tally_settle(&tally);
	assert_int_equal(tally.handled, 1);
	/* Another stanza with the number: the answer of the old one is not its own. */
	tokens[2] = enter(&tally, other);
	assert_int_not_equal(tokens[2], 0);
	tally_done(&tally, tokens[1]);
	assert_int_equal(tally.handled, 1);
	tally_done(&tally, tokens[2]);
	assert_int_equal(tally.handled, 2);
	tally_done(&tally, enter(&tally, third));
	assert_int_equal(tally.handled, 3);
	drop(first), drop(second), drop(again), drop(other), drop(third);
	tally_clear(&tally);
}

static void test_the_count_wraps(void **state)
{
	struct tally tally;

	(void)state;
	tally_init(&tally, 1);
	tally.received = tally.handled = UINT32_MAX - 2;
	for (int i = 0; i < 6; i++) {
		struct stanza *stanza = message("m", "words");

		assert_true(tally_done(&tally, enter(&tally, stanza)));
		drop(stanza);
	}
	assert_int_equal(tally.handled, 3);
	tally_clear(&tally);
}

/* ---- the queue ---- */

static struct town *town;
static struct home *home;
static char answered[64];

static void parcel_heard(struct home *holder, struct parcel *parcel)
{
	(void)holder;
	strcat(answered, parcel->stanza->id);
	parcel_free(&parcel);
}

static struct parcel *parcel_made(const char *id)
{
	const struct stanza *stanza = stanza_seal(message(id, "words"));
	struct parcel *parcel = parcel_new(home, stanza, NULL);

	stanza_unref(&stanza);
	parcel->answered = parcel_heard;
	return parcel;
}

static const char *written(struct unacked *queue, size_t window)
{
	static char ids[64];
	struct parcel *parcel;

	*ids = '\0';
	while ((parcel = unacked_next(queue, window)))
		strcat(ids, parcel->stanza->id);
	return ids;
}

static void test_taken_when_acknowledged(void **state)
{
	struct unacked queue;

	(void)state;
	*answered = '\0';
	unacked_init(&queue);
	for (const char *id = "1\0002\0003\0"; *id; id += 2)
		unacked_add(&queue, parcel_made(id));
	assert_string_equal(written(&queue, 1), "1");
	assert_false(unacked_ack(&queue, home, 2));
	assert_true(unacked_ack(&queue, home, 1));
	assert_string_equal(written(&queue, SIZE_MAX), "23");
	town_settle(town);
	assert_string_equal(answered, "1");
	assert_true(unacked_ack(&queue, home, 1));
	assert_false(unacked_ack(&queue, home, 0));
	assert_true(unacked_ack(&queue, home, 3));
	town_settle(town);
	assert_string_equal(answered, "123");
	assert_int_equal(queue.count, 0);
	assert_int_equal(queue.bytes, 0);
	assert_int_equal(queue.written_bytes, 0);
}

static void test_written_again_on_a_new_stream(void **state)
{
	struct unacked queue;
	struct parcel *parcel;

	(void)state;
	*answered = '\0';
	unacked_init(&queue);
	for (const char *id = "1\0002\0003\0"; *id; id += 2)
		unacked_add(&queue, parcel_made(id));
	assert_string_equal(written(&queue, SIZE_MAX), "123");
	assert_true(unacked_ack(&queue, home, 1));
	unacked_rewind(&queue);
	assert_false(unacked_ack(&queue, home, 2));
	assert_string_equal(written(&queue, 1), "2");
	unacked_add(&queue, parcel_made("4"));
	assert_string_equal(written(&queue, SIZE_MAX), "34");
	/* Given up in order, written or not. */
	unacked_add(&queue, parcel_made("5"));
	while ((parcel = unacked_take(&queue)))
		parcel_taken(home, &parcel);
	town_settle(town);
	assert_string_equal(answered, "12345");
	assert_int_equal(queue.bytes, 0);
	assert_int_equal(queue.written_bytes, 0);
}

static const struct module *const modules[] = { &town_module, NULL };

static int setup(void **state)
{
	(void)state;
	town = town_open(modules, NULL);
	home = town_home(town, "romeo@north.example");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	town_close(&town);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_h_passes_nothing_that_waits),
		cmocka_unit_test(test_what_nobody_holds_has_come_to_its_end),
		cmocka_unit_test(test_an_archived_one_waits_for_the_store_too),
		cmocka_unit_test(test_sent_again),
		cmocka_unit_test(test_the_count_wraps),
		cmocka_unit_test(test_taken_when_acknowledged),
		cmocka_unit_test(test_written_again_on_a_new_stream),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
