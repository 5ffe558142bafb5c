/* SPDX-License-Identifier: MIT
 *
 * What another server has sent us on a stream with stream management (XEP-0198): counted as it comes, acknowledged when
 * somebody here has taken it. It belongs to the pair of domains that the stream began with and outlives the stream for the
 * time of resume-time, so that a new stream of the same pair can go on where the old one broke (§5). If it begins anew instead,
 * because a server was started anew, it is told from the old one's doubts (doubts.h) what comes for the second time.
 *
 * On the home of that pair. A home keeps a bounded number of them without a stream.
 */
#ifndef S2S_INTAKE_H
#define S2S_INTAKE_H

#include "base/id.h"
#include "core/tally.h"
#include "doubts.h"
#include "net/timer.h"
#include "s2s.h"
#include "xmpp/error.h"

struct incoming;

struct intake {
	struct list_link link;       /* s2s->broken_intakes, while it has no stream; longest first */
	struct s2s *s2s;
	struct incoming *incoming;   /* its stream; NULL: broken */
	struct incoming *successor;  /* that waits until what it has in hand is taken, */
	void (*settled)(struct incoming *incoming, struct intake *intake); /* and hears of it */
	char id[ID_LEN + 1];
	char *from, *to;
	uint64_t number;             /* of its tally; key in s2s->intakes */
	struct tally tally;
	uint32_t answered;           /* the h that the peer's last question was answered with */
	struct doubts doubts;        /* what the peer may send again */
	struct doubts inherited;     /* from the stream before, of which it may be sending */
	uint32_t resume_ms;          /* how long it can be resumed; 0: not at all */
	uint32_t keep_ms;            /* how long it is remembered without a stream */
	uint64_t until_ms;           /* likewise, while it has none */
	struct timer timer;
	bool leaves;                 /* the server; its stream ends when what it has in hand is taken */
	struct turn_job job;         /* says h */
	bool ended;
};

/* For a stream whose pair is verified. before: the one that it succeeds, which ends; NULL: none. */
struct intake *intake_new(struct incoming *incoming, uint32_t resume_ms, struct intake *before);
/* The newest of this pair that has no stream; NULL: none. */
struct intake *intake_find_broken(const struct s2s *s2s, const char *from, const char *to);
/* That of this pair, to be resumed by its id; NULL: none. */
struct intake *intake_find(const struct s2s *s2s, const char *from, const char *to, const char *id);
void intake_free(struct intake *intake); /* at the home's end */

/* Counts a stanza that is not sealed yet. false: it has come before, drop it. token: for intake_answered; 0: nobody is
 * waited for. */
bool intake_enter(struct intake *intake, struct stanza *stanza, uint64_t *token);
/* Each that was entered, when it is sealed: has an earlier stream brought it already? */
bool intake_repeats(struct intake *intake, const struct stanza *stanza);
/* Nobody gets it. */
void intake_pass_over(struct intake *intake, uint64_t token);
/* For parcel.answered, with the token in the parcel. */
void intake_answered(struct home *home, struct parcel *parcel);
/* The peer asks (§4). */
void intake_ask(struct intake *intake);

/* The server leaves, and nothing more is read: when what has come is taken, at most a second later, the peer is told, and
 * incoming_farewell follows. So it says nothing to the next server that this one has. */
void intake_leave(struct intake *intake);

/* Its stream, or the one that waited for it, has closed; may_resume: it broke, and was not ended by somebody. */
void intake_closed(struct intake *intake, struct incoming *incoming, bool may_resume);
/* Another stream of the pair waits until what it has in hand is taken, at most for some seconds; then settled(). Until then
 * nothing of that stream may be read. */
void intake_await(struct intake *intake, struct incoming *incoming,
                  void (*settled)(struct incoming *incoming, struct intake *intake));
/* The stream goes on with it. */
void intake_resume(struct intake *intake, struct incoming *incoming);

#endif
