/* SPDX-License-Identifier: MIT
 *
 * Links with another server that the test plays: what flows, what waits and comes back, and what is
 * refused. Sections are those of XEP-0220 and RFC 6120; threats are those that other servers have met.
 */
#include "far.h"
#include "../../s2s/dialback.h"
#include "../../s2s/link.h"

#define DESK "ann@north.example/desk"

static void say(struct far *far, const char *format, unsigned number)
{
	char *xml = str_printf("<message to='bob@far.example' id='m%u' type='chat'><body>%s</body></message>",
	                       number, format);

	person_says(far->ann, xml);
	free(xml);
}

static void expect_heard(struct far *far, const char *text)
{
	const char *heard = "";

	for (unsigned i = 0; i < 500 && !*heard; i++) {
		far_turn(far);
		heard = person_heard(far->ann);
	}
	if (!strstr(heard, text))
		fail_msg("\"%s\" was not heard, but: %s", text, heard);
}

static void expect_not_heard(struct far *far)
{
	for (unsigned i = 0; i < 20; i++)
		far_turn(far);
	assert_string_equal(person_heard(far->ann), "");
}

/* ---- our stanzas go out ---- */

static void order_is_kept_while_the_link_comes_up(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream out;
	char expected[128];

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		say(far, "early", i);
	out = far_accept_open(far);
	for (unsigned i = 20; i < 40; i++)
		say(far, "later", i);
	far_expect(&out, "</db:result>");
	far_expect_not(&out, "<message");
	far_say(&out, "<db:result from='far.example' to='north.example' type='valid'/>");
	for (unsigned i = 40; i < 60; i++)
		say(far, "last", i);
	for (unsigned i = 0; i < 60; i++) {
		snprintf(expected, sizeof(expected),
		         "<message from='" DESK "' to='bob@far.example' type='chat' id='m%u'", i);
		far_expect(&out, "<message");
		buf_reserve(&out.got, 1);
		far_read(&out);
		assert_memory_equal(out.got.data, expected + strlen("<message"),
		                    strlen(expected) - strlen("<message"));
	}
	expect_not_heard(far);
	far_stream_close(&out);
	far_close(&far);
}

/* §2.1.1: the key is XEP-0185's, of our secret and their stream id. */
static void our_key_is_ours(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream out;
	char *key;

	(void)state;
	say(far, "hello", 1);
	out = far_accept_open(far);
	key = far_value(&out, "<db:result from='north.example' to='far.example'>");
	assert_true(dialback_key_is(far->town->server->secret, "far.example", "north.example", "far-1", key));
	free(key);
	far_stream_close(&out);
	far_close(&far);
}

/* A server from before XMPP 1.0 gets dialback without features. */
static void old_servers_are_spoken_to(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream out;

	(void)state;
	say(far, "hello", 1);
	out = far_accept(far);
	far_say(&out, FAR_HEADER "id='old'>");
	far_expect(&out, "</db:result>");
	far_say(&out, "<db:result from='far.example' to='north.example' type='valid'/>");
	far_expect(&out, "hello");
	far_stream_close(&out);
	far_close(&far);
}

static void tls_that_is_required_is_never_done_without(void **state)
{
	struct far *far = far_open("tls = required", "");
	struct far_stream out;

	(void)state;
	say(far, "hello", 1);
	out = far_accept_open(far);
	far_expect_not(&out, "db:result from");
	expect_not_heard(far);
	far_stream_close(&out);
	far_close(&far);
}

static void final_results_return_what_waits(const char *result, bool ends, const char *condition)
{
	struct far *far = far_open(NULL, "");
	struct far_stream out;

	say(far, "hello", 1);
	out = far_accept_open(far);
	far_expect(&out, "</db:result>");
	far_say(&out, result);
	if (ends)
		shutdown(out.fd, SHUT_WR);
	expect_heard(far, condition);
	far_stream_close(&out);
	far_close(&far);
}

