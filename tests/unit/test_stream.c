/* SPDX-License-Identifier: MIT
 *
 * Streams over a pipe in memory, with stepped workers and a clock of the test's: headers, each stream error
 * that RFC 6120 §4.9.3 ties to what was sent, the closing handshake, restarts, pauses, moves, time, custody.
 */
#include "core/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "core/server.h"
#include "xmpp/ns.h"

#define HEADER                                                                                  \
	"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' " \
	"to='north.example' version='1.0'>"

struct test_clock {
	struct clock clock;
	uint64_t ms;
};

static uint64_t clock_ms(const struct clock *clock)
{
	return ((const struct test_clock *)clock)->ms;
}

static int64_t clock_us(const struct clock *clock)
{
	return (int64_t)((const struct test_clock *)clock)->ms * 1000;
}

static struct fixture {
	struct test_clock clock;
	struct workers *workers;
	struct home homes[2];
	struct config config;
	struct host host;
	struct stream *stream;
	struct conn *peer;
	struct buf got;   /* what the peer was sent */
	struct buf story; /* what the owner was told */
	bool peer_gone;
	/* What the owner does when it is told. */
	bool pauses, restarts, moves, no_answer;
	int version;
	struct home *arrived_at;
} * f;

/* "event" or "event(about)" */
static void tell(const char *event, const char *about)
{
	if (f->story.len)
		buf_add_char(&f->story, ' ');
	buf_add_str(&f->story, event);
	if (about)
		buf_printf(&f->story, "(%s)", about);
}

/* ---- the stream's owner ---- */

static void owner_opened(struct stream *stream, void *owner, const struct stream_header *header)
{
	(void)owner;
	f->version = header->major * 1000 + header->minor;
	tell("header", header->to ? header->to : "-");
	if (!f->no_answer)
		stream_open(stream, "north.example", NULL, "en", NULL);
}

static void owner_arrived(struct stream *stream, void *owner)
{
	(void)owner;
	f->arrived_at = stream_home(stream);
	tell("arrived", NULL);
}

static void owner_received(struct stream *stream, void *owner, struct stanza *stanza, enum stanza_check check)
{
	const struct stanza *done = stanza;

	(void)owner;
	if (check == STANZA_CHECK_OK)
		tell(stanza->id, NULL);
	else
		tell("bad", stanza->id);
	if (f->pauses)
		stream_pause(stream);
	if (f->restarts)
		stream_restart(stream);
	if (f->moves) {
		f->moves = false;
		stream_move(stream, &f->homes[1], owner_arrived);
	}
	stanza_unref(&done);
}

static void owner_late(struct stream *stream, void *owner)
{
	(void)stream, (void)owner;
	tell("late", NULL);
}

static void owner_silent(struct stream *stream, void *owner)
{
	(void)stream, (void)owner;
	tell("silent", NULL);
}

static void owner_returned(struct stream *stream, void *owner, struct parcel *parcel)
{
	(void)stream, (void)owner;
	tell("returned", parcel->stanza->id);
	parcel_free(&parcel);
}

static void owner_closed(struct stream *stream, void *owner, enum stream_condition condition,
                         const char *text)
{
	(void)stream, (void)owner, (void)text;
	tell("closed", condition ? stream_condition_name(condition) : "-");
	f->stream = NULL;
}

static const struct stream_class owner_class = {
	.name = "test",
	.content_ns = NS_CLIENT,
	.opened = owner_opened,
	.received = owner_received,
	.secured = owner_arrived,
	.late = owner_late,
	.silent = owner_silent,
	.returned = owner_returned,
	.closed = owner_closed,
};

/* ---- the peer ---- */

static void peer_received(struct conn *conn, void *owner, char *bytes, size_t len)
{
	(void)conn, (void)owner;
	buf_add(&f->got, bytes, len);
}

static void peer_closed(struct conn *conn, void *owner, const char *reason)
{
	(void)conn, (void)owner, (void)reason;
	f->peer_gone = true;
}

static const struct conn_class peer_class = { .received = peer_received, .closed = peer_closed };

static void step(void)
{
	while (workers_step(f->workers))
		;
}

