/* SPDX-License-Identifier: MIT
 *
 * The archive of accounts (XEP-0313 §5, XEP-0359): what is kept, with which id; that a message is taken when it is
 * durable and delivered before; that the watermark follows what sessions have got and nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/store_trial.h"
#include "../support/town.h"
#include "core/journal.h"
#include "core/router.h"
#include "store/account.h"

#define ROMEO "romeo@north.example"
#define JULIET "juliet@north.example"

static bool romeo_is_blocked;

static bool blocks(const struct account *account, const struct jid *who)
{
	(void)account;
	return romeo_is_blocked && jid_resource(who) && strcmp(jid_resource(who), "garden") == 0;
}

static const struct module blocker = { .name = "blocker", .account_blocks = blocks };
static const struct module *const modules[] = { &town_module, &blocker, NULL };

static struct town *town;
static struct person *romeo;

static void says(int id)
{
	char xml[160];

	snprintf(xml, sizeof(xml), "<message to='" JULIET "' type='chat' id='%d'><body>b</body></message>", id);
	person_says(romeo, xml);
}

/* The ids of messages heard, "1 2 3". */
static const char *heard_ids(struct person *person)
{
	static char ids[4096];
	const char *xml = person_heard(person);
	size_t len = 0;

	ids[0] = '\0';
	while ((xml = strstr(xml, "<message "))) {
		len += (size_t)snprintf(ids + len, sizeof(ids) - len, "%s%d", len ? " " : "",
		                        atoi(strstr(xml, " id='") + 5));
		xml++;
	}
	return ids;
}

static void answered(struct store_request *request)
{
	(void)request;
}

/* All that is archived for an account. */
static struct store_journal_archive *archive_of(const char *account)
{
	struct store_journal_archive *archive = store_request_new(sizeof(*archive), STORE_JOURNAL_ARCHIVE, NULL,
	                                                          account, strlen(account), answered);

	archive->to = archive->before = UINT64_MAX;
	archive->limit = 1000;
	store_submit(town->store, &archive->request);
	town_settle(town);
	assert_int_equal(archive->request.status, STORE_OK);
	return archive;
}

static size_t archive_count(const char *account)
{
	struct store_journal_archive *archive = archive_of(account);
	size_t count = archive->count;

	store_request_free(&archive->request);
	return count;
}

/* What the store would say at the next start. */
static uint64_t undelivered(const char *account)
{
	struct store_account_load *load = store_request_new(sizeof(*load), STORE_ACCOUNT_LOAD, NULL, account,
	                                                    strlen(account), answered);
	uint64_t count;

	store_submit(town->store, &load->request);
	town_settle(town);
	count = load->undelivered;
	store_request_free(&load->request);
	return count;
}

static struct person *juliet_comes(const char *resource, const char *presence)
{
	char full[64];
	struct person *juliet;

	snprintf(full, sizeof(full), JULIET "/%s", resource);
	juliet = person_come(town, full);
	person_says(juliet, presence);
	return juliet;
}

static void test_ids_ascend_whatever_the_clock_does(void **state)
{
	struct account *account;
	uint64_t last, next;
	char id[JOURNAL_ID_LEN + 1];

	(void)state;
	account = town_account(town, ROMEO);
	last = journal_sequence(account);
	next = journal_sequence(account);
	assert_true(next > last);
	assert_true(last >= journal_sequence_at(clock_wall_us(&town->clock)));
	account->journal_newest = last = journal_sequence_at(5000000000000000);
	next = journal_sequence(account);
	assert_true(next > last);
	assert_true(journal_sequence(account) > next);
	journal_id(next, id);
	assert_true(journal_id_read(id, &last));
	assert_true(last == next);
	assert_false(journal_id_read("", &last));
	assert_false(journal_id_read("000000000000000G", &last));
	assert_false(journal_id_read("00000000000000000", &last));
}

