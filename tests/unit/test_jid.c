/* SPDX-License-Identifier: MIT
 *
 * Addresses against the vectors of RFC 7622 §3.5 (with what RFC 6122 makes of them), stringprep and SASLprep;
 * splitting, lengths, look-alikes of the separators; what is prepared stays as it is when prepared again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "vector.h"
#include "xmpp/jid.h"

static size_t add_utf8(char *out, unsigned long c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* Reads \u{265A} and \\ in place; the text gets no longer. A NUL may come out, so its length is answered. */
static size_t unescape(char *text)
{
	char *out = text;

	for (char *in = text; *in;) {
		if (*in != '\\') {
			*out++ = *in++;
		} else if (in[1] == '\\') {
			*out++ = '\\';
			in += 2;
		} else {
			out += add_utf8(out, strtoul(in + 3, &in, 16));
			in++;
		}
	}
	*out = '\0';
	return (size_t)(out - text);
}

static void assert_same_text(const char *text, size_t len, const char *expected)
{
	assert_int_equal(len, strlen(expected));
	assert_memory_equal(text, expected, len);
}

/* Everything that is prepared is a fixed point, for every use of the address. */
static void assert_stays(struct arena *arena, const struct jid *jid)
{
	struct jid again;

	assert_int_equal(strlen(jid->text), jid_len(jid));
	assert_true(jid_prepare(arena, jid->text, jid_len(jid), JID_ANY, &again));
	assert_true(jid_same(jid, &again));
	assert_true(jid_same_bare(jid, &again));
	assert_true(jid_same_domain(jid, &again));
}

static void addresses_of_the_rfc(void **state)
{
	struct vector v = vector_open("jid.csv");
	struct arena arena;
	struct jid jid;

	(void)state;
	arena_init(&arena, 0);
	while (vector_next(&v)) {
		size_t len = unescape(v.fields[0]);
		bool is_valid = strcmp(v.fields[1], "yes") == 0;

		assert_int_equal(jid_prepare(&arena, v.fields[0], len, JID_ANY, &jid), is_valid);
		assert_true(is_valid == (jid.text != NULL));
		if (!is_valid)
			continue;
		for (int i = 2; i <= 4; i++)
			unescape(v.fields[i]);
		assert_same_text(jid.text, jid.local_len, v.fields[2]);
		assert_same_text(jid_domain_text(&jid), jid.domain_len, v.fields[3]);
		assert_same_text(jid_resource(&jid) ? jid_resource(&jid) : "", jid.resource_len, v.fields[4]);
		assert_stays(&arena, &jid);
	}
	fclose(v.file);
	arena_clear(&arena);
}

static void assert_prepared(bool is_prepared, const char *out, char *expected)
{
	unescape(expected);
	assert_int_equal(is_prepared, *expected != '\0');
	if (is_prepared)
		assert_string_equal(out, expected);
	else
		assert_null(out);
}

static void profiles_of_stringprep(void **state)
{
	struct vector v = vector_open("stringprep.csv");
	struct arena arena;

	(void)state;
	arena_init(&arena, 0);
	while (vector_next(&v)) {
		size_t len = unescape(v.fields[0]);
		bool is_newer = strcmp(v.fields[6], "yes") == 0, is_address, is_allowed;
		struct jid jid;
		const char *out;

		/* A C string cannot say NUL: jid_prepare is asked about that one. */
		if (strlen(v.fields[0]) < len) {
			assert_false(jid_prepare(&arena, "\0@d", 3, JID_ANY, &jid));
			continue;
		}
		is_address = jid_make(&arena, v.fields[0], "d", NULL, JID_ANY, &jid);
		assert_prepared(is_address,
		                is_address ? arena_str_len(&arena, jid.text, jid.local_len) : NULL,
		                v.fields[1]);
		if (is_address)
			assert_stays(&arena, &jid);
		assert_int_equal(jid_make(&arena, v.fields[0], "d", NULL, JID_NEW_LOCAL, &jid),
		                 is_address && !is_newer);
		is_allowed = jid_resource_prepare(&arena, v.fields[0], len, &out);
		assert_prepared(is_allowed, out, v.fields[2]);
		is_allowed = jid_saslprep(&arena, v.fields[0], len, &out);
		assert_prepared(is_allowed, out, v.fields[3]);
	}
	fclose(v.file);
	arena_clear(&arena);
}

static void examples_of_saslprep(void **state)
{
	struct vector v = vector_open("saslprep.csv");
	struct arena arena;
	const char *out;

	(void)state;
	arena_init(&arena, 0);
	while (vector_next(&v)) {
		bool is_allowed = jid_saslprep(&arena, v.fields[0], unescape(v.fields[0]), &out);

		assert_prepared(is_allowed, out, v.fields[1]);
	}
	fclose(v.file);
	assert_false(jid_saslprep(&arena, "a\0b", 3, &out));
	assert_false(jid_saslprep(&arena, "\xff", 1, &out));
	arena_clear(&arena);
}

