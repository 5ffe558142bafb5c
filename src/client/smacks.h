/* SPDX-License-Identifier: MIT
 *
 * A session with stream management (XEP-0198), as its files share it: smacks.c counts, sends and acknowledges, resume.c
 * gives the session to the client that comes back, freeze.c brings it over a restart, past.c knows what became of those that
 * have ended. It belongs to its session, whose outlet it is.
 */
#ifndef CLIENT_SMACKS_H
#define CLIENT_SMACKS_H

#include "client.h"
#include "core/tally.h"
#include "core/unacked.h"

struct smacks {
	struct list_link link;          /* of the room's sessions without a client */
	struct session *session;        /* NULL: it has ended */
	struct client *client;          /* NULL: the connection is lost */
	char id[ID_LEN + 1];
	uint64_t stream;                /* past_stream of the id: in the journal */
	uint32_t resume_ms;             /* how long it waits for its client; 0: not at all */
	struct unacked unacked;
	struct tally tally;
	bool asks;                      /* our <r/> is out */
	bool ends;                      /* at the end of the turn */
	uint64_t until_ms;              /* how long it waits without a client */
	struct timer timer;
	struct turn_job job;
};

/* smacks.c. NULL: the session has no stream management. */
struct smacks *smacks_of(const struct session *session);
static inline struct home *smacks_home(const struct smacks *smacks)
{
	return smacks->session->account->home;
}
extern const struct session_outlet smacks_outlet;
/* For a session that is to be given to it. id: NULL, a new one. */
struct smacks *smacks_new(struct home *home, const char *id);
/* It has no client any more and waits for one. */
void smacks_detach(struct smacks *smacks, uint64_t wait_ms);
/* The session ends; what the client has not acknowledged goes back, in order. */
void smacks_end(struct smacks *smacks);
void smacks_say_h(struct smacks *smacks);
/* §6: the client has h stanzas. false: the stream has failed. */
bool smacks_acked(struct smacks *smacks, struct client *client, uint32_t h);
/* Sends what the window has room for. */
void smacks_write(struct smacks *smacks);

/* freeze.c. The server leaves: without a client, it is written after a while. */
void smacks_freeze_soon(struct smacks *smacks);

/* past.c. By which the entries of the journal name a stream. */
uint64_t past_stream(const char *id);
/* What its session has sent and nobody has taken yet goes over to the past. */
void past_add(struct smacks *smacks);
/* What the journal says of a session that a crash has ended. */
void past_recall(struct home *home, const struct jid *user, const char *id, uint32_t h);
/* What became of the stanzas of an ended session; NULL: it is not remembered. */
struct tally *past_find(struct home *home, const struct jid *user, const char *id);

#endif
