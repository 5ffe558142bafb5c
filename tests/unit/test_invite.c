/* SPDX-License-Identifier: MIT
 *
 * Invitations at the home of their host: one use, claims, reserved names, limits, expiry, what a write that
 * fails undoes, and their addresses.
 */
#include "core/invite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/store_trial.h"
#include "../support/town.h"
#include "core/module.h"

#define HOST "north.example"

static const struct module *const modules[] = { &invite_module, &town_module, NULL };
static struct town *town;
static struct invite_request *answered;

static void invite_done(struct home *home, struct invite_request *request)
{
	assert_ptr_equal(home, request->context);
	answered = request;
}

/* From the worker with that number. */
static struct invite_request *request_new(enum invite_op op, size_t from)
{
	return invite_request_new(op, HOST, invite_done, &town->server->homes[from]);
}

static enum invite_status ask(struct invite_request *request)
{
	if (answered)
		invite_request_free(answered);
	answered = NULL;
	invite_ask(request->context, request);
	town_settle(town);
	assert_non_null(answered);
	return answered->status;
}

static enum invite_status create(enum invite_kind kind, const char *inviter, const char *user)
{
	struct invite_request *request = request_new(INVITE_CREATE, 0);

	request->invite = (struct invite){ .kind = kind, .inviter = inviter, .user = user };
	request->valid_ms = 60000;
	return ask(request);
}

static enum invite_status with_token(enum invite_op op, const char *token, const char *inviter, const char *user)
{
	struct invite_request *request = request_new(op, 1);

	request->invite.inviter = inviter;
	request->invite.user = user;
	invite_request_token(request, token);
	return ask(request);
}

static void keep_token(char token[INVITE_TOKEN + 1])
{
	memcpy(token, answered->token, INVITE_TOKEN + 1);
}

static size_t count_open(void)
{
	assert_int_equal(ask(request_new(INVITE_LIST, 1)), INVITE_OK);
	return json_array_size(answered->rows);
}

static void test_addresses(void **state)
{
	(void)state;
	assert_int_equal(create(INVITE_CONTACT, "ann lee@north.example", NULL), INVITE_OK);
	assert_int_equal(strlen(answered->token), INVITE_TOKEN);
	assert_memory_equal(invite_uri(answered->context, answered), "xmpp:ann%20lee@north.example?roster;preauth=", 44);
	assert_string_equal(invite_uri(answered->context, answered) + 44, answered->token);
	assert_null(invite_page(answered->context, answered));
	assert_int_equal(create(INVITE_ACCOUNT, NULL, "d\xc3\xbcrer"), INVITE_OK);
	assert_memory_equal(invite_uri(answered->context, answered),
	                    "xmpp:d%C3%BCrer@north.example?register;preauth=", 47);
	assert_int_equal(create(INVITE_ACCOUNT, NULL, NULL), INVITE_OK);
	assert_memory_equal(invite_uri(answered->context, answered), "xmpp:north.example?register;preauth=", 36);
}

static void test_one_registration(void **state)
{
	char token[INVITE_TOKEN + 1];

	(void)state;
	create(INVITE_ACCOUNT, NULL, NULL);
	keep_token(token);
	assert_int_equal(with_token(INVITE_FIND, "other", NULL, NULL), INVITE_UNKNOWN);
	assert_int_equal(with_token(INVITE_FIND, token, NULL, NULL), INVITE_OK);
	assert_int_equal(with_token(INVITE_CLAIM, token, NULL, "bob"), INVITE_OK);
	assert_int_equal(with_token(INVITE_CLAIM, token, NULL, "eve"), INVITE_UNKNOWN);
	assert_int_equal(with_token(INVITE_FIND, token, NULL, NULL), INVITE_UNKNOWN);
	assert_int_equal(with_token(INVITE_RELEASE, token, NULL, NULL), INVITE_OK);
	assert_int_equal(with_token(INVITE_CLAIM, token, NULL, "bob"), INVITE_OK);
	assert_int_equal(with_token(INVITE_USE, token, NULL, NULL), INVITE_OK);
	assert_int_equal(with_token(INVITE_CLAIM, token, NULL, "eve"), INVITE_UNKNOWN);
	assert_int_equal(count_open(), 0);
}

