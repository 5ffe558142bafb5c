/* SPDX-License-Identifier: MIT
 *
 * Stream management on a stream that we open (XEP-0198): behind the proof of our domain it is enabled (§3), or an older stream
 * of the link is resumed (§5); then the link's stanzas may flow. Towards a peer that does not offer it they flow at once, and
 * pings show what has arrived.
 */
#include "outgoing_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "xmpp/ns.h"
#include "xmpp/sm.h"

enum { RESUME_MS = 300000 }; /* where the peer does not say how long */

static void outgoing_ask_for_sm(struct outgoing *outgoing)
{
	buf_add_lit(stream_out(outgoing->stream), "<enable xmlns='" NS_SM "' resume='true'/>");
}

static void outgoing_go_without_sm(struct outgoing *outgoing)
{
	enum receipts_by by = outgoing->link->answers_no_pings ? RECEIPTS_BY_TCP : RECEIPTS_BY_PING;

	outgoing->link->receipts = receipts_new(outgoing, by, NULL, 0);
	outgoing_up(outgoing);
}

void outgoing_begin_sm(struct outgoing *outgoing)
{
	struct receipts *held = outgoing->link->receipts;

	if (!outgoing->offers_sm) {
		if (held)
			receipts_give_up(held);
		outgoing_go_without_sm(outgoing);
		return;
	}
	outgoing->state = OUTGOING_ENABLING;
	if (held)
		buf_printf(stream_out(outgoing->stream), "<resume xmlns='" NS_SM "' previd='%s' h='0'/>", held->previd);
	else
		outgoing_ask_for_sm(outgoing);
}

/* ---- enabled (§3) ---- */

/* The id goes back as it came; one that says more than an id is none. */
static char *sm_id(const struct element *enabled)
{
	const char *id = element_attr(enabled, "id");

	if (!id || !*id || strlen(id) > SM_ID_MAX || !sm_read_flag(element_attr(enabled, "resume")))
		return NULL;
	return strpbrk(id, "<>&'\"") ? NULL : str_dup(id);
}

/* COMPAT Prosody 0.12 (2026-11): it says that the stream may be resumed, and gives no id by which. */
void outgoing_sm_enabled(struct outgoing *outgoing, struct stanza *stanza)
{
	uint64_t resume_ms = RESUME_MS;
	uint32_t max;

	if (outgoing->link->receipts) {
		outgoing_offended(outgoing, STREAM_BAD_FORMAT, "a resumption is not answered by <enabled/>");
		return;
	}
	if (sm_read_number(element_attr(stanza->root, "max"), &max))
		resume_ms = (uint64_t)max * 1000;
	outgoing->link->receipts = receipts_new(outgoing, RECEIPTS_BY_SM, sm_id(stanza->root), resume_ms);
	outgoing_up(outgoing);
}

/* ---- resumed (§5) ---- */

static void outgoing_acks_too_much(struct outgoing *outgoing, uint32_t h)
{
	char *detail = sm_too_high(h, outgoing->link->receipts->unacked.sent);

	outgoing_note(outgoing, TROUBLE_BROKEN, SM_TOO_HIGH);
	stream_fail_with(outgoing->stream, STREAM_UNDEFINED_CONDITION, SM_TOO_HIGH, detail);
	outgoing_offended(outgoing, STREAM_UNDEFINED_CONDITION, SM_TOO_HIGH);
	free(detail);
}

void outgoing_sm_resumed(struct outgoing *outgoing, struct stanza *stanza)
{
	struct receipts *held = outgoing->link->receipts;
	uint32_t h;

	if (!held || !sm_read_number(element_attr(stanza->root, "h"), &h)) {
		outgoing_offended(outgoing, STREAM_BAD_FORMAT, "it resumes what was not asked for, or without h");
		return;
	}
	if (!receipts_resume(held, outgoing, h)) {
		outgoing_acks_too_much(outgoing, h);
		return;
	}
	log_info(s2s_log(outgoing->s2s), stream_name(outgoing->stream), "server stream resumed",
	         LOG_STR("peer", outgoing->remote), LOG_INT("h", h));
	outgoing_up(outgoing);
}

/* What was held is given back, but for what the peer knows that it has; a new beginning is tried on the same stream. */
void outgoing_sm_failed(struct outgoing *outgoing, struct stanza *stanza)
{
	struct receipts *held = outgoing->link->receipts;
	uint32_t h;

	if (!held) {
		outgoing_go_without_sm(outgoing);
		return;
	}
	if (sm_read_number(element_attr(stanza->root, "h"), &h) && !receipts_ack(held, h)) {
		outgoing_acks_too_much(outgoing, h);
		return;
	}
	receipts_give_up(held);
	outgoing_ask_for_sm(outgoing);
}

/* ---- acknowledged (§4) ---- */

void outgoing_acks(struct outgoing *outgoing, struct stanza *stanza)
{
	struct receipts *receipts = outgoing->link ? outgoing->link->receipts : NULL;
	uint32_t h;

	if (!receipts || receipts->by != RECEIPTS_BY_SM || !sm_read_number(element_attr(stanza->root, "h"), &h))
		outgoing_offended(outgoing, STREAM_BAD_FORMAT, "an acknowledgement of nothing, or without a number h");
	else if (!receipts_ack(receipts, h))
		outgoing_acks_too_much(outgoing, h);
	else if (timer_is_running(&outgoing->end))
		outgoing_close(outgoing);
}

/* The peer sends no stanzas on it. */
void outgoing_asks(struct outgoing *outgoing, struct stanza *stanza)
{
	(void)stanza;
	sm_write_ack(stream_out(outgoing->stream), 0);
}
