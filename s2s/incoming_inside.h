/* SPDX-License-Identifier: MIT
 *
 * What the files of incoming streams share: incoming.c has their life, incoming_header.c headers and features,
 * incoming_sasl.c and incoming_dialback.c the proof of the peer's domains, incoming_stanza.c what comes then.
 */
#ifndef S2S_INCOMING_INSIDE_H
#define S2S_INCOMING_INSIDE_H

#include "core/barrier.h"
#include "core/stream.h"
#include "incoming.h"
#include "intake.h"
#include "net/admission.h"
#include "policy.h"

struct verify;

enum incoming_state {
	INCOMING_ADMISSION, /* too many connections from its address: nothing is read */
	INCOMING_HEADER,    /* the peer's is to come */
	INCOMING_MOVING,
	INCOMING_OPEN,
	INCOMING_SECURING,
	INCOMING_ENDING,
};

/* A pair that the peer wants to use: we have asked the authoritative server, or it is verified. */
struct pair {
	struct list_link link;
	struct incoming *incoming;
	char *from, *to;
	size_t from_len, to_len;
	struct verify *verify; /* under way */
	bool verified;
	const char *method;    /* by which it is proven: "dialback", or one of trust.h's; NULL: not yet */
};

struct incoming {
	struct list_link link; /* s2s->incomings */
	struct s2s *s2s;
	enum incoming_state state;
	struct admission_pass pass;
	bool passed;           /* it is counted in admission */
	bool direct_tls;       /* TLS begins at once (XEP-0368) */
	bool moved;            /* to the home of its first pair */
	struct stream *stream; /* NULL: closed; only the mail of its admission is still to come */
	char *from, *to;       /* of the peer's header, prepared; NULL: not said */
	bool old_peer;         /* from before XMPP 1.0: it knows no features */
	struct list pairs;
	size_t unverified, verified;
	unsigned failures; /* to authenticate by SASL */
	struct pair *last; /* that a stanza belonged to */
	struct barrier *barrier; /* of a stream without stream management */
	struct intake *intake;   /* with it; NULL: not enabled */
	struct intake *awaited;  /* that the stream is to go on with, or to succeed */
	uint32_t resume_ms;      /* as the peer wants it, and we */
	struct incoming_join *join; /* under way; NULL */
	uint64_t opened_ms, received;
	struct certificate_about certificate; /* its pin "": none is shown */
	char tls[16], address[ADDRESS_TEXT];
};

/* incoming.c. A domain may be NULL: not yet known. */
const struct config *incoming_config(const struct incoming *incoming);
const struct peer_policy *incoming_policy(const struct incoming *incoming, const char *from);
bool incoming_is_secure(const struct incoming *incoming);
/* Policy requires TLS and the stream has none. */
bool incoming_lacks_tls(const struct incoming *incoming, const char *from);
void incoming_fail(struct incoming *incoming, enum stream_condition condition, const char *text);
/* The server leaves. */
void incoming_farewell(struct incoming *incoming);
/* The first pair has been verified: limits are those of a server that we know. */
void incoming_authenticated(struct incoming *incoming);

/* incoming_header.c */
void incoming_opened(struct stream *stream, void *owner, const struct stream_header *header);

/* incoming_dialback.c. Whether verified or not; NULL: no such pair. */
struct pair *pair_find(const struct incoming *incoming, const char *from, size_t from_len, const char *to,
                       size_t to_len);
void pair_free(struct pair *pair);
void incoming_dialback(struct incoming *incoming, struct stanza *stanza);

/* The pair of the header has been proven by its certificate. */
void pair_add_proven(struct incoming *incoming, const char *method);

/* incoming_join.c. Forget: of a stream that goes. */
void incoming_join(struct incoming *incoming, struct stanza *stanza);
void incoming_join_forget(struct incoming *incoming);

/* incoming_sasl.c */
bool incoming_offers_external(const struct incoming *incoming);
void incoming_auth(struct incoming *incoming, struct stanza *stanza);

/* incoming_sm.c: stream management */
void incoming_enable(struct incoming *incoming, struct stanza *stanza);
void incoming_asks(struct incoming *incoming, struct stanza *stanza);
void incoming_acks(struct incoming *incoming, struct stanza *stanza);
void incoming_resume(struct incoming *incoming, struct stanza *stanza);
void incoming_leave_intake(struct incoming *incoming, enum stream_condition condition);

/* incoming_stanza.c */
void incoming_stanza(struct incoming *incoming, struct stanza *stanza, enum stanza_check check);

#endif