static void test_one_contact(void **state)
{
	char token[INVITE_TOKEN + 1], other[INVITE_TOKEN + 1];

	(void)state;
	create(INVITE_CONTACT, "ann@north.example", NULL);
	keep_token(token);
	create(INVITE_ACCOUNT, "ann@north.example", NULL);
	keep_token(other);
	assert_int_equal(with_token(INVITE_REDEEM, token, "bob@north.example", NULL), INVITE_UNKNOWN);
	assert_int_equal(with_token(INVITE_REDEEM, other, "ann@north.example", NULL), INVITE_UNKNOWN);
	assert_int_equal(with_token(INVITE_REDEEM, token, "ann@north.example", NULL), INVITE_OK);
	assert_int_equal(with_token(INVITE_REDEEM, token, "ann@north.example", NULL), INVITE_UNKNOWN);
}

static void test_names_are_kept(void **state)
{
	char token[INVITE_TOKEN + 1];
	struct invite_request *nobody;

	(void)state;
	town_add_account(town, "dora@north.example");
	assert_int_equal(create(INVITE_ACCOUNT, NULL, "dora"), INVITE_EXISTS);
	assert_int_equal(create(INVITE_ACCOUNT, NULL, "carol"), INVITE_OK);
	keep_token(token);
	assert_int_equal(create(INVITE_ACCOUNT, NULL, "carol"), INVITE_TAKEN);
	nobody = request_new(INVITE_CLAIM, 1);
	nobody->invite.user = "carol";
	assert_int_equal(ask(nobody), INVITE_TAKEN);
	assert_int_equal(with_token(INVITE_CLAIM, token, NULL, "carol"), INVITE_OK);
	town_pass(town, 61000);
	nobody = request_new(INVITE_CLAIM, 1);
	nobody->invite.user = "carol";
	assert_int_equal(ask(nobody), INVITE_OK);
}

static void test_limits(void **state)
{
	(void)state;
	assert_int_equal(create(INVITE_CONTACT, "ann@north.example", NULL), INVITE_OK);
	assert_int_equal(create(INVITE_CONTACT, "ann@north.example", NULL), INVITE_OK);
	assert_int_equal(create(INVITE_CONTACT, "ann@north.example", NULL), INVITE_FULL);
	assert_int_equal(create(INVITE_CONTACT, "bob@north.example", NULL), INVITE_OK);
	assert_int_equal(create(INVITE_ACCOUNT, NULL, NULL), INVITE_OK);
	assert_int_equal(create(INVITE_ACCOUNT, NULL, NULL), INVITE_FULL);
	town_pass(town, 61000);
	assert_int_equal(create(INVITE_CONTACT, "ann@north.example", NULL), INVITE_OK);
	assert_int_equal(count_open(), 1);
}

static void test_revoked_and_forgotten(void **state)
{
	struct invite_request *revoke = request_new(INVITE_REVOKE, 0), *forget;
	const char *id;

	(void)state;
	create(INVITE_CONTACT, "ann@north.example", NULL);
	create(INVITE_ACCOUNT, "ann@north.example", NULL);
	create(INVITE_ACCOUNT, NULL, NULL);
	assert_int_equal(count_open(), 3);
	id = json_string_value(json_object_get(json_array_get(answered->rows, 2), "invitation"));
	assert_int_equal(strlen(id), INVITE_ID);
	revoke->id = arena_str(&revoke->arena, id);
	assert_int_equal(ask(revoke), INVITE_OK);
	forget = request_new(INVITE_FORGET, 0);
	forget->invite.inviter = "ann@north.example";
	assert_int_equal(ask(forget), INVITE_OK);
	assert_int_equal(count_open(), 0);
}

/* What cannot be written has not happened. */
static void test_store_fails(void **state)
{
	static const struct store_trial_fault fault = { .op = STORE_DOCUMENT_PUT, .status = STORE_FAILED };
	char token[INVITE_TOKEN + 1];

	(void)state;
	create(INVITE_CONTACT, "ann@north.example", NULL);
	keep_token(token);
	store_trial_fail(town->store, &fault);
	assert_int_equal(create(INVITE_ACCOUNT, NULL, NULL), INVITE_FAILED);
	assert_int_equal(with_token(INVITE_REDEEM, token, "ann@north.example", NULL), INVITE_FAILED);
	store_trial_mend(town->store);
	assert_int_equal(count_open(), 1);
	assert_int_equal(with_token(INVITE_REDEEM, token, "ann@north.example", NULL), INVITE_OK);
}

static int setup(void **state)
{
	(void)state;
	town = town_open(modules, "limits { invitations = 4 invitations-per-user = 2 }\n");
	answered = NULL;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (answered)
		invite_request_free(answered);
	town_close(&town);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_registration, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_contact, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names_are_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_revoked_and_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(test_store_fails, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
