/* SPDX-License-Identifier: MIT
 *
 * Stream management between servers (XEP-0198): another server, which the test plays, enables, counts, loses its
 * connection and resumes. Its stanzas are acknowledged when somebody here has taken them.
 */
#include "far.h"

#define SM "xmlns='urn:xmpp:sm:3'"
#define ENABLE "<enable " SM " resume='true'/>"
#define ASK "<r " SM "/>"

static void write_to_ann(struct far_stream *stream, unsigned number)
{
	char *xml = str_printf("<message from='bob@far.example' to='ann@north.example' id='m%u' type='chat'>"
	                       "<body>number %u</body></message>", number, number);

	far_say(stream, xml);
	free(xml);
}

static void expect_ann_hears(struct far *far, unsigned number)
{
	char *text = str_printf("<body>number %u</body>", number);
	const char *heard = "";

	for (unsigned i = 0; i < 500 && !*heard; i++) {
		far_turn(far);
		heard = person_heard(far->ann);
	}
	if (!strstr(heard, text))
		fail_msg("\"%s\" was not heard, but: %s", text, heard);
	free(text);
}

/* Verified and enabled; answers the id. */
static char *enable(struct far_stream *stream)
{
	far_say(stream, ENABLE);
	return far_value(stream, "<enabled " SM " id='");
}

static void resume(struct far_stream *stream, const char *id, unsigned h)
{
	char *xml = str_printf("<resume " SM " previd='%s' h='%u'/>", id, h);

	far_say(stream, xml);
	free(xml);
}

/* The connection breaks, without a footer. */
static void cut(struct far_stream *stream)
{
	struct far *far = stream->far;

	far_stream_close(stream);
	for (unsigned i = 0; i < 5; i++)
		far_turn(far);
}

/* What comes on out is answered on in, a stream of their own. */
static void far_answer_ping(struct far_stream *out, struct far_stream *in, const char *from, const char *type)
{
	char *id = far_value(out, "<iq type='get' id='ping-"), *answer;

	answer = str_printf("<iq type='%s' from='%s' to='north.example' id='ping-%s'/>", type, from, id);
	far_say(in, answer);
	free(id);
	free(answer);
	for (unsigned i = 0; i < 5; i++)
		far_turn(out->far);
}

/* ---- §3 ---- */

static void it_is_offered_and_enabled_behind_the_proof(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream in = far_connect(far), back;
	char *id;

	(void)state;
	far_say(&in, FAR_HEADER "from='far.example' to='north.example' version='1.0'>");
	far_expect(&in, "<sm " SM "/>");
	far_say(&in, ENABLE);
	far_expect(&in, "<failed " SM "><unexpected-request");
	far_say(&in, "<db:result from='far.example' to='north.example'>key</db:result>");
	back = far_answer_verify(far, "valid");
	far_expect(&in, "type='valid'/>");
	id = enable(&in);
	assert_int_equal(strlen(id), ID_LEN);
	far_say(&in, ENABLE);
	far_expect_end(&in, "<policy-violation");
	free(id);
	far_stream_close(&back);
	far_stream_close(&in);
	far_close(&far);
}

static void the_peer_may_want_less_time_or_none(void **state)
{
	struct far *far = far_open("resume-time = 300s", "");
	struct far_stream in = far_connect_up(far);

	(void)state;
	far_say(&in, "<enable " SM " resume='1' max='20'/>");
	far_expect(&in, "resume='true' max='20'/>");
	far_stream_close(&in);
	in = far_connect_up(far);
	far_say(&in, ENABLE);
	far_expect(&in, "max='300'/>");
	far_stream_close(&in);
	in = far_connect_up(far);
	far_say(&in, "<enable " SM "/>");
	far_expect(&in, "<enabled " SM "/>");
	far_stream_close(&in);
	far_close(&far);
}

/* ---- §4 ---- */