static void test_archived_for_both_and_delivered_with_its_id(void **state)
{
	struct person *juliet = juliet_comes("balcony", "<presence/>");
	struct store_journal_archive *out, *in;
	char tail[160], id[JOURNAL_ID_LEN + 1];

	(void)state;
	says(1);
	in = archive_of(JULIET);
	out = archive_of(ROMEO);
	assert_int_equal(in->count, 1);
	assert_int_equal(out->count, 1);
	assert_int_equal(in->entries[0].direction, STORE_IN);
	assert_int_equal(out->entries[0].direction, STORE_OUT);
	assert_string_equal(in->entries[0].peer, ROMEO "/garden");
	assert_string_equal(out->entries[0].peer, JULIET);
	assert_string_equal(in->entries[0].stanza, out->entries[0].stanza);
	assert_true(in->entries[0].body == out->entries[0].sequence || in->entries[0].body == 0);
	journal_id(in->entries[0].sequence, id);
	snprintf(tail, sizeof(tail), "<stanza-id xmlns='urn:xmpp:sid:0' by='" JULIET "' id='%s'/></message>", id);
	assert_non_null(strstr(person_heard(juliet), tail));
	store_request_free(&in->request);
	store_request_free(&out->request);
	town_pass(town, 2000);
	assert_int_equal(undelivered(JULIET), 0);
	person_go(&juliet);
}

static void test_what_is_not_archived(void **state)
{
	static const char *const messages[] = {
		"<message to='" JULIET "' type='chat'><active xmlns='http://jabber.org/protocol/chatstates'/></message>",
		"<message to='" JULIET "' type='chat'/>",
		"<message to='" JULIET "/balcony' type='headline'><body>b</body></message>",
		"<message to='" JULIET "/balcony' type='groupchat'><body>b</body></message>",
		"<message to='" JULIET "/balcony' type='error'><body>b</body></message>",
		"<message to='" JULIET "'><body>b</body><no-store xmlns='urn:xmpp:hints'/></message>",
		"<message to='" JULIET "'><body>b</body><no-permanent-store xmlns='urn:xmpp:hints'/></message>",
	};
	struct person *juliet = juliet_comes("balcony", "<presence/>");

	(void)state;
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		person_says(romeo, messages[i]);
		assert_non_null(strstr(person_heard(juliet), "<message "));
		assert_int_equal(archive_count(JULIET) + archive_count(ROMEO), 0);
	}
	person_says(romeo, "<message to='" JULIET "' type='chat'><store xmlns='urn:xmpp:hints'/>"
	                   "<active xmlns='http://jabber.org/protocol/chatstates'/></message>");
	assert_int_equal(archive_count(JULIET), 1);
	person_go(&juliet);
}

static void test_to_oneself_once(void **state)
{
	(void)state;
	person_says(romeo, "<message to='" ROMEO "/garden' type='chat' id='1'><body>b</body></message>");
	assert_string_equal(heard_ids(romeo), "1");
	assert_int_equal(archive_count(ROMEO), 1);
}

/* Delivery does not wait for the store, custody does. */
static void test_taken_when_durable(void **state)
{
	struct person *juliet = juliet_comes("balcony", "<presence/>");

	(void)state;
	store_trial_fail(town->store, &(struct store_trial_fault){ .op = STORE_JOURNAL_APPEND,
	                                                           .owner = JULIET,
	                                                           .status = STORE_FAILED });
	says(1);
	assert_string_equal(heard_ids(juliet), "1");
	assert_string_equal(person_heard(romeo), "");
	juliet->holds = true;
	says(2);
	assert_string_equal(person_heard(romeo), "");
	person_take(juliet);
	assert_string_equal(person_heard(romeo), "");
	says(3);
	person_go(&juliet);
	assert_non_null(strstr(person_heard(romeo), "resource-constraint"));
	store_trial_mend(town->store);
	assert_int_equal(undelivered(JULIET), 0);
}

/* What a session did not take is there at the next login, with the same id, once. */
static void test_the_session_dies(void **state)
{
	struct person *juliet = juliet_comes("balcony", "<presence/>");
	struct store_journal_archive *archive;
	char id[JOURNAL_ID_LEN + 1];

	(void)state;
	says(1);
	juliet->holds = true;
	says(2);
	says(3);
	town_pass(town, 2000);
	assert_int_equal(undelivered(JULIET), 2);
	person_go(&juliet);
	assert_int_equal(town_account(town, JULIET)->undelivered, 2);
	assert_int_equal(archive_count(JULIET), 3);
	juliet = juliet_comes("balcony", "<presence/>");
	archive = archive_of(JULIET);
	journal_id(archive->entries[1].sequence, id);
	assert_non_null(memmem(juliet->heard.data, juliet->heard.len, id, strlen(id)));
	store_request_free(&archive->request);
	assert_string_equal(heard_ids(juliet), "2 3");
	assert_int_equal(archive_count(JULIET), 3);
	assert_int_equal(undelivered(JULIET), 0);
	person_go(&juliet);
	juliet = juliet_comes("balcony", "<presence/>");
	assert_string_equal(heard_ids(juliet), "");
	person_go(&juliet);
}

