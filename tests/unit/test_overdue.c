/* SPDX-License-Identifier: MIT
 *
 * What sessions hold unwritten keeps its place: it comes to the next session in front of what came after it and stands in the
 * journal already.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/town.h"

#define ROMEO "romeo@north.example"
#define JULIET "juliet@north.example"
#define NOT_ARCHIVED "<no-permanent-store xmlns='urn:xmpp:hints'/>"

static const struct module *const modules[] = { &town_module, NULL };

static struct town *town;
static struct person *romeo;

static void says(int id, const char *hint)
{
	char xml[200];

	snprintf(xml, sizeof(xml), "<message to='" JULIET "' type='chat' id='%d'><body>b</body>%s</message>", id, hint);
	person_says(romeo, xml);
}

static struct person *juliet_comes(const char *resource)
{
	char full[64];
	struct person *juliet;

	snprintf(full, sizeof(full), JULIET "/%s", resource);
	juliet = person_come(town, full);
	person_says(juliet, "<presence/>");
	return juliet;
}

/* The ids of messages heard, "1 2 3 ". */
static const char *heard_ids(struct person *person)
{
	static char ids[400];
	const char *xml = person_heard(person);
	size_t len = 0;

	ids[0] = '\0';
	while ((xml = strstr(xml, "<message ")) && len < sizeof(ids) - 20) {
		len += (size_t)snprintf(ids + len, sizeof(ids) - len, "%d ", atoi(strstr(xml, " id='") + 5));
		xml++;
	}
	return ids;
}

static void configure(const char *archive)
{
	char text[200];

	snprintf(text, sizeof(text), "server { workers = 2 }\nhost north.example { archive = %s }\n"
	                             "tls { client-required = no }\n", archive);
	town_configure(town, text);
	free(server_reload(town->server));
	town_settle(town);
}

/* She is there for nobody any more, and has not acknowledged what she got. */
static void test_in_front_of_what_is_kept(void **state)
{
	struct person *balcony = juliet_comes("balcony"), *garden;

	(void)state;
	configure("never");
	balcony->holds = true;
	says(1, "");
	says(2, "");
	person_says(balcony, "<presence type='unavailable'/>");
	says(3, "");
	town_pass(town, 200);
	says(4, "");
	person_go(&balcony);
	garden = juliet_comes("garden");
	assert_string_equal(heard_ids(garden), "1 2 3 4 ");
	person_go(&garden);
}

/* The same, and she acknowledges it: what was written is forgotten. */
static void test_not_once_more(void **state)
{
	struct person *balcony = juliet_comes("balcony"), *garden;

	(void)state;
	configure("never");
	balcony->holds = true;
	says(1, "");
	person_says(balcony, "<presence type='unavailable'/>");
	says(2, "");
	person_take(balcony);
	person_go(&balcony);
	garden = juliet_comes("garden");
	assert_string_equal(heard_ids(garden), "2 ");
	person_go(&garden);
}

/* Nothing has been written yet when she goes. */
static void test_in_order_among_themselves(void **state)
{
	struct person *balcony = juliet_comes("balcony"), *garden;

	(void)state;
	configure("never");
	balcony->holds = true;
	says(1, "");
	says(2, "");
	says(3, "");
	person_go(&balcony);
	says(4, "");
	garden = juliet_comes("garden");
	assert_string_equal(heard_ids(garden), "1 2 3 4 ");
	person_go(&garden);
}

static void test_in_front_of_what_is_archived(void **state)
{
	struct person *balcony = juliet_comes("balcony"), *garden;

	(void)state;
	configure("always");
	balcony->holds = true;
	says(1, NOT_ARCHIVED);
	says(2, "");
	says(3, NOT_ARCHIVED);
	says(4, "");
	town_pass(town, 200);
	person_go(&balcony);
	garden = juliet_comes("garden");
	assert_string_equal(heard_ids(garden), "1 2 3 4 ");
	person_go(&garden);
}

static int setup(void **state)
{
	(void)state;
	town = town_open(modules, NULL);
	configure("never");
	town_add_account(town, ROMEO);
	town_add_account(town, JULIET);
	romeo = person_come(town, ROMEO "/garden");
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
		TEST(test_in_front_of_what_is_kept),
		TEST(test_not_once_more),
		TEST(test_in_order_among_themselves),
		TEST(test_in_front_of_what_is_archived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
