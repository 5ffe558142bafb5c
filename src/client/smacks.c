/* SPDX-License-Identifier: MIT
 *
 * XEP-0198 for clients: counts both ways, and sessions that outlive their connection.
 *
 * A session with stream management has an outlet of its own, whose owner is its struct smacks: what goes to the
 * client is held until the client has acknowledged it, whatever its TCP says. When the connection breaks the
 * session stays, and goes on collecting, until it is resumed (§5) or its time is over; then what is left goes
 * back to the account, in order. h of the client's stanzas says what others have taken (tally.h).
 */
#include "smacks.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "xmpp/ns.h"
#include "xmpp/sm.h"

enum { WINDOW_BYTES = 256 * 1024 }; /* on their way to the client */

static void smacks_turned(struct worker *worker, struct turn_job *job);
static void smacks_late(struct worker *worker, struct timer *timer);

struct smacks *smacks_of(const struct session *session)
{
	return session && session->outlet == &smacks_outlet ? session->outlet_owner : NULL;
}

/* ---- the end of a session ---- */

/* What the client has not acknowledged goes back, in order. */
static void smacks_give_back(struct smacks *smacks)
{
	struct parcel *parcel;

	while ((parcel = unacked_take(&smacks->unacked)))
		session_give_back(smacks->session, parcel);
	session_gave_back(smacks->session);
}

void smacks_end(struct smacks *smacks)
{
	struct session *session = smacks->session;

	if (smacks->resume_ms > 0)
		past_add(smacks);
	timer_stop(smacks_home(smacks)->worker, &smacks->timer);
	list_remove(&smacks->link);
	session_leave(session);
	smacks_give_back(smacks);
	tally_clear(&smacks->tally);
	smacks->session = NULL;
	session_end(session);
	if (!smacks->job.waiting)
		free(smacks);
}

static void smacks_end_soon(struct smacks *smacks)
{
	smacks->ends = true;
	worker_at_end_of_turn(smacks_home(smacks)->worker, &smacks->job);
}

/* §7: only a footer ends a session cleanly; what breaks the rules loses it. */
static bool smacks_may_wait(const struct smacks *smacks, enum stream_condition condition)
{
	bool broken = condition == STREAM_NO_ERROR || condition == STREAM_CONNECTION_TIMEOUT ||
	              condition == STREAM_RESOURCE_CONSTRAINT;

	return broken && smacks->resume_ms > 0 && !smacks->ends && !smacks->session->ending &&
	       !stream_is_closed_by_peer(smacks->client->stream);
}

void smacks_detach(struct smacks *smacks, uint64_t wait_ms)
{
	struct home *home = smacks_home(smacks);

	smacks->client = NULL;
	smacks->session->detached = true;
	smacks->until_ms = worker_now_ms(home->worker) + wait_ms;
	list_add_last(&client_room(home)->detached, &smacks->link);
	if (home->draining)
		smacks_freeze_soon(smacks);
	else
		timer_start(home->worker, &smacks->timer, wait_ms, smacks_late);
}

bool smacks_closed(struct client *client, enum stream_condition condition)
{
	struct smacks *smacks = smacks_of(client->session);

	if (!smacks)
		return false;
	if (smacks_may_wait(smacks, condition)) {
		smacks_detach(smacks, smacks->resume_ms);
		for (struct parcel *parcel = smacks->unacked.first; parcel; parcel = parcel->next)
			session_lost(smacks->session, parcel);
	} else {
		smacks_end(smacks);
	}
	return true;
}

static void smacks_late(struct worker *worker, struct timer *timer)
{
	struct smacks *smacks = LIST_MEMBER(timer, struct smacks, timer);

	log_info(worker_log(worker), smacks->session->id, "session was not resumed",
	         LOG_STR("jid", smacks->session->jid.text), LOG_INT("unacknowledged", smacks->unacked.count));
	smacks_end(smacks);
}

static void smacks_settle(struct smacks *smacks)
{
	tally_settle(&smacks->tally);
	if (smacks->client && tally_owes(&smacks->tally))
		worker_at_end_of_turn(smacks_home(smacks)->worker, &smacks->job);
}

/* ---- to the client ---- */

static void smacks_write_parcel(struct client *client, const struct parcel *parcel)
{
	struct stanza_copy copy = { .to = parcel->to.text ? &parcel->to : NULL };
	struct buf tail = { 0 };

	outlet_tail(&tail, client->session, parcel);
	copy.tail = tail.data;
	copy.tail_len = tail.len;
	stream_write(client->stream, parcel->stanza, &copy);
	buf_clear(&tail);
}