static void what_is_taken_is_acknowledged(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream in = far_connect_up(far);
	char *id = enable(&in);

	(void)state;
	far_say(&in, ASK);
	far_expect(&in, "<a " SM " h='0'/>");
	far->ann->holds = true;
	far_say(&in, "<presence from='bob@far.example' to='ann@north.example'/>");
	write_to_ann(&in, 1);
	write_to_ann(&in, 2);
	far_say(&in, ASK);
	far_expect(&in, "<a " SM " h='1'/>");
	person_take(far->ann);
	far_expect(&in, "<a " SM " h='3'/>");
	far_say(&in, "<a " SM " h='1'/>");
	far_expect_end(&in, "<handled-count-too-high " SM " h='1' send-count='0'/>");
	free(id);
	far_stream_close(&in);
	far_close(&far);
}

/* Its error is on its way, and has been taken. */
static void what_is_refused_is_acknowledged_too(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream in = far_connect_up(far), out;
	char *id = enable(&in);

	(void)state;
	far_say(&in, "<message from='bob@far.example' to='nobody@north.example' id='x'><body>?</body></message>" ASK);
	far_expect(&in, "<a " SM " h='0'/>");
	out = far_accept_up(far);
	far_expect(&out, "<service-unavailable");
	far_answer_ping(&out, &in, "far.example", "result");
	far_say(&in, ASK);
	far_expect(&in, "<a " SM " h='2'/>");
	free(id);
	far_stream_close(&in);
	far_stream_close(&out);
	far_close(&far);
}

/* ---- §5 ---- */

static void a_broken_stream_goes_on_and_nothing_comes_twice(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream in = far_connect_up(far);
	char *id = enable(&in), *resumed = str_printf("<resumed " SM " previd='%s' h='2'/>", id);

	(void)state;
	write_to_ann(&in, 1);
	expect_ann_hears(far, 1);
	write_to_ann(&in, 2);
	expect_ann_hears(far, 2);
	cut(&in);
	in = far_connect_up(far);
	resume(&in, id, 0);
	far_expect(&in, resumed);
	write_to_ann(&in, 3);
	expect_ann_hears(far, 3);
	far_say(&in, ASK);
	far_expect(&in, "<a " SM " h='3'/>");
	free(id);
	free(resumed);
	far_stream_close(&in);
	far_close(&far);
}

/* The answer waits until h can say all. */
static void what_is_still_in_hand_is_waited_for(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream in = far_connect_up(far);
	char *id = enable(&in);

	(void)state;
	far->ann->holds = true;
	write_to_ann(&in, 1);
	expect_ann_hears(far, 1);
	cut(&in);
	in = far_connect_up(far);
	resume(&in, id, 0);
	far_expect_not(&in, "<resumed");
	person_take(far->ann);
	far_expect(&in, "h='1'/>");
	free(id);
	far_stream_close(&in);
	far_close(&far);
}

static void the_old_stream_ends_when_it_is_resumed_beside_it(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream in = far_connect_up(far), next = far_connect_up(far);
	char *id = enable(&in);

	(void)state;
	resume(&next, id, 0);
	far_expect(&next, "<resumed");
	far_expect_end(&in, "<conflict");
	write_to_ann(&next, 1);
	expect_ann_hears(far, 1);
	free(id);
	far_stream_close(&in);
	far_stream_close(&next);
	far_close(&far);
}

static void only_what_broke_can_be_resumed(void **state)
{
	struct far *far = far_open("resume-time = 300s", "");
	struct far_stream in = far_connect_up(far);
	char *id = enable(&in), *unknown;

	(void)state;
	far_say(&in, "</stream:stream>");
	far_expect(&in, "</stream:stream>");
	cut(&in);
	in = far_connect_up(far);
	resume(&in, id, 0);
	far_expect(&in, "<failed " SM "><item-not-found");
	free(id);
	id = enable(&in);
	cut(&in);
	town_pass(far->town, 301000);
	in = far_connect_up(far);
	resume(&in, id, 0);
	far_expect(&in, "<failed " SM "><item-not-found");
	unknown = str_dup("nobody-has-ever-had-that");
	resume(&in, unknown, 0);
	far_expect(&in, "<failed " SM "><item-not-found");
	far_say(&in, "<resume " SM " h='0'/>");
	far_expect(&in, "<failed " SM "><unexpected-request");
	free(id);
	free(unknown);
	far_stream_close(&in);
	far_close(&far);
}

