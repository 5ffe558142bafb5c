/* SPDX-License-Identifier: MIT
 *
 * Addresses: what is read, what is refused, how it is written, which networks hold which hosts.
 */
#include "net/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void reads_and_writes(void **state)
{
	static const struct {
		const char *text, *written, *host;
	} rows[] = {
		{ "127.0.0.1", "127.0.0.1:7", "127.0.0.1" },
		{ "::1", "[::1]:7", "::1" },
		{ "[::1]", "[::1]:7", "::1" },
		{ "127.0.0.1:5269", "127.0.0.1:5269", "127.0.0.1" },
		{ "[2001:db8::2]:53", "[2001:db8::2]:53", "2001:db8::2" },
		{ "2001:DB8:0:0::53", "[2001:db8::53]:7", "2001:db8::53" },
		{ "[::]:0", "[::]:0", "::" },
		{ "0.0.0.0:65535", "0.0.0.0:65535", "0.0.0.0" },
	};
	struct address address;
	char text[ADDRESS_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(address_read_with_port(rows[i].text, 7, &address));
		address_write(&address, text);
		assert_string_equal(text, rows[i].written);
		address_write_host(&address, text);
		assert_string_equal(text, rows[i].host);
	}
}

static void refuses(void **state)
{
	static const char *const rows[] = {
		"", "[", "[]", "]", ":", "localhost", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1: 1",
		"127.0.0.1:1x", "127.0.0", "1.2.3.4.5", "[127.0.0.1]", "[::1", "[::1]x", "[::1]:", "::1]", "1:2:3", "[::1]:1:2",
		"fe80::1%lo", "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd:eeee",
	};
	struct address address;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_false(address_read_with_port(rows[i], 7, &address));
}

static void compares_hosts(void **state)
{
	struct address a, b, c;

	(void)state;
	assert_true(address_read("192.0.2.1", 1, &a) && address_read("192.0.2.1", 2, &b));
	assert_true(address_read("::ffff:192.0.2.1", 1, &c));
	assert_true(address_same_host(&a, &b));
	assert_false(address_same_host(&a, &c));
	assert_int_equal(address_port(&b), 2);
}

/* An IPv4 address, the /64 of an IPv6 address; the family keeps them apart. */
static void customers_are_told_apart(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.2", false },
		{ "2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true },
		{ "2001:db8:0:1::1", "2001:db8:0:2::1", false },
		{ "192.0.2.1", "c000:201::", false },
	};
	uint8_t a_key[ADDRESS_CUSTOMER], b_key[ADDRESS_CUSTOMER];
	struct address a, b;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t a_len, b_len;

		assert_true(address_read(rows[i].a, 1, &a) && address_read(rows[i].b, 2, &b));
		a_len = address_customer(&a, a_key);
		b_len = address_customer(&b, b_key);
		assert_int_equal(a_len == b_len && memcmp(a_key, b_key, a_len) == 0, rows[i].same);
	}
}

static void knows_any_and_takes_a_port(void **state)
{
	static const struct {
		const char *text;
		bool any;
		const char *elsewhere;
	} rows[] = {
		{ "0.0.0.0", true, "0.0.0.0:5269" },
		{ "::", true, "[::]:5269" },
		{ "192.0.2.7", false, "192.0.2.7:5269" },
		{ "2001:db8::7", false, "[2001:db8::7]:5269" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct address address;
		char text[ADDRESS_TEXT];

		assert_true(address_read(rows[i].text, 1, &address));
		assert_int_equal(address_is_any(&address), rows[i].any);
		address_set_port(&address, 5269);
		address_write(&address, text);
		assert_string_equal(text, rows[i].elsewhere);
	}
}

static void networks_hold_hosts(void **state)
{
	static const struct {
		const char *range, *host;
		bool has;
	} rows[] = {
		{ "10.0.0.0/8", "10.255.1.2", true },     { "10.0.0.0/8", "11.0.0.1", false },
		{ "192.0.2.7", "192.0.2.7", true },       { "192.0.2.7", "192.0.2.6", false },
		{ "192.0.2.0/25", "192.0.2.127", true },  { "192.0.2.0/25", "192.0.2.128", false },
		{ "0.0.0.0/0", "203.0.113.9", true },     { "0.0.0.0/0", "::1", false },
		{ "::1", "::1", true },                   { "2001:db8::/33", "2001:db8:7fff::1", true },
		{ "2001:db8::/33", "2001:db8:8000::1", false },
	};
	static const char *const wrong[] = { "", "/8", "10.0.0.0/", "10.0.0.0/33", "::1/129", "10.0.0.0/8/8", "ten/8", "1.2.3.4/+1" };
	struct network_range range;
	struct address host;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(network_range_read(rows[i].range, &range));
		assert_true(address_read(rows[i].host, 0, &host));
		assert_int_equal(network_range_has(&range, &host), rows[i].has);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(network_range_read(wrong[i], &range));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_writes),
		cmocka_unit_test(refuses),
		cmocka_unit_test(compares_hosts),
		cmocka_unit_test(customers_are_told_apart),
		cmocka_unit_test(networks_hold_hosts),
		cmocka_unit_test(knows_any_and_takes_a_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
