/* SPDX-License-Identifier: MIT
 *
 * The life of an intake, in the order of XEP-0198: enabled (§3), counting and telling (§4), broken and resumed (§5).
 *
 * A parcel finds its intake by the number of its tally, which stands in the parcel's token: the intake may have ended while
 * the parcel was on its way.
 */
#include "intake.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "core/router.h"
#include "incoming_inside.h"
#include "xmpp/sm.h"

enum {
	BROKEN_MOST = 1000, /* on a home; those that have waited longest end */
	SETTLE_MS = 5000,   /* that a new stream waits for what the old one has brought */
	LEAVE_MS = 1000,    /* likewise the end of the server */
};

static void intake_turned(struct worker *worker, struct turn_job *job);
static void intake_expired(struct worker *worker, struct timer *timer);
static void intake_go_on(struct intake *intake);
static void intake_has_left(struct intake *intake);

static struct worker *intake_worker(const struct intake *intake)
{
	return intake->s2s->home->worker;
}

/* ---- enabled, and ended ---- */

static void intake_leave_broken(struct intake *intake)
{
	timer_stop(intake_worker(intake), &intake->timer);
	if (!list_is_linked(&intake->link))
		return;
	list_remove(&intake->link);
	intake->s2s->broken_count--;
}

void intake_free(struct intake *intake)
{
	intake_leave_broken(intake);
	map_remove(intake->s2s->intakes, &intake->number, sizeof(intake->number));
	tally_clear(&intake->tally);
	doubts_clear(&intake->doubts);
	doubts_clear(&intake->inherited);
	free(intake->from);
	free(intake->to);
	free(intake);
}

/* What it has in hand goes its way; nobody counts it any more. */
static void intake_end(struct intake *intake)
{
	intake_leave_broken(intake);
	intake->ended = true;
	intake->incoming = NULL;
	if (!intake->job.waiting)
		intake_free(intake);
}

struct intake *intake_find_broken(const struct s2s *s2s, const char *from, const char *to)
{
	struct intake *found = NULL;

	for (struct list_link *l = list_first(&s2s->broken_intakes); l; l = list_next(&s2s->broken_intakes, l)) {
		struct intake *intake = LIST_MEMBER(l, struct intake, link);

		if (strcmp(intake->from, from) == 0 && strcmp(intake->to, to) == 0)
			found = intake;
	}
	return found;
}

/* A peer that begins anew would have gone on with what is broken if it wanted to. */
static void intakes_end_broken(struct s2s *s2s, const char *from, const char *to)
{
	struct list_link *l, *next;

	for (l = list_first(&s2s->broken_intakes); l; l = next) {
		struct intake *intake = LIST_MEMBER(l, struct intake, link);

		next = list_next(&s2s->broken_intakes, l);
		if (strcmp(intake->from, from) == 0 && strcmp(intake->to, to) == 0)
			intake_end(intake);
	}
}

/* Numbers are few enough to lie in a token, and so may come round. */
static void intake_number(struct intake *intake)
{
	struct s2s *s2s = intake->s2s;

	do {
		tally_init(&intake->tally, ++s2s->home->serial);
		intake->number = tally_number(intake->tally.mark);
	} while (map_find(s2s->intakes, &intake->number, sizeof(intake->number)));
	map_put(s2s->intakes, &intake->number, sizeof(intake->number), intake);
}

/* What is still in hand is not in safe hands: if it comes again, it goes its way again. What the one before has inherited itself and
 * not met yet may still come, behind. */
static void intake_inherit(struct intake *intake, struct intake *before)
{
	doubts_cut(&before->doubts, before->tally.handled);
	doubts_join(&before->doubts, &before->inherited);
	intake->inherited = before->doubts;
	before->doubts = (struct doubts){ 0 };
	intake_end(before);
}

struct intake *intake_new(struct incoming *incoming, uint32_t resume_ms, struct intake *before)
{
	struct intake *intake = mem_zalloc(sizeof(*intake));

