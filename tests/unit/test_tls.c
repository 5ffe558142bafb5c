/* SPDX-License-Identifier: MIT
 *
 * TLS contexts and conns under TLS: what is agreed and what is refused, certificates by name, ALPN, channel bindings that
 * both sides compute alike, deadlines, moves and pauses in the middle of decryption, what is acknowledged; a stock client
 * made of OpenSSL itself for what our own side never does.
 */
#include "net/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/digest.h"
#include "net/listener.h"
#include "certificate.h"
#include "talker.h"

static char folder[] = "/tmp/test_tls.XXXXXX";
static struct certificate north, south, strong, edwards;

static int setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	certificate_make(&north, folder, "north.example", "SHA256");
	certificate_make(&south, folder, "b\xc3\xbc" "cher.example", "SHA1");
	certificate_make(&strong, folder, "strong.example", "SHA384");
	certificate_make(&edwards, folder, "edwards.example", NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	certificate_remove(&north);
	certificate_remove(&south);
	certificate_remove(&strong);
	certificate_remove(&edwards);
	return rmdir(folder);
}

static struct tls *server_tls(void)
{
	struct tls_certificate certificates[] = { north.files, south.files, strong.files, edwards.files };
	char *error;
	struct tls *tls = tls_server_new(certificates, 4, TLS_1_2, &error);

	assert_non_null(tls);
	return tls;
}

static struct tls *client_tls(void)
{
	char *error;
	struct tls *tls = tls_client_new(NULL, TLS_1_2, &error);

	assert_non_null(tls);
	return tls;
}

/* b is the server. Each conn holds its context by itself. */
static void talkers_secure(struct talker *a, struct talker *b, const char *name, const char *offers, const char *requires)
{
	struct tls *client = client_tls(), *server = server_tls();

	conn_start_tls(a->conn, client, name, offers);
	conn_start_tls(b->conn, server, NULL, requires);
	tls_unref(&client);
	tls_unref(&server);
}

/* ---- what is agreed ---- */

static void both_sides_agree(void **state)
{
	struct world *world = world_new(2, true);
	uint8_t ours[64], theirs[64];
	struct conn_tls agreed;
	struct talker a, b;

	(void)state;
	talkers_init(world, &a, &b, 0);
	talkers_secure(&a, &b, "north.example", "xmpp-client", "xmpp-client");
	talker_say(&a, "under cover");
	assert_int_equal(conn_binding_exporter(a.conn, ours), 0);
	world_settle(world);
	assert_int_equal(a.secured + b.secured, 2);
	assert_heard(&b, "under cover");
	conn_tls(b.conn, &agreed);
	assert_string_equal(agreed.version, "TLSv1.3");
	assert_string_equal(agreed.alpn, "xmpp-client");
	assert_false(agreed.has_peer_certificate);
	conn_tls(a.conn, &agreed);
	assert_string_equal(agreed.alpn, "xmpp-client");
	assert_true(agreed.has_peer_certificate);
	assert_int_equal(conn_binding_exporter(a.conn, ours), 32);
	assert_int_equal(conn_binding_exporter(b.conn, theirs), 32);
	assert_memory_equal(ours, theirs, 32);
	talkers_part(world, &a, &b);
	world_free(world);
}

/* The bytes of a PEM file, hashed as RFC 5929 §4.1 says. */
static void certificate_hash(const struct certificate *certificate, enum digest_kind kind, uint8_t out[64])
{
	FILE *file = fopen(certificate->certificate, "r");
	X509 *x509 = PEM_read_X509(file, NULL, NULL, NULL);
	unsigned char *der = NULL;
	int len = i2d_X509(x509, &der);

	digest_bytes(kind, der, (size_t)len, out);
	OPENSSL_free(der);
	X509_free(x509);
	fclose(file);
}

static void the_name_chooses_the_certificate(void **state)
{
	static const struct {
		const char *name;
		struct certificate *shown;
		enum digest_kind hash;
	} rows[] = {
		{ "north.example", &north, DIGEST_SHA256 },
		{ "NORTH.example", &north, DIGEST_SHA256 },
		{ "nobody.example", &north, DIGEST_SHA256 },
		{ "xn--bcher-kva.example", &south, DIGEST_SHA256 },
	};
	uint8_t ours[64], theirs[64], expected[64];
	struct world *world = world_new(1, true);
	struct talker a, b;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		talkers_init(world, &a, &b, 0);
		talkers_secure(&a, &b, rows[i].name, NULL, NULL);
		world_settle(world);
		certificate_hash(rows[i].shown, rows[i].hash, expected);
		assert_int_equal(conn_binding_end_point(a.conn, ours), 32);
		assert_int_equal(conn_binding_end_point(b.conn, theirs), 32);
		assert_memory_equal(ours, expected, 32);
		assert_memory_equal(theirs, expected, 32);
		talkers_part(world, &a, &b);
	}
	world_free(world);
}