/* Another session takes over: no copy is lost and none comes twice. */
static void test_another_session_takes_over(void **state)
{
	struct person *juliet = juliet_comes("balcony", "<presence/>"), *other;

	(void)state;
	juliet->holds = true;
	says(1);
	says(2);
	other = juliet_comes("chamber", "<presence/>");
	assert_string_equal(heard_ids(other), "");
	person_go(&juliet);
	assert_string_equal(heard_ids(other), "1 2");
	town_pass(town, 2000);
	assert_int_equal(undelivered(JULIET), 0);
	assert_int_equal(archive_count(JULIET), 2);
	person_go(&other);
}

/* What was delivered beyond something undelivered is an exception. */
static void test_exceptions(void **state)
{
	struct person *silent = juliet_comes("silent", "<presence><priority>-1</priority></presence>"), *juliet;

	(void)state;
	says(1);
	person_says(romeo, "<message to='" JULIET "/silent' type='chat' id='2'><body>b</body></message>");
	assert_string_equal(heard_ids(silent), "2");
	says(3);
	town_pass(town, 2000);
	assert_int_equal(undelivered(JULIET), 2);
	juliet = juliet_comes("balcony", "<presence/>");
	assert_string_equal(heard_ids(juliet), "1 3");
	assert_int_equal(undelivered(JULIET), 0);
	person_go(&silent);
	person_go(&juliet);
}

/* A backlog does not send what another session is just getting. */
static void test_a_backlog_leaves_out_what_is_on_its_way(void **state)
{
	struct person *silent = juliet_comes("silent", "<presence><priority>-1</priority></presence>"), *juliet;

	(void)state;
	silent->holds = true;
	says(1);
	person_says(romeo, "<message to='" JULIET "/silent' type='chat' id='2'><body>b</body></message>");
	says(3);
	juliet = juliet_comes("balcony", "<presence/>");
	assert_string_equal(heard_ids(juliet), "1 3");
	assert_int_equal(undelivered(JULIET), 1);
	person_take(silent);
	town_pass(town, 2000);
	assert_int_equal(undelivered(JULIET), 0);
	person_go(&silent);
	person_go(&juliet);
}

static void says_not_to_be_archived(int id)
{
	char xml[240];

	snprintf(xml, sizeof(xml), "<message to='" JULIET "' type='chat' id='%d'><body>b</body>"
	         "<no-permanent-store xmlns='urn:xmpp:hints'/></message>", id);
	person_says(romeo, xml);
}

/* Every tenth of them is not archived. */
static void says_many(int count)
{
	for (int id = 1; id <= count; id++) {
		if (id % 10)
			says(id);
		else
			says_not_to_be_archived(id);
	}
	assert_int_equal(undelivered(JULIET), count);
}

/* A client that has said that it looks through the archive (XEP-0386 §3.2). */
static struct person *juliet_fetches(void)
{
	struct person *juliet = person_come(town, JULIET "/fetching");

	juliet->session->fetches = juliet->session->account->journal_archived;
	return juliet;
}

/* It gets what is not there and what has come since, and nothing else; over several batches. */
static void test_what_a_client_fetches_is_delivered(void **state)
{
	struct person *juliet;
	const struct account *account;

	(void)state;
	says_many(250);
	juliet = juliet_fetches();
	account = juliet->session->account;
	says(999);
	person_says(juliet, "<presence/>");
	assert_string_equal(heard_ids(juliet), "10 20 30 40 50 60 70 80 90 100 110 120 130 140 150 160 170 180 190 200 "
	                                       "210 220 230 240 250 999");
	assert_int_equal(account->undelivered, 0);
	assert_int_equal(account->undelivered_bytes, 0);
	assert_int_equal(undelivered(JULIET), 0);
	person_go(&juliet);
}

/* What it has not taken goes to the next, what it could fetch does not. */
static void test_a_client_fetches_and_dies(void **state)
{
	struct person *juliet;

	(void)state;
	says_many(30);
	juliet = juliet_fetches();
	juliet->holds = true;
	person_says(juliet, "<presence/>");
	assert_string_equal(heard_ids(juliet), "10 20 30");
	assert_int_equal(undelivered(JULIET), 3);
	assert_int_equal(juliet->session->account->undelivered, 3);
	person_go(&juliet);
	juliet = juliet_comes("balcony", "<presence/>");
	assert_string_equal(heard_ids(juliet), "10 20 30");
	assert_int_equal(juliet->session->account->undelivered, 0);
	assert_int_equal(undelivered(JULIET), 0);
	person_go(&juliet);
}