static void a_stream_that_is_not_verified_resumes_nothing(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream in = far_connect_up(far);
	char *id = enable(&in);

	(void)state;
	cut(&in);
	in = far_connect_open(far, "far.example");
	resume(&in, id, 0);
	far_expect(&in, "<failed " SM "><unexpected-request");
	far_stream_close(&in);
	in = far_connect_open(far, "evil.example");
	resume(&in, id, 0);
	far_expect(&in, "<failed " SM "><unexpected-request");
	free(id);
	far_stream_close(&in);
	far_close(&far);
}

/* ---- begun anew ---- */

static void expect_ann_hears_only(struct far *far, unsigned first, unsigned last)
{
	far_wait_for_tcp(far);
	for (const char *heard = person_heard(far->ann); first <= last; first++) {
		char *text = str_printf("<body>number %u</body>", first);
		const char *body = strstr(heard, "<body>");

		if (!body || strncmp(body, text, strlen(text)) != 0)
			fail_msg("not %s, but: %s", text, heard);
		heard = body + 1;
		assert_true(first < last || !strstr(heard, "<body>"));
		free(text);
	}
}

/* A server that was started anew does not know what was acknowledged to it last. */
static void what_comes_again_first_of_all_is_known(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream in = far_connect_up(far);

	(void)state;
	free(enable(&in));
	write_to_ann(&in, 1);
	far_say(&in, ASK);
	far_expect(&in, "<a " SM);
	write_to_ann(&in, 2);
	write_to_ann(&in, 3);
	far_say(&in, ASK);
	far_expect(&in, "h='3'/>");
	expect_ann_hears_only(far, 1, 3);
	cut(&in);
	in = far_connect_up(far);
	free(enable(&in));
	far_say(&in, "<presence from='bob@far.example' to='ann@north.example'/>");
	write_to_ann(&in, 2);
	far_say(&in, "<message from='bob@far.example' to='ann@north.example' id='m3' type='chat'><body>number 3</body>"
	             "<delay xmlns='urn:xmpp:delay' from='far.example' stamp='2026-11-23T04:00:00Z'/></message>");
	write_to_ann(&in, 4);
	expect_ann_hears_only(far, 4, 4);
	far_say(&in, ASK);
	far_expect(&in, "<a " SM " h='4'/>");
	write_to_ann(&in, 4);
	expect_ann_hears_only(far, 4, 4);
	far_stream_close(&in);
	far_close(&far);
}

/* The stream that says it again breaks as well. */
static void a_second_break_forgets_nothing(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream in = far_connect_up(far);

	(void)state;
	free(enable(&in));
	for (unsigned i = 1; i <= 3; i++)
		write_to_ann(&in, i);
	expect_ann_hears_only(far, 1, 3);
	cut(&in);
	in = far_connect_up(far);
	free(enable(&in));
	far_say(&in, "<presence from='bob@far.example' to='ann@north.example' id='p'/>");
	write_to_ann(&in, 1);
	far_wait_for_tcp(far);
	cut(&in);
	in = far_connect_up(far);
	free(enable(&in));
	for (unsigned i = 1; i <= 4; i++)
		write_to_ann(&in, i);
	expect_ann_hears_only(far, 4, 4);
	far_stream_close(&in);
	far_close(&far);
}