/* §2.1.1 */
static void invalid_keys_return_what_waits(void **state)
{
	(void)state;
	final_results_return_what_waits("<db:result from='far.example' to='north.example' type='invalid'/>",
	                                false, "<internal-server-error");
}

/* §2.5 */
static void dialback_errors_return_what_waits(void **state)
{
	(void)state;
	final_results_return_what_waits(
		"<db:result from='far.example' to='north.example' type='error'><error type='cancel'>"
		"<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></db:result>",
		false, "<remote-server-timeout");
}

static void unknown_hosts_return_what_waits(void **state)
{
	(void)state;
	final_results_return_what_waits(
		"<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
		"</stream:error></stream:stream>",
		true, "<remote-server-not-found");
}

/* Somebody will mend it; what waits, waits for that. */
static void a_peer_that_is_named_is_waited_for(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream out;

	(void)state;
	say(far, "hello", 1);
	out = far_accept_open(far);
	far_expect(&out, "</db:result>");
	far_say(&out, "<db:result from='far.example' to='north.example' type='invalid'/>");
	far_expect(&out, "</stream:stream>");
	far_stream_close(&out);
	expect_not_heard(far);
	out = far_accept_open(far);
	far_expect(&out, "</db:result>");
	far_say(&out, "<db:result from='far.example' to='north.example' type='valid'/>");
	far_expect(&out, "hello");
	far_stream_close(&out);
	far_close(&far);
}

/* §3.1: an answer to what was not asked opens nothing. */
static void unsolicited_results_end_the_stream(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream out;

	(void)state;
	say(far, "hello", 1);
	out = far_accept_open(far);
	far_expect(&out, "</db:result>");
	far_say(&out, "<db:result from='evil.example' to='north.example' type='valid'/>");
	far_expect_end(&out, "<not-authorized");
	far_expect_not(&out, "hello");
	far_stream_close(&out);
	far_close(&far);
}

static void our_streams_are_one_way(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream out;

	(void)state;
	say(far, "hello", 1);
	out = far_accept_up(far);
	far_expect(&out, "hello");
	far_say(&out, "<message from='bob@far.example' to='ann@north.example'><body>psst</body></message>");
	far_expect_end(&out, "<not-authorized");
	expect_not_heard(far);
	far_stream_close(&out);
	far_close(&far);
}

/* What they have not acknowledged goes again, in order, before what came later. */
static void a_broken_stream_loses_nothing(void **state)
{
	struct far *far = far_open("queue-memory = 64MB", "limits { unsent = 64MB }");
	struct far_stream out;
	char *big = mem_zalloc(801), *id;
	unsigned first;

	(void)state;
	memset(big, 'x', 800);
	say(far, "hello", 0);
	out = far_accept_up(far);
	far_expect(&out, "hello");
	for (unsigned i = 1; i <= 600; i++)
		say(far, big, i);
	far_turn(far);
	far_stream_close(&out);
	town_pass(far->town, 3000);
	say(far, "the end", 601);
	out = far_accept_up(far);
	id = far_value(&out, " id='m");
	first = (unsigned)strtoul(id, NULL, 10);
	assert_int_equal(first, 0);
	for (unsigned i = first + 1; i <= 601; i++) {
		free(id);
		id = far_value(&out, " id='m");
		assert_int_equal(strtoul(id, NULL, 10), i);
	}
	expect_not_heard(far);
	free(id);
	free(big);
	far_stream_close(&out);
	far_close(&far);
}

/* The number in the last id of a text; 0: none. */
static unsigned last_number(const char *text)
{
	unsigned number = 0;

	for (const char *at = text; (at = strstr(at, " id='m")); at++)
		number = (unsigned)strtoul(at + strlen(" id='m"), NULL, 10);
	return number;
}

/* An iq that was written may have been answered: it comes back. One that was not goes over the next
 * stream. */
