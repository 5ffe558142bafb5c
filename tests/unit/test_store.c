/* SPDX-License-Identifier: MIT
 *
 * The promises of store/store.h: one suite, run over each driver. What only a file can show (durability, a
 * full disk, two servers) is in test_store_sqlite.c.
 */
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../support/asker.h"
#include "../support/folder.h"
#include "../support/store_trial.h"
#include "base/mem.h"
#include "store/outbox.h"
#include "store/pubsub.h"
#include "store/sqlite.h"
#include "store/token.h"

#define ROMEO "romeo@north.example"
#define JULIET "juliet@north.example"

/* A store that is tried, in a folder of its own. */
struct trying {
	const struct scenario *scenario;
	struct asker asker;
	char *folder;
};

struct driver {
	const char *name;
	struct store *(*open)(const char *folder);
	bool (*step)(struct store *store);
};

static struct store *sqlite_open(const char *folder)
{
	char *path = str_printf("%s/store.db", folder), *error = NULL;
	struct store *store = store_sqlite_open(&(struct store_sqlite_options){ .path = path }, &error);

	if (!store)
		fail_msg("%s", error);
	free(path);
	return store;
}

static struct store *trial_open(const char *folder)
{
	(void)folder;
	return store_trial_open(7);
}

static const struct driver drivers[] = {
	{ "sqlite", sqlite_open, NULL },
	{ "trial", trial_open, store_trial_step },
};
enum { DRIVERS = sizeof(drivers) / sizeof(drivers[0]) };

static void create(struct asker *a, const char *owner)
{
	assert_int_equal(asker_ask(a, asker_account(a, STORE_ACCOUNT_CREATE, owner)), STORE_OK);
}

static struct store_account_load *load(struct asker *a, const char *owner)
{
	struct store_account_load *loaded = asker_load(a, owner);

	assert_int_equal(asker_ask(a, loaded), STORE_OK);
	return loaded;
}

static struct store_journal_read *journal(struct asker *a, const char *owner)
{
	struct store_journal_read *read = asker_read(a, owner, 0, SIZE_MAX);

	assert_int_equal(asker_ask(a, read), STORE_OK);
	return read;
}

static uint64_t append(struct asker *a, const char *owner, const char *stanza)
{
	struct store_journal_append *asked = asker_append(a, owner, stanza);

	assert_int_equal(asker_ask(a, asked), STORE_OK);
	return asked->entry.sequence;
}

/* ---- accounts ---- */

static void assert_credential(const struct store_credential *found, const struct store_credential *expected)
{
	assert_int_equal(found->kind, expected->kind);
	assert_int_equal(found->iterations, expected->iterations);
	assert_memory_equal(found->salt, expected->salt, sizeof(found->salt));
	assert_memory_equal(found->stored_key, expected->stored_key, digest_size(found->kind));
	assert_memory_equal(found->server_key, expected->server_key, digest_size(found->kind));
}

static void account_is_created_once_and_loaded(struct asker *a)
{
	struct store_account_write *write = asker_account(a, STORE_ACCOUNT_CREATE, ROMEO);
	struct store_account_load *loaded;

	assert_int_equal(asker_ask(a, asker_load(a, ROMEO)), STORE_ABSENT);
	assert_int_equal(asker_ask(a, write), STORE_OK);
	assert_int_equal(asker_ask(a, asker_account(a, STORE_ACCOUNT_CREATE, ROMEO)), STORE_CONFLICT);
	loaded = load(a, ROMEO);
	assert_int_equal(loaded->credential_count, 2);
	assert_credential(&loaded->credentials[0], &write->credentials[0]);
	assert_credential(&loaded->credentials[1], &write->credentials[1]);
	assert_int_equal(loaded->roster_count, 0);
	assert_int_equal(loaded->roster_version, 0);
	assert_int_equal(loaded->undelivered, 0);
	assert_int_equal(loaded->undelivered_bytes, 0);
}

static void account_takes_a_new_password(struct asker *a)
{
	struct store_account_write *write = asker_account(a, STORE_ACCOUNT_CREDENTIALS, ROMEO);
	struct store_account_load *loaded;

	assert_int_equal(asker_ask(a, asker_account(a, STORE_ACCOUNT_CREDENTIALS, ROMEO)), STORE_ABSENT);
	create(a, ROMEO);
	write->credentials[0] = write->credentials[1];
	write->credentials[0].iterations = 20000;
	write->credential_count = 1;
	assert_int_equal(asker_ask(a, write), STORE_OK);
	loaded = load(a, ROMEO);
	assert_int_equal(loaded->credential_count, 1);
	assert_credential(&loaded->credentials[0], &write->credentials[0]);
}

static void account_goes_with_all_that_it_has(struct asker *a)
{
	struct store_account_load *loaded;

	assert_int_equal(asker_ask(a, asker_account(a, STORE_ACCOUNT_REMOVE, ROMEO)), STORE_ABSENT);
	create(a, ROMEO);
	append(a, ROMEO, "<message/>");
	asker_ask(a, asker_roster(a, STORE_ROSTER_PUT, ROMEO, JULIET, 5));
	asker_ask(a, asker_document(a, STORE_DOCUMENT_PUT, ROMEO, "vcard", "", "<vCard/>"));
	assert_int_equal(asker_ask(a, asker_account(a, STORE_ACCOUNT_REMOVE, ROMEO)), STORE_OK);

	assert_int_equal(asker_ask(a, asker_load(a, ROMEO)), STORE_ABSENT);
	assert_int_equal(asker_ask(a, asker_read(a, ROMEO, 0, 10)), STORE_ABSENT);
	create(a, ROMEO);
	loaded = load(a, ROMEO);
	assert_int_equal(loaded->roster_count, 0);
	assert_int_equal(loaded->roster_version, 0);
	assert_int_equal(loaded->undelivered, 0);
	assert_int_equal(journal(a, ROMEO)->count, 0);
	assert_int_equal(asker_ask(a, asker_document(a, STORE_DOCUMENT_GET, ROMEO, "vcard", "", NULL)), STORE_ABSENT);
}

static struct store_account_list *list(struct asker *a, const char *host, const char *after, size_t limit)
{
	struct store_account_list *asked = asker_make(a, sizeof(*asked), STORE_ACCOUNT_LIST, host);

	asked->after = after;
	asked->limit = limit;
	assert_int_equal(asker_ask(a, asked), STORE_OK);
	return asked;
}

static void accounts_are_listed_by_name_and_page(struct asker *a)
{
	static const char *const owners[] = { "c@north.example", "a@north.example", "b@south.example",
	                                      "d@north.example", "b@north.example", "a@south.example" };
	struct store_account_list *page;

	for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++)
		create(a, owners[i]);
	page = list(a, "north.example", NULL, 3);
	assert_int_equal(page->count, 3);
	assert_string_equal(page->accounts[0], "a@north.example");
	assert_string_equal(page->accounts[2], "c@north.example");
	assert_true(page->created_us[0] == 1700000000000000);
	page = list(a, "north.example", page->accounts[2], 3);
	assert_int_equal(page->count, 1);
	assert_string_equal(page->accounts[0], "d@north.example");
	assert_int_equal(list(a, "south.example", NULL, 10)->count, 2);
	assert_int_equal(list(a, "example", NULL, 10)->count, 0);
	assert_int_equal(list(a, "", NULL, 10)->count, 0);
}

static void equal_names_on_two_hosts_are_two_accounts(struct asker *a)
{
	create(a, "romeo@north.example");
	create(a, "romeo@south.example");
	append(a, "romeo@north.example", "<message/>");
	assert_int_equal(load(a, "romeo@north.example")->undelivered, 1);
	assert_int_equal(load(a, "romeo@south.example")->undelivered, 0);
	assert_int_equal(asker_ask(a, asker_account(a, STORE_ACCOUNT_REMOVE, "romeo@north.example")), STORE_OK);
	load(a, "romeo@south.example");
}

/* ---- rosters ---- */

static void roster_items_come_back_as_they_were(struct asker *a)
{
	struct store_roster_write *full = asker_roster(a, STORE_ROSTER_PUT, ROMEO, JULIET, 11);
	const char *groups[] = { "Famille", "", "H\xc3\xa9ros, \"A\" & '<B>'", "\n\t" };
	const struct store_roster_item *item;
	struct store_account_load *loaded;

	create(a, ROMEO);
	full->item.name = "Juliette \xe2\x9d\xa4";
	full->item.groups = groups;
	full->item.group_count = 4;
	full->item.state = 7;
	full->item.approved = true;
	full->item.request = "<presence type='subscribe'><status>Ho!</status></presence>";
	assert_int_equal(asker_ask(a, full), STORE_OK);
	assert_int_equal(asker_ask(a, asker_roster(a, STORE_ROSTER_PUT, ROMEO, "ben@north.example", 12)), STORE_OK);

	loaded = load(a, ROMEO);
	assert_int_equal(loaded->roster_version, 12);
	assert_int_equal(loaded->roster_count, 2);
	assert_string_equal(loaded->roster[0].contact, "ben@north.example");
	assert_null(loaded->roster[0].name);
	assert_null(loaded->roster[0].request);
	assert_int_equal(loaded->roster[0].group_count, 0);
	assert_false(loaded->roster[0].approved);
	item = &loaded->roster[1];
	assert_string_equal(item->contact, JULIET);
	assert_string_equal(item->name, full->item.name);
	assert_string_equal(item->request, full->item.request);
	assert_int_equal(item->group_count, 4);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(item->groups[i], groups[i]);
	assert_int_equal(item->state, 7);
	assert_true(item->approved);
	assert_true(item->listed);
	assert_int_equal(item->version, 11);
}