static char *repeat(struct arena *arena, const char *piece, size_t count)
{
	size_t len = strlen(piece);
	char *text = arena_alloc(arena, len * count + 1);

	for (size_t i = 0; i < count; i++)
		memcpy(text + i * len, piece, len);
	text[len * count] = '\0';
	return text;
}

static void a_part_has_at_most_1023_octets(void **state)
{
	struct arena arena;
	const char *out;
	struct jid jid;

	(void)state;
	arena_init(&arena, 0);
	assert_true(
		jid_make(&arena, repeat(&arena, "a", 1023), "d", repeat(&arena, "a", 1023), JID_ANY, &jid));
	assert_int_equal(jid_len(&jid), 1023 + 1 + 1 + 1 + 1023);
	assert_stays(&arena, &jid);
	assert_false(jid_make(&arena, repeat(&arena, "a", 1024), "d", NULL, JID_ANY, &jid));
	assert_null(jid.text);
	assert_false(jid_make(&arena, "a", "d", repeat(&arena, "a", 1024), JID_ANY, &jid));
	assert_true(jid_make(&arena, repeat(&arena, "\u00e9", 511), "d", NULL, JID_ANY, &jid));
	assert_false(jid_make(&arena, repeat(&arena, "\u00e9", 512), "d", NULL, JID_ANY, &jid));
	assert_false(jid_resource_prepare(&arena, repeat(&arena, "\u00e9", 512), 1024, &out));
	/* U+FDFA becomes 18 characters: what fits before is too long after. */
	assert_false(jid_resource_prepare(&arena, repeat(&arena, "\ufdfa", 300), 900, &out));
	assert_true(jid_saslprep(&arena, repeat(&arena, "a", 1024), 1024, &out));
	assert_true(jid_saslprep(&arena, repeat(&arena, "\u00e9", 512), 1024, &out));
	assert_int_equal(strlen(out), 1024);
	arena_clear(&arena);
}

static void a_domain_has_labels_of_at_most_63(void **state)
{
	struct arena arena;
	struct jid jid;
	char *label;

	(void)state;
	arena_init(&arena, 0);
	label = repeat(&arena, "a", 63);
	assert_true(jid_domain_prepare(&arena, label, 63, &jid));
	assert_false(jid_domain_prepare(&arena, repeat(&arena, "a", 64), 64, &jid));
	label = arena_printf(&arena, "%s.%s.%s.%s", label, label, label, label);
	assert_true(jid_domain_prepare(&arena, label, 253, &jid));
	assert_false(jid_domain_prepare(&arena, label, 254, &jid));
	arena_clear(&arena);
}

static const struct {
	const char *domain;
	const char *prepared;           /* NULL: refused */
} domains[] = {
	{ "North.Example", "north.example" },
	{ "north.example.", "north.example" },
	{ "north.example..", NULL },
	{ "localhost", "localhost" },
	{ "3com.example", "3com.example" },
	{ "a--b.example", "a--b.example" },
	{ "a_b.example", NULL },
	{ "a-.example", NULL },
	{ ".example", NULL },
	{ "a@b", NULL },
	{ "a/b", NULL },
	{ "stra\u00dfe.example", "stra\u00dfe.example" },
	{ "B\u00dcCHER.example", "b\u00fccher.example" },
	{ "xn--bcher-kva.example", "b\u00fccher.example" },
	{ "XN--BCHER-KVA.example", "b\u00fccher.example" },
	{ "xn--a.example", NULL },
	{ "xn--.example", NULL },
	{ "xn--fubl-xn--fubl-cta.example", NULL },                      /* decodes to what is no U-label */
	{ "\uff4e\uff4f\uff52\uff54\uff48.example", "north.example" },  /* full width */
	{ "north\u3002example", "north.example" },                      /* ideographic full stop */
	{ "north\uff0eexample\uff0e", "north.example" },
	{ "a\uff20b", NULL },                                           /* becomes @ */
	{ "a\uff0fb", NULL },                                           /* becomes / */
	{ "a\u2100b", NULL },                                           /* becomes a/c */
	{ "a\u3000b", NULL },                                           /* becomes a space */
	{ "\uff0da.example", NULL },                                    /* becomes -a */
	{ "\uff0da.b\u00fccher.example", NULL },
	{ "\uff58n--bcher-kva.example", "b\u00fccher.example" },        /* becomes an A-label */
	{ "b\u00fccher.a b.example", NULL },
	{ "b\u00fccher.a_b.example", NULL },
	{ "b\u00fccher..example", NULL },
	{ "b\u00fccher.example..", NULL },
	{ "\u00ad", NULL },
	{ "a\u2028b", NULL },
	{ "\xc3(.example", NULL },
	{ "[::1]", "[::1]" },
	{ "[2001:DB8:0:0:0:0:0:1]", "[2001:db8::1]" },
	{ "[::ffff:192.0.2.7]", "[::ffff:192.0.2.7]" },
	{ "[192.0.2.7]", NULL },
	{ "[]", NULL },
	{ "[::1", NULL },
	{ "[::1].example", NULL },
	{ "[fe80::1%eth0]", NULL },
};