/* A client that will not have messages leaves everything for others. */
static void test_a_client_fetches_and_is_not_there(void **state)
{
	struct person *silent, *juliet;

	(void)state;
	says_many(10);
	silent = juliet_fetches();
	person_says(silent, "<presence><priority>-1</priority></presence>");
	assert_string_equal(heard_ids(silent), "");
	juliet = juliet_comes("balcony", "<presence/>");
	assert_string_equal(heard_ids(juliet), "1 2 3 4 5 6 7 8 9 10");
	assert_int_equal(undelivered(JULIET), 0);
	person_go(&silent);
	person_go(&juliet);
}

/* What a sender who is shut out by now has left is passed over, also between others that are on their way. */
static void test_a_backlog_passes_over_who_is_blocked(void **state)
{
	struct person *mercutio = person_come(town, ROMEO "/street"), *juliet;
	static const char message[] = "<message to='" JULIET "' type='chat' id='%d'><body>b</body></message>";
	char xml[160];

	(void)state;
	for (int id = 1; id <= 5; id++) {
		snprintf(xml, sizeof(xml), message, id);
		person_says(id % 2 ? mercutio : romeo, xml);
	}
	assert_int_equal(undelivered(JULIET), 5);
	romeo_is_blocked = true;
	juliet = juliet_comes("balcony", "<presence/>");
	assert_string_equal(heard_ids(juliet), "1 3 5");
	assert_int_equal(juliet->session->account->undelivered, 0);
	assert_int_equal(undelivered(JULIET), 0);
	romeo_is_blocked = false;
	person_go(&juliet);
	person_go(&mercutio);
}

static void test_policy_never(void **state)
{
	struct person *juliet;
	char *error;

	(void)state;
	town_configure(town, "server { workers = 2 }\nhost north.example { archive = roster }\n"
	                     "host south.example { }\ntls { client-required = no }\n");
	error = server_reload(town->server);
	assert_null(error);
	town_settle(town);
	juliet = juliet_comes("balcony", "<presence/>");
	says(1);
	assert_null(memmem(juliet->heard.data, juliet->heard.len, "stanza-id", strlen("stanza-id")));
	assert_string_equal(heard_ids(juliet), "1");
	assert_int_equal(archive_count(JULIET) + archive_count(ROMEO), 0);
	person_go(&juliet);
	says(2);
	assert_int_equal(undelivered(JULIET), 1);
	assert_int_equal(archive_count(JULIET), 0);
}

/* The session that a message went to dies, but another one has a copy of it. */
static void test_a_copy_is_a_delivery(void **state)
{
	struct person *juliet = juliet_comes("balcony", "<presence/>"), *other;
	struct store_journal_archive *archive;
	uint64_t sequence;

	(void)state;
	juliet->holds = true;
	says(1);
	says(2);
	other = juliet_comes("chamber", "<presence/>");
	archive = archive_of(JULIET);
	sequence = archive->entries[0].sequence;
	store_request_free(&archive->request);
	session_push_told(other->session,
	                  stanza_seal(stanza_make(STANZA_MESSAGE, MESSAGE_CHAT, NULL, &other->session->jid, "9")),
	                  sequence, journal_copy_answered);
	town_settle(town);
	person_go(&juliet);
	assert_string_equal(heard_ids(other), "9 2");
	town_pass(town, 2000);
	assert_int_equal(undelivered(JULIET), 0);
	person_go(&other);
}

/* ---- without an archive: custody in memory, and for how long ---- */

static const char without_archive[] = "server { workers = 2 }\nhost north.example { archive = never }\n"
				      "host south.example { }\ntls { client-required = no }\n";

static void configure(const char *sections)
{
	char *error;

	town_configure(town, sections);
	error = server_reload(town->server);
	assert_null(error);
	town_settle(town);
}

static int taken, refused;

static void sent_answered(struct home *home, struct parcel *parcel)
{
	(void)home;
	taken += parcel->answer == PARCEL_TAKEN;
	refused += parcel->answer == PARCEL_REFUSED;
	parcel_free(&parcel);
}

