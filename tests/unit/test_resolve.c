/* SPDX-License-Identifier: MIT
 *
 * The resolver against a scripted name server: what exists, what does not, and what could not be found out.
 */
#include "net/resolve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tiny_dns.h"
#include "world.h"

struct asker {
	struct world *world;
	struct tiny_dns *dns;
	struct resolver *resolver;
	unsigned answers;
	enum resolve_status status;
	char text[512]; /* the answer, " host:port" or " address" each */
};

static void asker_found_services(void *owner, enum resolve_status status,
                                 const struct resolve_target *targets, size_t count)
{
	struct asker *asker = owner;

	asker->answers++;
	asker->status = status;
	asker->text[0] = '\0';
	for (size_t i = 0; i < count; i++)
		snprintf(asker->text + strlen(asker->text), sizeof(asker->text) - strlen(asker->text),
		         " %s:%u", targets[i].host, targets[i].port);
}

static void asker_found_addresses(void *owner, enum resolve_status status, const struct address *addresses,
                                  size_t count)
{
	struct asker *asker = owner;
	char text[ADDRESS_TEXT];

	asker->answers++;
	asker->status = status;
	asker->text[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		address_write(&addresses[i], text);
		snprintf(asker->text + strlen(asker->text), sizeof(asker->text) - strlen(asker->text), " %s",
		         text);
	}
}

static int asker_setup(void **state)
{
	struct asker *asker = mem_zalloc(sizeof(*asker));
	struct resolver_options options = { .count = 1, .timeout_ms = 100, .tries = 2 };

	asker->world = world_new(1, true);
	asker->dns = tiny_dns_new();
	options.servers = &asker->dns->address;
	asker->resolver = resolver_new(world_worker(asker->world, 0), &options);
	*state = asker;
	return 0;
}

static int asker_teardown(void **state)
{
	struct asker *asker = *state;

	resolver_free(&asker->resolver);
	world_free(asker->world);
	tiny_dns_free(&asker->dns);
	free(asker);
	return 0;
}

/* Serves until so many answers have come, for at most 5 s. */
static void asker_wait(struct asker *asker, unsigned answers)
{
	for (unsigned i = 0; i < 2500 && asker->answers < answers; i++) {
		tiny_dns_serve(asker->dns, 2);
		asker->world->now_ms += 2;
		world_settle(asker->world);
	}
	assert_int_equal(asker->answers, answers);
}

static void ask_services(struct asker *asker, const char *name)
{
	unsigned before = asker->answers;

	assert_non_null(resolve_srv(asker->resolver, name, NULL, asker_found_services, asker));
	assert_int_equal(asker->answers, before);
	asker_wait(asker, before + 1);
}

static void ask_addresses(struct asker *asker, const char *name)
{
	unsigned before = asker->answers;

	assert_non_null(resolve_addresses(asker->resolver, name, 5269, asker_found_addresses, asker));
	assert_int_equal(asker->answers, before);
	asker_wait(asker, before + 1);
}

static void services_come_in_order(void **state)
{
	struct asker *asker = *state;

	tiny_dns_srv(asker->dns, "_xmpp-server._tcp.south.example", 20, 0, "spare.south.example", 5270);
	tiny_dns_srv(asker->dns, "_xmpp-server._tcp.south.example", 10, 5, "main.south.example", 5269);
	ask_services(asker, "_xmpp-server._tcp.south.example");
	assert_int_equal(asker->status, RESOLVE_OK);
	assert_string_equal(asker->text, " main.south.example:5269 spare.south.example:5270");
}

static void what_is_absent_is_none(void **state)
{
	struct asker *asker = *state;

	tiny_dns_host(asker->dns, "plain.example", "192.0.2.1");
	ask_services(asker, "_xmpp-server._tcp.nowhere.example");
	assert_int_equal(asker->status, RESOLVE_NONE);
	ask_services(asker, "plain.example");
	assert_int_equal(asker->status, RESOLVE_NONE);
	ask_addresses(asker, "nowhere.example");
	assert_int_equal(asker->status, RESOLVE_NONE);
	ask_services(asker, "a-label-that-is-longer-than-the-sixty-three-octets-that-the-dns-allows.example");
	assert_int_equal(asker->status, RESOLVE_NONE);
}

static void a_dot_is_a_refusal(void **state)
{
	struct asker *asker = *state;

	tiny_dns_srv(asker->dns, "_xmpp-server._tcp.closed.example", 0, 0, ".", 0);
	ask_services(asker, "_xmpp-server._tcp.closed.example");
	assert_int_equal(asker->status, RESOLVE_REFUSED);
	assert_string_equal(asker->text, "");
}

static void trouble_is_not_absence(void **state)
{
	struct asker *asker = *state;

	tiny_dns_fault(asker->dns, "failing.example", 0, TINY_DNS_SERVFAIL);
	tiny_dns_fault(asker->dns, "refusing.example", 0, TINY_DNS_REFUSED);
	tiny_dns_fault(asker->dns, "silent.example", 0, -1);
	ask_services(asker, "failing.example");
	assert_int_equal(asker->status, RESOLVE_FAILED);
	ask_services(asker, "refusing.example");
	assert_int_equal(asker->status, RESOLVE_FAILED);
	ask_services(asker, "silent.example");
	assert_int_equal(asker->status, RESOLVE_FAILED);
	ask_addresses(asker, "silent.example");
	assert_int_equal(asker->status, RESOLVE_FAILED);
}

