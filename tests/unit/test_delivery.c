/* SPDX-License-Identifier: MIT
 *
 * The delivery rules against Table 1 of RFC 6121 (§8.5.4) and the rules of §8.5.2 and §8.5.3. The one place where Hansa
 * leaves the table, a message of type normal to a full JID without session, is asserted as docs/delivery.md says it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "im/delivery.h"
#include "vector.h"
#include "xmpp/ns.h"

static const char *const message_types[] = { "normal", "chat", "groupchat", "headline" };

/* The letters of Table 1 that a decision stands for. */
static const char *letters_of(enum delivery delivery)
{
	switch (delivery) {
	case DELIVERY_IGNORE:
		return "S";
	case DELIVERY_REFUSE:
		return "E";
	case DELIVERY_KEEP:
		return "O";
	case DELIVERY_MATCH:
		return "D";
	case DELIVERY_BEST:
		return "MD";
	case DELIVERY_WILLING:
		return "AD";
	default:
		return "";
	}
}

static bool is_allowed(const char *cell, enum delivery delivery)
{
	return strpbrk(letters_of(delivery), cell) != NULL;
}

static void table_1(void **unused)
{
	struct vector v = vector_open("message-delivery-rfc6121-table-1.csv");
	size_t cells = 0;

	(void)unused;
	while (vector_next(&v)) {
		struct delivery_terms terms = {
			.full = strncmp(v.fields[1], "full", 4) == 0,
			.match = strcmp(v.fields[1], "full match") == 0,
			.willing = strstr(v.fields[0], "NON-NEGATIVE RESOURCE") != NULL &&
			           strstr(v.fields[0], "ZERO") == NULL,
			.kept = true,
		};

		if (strcmp(v.fields[0], "ACCOUNT DOES NOT EXIST") == 0)
			continue;
		for (size_t i = 0; i < 4; i++) {
			enum stanza_type type = (enum stanza_type)(MESSAGE_NORMAL + i);
			enum delivery delivery = delivery_decide(type, &terms);

			if (type == MESSAGE_NORMAL && terms.full && !terms.match)
				assert_int_equal(delivery, terms.willing ? DELIVERY_BEST : DELIVERY_KEEP);
			else if (!is_allowed(v.fields[2 + i], delivery))
				fail_msg("%s, %s, %s: %s allowed, %s decided", v.fields[0], v.fields[1],
				         message_types[i], v.fields[2 + i], letters_of(delivery));
			cells++;
		}
	}
	fclose(v.file);
	assert_int_equal(cells, 11 * 4);
}

struct rule {
	const char *action;            /* how the action of a row begins */
	enum delivery delivery, other; /* either will do */
};

/* Longer beginnings first. */
static const struct rule rules[] = {
	{ "server answers itself", DELIVERY_ANSWER, DELIVERY_ANSWER },
	{ "server answers (4.3)", DELIVERY_PROBE, DELIVERY_PROBE },
	{ "section 4.3", DELIVERY_PROBE, DELIVERY_PROBE },
	{ "server consumes", DELIVERY_IGNORE, DELIVERY_IGNORE },
	{ "subscription state machine", DELIVERY_SUBSCRIPTION, DELIVERY_SUBSCRIPTION },
	{ "section 3", DELIVERY_SUBSCRIPTION, DELIVERY_SUBSCRIPTION },
	{ "deliver to all available", DELIVERY_AVAILABLE, DELIVERY_AVAILABLE },
	{ "deliver", DELIVERY_MATCH, DELIVERY_MATCH },
	{ "error service-unavailable", DELIVERY_REFUSE, DELIVERY_REFUSE },
	{ "ignore or service-unavailable", DELIVERY_IGNORE, DELIVERY_REFUSE },
	{ "ignore", DELIVERY_IGNORE, DELIVERY_IGNORE },
	{ "as for the bare JID", DELIVERY_KEEP, DELIVERY_KEEP },
};

static const struct rule *rule_of(const char *action)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (strncmp(action, rules[i].action, strlen(rules[i].action)) == 0)
			return &rules[i];
	fail_msg("no rule for '%s'", action);
	return NULL;
}

/* The types that a row's "kind" and "type" fields name. */
static bool row_has(const char *kind, const char *types, enum stanza_type type)
{
	const char *name = stanza_type_name(type);

	if (type == MESSAGE_NORMAL)
		name = "normal";
	if (type == PRESENCE_AVAILABLE)
		name = "available";
	if (strcmp(kind, stanza_kind_name(type >= IQ_GET               ? STANZA_IQ
	                                  : type >= PRESENCE_AVAILABLE ? STANZA_PRESENCE
	                                                               : STANZA_MESSAGE)) != 0)
		return false;
	if (strcmp(types, "any") == 0)
		return true;
	if (strcmp(types, "subscribe etc.") == 0)
		return type >= PRESENCE_SUBSCRIBE && type <= PRESENCE_UNSUBSCRIBED;
	for (const char *at = types; at; at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL)
		if (strncmp(at, name, strlen(name)) == 0 && strchr("/", at[strlen(name)]))
			return true;
	return false;
}

static void section_8_row(struct vector *v, enum stanza_type type)
{
	const struct rule *rule = rule_of(v->fields[4]);
	struct delivery_terms terms = {
		.full = strcmp(v->fields[1], "full") == 0,
		.match = strcmp(v->fields[0], "resource matches") == 0,
		.shared = true,
		.kept = type != MESSAGE_ERROR,
	};
	enum delivery delivery = delivery_decide(type, &terms);

	if (type == MESSAGE_NORMAL && terms.full && !terms.match) {
		assert_int_equal(delivery, DELIVERY_KEEP);
		return;
	}
	/* Nobody is there: to all available sessions is to none. */
	if (strcmp(v->fields[0], "no resource") == 0 && delivery == DELIVERY_AVAILABLE)
		delivery = DELIVERY_IGNORE;
	if (delivery != rule->delivery && delivery != rule->other)
		fail_msg("%s %s %s %s: %d", v->fields[0], v->fields[1], v->fields[2], v->fields[3],
		         (int)delivery);
}