	if (before)
		intake_inherit(intake, before);
	intakes_end_broken(incoming->s2s, incoming->from, incoming->to);
	intake->s2s = incoming->s2s;
	intake->incoming = incoming;
	intake->from = str_dup(incoming->from);
	intake->to = str_dup(incoming->to);
	intake->resume_ms = resume_ms;
	intake->keep_ms = incoming_policy(incoming, incoming->from)->resume_ms;
	doubts_begin(&intake->doubts, 0);
	intake->job.run = intake_turned;
	id_random(worker_entropy(intake_worker(intake)), intake->id);
	intake_number(intake);
	return intake;
}

struct intake *intake_find(const struct s2s *s2s, const char *from, const char *to, const char *id)
{
	struct map_walk walk = { 0 };
	struct intake *intake, *found = NULL;

	while ((intake = map_next(s2s->intakes, &walk)))
		if (!intake->ended && intake->resume_ms > 0 && digest_same_str(intake->id, id) && strcmp(intake->from, from) == 0 &&
		    strcmp(intake->to, to) == 0)
			found = intake;
	return found;
}

/* ---- counting and telling (§4) ---- */

bool intake_enter(struct intake *intake, struct stanza *stanza, uint64_t *token)
{
	if (!tally_enter(&intake->tally, stanza)) {
		doubts_note(&intake->doubts, 0);
		return false;
	}
	*token = stanza->token;
	stanza->token = 0;
	if (tally_waits_for(stanza))
		return true;
	tally_done(&intake->tally, *token);
	*token = 0;
	return true;
}

bool intake_repeats(struct intake *intake, const struct stanza *stanza)
{
	uint64_t digest = doubts_digest(worker_seed(intake_worker(intake)), stanza);

	doubts_note(&intake->doubts, digest);
	return doubts_repeat(&intake->inherited, stanza, digest);
}

/* It was told less than it had asked for, and now there is more to tell. */
static bool intake_owes(const struct intake *intake)
{
	return intake->incoming && intake->incoming->state == INCOMING_OPEN && tally_owes(&intake->tally);
}

static void intake_settled(struct intake *intake)
{
	if (intake->successor && intake->tally.count == 0)
		intake_go_on(intake);
	else if (intake->leaves && intake->tally.count == 0)
		intake_has_left(intake);
	else if (intake_owes(intake))
		worker_at_end_of_turn(intake_worker(intake), &intake->job);
}

void intake_pass_over(struct intake *intake, uint64_t token)
{
	if (token && tally_done(&intake->tally, token))
		intake_settled(intake);
}

static void intake_done(struct home *home, uint64_t token)
{
	uint64_t number = tally_number(token);
	struct intake *intake = map_find(s2s_of(home)->intakes, &number, sizeof(number));

	if (intake && !intake->ended)
		intake_pass_over(intake, token);
}

static void intake_bounce_answered(struct home *home, struct parcel *bounce)
{
	intake_done(home, bounce->token);
	parcel_bounce(home, &bounce);
}

/* A message that comes back is acknowledged when its error has been taken. */
void intake_answered(struct home *home, struct parcel *parcel)
{
	struct parcel *bounce = parcel_make_bounce(home, parcel);

	if (bounce && bounce->stanza->returns) {
		bounce->answered = intake_bounce_answered;
		bounce->token = parcel->token;
	} else {
		intake_done(home, parcel->token);
	}
	if (bounce)
		route(home, bounce);
	parcel_free(&parcel);
}

static void intake_say(struct intake *intake)
{
	sm_write_ack(stream_out(intake->incoming->stream), tally_say(&intake->tally));
}

/* Who asks has read the answer to the question before. */
void intake_ask(struct intake *intake)
{
	tally_ask(&intake->tally);
	doubts_end(&intake->doubts, intake->answered);
	intake_say(intake);
	intake->answered = intake->tally.said;
}

static void intake_turned(struct worker *worker, struct turn_job *job)
{
	struct intake *intake = LIST_MEMBER(job, struct intake, job);

	(void)worker;
	if (intake->ended)
		intake_free(intake);
	else if (intake_owes(intake))
		intake_say(intake);
}

/* ---- broken ---- */

