/* SPDX-License-Identifier: MIT
 *
 * Stream management on a stream that was opened to us (XEP-0198): §3 enabled by a peer whose domain is verified, §4 counted
 * and acknowledged, §5 resumed. Nothing of ours goes out on such a stream, so there is nothing for the peer to acknowledge.
 */
#include "incoming_inside.h"

#include <stdlib.h>
#include <string.h>

#include "xmpp/ns.h"
#include "xmpp/sm.h"

/* The pair of the header, to which all belongs. */
static bool incoming_has_proven(const struct incoming *incoming)
{
	const char *from = incoming->from, *to = incoming->to;
	const struct pair *pair = from ? pair_find(incoming, from, strlen(from), to, strlen(to)) : NULL;

	return pair && pair->verified;
}

/* ---- enabling (§3) ---- */

/* The peer may want less time than there is. */
static uint32_t incoming_resume_time(const struct incoming *incoming, const struct element *enable)
{
	uint32_t ms = incoming_policy(incoming, incoming->from)->resume_ms, max;

	if (!sm_read_flag(element_attr(enable, "resume")))
		return 0;
	if (sm_read_number(element_attr(enable, "max"), &max) && max > 0 && max < ms / 1000)
		return max * 1000;
	return ms;
}

static void incoming_say_enabled(struct incoming *incoming, struct intake *before)
{
	struct buf *out = stream_out(incoming->stream);
	const struct intake *intake = incoming->intake = intake_new(incoming, incoming->resume_ms, before);

	buf_add_lit(out, "<enabled xmlns='" NS_SM "'");
	if (intake->resume_ms > 0)
		buf_printf(out, " id='%s' resume='true' max='%u'", intake->id, intake->resume_ms / 1000);
	buf_add_lit(out, "/>");
}

/* An older stream of the pair broke, and is not resumed. */
static void incoming_succeeds(struct incoming *incoming, struct intake *before)
{
	incoming_say_enabled(incoming, before);
	stream_resume(incoming->stream);
}

void incoming_enable(struct incoming *incoming, struct stanza *stanza)
{
	struct intake *before;

	if (incoming->intake || !incoming_has_proven(incoming)) {
		sm_write_failed(stream_out(incoming->stream), STANZA_UNEXPECTED_REQUEST, NULL);
		if (incoming->intake)
			incoming_fail(incoming, STREAM_POLICY_VIOLATION, "stream management is enabled already");
		return;
	}
	incoming->resume_ms = incoming_resume_time(incoming, stanza->root);
	before = intake_find_broken(incoming->s2s, incoming->from, incoming->to);
	if (!before) {
		incoming_say_enabled(incoming, NULL);
		return;
	}
	stream_pause(incoming->stream);
	intake_await(before, incoming, incoming_succeeds);
}

/* ---- acknowledging (§4) ---- */

void incoming_asks(struct incoming *incoming, struct stanza *stanza)
{
	(void)stanza;
	if (incoming->intake)
		intake_ask(incoming->intake);
	else
		sm_write_failed(stream_out(incoming->stream), STANZA_UNEXPECTED_REQUEST, NULL);
}

/* §6. false: the stream has failed. */
static bool incoming_acknowledges(struct incoming *incoming, const struct stanza *stanza)
{
	const char *text = element_attr(stanza->root, "h");
	char *detail;
	uint32_t h;

	if (!sm_read_number(text, &h)) {
		incoming_fail(incoming, STREAM_BAD_FORMAT, "an acknowledgement has a number h");
		return false;
	}
	if (h == 0)
		return true;
	detail = sm_too_high(h, 0);
	incoming->state = INCOMING_ENDING;
	stream_fail_with(incoming->stream, STREAM_UNDEFINED_CONDITION, SM_TOO_HIGH, detail);
	free(detail);
	return false;
}

void incoming_acks(struct incoming *incoming, struct stanza *stanza)
{
	incoming_acknowledges(incoming, stanza);
}

/* ---- resuming (§5) ---- */

static void incoming_resumed(struct incoming *incoming, struct intake *intake)
{
	intake_resume(intake, incoming);
	log_info(s2s_log(incoming->s2s), stream_name(incoming->stream), "server stream resumed",
	         LOG_STR("peer", intake->from), LOG_STR("to", intake->to), LOG_INT("h", intake->tally.handled));
	buf_printf(stream_out(incoming->stream), "<resumed xmlns='" NS_SM "' previd='%s' h='%u'/>", intake->id,
	           intake->tally.handled);
	stream_resume(incoming->stream);
}

void incoming_resume(struct incoming *incoming, struct stanza *stanza)
{
	const char *id = element_attr(stanza->root, "previd");
	struct intake *intake;

	if (incoming->intake || !id || !incoming_has_proven(incoming)) {
		sm_write_failed(stream_out(incoming->stream), STANZA_UNEXPECTED_REQUEST, NULL);
		return;
	}
	if (!incoming_acknowledges(incoming, stanza))
		return;
	intake = intake_find(incoming->s2s, incoming->from, incoming->to, id);
	if (!intake) {
		sm_write_failed(stream_out(incoming->stream), STANZA_ITEM_NOT_FOUND, NULL);
		return;
	}
	stream_pause(incoming->stream);
	intake_await(intake, incoming, incoming_resumed);
}

/* ---- the end (§7) ---- */

/* Only a footer ends it cleanly; what breaks the rules loses it. */
void incoming_leave_intake(struct incoming *incoming, enum stream_condition condition)
{
	bool broken = condition == STREAM_NO_ERROR || condition == STREAM_CONNECTION_TIMEOUT ||
	              condition == STREAM_RESOURCE_CONSTRAINT;
	struct intake *intake = incoming->intake ? incoming->intake : incoming->awaited;

	incoming->intake = incoming->awaited = NULL;
	if (intake)
		intake_closed(intake, incoming, broken && !stream_is_closed_by_peer(incoming->stream));
}