static void the_end_point_follows_the_signature(void **state)
{
	struct world *world = world_new(1, true);
	uint8_t ours[64], theirs[64];
	struct talker a, b;

	(void)state;
	talkers_init(world, &a, &b, 0);
	talkers_secure(&a, &b, "strong.example", NULL, NULL);
	world_settle(world);
	assert_int_equal(conn_binding_end_point(a.conn, ours), 48);
	assert_int_equal(conn_binding_end_point(b.conn, theirs), 48);
	assert_memory_equal(ours, theirs, 48);
	talkers_part(world, &a, &b);
	talkers_init(world, &a, &b, 0);
	talkers_secure(&a, &b, "edwards.example", NULL, NULL);
	world_settle(world);
	assert_int_equal(conn_binding_end_point(a.conn, ours), 0);
	assert_int_equal(conn_binding_end_point(b.conn, theirs), 0);
	talkers_part(world, &a, &b);
	world_free(world);
}

static void alpn_must_fit_where_it_is_offered(void **state)
{
	static const struct {
		const char *offers, *requires, *agreed; /* agreed NULL: refused */
	} rows[] = {
		{ "xmpp-server", "xmpp-server", "xmpp-server" },
		{ NULL, "xmpp-client", "" },
		{ "xmpp-client", NULL, "" },
		{ "xmpp-server", "xmpp-client", NULL },
		{ "http/1.1", "xmpp-client", NULL },
	};
	struct world *world = world_new(1, true);
	struct conn_tls agreed;
	struct talker a, b;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		talkers_init(world, &a, &b, 0);
		talkers_secure(&a, &b, "north.example", rows[i].offers, rows[i].requires);
		world_settle(world);
		if (rows[i].agreed) {
			conn_tls(a.conn, &agreed);
			assert_string_equal(agreed.alpn, rows[i].agreed);
			conn_tls(b.conn, &agreed);
			assert_string_equal(agreed.alpn, rows[i].agreed);
		} else {
			assert_true(a.closed && b.closed);
			assert_string_equal(a.reason, "tlsv1 alert no application protocol");
			assert_string_equal(b.reason, "no application protocol");
		}
		talkers_part(world, &a, &b);
	}
	world_free(world);
}

/* ---- the way to TLS and its end ---- */

static void what_was_said_in_clear_goes_first(void **state)
{
	struct world *world = world_new(1, true);
	struct tls *client = client_tls(), *server = server_tls();
	struct talker a, b;

	(void)state;
	talkers_init(world, &a, &b, 0);
	talker_say(&b, "<proceed/>");
	conn_start_tls(b.conn, server, NULL, NULL);
	assert_int_equal(conn_position(b.conn), 10);
	talker_say(&b, "secret");
	world_settle(world);
	assert_heard(&a, "<proceed/>");
	assert_int_equal(conn_acked(b.conn), 10);
	conn_start_tls(a.conn, client, "north.example", NULL);
	world_settle(world);
	assert_heard(&a, "secret");
	assert_int_equal(conn_position(b.conn), 16);
	assert_int_equal(conn_acked(b.conn), 16);
	tls_unref(&client);
	tls_unref(&server);
	talkers_part(world, &a, &b);
	world_free(world);
}

static void close_says_goodbye_under_tls(void **state)
{
	struct world *world = world_new(2, true);
	struct talker a, b;

	(void)state;
	talkers_init(world, &a, &b, 0);
	talkers_secure(&a, &b, "north.example", NULL, NULL);
	world_settle(world);
	talker_say(&b, "</stream:stream>");
	conn_close(b.conn, "done");
	talker_say(&b, "too late");
	world_settle(world);
	assert_heard(&a, "</stream:stream>");
	assert_true(a.closed && b.closed);
	assert_null(a.reason);
	assert_string_equal(b.reason, "done");
	assert_int_equal(b.position, 24);
	assert_int_equal(b.acked, 16);
	talkers_part(world, &a, &b);
	world_free(world);
}

static void the_handshake_has_10_s(void **state)
{
	struct world *world = world_new(1, true);
	struct tls *server = server_tls();
	struct talker a, b;

	(void)state;
	talkers_init(world, &a, &b, 0);
	conn_start_tls(b.conn, server, NULL, NULL);
	talker_say(&a, "\x16\x03\x01");
	world_pass(world, 9900);
	assert_false(b.closed);
	world_pass(world, 200);
	assert_true(b.closed);
	assert_string_equal(b.reason, "TLS handshake timed out");
	tls_unref(&server);
	talkers_part(world, &a, &b);
	world_free(world);
}