static void intake_wait(struct intake *intake)
{
	struct s2s *s2s = intake->s2s;
	uint64_t now_ms = worker_now_ms(intake_worker(intake));

	if (s2s->broken_count >= BROKEN_MOST)
		intake_end(LIST_MEMBER(list_first(&s2s->broken_intakes), struct intake, link));
	list_add_last(&s2s->broken_intakes, &intake->link);
	s2s->broken_count++;
	timer_start(intake_worker(intake), &intake->timer, intake->until_ms > now_ms ? intake->until_ms - now_ms : 0,
	            intake_expired);
}

static uint64_t intake_end_ms(const struct intake *intake)
{
	return worker_now_ms(intake_worker(intake)) + (intake->resume_ms ? intake->resume_ms : intake->keep_ms);
}

static void intake_break(struct intake *intake)
{
	intake->incoming = NULL;
	intake->leaves = false;
	intake->until_ms = intake_end_ms(intake);
	intake_wait(intake);
}

void intake_closed(struct intake *intake, struct incoming *incoming, bool may_resume)
{
	if (incoming == intake->successor) {
		intake->successor = NULL;
		timer_stop(intake_worker(intake), &intake->timer);
		intake_wait(intake);
		return;
	}
	if (!may_resume)
		intake->resume_ms = 0;
	if (intake->resume_ms > 0 || intake->doubts.count > 0)
		intake_break(intake);
	else
		intake_end(intake);
}

static void intake_expired(struct worker *worker, struct timer *timer)
{
	struct intake *intake = LIST_MEMBER(timer, struct intake, timer);

	if (intake->resume_ms > 0)
		log_info(worker_log(worker), NULL, "server stream was not resumed", LOG_STR("peer", intake->from),
		         LOG_STR("to", intake->to));
	intake_end(intake);
}

/* ---- the server leaves ---- */

static void intake_leaves_late(struct worker *worker, struct timer *timer)
{
	(void)worker;
	intake_has_left(LIST_MEMBER(timer, struct intake, timer));
}

void intake_leave(struct intake *intake)
{
	intake->leaves = true;
	stream_pause(intake->incoming->stream);
	timer_start(intake_worker(intake), &intake->timer, LEAVE_MS, intake_leaves_late);
	intake_settled(intake);
}

static void intake_has_left(struct intake *intake)
{
	timer_stop(intake_worker(intake), &intake->timer);
	intake->leaves = false;
	intake_say(intake);
	incoming_farewell(intake->incoming);
}

/* ---- resumed (§5), or succeeded ---- */

/* Who comes back has seen that the old connection is dead, or we have not. */
static void intake_leave_stream(struct intake *intake)
{
	struct incoming *old = intake->successor ? intake->successor : intake->incoming;

	if (!old)
		return;
	old->intake = old->awaited = NULL;
	intake->incoming = intake->successor = NULL;
	incoming_fail(old, STREAM_CONFLICT, "it goes on on another stream");
}

static void intake_is_late(struct worker *worker, struct timer *timer)
{
	(void)worker;
	intake_go_on(LIST_MEMBER(timer, struct intake, timer));
}

void intake_await(struct intake *intake, struct incoming *incoming,
                  void (*settled)(struct incoming *incoming, struct intake *intake))
{
	if (intake->incoming)
		intake->until_ms = intake_end_ms(intake);
	intake_leave_stream(intake);
	intake_leave_broken(intake);
	intake->successor = incoming;
	intake->settled = settled;
	incoming->awaited = intake;
	timer_start(intake_worker(intake), &intake->timer, SETTLE_MS, intake_is_late);
	intake_settled(intake);
}

static void intake_go_on(struct intake *intake)
{
	struct incoming *incoming = intake->successor;

	timer_stop(intake_worker(intake), &intake->timer);
	intake->successor = NULL;
	incoming->awaited = NULL;
	intake->settled(incoming, intake);
}

void intake_resume(struct intake *intake, struct incoming *incoming)
{
	intake->incoming = incoming;
	incoming->intake = intake;
	tally_rewind(&intake->tally);
	doubts_cut(&intake->doubts, intake->tally.handled);
	intake->answered = intake->tally.handled;
}