static void roster_items_are_replaced_and_removed(struct asker *a)
{
	struct store_roster_write *later = asker_roster(a, STORE_ROSTER_PUT, ROMEO, JULIET, 2);
	struct store_account_load *loaded;

	create(a, ROMEO);
	asker_ask(a, asker_roster(a, STORE_ROSTER_PUT, ROMEO, JULIET, 1));
	later->item.name = "J";
	later->item.listed = false;
	assert_int_equal(asker_ask(a, later), STORE_OK);
	loaded = load(a, ROMEO);
	assert_int_equal(loaded->roster_count, 1);
	assert_string_equal(loaded->roster[0].name, "J");
	assert_false(loaded->roster[0].listed);

	assert_int_equal(asker_ask(a, asker_roster(a, STORE_ROSTER_REMOVE, ROMEO, JULIET, 3)), STORE_OK);
	assert_int_equal(asker_ask(a, asker_roster(a, STORE_ROSTER_REMOVE, ROMEO, JULIET, 4)), STORE_ABSENT);
	loaded = load(a, ROMEO);
	assert_int_equal(loaded->roster_count, 0);
	assert_int_equal(loaded->roster_version, 3);
}

static void roster_of_nobody_is_absent(struct asker *a)
{
	assert_int_equal(asker_ask(a, asker_roster(a, STORE_ROSTER_PUT, ROMEO, JULIET, 1)), STORE_ABSENT);
	assert_int_equal(asker_ask(a, asker_roster(a, STORE_ROSTER_REMOVE, ROMEO, JULIET, 1)), STORE_ABSENT);
	assert_int_equal(asker_ask(a, asker_roster(a, STORE_ROSTER_PUT, "", JULIET, 1)), STORE_ABSENT);
}

static void roster_may_be_long(struct asker *a)
{
	struct store_account_load *loaded;

	create(a, ROMEO);
	for (unsigned i = 0; i < 1000; i++) {
		char contact[40];

		snprintf(contact, sizeof(contact), "contact-%04u@south.example", i);
		asker_submit(a, asker_roster(a, STORE_ROSTER_PUT, ROMEO, contact, i + 1));
	}
	loaded = load(a, ROMEO);
	assert_int_equal(loaded->roster_count, 1000);
	assert_string_equal(loaded->roster[999].contact, "contact-0999@south.example");
	assert_int_equal(loaded->roster_version, 1000);
}

/* ---- journals ---- */

static void journal_keeps_what_is_appended(struct asker *a)
{
	struct store_journal_append *first = asker_append(a, ROMEO, "<message><body>\xf0\x9f\x92\x8c</body></message>");
	struct store_journal_append *second = asker_append(a, ROMEO, "");
	struct store_journal_append *sent = asker_append(a, ROMEO, "sent");
	struct store_journal_read *read;
	struct store_account_load *loaded;

	create(a, ROMEO);
	second->entry.type = 3;
	second->entry.peer = "juliet@south.example";
	sent->entry.direction = STORE_OUT;
	assert_int_equal(asker_ask(a, first), STORE_OK);
	assert_int_equal(asker_ask(a, second), STORE_OK);
	assert_int_equal(asker_ask(a, sent), STORE_OK);
	assert_int_equal(asker_ask(a, sent), STORE_FAILED);

	read = journal(a, ROMEO);
	assert_int_equal(read->count, 2);
	assert_int_equal(read->entries[0].sequence, first->entry.sequence);
	assert_int_equal(read->entries[0].at_us, first->entry.at_us);
	assert_int_equal(read->entries[0].direction, STORE_IN);
	assert_int_equal(read->entries[0].type, 2);
	assert_string_equal(read->entries[0].peer, first->entry.peer);
	assert_int_equal(read->entries[0].stanza_len, first->entry.stanza_len);
	assert_string_equal(read->entries[0].stanza, first->entry.stanza);
	assert_string_equal(read->entries[1].peer, "juliet@south.example");
	assert_int_equal(read->entries[1].type, 3);
	assert_int_equal(read->entries[1].stanza_len, 0);

	loaded = load(a, ROMEO);
	assert_int_equal(loaded->undelivered, 2);
	assert_int_equal(loaded->undelivered_bytes, first->entry.stanza_len);
	assert_int_equal(loaded->journal_newest, sent->entry.sequence);
}

static void append_known(struct asker *a, uint64_t repeat, uint64_t stream, uint32_t handled)
{
	struct store_journal_append *asked = asker_append(a, ROMEO, "words");

	asked->entry.repeat = repeat;
	asked->entry.stream = stream;
	asked->entry.handled = handled;
	assert_int_equal(asker_ask(a, asked), STORE_OK);
}

static void journal_knows_what_comes_again(struct asker *a)
{
	struct store_account_load *loaded;

	create(a, ROMEO);
	for (uint64_t i = 1; i <= 5; i++)
		append_known(a, i % 2 ? i : 0, 0, 0);
	loaded = asker_load(a, ROMEO);
	loaded->repeats_most = 2;
	assert_int_equal(asker_ask(a, loaded), STORE_OK);
	assert_int_equal(loaded->repeat_count, 2);
	assert_int_equal(loaded->repeats[0].digest, 5);
	assert_int_equal(loaded->repeats[1].digest, 3);
	loaded = asker_load(a, ROMEO);
	loaded->repeats_most = 10;
	loaded->repeats_after = a->sequence - 1;
	assert_int_equal(asker_ask(a, loaded), STORE_OK);
	assert_int_equal(loaded->repeat_count, 1);
}

static enum store_status handled(struct asker *a, uint64_t stream, uint32_t *count)
{
	struct store_journal_handled *asked = asker_make(a, sizeof(*asked), STORE_JOURNAL_HANDLED, ROMEO);
	enum store_status status;

	asked->stream = stream;
	status = asker_ask(a, asked);
	*count = asked->handled;
	return status;
}

static void journal_knows_how_far_a_stream_has_come(struct asker *a)
{
	uint32_t count;

	assert_int_equal(handled(a, 7, &count), STORE_ABSENT);
	create(a, ROMEO);
	append_known(a, 0, 7, 4000000000);
	append_known(a, 0, 8, 1);
	append_known(a, 0, 7, 4000000002);
	append_known(a, 0, 0, 0);
	assert_int_equal(handled(a, 7, &count), STORE_OK);
	assert_true(count == 4000000002);
	assert_int_equal(handled(a, 8, &count), STORE_OK);
	assert_int_equal(count, 1);
	assert_int_equal(handled(a, 9, &count), STORE_ABSENT);
}

static void journal_is_read_by_pages(struct asker *a)
{
	struct store_journal_read *page = NULL;
	uint64_t after = 0;

	create(a, ROMEO);
	for (unsigned i = 0; i < 25; i++) {
		char stanza[8];

		snprintf(stanza, sizeof(stanza), "%u", i);
		asker_submit(a, asker_append(a, ROMEO, stanza));
	}
	for (unsigned i = 0; i < 25; i++) {
		if (i % 10 == 0) {
			page = asker_read(a, ROMEO, after, 10);
			assert_int_equal(asker_ask(a, page), STORE_OK);
			assert_int_equal(page->count, i == 20 ? 5 : 10);
		}
		assert_int_equal(atoi(page->entries[i % 10].stanza), i);
		assert_true(page->entries[i % 10].sequence > after);
		after = page->entries[i % 10].sequence;
	}
	page = asker_read(a, ROMEO, after, 10);
	assert_int_equal(asker_ask(a, page), STORE_OK);
	assert_int_equal(page->count, 0);
}

static void journal_forgets_what_is_delivered(struct asker *a)
{
	uint64_t first, second, third;
	struct store_journal_read *read;

	create(a, ROMEO);
	create(a, JULIET);
	first = append(a, ROMEO, "1");
	second = append(a, ROMEO, "22");
	append(a, JULIET, "other");
	third = append(a, ROMEO, "333");
	assert_true(first < second && second < third);
	assert_int_equal(asker_ask(a, asker_advance(a, ROMEO, second)), STORE_OK);
	read = journal(a, ROMEO);
	assert_int_equal(read->count, 1);
	assert_int_equal(read->entries[0].sequence, third);
	assert_int_equal(load(a, ROMEO)->undelivered, 1);
	assert_int_equal(load(a, ROMEO)->undelivered_bytes, 3);
	assert_int_equal(load(a, JULIET)->undelivered, 1);
	/* It never goes back. */
	assert_int_equal(asker_ask(a, asker_advance(a, ROMEO, first)), STORE_OK);
	assert_int_equal(load(a, ROMEO)->undelivered, 1);
}

static void journal_watermark_never_hides_a_new_entry(struct asker *a)
{
	uint64_t sequence;

	create(a, ROMEO);
	sequence = append(a, ROMEO, "1");
	assert_int_equal(asker_ask(a, asker_advance(a, ROMEO, sequence)), STORE_OK);
	assert_int_equal(load(a, ROMEO)->undelivered, 0);
	assert_true(append(a, ROMEO, "2") > sequence);
	assert_int_equal(load(a, ROMEO)->undelivered, 1);
	assert_int_equal(asker_ask(a, asker_advance(a, ROMEO, UINT64_MAX)), STORE_OK);
	assert_int_equal(load(a, ROMEO)->undelivered, 0);
	append(a, ROMEO, "3");
	assert_int_equal(journal(a, ROMEO)->count, 1);
}