static void section_8(void **unused)
{
	struct vector v = vector_open("routing-rfc6121-section-8.csv");
	size_t checked = 0;

	(void)unused;
	while (vector_next(&v)) {
		if (strcmp(v.fields[0], "any resource") != 0 && strcmp(v.fields[0], "no resource") != 0 &&
		    strcmp(v.fields[0], "resource matches") != 0 && strcmp(v.fields[0], "no match") != 0)
			continue;
		for (enum stanza_type type = MESSAGE_NORMAL; type < IQ_INVALID; type++) {
			if (type == PRESENCE_INVALID || !row_has(v.fields[2], v.fields[3], type))
				continue;
			section_8_row(&v, type);
			checked++;
		}
	}
	fclose(v.file);
	assert_int_equal(checked, 52);
}

/* §8.5.3.1: who does not know of the session's presence does not reach it with a request. */
static void request_of_a_stranger(void **unused)
{
	struct delivery_terms terms = { .full = true, .match = true };

	(void)unused;
	assert_int_equal(delivery_decide(IQ_GET, &terms), DELIVERY_REFUSE);
	assert_int_equal(delivery_decide(IQ_SET, &terms), DELIVERY_REFUSE);
	assert_int_equal(delivery_decide(IQ_RESULT, &terms), DELIVERY_MATCH);
}

/* An error of ours that gives a message back is one for a person; others are ignored as §8.5.3.2.1 wants. */
static void a_message_that_comes_back(void **unused)
{
	(void)unused;
	for (int kept = 0; kept < 2; kept++) {
		struct delivery_terms terms = { .full = true, .kept = kept };

		assert_int_equal(delivery_decide(MESSAGE_ERROR, &terms), kept ? DELIVERY_KEEP : DELIVERY_IGNORE);
		terms.willing = true;
		assert_int_equal(delivery_decide(MESSAGE_ERROR, &terms), kept ? DELIVERY_BEST : DELIVERY_IGNORE);
		terms.match = true;
		assert_int_equal(delivery_decide(MESSAGE_ERROR, &terms), DELIVERY_MATCH);
	}
}

struct kept_case {
	enum stanza_type type;
	const char *name, *ns; /* of two children; NULL: none */
	const char *name2, *ns2;
	bool kept, unheard;
};

/* XEP-0160 §3, XEP-0334. */
static const struct kept_case kept_cases[] = {
	{ MESSAGE_CHAT, "body", NS_CLIENT, NULL, NULL, true, false },
	{ MESSAGE_NORMAL, "body", NS_CLIENT, NULL, NULL, true, false },
	{ MESSAGE_CHAT, "body", NS_CLIENT, "active", NS_CHAT_STATES, true, false },
	{ MESSAGE_CHAT, "composing", NS_CHAT_STATES, NULL, NULL, false, true },
	{ MESSAGE_CHAT, "composing", NS_CHAT_STATES, "thread", NS_CLIENT, false, true },
	{ MESSAGE_CHAT, "composing", NS_CHAT_STATES, "no-store", NS_HINTS, false, true },
	{ MESSAGE_CHAT, "composing", NS_CHAT_STATES, "store", NS_HINTS, true, false },
	{ MESSAGE_CHAT, "body", NS_CLIENT, "no-store", NS_HINTS, false, false },
	{ MESSAGE_CHAT, "received", "urn:xmpp:receipts", NULL, NULL, true, false },
	{ MESSAGE_CHAT, NULL, NULL, NULL, NULL, true, false },
	{ MESSAGE_HEADLINE, "body", NS_CLIENT, NULL, NULL, false, false },
	{ MESSAGE_GROUPCHAT, "body", NS_CLIENT, NULL, NULL, false, false },
	{ MESSAGE_ERROR, "body", NS_CLIENT, NULL, NULL, false, false },
};

static void what_is_kept(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof(kept_cases) / sizeof(kept_cases[0]); i++) {
		const struct kept_case *c = &kept_cases[i];
		struct stanza *s = stanza_make(STANZA_MESSAGE, c->type, NULL, NULL, NULL);
		const struct stanza *sealed;

		if (c->name)
			element_add(&s->arena, s->root, c->name, c->ns);
		if (c->name2)
			element_add(&s->arena, s->root, c->name2, c->ns2);
		sealed = stanza_seal(s);
		assert_int_equal(delivery_may_keep(sealed), c->kept);
		assert_int_equal(delivery_is_unheard(sealed), c->unheard);
		stanza_unref(&sealed);
	}
}

/* What is not kept: an error, but for chat states, which nobody misses. */
static void nobody_there(void **unused)
{
	struct delivery_terms terms = { .kept = false };

	(void)unused;
	assert_int_equal(delivery_decide(MESSAGE_CHAT, &terms), DELIVERY_REFUSE);
	terms.unheard = true;
	assert_int_equal(delivery_decide(MESSAGE_CHAT, &terms), DELIVERY_IGNORE);
	terms.willing = true;
	assert_int_equal(delivery_decide(MESSAGE_CHAT, &terms), DELIVERY_BEST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_1),
		cmocka_unit_test(section_8),
		cmocka_unit_test(request_of_a_stranger),
		cmocka_unit_test(a_message_that_comes_back),
		cmocka_unit_test(what_is_kept),
		cmocka_unit_test(nobody_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
