/* SPDX-License-Identifier: MIT
 *
 * A link: everything between one of our domains and one remote domain, on the home of that pair. Its outbox (core/outbox.h)
 * has custody of the stanzas for the remote domain and keeps them in order; the link hands them to one stream at a time. A
 * link that cannot connect tries again with growing pauses while something waits; what waits too long is refused,
 * and so is all that waits for a stranger when the trouble is final. link.c is its life; link_outbox.c, what goes into its outbox and how that is kept.
 */
#ifndef S2S_LINK_H
#define S2S_LINK_H

#include "core/outbox.h"
#include "s2s.h"
#include "trouble.h"
#include "xmpp/jid.h"

struct outgoing;
struct peer_policy;
struct receipts;

enum link_state {
	LINK_RESTING,    /* no stream and nothing to send */
	LINK_WAITING,    /* something waits; the next attempt comes when its pause is over */
	LINK_CONNECTING, /* an outgoing stream is being made */
	LINK_READY,      /* stanzas are written as they come */
	LINK_CLOSING,    /* the stream is ending; what comes now is for the next one */
};

enum { LINK_REASON = 240 };

#define LINK_OUTBOX "link"      /* the kind of its outbox */

struct link {
	struct s2s *s2s;
	const char *local, *remote; /* both lie in key */
	char *key;
	size_t key_len;
	enum link_state state;
	struct list_link rest;      /* s2s->resting */
	struct outbox *outbox;
	struct outgoing *outgoing;  /* CONNECTING, READY, CLOSING */
	struct receipts *receipts;  /* what that one, or a broken one that may be resumed, has written; NULL */
	struct timer timer;         /* WAITING: the pause; READY: idleness, or room on the stream */
	bool answers_no_pings;      /* the peer: its TCP says what has arrived */
	unsigned failures;          /* in a row */
	uint64_t not_before_ms;     /* the next attempt */
	uint64_t ready_ms, sent_ms; /* when it came up, when it last sent */
	uint64_t rested_ms;
	uint64_t sent;        /* stanzas */
	enum trouble trouble; /* the last one, and its words */
	char reason[LINK_REASON];
	int64_t trouble_us; /* wall clock */
};

/* The pair as the key of maps and homes: "local\0remote". */
struct link_key {
	size_t len;
	char text[2 * JID_PART_MAX + 2];
};
void link_key_make(struct link_key *key, const char *local, size_t local_len, const char *remote,
                   size_t remote_len);
struct home *link_home(const struct home *from, const struct link_key *key);

/* What the administrator wants of the peer; never NULL. */
const struct peer_policy *link_policy(const struct link *link);
struct link *link_find(struct s2s *s2s, const char *local, const char *remote); /* on its home; NULL */
struct link *link_get(struct s2s *s2s, const struct link_key *key);             /* likewise; makes it */
/* The destination's deliver(). */
void link_deliver(struct home *home, struct parcel *parcel);
/* An earlier server has left something for it; at the start of a home. context: struct s2s; name: the pair, with a space
 * between its domains. */
void link_restore(void *context, const char *name, const struct store_outbox *left);
struct outbox *link_outbox_new(struct link *link);

/* What its outgoing stream reports. */
void link_up(struct link *link);
void link_take_back(struct link *link, struct parcel *parcel);
void link_taken_back(struct link *link); /* that was all, for now */
void link_down(struct link *link, enum trouble trouble, const char *reason);

/* What its outbox reports: something waits, or nothing any more. */
void link_outbox_changed(struct link *link);
/* The last attempt has failed, and its pause is not over. */
bool link_is_down(const struct link *link);
/* Why what it has cannot be delivered. */
const struct trouble_meaning *link_excuse(const struct link *link);

/* The remote domain has proven itself on a stream of its own: the pause is over. from: any home. */
void link_peer_seen(struct home *from, const char *local, const char *remote);
/* The administrator wants an attempt now. */
void link_retry(struct link *link);
/* After a new configuration: links to peers that are no longer allowed end. */
void link_configured(struct link *link);
/* The server leaves: what waits is in the store for the next one or is refused, the stream closed. */
void link_drain(struct link *link);
/* The administrator wants what waits to be returned. */
void link_flush(struct link *link);
void link_free(struct link *link);

const char *link_state_name(enum link_state state);
/* The pause after so many failures in a row: from 1 s doubling to 60 s, of which a random part of up to
 * a half is left out so that not all come back at once (RFC 6120 §3.3). */
uint64_t link_pause_ms(unsigned failures, uint32_t random);

#endif
