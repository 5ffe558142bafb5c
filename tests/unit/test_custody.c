/* SPDX-License-Identifier: MIT
 *
 * Custody: who is told what of a parcel, on which home, and which refusals become an error to the sender
 * (RFC 6120 §8.3.1, §10.4.3; RFC 6121 §8). Far away is a domain whose deliveries the test answers.
 */
#include "core/custody.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/router.h"
#include "../support/town.h"
#include "xmpp/ns.h"

static struct town *town;
static struct person *romeo;

/* ---- far away ---- */

static struct parcel *arrived;
static struct home *arrived_at;

static struct worker *far_home(struct home *from, const struct parcel *parcel)
{
	(void)parcel;
	return workers_at(from->server->workers, 1);
}

static void far_deliver(struct home *home, struct parcel *parcel)
{
	assert_null(arrived);
	arrived = parcel;
	arrived_at = home;
}

static const struct destination_class far_class = { "far", far_home, far_deliver };

static void *far_configure(struct config *config, const struct conf *conf, char **error)
{
	(void)conf, (void)error;
	config->remote = &far_class;
	return NULL;
}

/* What an edge still holds when the workers have stopped. */
static void far_home_close(struct home *home, void *part)
{
	(void)part;
	if (arrived_at == home && arrived)
		parcel_refused(home, &arrived, STANZA_REMOTE_SERVER_TIMEOUT, NULL);
}

static const struct module far_module = {
	.name = "far",
	.configure = far_configure,
	.home_close = far_home_close,
};
static const struct module *const modules[] = { &far_module, &town_module, NULL };

/* ---- holders that wait ---- */

static struct parcel *answered;
static struct home *answered_at;

static void note_answer(struct home *holder, struct parcel *parcel)
{
	assert_null(answered);
	answered = parcel;
	answered_at = holder;
}

static struct parcel *parcel_make(const char *text)
{
	struct home *home = &town->server->homes[0];
	struct arena arena = { 0 };
	struct jid from, to;
	struct stanza *message;
	const struct stanza *sealed;
	struct parcel *parcel;

	assert_true(jid_prepare(&arena, "romeo@north.example/garden", 26, JID_ANY, &from));
	assert_true(jid_prepare(&arena, "juliet@far.example", 18, JID_ANY, &to));
	message = stanza_make(STANZA_MESSAGE, MESSAGE_CHAT, &from, &to, "m1");
	element_add_text(&message->arena, element_add(&message->arena, message->root, "body", NS_CLIENT),
	                 text);
	sealed = stanza_seal(message);
	parcel = parcel_new(home, sealed, NULL);
	stanza_unref(&sealed);
	parcel->answered = note_answer;
	parcel->token = 7;
	arena_clear(&arena);
	return parcel;
}

static void test_taken_comes_back_by_mail(void **state)
{
	struct parcel *parcel = parcel_make("hello");

	(void)state;
	route(parcel->holder, parcel);
	assert_null(arrived);
	town_settle(town);
	assert_ptr_equal(arrived, parcel);
	assert_ptr_equal(arrived_at, &town->server->homes[1]);
	assert_int_equal(arrived->since_us, (int64_t)town->ms * 1000);
	parcel_taken(arrived_at, &arrived);
	assert_null(arrived);
	assert_null(answered);
	town_settle(town);
	assert_ptr_equal(answered, parcel);
	assert_ptr_equal(answered_at, &town->server->homes[0]);
	assert_int_equal(answered->answer, PARCEL_TAKEN);
	assert_int_equal(answered->token, 7);
	parcel_free(&answered);
}

static void test_refused_comes_back_and_may_bounce(void **state)
{
	struct parcel *parcel = parcel_make("hello");

	(void)state;
	route(parcel->holder, parcel);
	town_settle(town);
	parcel_refused(arrived_at, &arrived, STANZA_REMOTE_SERVER_TIMEOUT, "It does not answer");
	town_settle(town);
	assert_int_equal(answered->answer, PARCEL_REFUSED);
	assert_int_equal(answered->condition, STANZA_REMOTE_SERVER_TIMEOUT);
	assert_string_equal(person_heard(romeo), "");
	parcel_bounce(answered_at, &answered);
	assert_null(answered);
	town_settle(town);
	assert_string_equal(
		person_heard(romeo),
		"<message from='juliet@far.example' to='romeo@north.example/garden' type='error' id='m1'>"
		"<body>hello</body><error type='wait'>"
		"<remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
		"<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>It does not answer</text>"
		"</error></message>");
}

/* Neither an answer nor a bounce is left in the mail of a worker that reads none any more (leaks are the sanitizer's to find). */
static void test_nobody_is_told_when_the_workers_have_stopped(void **state)
{
	struct town *usual = town;

	(void)state;
	for (int asks = 0; asks < 2; asks++) {
		struct parcel *parcel;

		town = town_open(modules, NULL);
		parcel = parcel_make("hello");
		if (!asks)
			parcel->answered = NULL;
		route(parcel->holder, parcel);
		town_settle(town);
		assert_non_null(arrived);
		town_close(&town);
		assert_null(arrived);
		assert_null(answered);
	}
	town = usual;
}

