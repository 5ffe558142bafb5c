/* SPDX-License-Identifier: MIT
 *
 * The outbox keeps the order, puts back in order before what came later, and finds what has waited too long
 * wherever it is.
 */
#include "../../s2s/outbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/server.h"
#include "world.h"

struct desk {
	struct world *world;
	struct home home;
	struct outbox outbox;
};

static int desk_setup(void **state)
{
	struct desk *desk = mem_zalloc(sizeof(*desk));

	desk->world = world_new(1, true);
	desk->home.worker = world_worker(desk->world, 0);
	outbox_init(&desk->outbox);
	*state = desk;
	return 0;
}

static int desk_teardown(void **state)
{
	struct desk *desk = *state;
	struct parcel *parcel;

	while ((parcel = outbox_take(&desk->outbox)))
		parcel_free(&parcel);
	assert_int_equal(desk->outbox.bytes, 0);
	world_free(desk->world);
	free(desk);
	return 0;
}

static struct parcel *parcel_named(struct desk *desk, const char *id)
{
	struct stanza *stanza = stanza_make(STANZA_MESSAGE, MESSAGE_CHAT, NULL, NULL, id);
	const struct stanza *sealed = stanza_seal(stanza);
	struct parcel *parcel = parcel_new(&desk->home, sealed, NULL);

	stanza_unref(&sealed);
	return parcel;
}

static void expect(struct parcel *parcel, const char *id)
{
	if (!id) {
		assert_null(parcel);
		return;
	}
	assert_non_null(parcel);
	assert_string_equal(parcel->stanza->id, id);
	parcel_free(&parcel);
}

static void first_in_first_out(void **state)
{
	struct desk *desk = *state;

	outbox_add(&desk->outbox, parcel_named(desk, "1"), 10);
	outbox_add(&desk->outbox, parcel_named(desk, "2"), 10);
	assert_int_equal(desk->outbox.count, 2);
	assert_true(desk->outbox.bytes > 0);
	expect(outbox_take(&desk->outbox), "1");
	outbox_add(&desk->outbox, parcel_named(desk, "3"), 10);
	expect(outbox_take(&desk->outbox), "2");
	expect(outbox_take(&desk->outbox), "3");
	expect(outbox_take(&desk->outbox), NULL);
	assert_true(outbox_is_empty(&desk->outbox));
}

static void what_is_put_back_comes_first(void **state)
{
	struct desk *desk = *state;
	struct outbox returned;

	outbox_init(&returned);
	outbox_add(&returned, parcel_named(desk, "1"), 10);
	outbox_add(&returned, parcel_named(desk, "2"), 10);
	outbox_add(&desk->outbox, parcel_named(desk, "3"), 10);
	outbox_put_back(&desk->outbox, &returned);
	assert_true(outbox_is_empty(&returned));
	outbox_add(&desk->outbox, parcel_named(desk, "4"), 10);
	outbox_put_back(&desk->outbox, &returned);
	expect(outbox_take(&desk->outbox), "1");
	expect(outbox_take(&desk->outbox), "2");
	expect(outbox_take(&desk->outbox), "3");
	expect(outbox_take(&desk->outbox), "4");
}

static void what_expires_may_be_anywhere(void **state)
{
	struct desk *desk = *state;

	assert_true(outbox_next_expiry(&desk->outbox) == UINT64_MAX);
	outbox_add(&desk->outbox, parcel_named(desk, "1"), 60);
	outbox_add(&desk->outbox, parcel_named(desk, "2"), 30);
	outbox_add(&desk->outbox, parcel_named(desk, "3"), 60);
	outbox_add(&desk->outbox, parcel_named(desk, "4"), 30);
	assert_int_equal(outbox_next_expiry(&desk->outbox), 30);
	expect(outbox_take_expired(&desk->outbox, 29), NULL);
	expect(outbox_take_expired(&desk->outbox, 30), "2");
	expect(outbox_take_expired(&desk->outbox, 30), "4");
	expect(outbox_take_expired(&desk->outbox, 30), NULL);
	outbox_add(&desk->outbox, parcel_named(desk, "5"), 90);
	expect(outbox_take(&desk->outbox), "1");
	expect(outbox_take_expired(&desk->outbox, 60), "3");
	expect(outbox_take(&desk->outbox), "5");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, desk_setup, desk_teardown)
	const struct CMUnitTest tests[] = {
		TEST(first_in_first_out),
		TEST(what_is_put_back_comes_first),
		TEST(what_expires_may_be_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
