/* SPDX-License-Identifier: MIT
 *
 * How an outgoing stream ends: asked for, by the peer's or our error, by a connection that breaks or keeps silent; and what that
 * says about the link (trouble.h). Who waits for it is told once: those who want a key verified, the link, the trial.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialback.h"
#include "net/connect.h"
#include "outgoing_inside.h"
#include "trial.h"

/* For the reason: where it failed. */
static const char *const outgoing_steps_named[] = {
	[OUTGOING_CONNECTING] = "connecting",
	[OUTGOING_HEADER] = "waiting for its header",
	[OUTGOING_FEATURES] = "waiting for its features",
	[OUTGOING_STARTTLS] = "asking for TLS",
	[OUTGOING_SECURING] = "the TLS handshake",
	[OUTGOING_SASL] = "SASL EXTERNAL",
	[OUTGOING_ENABLING] = "enabling stream management",
	[OUTGOING_JOINING] = "joining",
	[OUTGOING_OPEN] = "dialback",
	[OUTGOING_ENDING] = "closing",
};

void outgoing_free(struct outgoing *outgoing)
{
	assert(list_is_empty(&outgoing->requests));
	connect_cancel(&outgoing->connect);
	timer_stop(outgoing->s2s->home->worker, &outgoing->end);
	list_remove(&outgoing->link_in_home);
	s2s_outgoing_gone(outgoing->s2s);
	free(outgoing->local);
	free(outgoing->remote);
	free(outgoing);
}

/* No further verify request finds it. */
static void outgoing_hide(struct outgoing *outgoing)
{
	struct map *callbacks = outgoing->s2s->callbacks;
	size_t len = strlen(outgoing->remote);

	if (map_find(callbacks, outgoing->remote, len) == outgoing)
		map_remove(callbacks, outgoing->remote, len);
}

/* The condition for those whose key could not be verified (XEP-0220 §2.5). */
static const char *outgoing_verify_condition(enum trouble trouble)
{
	switch (trouble) {
	case TROUBLE_NO_SUCH_DOMAIN:
	case TROUBLE_NO_SERVICE:
	case TROUBLE_HOST_UNKNOWN:
		return DIALBACK_REMOTE_SERVER_NOT_FOUND;
	case TROUBLE_DNS:
	case TROUBLE_NOBODY_LISTENS:
	case TROUBLE_SILENT:
	case TROUBLE_UNREACHABLE:
		return DIALBACK_REMOTE_CONNECTION_FAILED;
	default:
		return DIALBACK_REMOTE_SERVER_TIMEOUT;
	}
}

bool outgoing_is_up(const struct outgoing *outgoing)
{
	return outgoing->link ? outgoing->link->state != LINK_CONNECTING : outgoing->trial && trial_is_up(outgoing->trial);
}

/* Nothing will come of it: who waits for it is told at once. Only a link that is up must wait for the
 * stream's end, which gives back what was written. */
static void outgoing_give_up(struct outgoing *outgoing)
{
	const char *condition = outgoing_verify_condition(outgoing->trouble);
	struct link *link = outgoing->link;
	struct trial *trial = outgoing->trial;
	struct list_link *request;

	outgoing_hide(outgoing);
	outgoing->state = OUTGOING_ENDING;
	while ((request = list_first(&outgoing->requests)))
		verify_finish(LIST_MEMBER(request, struct verify, link), DIALBACK_ERROR, condition);
	outgoing->trial = NULL;
	if (trial)
		trial_down(trial, outgoing->trouble, outgoing->reason);
	if (!link || outgoing_is_up(outgoing))
		return;
	outgoing->link = NULL;
	link_down(link, outgoing->trouble, outgoing->reason);
}

/* It has no stream, or none any more. */
void outgoing_gone(struct outgoing *outgoing)
{
	outgoing_give_up(outgoing);
	if (outgoing->link && outgoing->link->receipts && outgoing->link->receipts->outgoing == outgoing)
		receipts_part(outgoing->link->receipts);
	if (outgoing->link)
		link_down(outgoing->link, outgoing->trouble, outgoing->reason);
	outgoing_free(outgoing);
}

void outgoing_note(struct outgoing *outgoing, enum trouble trouble, const char *reason)
{
	if (outgoing->trouble != TROUBLE_NONE)
		return;
	outgoing->trouble = trouble;
	snprintf(outgoing->reason, sizeof(outgoing->reason), "%s", reason ? reason : "");
}

static void outgoing_ended(struct worker *worker, struct timer *timer)
{
	(void)worker;
	outgoing_gone(LIST_MEMBER(timer, struct outgoing, end));
}

static void outgoing_close_now(struct outgoing *outgoing)
{
	outgoing_hide(outgoing);
	outgoing->state = OUTGOING_ENDING;
	connect_cancel(&outgoing->connect);
	if (outgoing->stream)
		stream_close(outgoing->stream);
	else
		timer_start(outgoing->s2s->home->worker, &outgoing->end, 0, outgoing_ended);
}

static void outgoing_has_lingered(struct worker *worker, struct timer *timer)
{
	(void)worker;
	outgoing_close_now(LIST_MEMBER(timer, struct outgoing, end));
}