/* Delivered although older ones wait: it is not read again, and the older ones are. */
static void journal_knows_exceptions(struct asker *a)
{
	struct store_journal_advance *advance = asker_advance(a, ROMEO, 0);
	uint64_t first, second, third;
	struct store_journal_read *read;

	create(a, ROMEO);
	first = append(a, ROMEO, "1");
	second = append(a, ROMEO, "22");
	third = append(a, ROMEO, "333");
	advance->beyond = &second;
	advance->beyond_count = 1;
	assert_int_equal(asker_ask(a, advance), STORE_OK);
	read = journal(a, ROMEO);
	assert_int_equal(read->count, 2);
	assert_int_equal(read->entries[0].sequence, first);
	assert_int_equal(read->entries[1].sequence, third);
	assert_int_equal(load(a, ROMEO)->undelivered, 2);
	assert_int_equal(load(a, ROMEO)->undelivered_bytes, 4);
}

/* Entries "0", "1", ... of which the even ones are with Juliet's balcony, the others with her chamber or Ben. */
static uint64_t archived(struct asker *a, unsigned number)
{
	static const char *const peers[] = { "juliet@south.example/balcony", "juliet@south.example/chamber",
	                                     "juliet@south.example/balcony", "ben@south.example" };
	char text[16];
	struct store_journal_append *asked;

	snprintf(text, sizeof(text), "%u", number);
	asked = asker_append(a, ROMEO, text);
	asked->entry.archived = true;
	asked->entry.direction = number % 2 ? STORE_OUT : STORE_IN;
	asked->entry.peer = peers[number % 4];
	assert_int_equal(asker_ask(a, asked), STORE_OK);
	return asked->entry.sequence;
}

static void assert_archive(struct asker *a, struct store_journal_archive *archive, const char *expected)
{
	char found[128] = "";
	size_t len = 0;

	assert_int_equal(asker_ask(a, archive), STORE_OK);
	for (size_t i = 0; i < archive->count; i++)
		len += (size_t)snprintf(found + len, sizeof(found) - len, "%s%s", i ? " " : "",
		                        archive->entries[i].stanza);
	assert_string_equal(found, expected);
}

static void archive_is_read_in_pages_from_either_end(struct asker *a)
{
	uint64_t sequences[8];
	struct store_journal_archive *page;

	create(a, ROMEO);
	for (unsigned i = 0; i < 8; i++) {
		sequences[i] = archived(a, i);
		append(a, ROMEO, "not archived");
	}
	page = asker_archive(a, ROMEO, 3);
	page->count_most = 100;
	assert_archive(a, page, "0 1 2");
	assert_true(page->more);
	assert_int_equal(page->total, 8);
	assert_int_equal(page->preceding, 0);
	page = asker_archive(a, ROMEO, 3);
	page->after = sequences[2];
	page->count_most = 5;
	assert_archive(a, page, "3 4 5");
	assert_int_equal(page->total, 5);
	page = asker_archive(a, ROMEO, 3);
	page->after = sequences[2];
	page->count_most = 9;
	assert_archive(a, page, "3 4 5");
	assert_int_equal(page->total, 8);
	assert_int_equal(page->preceding, 3);
	page = asker_archive(a, ROMEO, 3);
	page->backwards = true;
	assert_archive(a, page, "5 6 7");
	assert_true(page->more);
	page = asker_archive(a, ROMEO, 3);
	page->backwards = true;
	page->before = sequences[2];
	assert_archive(a, page, "0 1");
	assert_false(page->more);
	page = asker_archive(a, ROMEO, 8);
	assert_archive(a, page, "0 1 2 3 4 5 6 7");
	assert_false(page->more);
	page = asker_archive(a, ROMEO, 0);
	assert_archive(a, page, "");
	assert_true(page->more);
	page = asker_archive(a, ROMEO, 8);
	page->after = sequences[7];
	assert_archive(a, page, "");
}

static void archive_is_filtered(struct asker *a)
{
	uint64_t sequences[8];
	struct store_journal_archive *page;

	create(a, ROMEO);
	for (unsigned i = 0; i < 8; i++)
		sequences[i] = archived(a, i);
	page = asker_archive(a, ROMEO, 9);
	page->from = sequences[1];
	page->to = sequences[5];
	assert_archive(a, page, "1 2 3 4 5");
	page = asker_archive(a, ROMEO, 2);
	page->with = "juliet@south.example";
	page->backwards = true;
	page->count_most = 100;
	assert_archive(a, page, "5 6");
	assert_int_equal(page->total, 6);
	assert_int_equal(page->preceding, 4);
	page = asker_archive(a, ROMEO, 9);
	page->with = "juliet@south.example/chamber";
	assert_archive(a, page, "1 5");
	assert_string_equal(page->entries[0].peer, "juliet@south.example/chamber");
	assert_int_equal(page->entries[0].direction, STORE_OUT);
	page = asker_archive(a, ROMEO, 9);
	page->with = "ju@south.example";
	assert_archive(a, page, "");
	page = asker_archive(a, ROMEO, 9);
	page->ids = (const uint64_t[]){ sequences[2], 4711, sequences[4] };
	page->id_count = 3;
	assert_archive(a, page, "2 4");
	assert_int_equal(asker_ask(a, asker_archive(a, JULIET, 9)), STORE_ABSENT);
}

enum { MANY = 400, PAGE = 7 };

/* Pages over all that is archived with Ben, which are the numbers 3, 7, 11 and so on. */
static void walk_with_ben(struct asker *a, bool backwards)
{
	struct store_journal_archive *page;
	size_t walked = 0;

	for (uint64_t end = backwards ? UINT64_MAX : 0;; end = page->entries[backwards ? 0 : page->count - 1].sequence) {
		page = asker_archive(a, ROMEO, PAGE);
		page->with = "ben@south.example";
		page->backwards = backwards;
		*(backwards ? &page->before : &page->after) = end;
		page->count_most = MANY;
		assert_int_equal(asker_ask(a, page), STORE_OK);
		assert_int_equal(page->total, MANY / 4);
		assert_int_equal(page->preceding, backwards ? MANY / 4 - walked - page->count : walked);
		for (size_t i = 0; i < page->count; i++) {
			size_t place = backwards ? MANY / 4 - walked - page->count + i : walked + i;

			assert_int_equal(strtoul(page->entries[i].stanza, NULL, 10), place * 4 + 3);
		}
		walked += page->count;
		assert_int_equal(page->more, walked < MANY / 4);
		if (!page->more)
			break;
	}
	assert_int_equal(walked, MANY / 4);
}

static void a_long_archive_is_filtered(struct asker *a)
{
	struct store_journal_archive *page = asker_archive(a, ROMEO, MANY);

	create(a, ROMEO);
	for (unsigned i = 0; i < MANY; i++)
		archived(a, i);
	walk_with_ben(a, false);
	walk_with_ben(a, true);
	page->with = "juliet@south.example/chamber";
	page->count_most = 10;
	assert_int_equal(asker_ask(a, page), STORE_OK);
	assert_int_equal(page->count, MANY / 4);
	assert_int_equal(page->total, 10);
}

/* What a client has fetched from the archive is delivered; what is not archived cannot be fetched. */
static void fetched_from_the_archive_is_delivered(struct asker *a)
{
	struct store_journal_fetched *fetched = asker_make(a, sizeof(*fetched), STORE_JOURNAL_FETCHED, ROMEO);
	uint64_t sequences[8], waiting;

	create(a, ROMEO);
	for (unsigned i = 0; i < 8; i++) {
		sequences[i] = archived(a, i);
		if (i == 4)
			waiting = append(a, ROMEO, "w");
	}
	assert_int_equal(load(a, ROMEO)->undelivered, 5);
	fetched->after = sequences[0];
	fetched->up_to = sequences[3];
	assert_int_equal(asker_ask(a, fetched), STORE_OK);
	assert_int_equal(fetched->count, 1);
	assert_int_equal(fetched->bytes, 1);
	assert_int_equal(journal(a, ROMEO)->count, 4);
	assert_int_equal(journal(a, ROMEO)->entries[0].sequence, sequences[0]);
	fetched->after = 0;
	fetched->up_to = UINT64_MAX;
	fetched->count = fetched->bytes = 0;
	assert_int_equal(asker_ask(a, fetched), STORE_OK);
	assert_int_equal(fetched->count, 3);
	assert_int_equal(journal(a, ROMEO)->count, 1);
	assert_int_equal(journal(a, ROMEO)->entries[0].sequence, waiting);
	assert_int_equal(load(a, ROMEO)->undelivered, 1);
	assert_archive(a, asker_archive(a, ROMEO, 9), "0 1 2 3 4 5 6 7");
}

/* Delivery takes nothing out of the archive; what is undelivered does not expire. */
static void archive_has_a_span(struct asker *a)
{
	struct store_journal_span *span = asker_make(a, sizeof(*span), STORE_JOURNAL_SPAN, ROMEO);
	uint64_t first, last;

	assert_int_equal(asker_ask(a, span), STORE_ABSENT);
	create(a, ROMEO);
	append(a, ROMEO, "<message/>");
	assert_int_equal(asker_ask(a, span), STORE_OK);
	assert_true(span->first == 0 && span->last == 0);
	first = archived(a, 0);
	archived(a, 1);
	last = archived(a, 2);
	append(a, ROMEO, "<message/>");
	assert_int_equal(asker_ask(a, span), STORE_OK);
	assert_true(span->first == first && span->last == last);
	assert_true(span->first_us > 0 && span->last_us >= span->first_us);
}