static void an_iq_on_a_broken_stream_comes_back(void **state)
{
	struct far *far = far_open("queue-memory = 64MB", "limits { unsent = 64MB }");
	struct far_stream out;
	char *big = mem_zalloc(20001), *iq, *next;
	unsigned returned;

	(void)state;
	memset(big, 'x', 20000);
	say(far, "hello", 0);
	out = far_accept_up(far);
	far_expect(&out, "hello");
	for (unsigned i = 1; i <= 600; i++) {
		iq = str_printf("<iq type='get' id='m%u' to='far.example'><x xmlns='urn:x'>%s</x></iq>", i,
		                big);
		person_says(far->ann, iq);
		free(iq);
	}
	far_stream_close(&out);
	town_pass(far->town, 3000);
	returned = last_number(person_heard(far->ann));
	assert_in_range(returned, 1, 599);
	out = far_accept_up(far);
	far_expect(&out, "hello");
	next = far_value(&out, " id='m");
	assert_int_equal(strtoul(next, NULL, 10), returned + 1);
	free(next);
	free(big);
	far_stream_close(&out);
	far_close(&far);
}

/* ---- what waits comes back ---- */

static void domains_that_do_not_exist_are_answered_at_once(void **state)
{
	struct far *far = far_open("", "");

	(void)state;
	tiny_dns_srv(far->dns, "_xmpp-server._tcp.closed.example", 0, 0, ".", 0);
	person_says(far->ann, "<message to='x@nowhere.example'><body>1</body></message>");
	expect_heard(far, "<remote-server-not-found");
	person_says(far->ann, "<message to='x@closed.example'><body>1</body></message>");
	expect_heard(far, "<remote-server-not-found");
	person_says(far->ann, "<iq to='127.0.0.1' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>");
	expect_heard(far, "<remote-server-not-found");
	assert_false(far_is_called(far));
	far_close(&far);
}

static void messages_wait_longer_than_questions(void **state)
{
	struct far *far = far_open("lifetime = 60s wait-iq = 30s", "");

	(void)state;
	close(far->listening);
	say(far, "patience", 1);
	person_says(far->ann, "<iq to='far.example' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>");
	for (unsigned i = 0; i < 29; i++) {
		town_pass(far->town, 1000);
		far_turn(far);
	}
	expect_not_heard(far);
	town_pass(far->town, 2000);
	expect_heard(far, "<iq ");
	town_pass(far->town, 30000);
	expect_heard(far, "<message ");
	far->listening = -1;
	far_close(&far);
}

static void too_much_is_refused_at_once(void **state)
{
	struct far *far = far_open("queue-stanzas = 2", "");
	struct far_stream out;

	(void)state;
	say(far, "1", 1);
	say(far, "2", 2);
	expect_not_heard(far);
	say(far, "3", 3);
	expect_heard(far, "id='m3'");
	out = far_accept_up(far);
	far_expect(&out, "id='m2'");
	far_stream_close(&out);
	far_close(&far);
}

/* Characters that are written as six bytes make it larger than it came. */
static void what_no_server_takes_is_not_sent(void **state)
{
	struct far *far = far_open("", "");
	struct buf big = { 0 };

	(void)state;
	for (unsigned i = 0; i < 120000; i++)
		buf_add_lit(&big, "&apos;");
	buf_add_char(&big, '\0');
	say(far, big.data, 1);
	expect_heard(far, "<policy-violation");
	assert_false(far_is_called(far));
	buf_clear(&big);
	far_close(&far);
}

static void denied_domains_are_neither_called_nor_heard(void **state)
{
	struct far *far = far_open("allow = no", "");
	struct far_stream in;

	(void)state;
	say(far, "hello", 1);
	expect_heard(far, "<not-allowed");
	assert_false(far_is_called(far));
	in = far_connect(far);
	far_say(&in, FAR_HEADER "from='far.example' to='north.example' version='1.0'>");
	far_expect_end(&in, "<policy-violation");
	far_stream_close(&in);
	far_close(&far);
}