/* One family that fails hides neither the other's addresses nor that there may be some. */
static void families_are_judged_together(void **state)
{
	struct asker *asker = *state;

	tiny_dns_host(asker->dns, "half.example", "192.0.2.7");
	tiny_dns_fault(asker->dns, "half.example", TINY_DNS_AAAA, TINY_DNS_SERVFAIL);
	ask_addresses(asker, "half.example");
	assert_int_equal(asker->status, RESOLVE_OK);
	assert_string_equal(asker->text, " 192.0.2.7:5269");
	tiny_dns_srv(asker->dns, "unknown.example", 0, 0, "x.example", 1);
	tiny_dns_fault(asker->dns, "unknown.example", TINY_DNS_A, TINY_DNS_SERVFAIL);
	ask_addresses(asker, "unknown.example");
	assert_int_equal(asker->status, RESOLVE_FAILED);
}

static void a_slow_family_is_not_waited_for(void **state)
{
	struct asker *asker = *state;

	tiny_dns_host(asker->dns, "slow.example", "192.0.2.8");
	tiny_dns_fault(asker->dns, "slow.example", TINY_DNS_AAAA, -1);
	ask_addresses(asker, "slow.example");
	assert_int_equal(asker->status, RESOLVE_OK);
	assert_string_equal(asker->text, " 192.0.2.8:5269");
}

static void families_alternate(void **state)
{
	struct asker *asker = *state;

	tiny_dns_host(asker->dns, "both.example", "192.0.2.1");
	tiny_dns_host(asker->dns, "both.example", "192.0.2.2");
	tiny_dns_host(asker->dns, "both.example", "192.0.2.3");
	tiny_dns_host(asker->dns, "both.example", "2001:db8::1");
	ask_addresses(asker, "both.example");
	assert_string_equal(asker->text, " [2001:db8::1]:5269 192.0.2.1:5269 192.0.2.2:5269 192.0.2.3:5269");
}

static void literals_need_no_server(void **state)
{
	struct asker *asker = *state;

	ask_addresses(asker, "192.0.2.99");
	assert_string_equal(asker->text, " 192.0.2.99:5269");
	ask_addresses(asker, "[2001:db8::9]");
	assert_string_equal(asker->text, " [2001:db8::9]:5269");
	assert_int_equal(asker->dns->asked, 0);
}

static void answers_are_kept_for_their_time(void **state)
{
	struct asker *asker = *state;
	const char *name = "_xmpp-server._tcp.south.example";

	tiny_dns_srv(asker->dns, name, 0, 0, "main.south.example", 5269);
	ask_services(asker, name);
	ask_services(asker, name);
	assert_int_equal(asker->dns->asked, 1);
	asker->world->now_ms += 301 * 1000;
	ask_services(asker, name);
	assert_int_equal(asker->dns->asked, 2);
	resolver_flush(asker->resolver);
	ask_services(asker, name);
	assert_int_equal(asker->dns->asked, 3);
	assert_string_equal(asker->text, " main.south.example:5269");
}

static void absence_is_kept_for_a_minute_and_trouble_never(void **state)
{
	struct asker *asker = *state;
	unsigned asked;

	ask_services(asker, "nowhere.example");
	ask_services(asker, "nowhere.example");
	assert_int_equal(asker->dns->asked, 1);
	asker->world->now_ms += 61 * 1000;
	ask_services(asker, "nowhere.example");
	assert_int_equal(asker->dns->asked, 2);
	tiny_dns_fault(asker->dns, "failing.example", 0, TINY_DNS_SERVFAIL);
	ask_services(asker, "failing.example");
	asked = asker->dns->asked;
	ask_services(asker, "failing.example");
	assert_true(asker->dns->asked > asked);
}

static void equal_questions_are_asked_once(void **state)
{
	struct asker *asker = *state;
	const char *name = "_xmpp-server._tcp.south.example";

	tiny_dns_srv(asker->dns, name, 0, 0, "main.south.example", 5269);
	resolve_srv(asker->resolver, name, NULL, asker_found_services, asker);
	resolve_srv(asker->resolver, name, NULL, asker_found_services, asker);
	asker_wait(asker, 2);
	assert_int_equal(asker->dns->asked, 1);
}

static void cancelled_questions_are_not_answered(void **state)
{
	struct asker *asker = *state;
	struct resolve *resolve =
		resolve_srv(asker->resolver, "nowhere.example", NULL, asker_found_services, asker);
	struct resolve *literal =
		resolve_addresses(asker->resolver, "192.0.2.1", 1, asker_found_addresses, asker);

	resolve_cancel(&resolve);
	resolve_cancel(&literal);
	assert_null(resolve);
	ask_services(asker, "elsewhere.example");
	assert_int_equal(asker->answers, 1);
	resolve_srv(asker->resolver, "unanswered.example", NULL, asker_found_services, asker);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, asker_setup, asker_teardown)
	const struct CMUnitTest tests[] = {
		TEST(services_come_in_order),
		TEST(what_is_absent_is_none),
		TEST(a_dot_is_a_refusal),
		TEST(trouble_is_not_absence),
		TEST(families_are_judged_together),
		TEST(a_slow_family_is_not_waited_for),
		TEST(families_alternate),
		TEST(literals_need_no_server),
		TEST(answers_are_kept_for_their_time),
		TEST(absence_is_kept_for_a_minute_and_trouble_never),
		TEST(equal_questions_are_asked_once),
		TEST(cancelled_questions_are_not_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