static void archive_expires_in_steps(struct asker *a)
{
	struct store_journal_expire *expire = asker_make(a, sizeof(*expire), STORE_JOURNAL_EXPIRE, ROMEO);
	uint64_t sequences[8];

	create(a, ROMEO);
	for (unsigned i = 0; i < 8; i++)
		sequences[i] = archived(a, i);
	assert_int_equal(asker_ask(a, asker_advance(a, ROMEO, sequences[3])), STORE_OK);
	assert_int_equal(load(a, ROMEO)->undelivered, 2);
	assert_archive(a, asker_archive(a, ROMEO, 9), "0 1 2 3 4 5 6 7");
	expire->before = sequences[6];
	expire->limit = 2;
	assert_int_equal(asker_ask(a, expire), STORE_OK);
	assert_int_equal(expire->removed, 2);
	assert_archive(a, asker_archive(a, ROMEO, 9), "2 3 4 5 6 7");
	expire->limit = 100;
	assert_int_equal(asker_ask(a, expire), STORE_OK);
	assert_int_equal(expire->removed, 3);
	assert_archive(a, asker_archive(a, ROMEO, 9), "4 6 7");
	assert_int_equal(asker_ask(a, asker_advance(a, ROMEO, sequences[7])), STORE_OK);
	expire->before = 0;
	expire->most = 2;
	assert_int_equal(asker_ask(a, expire), STORE_OK);
	assert_int_equal(expire->removed, 1);
	assert_archive(a, asker_archive(a, ROMEO, 9), "6 7");
	assert_int_equal(asker_ask(a, expire), STORE_OK);
	assert_int_equal(expire->removed, 0);
}

static struct store_journal_surplus *surplus(struct asker *a, uint64_t before, size_t most, uint64_t most_bytes)
{
	struct store_journal_surplus *asked = asker_make(a, sizeof(*asked), STORE_JOURNAL_SURPLUS, "north.example");

	asked->limit = 100;
	asked->before = before;
	asked->most = most;
	asked->most_bytes = most_bytes;
	assert_int_equal(asker_ask(a, asked), STORE_OK);
	assert_null(asked->last);
	return asked;
}

/* Who has more than is kept, and below what: eight entries of a byte each, the newest incoming one of which is undelivered. */
static void surplus_is_found(struct asker *a)
{
	uint64_t sequences[8];

	create(a, ROMEO);
	create(a, "rosaline@north.example");
	for (unsigned i = 0; i < 8; i++)
		sequences[i] = archived(a, i);
	assert_int_equal(asker_ask(a, asker_advance(a, ROMEO, sequences[5])), STORE_OK);
	assert_int_equal(surplus(a, 0, 0, 0)->count, 0);
	assert_int_equal(surplus(a, sequences[0], 8, 8)->count, 0);
	assert_int_equal(surplus(a, sequences[2], 0, 0)->count, 1);
	assert_string_equal(surplus(a, sequences[2], 0, 0)->accounts[0], ROMEO);
	assert_true(surplus(a, sequences[2], 0, 0)->below[0] == sequences[1] + 1);
	assert_true(surplus(a, 0, 5, 0)->below[0] == sequences[2] + 1);
	assert_true(surplus(a, 0, 0, 4)->below[0] == sequences[3] + 1);
	assert_true(surplus(a, sequences[1], 6, 3)->below[0] == sequences[4] + 1);
	assert_true(surplus(a, UINT64_MAX, 1, 0)->below[0] == sequences[7] + 1);
}

/* One text, an entry for each of two accounts: it stays until both have gone. */
static void a_body_serves_two_accounts(struct asker *a)
{
	struct store_journal_append *out = asker_append(a, ROMEO, "<message/>");
	struct store_journal_append *in = asker_append(a, JULIET, "<message/>");

	create(a, ROMEO);
	create(a, JULIET);
	in->entry.body = out->entry.body;
	out->entry.direction = STORE_OUT;
	out->entry.archived = in->entry.archived = true;
	assert_int_equal(asker_ask(a, out), STORE_OK);
	assert_int_equal(asker_ask(a, in), STORE_OK);
	assert_int_equal(asker_ask(a, asker_account(a, STORE_ACCOUNT_REMOVE, ROMEO)), STORE_OK);
	assert_archive(a, asker_archive(a, JULIET, 9), "<message/>");
	assert_string_equal(journal(a, JULIET)->entries[0].stanza, "<message/>");
	assert_int_equal(asker_ask(a, asker_account(a, STORE_ACCOUNT_REMOVE, JULIET)), STORE_OK);
}

static void journal_of_nobody_is_absent(struct asker *a)
{
	assert_int_equal(asker_ask(a, asker_append(a, ROMEO, "1")), STORE_ABSENT);
	assert_int_equal(asker_ask(a, asker_read(a, ROMEO, 0, 1)), STORE_ABSENT);
	assert_int_equal(asker_ask(a, asker_advance(a, ROMEO, 1)), STORE_ABSENT);
	assert_int_equal(asker_ask(a, asker_append(a, "", "1")), STORE_ABSENT);
}

static void journal_takes_the_largest_stanza(struct asker *a)
{
	enum { LARGE = 512 * 1024 };
	char *stanza = mem_alloc(LARGE + 1);

	memset(stanza, 'x', LARGE);
	stanza[LARGE] = '\0';
	create(a, ROMEO);
	append(a, ROMEO, stanza);
	assert_int_equal(journal(a, ROMEO)->entries[0].stanza_len, LARGE);
	assert_string_equal(journal(a, ROMEO)->entries[0].stanza, stanza);
	free(stanza);
}

/* ---- publish-subscribe ---- */

static struct store_pubsub_write *node(struct asker *a, enum store_op op, const char *name, const char *config)
{
	struct store_pubsub_write *write = asker_make(a, sizeof(*write), op, ROMEO);

	write->node = (struct store_pubsub_node){ .name = name, .config = config, .affiliations = "" };
	write->most_nodes = 2;
	write->most_items = 1;
	return write;
}

static struct store_pubsub_nodes *nodes(struct asker *a, const char *name)
{
	struct store_pubsub_nodes *nodes = asker_make(a, sizeof(*nodes), STORE_PUBSUB_NODES, ROMEO);

	nodes->name = name;
	asker_ask(a, nodes);
	return nodes;
}

static struct store_pubsub_item_write *item(struct asker *a, enum store_op op, const char *name, const char *id)
{
	struct store_pubsub_item_write *write = asker_make(a, sizeof(*write), op, ROMEO);

	write->node = name;
	write->item = (struct store_pubsub_item){ .id = id, .publisher = ROMEO, .at_us = 5, .payload = "<a/>",
	                                          .payload_len = 4 };
	write->most_nodes = 2;
	write->most_items = 3;
	return write;
}

/* The ids of a page, one behind the other. */
static const char *page(struct asker *a, const char *after, const char *before, size_t index, size_t limit)
{
	struct store_pubsub_items *items = asker_make(a, sizeof(*items), STORE_PUBSUB_ITEMS, ROMEO);
	const char *ids = "";

	items->node = "n";
	items->after = after;
	items->before = before;
	items->index = index;
	items->limit = limit;
	if (asker_ask(a, items) != STORE_OK)
		return NULL;
	assert_int_equal(items->count, 3);
	for (size_t i = 0; i < items->item_count; i++)
		ids = arena_printf(&items->request.arena, "%s%s", ids, items->items[i].id);
	return arena_printf(&items->request.arena, "%zu %s", items->index, ids);
}

static void node_is_created_once_changed_and_removed(struct asker *a)
{
	assert_int_equal(asker_ask(a, node(a, STORE_PUBSUB_NODE_CREATE, "n", "1")), STORE_ABSENT);
	create(a, ROMEO);
	assert_int_equal(asker_ask(a, node(a, STORE_PUBSUB_NODE_CREATE, "n", "1")), STORE_OK);
	assert_int_equal(asker_ask(a, node(a, STORE_PUBSUB_NODE_CREATE, "n", "2")), STORE_CONFLICT);
	assert_string_equal(nodes(a, "n")->nodes[0].config, "1");
	assert_int_equal(asker_ask(a, node(a, STORE_PUBSUB_NODE_CHANGE, "n", "2")), STORE_OK);
	assert_string_equal(nodes(a, NULL)->nodes[0].config, "2");
	assert_int_equal(asker_ask(a, node(a, STORE_PUBSUB_NODE_CHANGE, "other", "2")), STORE_ABSENT);
	assert_int_equal(asker_ask(a, node(a, STORE_PUBSUB_NODE_REMOVE, "n", "")), STORE_OK);
	assert_int_equal(asker_ask(a, node(a, STORE_PUBSUB_NODE_REMOVE, "n", "")), STORE_ABSENT);
	assert_int_equal(nodes(a, "n")->request.status, STORE_ABSENT);
	assert_int_equal(nodes(a, NULL)->request.status, STORE_OK);
}