static void garbage_ends_the_handshake(void **state)
{
	static const char *const rows[] = {
		"GET / HTTP/1.1\r\n\r\n",
		"<?xml version='1.0'?><stream:stream>",
		"\x16\x03\x01\x00\x05\x01\x00\x00\x01\xff",
	};
	struct world *world = world_new(1, true);
	struct tls *server = server_tls();
	struct talker a, b;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		talkers_init(world, &a, &b, 0);
		conn_start_tls(b.conn, server, NULL, NULL);
		buf_add(conn_out(a.conn), rows[i], i == 2 ? 10 : strlen(rows[i]));
		world_settle(world);
		assert_true(b.closed);
		assert_non_null(b.reason);
		assert_int_equal(b.secured, 0);
		talkers_part(world, &a, &b);
	}
	tls_unref(&server);
	world_free(world);
}

/* What a stock client says first; answers its length. */
static size_t hello_make(uint8_t *out, size_t size)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(context);
	BIO *out_bio = BIO_new(BIO_s_mem());
	int len;

	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out_bio);
	SSL_set_connect_state(ssl);
	SSL_do_handshake(ssl);
	len = BIO_read(out_bio, out, (int)size);
	assert_true(len > 100);
	SSL_free(ssl);
	SSL_CTX_free(context);
	return (size_t)len;
}

/* The same message in records of one byte each. */
static size_t hello_split(const uint8_t *hello, size_t len, uint8_t *out)
{
	uint8_t *to = out;

	for (size_t i = 5; i < len; i++, to += 6) {
		memcpy(to, "\x16\x03\x01\x00\x01", 5);
		to[5] = hello[i];
	}
	return (size_t)(to - out);
}