/* A message from outside whose sender waits for custody. */
static void comes(int id, const char *more)
{
	struct home *home = &town->server->homes[0];
	const struct jid from = { .text = ROMEO, .local_len = 5, .domain_len = 13 };
	const struct jid to = { .text = JULIET, .local_len = 6, .domain_len = 13 };
	struct stanza *message = stanza_make(STANZA_MESSAGE, MESSAGE_CHAT, &from, &to, NULL);
	struct parcel *parcel;
	const struct stanza *sealed;

	message->id = arena_printf(&message->arena, "%d", id);
	element_add(&message->arena, message->root, "body", "jabber:client");
	if (more)
		element_add(&message->arena, message->root, more, "urn:xmpp:hints");
	sealed = stanza_seal(message);
	parcel = parcel_new(home, sealed, NULL);
	stanza_unref(&sealed);
	parcel->answered = sent_answered;
	route(home, parcel);
	town_settle(town);
}

static uint64_t store_writes(void)
{
	struct store_figures figures;

	store_figures(town->store, &figures);
	return figures.writes;
}

static void test_acknowledged_in_time_is_never_written(void **state)
{
	struct person *juliet = juliet_comes("balcony", "<presence/>");
	uint64_t before = store_writes();

	(void)state;
	configure(without_archive);
	comes(1, NULL);
	assert_int_equal(taken, 1);
	juliet->holds = true;
	comes(2, NULL);
	town_pass(town, 80);
	assert_int_equal(taken, 1);
	person_take(juliet);
	assert_int_equal(taken, 2);
	town_pass(town, 5000);
	assert_true(store_writes() == before);
	person_go(&juliet);
}

/* The sender need not wait for a slow client; what it acknowledges late is forgotten. */
static void test_not_acknowledged_in_time_is_written(void **state)
{
	struct person *juliet = juliet_comes("balcony", "<presence/>");

	(void)state;
	configure(without_archive);
	juliet->holds = true;
	comes(1, NULL);
	town_pass(town, 200);
	assert_int_equal(taken, 1);
	assert_int_equal(undelivered(JULIET), 1);
	person_take(juliet);
	town_pass(town, 2000);
	assert_int_equal(undelivered(JULIET), 0);
	assert_int_equal(archive_count(JULIET), 0);
	assert_string_equal(heard_ids(juliet), "1");
	person_go(&juliet);
	juliet = juliet_comes("balcony", "<presence/>");
	assert_string_equal(heard_ids(juliet), "");
	person_go(&juliet);
}

static void test_written_and_never_acknowledged(void **state)
{
	struct person *juliet = juliet_comes("balcony", "<presence/>");

	(void)state;
	configure(without_archive);
	juliet->holds = true;
	comes(1, NULL);
	town_pass(town, 200);
	comes(2, NULL);
	person_go(&juliet);
	assert_int_equal(taken, 2);
	assert_int_equal(town_account(town, JULIET)->undelivered, 2);
	juliet = juliet_comes("balcony", "<presence/>");
	assert_string_equal(heard_ids(juliet), "1 2");
	town_pass(town, 2000);
	assert_int_equal(undelivered(JULIET), 0);
	person_go(&juliet);
}

/* What may not be kept is taken nevertheless. */
static void test_not_to_be_stored(void **state)
{
	struct person *juliet = juliet_comes("balcony", "<presence/>");
	uint64_t before = store_writes();

	(void)state;
	configure(without_archive);
	juliet->holds = true;
	comes(1, "no-store");
	town_pass(town, 200);
	assert_int_equal(taken, 1);
	assert_true(store_writes() == before);
	person_take(juliet);
	assert_int_equal(taken + refused, 1);
	person_go(&juliet);
}

/* The store fails: nobody is told that it has been taken until somebody has. */
static void test_overdue_and_the_store_fails(void **state)
{
	struct person *juliet = juliet_comes("balcony", "<presence/>");

	(void)state;
	configure(without_archive);
	juliet->holds = true;
	store_trial_fail(town->store, &(struct store_trial_fault){ .op = STORE_JOURNAL_APPEND,
	                                                           .owner = JULIET,
	                                                           .status = STORE_FAILED });
	comes(1, NULL);
	comes(2, NULL);
	town_pass(town, 200);
	assert_int_equal(taken, 0);
	person_take(juliet);
	assert_int_equal(taken, 2);
	comes(3, NULL);
	town_pass(town, 200);
	person_go(&juliet);
	assert_int_equal(refused, 1);
	store_trial_mend(town->store);
}