/* Acknowledged before the break; or behind something that is new; or without an id; or another text. */
static void what_only_looks_alike_is_delivered(void **state)
{
	static const char *const likes[] = {
		"<message from='bob@far.example' to='ann@north.example' id='m2' type='normal'><body>number 2</body></message>",
		"<message from='bob@far.example' to='ann@north.example' id='m2' type='chat'><body>number 2!</body></message>",
		"<message from='bob@far.example/x' to='ann@north.example' id='m2' type='chat'><body>number 2</body></message>",
		"<message from='bob@far.example' to='ann@north.example' id='m1' type='chat'><body>number 1</body></message>",
	};
	struct far *far = far_open("", "");
	struct far_stream in;

	(void)state;
	for (size_t i = 0; i < sizeof(likes) / sizeof(likes[0]); i++) {
		in = far_connect_up(far);
		free(enable(&in));
		write_to_ann(&in, 1);
		far_expect_not(&in, "<a ");
		far_say(&in, ASK);
		far_expect(&in, "h='1'/>");
		far_say(&in, ASK);
		far_expect(&in, "h='1'/>");
		write_to_ann(&in, 2);
		expect_ann_hears_only(far, 1, 2);
		cut(&in);
		in = far_connect_up(far);
		free(enable(&in));
		far_say(&in, likes[i]);
		far_expect_not(&in, "<a ");
		assert_non_null(strstr(person_heard(far->ann), "<body>"));
		write_to_ann(&in, 2);
		expect_ann_hears_only(far, 2, 2);
		far_say(&in, ASK);
		far_expect(&in, "h='2'/>");
		far_say(&in, ASK "</stream:stream>");
		far_expect(&in, "</stream:stream>");
		cut(&in);
	}
	far_close(&far);
}

static void no_id_is_never_a_repeat(void **state)
{
	static const char nameless[] =
		"<message from='bob@far.example' to='ann@north.example' type='chat'><body>number 1</body></message>";
	struct far *far = far_open("", "");
	struct far_stream in = far_connect_up(far);

	(void)state;
	free(enable(&in));
	far_say(&in, nameless);
	write_to_ann(&in, 2);
	expect_ann_hears_only(far, 1, 2);
	cut(&in);
	in = far_connect_up(far);
	free(enable(&in));
	far_say(&in, nameless);
	write_to_ann(&in, 2);
	expect_ann_hears_only(far, 1, 1);
	far_stream_close(&in);
	far_close(&far);
}

/* ---- our own streams: far.example receives ---- */

#define FAR_SM_FEATURES                                                                                      \
	"<stream:features><dialback xmlns='urn:xmpp:features:dialback'/><sm " SM "/></stream:features>"

static void ann_says(struct far *far, unsigned number)
{
	char *xml = str_printf("<message to='bob@far.example' id='m%u' type='chat'><body>number %u</body></message>",
	                       number, number);

	person_says(far->ann, xml);
	free(xml);
}

static void expect_said(struct far_stream *out, unsigned first, unsigned last)
{
	for (unsigned i = first; i <= last; i++) {
		char *text = str_printf("<body>number %u</body>", i), *next = far_value(out, "<message from='");

		free(next);
		far_expect(out, text);
		free(text);
	}
}

/* The town opens its stream and proves itself; answers what it then asks for. */
static struct far_stream accept_sm(struct far *far, const char *asks)
{
	struct far_stream out = far_accept(far);

	far_expect(&out, "to='far.example'");
	far_say(&out, FAR_HEADER "id='far-1' from='far.example' to='north.example' version='1.0'>" FAR_SM_FEATURES);
	far_expect(&out, "</db:result>");
	far_say(&out, "<db:result from='far.example' to='north.example' type='valid'/>");
	far_expect(&out, asks);
	return out;
}

static struct far_stream accept_enabled(struct far *far)
{
	struct far_stream out = accept_sm(far, "<enable " SM " resume='true'/>");

	far_say(&out, "<enabled " SM " id='stream-7' resume='true' max='300'/>");
	return out;
}

static void we_enable_ask_and_hold(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream out;

	(void)state;
	ann_says(far, 1);
	out = accept_sm(far, "<enable " SM " resume='true'/>");
	far_expect_not(&out, "<message");
	far_say(&out, "<enabled " SM " id='stream-7' resume='true' max='300'/>");
	expect_said(&out, 1, 1);
	far_expect(&out, ASK);
	ann_says(far, 2);
	ann_says(far, 3);
	expect_said(&out, 2, 3);
	far_expect_not(&out, ASK);
	far_say(&out, "<a " SM " h='1'/>");
	far_expect(&out, ASK);
	far_say(&out, ASK);
	far_expect(&out, "<a " SM " h='0'/>");
	far_say(&out, "<a " SM " h='3'/>");
	ann_says(far, 4);
	expect_said(&out, 4, 4);
	far_say(&out, "<a " SM " h='5'/>");
	far_expect_end(&out, "<handled-count-too-high " SM " h='5' send-count='4'/>");
	far_stream_close(&out);
	far_close(&far);
}