/* Nothing is answered before the last byte, however the hello is cut. */
static void a_hello_comes_in_pieces(void **state)
{
	struct world *world = world_new(1, true);
	struct tls *server = server_tls();
	uint8_t hello[4096], split[6 * 4096];
	size_t hello_len = hello_make(hello, sizeof(hello)), split_len = hello_split(hello, hello_len, split);
	const struct {
		const uint8_t *bytes;
		size_t len, piece;
	} rows[] = {
		{ hello, hello_len, 1 },   { hello, hello_len, 100 }, { hello, hello_len, hello_len - 1 },
		{ hello, hello_len, 4096 }, { split, split_len, 1000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct talker a, b;
		size_t piece;

		talkers_init(world, &a, &b, 0);
		conn_start_tls(b.conn, server, NULL, NULL);
		for (size_t at = 0; at < rows[i].len; at += piece) {
			assert_int_equal(a.got.len, 0);
			piece = rows[i].len - at < rows[i].piece ? rows[i].len - at : rows[i].piece;
			buf_add(conn_out(a.conn), (const char *)rows[i].bytes + at, piece);
			world_settle(world);
		}
		assert_true(a.got.len > 100);
		assert_int_equal(a.got.data[0], 22);
		assert_false(b.closed);
		talkers_part(world, &a, &b);
	}
	tls_unref(&server);
	world_free(world);
}

static void a_hello_has_16_kB(void **state)
{
	static const char head[] = "\x16\x03\x01\x3f\x00\x01\x00\xff\xff";
	struct world *world = world_new(1, true);
	struct tls *server = server_tls();
	struct talker a, b;
	char more[16384] = { 0 };

	(void)state;
	talkers_init(world, &a, &b, 0);
	conn_start_tls(b.conn, server, NULL, NULL);
	buf_add(conn_out(a.conn), head, sizeof(head) - 1);
	buf_add(conn_out(a.conn), more, 0x3f00 - 4);
	world_settle(world);
	assert_false(b.closed);
	buf_add(conn_out(a.conn), "\x16\x03\x01\x3f\x00", 5);
	buf_add(conn_out(a.conn), more, 1000);
	world_settle(world);
	assert_true(b.closed);
	assert_string_equal(b.reason, "TLS hello is too large");
	talkers_part(world, &a, &b);
	tls_unref(&server);
	world_free(world);
}

static void closing_during_the_handshake(void **state)
{
	struct world *world = world_new(1, true);
	struct talker a, b;

	(void)state;
	talkers_init(world, &a, &b, 0);
	talkers_secure(&a, &b, "north.example", NULL, NULL);
	talker_say(&b, "never sent");
	conn_close(b.conn, "changed my mind");
	world_settle(world);
	assert_true(a.closed && b.closed);
	assert_string_equal(b.reason, "changed my mind");
	assert_int_equal(b.acked, 0);
	assert_int_equal(a.got.len, 0);
	talkers_part(world, &a, &b);
	world_free(world);
}

static void a_crowd_is_let_in_by_and_by(void **state)
{
	enum { CROWD = 90 };
	struct world *world = world_new(2, true);
	struct talker *a = mem_zalloc(2 * CROWD * sizeof(*a)), *b = a + CROWD;
	unsigned before = 0, most = 0, turns = 0;

	(void)state;
	for (int i = 0; i < CROWD; i++) {
		talkers_init(world, &a[i], &b[i], 0);
		talkers_secure(&a[i], &b[i], "north.example", NULL, NULL);
	}
	while (workers_step(world->workers)) {
		unsigned secured = 0;

		for (int i = 0; i < CROWD; i++)
			secured += b[i].secured;
		turns += secured > before;
		most = secured - before > most ? secured - before : most;
		before = secured;
	}
	assert_int_equal(before, CROWD);
	assert_in_range(most, 10, 20);
	assert_true(turns >= 5);
	for (int i = 0; i < CROWD; i++)
		talkers_part(world, &a[i], &b[i]);
	world_free(world);
	free(a);
}

/* ---- bytes ---- */

static void much_goes_both_ways_and_is_acknowledged_truly(void **state)
{
	enum { MUCH = 3 << 20 };
	struct world *world = world_new(2, true);
	struct talker a, b;
	char *block = mem_zalloc(MUCH);

	(void)state;
	talkers_init(world, &a, &b, 0);
	talkers_secure(&a, &b, "north.example", NULL, NULL);
	b.echo = true;
	for (size_t i = 0; i < MUCH; i++)
		block[i] = (char)(i * 7 + i / 251);
	for (size_t sent = 0, part; sent < MUCH; sent += part) {
		part = (sent * 13 % 50000) + 1 < MUCH - sent ? (sent * 13 % 50000) + 1 : MUCH - sent;
		buf_add(conn_out(a.conn), block + sent, part);
		workers_step(world->workers);
		assert_true(conn_acked(a.conn) <= b.got.len);
		assert_true(conn_acked(b.conn) <= a.got.len);
	}
	while (workers_step(world->workers)) {
		assert_true(conn_acked(a.conn) <= b.got.len);
		assert_true(conn_acked(b.conn) <= a.got.len);
	}
	assert_int_equal(b.got.len, MUCH);
	assert_int_equal(a.got.len, MUCH);
	assert_memory_equal(a.got.data, block, MUCH);
	assert_int_equal(conn_acked(a.conn), MUCH);
	assert_int_equal(conn_acked(b.conn), MUCH);
	free(block);
	talkers_part(world, &a, &b);
	world_free(world);
}

/* Many records arrive in one read; each pause lets one buffer through and keeps the rest. */
static void a_pause_keeps_what_is_not_decrypted(void **state)
{
	enum { MUCH = 1 << 20 };
	struct world *world = world_new(1, true);
	struct talker a, b;
	char *block = mem_zalloc(MUCH);

	(void)state;
	talkers_init(world, &a, &b, 0);
	talkers_secure(&a, &b, "north.example", NULL, NULL);
	world_settle(world);
	b.pause_at_received = true;
	for (size_t i = 0; i < MUCH; i++)
		block[i] = (char)(i * 11 + i / 253);
	buf_add(conn_out(a.conn), block, MUCH);
	for (int i = 0; i < 200 && b.got.len < MUCH; i++) {
		unsigned calls = b.calls;

		world_settle(world);
		assert_true(b.calls <= calls + 1);
		conn_resume(b.conn);
		assert_true(b.calls <= calls + 1);
	}
	assert_int_equal(b.got.len, MUCH);
	assert_memory_equal(b.got.data, block, MUCH);
	free(block);
	talkers_part(world, &a, &b);
	world_free(world);
}

static void moves_with_bytes_behind_the_handshake(void **state)
{
	struct world *world = world_new(3, true);
	struct talker a, b;

	(void)state;
	talkers_init(world, &a, &b, 0);
	talkers_secure(&a, &b, "north.example", NULL, NULL);
	/* The client's first bytes come in one read with the end of its handshake. */
	talker_say(&a, "first words");
	b.move_at_secured = world_worker(world, 1);
	world_settle(world);
	assert_int_equal(b.arrived, 1);
	assert_heard(&b, "first words");
	assert_ptr_equal(b.on, world_worker(world, 1));
	talkers_part(world, &a, &b);
	world_free(world);
}

static void moves_in_the_middle_of_much(void **state)
{
	enum { MUCH = 1 << 20 };
	struct world *world = world_new(3, true);
	struct talker a, b;
	char *block = mem_zalloc(MUCH);

	(void)state;
	talkers_init(world, &a, &b, 0);
	talkers_secure(&a, &b, "north.example", NULL, NULL);
	world_settle(world);
	for (size_t i = 0; i < MUCH; i++)
		block[i] = (char)(i * 5 + i / 249);
	buf_add(conn_out(a.conn), block, MUCH);
	for (unsigned i = 0; i < 8; i++) {
		b.move_at_received = world_worker(world, i % 3);
		for (unsigned n = 0; n < 3; n++)
			workers_step(world->workers);
	}
	world_settle(world);
	assert_true(b.arrived > 3);
	assert_int_equal(b.got.len, MUCH);
	assert_memory_equal(b.got.data, block, MUCH);
	free(block);
	talkers_part(world, &a, &b);
	world_free(world);
}

/* ---- a storm ---- */

enum { STORM_BYTES = 1 << 20 };

/* All talkers say the same long text, each as far as it has come. */
static char storm_byte(size_t at)
{
	return (char)(at * 31 + at / 257);
}

static void storm_say(struct talker *talker, uint64_t *said, size_t len)
{
	for (; len > 0 && *said < STORM_BYTES; len--)
		buf_add_char(conn_out(talker->conn), storm_byte((*said)++));
}

/* What was heard is the beginning of what was said, and what counts as acknowledged has been heard. */
static void storm_check(const struct talker *speaker, const struct talker *listener, uint64_t said)
{
	assert_true(listener->got.len <= said);
	for (size_t i = listener->got.len > 64 ? listener->got.len - 64 : 0; i < listener->got.len; i++)
		assert_int_equal(listener->got.data[i], storm_byte(i));
	if (speaker->conn && !speaker->conn_moves)
		assert_true(conn_position(speaker->conn) == said);
	if (speaker->closed)
		assert_true(speaker->position == said && speaker->acked <= said);
}

static void storm_step(struct world *world, struct talker *talker, uint64_t *said)
{
	int what = rand() % 40;

	if (!talker->conn || talker->conn_moves)
		return;
	if (what < 15)
		storm_say(talker, said, (size_t)rand() % 3000);
	else if (what < 18)
		storm_say(talker, said, (size_t)rand() % 90000);
	else if (what < 22)
		conn_pause(talker->conn);
	else if (what < 27)
		conn_resume(talker->conn);
	else if (what < 30)
		talker->pause_at_received = !talker->pause_at_received;
	else if (what < 33)
		talker->move_at_received = world_worker(world, (size_t)rand() % 3);
	else if (what < 35)
		talker_depart(talker, world_worker(world, (size_t)rand() % 3));
	else if (what == 35)
		conn_set_rate(talker->conn, (uint32_t)rand() % 100000, 5000);
	else if (what == 36 && rand() % 40 == 0)
		conn_close(talker->conn, "closed in the storm");
	else if (what == 37 && rand() % 60 == 0)
		conn_abort(talker->conn, "aborted in the storm");
}

static void storm_calm(struct talker *talker)
{
	if (!talker->conn)
		return;
	talker->pause_at_received = false;
	conn_set_rate(talker->conn, 0, 0);
	conn_resume(talker->conn);
}

static void a_storm_of_everything(void **state)
{
	struct world *world = world_new(3, true);
	unsigned complete = 0;

	(void)state;
	srand(42);
	for (int round = 0; round < 60; round++) {
		uint64_t a_said = 0, b_said = 0;
		struct talker a, b;

		talkers_init(world, &a, &b, 0);
		if (round % 3)
			talkers_secure(&a, &b, "north.example", NULL, NULL);
		for (int i = 0; i < 200; i++) {
			storm_step(world, &a, &a_said);
			storm_step(world, &b, &b_said);
			workers_step(world->workers);
			world->now_ms += (uint64_t)rand() % 30;
			storm_check(&a, &b, a_said);
			storm_check(&b, &a, b_said);
		}
		world_settle(world);
		storm_calm(&a);
		storm_calm(&b);
		world_pass(world, 20000);
		storm_check(&a, &b, a_said);
		storm_check(&b, &a, b_said);
		assert_true(!a.closed == !b.closed);
		if (a.conn) {
			assert_int_equal(b.got.len, a_said);
			assert_int_equal(a.got.len, b_said);
			assert_int_equal(conn_acked(a.conn), a_said);
			assert_int_equal(conn_acked(b.conn), b_said);
			complete++;
		}
		talkers_part(world, &a, &b);
	}
	assert_in_range(complete, 10, 55);
	world_free(world);
}

/* ---- threads ---- */

enum { CALLERS = 60, PER_CALLER = 100000 };

struct caller {
	struct mail mail;
	struct talker talker;
	struct tls *tls;
	struct address server;
};

struct callee {
	struct world *world;
	struct tls *tls;
	struct talker talkers[CALLERS];
	atomic_uint count;
};

/* Each connection moves to the other worker in the middle of its first bytes. */
static void callee_accepted(struct worker *worker, struct transport *transport, void *owner)
{
	struct callee *callee = owner;
	struct talker *talker = &callee->talkers[atomic_fetch_add(&callee->count, 1)];
	struct worker *other = world_worker(callee->world, 1 - worker_number(worker));

	talker_begin(talker, worker, transport, 0);
	talker->echo = true;
	talker->move_at_secured = other;
	talker->move_at_received = worker;
	conn_start_tls(talker->conn, callee->tls, NULL, "xmpp-client");
}

static void caller_begin(struct worker *worker, struct mail *mail)
{
	struct caller *caller = LIST_MEMBER(mail, struct caller, mail);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char block[1000];

	assert_int_equal(connect(fd, &caller->server.any, (socklen_t)address_size(&caller->server)), 0);
	talker_begin(&caller->talker, worker, transport_socket(worker, fd), 0);
	conn_start_tls(caller->talker.conn, caller->tls, "north.example", "xmpp-client");
	for (int i = 0; i < PER_CALLER / 1000; i++) {
		memset(block, 'a' + i % 26, sizeof(block));
		buf_add(conn_out(caller->talker.conn), block, sizeof(block));
	}
}

static void caller_end(struct worker *worker, struct mail *mail)
{
	(void)worker;
	conn_close(LIST_MEMBER(mail, struct caller, mail)->talker.conn, "enough");
}

static void callers_post(struct world *world, struct caller *callers,
                         void (*arrive)(struct worker *worker, struct mail *mail))
{
	for (size_t i = 0; i < CALLERS; i++) {
		callers[i].mail.arrive = arrive;
		worker_post(NULL, world_worker(world, i % 2), &callers[i].mail);
	}
}

static void moves_between_threads_under_tls(void **state)
{
	struct world *world = world_new(2, false);
	struct callee *callee = mem_zalloc(sizeof(*callee));
	struct caller *callers = mem_zalloc(CALLERS * sizeof(*callers));
	struct tls *client = client_tls();
	struct listener *listener;
	struct address address;
	const char *error;

	(void)state;
	callee->world = world;
	callee->tls = server_tls();
	assert_true(address_read("127.0.0.1", 0, &address));
	listener = listener_open(world->workers, &address, callee_accepted, callee, &error);
	assert_non_null(listener);
	listener_address(listener, &address);
	for (size_t i = 0; i < CALLERS; i++) {
		callers[i].tls = client;
		callers[i].server = address;
	}
	callers_post(world, callers, caller_begin);
	for (size_t i = 0; i < CALLERS; i++)
		WORLD_WAIT(world, false, atomic_load(&callers[i].talker.got_len) == PER_CALLER);
	callers_post(world, callers, caller_end);
	for (size_t i = 0; i < CALLERS; i++)
		WORLD_WAIT(world, false, atomic_load(&callers[i].talker.closed) && atomic_load(&callee->talkers[i].closed));
	workers_stop(world->workers);
	for (size_t i = 0; i < CALLERS; i++) {
		for (size_t n = 0; n < PER_CALLER; n++)
			assert_int_equal(callers[i].talker.got.data[n], 'a' + n / 1000 % 26);
		assert_int_equal(callee->talkers[i].arrived, 2);
		assert_int_equal(callers[i].talker.acked, PER_CALLER);
		talker_clear(&callers[i].talker);
		talker_clear(&callee->talkers[i]);
	}
	listener_close(&listener);
	tls_unref(&client);
	tls_unref(&callee->tls);
	free(callers);
	free(callee);
	world_free(world);
}

/* ---- a stock client ---- */

struct stock {
	SSL_CTX *context;
	SSL *ssl;
	int fd;
	SSL_SESSION *session;
};

static int stock_take_session(SSL *ssl, SSL_SESSION *session)
{
	struct stock *stock = SSL_get_app_data(ssl);

	SSL_SESSION_free(stock->session);
	stock->session = session;
	return 1;
}

/* Begins a connection to a talker over a socket pair. */
static void stock_init(struct stock *stock, struct world *world, struct talker *talker, struct tls *server)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	talker_init(talker, world_worker(world, 0), transport_socket(world_worker(world, 0), fds[1]), 0);
	conn_start_tls(talker->conn, server, NULL, "xmpp-client");
	if (!stock->context)
		stock->context = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_security_level(stock->context, 0);
	SSL_CTX_set_session_cache_mode(stock->context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(stock->context, stock_take_session);
	stock->fd = fds[0];
	stock->ssl = SSL_new(stock->context);
	SSL_set_app_data(stock->ssl, stock);
	SSL_set_fd(stock->ssl, stock->fd);
	SSL_set_connect_state(stock->ssl);
}

/* Repeats an operation of OpenSSL with turns of the server between, until it ends for good. */
#define STOCK(world, stock, operation)                                         \
	({                                                                     \
		int stock_result, stock_tries = 0;                             \
		do {                                                           \
			ERR_clear_error();                                     \
			workers_step((world)->workers);                        \
			stock_result = (operation);                            \
		} while (stock_result <= 0 && ++stock_tries < 1000 &&          \
			 SSL_get_error((stock)->ssl, stock_result) == SSL_ERROR_WANT_READ); \
		stock_result;                                                  \
	})

static void stock_hang_up(struct stock *stock, struct world *world, struct talker *talker)
{
	SSL_free(stock->ssl);
	close(stock->fd);
	WORLD_WAIT(world, true, talker->closed);
	talker_clear(talker);
}

static void stock_clear(struct stock *stock)
{
	SSL_SESSION_free(stock->session);
	SSL_CTX_free(stock->context);
}

static void a_stock_client_hears_close_notify(void **state)
{
	struct world *world = world_new(1, true);
	struct tls *server = server_tls();
	struct stock stock = { 0 };
	struct talker talker;
	char bytes[64];
	int len;

	(void)state;
	stock_init(&stock, world, &talker, server);
	assert_int_equal(STOCK(world, &stock, SSL_do_handshake(stock.ssl)), 1);
	assert_int_equal(STOCK(world, &stock, SSL_write(stock.ssl, "hello", 5)), 5);
	WORLD_WAIT(world, true, talker.got.len == 5);
	talker_say(&talker, "goodbye");
	conn_close(talker.conn, "closing");
	assert_int_equal(STOCK(world, &stock, SSL_read(stock.ssl, bytes, sizeof(bytes))), 7);
	len = STOCK(world, &stock, SSL_read(stock.ssl, bytes, sizeof(bytes)));
	assert_int_equal(SSL_get_error(stock.ssl, len), SSL_ERROR_ZERO_RETURN);
	stock_hang_up(&stock, world, &talker);
	assert_string_equal(talker.reason, "closing");
	stock_clear(&stock);
	tls_unref(&server);
	world_free(world);
}

static void a_stock_client_resumes_by_ticket(void **state)
{
	static const int versions[] = { TLS1_3_VERSION, TLS1_2_VERSION };
	struct world *world = world_new(1, true);
	struct tls *server = server_tls();

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct stock stock = { .context = SSL_CTX_new(TLS_client_method()) };
		struct talker talker;
		uint8_t binding[64];
		char byte;

		SSL_CTX_set_max_proto_version(stock.context, versions[i]);
		for (int visit = 0; visit < 3; visit++) {
			stock_init(&stock, world, &talker, server);
			if (stock.session)
				SSL_set_session(stock.ssl, stock.session);
			assert_int_equal(STOCK(world, &stock, SSL_do_handshake(stock.ssl)), 1);
			WORLD_WAIT(world, true, talker.secured == 1);
			assert_int_equal(SSL_session_reused(stock.ssl), visit > 0);
			assert_int_equal(conn_binding_exporter(talker.conn, binding), i == 0 ? 32 : 0);
			assert_int_equal(conn_binding_end_point(talker.conn, binding), 32);
			talker_say(&talker, "x");
			assert_int_equal(STOCK(world, &stock, SSL_read(stock.ssl, &byte, 1)), 1);
			assert_non_null(stock.session);
			SSL_shutdown(stock.ssl);
			stock_hang_up(&stock, world, &talker);
			assert_null(talker.reason);
		}
		stock_clear(&stock);
	}
	tls_unref(&server);
	world_free(world);
}

