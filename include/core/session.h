/* SPDX-License-Identifier: MIT
 *
 * A session: one bound resource of an account, on the account's home. It outlives its stream where resuming allows, so
 * the stream is behind an outlet that the client edge attaches. The presence fields are RFC 6121 §4's.
 */
#ifndef CORE_SESSION_H
#define CORE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "base/list.h"
#include "core/account.h"
#include "core/custody.h"

struct session;
struct directed;
struct held;

/* How a session reaches its client; implemented by the client edge. */
struct session_outlet {
	/* Writes the parcel to the client; it is answered when the client's TCP has acknowledged it, or given back by
	 * session_give_back when the connection dies earlier. */
	void (*deliver)(struct session *session, struct parcel *parcel);
	/* Ends the client's stream with this error. The session may have left its account already; it lives until the
	 * outlet's owner calls session_end, when its stream has closed. */
	void (*close)(struct session *session, enum stream_condition condition, const char *text);
	/* A stanza of the client with this token has been taken, or its refusal is on its way. false: not one of this
	 * session's. NULL: the client does not ask (XEP-0198). */
	bool (*taken)(struct session *session, uint64_t token);
	/* By which its stream is known after a crash, and how many of the client's stanzas are in safe hands. Likewise. */
	void (*progress)(const struct session *session, uint64_t *stream, uint32_t *handled);
};

struct session {
	struct list_link link;                  /* account->sessions */
	struct account *account;
	struct jid jid;                         /* full; owned */
	char id[ID_LEN + 1];
	const struct stanza *presence;          /* the last available presence; NULL: not available */
	int8_t priority;
	bool interested;                        /* has asked for the roster (RFC 6121 §2.2) */
	bool inactive;                          /* its user does not look (XEP-0352 §4.2) */
	bool detached;                          /* its connection is lost, and it waits to be resumed (XEP-0198 §5) */
	bool carbons;                           /* has asked for copies of the other sessions' messages (XEP-0280) */
	uint64_t page_after, page_up_to;        /* of the last page of the archive sent to it, in sequences; 0: none */
	bool wants_blocklist;                   /* has asked for the block list (XEP-0191 §3.2) */
	bool ending;                            /* it has left its account; nothing is delivered to it any more */
	bool ended;
	bool gives_back;                        /* before the turn ends */
	bool frozen;                            /* it outlives the server: nobody hears that it leaves (core/frozen.h) */
	struct directed *directed;              /* addresses that got directed presence (RFC 6121 §4.6); im's; NULL: none */
	struct held *held;                      /* what waits while it is inactive; csi's; NULL: nothing */
	const struct session_outlet *outlet;
	void *outlet_owner;
	uint64_t bound_ms, active_ms;           /* monotonic: bound, last stanza from the client */
	char address[64];                       /* of the client, for the administrator */
	uint64_t fetches_after, fetches;        /* its client gets archived messages up to there itself (XEP-0386 §3.2), or has */
	char *agent;                            /* which installation of a client it is (XEP-0388 §2.3); NULL: unknown */
	char *client;                           /* what the client says of itself, for the administrator; NULL: nothing */
	struct turn_job freeing;                /* core/session.c's */
};

/* Which of an account's sessions a parcel goes to. */
typedef bool session_choice(const struct session *session, const struct parcel *parcel);

/*
 * Binds a resource (RFC 6120 §7). resource: prepared, NULL: the server makes one. A session that holds the resource is
 * closed with conflict. STANZA_NO_ERROR and *out, or the condition to refuse with: resource-constraint.
 */
enum stanza_condition session_bind(struct account *account, const char *resource,
                                   const struct session_outlet *outlet, void *outlet_owner, struct session **out);
/* Both are copied; NULL: unknown. */
void session_set_agent(struct session *session, const char *id, const char *client);
/* It leaves its account: modules see session_ended, contacts go unavailable, nobody finds it any more. Once; more is fine. */
void session_leave(struct session *session);
/* The owner of its outlet has no more use for it: it leaves and is freed at the end of the turn. Exactly once. */
void session_end(struct session *session);
/* The server ends it (conflict, deleted, kicked): it leaves and its outlet is asked to close. */
void session_close(struct session *session, enum stream_condition condition, const char *text);

/* A stanza that the client sent: stamped with its full JID, run through session_sent hooks, else routed; a stanza without
 * `to` goes to the account's bare JID. Takes the reference. */
void session_sent(struct session *session, struct stanza *stanza);

/* The answer of a parcel whose stanza has a token: told to the session that sent it, for a message that is refused when the
 * error has been taken. For parcel.answered. */
void session_sent_answered(struct home *home, struct parcel *parcel);
/* One of those who had to do something with a stanza has done it: told to the session that sent it, if its token asks. */
void session_sent_settled(struct home *home, const struct stanza *stanza);

/* Hands a parcel to the client, through session_delivering while it is inactive; now: past it. Not when the session is
 * ending. */
void session_deliver(struct session *session, struct parcel *parcel);
void session_deliver_now(struct session *session, struct parcel *parcel);
/* The client says whether somebody looks (XEP-0352). A resumed session begins active. */
void session_set_inactive(struct session *session, bool inactive);
/* A stanza of the server for this client alone (pushes): a parcel is made of it; takes the reference. */
void session_push(struct session *session, const struct stanza *stanza);
/* Likewise, and answered() gets the parcel with the token when the client has acknowledged it, or will not; as parcel.answered. */
void session_push_told(struct session *session, const struct stanza *stanza, uint64_t token,
                       void (*answered)(struct home *home, struct parcel *parcel));
/* The outlet gives back what the client did not take, in order, before session_end: the session leaves, and the parcel goes
 * through the account's rules again as if it came now, with its since_us. */
void session_give_back(struct session *session, struct parcel *parcel);

/* A session that has left gives back what it holds before the turn ends: what comes for its account meanwhile waits behind
 * that. gave_back: it has. */
void session_gives_back_soon(struct session *session);
void session_gave_back(struct session *session);

/* The client's connection is lost before it had the parcel: the modules hear that a message waits. */
void session_lost(struct session *session, struct parcel *parcel);

/* By prepared resource; NULL. */
struct session *session_find(const struct account *account, const char *resource);
bool session_is_available(const struct session *session);
/* The account's sessions in the order of binding; NULL: no more. */
static inline struct session *session_first(const struct account *account)
{
	struct list_link *link = list_first(&account->sessions);

	return link ? LIST_MEMBER(link, struct session, link) : NULL;
}
static inline struct session *session_next(const struct session *session)
{
	struct list_link *link = list_next(&session->account->sessions, &session->link);

	return link ? LIST_MEMBER(link, struct session, link) : NULL;
}

#endif