static void pass(uint64_t ms)
{
	for (uint64_t end = f->clock.ms + ms; f->clock.ms < end;) {
		f->clock.ms += 20;
		step();
	}
}

static void peer_says(const char *text)
{
	buf_add_str(conn_out(f->peer), text);
	step();
}

static void assert_story(const char *expected)
{
	buf_add_char(&f->story, '\0');
	assert_string_equal(f->story.data, expected);
	f->story.len = 0;
}

static void assert_got(const char *expected)
{
	buf_add_char(&f->got, '\0');
	if (!strstr(f->got.data, expected))
		fail_msg("%s\nis not in\n%s", expected, f->got.data);
	f->got.len = 0;
}

/* ---- around each test ---- */

static int set_up(void **state)
{
	struct transport *ours, *theirs;

	(void)state;
	f = mem_zalloc(sizeof(*f));
	f->clock =
		(struct test_clock){ .clock = { .monotonic_ms = clock_ms, .wall_us = clock_us }, .ms = 1000 };
	f->workers = workers_new(&(struct workers_options){
		.count = 2, .stepped = true, .clock = &f->clock.clock, .entropy = &entropy_system });
	f->host.domain = "north.example";
	f->config.hosts = &f->host;
	f->config.host_count = 1;
	f->config.limits.parser = parser_limits_default;
	f->config.limits.unsent = 100000;
	for (size_t i = 0; i < 2; i++) {
		struct worker *worker = workers_at(f->workers, i);

		f->homes[i] = (struct home){ .worker = worker,
			                     .config = &f->config,
			                     .parsers = parser_set_new(worker_seed(worker)) };
		list_init(&f->homes[i].open_streams);
		worker_set_owner(worker, &f->homes[i]);
	}
	transport_pipe(f->homes[0].worker, &ours, f->homes[0].worker, &theirs);
	f->stream = stream_new(&f->homes[0], ours, &owner_class, f, true, 10000);
	f->peer = conn_new(f->homes[0].worker, theirs, &peer_class, f, 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (!f->peer_gone)
		conn_abort(f->peer, NULL);
	pass(20000);
	assert_null(f->stream);
	assert_int_equal(f->homes[0].streams + f->homes[1].streams, 0);
	for (size_t i = 0; i < 2; i++)
		parser_set_free(&f->homes[i].parsers);
	workers_free(&f->workers);
	buf_clear(&f->got);
	buf_clear(&f->story);
	free(f);
	return 0;
}

/* ---- headers ---- */

static void header_is_answered(void **state)
{
	(void)state;
	peer_says("<?xml version='1.0'?>" HEADER);
	assert_story("header(north.example)");
	assert_int_equal(f->version, 1000);
	assert_got(" from='north.example' version='1.0' xml:lang='en'>");
}

static void versions_are_numbers(void **state)
{
	static const struct {
		const char *text;
		int number;
	} versions[] = {
		{ "1.0", 1000 }, { "01.00", 1000 }, { "2.13", 2013 }, { "0.9", 9 },           { "1", 0 },
		{ "x", 0 },      { "1.x", 0 },      { "-1.0", 0 },    { "99999999999.0", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++) {
		char header[256];

		snprintf(header, sizeof(header),
		         "<stream:stream xmlns='jabber:client' xmlns:stream='%s' version='%s'>", NS_STREAM,
		         versions[i].text);
		stream_restart(f->stream);
		peer_says(header);
		assert_int_equal(f->version, versions[i].number);
	}
}

/* §4.7.5: a peer without a version is older and gets none. */
static void old_peer_gets_no_version(void **state)
{
	(void)state;
	peer_says("<stream:stream xmlns='jabber:client' xmlns:stream='" NS_STREAM "'>");
	assert_story("header(-)");
	assert_got(" from='north.example' xml:lang='en'>");
}

/* §4.8.2: the default namespace may be left to the stanzas. */
static void prefix_free(void **state)
{
	(void)state;
	peer_says("<stream xmlns='" NS_STREAM "' to='north.example' version='1.0'>"
	          "<message id='m1' xmlns='jabber:client'><body>x</body></message>");
	assert_story("header(north.example) m1");
}

static void language_is_remembered(void **state)
{
	(void)state;
	peer_says("<stream:stream xmlns='jabber:client' xmlns:stream='" NS_STREAM "' xml:lang='de-CH'>");
	assert_string_equal(stream_lang(f->stream), "de-CH");
	stream_restart(f->stream);
	peer_says("<stream:stream xmlns='jabber:client' xmlns:stream='" NS_STREAM "' xml:lang=\"d'e\">");
	assert_null(stream_lang(f->stream));
}

/* ---- what may not be sent, before and behind the header ---- */

static const struct violation {
	const char *sent;
	enum stream_condition condition;
} violations_of_header[] = {
	{ "<stream:stream xmlns='jabber:client' xmlns:stream='urn:wrong'>", STREAM_INVALID_NAMESPACE },
	{ "<stream:stream xmlns='jabber:server' xmlns:stream='" NS_STREAM "'>", STREAM_INVALID_NAMESPACE },
	{ "<stream:other xmlns='jabber:client' xmlns:stream='" NS_STREAM "'>", STREAM_BAD_FORMAT },
	{ "<message xmlns='jabber:client'>", STREAM_INVALID_NAMESPACE },
	{ "GET / HTTP/1.1\r\n\r\n", STREAM_NOT_WELL_FORMED },
	{ "<foobar:stream xmlns='jabber:client'>", STREAM_BAD_NAMESPACE_PREFIX },
	{ "<?xml version='1.0' encoding='ISO-8859-1'?>" HEADER, STREAM_UNSUPPORTED_ENCODING },
	{ "\xff\xfe<", STREAM_UNSUPPORTED_ENCODING },
	{ "<!DOCTYPE stream>" HEADER, STREAM_RESTRICTED_XML },
	{ "<!-- hello -->" HEADER, STREAM_RESTRICTED_XML },
	{ NULL, STREAM_NO_ERROR },
}, violations[] = {
	{ "<message><body>no end</message></body>", STREAM_NOT_WELL_FORMED },
	{ "<message><foo:body/></message>", STREAM_BAD_NAMESPACE_PREFIX },
	{ "<message>&unknown;</message>", STREAM_RESTRICTED_XML },
	{ "<message><!-- a comment --></message>", STREAM_RESTRICTED_XML },
	{ "<?php exit ?>", STREAM_RESTRICTED_XML },
	{ "<?xml version='1.0'?><message/>", STREAM_RESTRICTED_XML },
	{ "<message>\xff</message>", STREAM_UNSUPPORTED_ENCODING },
	{ "<message>\x01</message>", STREAM_NOT_WELL_FORMED },
	{ "words between stanzas", STREAM_NOT_WELL_FORMED },
	{ "<message xmlns='jabber:server'/>", STREAM_INVALID_NAMESPACE },
	{ NULL, STREAM_NO_ERROR },
};

static void assert_stream_error(enum stream_condition condition)
{
	char expected[128];

	snprintf(expected, sizeof(expected), "<stream:error><%s xmlns='" NS_STREAM_ERRORS "'/>",
	         stream_condition_name(condition));
	assert_got(expected);
	snprintf(expected, sizeof(expected), "closed(%s)", stream_condition_name(condition));
	assert_non_null(memmem(f->story.data, f->story.len, expected, strlen(expected)));
	f->story.len = 0;
}

static void again(void)
{
	void *none = NULL;

	tear_down(&none);
	set_up(&none);
}

static void header_violations(void **state)
{
	(void)state;
	for (const struct violation *v = violations_of_header; v->sent; v++) {
		peer_says(v->sent);
		pass(12000);
		if (f->stream)
			fail_msg("still open: %s", v->sent);
		assert_int_equal(memcmp(f->got.data, "<?xml version='1.0'?><stream:stream", 35), 0);
		assert_stream_error(v->condition);
		again();
	}
}

static void stanza_violations(void **state)
{
	(void)state;
	for (const struct violation *v = violations; v->sent; v++) {
		peer_says(HEADER);
		peer_says(v->sent);
		pass(12000);
		if (f->stream)
			fail_msg("still open: %s", v->sent);
		assert_stream_error(v->condition);
		again();
	}
}

/* ---- bytes and units ---- */

static void bytes_one_by_one(void **state)
{
	static const char talk[] = "\xef\xbb\xbf<?xml version='1.0'?>\n" HEADER
				   "\n <message id='m1'><body>&lt;</body></message> "
				   "<iq id='i1' type='get' to='a@b@c'/><presence id='p1'/></stream:stream>";
	char one[2] = "";

	(void)state;
	for (const char *at = talk; *at; at++) {
		one[0] = *at;
		peer_says(one);
	}
	pass(12000);
	assert_story("header(north.example) m1 bad(i1) p1 closed(-)");
}

static void a_stanza_has_a_limit(void **state)
{
	struct buf long_text = { 0 };

	(void)state;
	peer_says(HEADER "<message id='m1'><body>");
	for (int i = 0; i < 1000; i++)
		buf_add_lit(&long_text, "0123456789");
	buf_add_char(&long_text, '\0');
	peer_says(long_text.data);
	pass(12000);
	assert_stream_error(STREAM_POLICY_VIOLATION);
	buf_clear(&long_text);
}

static void paused_bytes_wait(void **state)
{
	(void)state;
	f->pauses = true;
	peer_says(HEADER "<message id='m1'/><message id='m2'/><mess");
	peer_says("age id='m3'/>");
	assert_story("header(north.example) m1");
	stream_resume(f->stream);
	step();
	assert_story("m2");
	f->pauses = false;
	stream_resume(f->stream);
	step();
	assert_story("m3");
}

static void restart_within_bytes(void **state)
{
	(void)state;
	f->restarts = true;
	peer_says(HEADER "<message id='m1'/>" HEADER);
	assert_story("header(north.example) m1 header(north.example)");
}

/* What came in clear is not taken for something that came under TLS. */
static void no_bytes_behind_starttls(void **state)
{
	(void)state;
	f->pauses = true;
	peer_says(HEADER "<message id='m1'/><message id='m2'/>");
	assert_true(stream_has_unread(f->stream));
	stream_start_tls(f->stream, NULL, NULL, NULL);
	step();
	pass(12000);
	assert_story("header(north.example) m1 closed(policy-violation)");
}

static void moves_with_its_bytes(void **state)
{
	(void)state;
	f->moves = true;
	stream_set_deadline(f->stream, 5000);
	peer_says(HEADER "<message id='m1'/><message id='m2'/><mess");
	assert_ptr_equal(f->arrived_at, &f->homes[1]);
	assert_int_equal(f->homes[0].streams, 0);
	assert_int_equal(f->homes[1].streams, 1);
	peer_says("age id='m3'/>");
	assert_story("header(north.example) m1 arrived m2 m3");
	pass(6000);
	assert_story("late");
}

/* ---- closing ---- */

static void peer_closes_first(void **state)
{
	(void)state;
	peer_says(HEADER "<message id='m1'/></stream:stream>");
	assert_got("</stream:stream>");
	pass(12000);
	assert_story("header(north.example) m1 closed(-)");
}

static void we_close_first(void **state)
{
	(void)state;
	peer_says(HEADER);
	stream_close(f->stream);
	stream_close(f->stream);
	step();
	assert_got("</stream:stream>");
	peer_says("<message id='m1'/>");
	pass(4000);
	assert_story("header(north.example)");
	peer_says("</stream:stream>");
	pass(3000);
	assert_story("closed(-)");
}

static void no_footer_for_five_seconds(void **state)
{
	(void)state;
	peer_says(HEADER);
	stream_fail(f->stream, STREAM_SYSTEM_SHUTDOWN, "good night");
	pass(4900);
	assert_story("header(north.example)");
	assert_got("<system-shutdown xmlns='" NS_STREAM_ERRORS "'/><text xmlns='" NS_STREAM_ERRORS
	           "' xml:lang='en'>good night</text></stream:error></stream:stream>");
	pass(9000);
	assert_story("closed(system-shutdown)");
}

static void peers_error_is_told(void **state)
{
	(void)state;
	peer_says(HEADER "<stream:error><reset xmlns='" NS_STREAM_ERRORS
	                 "'/></stream:error></stream:stream>");
	assert_got("xml:lang='en'></stream:stream>");
	pass(12000);
	assert_story("header(north.example) closed(reset)");
}

static void broken_connection(void **state)
{
	(void)state;
	peer_says(HEADER);
	conn_abort(f->peer, NULL);
	pass(12000);
	assert_story("header(north.example) closed(-)");
}

/* ---- time ---- */

static void silence(void **state)
{
	(void)state;
	peer_says(HEADER);
	f->story.len = 0;
	stream_watch(f->stream, 1000);
	pass(900);
	peer_says(" ");
	pass(900);
	buf_add_char(&f->story, '.');
	pass(300);
	assert_story(". silent");
	pass(1100);
	assert_story("silent");
}

static void deadline(void **state)
{
	(void)state;
	stream_set_deadline(f->stream, 1000);
	pass(500);
	stream_set_deadline(f->stream, 1000);
	pass(800);
	buf_add_char(&f->story, '.');
	pass(300);
	assert_story(". late");
}

/* ---- custody ---- */

static void parcel_answered(struct home *holder, struct parcel *parcel)
{
	(void)holder;
	tell(parcel->answer == PARCEL_TAKEN ? "taken" : "refused", parcel->stanza->id);
	parcel_free(&parcel);
}

static void send_parcel(const char *id)
{
	struct stanza *stanza = stanza_make(STANZA_MESSAGE, MESSAGE_CHAT, NULL, NULL, id);
	const struct stanza *sealed = stanza_seal(stanza);
	struct parcel *parcel = parcel_new(&f->homes[0], sealed, NULL);

	parcel->answered = parcel_answered;
	stanza_unref(&sealed);
	stream_send(f->stream, parcel, "<t/>", 4);
}

static void acknowledged_is_taken(void **state)
{
	(void)state;
	peer_says(HEADER);
	f->story.len = 0;
	send_parcel("m1");
	send_parcel("m2");
	assert_true(stream_unacked(f->stream) > 2);
	pass(100);
	assert_story("taken(m1) taken(m2)");
	assert_got("<message type='chat' id='m1'><t/></message><message type='chat' id='m2'><t/></message>");
	assert_int_equal(stream_unacked(f->stream), 0);
}

/* The peer's window is shut: what lies in it is not acknowledged and comes back, in order. */
static void unacknowledged_comes_back(void **state)
{
	(void)state;
	peer_says(HEADER);
	pass(100);
	f->story.len = 0;
	conn_pause(f->peer);
	send_parcel("m1");
	send_parcel("m2");
	pass(3000);
	assert_story("");
	stream_close(f->stream);
	send_parcel("m3");
	conn_abort(f->peer, NULL);
	pass(100);
	assert_story("returned(m1) returned(m2) returned(m3) closed(-)");
}

static void slow_reader_is_cut_off(void **state)
{
	char id[1000];

	(void)state;
	peer_says(HEADER);
	conn_pause(f->peer);
	memset(id, 'x', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	for (int i = 0; i < 200 && f->stream; i++) {
		buf_add(stream_out(f->stream), id, sizeof(id) - 1);
		step();
	}
	assert_story("header(north.example) closed(resource-constraint)");
}

int main(void)
{
#define STREAM_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		STREAM_TEST(header_is_answered),
		STREAM_TEST(versions_are_numbers),
		STREAM_TEST(old_peer_gets_no_version),
		STREAM_TEST(prefix_free),
		STREAM_TEST(language_is_remembered),
		STREAM_TEST(header_violations),
		STREAM_TEST(stanza_violations),
		STREAM_TEST(bytes_one_by_one),
		STREAM_TEST(a_stanza_has_a_limit),
		STREAM_TEST(paused_bytes_wait),
		STREAM_TEST(restart_within_bytes),
		STREAM_TEST(no_bytes_behind_starttls),
		STREAM_TEST(moves_with_its_bytes),
		STREAM_TEST(peer_closes_first),
		STREAM_TEST(we_close_first),
		STREAM_TEST(no_footer_for_five_seconds),
		STREAM_TEST(peers_error_is_told),
		STREAM_TEST(broken_connection),
		STREAM_TEST(silence),
		STREAM_TEST(deadline),
		STREAM_TEST(acknowledged_is_taken),
		STREAM_TEST(unacknowledged_comes_back),
		STREAM_TEST(slow_reader_is_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