static void a_failed_link_pauses_and_the_peer_ends_the_pause(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream out, in;

	(void)state;
	say(far, "hello", 1);
	out = far_accept(far);
	far_stream_close(&out);
	for (unsigned i = 0; i < 20; i++)
		far_turn(far);
	say(far, "again", 2);
	assert_false(far_is_called(far));
	in = far_connect_up(far);
	out = far_accept_up(far);
	far_expect(&out, "hello");
	far_expect(&out, "again");
	far_stream_close(&in);
	far_stream_close(&out);
	far_close(&far);
}

static void the_pause_ends_by_itself(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream out;

	(void)state;
	say(far, "hello", 1);
	out = far_accept(far);
	far_stream_close(&out);
	for (unsigned i = 0; i < 20; i++)
		far_turn(far);
	town_pass(far->town, 1000);
	out = far_accept_up(far);
	far_expect(&out, "hello");
	far_stream_close(&out);
	far_close(&far);
}

static void pauses_double_up_to_a_minute(void **state)
{
	(void)state;
	assert_in_range(link_pause_ms(1, 0), 1000, 1000);
	assert_in_range(link_pause_ms(1, 12345678), 500, 1000);
	assert_in_range(link_pause_ms(3, 0), 4000, 4000);
	assert_in_range(link_pause_ms(1000, 0), 60000, 60000);
	for (uint32_t i = 0; i < 1000; i++)
		assert_in_range(link_pause_ms(7, i * 4294967u), 30000, 60000);
}

static void idle_streams_are_closed(void **state)
{
	struct far *far = far_open("idle = 5m", "");
	struct far_stream out;

	(void)state;
	say(far, "hello", 1);
	out = far_accept_up(far);
	far_expect(&out, "hello");
	far_wait_for_tcp(far);
	town_pass(far->town, 298900);
	far_expect_not(&out, "</stream:stream>");
	town_pass(far->town, 2000);
	far_expect(&out, "</stream:stream>");
	far_say(&out, "</stream:stream>");
	far_stream_close(&out);
	say(far, "welcome back", 2);
	out = far_accept_up(far);
	far_expect(&out, "welcome back");
	far_stream_close(&out);
	far_close(&far);
}

static void a_peer_that_is_denied_later_loses_its_streams(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream in = far_connect_up(far), out;

	(void)state;
	say(far, "hello", 1);
	out = far_accept_up(far);
	far_expect(&out, "hello");
	far_reload(far, "allow = no");
	far_expect(&out, "</stream:stream>");
	far_expect_end(&in, "<policy-violation");
	say(far, "again", 2);
	expect_heard(far, "<not-allowed");
	far_stream_close(&in);
	far_stream_close(&out);
	far_close(&far);
}

static void a_stream_in_clear_ends_when_tls_is_required(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream in = far_connect_up(far), out;

	(void)state;
	say(far, "hello", 1);
	out = far_accept_up(far);
	far_expect(&out, "hello");
	far_reload(far, "tls = required");
	far_expect(&out, "</stream:stream>");
	far_expect_end(&in, "<policy-violation");
	far_stream_close(&in);
	far_stream_close(&out);
	far_close(&far);
}

/* What was asked of the old name servers is asked of the new ones. */
static void a_reload_does_not_lose_questions(void **state)
{
	struct far *far = far_open("", "");

	(void)state;
	tiny_dns_fault(far->dns, "_xmpp-server._tcp.slow.example", 0, -1);
	person_says(far->ann, "<message to='x@slow.example'><body>1</body></message>");
	for (unsigned i = 0; i < 50; i++)
		far_turn(far);
	far->dns->fault_count = 0;
	far_reload(far, "");
	expect_heard(far, "<remote-server-not-found");
	far_close(&far);
}

/* ---- their stanzas come in ---- */