static void nodes_are_bounded_and_belong_to_their_owner(struct asker *a)
{
	create(a, ROMEO);
	assert_int_equal(asker_ask(a, node(a, STORE_PUBSUB_NODE_CREATE, "b", "")), STORE_OK);
	assert_int_equal(asker_ask(a, node(a, STORE_PUBSUB_NODE_CREATE, "a", "")), STORE_OK);
	assert_int_equal(asker_ask(a, node(a, STORE_PUBSUB_NODE_CREATE, "c", "")), STORE_FULL);
	assert_int_equal(nodes(a, NULL)->count, 2);
	assert_string_equal(nodes(a, NULL)->nodes[0].name, "a");
	assert_int_equal(asker_ask(a, asker_account(a, STORE_ACCOUNT_REMOVE, ROMEO)), STORE_OK);
	assert_int_equal(nodes(a, NULL)->count, 0);
}

static void item_creates_its_node_and_pushes_the_oldest_out(struct asker *a)
{
	struct store_pubsub_item_write *first = item(a, STORE_PUBSUB_ITEM_PUT, "n", "a");

	create(a, ROMEO);
	assert_int_equal(asker_ask(a, item(a, STORE_PUBSUB_ITEM_PUT, "n", "a")), STORE_ABSENT);
	first->create_config = "made";
	assert_int_equal(asker_ask(a, first), STORE_OK);
	assert_true(first->created);
	assert_string_equal(nodes(a, "n")->nodes[0].config, "made");
	for (const char *id = "bcda"; *id; id++) {
		char text[] = { *id, '\0' };
		struct store_pubsub_item_write *next = item(a, STORE_PUBSUB_ITEM_PUT, "n", NULL);

		next->item.id = arena_str(&next->request.arena, text);
		assert_int_equal(asker_ask(a, next), STORE_OK);
		assert_false(next->created);
	}
	assert_string_equal(page(a, NULL, NULL, 0, 9), "0 cda");
	assert_int_equal(asker_ask(a, item(a, STORE_PUBSUB_ITEM_REMOVE, "n", "b")), STORE_ABSENT);
	assert_int_equal(asker_ask(a, item(a, STORE_PUBSUB_ITEM_REMOVE, "n", "d")), STORE_OK);
	assert_int_equal(asker_ask(a, item(a, STORE_PUBSUB_ITEM_PUT, "n", "d")), STORE_OK);
	assert_string_equal(page(a, NULL, NULL, 0, 9), "0 cad");
	assert_int_equal(asker_ask(a, node(a, STORE_PUBSUB_NODE_PURGE, "n", "")), STORE_OK);
	assert_int_equal(asker_ask(a, item(a, STORE_PUBSUB_ITEM_REMOVE, "n", "c")), STORE_ABSENT);
}

static void items_come_in_pages(struct asker *a)
{
	struct store_pubsub_items *some = asker_make(a, sizeof(*some), STORE_PUBSUB_ITEMS, ROMEO);

	create(a, ROMEO);
	assert_null(page(a, NULL, NULL, 0, 2));
	asker_ask(a, node(a, STORE_PUBSUB_NODE_CREATE, "n", ""));
	asker_ask(a, item(a, STORE_PUBSUB_ITEM_PUT, "n", "a"));
	asker_ask(a, item(a, STORE_PUBSUB_ITEM_PUT, "n", "b"));
	asker_ask(a, item(a, STORE_PUBSUB_ITEM_PUT, "n", "c"));
	assert_string_equal(page(a, NULL, NULL, 0, 2), "0 ab");
	assert_string_equal(page(a, "b", NULL, 0, 2), "2 c");
	assert_string_equal(page(a, NULL, "", 0, 2), "1 bc");
	assert_string_equal(page(a, NULL, "b", 0, 2), "0 a");
	assert_string_equal(page(a, NULL, NULL, 1, 1), "1 b");
	assert_string_equal(page(a, NULL, NULL, 0, 0), "0 ");
	assert_null(page(a, "unknown", NULL, 0, 2));
	some->node = "n";
	some->ids = (const char *[]){ "c", "unknown", "a" };
	some->id_count = 3;
	assert_int_equal(asker_ask(a, some), STORE_OK);
	assert_int_equal(some->item_count, 2);
	assert_string_equal(some->items[0].id, "c");
	assert_string_equal(some->items[1].payload, "<a/>");
	assert_int_equal(some->items[1].at_us, 5);
}

static void last_items_of_named_nodes(struct asker *a)
{
	struct store_pubsub_nodes *last = asker_make(a, sizeof(*last), STORE_PUBSUB_LAST, ROMEO);

	create(a, ROMEO);
	asker_ask(a, node(a, STORE_PUBSUB_NODE_CREATE, "n", "config"));
	asker_ask(a, node(a, STORE_PUBSUB_NODE_CREATE, "empty", ""));
	asker_ask(a, item(a, STORE_PUBSUB_ITEM_PUT, "n", "a"));
	asker_ask(a, item(a, STORE_PUBSUB_ITEM_PUT, "n", "b"));
	last->names = (const char *[]){ "absent", "empty", "n" };
	last->name_count = 3;
	assert_int_equal(asker_ask(a, last), STORE_OK);
	assert_int_equal(last->count, 1);
	assert_string_equal(last->nodes[0].config, "config");
	assert_string_equal(last->nodes[0].last.id, "b");
}

/* ---- documents ---- */

static void document_is_put_got_replaced_and_removed(struct asker *a)
{
	struct store_document *got = asker_document(a, STORE_DOCUMENT_GET, ROMEO, "private", "storage:bookmarks", NULL);

	create(a, ROMEO);
	assert_int_equal(asker_ask(a, asker_document(a, STORE_DOCUMENT_PUT, ROMEO, "private", "storage:bookmarks",
	                                             "<one/>")), STORE_OK);
	assert_int_equal(asker_ask(a, asker_document(a, STORE_DOCUMENT_PUT, ROMEO, "private", "other", "<two/>")),
	                 STORE_OK);
	assert_int_equal(asker_ask(a, got), STORE_OK);
	assert_string_equal(got->text, "<one/>");
	assert_int_equal(got->text_len, 6);

	assert_int_equal(asker_ask(a, asker_document(a, STORE_DOCUMENT_PUT, ROMEO, "private", "other", "")), STORE_OK);
	got = asker_document(a, STORE_DOCUMENT_GET, ROMEO, "private", "other", NULL);
	assert_int_equal(asker_ask(a, got), STORE_OK);
	assert_string_equal(got->text, "");

	assert_int_equal(asker_ask(a, asker_document(a, STORE_DOCUMENT_PUT, ROMEO, "private", "other", NULL)), STORE_OK);
	assert_int_equal(asker_ask(a, asker_document(a, STORE_DOCUMENT_PUT, ROMEO, "private", "other", NULL)),
	                 STORE_ABSENT);
	assert_int_equal(asker_ask(a, asker_document(a, STORE_DOCUMENT_GET, ROMEO, "private", "other", NULL)),
	                 STORE_ABSENT);
	assert_int_equal(asker_ask(a, asker_document(a, STORE_DOCUMENT_GET, ROMEO, "vcard", "storage:bookmarks", NULL)),
	                 STORE_ABSENT);
}

static void some_documents_come_with_the_account(struct asker *a)
{
	const struct store_account_document *document;
	struct store_account_load *load;

	create(a, ROMEO);
	load = asker_load(a, ROMEO);
	assert_int_equal(asker_ask(a, load), STORE_OK);
	assert_null(store_account_document(load, "blocking", ""));
	assert_int_equal(asker_ask(a, asker_document(a, STORE_DOCUMENT_PUT, ROMEO, "blocking", "", "a\nb\n")), STORE_OK);
	assert_int_equal(asker_ask(a, asker_document(a, STORE_DOCUMENT_PUT, ROMEO, "archive", "x", "never")), STORE_OK);
	assert_int_equal(asker_ask(a, asker_document(a, STORE_DOCUMENT_PUT, ROMEO, "push", "a\nb", "<y/>")), STORE_OK);
	assert_int_equal(asker_ask(a, asker_document(a, STORE_DOCUMENT_PUT, ROMEO, "vcard", "", "<x/>")), STORE_OK);
	load = asker_load(a, ROMEO);
	assert_int_equal(asker_ask(a, load), STORE_OK);
	assert_int_equal(load->document_count, 3);
	assert_string_equal(store_account_document(load, "push", "a\nb")->text, "<y/>");
	document = store_account_document(load, "blocking", "");
	assert_int_equal(document->len, 4);
	assert_string_equal(document->text, "a\nb\n");
	assert_string_equal(store_account_document(load, "archive", "x")->text, "never");
	assert_null(store_account_document(load, "archive", ""));
}

static enum store_status put_at_most(struct asker *a, const char *kind, const char *key, size_t most)
{
	struct store_document *document = asker_document(a, STORE_DOCUMENT_PUT, ROMEO, kind, key, "<x/>");

	document->most = most;
	return asker_ask(a, document);
}

static void documents_of_a_kind_are_bounded(struct asker *a)
{
	assert_int_equal(put_at_most(a, "private", "one", 2), STORE_ABSENT);
	asker_ask(a, asker_account(a, STORE_ACCOUNT_CREATE, ROMEO));
	assert_int_equal(put_at_most(a, "vcard", "", 2), STORE_OK);
	assert_int_equal(put_at_most(a, "private", "one", 2), STORE_OK);
	assert_int_equal(put_at_most(a, "private", "two", 2), STORE_OK);
	assert_int_equal(put_at_most(a, "private", "three", 2), STORE_FULL);
	assert_int_equal(put_at_most(a, "private", "two", 2), STORE_OK);
	assert_int_equal(put_at_most(a, "private", "three", 0), STORE_OK);
	assert_int_equal(put_at_most(a, "private", "two", 2), STORE_FULL);
	assert_int_equal(asker_ask(a, asker_document(a, STORE_DOCUMENT_PUT, ROMEO, "private", "two", NULL)), STORE_OK);
	assert_int_equal(put_at_most(a, "private", "three", 2), STORE_OK);
}