static void test_taken_does_not_bounce(void **state)
{
	struct parcel *parcel = parcel_make("hello");

	(void)state;
	route(parcel->holder, parcel);
	town_settle(town);
	parcel_taken(arrived_at, &arrived);
	town_settle(town);
	parcel_bounce(answered_at, &answered);
	town_settle(town);
	assert_string_equal(person_heard(romeo), "");
}

/* What romeo says to far away is refused there. */
static const char *refused(const char *xml)
{
	person_says(romeo, xml);
	assert_non_null(arrived);
	parcel_refused(arrived_at, &arrived, STANZA_SERVICE_UNAVAILABLE, NULL);
	town_settle(town);
	return person_heard(romeo);
}

static void test_what_bounces(void **state)
{
	static const char *const bounce[] = {
		"<message to='j@far.example'/>",
		"<message to='j@far.example' type='headline'/>",
		"<iq to='j@far.example' id='1' type='get'><query xmlns='x:y'/></iq>",
		"<iq to='j@far.example' id='1' type='set'><query xmlns='x:y'/></iq>",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bounce) / sizeof(bounce[0]); i++) {
		const char *heard = refused(bounce[i]);

		assert_non_null(strstr(heard, "type='error'"));
		assert_non_null(strstr(heard, "<service-unavailable "));
	}
}

static void test_what_does_not_bounce(void **state)
{
	static const char *const silent[] = {
		"<message to='j@far.example' type='error'/>",
		"<iq to='j@far.example' id='1' type='result'/>",
		"<iq to='j@far.example' id='1' type='error'/>",
		"<presence to='j@far.example' type='unavailable'/>",
		"<presence to='j@far.example' type='probe'/>",
		"<presence to='j@far.example' type='error'/>",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
		assert_string_equal(refused(silent[i]), "");
}

static unsigned presence_errors;

static enum hook_result presence_received(struct account *account, struct parcel *parcel)
{
	if (parcel->stanza->type != PRESENCE_ERROR)
		return HOOK_NEXT;
	presence_errors++;
	parcel_taken(account->home, &parcel);
	return HOOK_DONE;
}

static const struct module presence_module = { .name = "presence", .account_received = presence_received };
static const struct module *const presence_modules[] = { &far_module, &presence_module, &town_module, NULL };

static void test_presence_bounces_when_directed(void **state)
{
	struct town *other = town_open(presence_modules, NULL);
	struct home *home = &other->server->homes[0];
	struct arena arena = { 0 };
	struct stanza *broadcast;
	const struct stanza *sealed;
	struct jid from, to;

	(void)state;
	town_add_account(other, "romeo@north.example");
	town_send(other, "<presence from='romeo@north.example' to='j@far.example' type='subscribe'/>");
	parcel_refused(arrived_at, &arrived, STANZA_REMOTE_SERVER_NOT_FOUND, NULL);
	town_settle(other);
	assert_int_equal(presence_errors, 1);
	town_send(other, "<presence from='romeo@north.example/x' to='room@far.example/nick'/>");
	parcel_refused(arrived_at, &arrived, STANZA_REMOTE_SERVER_NOT_FOUND, NULL);
	town_settle(other);
	assert_int_equal(presence_errors, 2);

	assert_true(jid_prepare(&arena, "romeo@north.example/x", 21, JID_ANY, &from));
	assert_true(jid_prepare(&arena, "j@far.example", 13, JID_ANY, &to));
	broadcast = stanza_make(STANZA_PRESENCE, PRESENCE_AVAILABLE, &from, NULL, NULL);
	sealed = stanza_seal(broadcast);
	route(home, parcel_new(home, sealed, &to));
	stanza_unref(&sealed);
	town_settle(other);
	assert_string_equal(arrived->to.text, "j@far.example");
	parcel_refused(arrived_at, &arrived, STANZA_REMOTE_SERVER_NOT_FOUND, NULL);
	town_settle(other);
	assert_int_equal(presence_errors, 2);
	arena_clear(&arena);
	town_close(&other);
}

static void test_order_is_kept(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		char xml[128];

		snprintf(xml, sizeof(xml),
		         "<message to='romeo@north.example/garden'><body>%d</body></message>", i);
		person_says(romeo, xml);
	}
	assert_string_equal(person_heard(romeo), "<message from='romeo@north.example/garden' "
	                                         "to='romeo@north.example/garden'><body>0</body></message>"
	                                         "<message from='romeo@north.example/garden' "
	                                         "to='romeo@north.example/garden'><body>1</body></message>"
	                                         "<message from='romeo@north.example/garden' "
	                                         "to='romeo@north.example/garden'><body>2</body></message>");
}

static int setup(void **state)
{
	(void)state;
	town = town_open(modules, NULL);
	town_add_account(town, "romeo@north.example");
	romeo = person_come(town, "romeo@north.example/garden");
	return romeo ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	person_go(&romeo);
	town_close(&town);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken_comes_back_by_mail),
		cmocka_unit_test(test_refused_comes_back_and_may_bounce),
		cmocka_unit_test(test_nobody_is_told_when_the_workers_have_stopped),
		cmocka_unit_test(test_taken_does_not_bounce),
		cmocka_unit_test(test_what_bounces),
		cmocka_unit_test(test_what_does_not_bounce),
		cmocka_unit_test(test_presence_bounces_when_directed),
		cmocka_unit_test(test_order_is_kept),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