/* At the end of the turn the client is asked for it. */
void smacks_write(struct smacks *smacks)
{
	struct parcel *parcel;

	if (!smacks->client)
		return;
	while ((parcel = unacked_next(&smacks->unacked, WINDOW_BYTES)))
		smacks_write_parcel(smacks->client, parcel);
	if (smacks->unacked.count > 0 && !smacks->asks)
		worker_at_end_of_turn(smacks_home(smacks)->worker, &smacks->job);
}

static bool smacks_is_full(const struct smacks *smacks)
{
	const struct client_limits *limits = client_limits(smacks_home(smacks)->config);

	return smacks->unacked.count > limits->unacked || smacks->unacked.bytes > limits->unacked_bytes;
}

/* A session is ended from outside of the walks that deliver to it. */
static void smacks_deliver(struct session *session, struct parcel *parcel)
{
	struct smacks *smacks = session->outlet_owner;

	parcel->delayed |= !smacks->client;
	unacked_add(&smacks->unacked, parcel);
	if (smacks_is_full(smacks))
		smacks_end_soon(smacks);
	else
		smacks_write(smacks);
	smacks_settle(smacks);
}

/* Whoever takes its place gets what it had not acknowledged before anything new, however long the stream takes to close. */
static void smacks_close(struct session *session, enum stream_condition condition, const char *text)
{
	struct smacks *smacks = session->outlet_owner;

	session_gives_back_soon(session);
	if (smacks->client) {
		client_fail(smacks->client, condition, text);
		worker_at_end_of_turn(smacks_home(smacks)->worker, &smacks->job);
	} else {
		smacks_end_soon(smacks);
	}
}

static bool smacks_taken(struct session *session, uint64_t token)
{
	struct smacks *smacks = session->outlet_owner;

	if (!tally_done(&smacks->tally, token))
		return false;
	smacks_settle(smacks);
	return true;
}

static void smacks_progress(const struct session *session, uint64_t *stream, uint32_t *handled)
{
	const struct smacks *smacks = session->outlet_owner;

	if (smacks->resume_ms == 0)
		return;
	*stream = smacks->stream;
	*handled = smacks->tally.handled;
}

const struct session_outlet smacks_outlet = {
	.deliver = smacks_deliver,
	.close = smacks_close,
	.taken = smacks_taken,
	.progress = smacks_progress,
};

/* ---- acknowledging (§4) ---- */

void smacks_say_h(struct smacks *smacks)
{
	sm_write_ack(stream_out(smacks->client->stream), tally_say(&smacks->tally));
}

static void smacks_ask(struct smacks *smacks)
{
	smacks->asks = true;
	sm_write_ask(stream_out(smacks->client->stream));
}

static void smacks_turned(struct worker *worker, struct turn_job *job)
{
	struct smacks *smacks = LIST_MEMBER(job, struct smacks, job);

	(void)worker;
	if (!smacks->session) {
		free(smacks);
	} else if (smacks->client && smacks->session->ending) {
		smacks_give_back(smacks);
	} else if (smacks->ends && smacks->client) {
		session_close(smacks->session, STREAM_RESOURCE_CONSTRAINT, "too much is not acknowledged");
	} else if (smacks->ends) {
		smacks_end(smacks);
	} else if (smacks->client && smacks->client->state == CLIENT_BOUND) {
		if (tally_owes(&smacks->tally))
			smacks_say_h(smacks);
		if (smacks->unacked.count > 0 && !smacks->asks)
			smacks_ask(smacks);
	}
}

bool smacks_counts(struct client *client, struct stanza *stanza)
{
	struct smacks *smacks = smacks_of(client->session);

	return !smacks || tally_enter(&smacks->tally, stanza);
}

void smacks_passed_on(struct session *session, uint64_t token, bool waits)
{
	struct smacks *smacks = smacks_of(session);

	if (!smacks)
		return;
	if (!waits)
		tally_done(&smacks->tally, token);
	smacks_settle(smacks);
}

static void client_ping_passed(void *owner, struct stanza *ping)
{
	struct client *client = owner;

	if (client->session)
		session_sent(client->session, ping);
	else
		stanza_drop(&ping);
}