/* Old versions and ciphers without forward secrecy or AEAD. */
static void a_stock_client_with_weak_offers_is_refused(void **state)
{
	static const struct {
		int most;
		const char *ciphers;
	} rows[] = {
		{ TLS1_1_VERSION, "ALL" },
		{ TLS1_2_VERSION, "AES128-GCM-SHA256" },
		{ TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA" },
		{ TLS1_2_VERSION, "aNULL:eNULL" },
	};
	struct world *world = world_new(1, true);
	struct tls *server = server_tls();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stock stock = { .context = SSL_CTX_new(TLS_client_method()) };
		struct talker talker;

		SSL_CTX_set_min_proto_version(stock.context, TLS1_VERSION);
		SSL_CTX_set_max_proto_version(stock.context, rows[i].most);
		assert_int_equal(SSL_CTX_set_cipher_list(stock.context, rows[i].ciphers), 1);
		stock_init(&stock, world, &talker, server);
		assert_true(STOCK(world, &stock, SSL_do_handshake(stock.ssl)) <= 0);
		stock_hang_up(&stock, world, &talker);
		assert_int_equal(talker.secured, 0);
		assert_non_null(talker.reason);
		stock_clear(&stock);
	}
	tls_unref(&server);
	world_free(world);
}

static void a_stock_client_cannot_renegotiate(void **state)
{
	struct world *world = world_new(1, true);
	struct tls *server = server_tls();
	struct stock stock = { .context = SSL_CTX_new(TLS_client_method()) };
	struct talker talker;
	char byte;
	int result;

	(void)state;
	SSL_CTX_set_max_proto_version(stock.context, TLS1_2_VERSION);
	stock_init(&stock, world, &talker, server);
	assert_int_equal(STOCK(world, &stock, SSL_do_handshake(stock.ssl)), 1);
	SSL_renegotiate(stock.ssl);
	result = STOCK(world, &stock, SSL_do_handshake(stock.ssl));
	if (result == 1)
		result = STOCK(world, &stock, SSL_read(stock.ssl, &byte, 1));
	assert_true(result <= 0);
	assert_int_equal(talker.secured, 1);
	stock_hang_up(&stock, world, &talker);
	stock_clear(&stock);
	tls_unref(&server);
	world_free(world);
}

