/* SPDX-License-Identifier: MIT
 *
 * What a link has written to its stream and the peer has not acknowledged, and how the peer does that: by XEP-0198, by the
 * answer to a ping, which proves that all before it has arrived, or, where it leaves two pings unanswered, by its TCP only.
 * Each parcel is answered once: taken when the peer has it, or given back to the link in order.
 *
 * With XEP-0198 they outlive the stream: while a broken one may still be resumed (§5), what was written on it is held, neither
 * given back nor sent again. They belong to the link, on its home.
 */
#ifndef S2S_RECEIPTS_H
#define S2S_RECEIPTS_H

#include "core/unacked.h"
#include "net/timer.h"
#include "ping.h"

struct link;
struct outgoing;

enum receipts_by { RECEIPTS_BY_TCP, RECEIPTS_BY_PING, RECEIPTS_BY_SM };

struct receipts {
	struct link *link;
	struct outgoing *outgoing; /* their stream; NULL: it broke, and may be resumed */
	enum receipts_by by;
	struct unacked unacked;    /* with TCP the stream itself holds what is written */
	char *previd;              /* by which the stream may be resumed; NULL: it may not */
	uint64_t resume_ms;        /* for so long */
	bool asks;                 /* a question is out */
	uint32_t asked;            /* up to where */
	uint64_t asked_ms, round_ms; /* when; how long the last answer took */
	struct ping_id ping;       /* that is out */
	bool answers;              /* the peer has answered one */
	unsigned unanswered;       /* pings in a row */
	uint64_t position;         /* in the stream's bytes, behind the question */
	uint64_t arrived;          /* what the peer's TCP had acknowledged at the last look */
	unsigned looks;            /* without any progress */
	struct timer timer;        /* with a stream: asks again, or looks whether the peer lives; without: the end */
	struct turn_job job;       /* asks */
	bool ended;
};

/* The stream is up. previd: NULL, it cannot be resumed; else taken. */
struct receipts *receipts_new(struct outgoing *outgoing, enum receipts_by by, char *previd, uint64_t resume_ms);
void receipts_free(struct receipts *receipts); /* at the home's end, with what they hold */

/* Something is on its way that the peer will acknowledge. */
bool receipts_are_due(const struct receipts *receipts);
bool receipts_have_room(const struct receipts *receipts);
void receipts_send(struct receipts *receipts, struct parcel *parcel);

/* §4: the peer has handled h stanzas. false: it was not sent so many. */
bool receipts_ack(struct receipts *receipts, uint32_t h);
/* A ping has been answered; is it this one's? */
void receipts_answer(struct receipts *receipts, const struct ping_id *id);
/* Nothing was heard of the peer for long: asks whether it lives. */
void receipts_probe(struct receipts *receipts);

/* The stream gives back what it held itself. */
void receipts_return(struct receipts *receipts, struct parcel *parcel);
/* The stream has ended: what can be resumed is held, else all is given back and they are gone. */
void receipts_part(struct receipts *receipts);
/* §5: the new stream goes on where the peer says that it is; what it has not is given back, to be sent anew. false: it was not
 * sent so many. */
bool receipts_resume(struct receipts *receipts, struct outgoing *outgoing, uint32_t h);
/* It cannot be resumed: all is given back, and they are gone. */
void receipts_give_up(struct receipts *receipts);

/* For the administrator. */
const char *receipts_by_name(const struct receipts *receipts);

#endif
