/* SPDX-License-Identifier: MIT
 *
 * Holding, asking and giving back: XEP-0198 §4 and §5 in the role of who opens the stream; XEP-0199 where the peer has no
 * XEP-0198.
 *
 * One question is out at a time: at the end of a turn in which something was written, and again after a while as long as the
 * answer leaves something open. A peer that neither answers nor lets its TCP acknowledge anything is dead.
 */
#include "receipts.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "outgoing_inside.h"
#include "policy.h"
#include "xmpp/sm.h"
#include "xmpp/stamp.h"

enum {
	WINDOW_BYTES = 1024 * 1024, /* on their way to the peer */
	ASK_AGAIN_MS = 1000,        /* when the answer did not cover what was asked for */
	LOOK_MS = 5000,             /* for an answer */
	LOOKS_MOST = 3,             /* without progress */
	PING_PAUSE_MS = 50,         /* from one ping to the next */
	PING_MS = 10000,            /* for the answer: the peer may have to connect to us first */
	UNANSWERED_MOST = 2,        /* pings, until the peer counts as one that answers none */
	TCP_LOOK_MS = 50,
};

static void receipts_turned(struct worker *worker, struct turn_job *job);
static void receipts_ask_again(struct worker *worker, struct timer *timer);
static void receipts_look(struct worker *worker, struct timer *timer);
static void receipts_expired(struct worker *worker, struct timer *timer);

static struct home *receipts_home(const struct receipts *receipts)
{
	return receipts->link->s2s->home;
}

static struct worker *receipts_worker(const struct receipts *receipts)
{
	return receipts_home(receipts)->worker;
}

const char *receipts_by_name(const struct receipts *receipts)
{
	static const char *const names[] = {
		[RECEIPTS_BY_TCP] = "tcp",
		[RECEIPTS_BY_PING] = "ping",
		[RECEIPTS_BY_SM] = "xep-0198",
	};

	return names[receipts->by];
}

struct receipts *receipts_new(struct outgoing *outgoing, enum receipts_by by, char *previd, uint64_t resume_ms)
{
	struct receipts *receipts = mem_zalloc(sizeof(*receipts));

	receipts->link = outgoing->link;
	receipts->outgoing = outgoing;
	receipts->by = by;
	receipts->previd = previd;
	receipts->resume_ms = resume_ms;
	receipts->job.run = receipts_turned;
	unacked_init(&receipts->unacked);
	return receipts;
}

void receipts_free(struct receipts *receipts)
{
	struct parcel *parcel;

	timer_stop(receipts_worker(receipts), &receipts->timer);
	while ((parcel = unacked_take(&receipts->unacked)))
		parcel_free(&parcel);
	free(receipts->previd);
	free(receipts);
}

/* ---- writing ---- */

bool receipts_are_due(const struct receipts *receipts)
{
	return receipts->unacked.count > 0 && receipts->outgoing && (receipts->by == RECEIPTS_BY_SM || receipts->answers);
}

bool receipts_have_room(const struct receipts *receipts)
{
	return receipts->unacked.written_bytes < WINDOW_BYTES;
}

static void receipts_write(struct receipts *receipts, struct parcel *parcel, const struct buf *tail)
{
	const struct stanza_copy copy = { .to = parcel->to.text ? &parcel->to : NULL,
		                          .tail = tail->data,
		                          .tail_len = tail->len };

	unacked_add(&receipts->unacked, parcel);
	stream_write(receipts->outgoing->stream, unacked_next(&receipts->unacked, SIZE_MAX)->stanza, &copy);
	if (!receipts->asks)
		worker_at_end_of_turn(receipts_worker(receipts), &receipts->job);
}

/* What has waited says since when (XEP-0203). */
void receipts_send(struct receipts *receipts, struct parcel *parcel)
{
	struct buf tail = { 0 };

	if (parcel->delayed && parcel->stanza->kind != STANZA_IQ)
		stamp_delay(&tail, receipts->link->local, parcel->since_us);
	if (receipts->by == RECEIPTS_BY_TCP)
		stream_send(receipts->outgoing->stream, parcel, tail.data, tail.len);
	else
		receipts_write(receipts, parcel, &tail);
	buf_clear(&tail);
}