static void a_peer_that_does_not_want_to_is_served_without(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream out;

	(void)state;
	ann_says(far, 1);
	out = accept_sm(far, "<enable " SM " resume='true'/>");
	far_say(&out, "<failed " SM "><internal-server-error xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>");
	expect_said(&out, 1, 1);
	far_expect_not(&out, ASK);
	far_stream_close(&out);
	far_close(&far);
}

static void we_resume_and_send_only_what_is_missing(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream out;

	(void)state;
	ann_says(far, 1);
	out = accept_enabled(far);
	for (unsigned i = 2; i <= 5; i++)
		ann_says(far, i);
	expect_said(&out, 1, 5);
	far_say(&out, "<a " SM " h='2'/>");
	cut(&out);
	ann_says(far, 6);
	town_pass(far->town, 1500);
	out = accept_sm(far, "<resume " SM " previd='stream-7' h='0'/>");
	far_expect_not(&out, "<message");
	far_say(&out, "<resumed " SM " previd='stream-7' h='4'/>");
	expect_said(&out, 5, 6);
	far_say(&out, "<a " SM " h='6'/>");
	ann_says(far, 7);
	expect_said(&out, 7, 7);
	far_say(&out, "<a " SM " h='7'/>");
	cut(&out);
	ann_says(far, 8);
	town_pass(far->town, 2500);
	out = accept_enabled(far);
	expect_said(&out, 8, 8);
	far_stream_close(&out);
	far_close(&far);
}

/* It has been started anew, and remembers at most how far it was. */
static void what_cannot_be_resumed_goes_again(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream out;

	(void)state;
	ann_says(far, 1);
	out = accept_enabled(far);
	ann_says(far, 2);
	ann_says(far, 3);
	expect_said(&out, 1, 3);
	cut(&out);
	ann_says(far, 4);
	town_pass(far->town, 1500);
	out = accept_sm(far, "<resume " SM " previd='stream-7' h='0'/>");
	far_say(&out, "<failed " SM " h='1'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>");
	far_expect(&out, "<enable " SM " resume='true'/>");
	far_say(&out, "<enabled " SM "/>");
	expect_said(&out, 2, 4);
	far_say(&out, "<a " SM " h='1'/>");
	cut(&out);
	town_pass(far->town, 2500);
	out = accept_enabled(far);
	expect_said(&out, 3, 4);
	far_stream_close(&out);
	far_close(&far);
}

/* Held no longer than the peer keeps its side. */
static void what_was_not_resumed_in_time_goes_again(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream out;

	(void)state;
	ann_says(far, 1);
	out = accept_sm(far, "<enable " SM " resume='true'/>");
	far_say(&out, "<enabled " SM " id='stream-7' resume='1' max='4'/>");
	expect_said(&out, 1, 1);
	cut(&out);
	town_pass(far->town, 1500);
	out = far_accept(far);
	cut(&out);
	town_pass(far->town, 4000);
	out = accept_enabled(far);
	expect_said(&out, 1, 1);
	far_stream_close(&out);
	far_close(&far);
}

static void who_acknowledges_nothing_is_dead(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream out;

	(void)state;
	ann_says(far, 1);
	out = accept_enabled(far);
	expect_said(&out, 1, 1);
	far_expect(&out, ASK);
	for (unsigned i = 0; i < 25; i++)
		town_pass(far->town, 1000);
	far_expect_not(&out, "</stream:stream>");
	cut(&out);
	out = accept_sm(far, "<resume " SM " previd='stream-7' h='0'/>");
	far_say(&out, "<resumed " SM " previd='stream-7' h='1'/>");
	far_expect_not(&out, "<message");
	far_stream_close(&out);
	far_close(&far);
}

/* ---- a peer without stream management: a ping is a barrier ---- */

