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
	far_expect(&in, "<a " SM " h='1'/>");
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