/* ---- asking (§4) ---- */

static void receipts_ask(struct receipts *receipts)
{
	struct outgoing *outgoing = receipts->outgoing;
	struct buf *out = stream_out(outgoing->stream);

	if (receipts->by == RECEIPTS_BY_SM)
		sm_write_ask(out);
	else
		ping_write(receipts_home(receipts), out, outgoing->local, outgoing->remote, &receipts->ping);
	receipts->asks = true;
	receipts->asked = receipts->unacked.sent;
	receipts->position = conn_position(stream_conn(outgoing->stream));
	receipts->asked_ms = worker_now_ms(receipts_worker(receipts));
	receipts->looks = 0;
	timer_start(receipts_worker(receipts), &receipts->timer, LOOK_MS, receipts_look);
}

static bool receipts_may_ask(const struct receipts *receipts)
{
	return receipts->by != RECEIPTS_BY_TCP && receipts->outgoing && outgoing_is_open(receipts->outgoing) && !receipts->asks;
}

/* How long the next question has to wait: an answer to a ping costs the peer a stanza. */
static uint64_t receipts_rest_ms(const struct receipts *receipts)
{
	uint64_t since_ms = worker_now_ms(receipts_worker(receipts)) - receipts->asked_ms;

	return receipts->by == RECEIPTS_BY_PING && since_ms < PING_PAUSE_MS ? PING_PAUSE_MS - since_ms : 0;
}

static void receipts_turned(struct worker *worker, struct turn_job *job)
{
	struct receipts *receipts = LIST_MEMBER(job, struct receipts, job);

	if (receipts->ended)
		free(receipts);
	else if (!receipts_may_ask(receipts) || receipts->unacked.count == 0)
		return;
	else if (receipts_rest_ms(receipts) > 0)
		timer_start(worker, &receipts->timer, receipts_rest_ms(receipts), receipts_ask_again);
	else
		receipts_ask(receipts);
}

static void receipts_ask_again(struct worker *worker, struct timer *timer)
{
	struct receipts *receipts = LIST_MEMBER(timer, struct receipts, timer);

	worker_at_end_of_turn(worker, &receipts->job);
}

void receipts_probe(struct receipts *receipts)
{
	if (receipts_may_ask(receipts))
		receipts_ask(receipts);
}

/* What the answer leaves open: what was written since is asked for at once, what the peer still has in hand after a while. */
static void receipts_answered(struct receipts *receipts)
{
	struct worker *worker = receipts_worker(receipts);

	receipts->asks = false;
	receipts->answers = true;
	receipts->round_ms = worker_now_ms(worker) - receipts->asked_ms;
	timer_stop(worker, &receipts->timer);
	if (receipts->unacked.sent != receipts->asked)
		worker_at_end_of_turn(worker, &receipts->job);
	else if (receipts->unacked.count > 0)
		timer_start(worker, &receipts->timer, ASK_AGAIN_MS, receipts_ask_again);
}

bool receipts_ack(struct receipts *receipts, uint32_t h)
{
	if (!unacked_ack(&receipts->unacked, receipts_home(receipts), h))
		return false;
	if (receipts->asks)
		receipts_answered(receipts);
	return true;
}

void receipts_answer(struct receipts *receipts, const struct ping_id *id)
{
	if (receipts->by != RECEIPTS_BY_PING || !receipts->asks || strcmp(receipts->ping.text, id->text) != 0)
		return;
	receipts->unanswered = 0;
	receipts_ack(receipts, receipts->asked);
}

/* ---- no answer ---- */

/* What the pings have not shown, TCP must: what is written from now on the stream holds itself. */
static void receipts_look_at_tcp(struct worker *worker, struct timer *timer)
{
	struct receipts *receipts = LIST_MEMBER(timer, struct receipts, timer);

	if (conn_acked(stream_conn(receipts->outgoing->stream)) >= receipts->position)
		unacked_ack(&receipts->unacked, receipts_home(receipts), receipts->asked);
	else
		timer_start(worker, timer, TCP_LOOK_MS, receipts_look_at_tcp);
}