void client_stanza(struct client *client, struct stanza **stanza)
{
	struct session *session = client->session;
	bool waits = tally_waits_for(*stanza);
	uint64_t token;

	if (!smacks_of(session) && barrier_stops(&client->barrier, stream_home(client->stream), *stanza, &session->jid,
	                                         client_ping_passed, client))
		return;
	if (!smacks_counts(client, *stanza)) {
		smacks_passed_on(session, 0, true);
		return;
	}
	token = (*stanza)->token;
	session_sent(session, *stanza);
	*stanza = NULL;
	if (token)
		smacks_passed_on(session, token, waits);
}

bool smacks_acked(struct smacks *smacks, struct client *client, uint32_t h)
{
	char *detail;

	if (unacked_ack(&smacks->unacked, smacks_home(smacks), h))
		return true;
	detail = sm_too_high(h, smacks->unacked.sent);
	client_set_state(client, CLIENT_ENDING);
	stream_fail_with(client->stream, STREAM_UNDEFINED_CONDITION, SM_TOO_HIGH, detail);
	free(detail);
	return false;
}

void client_acks(struct client *client, struct stanza **element)
{
	struct smacks *smacks = smacks_of(client->session);
	uint32_t h;

	if (!smacks)
		return;
	if (!sm_read_number(element_attr((*element)->root, "h"), &h)) {
		client_fail(client, STREAM_BAD_FORMAT, "an <a/> must have a number h");
		return;
	}
	smacks->asks = false;
	if (smacks_acked(smacks, client, h))
		smacks_write(smacks);
}

void client_asks(struct client *client, struct stanza **element)
{
	struct smacks *smacks = smacks_of(client->session);

	(void)element;
	if (!smacks) {
		sm_write_failed(stream_out(client->stream), STANZA_UNEXPECTED_REQUEST, NULL);
		return;
	}
	tally_ask(&smacks->tally);
	smacks_say_h(smacks);
}

bool smacks_asks_whether_alive(struct client *client)
{
	struct smacks *smacks = smacks_of(client->session);

	if (smacks)
		smacks_ask(smacks);
	return smacks;
}

/* ---- enabling (§3) ---- */

/* The client may want less time than there is. */
static uint32_t resume_time(const struct client *client, const struct element *enable)
{
	uint32_t ms = client_limits(stream_home(client->stream)->config)->resume_ms, max;

	if (!sm_read_flag(element_attr(enable, "resume")))
		return 0;
	if (sm_read_number(element_attr(enable, "max"), &max) && max > 0 && max < ms / 1000)
		return max * 1000;
	return ms;
}

static void smacks_say_enabled(const struct smacks *smacks, struct buf *out)
{
	buf_add_lit(out, "<enabled xmlns='" NS_SM "'");
	if (smacks->resume_ms)
		buf_printf(out, " id='%s' resume='true' max='%u'", smacks->id, smacks->resume_ms / 1000);
	buf_add_lit(out, "/>");
}

struct smacks *smacks_new(struct home *home, const char *id)
{
	struct smacks *smacks = mem_zalloc(sizeof(*smacks));

	if (id)
		memcpy(smacks->id, id, ID_LEN);
	else
		id_random(worker_entropy(home->worker), smacks->id);
	smacks->stream = past_stream(smacks->id);
	smacks->job.run = smacks_turned;
	unacked_init(&smacks->unacked);
	tally_init(&smacks->tally, ++home->serial);
	return smacks;
}

/* What was sent before is not counted: it stays with the stream until TCP has acknowledged it. */
void smacks_enable(struct client *client, const struct element *enable, struct buf *out)
{
	struct smacks *smacks = smacks_new(stream_home(client->stream), NULL);

	smacks->session = client->session;
	smacks->client = client;
	smacks->resume_ms = resume_time(client, enable);
	client->session->outlet = &smacks_outlet;
	client->session->outlet_owner = smacks;
	smacks_say_enabled(smacks, out);
}

/* A second one ends the stream. */
void client_enables(struct client *client, struct stanza **element)
{
	struct buf *out = stream_out(client->stream);

	if (client->state != CLIENT_BOUND) {
		sm_write_failed(out, STANZA_UNEXPECTED_REQUEST, NULL);
	} else if (smacks_of(client->session)) {
		sm_write_failed(out, STANZA_UNEXPECTED_REQUEST, NULL);
		client_fail(client, STREAM_POLICY_VIOLATION, "stream management is enabled already");
	} else {
		smacks_enable(client, (*element)->root, out);
	}
}