static struct store_document_owners *owners(struct asker *a, size_t limit, uint64_t after)
{
	struct store_document_owners *asked = asker_make(a, sizeof(*asked), STORE_DOCUMENT_OWNERS, "");

	asked->kind = "shown";
	asked->limit = limit;
	asked->after = after;
	assert_int_equal(asker_ask(a, asked), STORE_OK);
	return asked;
}

/* Each once, page by page, and neither the server nor who has documents of other kinds only. */
static void owners_of_a_kind_are_found(struct asker *a)
{
	const struct store_document_owners *first, *second;

	assert_int_equal(owners(a, 2, 0)->count, 0);
	create(a, ROMEO);
	create(a, JULIET);
	create(a, "rosaline@north.example");
	assert_int_equal(asker_ask(a, asker_document(a, STORE_DOCUMENT_PUT, "", "shown", "", "x")), STORE_OK);
	assert_int_equal(asker_ask(a, asker_document(a, STORE_DOCUMENT_PUT, "rosaline@north.example", "last", "", "x")),
	                 STORE_OK);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(asker_ask(a, asker_document(a, STORE_DOCUMENT_PUT, ROMEO, "shown", i ? "b" : "a", "x")),
		                 STORE_OK);
		assert_int_equal(asker_ask(a, asker_document(a, STORE_DOCUMENT_PUT, JULIET, "shown", i ? "b" : "a", "x")),
		                 STORE_OK);
	}
	first = owners(a, 1, 0);
	second = owners(a, 2, first->end);
	assert_int_equal(first->count, 1);
	assert_int_equal(second->count, 1);
	assert_true((strcmp(first->accounts[0], ROMEO) == 0 && strcmp(second->accounts[0], JULIET) == 0) ||
	            (strcmp(first->accounts[0], JULIET) == 0 && strcmp(second->accounts[0], ROMEO) == 0));
	assert_int_equal(owners(a, 2, second->end)->count, 0);
}

static void document_of_the_server_is_created_once(struct asker *a)
{
	struct store_document *first = asker_document(a, STORE_DOCUMENT_PUT, "", "secret", "dialback", "abc");
	struct store_document *second = asker_document(a, STORE_DOCUMENT_PUT, "", "secret", "dialback", "xyz");

	first->create_only = second->create_only = true;
	assert_int_equal(asker_ask(a, first), STORE_OK);
	assert_int_equal(asker_ask(a, second), STORE_CONFLICT);
	assert_string_equal(second->text, "abc");
	assert_int_equal(second->text_len, 3);
}

static void document_of_nobody_is_absent(struct asker *a)
{
	struct store_document *only = asker_document(a, STORE_DOCUMENT_PUT, ROMEO, "last", "", "1");

	only->create_only = true;
	assert_int_equal(asker_ask(a, only), STORE_ABSENT);
	assert_int_equal(asker_ask(a, asker_document(a, STORE_DOCUMENT_PUT, ROMEO, "last", "", "1")), STORE_ABSENT);
	assert_int_equal(asker_ask(a, asker_document(a, STORE_DOCUMENT_GET, ROMEO, "last", "", NULL)), STORE_ABSENT);
}

/* ---- outboxes ---- */

static enum store_status outbox_append(struct asker *a, const char *key, uint64_t sequence, uint64_t bytes)
{
	struct store_outbox_append *append = asker_make(a, sizeof(*append), STORE_OUTBOX_APPEND, key);
	char *stanza = arena_printf(&append->request.arena, "<message id='%u'/>", (unsigned)sequence);

	append->entry = (struct store_outbox_entry){ .sequence = sequence, .since_us = 1000 + (int64_t)sequence,
		                                     .bytes = bytes, .stanza = stanza, .stanza_len = strlen(stanza) };
	return asker_ask(a, append);
}

static struct store_outbox_read *outbox_read(struct asker *a, const char *key, uint64_t after, size_t limit,
                                             uint64_t most_bytes)
{
	struct store_outbox_read *read = asker_make(a, sizeof(*read), STORE_OUTBOX_READ, key);

	read->after = after;
	read->limit = limit;
	read->most_bytes = most_bytes;
	assert_int_equal(asker_ask(a, read), STORE_OK);
	return read;
}

static void outbox_entries_come_back_in_order(struct asker *a)
{
	struct store_outbox_remove *removal = asker_make(a, sizeof(*removal), STORE_OUTBOX_REMOVE, "link a b");
	const uint64_t sequences[] = { 3, 1, 99 };
	struct store_outbox_read *read;

	assert_int_equal(outbox_append(a, "link a b", 3, 10), STORE_OK);
	assert_int_equal(outbox_append(a, "link a b", 1, 20), STORE_OK);
	assert_int_equal(outbox_append(a, "link a b", 2, 30), STORE_OK);
	assert_int_equal(outbox_append(a, "link a c", 2, 40), STORE_OK);
	assert_int_equal(outbox_append(a, "link a b", 2, 50), STORE_FAILED);
	read = outbox_read(a, "link a b", 0, 10, UINT64_MAX);
	assert_int_equal(read->count, 3);
	assert_false(read->more);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(read->entries[i].sequence, i + 1);
	assert_int_equal(read->entries[1].since_us, 1002);
	assert_int_equal(read->entries[1].bytes, 30);
	assert_string_equal(read->entries[1].stanza, "<message id='2'/>");
	assert_int_equal(read->entries[1].stanza_len, strlen(read->entries[1].stanza));
	removal->sequences = sequences;
	removal->count = 3;
	assert_int_equal(asker_ask(a, removal), STORE_OK);
	read = outbox_read(a, "link a b", 0, 10, UINT64_MAX);
	assert_int_equal(read->count, 1);
	assert_int_equal(read->entries[0].sequence, 2);
	assert_int_equal(outbox_read(a, "link a c", 0, 10, UINT64_MAX)->count, 1);
}

static void outbox_is_read_by_pages(struct asker *a)
{
	struct store_outbox_read *read;

	for (uint64_t i = 1; i <= 10; i++)
		assert_int_equal(outbox_append(a, "link a b", i, 100), STORE_OK);
	read = outbox_read(a, "link a b", 0, 4, UINT64_MAX);
	assert_int_equal(read->count, 4);
	assert_true(read->more);
	read = outbox_read(a, "link a b", 4, 6, UINT64_MAX);
	assert_int_equal(read->count, 6);
	assert_false(read->more);
	read = outbox_read(a, "link a b", 4, 6, 150);
	assert_int_equal(read->count, 2);
	assert_int_equal(read->entries[1].sequence, 6);
	assert_true(read->more);
	assert_int_equal(outbox_read(a, "link a b", 4, 6, 0)->count, 1);
	assert_int_equal(outbox_read(a, "link a b", 10, 6, 100)->count, 0);
}

static void outboxes_are_listed(struct asker *a)
{
	struct store_outbox_list *list = asker_make(a, sizeof(*list), STORE_OUTBOX_LIST, "");

	assert_int_equal(asker_ask(a, list), STORE_OK);
	assert_int_equal(list->count, 0);
	outbox_append(a, "link b a", 5, 7);
	outbox_append(a, "link a b", 3, 10);
	outbox_append(a, "link a b", 4, 20);
	assert_int_equal(asker_ask(a, list), STORE_OK);
	assert_int_equal(list->count, 2);
	assert_string_equal(list->outboxes[0].key, "link a b");
	assert_int_equal(list->outboxes[0].count, 2);
	assert_int_equal(list->outboxes[0].bytes, 30);
	assert_int_equal(list->outboxes[0].newest, 4);
	assert_string_equal(list->outboxes[1].key, "link b a");
}

static void the_server_is_no_account(struct asker *a)
{
	assert_int_equal(asker_ask(a, asker_load(a, "")), STORE_ABSENT);
	assert_int_equal(asker_ask(a, asker_account(a, STORE_ACCOUNT_CREATE, "")), STORE_FAILED);
	assert_int_equal(asker_ask(a, asker_account(a, STORE_ACCOUNT_CREATE, "north.example")), STORE_FAILED);
	assert_int_equal(asker_ask(a, asker_account(a, STORE_ACCOUNT_CREDENTIALS, "")), STORE_ABSENT);
	assert_int_equal(asker_ask(a, asker_account(a, STORE_ACCOUNT_REMOVE, "")), STORE_ABSENT);
}

/* ---- promises ---- */

enum { OWNERS = 5, ROUNDS = 100 };

static const char *owner_name(char name[32], unsigned number)
{
	snprintf(name, 32, "user-%u@north.example", number);
	return name;
}

/* The answers of an owner's writes, by their tokens, ascend. */
static void assert_answers_in_order(struct asker *a, const char *owner)
{
	uint64_t last = 0;

	for (size_t i = 0; i < a->answered_count; i++) {
		const struct store_request *request = a->asked[a->answered[i]];

		if (strcmp(request->owner, owner) != 0 || request->op == STORE_ACCOUNT_LOAD ||
		    request->op == STORE_JOURNAL_READ)
			continue;
		assert_true(request->token >= last);
		last = request->token;
	}
}