static void verified_pairs_come_in(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream in = far_connect_up(far);

	(void)state;
	far_say(&in, "<message from='bob@far.example/x' to='ann@north.example' type='chat'><body>hi</body>"
	             "<stanza-id xmlns='urn:xmpp:sid:0' by='ann@north.example' id='forged'/></message>");
	far_turn(far);
	expect_heard(far,
	             "from='bob@far.example/x' to='ann@north.example' type='chat'><body>hi</body></message>");
	far_stream_close(&in);
	far_close(&far);
}

static void others_than_the_verified_end_the_stream(void **state)
{
	static const char *const refused[][2] = {
		{ "<message from='x@evil.example' to='ann@north.example'><body>x</body></message>",
		  "<invalid-from" },
		{ "<message from='x@north.example' to='ann@north.example'><body>x</body></message>",
		  "<invalid-from" },
		{ "<message from='x@far.example' to='ann@south.example'><body>x</body></message>",
		  "<not-authorized" },
		{ "<message from='x@far.example' to='x@elsewhere.example'><body>x</body></message>",
		  "<host-unknown" },
		{ "<message to='ann@north.example'><body>x</body></message>", "<improper-addressing" },
		{ "<message from='x@far.example'><body>x</body></message>", "<improper-addressing" },
		{ "<message from='@far.example' to='ann@north.example'><body>x</body></message>",
		  "<improper-addressing" },
		{ "<strange xmlns='urn:x'/>", "<unsupported-stanza-type" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct far *far = far_open("", "");
		struct far_stream in = far_connect_up(far);

		far_say(&in, refused[i][0]);
		far_expect_end(&in, refused[i][1]);
		expect_not_heard(far);
		far_stream_close(&in);
		far_close(&far);
	}
}

static void nothing_passes_before_it_is_verified(void **state)
{
	static const char *const refused[][2] = {
		{ "<message from='x@far.example' to='ann@north.example'><body>x</body></message>",
		  "<not-authorized" },
		{ "<db:result from='far.example' to='north.example' type='valid'/>", "<not-authorized" },
		{ "<db:verify from='far.example' to='north.example' id='1' type='valid'/>",
		  "<not-authorized" },
		{ "<db:result from='north.example' to='north.example'>key</db:result>", "<invalid-from" },
		{ "<db:result from='south.example' to='north.example'>key</db:result>", "<invalid-from" },
		{ "<db:result from='@' to='north.example'>key</db:result>", "<improper-addressing" },
		{ "<db:verify from='far.example' to='north.example'>key</db:verify>", "<invalid-xml" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct far *far = far_open("", "");
		struct far_stream in = far_connect_open(far, "far.example");

		far_say(&in, refused[i][0]);
		far_expect_end(&in, refused[i][1]);
		expect_not_heard(far);
		assert_false(far_is_called(far));
		far_stream_close(&in);
		far_close(&far);
	}
}

static void headers_are_checked(void **state)
{
	static const char *const refused[][2] = {
		{ "from='far.example' to='elsewhere.example' version='1.0'>", "<host-unknown" },
		{ "from='far.example' version='1.0'>", "<improper-addressing" },
		{ "from='north.example' to='north.example' version='1.0'>", "<invalid-from" },
		{ "from='south.example' to='north.example' version='1.0'>", "<invalid-from" },
		{ "from='a@b@c' to='north.example' version='1.0'>", "<improper-addressing" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct far *far = far_open("", "");
		struct far_stream in = far_connect(far);

		far_say(&in, FAR_HEADER);
		far_say(&in, refused[i][0]);
		far_expect_end(&in, refused[i][1]);
		far_stream_close(&in);
		far_close(&far);
	}
}

/* §2.2.1 */
static void forged_keys_end_the_stream(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream in = far_connect_open(far, "far.example"), back;

	(void)state;
	far_say(&in, "<db:result from='far.example' to='north.example'>forged</db:result>");
	back = far_answer_verify(far, "invalid");
	far_expect(&in, "type='invalid'/>");
	far_expect_end(&in, "<not-authorized");
	far_stream_close(&back);
	far_stream_close(&in);
	far_close(&far);
}

/* §3.1: only the stream that the question went out on can answer it. */
static void answers_on_another_stream_are_none(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream in = far_connect_open(far, "far.example"), back;

	(void)state;
	far_say(&in, "<db:result from='far.example' to='north.example'>key</db:result>");
	back = far_accept_open(far);
	far_expect(&back, "<db:verify ");
	far_say(&back, "<db:verify from='far.example' to='north.example' id='guessed' type='valid'/>");
	far_say(&back, "<db:verify from='far.example' to='south.example' id='guessed' type='valid'/>");
	far_expect_not(&in, "type='valid'");
	far_stream_close(&back);
	far_expect(&in, "<remote-server-timeout");
	far_stream_close(&in);
	far_close(&far);
}

/* §2.6: a second pair on the same stream, while the first goes on; an error of one is not the end of the
 * other. */
static void several_pairs_share_a_stream(void **state)
{
	struct far *far = far_open("", "peer rooms.far.example { address = { \"127.0.0.1:1\" } }\n");
	struct far_stream in = far_connect_up(far), back;
	char *id, *answer;

	(void)state;
	far_say(&in, "<db:result from='rooms.far.example' to='north.example'>key</db:result>");
	far_expect(&in, "<db:result from='north.example' to='rooms.far.example' type='error'>"
	                "<error type='cancel'><remote-connection-failed");
	far_say(&in, "<db:result from='far.example' to='elsewhere.example'>key</db:result>");
	far_expect(&in, "<item-not-found");
	far_say(&in, "<db:result from='far.example' to='south.example'>key</db:result>");
	back = far_accept(far);
	far_say(&back, FAR_HEADER "id='2' version='1.0'>" FAR_FEATURES);
	id = far_value(&back, "<db:verify from='south.example' to='far.example' id='");
	answer = str_printf("<db:verify from='far.example' to='south.example' id='%s' type='valid'/>", id);
	far_say(&back, answer);
	far_expect(&in, "<db:result from='south.example' to='far.example' type='valid'/>");
	far_say(&in,
	        "<message from='bob@far.example' to='ann@north.example'><body>still here</body></message>");
	expect_heard(far, "still here");
	free(id);
	free(answer);
	far_stream_close(&back);
	far_stream_close(&in);
	far_close(&far);
}

static void pairs_under_way_are_bounded(void **state)
{
	struct far *far = far_open("", "limits { unverified-pairs = 2 }\n");
	struct far_stream in = far_connect_open(far, "far.example");

	(void)state;
	far_say(&in, "<db:result from='far.example' to='north.example'>key</db:result>"
	             "<db:result from='far.example' to='north.example'>key</db:result>"
	             "<db:result from='far.example' to='south.example'>key</db:result>"
	             "<db:result from='x.far.example' to='north.example'>key</db:result>");
	far_expect(&in, "to='x.far.example' type='error'><error type='cancel'><resource-constraint");
	far_expect_not(&in, "resource-constraint");
	far_stream_close(&in);
	far_close(&far);
}

/* Domains can be made up, and each is another server to ask. */
static void servers_asked_at_once_are_bounded(void **state)
{
	struct far *far = far_open("", "limits { unverified-pairs = 1000 }\n");
	struct far_stream in = far_connect_open(far, "far.example");
	unsigned refused = 0;
	char request[128];

	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		snprintf(request, sizeof(request),
		         "<db:result from='d%u.example' to='north.example'>key</db:result>", i);
		far_say(&in, request);
	}
	for (unsigned i = 0; i < 20; i++)
		far_turn(far);
	far_read(&in);
	for (const char *at = in.got.data; (at = strstr(at, "<resource-constraint")); at++)
		refused++;
	assert_in_range(refused, 1, 300 - 256);
	far_stream_close(&in);
	far_close(&far);
}

/* Who waits for others of his address to leave has no more time than they; others do not notice. */
static void waiting_for_admission_takes_no_more_time(void **state)
{
	struct far *far = far_open("", "limits { unauthenticated-per-address = 1 authenticate = 5s }\n");
	struct far_stream first = far_connect_open(far, "far.example"), waiting = far_connect(far), third;

	(void)state;
	far_say(&waiting, FAR_HEADER "from='far.example' to='north.example' version='1.0'>");
	far_expect_not(&waiting, "<stream:stream");
	third = far_connect(far);
	far_stream_close(&third);
	far_stream_close(&first);
	far_expect(&waiting, "</stream:features>");
	third = far_connect(far);
	far_say(&third, FAR_HEADER "from='far.example' to='north.example' version='1.0'>");
	town_pass(far->town, 4000);
	far_expect_not(&third, "<stream:stream");
	town_pass(far->town, 2000);
	far_expect(&waiting, "<connection-timeout");
	far_read(&third);
	assert_true(third.ended);
	assert_int_equal(third.got.len, 0);
	far_stream_close(&waiting);
	far_stream_close(&third);
	far_close(&far);
}

/* RFC 6121 §4.3.2: who asks far and wide learns nothing about which accounts there are. */
static void a_probe_for_nobody_is_answered(void **state)
{
	static const char *const addresses[] = { "nobody@north.example", "nobody@north.example/x" };

	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		struct far *far = far_open("", "");
		struct far_stream in = far_connect_up(far), out;
		char *probe = str_printf("<presence type='probe' id='p' from='bob@far.example' to='%s'/>",
		                         addresses[i]);

		far_say(&in, probe);
		out = far_accept_up(far);
		far_expect(&out, "<presence from='nobody@north.example' to='bob@far.example' "
		                 "type='unsubscribed' id='p'/>");
		free(probe);
		far_stream_close(&in);
		far_stream_close(&out);
		far_close(&far);
	}
}

static void who_proves_nothing_in_time_is_closed(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream in = far_connect_open(far, "far.example");

	(void)state;
	town_pass(far->town, 29000);
	far_say(&in, "<db:verify from='far.example' to='north.example' id='1'>key</db:verify>");
	far_expect(&in, "type='invalid'");
	town_pass(far->town, 2000);
	far_expect_end(&in, "<connection-timeout");
	far_stream_close(&in);
	far_close(&far);
}

/* §2.2.2 */
static void we_know_our_own_keys(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream in = far_connect_open(far, "far.example");
	char key[DIALBACK_KEY + 1], *asked;

	(void)state;
	dialback_key(far->town->server->secret, "far.example", "north.example", "xyz", key);
	asked = str_printf("<db:verify from='far.example' to='north.example' id='xyz'>\n %s\n </db:verify>"
	                   "<db:verify from='far.example' to='north.example' id='other'>%s</db:verify>"
	                   "<db:verify from='far.example' to='elsewhere.example' id='xyz'>%s</db:verify>",
	                   key, key, key);
	far_say(&in, asked);
	far_expect(&in, "<db:verify from='north.example' to='far.example' id='xyz' type='valid'/>");
	far_expect(&in, "<db:verify from='north.example' to='far.example' id='other' type='invalid'/>");
	far_expect(&in, "<db:verify from='elsewhere.example' to='far.example' id='xyz' type='error'>");
	far_expect(&in, "<item-not-found");
	free(asked);
	far_stream_close(&in);
	far_close(&far);
}

static void required_tls_comes_before_dialback(void **state)
{
	struct far *far = far_open("tls = required", "");
	struct far_stream in = far_connect_open(far, "far.example");

	(void)state;
	far_say(&in, "<db:result from='far.example' to='north.example'>key</db:result>");
	far_expect_end(&in, "<policy-violation");
	assert_false(far_is_called(far));
	far_stream_close(&in);
	far_close(&far);
}

static void what_is_too_big_ends_the_stream(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream in = far_connect_open(far, "far.example");
	char *big = mem_zalloc(12001);

	(void)state;
	memset(big, 'x', 12000);
	far_say(&in, "<db:result from='far.example' to='north.example'>");
	far_say(&in, big);
	far_expect_end(&in, "<policy-violation");
	free(big);
	far_stream_close(&in);
	far_close(&far);
}

/* An error or a result that cannot be delivered is never answered, a request is (RFC 6120 §8.3.1). */
static void bounces_go_back_over_the_link(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream in = far_connect_up(far), out;

	(void)state;
	far_say(&in, "<iq type='error' id='e' from='bob@far.example' to='nobody@north.example'/>"
	             "<iq type='get' from='bob@far.example' to='north.example'><x xmlns='urn:x'/></iq>");
	out = far_accept_up(far);
	far_expect(&out, "<bad-request");
	far_expect_not(&out, "id='e'");
	far_stream_close(&in);
	far_stream_close(&out);
	far_close(&far);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_is_kept_while_the_link_comes_up),
		cmocka_unit_test(our_key_is_ours),
		cmocka_unit_test(old_servers_are_spoken_to),
		cmocka_unit_test(tls_that_is_required_is_never_done_without),
		cmocka_unit_test(invalid_keys_return_what_waits),
		cmocka_unit_test(dialback_errors_return_what_waits),
		cmocka_unit_test(unknown_hosts_return_what_waits),
		cmocka_unit_test(a_peer_that_is_named_is_waited_for),
		cmocka_unit_test(unsolicited_results_end_the_stream),
		cmocka_unit_test(our_streams_are_one_way),
		cmocka_unit_test(a_broken_stream_loses_nothing),
		cmocka_unit_test(an_iq_on_a_broken_stream_comes_back),
		cmocka_unit_test(domains_that_do_not_exist_are_answered_at_once),
		cmocka_unit_test(messages_wait_longer_than_questions),
		cmocka_unit_test(too_much_is_refused_at_once),
		cmocka_unit_test(what_no_server_takes_is_not_sent),
		cmocka_unit_test(denied_domains_are_neither_called_nor_heard),
		cmocka_unit_test(a_failed_link_pauses_and_the_peer_ends_the_pause),
		cmocka_unit_test(the_pause_ends_by_itself),
		cmocka_unit_test(pauses_double_up_to_a_minute),
		cmocka_unit_test(idle_streams_are_closed),
		cmocka_unit_test(a_peer_that_is_denied_later_loses_its_streams),
		cmocka_unit_test(a_stream_in_clear_ends_when_tls_is_required),
		cmocka_unit_test(a_reload_does_not_lose_questions),
		cmocka_unit_test(verified_pairs_come_in),
		cmocka_unit_test(others_than_the_verified_end_the_stream),
		cmocka_unit_test(nothing_passes_before_it_is_verified),
		cmocka_unit_test(headers_are_checked),
		cmocka_unit_test(forged_keys_end_the_stream),
		cmocka_unit_test(answers_on_another_stream_are_none),
		cmocka_unit_test(several_pairs_share_a_stream),
		cmocka_unit_test(pairs_under_way_are_bounded),
		cmocka_unit_test(servers_asked_at_once_are_bounded),
		cmocka_unit_test(waiting_for_admission_takes_no_more_time),
		cmocka_unit_test(a_probe_for_nobody_is_answered),
		cmocka_unit_test(who_proves_nothing_in_time_is_closed),
		cmocka_unit_test(we_know_our_own_keys),
		cmocka_unit_test(required_tls_comes_before_dialback),
		cmocka_unit_test(what_is_too_big_ends_the_stream),
		cmocka_unit_test(bounces_go_back_over_the_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