/* ---- files ---- */

static void file_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	fputs(text, file);
	fclose(file);
}

static void assert_refused(const struct tls_certificate *certificate, const char *start)
{
	char *error = NULL;

	assert_null(tls_server_new(certificate, 1, TLS_1_2, &error));
	assert_non_null(error);
	if (strncmp(error, start, strlen(start)) != 0)
		fail_msg("\"%s\" does not begin with \"%s\"", error, start);
	free(error);
}

static void wrong_files_are_named(void **state)
{
	struct tls_certificate wrong = north.files;
	char garbage[128], start[512];
	char *error = NULL;

	(void)state;
	snprintf(garbage, sizeof(garbage), "%s/garbage", folder);
	file_write(garbage, "no PEM at all\n");
	wrong.certificate = "/nonexistent/x.crt";
	assert_refused(&wrong, "cannot read /nonexistent/x.crt: No such file or directory");
	wrong = north.files;
	wrong.key = "/nonexistent/x.key";
	assert_refused(&wrong, "cannot read /nonexistent/x.key: No such file or directory");
	wrong = north.files;
	wrong.certificate = garbage;
	snprintf(start, sizeof(start), "%s holds no PEM certificate that can be used", garbage);
	assert_refused(&wrong, start);
	wrong = north.files;
	wrong.key = garbage;
	snprintf(start, sizeof(start), "%s holds no PEM key without pass phrase that can be used", garbage);
	assert_refused(&wrong, start);
	wrong = north.files;
	wrong.key = strong.key;
	snprintf(start, sizeof(start), "the key in %s does not belong to the certificate in %s", strong.key,
	         north.certificate);
	assert_refused(&wrong, start);
	wrong.key = edwards.key;
	snprintf(start, sizeof(start), "the key in %s does not belong to the certificate in %s", edwards.key,
	         north.certificate);
	assert_refused(&wrong, start);
	assert_null(tls_server_new(NULL, 0, TLS_1_2, &error));
	assert_string_equal(error, "no certificate is configured");
	free(error);
	unlink(garbage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sides_agree),
		cmocka_unit_test(the_name_chooses_the_certificate),
		cmocka_unit_test(the_end_point_follows_the_signature),
		cmocka_unit_test(alpn_must_fit_where_it_is_offered),
		cmocka_unit_test(what_was_said_in_clear_goes_first),
		cmocka_unit_test(close_says_goodbye_under_tls),
		cmocka_unit_test(the_handshake_has_10_s),
		cmocka_unit_test(garbage_ends_the_handshake),
		cmocka_unit_test(a_hello_comes_in_pieces),
		cmocka_unit_test(a_hello_has_16_kB),
		cmocka_unit_test(closing_during_the_handshake),
		cmocka_unit_test(a_crowd_is_let_in_by_and_by),
		cmocka_unit_test(much_goes_both_ways_and_is_acknowledged_truly),
		cmocka_unit_test(a_pause_keeps_what_is_not_decrypted),
		cmocka_unit_test(moves_with_bytes_behind_the_handshake),
		cmocka_unit_test(moves_in_the_middle_of_much),
		cmocka_unit_test(a_storm_of_everything),
		cmocka_unit_test(moves_between_threads_under_tls),
		cmocka_unit_test(a_stock_client_hears_close_notify),
		cmocka_unit_test(a_stock_client_resumes_by_ticket),
		cmocka_unit_test(a_stock_client_with_weak_offers_is_refused),
		cmocka_unit_test(a_stock_client_cannot_renegotiate),
		cmocka_unit_test(wrong_files_are_named),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