static void writes_of_an_owner_keep_their_order(struct asker *a)
{
	char name[32];

	for (unsigned i = 0; i < OWNERS; i++)
		asker_submit(a, asker_account(a, STORE_ACCOUNT_CREATE, owner_name(name, i)));
	for (unsigned round = 0; round < ROUNDS; round++) {
		char text[16];

		snprintf(text, sizeof(text), "%u", round);
		for (unsigned i = 0; i < OWNERS; i++) {
			asker_submit(a, asker_append(a, owner_name(name, i), text));
			asker_submit(a, asker_document(a, STORE_DOCUMENT_PUT, owner_name(name, i), "last", "", text));
		}
	}
	asker_wait(a);
	for (unsigned i = 0; i < OWNERS; i++) {
		struct store_journal_read *read = journal(a, owner_name(name, i));
		struct store_document *last = asker_document(a, STORE_DOCUMENT_GET, name, "last", "", NULL);

		assert_int_equal(read->count, ROUNDS);
		for (unsigned round = 0; round < ROUNDS; round++)
			assert_int_equal(atoi(read->entries[round].stanza), round);
		assert_int_equal(asker_ask(a, last), STORE_OK);
		assert_int_equal(atoi(last->text), ROUNDS - 1);
		assert_answers_in_order(a, name);
	}
}

static void a_read_sees_every_write_before_it(struct asker *a)
{
	struct store_journal_read *reads[ROUNDS];
	struct store_account_load *loads[ROUNDS];

	asker_submit(a, asker_account(a, STORE_ACCOUNT_CREATE, ROMEO));
	for (unsigned i = 0; i < ROUNDS; i++) {
		asker_submit(a, asker_append(a, ROMEO, "x"));
		asker_submit(a, loads[i] = asker_load(a, ROMEO));
		if (i % 7 == 0)
			asker_wait(a);
		asker_submit(a, reads[i] = asker_read(a, ROMEO, 0, SIZE_MAX));
	}
	asker_wait(a);
	for (unsigned i = 0; i < ROUNDS; i++) {
		assert_int_equal(loads[i]->request.status, STORE_OK);
		assert_true(loads[i]->undelivered > i);
		assert_true(reads[i]->count > i);
	}
}

/* Each in the middle of good ones: an account that is absent, one that exists, keys that cannot be. */
static void a_failing_request_fails_alone(struct asker *a)
{
	struct store_account_write *twice = asker_account(a, STORE_ACCOUNT_CREATE, JULIET);
	struct store_journal_append *broken = asker_append(a, ROMEO, "broken");
	struct store_account_write *exists = asker_account(a, STORE_ACCOUNT_CREATE, ROMEO);
	struct store_journal_append *absent = asker_append(a, "nobody@north.example", "x");
	struct store_journal_append *good[4];

	twice->credentials[1] = twice->credentials[0];
	broken->entry.peer = NULL;
	for (unsigned i = 0; i < 4; i++)
		good[i] = asker_append(a, ROMEO, "good");
	asker_submit(a, asker_account(a, STORE_ACCOUNT_CREATE, ROMEO));
	asker_submit(a, good[0]);
	asker_submit(a, twice);
	asker_submit(a, good[1]);
	asker_submit(a, broken);
	asker_submit(a, good[2]);
	asker_submit(a, exists);
	asker_submit(a, absent);
	asker_submit(a, good[3]);
	asker_wait(a);
	assert_int_equal(twice->request.status, STORE_FAILED);
	assert_int_equal(broken->request.status, STORE_FAILED);
	assert_int_equal(exists->request.status, STORE_CONFLICT);
	assert_int_equal(absent->request.status, STORE_ABSENT);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(good[i]->request.status, STORE_OK);
	assert_int_equal(journal(a, ROMEO)->count, 4);
	/* Nothing is left of the account that failed half way. */
	assert_int_equal(asker_ask(a, asker_load(a, JULIET)), STORE_ABSENT);
	create(a, JULIET);
}

static void figures_count(struct asker *a)
{
	struct store_figures figures;

	create(a, ROMEO);
	append(a, ROMEO, "x");
	load(a, ROMEO);
	asker_figures(a->store, &figures);
	assert_int_equal(figures.writes, 2);
	assert_int_equal(figures.reads, 1);
	assert_int_equal(figures.commits, 2);
	assert_int_equal(figures.failed, 0);
}

static void closing_finishes_what_was_asked_for(struct asker *a)
{
	asker_submit(a, asker_account(a, STORE_ACCOUNT_CREATE, ROMEO));
	for (unsigned i = 0; i < ROUNDS; i++)
		asker_submit(a, asker_append(a, ROMEO, "x"));
	store_close(&a->store);
	assert_int_equal(a->answered_count, ROUNDS + 1);
	for (size_t i = 0; i < a->asked_count; i++)
		assert_int_equal(a->asked[i]->status, STORE_OK);
}

/* ---- on a worker ---- */

struct done_here {
	pthread_t thread;
	bool submitting;
	unsigned count;
};

static void answered_on_worker(struct store_request *request)
{
	struct done_here *here = request->context;

	assert_true(pthread_equal(here->thread, pthread_self()));
	assert_false(here->submitting);
	assert_int_equal(request->status, STORE_OK);
	assert_int_equal(request->token, here->count);
	here->count++;
	store_request_free(request);
}

static void answers_come_to_the_worker_that_asked(struct asker *a)
{
	struct workers_options options = { .count = 1, .stepped = true, .clock = &clock_system,
	                                   .entropy = &entropy_system };
	struct workers *workers = workers_new(&options);
	struct done_here here = { .thread = pthread_self() };

	create(a, ROMEO);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct store_document *document = store_request_new(sizeof(*document), STORE_DOCUMENT_PUT,
			workers_at(workers, 0), ROMEO, strlen(ROMEO), answered_on_worker);

		document->kind = "last";
		document->key = "";
		document->text = "now";
		document->text_len = 3;
		document->request.context = &here;
		document->request.token = i;
		here.submitting = true;
		store_submit(a->store, &document->request);
		here.submitting = false;
	}
	while (here.count < ROUNDS) {
		if (a->step)
			a->step(a->store);
		if (!workers_step(workers))
			usleep(1000);
	}
	workers_free(&workers);
}

/* ---- tokens ---- */

static const char phone[] = "d4565fa7-4d72-4749-b3d3-740edbf87770", web[] = "11111111-4d72-4749-b3d3-740edbf87770";

static struct store_tokens_read *tokens(struct asker *a, const char *owner, const char *client)
{
	struct store_tokens_read *read = asker_make(a, sizeof(*read), STORE_TOKENS_READ, owner);

	read->client = client;
	assert_int_equal(asker_ask(a, read), STORE_OK);
	return read;
}

/* letter: of the fresh token's secret; 0: none. */
static struct store_token_change *token_change(struct asker *a, const char *client, uint64_t used, char letter)
{
	struct store_token_change *change = asker_make(a, sizeof(*change), STORE_TOKEN_CHANGE, ROMEO);

	change->client = client;
	change->used = used;
	change->most = 3;
	if (letter) {
		memset(change->fresh.secret, letter, STORE_TOKEN_LEN);
		change->fresh.mechanism = "HT-SHA-256-EXPR";
		change->fresh.issued_us = 1700000000000000;
		change->fresh.expires_us = 1700000001000000;
	}
	return change;
}

static void give(struct asker *a, const char *client, char letter)
{
	assert_int_equal(asker_ask(a, token_change(a, client, 0, letter)), STORE_OK);
}

static void assert_tokens(struct asker *a, const char *client, const char *letters)
{
	struct store_tokens_read *read = tokens(a, ROMEO, client);

	assert_int_equal(read->count, strlen(letters));
	for (size_t i = 0; i < read->count; i++) {
		assert_int_equal(strlen(read->tokens[i].secret), STORE_TOKEN_LEN);
		assert_int_equal(read->tokens[i].secret[0], letters[i]);
	}
}

static void token_is_given_used_and_replaced(struct asker *a)
{
	struct store_token_change *change;
	struct store_token *token;

	create(a, ROMEO);
	assert_tokens(a, phone, "");
	give(a, phone, 'a');
	token = tokens(a, ROMEO, phone)->tokens;
	assert_string_equal(token->mechanism, "HT-SHA-256-EXPR");
	assert_true(token->issued_us == 1700000000000000 && token->expires_us == 1700000001000000);
	assert_false(token->used);
	/* One that was not used is replaced, one that was stays until a newer one is. */
	give(a, phone, 'b');
	assert_tokens(a, phone, "b");
	assert_int_equal(asker_ask(a, token_change(a, phone, token->id, 0)), STORE_ABSENT);
	token = tokens(a, ROMEO, phone)->tokens;
	assert_int_equal(asker_ask(a, token_change(a, phone, token->id, 'c')), STORE_OK);
	assert_tokens(a, phone, "cb");
	assert_int_equal(asker_ask(a, token_change(a, phone, token->id, 0)), STORE_OK);
	assert_tokens(a, phone, "cb");
	assert_true(tokens(a, ROMEO, phone)->tokens[1].used);
	token = tokens(a, ROMEO, phone)->tokens;
	assert_int_equal(asker_ask(a, token_change(a, web, token->id, 0)), STORE_ABSENT);
	assert_int_equal(asker_ask(a, token_change(a, phone, token->id, 0)), STORE_OK);
	assert_tokens(a, phone, "c");
	change = token_change(a, phone, token->id, 0);
	change->forget = true;
	assert_int_equal(asker_ask(a, change), STORE_OK);
	assert_tokens(a, phone, "");
}

