/* SPDX-License-Identifier: MIT
 *
 * What a peer's certificate proves: each row is a certificate that is shown in a real handshake, by the side that accepts
 * and by the side that connects, and what must be said of it.
 */
#include "net/certificate.h"

#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "certificate.h"
#include "talker.h"

#define DOMAIN "south.example"
#define SRV "otherName:1.3.6.1.5.5.7.8.7;IA5:"
#define XMPP "otherName:1.3.6.1.5.5.7.8.5;UTF8:"

static char folder[] = "/tmp/test_certificate.XXXXXX";

/* ---- made for the test ---- */

struct made {
	X509 *x509;
	EVP_PKEY *key;
};

static struct made authority, stranger;

static void made_clear(struct made *made)
{
	X509_free(made->x509);
	EVP_PKEY_free(made->key);
}

static void made_extend(struct made *made, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(extension);
	X509_add_ext(made->x509, extension, -1);
	X509_EXTENSION_free(extension);
}

struct recipe {
	const char *names, *purpose;    /* subjectAltName, extendedKeyUsage; NULL: none */
	int from_days, until_days;
	bool is_authority;
};

/* signer: NULL: itself. */
static struct made make(const struct recipe *recipe, const struct made *signer)
{
	struct made made = { X509_new(), EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256") };
	X509_NAME *subject = X509_get_subject_name(made.x509);
	const char *name = recipe->is_authority ? "authority" : DOMAIN;
	static long serial = 1;

	X509_set_version(made.x509, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(made.x509), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(made.x509), recipe->from_days * 86400L - 3600);
	X509_gmtime_adj(X509_getm_notAfter(made.x509), recipe->until_days * 86400L);
	X509_set_pubkey(made.x509, made.key);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(made.x509, signer ? X509_get_subject_name(signer->x509) : subject);
	if (recipe->is_authority)
		made_extend(&made, NID_basic_constraints, "critical,CA:TRUE");
	if (recipe->names)
		made_extend(&made, NID_subject_alt_name, recipe->names);
	if (recipe->purpose)
		made_extend(&made, NID_ext_key_usage, recipe->purpose);
	X509_sign(made.x509, signer ? signer->key : made.key, EVP_sha256());
	return made;
}

static void write_files(const struct made *made, const char *name, struct certificate *out)
{
	snprintf(out->certificate, sizeof(out->certificate), "%s/%s.crt", folder, name);
	snprintf(out->key, sizeof(out->key), "%s/%s.key", folder, name);
	out->files = (struct tls_certificate){ DOMAIN, out->certificate, out->key };
	certificate_write(out, made->x509, made->key);
}

static struct certificate authority_files;
static struct trust *trust;

static int setup(void **state)
{
	static const struct recipe recipe = { .until_days = 30, .is_authority = true };
	char *error;

	(void)state;
	assert_non_null(mkdtemp(folder));
	authority = make(&recipe, NULL);
	stranger = make(&recipe, NULL);
	write_files(&authority, "authority", &authority_files);
	trust = trust_new(authority_files.certificate, &error);
	assert_non_null(trust);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	trust_unref(&trust);
	certificate_remove(&authority_files);
	made_clear(&authority);
	made_clear(&stranger);
	return rmdir(folder);
}

/* ---- shown ---- */

/* a shows the one certificate, b the other, NULL: none. a connects. */
static void shake(struct world *world, struct talker *a, struct talker *b, const struct certificate *of_a,
                  const struct certificate *of_b)
{
	char *error;
	struct tls *client = tls_client_new(of_a ? &of_a->files : NULL, TLS_1_2, &error);
	struct tls *server = tls_server_asking_new(&of_b->files, 1, TLS_1_2, &error);

	world->now_ms = (uint64_t)time(NULL) * 1000;
	talkers_init(world, a, b, 0);
	conn_start_tls(a->conn, client, DOMAIN, NULL);
	conn_start_tls(b->conn, server, NULL, NULL);
	world_settle(world);
	assert_int_equal(a->secured + b->secured, 2);
	tls_unref(&client);
	tls_unref(&server);
}

/* What both sides say of the same certificate, as it must be the same. */
static enum certificate_fault judged(const struct made *made, const struct trust *by, const char *domain)
{
	struct world *world = world_new(1, true);
	struct certificate files;
	enum certificate_fault of_server, of_client;
	struct talker a, b;

