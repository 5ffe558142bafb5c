/* SPDX-License-Identifier: MIT
 *
 * The subscription state machine against all 72 transitions of RFC 6121 Appendix A.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "im/subscription.h"
#include "vector.h"

static const char *const state_names[SUBSCRIPTIONS] = {
	[SUBSCRIPTION_NONE] = "None",
	[SUBSCRIPTION_NONE_OUT] = "None + Pending Out",
	[SUBSCRIPTION_NONE_IN] = "None + Pending In",
	[SUBSCRIPTION_NONE_OUT_IN] = "None + Pending Out+In",
	[SUBSCRIPTION_TO] = "To",
	[SUBSCRIPTION_TO_IN] = "To + Pending In",
	[SUBSCRIPTION_FROM] = "From",
	[SUBSCRIPTION_FROM_OUT] = "From + Pending Out",
	[SUBSCRIPTION_BOTH] = "Both",
};

static enum subscription state_of(const char *name)
{
	for (int i = 0; i < SUBSCRIPTIONS; i++)
		if (strcmp(state_names[i], name) == 0)
			return (enum subscription)i;
	fail_msg("no such state: %s", name);
	return SUBSCRIPTION_NONE;
}

static enum stanza_type type_of(const char *name)
{
	if (strcmp(name, "subscribe") == 0)
		return PRESENCE_SUBSCRIBE;
	if (strcmp(name, "unsubscribe") == 0)
		return PRESENCE_UNSUBSCRIBE;
	if (strcmp(name, "subscribed") == 0)
		return PRESENCE_SUBSCRIBED;
	assert_string_equal(name, "unsubscribed");
	return PRESENCE_UNSUBSCRIBED;
}

/* "Server SHOULD auto-reply with ..." in the note of an inbound row. */
static enum stanza_type reply_of(const char *direction, const char *note)
{
	if (strcmp(direction, "inbound") != 0 || strncmp(note, "Server SHOULD auto-reply", 24) != 0)
		return STANZA_TYPE_NONE;
	return strstr(note, "\"unsubscribed\"") ? PRESENCE_UNSUBSCRIBED : PRESENCE_SUBSCRIBED;
}

static void appendix_a(void **unused)
{
	struct vector v = vector_open("subscription-states-rfc6121-appendix-a.csv");
	size_t rows = 0;

	(void)unused;
	while (vector_next(&v)) {
		const struct subscription_rule *rule;
		enum stanza_type type = type_of(v.fields[2]);
		enum subscription state = state_of(v.fields[3]);

		assert_int_equal(v.count, 8);
		if (strcmp(v.fields[1], "outbound") == 0)
			rule = subscription_outbound(type, state);
		else
			rule = subscription_inbound(type, state);
		assert_int_equal(rule->pass, strcmp(v.fields[4], "MUST") == 0);
		assert_int_equal(rule->next, state_of(v.fields[5]));
		assert_int_equal(rule->reply, reply_of(v.fields[1], v.fields[7]));
		rows++;
	}
	fclose(v.file);
	assert_int_equal(rows, 72);
}

/* A.1: how the states appear in the roster. */
static void states(void **unused)
{
	(void)unused;
	for (int i = 0; i < SUBSCRIPTIONS; i++) {
		enum subscription state = (enum subscription)i;
		const char *name = subscription_name(state);

		assert_int_equal(subscription_gives(state),
		                 strcmp(name, "from") == 0 || strcmp(name, "both") == 0);
		assert_int_equal(subscription_gets(state),
		                 strcmp(name, "to") == 0 || strcmp(name, "both") == 0);
		assert_int_equal(subscription_is_asked(state), strstr(state_names[i], "Out") != NULL);
		assert_int_equal(subscription_is_pending(state), strstr(state_names[i], "In") != NULL);
		assert_int_equal(strncasecmp(name, state_names[i], strlen(name)), 0);
	}
}

/* §3.4: what a pre-approved request leads to. */
static void granted(void **unused)
{
	(void)unused;
	assert_int_equal(subscription_granted(SUBSCRIPTION_NONE), SUBSCRIPTION_FROM);
	assert_int_equal(subscription_granted(SUBSCRIPTION_NONE_OUT), SUBSCRIPTION_FROM_OUT);
	assert_int_equal(subscription_granted(SUBSCRIPTION_TO), SUBSCRIPTION_BOTH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appendix_a),
		cmocka_unit_test(states),
		cmocka_unit_test(granted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
