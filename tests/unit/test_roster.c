/* SPDX-License-Identifier: MIT
 *
 * The roster in memory and the list of directed presence, each against what was put in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "im/directed.h"
#include "im/roster.h"

static struct jid jid_of(const char *text)
{
	const char *at = strchr(text, '@'), *slash = strchr(text, '/');
	size_t bare = slash ? (size_t)(slash - text) : strlen(text);
	size_t local = at ? (size_t)(at - text) : 0;

	return (struct jid){ .text = text,
		             .local_len = (uint16_t)local,
		             .domain_len = (uint16_t)(bare - local - (at ? 1 : 0)),
		             .resource_len = (uint16_t)(slash ? strlen(slash + 1) : 0) };
}

static void put(struct roster *roster, const char *contact, enum subscription state, bool listed)
{
	struct store_roster_item item = {
		.contact = contact, .state = (uint8_t)state, .listed = listed, .version = roster->version + 1
	};

	roster_put(roster, &item);
}

/* Added in one order, removed in another, found at each step. */
static void many_contacts(void **unused)
{
	enum { CONTACTS = 1000 };
	struct roster roster = { 0 };
	char contact[64];

	(void)unused;
	for (int i = 0; i < CONTACTS; i++) {
		snprintf(contact, sizeof(contact), "user%d@example.net", i * 7919 % CONTACTS);
		put(&roster, contact, SUBSCRIPTION_BOTH, i % 2 == 0);
	}
	assert_int_equal(roster.count, CONTACTS);
	assert_int_equal(roster.listed, CONTACTS / 2);
	assert_int_equal(roster.version, CONTACTS);
	for (int i = 0; i < CONTACTS; i++) {
		struct jid jid;

		snprintf(contact, sizeof(contact), "user%d@example.net/phone", i);
		jid = jid_of(contact);
		assert_int_equal(roster_state(&roster, &jid), SUBSCRIPTION_BOTH);
		roster_remove(&roster, &jid);
		assert_null(roster_find(&roster, &jid));
		assert_int_equal(roster_state(&roster, &jid), SUBSCRIPTION_NONE);
	}
	assert_int_equal(roster.count, 0);
	assert_int_equal(roster.listed, 0);
	roster_clear(&roster);
}

/* A beginning of an address is another address. */
static void addresses_alike(void **unused)
{
	struct roster roster = { 0 };
	struct jid jid = jid_of("romeo@example.net");

	(void)unused;
	put(&roster, "example.net", SUBSCRIPTION_TO, true);
	put(&roster, "romeo@example.ne", SUBSCRIPTION_TO, true);
	put(&roster, "romeo@example.nett", SUBSCRIPTION_TO, true);
	assert_null(roster_find(&roster, &jid));
	jid = jid_of("example.net");
	assert_non_null(roster_find(&roster, &jid));
	assert_int_equal(roster_find(&roster, &jid)->contact.local_len, 0);
	roster_clear(&roster);
}

/* What goes in comes out as a draft, all of it. */
static void drafts(void **unused)
{
	static const char *groups[] = { "Friends", "Lovers" };
	struct store_roster_item item = {
		.contact = "romeo@example.net", .name = "Romeo", .groups = groups, .group_count = 2,
		.state = SUBSCRIPTION_TO_IN, .listed = true, .request = "<presence/>", .version = 5,
	}, draft;
	struct roster roster = { 0 };
	struct arena arena = { 0 };
	struct jid jid = jid_of("romeo@example.net/orchard");

	(void)unused;
	roster_put(&roster, &item);
	draft = roster_draft(&arena, roster_find(&roster, &jid), &jid);
	roster_put(&roster, &draft);
	roster_put(&roster, &draft);
	draft = roster_draft(&arena, roster_find(&roster, &jid), &jid);
	roster_clear(&roster);
	assert_string_equal(draft.contact, "romeo@example.net");
	assert_string_equal(draft.name, "Romeo");
	assert_int_equal(draft.group_count, 2);
	assert_string_equal(draft.groups[1], "Lovers");
	assert_string_equal(draft.request, "<presence/>");
	assert_int_equal(draft.state, SUBSCRIPTION_TO_IN);
	assert_true(draft.listed);
	assert_false(draft.approved);
	assert_int_equal(draft.version, 5);

	draft = roster_draft(&arena, NULL, &jid);
	assert_string_equal(draft.contact, "romeo@example.net");
	assert_int_equal(draft.state, SUBSCRIPTION_NONE);
	assert_false(draft.listed);
	arena_clear(&arena);
}

static void directed(void **unused)
{
	static const char *const addresses[] = {
		"room@chat.example/me",  "a@b.example",   "room@chat.example-two/me",
		"room@chat.example.two", "c@d.example/x",
	};
	enum { COUNT = sizeof(addresses) / sizeof(addresses[0]) };
	struct directed *list = NULL;
	struct jid jid = jid_of("room@chat.example/you");

	(void)unused;
	assert_false(directed_knows(list, &jid));
	for (int i = 0; i < COUNT; i++) {
		struct jid to = jid_of(addresses[i]);

		assert_true(directed_add(&list, &to, COUNT));
		assert_true(directed_add(&list, &to, COUNT));
	}
	assert_int_equal(directed_count(list), COUNT);
	assert_false(directed_add(&list, &jid, COUNT));
	assert_true(directed_knows(list, &jid));
	jid = jid_of("room@chat.example");
	assert_true(directed_knows(list, &jid));
	jid = jid_of("a@b.example/any");
	assert_true(directed_knows(list, &jid));
	jid = jid_of("room@chat.exampl");
	assert_false(directed_knows(list, &jid));
	for (int i = 0; i < COUNT; i++) {
		jid = jid_of(addresses[i]);
		directed_remove(&list, &jid);
		assert_false(directed_knows(list, &jid));
	}
	assert_null(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_contacts),
		cmocka_unit_test(addresses_alike),
		cmocka_unit_test(drafts),
		cmocka_unit_test(directed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