	write_files(made, "shown", &files);
	shake(world, &a, &b, &files, &files);
	of_server = conn_certificate_check(a.conn, by, domain);
	of_client = conn_certificate_check(b.conn, by, domain);
	talkers_part(world, &a, &b);
	world_free(world);
	certificate_remove(&files);
	assert_int_equal(of_server, of_client);
	return of_server;
}

static void each_certificate_is_judged(void **state)
{
	static const struct {
		struct recipe recipe;
		enum certificate_fault expected;
	} rows[] = {
		{ { "DNS:south.example", NULL, 0, 9, false }, CERTIFICATE_FINE },
		{ { "DNS:other.example,DNS:SOUTH.example", NULL, 0, 9, false }, CERTIFICATE_FINE },
		{ { SRV "_xmpp-server.south.example", NULL, 0, 9, false }, CERTIFICATE_FINE },
		{ { XMPP "south.example", NULL, 0, 9, false }, CERTIFICATE_FINE },
		{ { "DNS:south.example", "serverAuth", 0, 9, false }, CERTIFICATE_FINE },
		{ { "DNS:south.example", "clientAuth", 0, 9, false }, CERTIFICATE_FINE },
		{ { "DNS:south.example", "codeSigning", 0, 9, false }, CERTIFICATE_OTHER_PURPOSE },
		{ { NULL, NULL, 0, 9, false }, CERTIFICATE_OTHER_NAME },
		{ { "DNS:north.example", NULL, 0, 9, false }, CERTIFICATE_OTHER_NAME },
		{ { "DNS:*.example", NULL, 0, 9, false }, CERTIFICATE_OTHER_NAME },
		{ { "DNS:*.south.example", NULL, 0, 9, false }, CERTIFICATE_OTHER_NAME },
		{ { "DNS:sout*.example", NULL, 0, 9, false }, CERTIFICATE_OTHER_NAME },
		{ { "DNS:*", NULL, 0, 9, false }, CERTIFICATE_OTHER_NAME },
		{ { SRV "_xmpp-client.south.example", NULL, 0, 9, false }, CERTIFICATE_OTHER_NAME },
		{ { SRV "_xmpp-server.south.example.org", NULL, 0, 9, false }, CERTIFICATE_OTHER_NAME },
		{ { XMPP "ann@south.example", NULL, 0, 9, false }, CERTIFICATE_OTHER_NAME },
		{ { "email:south.example", NULL, 0, 9, false }, CERTIFICATE_OTHER_NAME },
		{ { "DNS:south.example", NULL, -9, -1, false }, CERTIFICATE_EXPIRED },
		{ { "DNS:south.example", NULL, 3, 9, false }, CERTIFICATE_NOT_YET_VALID },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct made made = make(&rows[i].recipe, &authority);
		enum certificate_fault fault = judged(&made, trust, DOMAIN);

		if (fault != rows[i].expected)
			fail_msg("row %zu (%s): %s", i, rows[i].recipe.names, certificate_fault_text(fault));
		made_clear(&made);
	}
}

static const struct recipe good = { "DNS:south.example", NULL, 0, 9, false };

static void a_wildcard_is_one_label(void **state)
{
	static const struct recipe recipe = { "DNS:*.south.example", NULL, 0, 9, false };
	struct made made = make(&recipe, &authority);

	(void)state;
	assert_int_equal(judged(&made, trust, "branch.south.example"), CERTIFICATE_FINE);
	assert_int_equal(judged(&made, trust, "a.branch.south.example"), CERTIFICATE_OTHER_NAME);
	made_clear(&made);
}

static void only_those_whom_we_trust(void **state)
{
	struct made self = make(&good, NULL), strange = make(&good, &stranger);

	(void)state;
	assert_int_equal(judged(&self, trust, DOMAIN), CERTIFICATE_UNKNOWN_AUTHORITY);
	/* The authority's name alone does not do. */
	assert_in_range(judged(&strange, trust, DOMAIN), CERTIFICATE_UNKNOWN_AUTHORITY, CERTIFICATE_BROKEN);
	assert_int_not_equal(judged(&strange, trust, DOMAIN), CERTIFICATE_FINE);
	made_clear(&self);
	made_clear(&strange);
}

/* A file of the administrator's may name a server's own certificate. */
static void a_certificate_of_its_own_may_be_trusted(void **state)
{
	struct made self = make(&good, NULL);
	struct certificate files;
	struct trust *own;
	char *error;

	(void)state;
	write_files(&self, "self", &files);
	own = trust_new(files.certificate, &error);
	assert_int_equal(judged(&self, own, DOMAIN), CERTIFICATE_FINE);
	assert_int_equal(judged(&self, own, "north.example"), CERTIFICATE_OTHER_NAME);
	trust_unref(&own);
	certificate_remove(&files);
	made_clear(&self);
}

static void one_that_shows_none(void **state)
{
	struct world *world = world_new(1, true);
	struct made made = make(&good, &authority);
	struct certificate files;
	struct certificate_about about;
	struct talker a, b;

	(void)state;
	write_files(&made, "shown", &files);
	shake(world, &a, &b, NULL, &files);
	assert_int_equal(conn_certificate_check(b.conn, trust, DOMAIN), CERTIFICATE_NONE);
	assert_false(conn_certificate_about(b.conn, &about));
	assert_int_equal(conn_certificate_check(a.conn, trust, DOMAIN), CERTIFICATE_FINE);
	talkers_part(world, &a, &b);
	world_free(world);
	certificate_remove(&files);
	made_clear(&made);
}

/* openssl pkey -pubout -outform der | openssl dgst -sha256 -binary | base64 */
static void the_pin_is_that_of_the_key(void **state)
{
	struct world *world = world_new(1, true);
	struct made made = make(&good, &authority);
	struct certificate files;
	struct certificate_about about;
	char *command, expected[64] = "";
	struct talker a, b;
	FILE *pipe;

	(void)state;
	write_files(&made, "shown", &files);
	shake(world, &a, &b, NULL, &files);
	assert_true(conn_certificate_about(a.conn, &about));
	command = str_printf("openssl pkey -in %s -pubout -outform der | openssl dgst -sha256 -binary | base64", files.key);
	pipe = popen(command, "r");
	assert_non_null(fgets(expected, sizeof(expected), pipe));
	pclose(pipe);
	expected[strcspn(expected, "\n")] = '\0';
	assert_string_equal(about.pin, expected);
	assert_in_range(about.until_s, (uint64_t)time(NULL) + 8 * 86400, (uint64_t)time(NULL) + 10 * 86400);
	talkers_part(world, &a, &b);
	world_free(world);
	certificate_remove(&files);
	made_clear(&made);
	free(command);
}

static void a_file_without_certificates_is_named(void **state)
{
	char *error;

	(void)state;
	assert_null(trust_new(authority_files.key, &error));
	assert_non_null(strstr(error, "authority.key"));
	free(error);
	assert_null(trust_new("/nowhere/ca.pem", &error));
	assert_non_null(strstr(error, "/nowhere/ca.pem"));
	free(error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_certificate_is_judged),
		cmocka_unit_test(a_wildcard_is_one_label),
		cmocka_unit_test(only_those_whom_we_trust),
		cmocka_unit_test(a_certificate_of_its_own_may_be_trusted),
		cmocka_unit_test(one_that_shows_none),
		cmocka_unit_test(the_pin_is_that_of_the_key),
		cmocka_unit_test(a_file_without_certificates_is_named),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