static void receipts_do_without(struct receipts *receipts)
{
	log_info(s2s_log(receipts->link->s2s), stream_name(receipts->outgoing->stream),
	         "the server answers no pings; what its TCP acknowledges counts", LOG_STR("peer", receipts->link->remote));
	receipts->by = RECEIPTS_BY_TCP;
	receipts->link->answers_no_pings = true;
	receipts->asks = false;
	receipts->asked = receipts->unacked.sent;
	receipts->position = conn_position(stream_conn(receipts->outgoing->stream));
	timer_start(receipts_worker(receipts), &receipts->timer, 0, receipts_look_at_tcp);
}

/* The ping has arrived, and its time is over. */
static void receipts_miss(struct receipts *receipts)
{
	receipts->asks = false;
	if (++receipts->unanswered >= UNANSWERED_MOST)
		receipts_do_without(receipts);
	else
		receipts_ask(receipts);
}

/* A long way with much on it takes its time; no progress at all for so long means that nobody is there. */
static void receipts_look(struct worker *worker, struct timer *timer)
{
	struct receipts *receipts = LIST_MEMBER(timer, struct receipts, timer);
	uint64_t arrived = conn_acked(stream_conn(receipts->outgoing->stream));
	bool ping_has_arrived = receipts->by == RECEIPTS_BY_PING && arrived >= receipts->position;

	receipts->looks = arrived == receipts->arrived ? receipts->looks + 1 : 0;
	receipts->arrived = arrived;
	if (ping_has_arrived && worker_now_ms(worker) - receipts->asked_ms >= PING_MS)
		receipts_miss(receipts);
	else if (!ping_has_arrived && receipts->looks >= LOOKS_MOST)
		outgoing_break_off(receipts->outgoing, "the server acknowledges nothing any more");
	else
		timer_start(worker, timer, LOOK_MS, receipts_look);
}

/* ---- the end of a stream ---- */

static void receipts_give_back(struct receipts *receipts)
{
	struct parcel *parcel;

	while ((parcel = unacked_take(&receipts->unacked)))
		link_take_back(receipts->link, parcel);
}

/* What was written before the stream held it comes before. */
void receipts_return(struct receipts *receipts, struct parcel *parcel)
{
	receipts_give_back(receipts);
	link_take_back(receipts->link, parcel);
}

void receipts_give_up(struct receipts *receipts)
{
	struct link *link = receipts->link;

	timer_stop(receipts_worker(receipts), &receipts->timer);
	receipts_give_back(receipts);
	link->receipts = NULL;
	receipts->ended = true;
	free(receipts->previd);
	if (!receipts->job.waiting)
		free(receipts);
	link_taken_back(link);
}

/* As long as the peer keeps its side and the outbox its entries. */
static uint64_t receipts_hold_ms(const struct receipts *receipts)
{
	const struct peer_policy *policy = outgoing_policy(receipts->outgoing);
	bool may_resume = receipts->previd && receipts->unacked.count > 0 && policy->allow && !receipts->link->s2s->draining;

	if (!may_resume)
		return 0;
	return receipts->resume_ms < policy->outbox.lifetime_ms ? receipts->resume_ms : policy->outbox.lifetime_ms;
}

void receipts_part(struct receipts *receipts)
{
	uint64_t hold_ms = receipts_hold_ms(receipts);

	receipts->outgoing = NULL;
	if (hold_ms > 0)
		timer_start(receipts_worker(receipts), &receipts->timer, hold_ms, receipts_expired);
	else
		receipts_give_up(receipts);
}

static void receipts_expired(struct worker *worker, struct timer *timer)
{
	(void)worker;
	receipts_give_up(LIST_MEMBER(timer, struct receipts, timer));
}

/* ---- the next one (§5) ---- */

bool receipts_resume(struct receipts *receipts, struct outgoing *outgoing, uint32_t h)
{
	if (!unacked_ack(&receipts->unacked, receipts_home(receipts), h))
		return false;
	timer_stop(receipts_worker(receipts), &receipts->timer);
	unacked_rewind(&receipts->unacked);
	receipts_give_back(receipts);
	link_taken_back(receipts->link);
	receipts->outgoing = outgoing;
	receipts->asks = false;
	return true;
}