static void domains_are_kept_as_u_labels(void **state)
{
	struct arena arena;
	struct jid jid;

	(void)state;
	arena_init(&arena, 0);
	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
		bool is_valid =
			jid_domain_prepare(&arena, domains[i].domain, strlen(domains[i].domain), &jid);

		assert_int_equal(is_valid, domains[i].prepared != NULL);
		if (!is_valid)
			continue;
		assert_string_equal(jid.text, domains[i].prepared);
		assert_true(jid_is_domain(&jid));
		assert_stays(&arena, &jid);
	}
	arena_clear(&arena);
}

/* What looks like a separator must never become one: the text is split first. */
static const struct {
	const char *text;
	const char *prepared;
} look_alikes[] = {
	{ "a\uff20host", NULL },
	{ "a\uff20b@host", NULL },
	{ "a@b\uff0fc", NULL },
	{ "a@host/b\uff20c", "a@host/b@c" },
	{ "a@host/b\uff0fc", "a@host/b/c" },
	{ "host/a@b", "host/a@b" },
	{ "a\ufe6bb@host", NULL },
};

static void separators_do_not_appear(void **state)
{
	struct arena arena;
	struct jid jid;

	(void)state;
	arena_init(&arena, 0);
	for (size_t i = 0; i < sizeof(look_alikes) / sizeof(look_alikes[0]); i++) {
		bool is_valid =
			jid_prepare(&arena, look_alikes[i].text, strlen(look_alikes[i].text), JID_ANY, &jid);

		assert_int_equal(is_valid, look_alikes[i].prepared != NULL);
		if (is_valid)
			assert_string_equal(jid.text, look_alikes[i].prepared);
	}
	arena_clear(&arena);
}

static void parts_of_an_address(void **state)
{
	struct jid full, bare, domain, again;
	struct arena arena, other;

	(void)state;
	arena_init(&arena, 0);
	arena_init(&other, 0);
	assert_true(jid_prepare(&arena, "Juliet@Capulet.example/Balcony", 30, JID_ANY, &full));
	assert_string_equal(full.text, "juliet@capulet.example/Balcony");
	assert_string_equal(jid_resource(&full), "Balcony");
	assert_false(jid_is_bare(&full));
	bare = jid_bare(&other, &full);
	assert_string_equal(bare.text, "juliet@capulet.example");
	assert_true(jid_is_bare(&bare));
	assert_null(jid_resource(&bare));
	assert_true(jid_same_bare(&full, &bare));
	assert_false(jid_same(&full, &bare));
	again = jid_bare(&other, &bare);
	assert_ptr_equal(again.text, bare.text);
	again = jid_with_resource(&other, &bare, "Balcony");
	assert_true(jid_same(&again, &full));
	again = jid_copy(&other, &full);
	assert_true(jid_same(&again, &full));
	assert_ptr_not_equal(again.text, full.text);
	domain = jid_domain(&other, &full);
	assert_string_equal(domain.text, "capulet.example");
	assert_true(jid_is_domain(&domain));
	assert_true(jid_same_domain(&domain, &full));
	assert_false(jid_same_bare(&domain, &full));
	again = jid_copy(&other, &(struct jid){ 0 });
	assert_null(again.text);
	arena_clear(&arena);
	arena_clear(&other);
}

/* "a@b" and the domain "a@b" cannot be taken for one another, nor "ab@c" for "a" and "b@c". */
static void same_octets_are_not_same_parts(void **state)
{
	struct arena arena;
	struct jid a, b;

	(void)state;
	arena_init(&arena, 0);
	assert_true(jid_prepare(&arena, "host/a@b", 8, JID_ANY, &a));
	assert_true(jid_prepare(&arena, "host/a@b/c", 10, JID_ANY, &b));
	assert_true(jid_same_bare(&a, &b));
	assert_false(jid_same(&a, &b));
	arena_clear(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_of_the_rfc),
		cmocka_unit_test(profiles_of_stringprep),
		cmocka_unit_test(examples_of_saslprep),
		cmocka_unit_test(a_part_has_at_most_1023_octets),
		cmocka_unit_test(a_domain_has_labels_of_at_most_63),
		cmocka_unit_test(domains_are_kept_as_u_labels),
		cmocka_unit_test(separators_do_not_appear),
		cmocka_unit_test(parts_of_an_address),
		cmocka_unit_test(same_octets_are_not_same_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