/* What is on its way shall be acknowledged before, but only for so long. */
void outgoing_close(struct outgoing *outgoing)
{
	if (outgoing->state == OUTGOING_ENDING)
		return;
	if (!outgoing->link || !outgoing->link->receipts || !receipts_are_due(outgoing->link->receipts))
		outgoing_close_now(outgoing);
	else if (!timer_is_running(&outgoing->end))
		timer_start(outgoing->s2s->home->worker, &outgoing->end, OUTGOING_LINGER_MS, outgoing_has_lingered);
}

void outgoing_abandon(struct outgoing *outgoing, enum trouble trouble, const char *reason)
{
	outgoing_note(outgoing, trouble, reason);
	stream_close(outgoing->stream);
	outgoing_give_up(outgoing);
}

void outgoing_break_off(struct outgoing *outgoing, const char *reason)
{
	outgoing_note(outgoing, TROUBLE_BROKEN, reason);
	outgoing_hide(outgoing);
	outgoing->state = OUTGOING_ENDING;
	stream_hang_up(outgoing->stream);
}

/* The peer broke the rules. */
void outgoing_offended(struct outgoing *outgoing, enum stream_condition condition, const char *text)
{
	log_warn(s2s_log(outgoing->s2s), stream_name(outgoing->stream), "server stream refused",
	         LOG_STR("peer", outgoing->remote), LOG_STR("condition", stream_condition_name(condition)),
	         LOG_STR("reason", text));
	outgoing_note(outgoing, TROUBLE_BROKEN, text);
	stream_fail(outgoing->stream, condition, text);
	outgoing_give_up(outgoing);
}

/* What was sent is the reason (RFC 6120 §4.9.3), not the peer's state. */
static bool condition_blames(enum stream_condition condition)
{
	switch (condition) {
	case STREAM_BAD_FORMAT:
	case STREAM_BAD_NAMESPACE_PREFIX:
	case STREAM_IMPROPER_ADDRESSING:
	case STREAM_INTERNAL_SERVER_ERROR:
	case STREAM_INVALID_FROM:
	case STREAM_INVALID_NAMESPACE:
	case STREAM_INVALID_XML:
	case STREAM_NOT_WELL_FORMED:
	case STREAM_POLICY_VIOLATION:
	case STREAM_RESTRICTED_XML:
	case STREAM_UNSUPPORTED_ENCODING:
	case STREAM_UNSUPPORTED_FEATURE:
	case STREAM_UNSUPPORTED_STANZA_TYPE:
		return true;
	default:
		return false;
	}
}

/* What the peer's stream error, or the end of the connection, says about the link. */
static enum trouble outgoing_judge(const struct outgoing *outgoing, enum stream_condition condition,
                                   const char *text)
{
	bool up = outgoing_is_up(outgoing);

	if (up && condition_blames(condition))
		return TROUBLE_OFFENDED;
	switch (condition) {
	case STREAM_NO_ERROR:
		if (outgoing->state == OUTGOING_SECURING)
			return TROUBLE_HANDSHAKE;
		return up && !text ? TROUBLE_NONE : TROUBLE_BROKEN;
	case STREAM_HOST_UNKNOWN:
	case STREAM_HOST_GONE:
		return TROUBLE_HOST_UNKNOWN;
	case STREAM_POLICY_VIOLATION:
	case STREAM_NOT_AUTHORIZED:
		return up ? TROUBLE_BROKEN : TROUBLE_DENIED;
	default:
		return up ? TROUBLE_BROKEN : TROUBLE_REFUSED;
	}
}

void outgoing_closed(struct stream *stream, void *owner, enum stream_condition condition, const char *text)
{
	struct outgoing *outgoing = owner;
	const char *what = condition ? stream_condition_name(condition) : "the connection ended";
	const char *step =
		outgoing_is_up(outgoing) ? "the stream was up" : outgoing_steps_named[outgoing->state];
	char reason[LINK_REASON];

	(void)stream;
	outgoing->stream = NULL;
	if (outgoing->state != OUTGOING_ENDING || condition != STREAM_NO_ERROR) {
		snprintf(reason, sizeof(reason), "%s%s%s (%s)", what, text ? ": " : "", text ? text : "",
		         step);
		outgoing_note(outgoing, outgoing_judge(outgoing, condition, text), reason);
	}
	outgoing_gone(outgoing);
}

void outgoing_returned(struct stream *stream, void *owner, struct parcel *parcel)
{
	struct outgoing *outgoing = owner;

	(void)stream;
	receipts_return(outgoing->link->receipts, parcel);
}

void outgoing_late(struct stream *stream, void *owner)
{
	struct outgoing *outgoing = owner;
	char reason[LINK_REASON];

	(void)stream;
	snprintf(reason, sizeof(reason), "the server did not answer in time (%s)", outgoing_steps_named[outgoing->state]);
	outgoing_abandon(outgoing, TROUBLE_SILENT, reason);
}

void outgoing_leave(struct outgoing *outgoing)
{
	outgoing->trial = NULL;
	outgoing_close(outgoing);
}