/* What waits behind a backlog is not kept from its sender either. */
static void test_behind_a_backlog(void **state)
{
	struct person *juliet;

	(void)state;
	configure(without_archive);
	for (int id = 0; id < 110; id++)
		says(id);
	juliet = person_come(town, JULIET "/balcony");
	juliet->holds = true;
	person_says(juliet, "<presence/>");
	comes(500, NULL);
	assert_int_equal(taken, 0);
	town_pass(town, 200);
	assert_int_equal(taken, 1);
	for (int i = 0; i < 3; i++)
		person_take(juliet);
	assert_non_null(strstr(heard_ids(juliet), " 107 108 109 500"));
	town_pass(town, 2000);
	person_take(juliet);
	assert_string_equal(heard_ids(juliet), "");
	assert_int_equal(undelivered(JULIET), 0);
	person_go(&juliet);
}

/* It is archived as soon as it is let pass: what it had waited does not bring it a second entry. */
static void test_behind_a_backlog_and_archived(void **state)
{
	struct person *juliet;

	(void)state;
	for (int id = 0; id < 110; id++)
		says(id);
	juliet = person_come(town, JULIET "/balcony");
	juliet->holds = true;
	person_says(juliet, "<presence/>");
	comes(500, NULL);
	person_take(juliet);
	town_pass(town, 200);
	person_take(juliet);
	assert_non_null(strstr(heard_ids(juliet), " 107 108 109 500"));
	assert_int_equal(archive_count(JULIET), 111);
	town_pass(town, 2000);
	assert_int_equal(undelivered(JULIET), 0);
	person_go(&juliet);
}

/* What comes again while a backlog is on its way is known as well, however long it would have to wait. */
static void test_a_repeat_behind_a_backlog(void **state)
{
	static const char message[] = "<message to='" JULIET "' type='chat' id='500'><body>b</body>"
				      "<origin-id xmlns='urn:xmpp:sid:0' id='500'/></message>";
	struct person *juliet;

	(void)state;
	for (int id = 0; id < 110; id++)
		says(id);
	person_says(romeo, message);
	juliet = person_come(town, JULIET "/balcony");
	juliet->holds = true;
	person_says(juliet, "<presence/>");
	person_says(romeo, message);
	town_pass(town, 200);
	for (int i = 0; i < 3; i++)
		person_take(juliet);
	assert_null(strstr(heard_ids(juliet), " 500 500"));
	assert_int_equal(archive_count(JULIET), 111);
	assert_int_equal(archive_count(ROMEO), 111);
	person_go(&juliet);
}

static int setup(void **state)
{
	char *error;

	(void)state;
	town = town_open(modules, NULL);
	town_configure(town, "server { workers = 2 }\nhost north.example { archive = always }\n"
	                     "host south.example { }\ntls { client-required = no }\n");
	error = server_reload(town->server);
	if (error)
		return -1;
	town_settle(town);
	town_add_account(town, ROMEO);
	town_add_account(town, JULIET);
	romeo = person_come(town, ROMEO "/garden");
	taken = refused = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	person_go(&romeo);
	town_close(&town);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ids_ascend_whatever_the_clock_does),
		TEST(test_archived_for_both_and_delivered_with_its_id),
		TEST(test_what_is_not_archived),
		TEST(test_to_oneself_once),
		TEST(test_taken_when_durable),
		TEST(test_the_session_dies),
		TEST(test_another_session_takes_over),
		TEST(test_exceptions),
		TEST(test_a_backlog_leaves_out_what_is_on_its_way),
		TEST(test_what_a_client_fetches_is_delivered),
		TEST(test_a_client_fetches_and_dies),
		TEST(test_a_client_fetches_and_is_not_there),
		TEST(test_a_backlog_passes_over_who_is_blocked),
		TEST(test_policy_never),
		TEST(test_a_copy_is_a_delivery),
		TEST(test_acknowledged_in_time_is_never_written),
		TEST(test_not_acknowledged_in_time_is_written),
		TEST(test_written_and_never_acknowledged),
		TEST(test_not_to_be_stored),
		TEST(test_overdue_and_the_store_fails),
		TEST(test_behind_a_backlog),
		TEST(test_behind_a_backlog_and_archived),
		TEST(test_a_repeat_behind_a_backlog),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
