/* SPDX-License-Identifier: MIT
 *
 * What the files of outgoing streams share: outgoing_connect.c has the way to the peer, outgoing.c the life of a stream up to
 * the point where dialback may begin, outgoing_dialback.c what is asked and answered then, outgoing_end.c every end.
 */
#ifndef S2S_OUTGOING_INSIDE_H
#define S2S_OUTGOING_INSIDE_H

#include "core/stream.h"
#include "outgoing.h"
#include "receipts.h"

enum {
	OUTGOING_UNSENT = 256 * 1024, /* bytes; beyond this the stream has no room */
	OUTGOING_LINGER_MS = 2000,
	SM_ID_MAX = 1000,             /* of a peer's stream that may be resumed */
};

enum outgoing_state {
	OUTGOING_CONNECTING,
	OUTGOING_HEADER, /* ours is out, the peer's is to come */
	OUTGOING_FEATURES,
	OUTGOING_STARTTLS, /* asked for */
	OUTGOING_SECURING,
	OUTGOING_SASL, /* our <auth/> is out */
	OUTGOING_ENABLING, /* our <enable/> or <resume/> is out */
	OUTGOING_JOINING, /* our <join/> is out */
	OUTGOING_OPEN, /* dialback, and what it allows */
	OUTGOING_ENDING,
};

struct outgoing {
	struct list_link link_in_home;
	struct s2s *s2s;
	char *local, *remote;
	struct link *link;   /* whom it serves; NULL */
	struct trial *trial; /* likewise; NULL */
	enum outgoing_state state;
	bool asked;              /* our db:result is out and not answered */
	bool authenticated;      /* by SASL */
	bool offers_sm;          /* XEP-0198 */
	const char *method;      /* by which its certificate proves the peer (trust.h); NULL: it does not */
	struct connect *connect; /* CONNECTING */
	struct timer end;        /* of one that has no stream yet, or that waits for acknowledgements to be closed */
	struct stream *stream;   /* afterwards */
	struct list requests;    /* struct verify */
	enum trouble trouble;    /* why it ends */
	char reason[LINK_REASON];
	struct certificate_about certificate; /* its pin "": none is shown */
	char tls[16], address[ADDRESS_TEXT];
};

extern const struct stream_class outgoing_class;

/* It carries verify requests alone. */
static inline bool outgoing_only_asks(const struct outgoing *outgoing)
{
	return !outgoing->link && !outgoing->trial;
}

/* outgoing_connect.c */
void outgoing_connect(struct outgoing *outgoing);

/* outgoing.c */
const struct peer_policy *outgoing_policy(const struct outgoing *outgoing);
void outgoing_start_tls(struct outgoing *outgoing, const char *alpn);
/* Our header. */
void outgoing_open(struct outgoing *outgoing);
/* Stanzas may flow. */
void outgoing_up(struct outgoing *outgoing);

/* outgoing_end.c */
bool outgoing_is_up(const struct outgoing *outgoing);
/* The first trouble stays; of one that ends without a stream, or whose stream has gone. */
void outgoing_note(struct outgoing *outgoing, enum trouble trouble, const char *reason);
void outgoing_gone(struct outgoing *outgoing);
/* It comes to nothing, without a fault of the protocol; or with one, which is a stream error. */
void outgoing_abandon(struct outgoing *outgoing, enum trouble trouble, const char *reason);
void outgoing_offended(struct outgoing *outgoing, enum stream_condition condition, const char *text);
/* The peer is dead, or as good as that: the connection ends without a farewell, so that it may be resumed. */
void outgoing_break_off(struct outgoing *outgoing, const char *reason);
/* Of the stream's class. */
void outgoing_late(struct stream *stream, void *owner);
void outgoing_returned(struct stream *stream, void *owner, struct parcel *parcel);
void outgoing_closed(struct stream *stream, void *owner, enum stream_condition condition, const char *text);

/* outgoing_join.c. Its trial is a branch's that joins the peer. */
bool outgoing_joins(const struct outgoing *outgoing);
void outgoing_join(struct outgoing *outgoing);
void outgoing_joined(struct outgoing *outgoing, struct stanza *stanza);
void outgoing_not_joined(struct outgoing *outgoing, struct stanza *stanza);

/* outgoing_sasl.c */
bool outgoing_is_offered_external(const struct stanza *features);
void outgoing_begin_external(struct outgoing *outgoing);
void outgoing_external_taken(struct outgoing *outgoing, struct stanza *stanza);
void outgoing_external_refused(struct outgoing *outgoing, struct stanza *stanza);

/* outgoing_sm.c: stream management, then outgoing_up. */
void outgoing_begin_sm(struct outgoing *outgoing);
void outgoing_sm_enabled(struct outgoing *outgoing, struct stanza *stanza);
void outgoing_sm_resumed(struct outgoing *outgoing, struct stanza *stanza);
void outgoing_sm_failed(struct outgoing *outgoing, struct stanza *stanza);
void outgoing_acks(struct outgoing *outgoing, struct stanza *stanza);
void outgoing_asks(struct outgoing *outgoing, struct stanza *stanza);

/* outgoing_dialback.c. The pair of the link is verified. */
void outgoing_verified(struct outgoing *outgoing);
void outgoing_begin_dialback(struct outgoing *outgoing);
void outgoing_dialback(struct outgoing *outgoing, struct stanza *stanza);

#endif