static void what_a_ping_has_proven_is_not_sent_again(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream in = far_connect_up(far), out;

	(void)state;
	ann_says(far, 1);
	out = far_accept_up(far);
	expect_said(&out, 1, 1);
	far_answer_ping(&out, &in, "far.example", "result");
	ann_says(far, 2);
	expect_said(&out, 2, 2);
	town_pass(far->town, 100);
	far_answer_ping(&out, &in, "far.example", "error");
	ann_says(far, 3);
	expect_said(&out, 3, 3);
	cut(&out);
	town_pass(far->town, 1500);
	out = far_accept_up(far);
	expect_said(&out, 3, 3);
	far_stream_close(&in);
	far_stream_close(&out);
	far_close(&far);
}

/* Another id, or somebody else who has heard of it. */
static void what_answers_no_ping_proves_nothing(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream in = far_connect_up(far), out;

	(void)state;
	ann_says(far, 1);
	out = far_accept_up(far);
	expect_said(&out, 1, 1);
	far_say(&in, "<iq type='result' from='far.example' to='north.example' id='ping-aaaaaaaaaaaaaaaaaaaaaa'/>");
	far_answer_ping(&out, &in, "bob@far.example", "result");
	cut(&out);
	town_pass(far->town, 1500);
	out = far_accept_up(far);
	expect_said(&out, 1, 1);
	far_answer_ping(&out, &in, "evil.example", "result");
	far_expect_end(&in, "<invalid-from");
	cut(&out);
	town_pass(far->town, 2500);
	out = far_accept_up(far);
	expect_said(&out, 1, 1);
	far_stream_close(&in);
	far_stream_close(&out);
	far_close(&far);
}

static void let_time_pass(struct far *far, unsigned seconds)
{
	far_wait_for_tcp(far);
	for (unsigned i = 0; i < seconds; i++)
		town_pass(far->town, 1000);
}

static void of_who_answers_no_ping_tcp_counts(void **state)
{
	struct far *far = far_open("", "");
	struct far_stream out;

	(void)state;
	ann_says(far, 1);
	out = far_accept_up(far);
	expect_said(&out, 1, 1);
	far_expect(&out, "<iq type='get' id='ping-");
	let_time_pass(far, 12);
	far_expect(&out, "<iq type='get' id='ping-");
	ann_says(far, 2);
	expect_said(&out, 2, 2);
	let_time_pass(far, 12);
	ann_says(far, 3);
	expect_said(&out, 3, 3);
	let_time_pass(far, 12);
	far_expect_not(&out, "ping-");
	cut(&out);
	ann_says(far, 4);
	town_pass(far->town, 1500);
	out = far_accept_up(far);
	expect_said(&out, 4, 4);
	far_stream_close(&out);
	far_close(&far);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_offered_and_enabled_behind_the_proof),
		cmocka_unit_test(the_peer_may_want_less_time_or_none),
		cmocka_unit_test(what_is_taken_is_acknowledged),
		cmocka_unit_test(what_is_refused_is_acknowledged_too),
		cmocka_unit_test(a_broken_stream_goes_on_and_nothing_comes_twice),
		cmocka_unit_test(what_is_still_in_hand_is_waited_for),
		cmocka_unit_test(the_old_stream_ends_when_it_is_resumed_beside_it),
		cmocka_unit_test(only_what_broke_can_be_resumed),
		cmocka_unit_test(a_stream_that_is_not_verified_resumes_nothing),
		cmocka_unit_test(what_comes_again_first_of_all_is_known),
		cmocka_unit_test(a_second_break_forgets_nothing),
		cmocka_unit_test(what_only_looks_alike_is_delivered),
		cmocka_unit_test(no_id_is_never_a_repeat),
		cmocka_unit_test(we_enable_ask_and_hold),
		cmocka_unit_test(a_peer_that_does_not_want_to_is_served_without),
		cmocka_unit_test(we_resume_and_send_only_what_is_missing),
		cmocka_unit_test(what_cannot_be_resumed_goes_again),
		cmocka_unit_test(what_was_not_resumed_in_time_goes_again),
		cmocka_unit_test(who_acknowledges_nothing_is_dead),
		cmocka_unit_test(what_a_ping_has_proven_is_not_sent_again),
		cmocka_unit_test(what_answers_no_ping_proves_nothing),
		cmocka_unit_test(of_who_answers_no_ping_tcp_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