static void token_knows_the_highest_count(struct asker *a)
{
	static const struct { uint64_t count; enum store_status status; } uses[] = {
		{ 5, STORE_OK }, { 5, STORE_ABSENT }, { 4, STORE_ABSENT }, { 0, STORE_OK }, { 6, STORE_OK },
	};

	create(a, ROMEO);
	give(a, phone, 'a');
	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		struct store_token_change *change =
			token_change(a, phone, tokens(a, ROMEO, phone)->tokens[0].id, 0);

		change->count = uses[i].count;
		assert_int_equal(asker_ask(a, change), uses[i].status);
	}
	assert_int_equal(tokens(a, ROMEO, phone)->tokens[0].count, 6);
}

static void tokens_are_bounded_by_clients(struct asker *a)
{
	create(a, ROMEO);
	give(a, "one", 'a');
	give(a, "two", 'b');
	give(a, "three", 'c');
	give(a, "one", 'd');
	give(a, "four", 'e');
	assert_tokens(a, "one", "d");
	assert_tokens(a, "two", "");
	assert_tokens(a, "three", "c");
	assert_tokens(a, "four", "e");
}

static void tokens_go_with_the_password_and_when_revoked(struct asker *a)
{
	struct store_token_revoke *revoke = asker_make(a, sizeof(*revoke), STORE_TOKENS_REVOKE, ROMEO);

	assert_int_equal(asker_ask(a, revoke), STORE_ABSENT);
	assert_int_equal(asker_ask(a, token_change(a, phone, 0, 'a')), STORE_ABSENT);
	create(a, ROMEO);
	give(a, phone, 'a');
	give(a, web, 'b');
	assert_int_equal(asker_ask(a, revoke), STORE_OK);
	assert_int_equal(revoke->removed, 2);
	assert_tokens(a, phone, "");
	give(a, phone, 'c');
	assert_int_equal(asker_ask(a, asker_account(a, STORE_ACCOUNT_CREDENTIALS, ROMEO)), STORE_OK);
	assert_tokens(a, phone, "");
	give(a, phone, 'd');
	assert_int_equal(asker_ask(a, asker_account(a, STORE_ACCOUNT_REMOVE, ROMEO)), STORE_OK);
	assert_int_equal(tokens(a, ROMEO, phone)->count, 0);
	create(a, ROMEO);
	assert_tokens(a, phone, "");
}

/* ---- the table ---- */

static const struct scenario {
	const char *name;
	void (*run)(struct asker *asker);
} scenarios[] = {
#define SCENARIO(function) { #function, function }
	SCENARIO(account_is_created_once_and_loaded),
	SCENARIO(account_takes_a_new_password),
	SCENARIO(account_goes_with_all_that_it_has),
	SCENARIO(accounts_are_listed_by_name_and_page),
	SCENARIO(equal_names_on_two_hosts_are_two_accounts),
	SCENARIO(roster_items_come_back_as_they_were),
	SCENARIO(roster_items_are_replaced_and_removed),
	SCENARIO(roster_of_nobody_is_absent),
	SCENARIO(roster_may_be_long),
	SCENARIO(journal_keeps_what_is_appended),
	SCENARIO(journal_knows_what_comes_again),
	SCENARIO(journal_knows_how_far_a_stream_has_come),
	SCENARIO(journal_is_read_by_pages),
	SCENARIO(journal_forgets_what_is_delivered),
	SCENARIO(journal_watermark_never_hides_a_new_entry),
	SCENARIO(journal_knows_exceptions),
	SCENARIO(surplus_is_found),
	SCENARIO(fetched_from_the_archive_is_delivered),
	SCENARIO(archive_is_read_in_pages_from_either_end),
	SCENARIO(archive_is_filtered),
	SCENARIO(a_long_archive_is_filtered),
	SCENARIO(archive_has_a_span),
	SCENARIO(archive_expires_in_steps),
	SCENARIO(a_body_serves_two_accounts),
	SCENARIO(journal_of_nobody_is_absent),
	SCENARIO(journal_takes_the_largest_stanza),
	SCENARIO(node_is_created_once_changed_and_removed),
	SCENARIO(nodes_are_bounded_and_belong_to_their_owner),
	SCENARIO(item_creates_its_node_and_pushes_the_oldest_out),
	SCENARIO(items_come_in_pages),
	SCENARIO(last_items_of_named_nodes),
	SCENARIO(document_is_put_got_replaced_and_removed),
	SCENARIO(some_documents_come_with_the_account),
	SCENARIO(documents_of_a_kind_are_bounded),
	SCENARIO(owners_of_a_kind_are_found),
	SCENARIO(document_of_the_server_is_created_once),
	SCENARIO(document_of_nobody_is_absent),
	SCENARIO(token_is_given_used_and_replaced),
	SCENARIO(token_knows_the_highest_count),
	SCENARIO(tokens_are_bounded_by_clients),
	SCENARIO(tokens_go_with_the_password_and_when_revoked),
	SCENARIO(outbox_entries_come_back_in_order),
	SCENARIO(outbox_is_read_by_pages),
	SCENARIO(outboxes_are_listed),
	SCENARIO(the_server_is_no_account),
	SCENARIO(writes_of_an_owner_keep_their_order),
	SCENARIO(a_read_sees_every_write_before_it),
	SCENARIO(a_failing_request_fails_alone),
	SCENARIO(figures_count),
	SCENARIO(closing_finishes_what_was_asked_for),
	SCENARIO(answers_come_to_the_worker_that_asked),
};
enum { SCENARIOS = sizeof(scenarios) / sizeof(scenarios[0]) };

struct trial_case {
	const struct driver *driver;
	const struct scenario *scenario;
};

static int trying_begin(void **state)
{
	const struct trial_case *tried = *state;
	struct trying *trying = mem_zalloc(sizeof(*trying));

	trying->scenario = tried->scenario;
	trying->folder = folder_make();
	asker_init(&trying->asker, tried->driver->open(trying->folder), tried->driver->step);
	*state = trying;
	return 0;
}

static void trying_run(void **state)
{
	struct trying *trying = *state;

	trying->scenario->run(&trying->asker);
}

static int trying_end(void **state)
{
	struct trying *trying = *state;

	store_close(&trying->asker.store);
	asker_clear(&trying->asker);
	folder_remove(&trying->folder);
	free(trying);
	return 0;
}

/* ---- the trial store itself ---- */

static void trial_answers_owners_in_an_order_of_its_seed(void **state)
{
	size_t orders = 0;
	uint64_t first = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct store *store = store_trial_open(seed);
		struct asker a;
		char name[32];

		asker_init(&a, store, store_trial_step);
		for (unsigned i = 0; i < OWNERS; i++)
			asker_submit(&a, asker_account(&a, STORE_ACCOUNT_CREATE, owner_name(name, i)));
		assert_int_equal(a.answered_count, 0);
		asker_wait(&a);
		orders += seed && a.answered[0] != first;
		first = a.answered[0];
		store_close(&store);
		asker_clear(&a);
	}
	assert_true(orders > 5);
}

static void trial_fails_where_told(void **state)
{
	struct store *store = store_trial_open(1);
	struct asker a;

	(void)state;
	asker_init(&a, store, store_trial_step);
	create(&a, ROMEO);
	create(&a, JULIET);
	store_trial_fail(store, &(struct store_trial_fault){ .op = STORE_JOURNAL_APPEND, .owner = ROMEO, .after = 1,
	                                                     .times = 2, .status = STORE_FAILED });
	assert_int_equal(asker_ask(&a, asker_append(&a, JULIET, "x")), STORE_OK);
	assert_int_equal(asker_ask(&a, asker_append(&a, ROMEO, "1")), STORE_OK);
	assert_int_equal(asker_ask(&a, asker_append(&a, ROMEO, "2")), STORE_FAILED);
	assert_int_equal(asker_ask(&a, asker_append(&a, ROMEO, "3")), STORE_FAILED);
	assert_int_equal(asker_ask(&a, asker_append(&a, ROMEO, "4")), STORE_OK);
	assert_int_equal(journal(&a, ROMEO)->count, 2);
	store_trial_fail(store, &(struct store_trial_fault){ .op = -1, .status = STORE_FULL, .carried_out = true });
	assert_int_equal(asker_ask(&a, asker_append(&a, ROMEO, "5")), STORE_FULL);
	store_trial_mend(store);
	assert_int_equal(journal(&a, ROMEO)->count, 3);
	store_close(&store);
	asker_clear(&a);
}

int main(void)
{
	enum { TESTS = DRIVERS * SCENARIOS + 2 };
	static struct trial_case cases[DRIVERS * SCENARIOS];
	struct CMUnitTest tests[TESTS] = {
		[DRIVERS * SCENARIOS] = cmocka_unit_test(trial_answers_owners_in_an_order_of_its_seed),
		cmocka_unit_test(trial_fails_where_told),
	};
	int failed;

	for (size_t i = 0; i < DRIVERS * SCENARIOS; i++) {
		cases[i] = (struct trial_case){ &drivers[i / SCENARIOS], &scenarios[i % SCENARIOS] };
		tests[i] = (struct CMUnitTest){ str_printf("%s: %s", cases[i].driver->name, cases[i].scenario->name),
		                                trying_run, trying_begin, trying_end, &cases[i] };
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	for (size_t i = 0; i < DRIVERS * SCENARIOS; i++)
		free((char *)tests[i].name);
	return failed;
}
