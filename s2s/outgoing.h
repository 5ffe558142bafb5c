/* SPDX-License-Identifier: MIT
 *
 * A stream that we open to a remote domain: connect, header, features, STARTTLS, dialback (RFC 6120 §4, §5;
 * XEP-0220 §2.1). It serves a link, whose stanzas flow over it once the pair is verified, or only carries
 * requests to the authoritative server of a domain (§2.1.2). It is one-way: stanzas of the peer are not
 * taken on it.
 */
#ifndef S2S_OUTGOING_H
#define S2S_OUTGOING_H

#include "link.h"
#include "net/certificate.h"
#include "verify.h"

struct outgoing;
struct trial;

/* s2s->outgoings */
struct outgoing *outgoing_of(struct list_link *link);

/* link: whom it serves and who is told its end by link_down; NULL: it carries verify requests only and
 * closes when there are none. Nobody is called before this returns. */
struct outgoing *outgoing_start(struct s2s *s2s, const char *local, const char *remote, struct link *link);
/* The same for a trial, which is told each step. */
struct outgoing *outgoing_try(struct s2s *s2s, const char *local, const char *remote, struct trial *trial);
/* What the trial has to say itself, once it is up; and it wants nothing more. */
struct buf *outgoing_out(struct outgoing *outgoing);
void outgoing_leave(struct outgoing *outgoing);
/* Ends it in an orderly way; link_down follows later. */
void outgoing_close(struct outgoing *outgoing);
/* After the resolver has been replaced: what was asked of the old one is asked again. */
void outgoing_resolve_again(struct outgoing *outgoing);
void outgoing_free(struct outgoing *outgoing); /* at the home's end */

/* Only while the link is READY. */
void outgoing_send(struct outgoing *outgoing, struct parcel *parcel);
bool outgoing_has_room(const struct outgoing *outgoing);

/* The stream is past its setup and not ending. */
bool outgoing_is_open(const struct outgoing *outgoing);
/* Takes the request; it is sent when the stream is ready for it. false: too many are under way. */
bool outgoing_add_verify(struct outgoing *outgoing, struct verify *verify);

/* The peer has proven itself by what is taken as a proof now; after a new configuration. */
bool outgoing_is_trusted(struct outgoing *outgoing);

/* For the administrator. What it points to is the outgoing's. */
struct outgoing_row {
	const char *tls, *address;      /* "TLSv1.3", the peer's; "": none yet */
	const char *peer_by, *we_by;    /* how the peer has proven itself to us, and we to it; NULL: not yet */
	const struct certificate_about *certificate;    /* the peer's; NULL: none */
	const char *receipts_by; /* how it acknowledges what it gets; NULL: not up */
	bool answers;            /* it has done so, and the last time it took */
	uint64_t round_ms;
};
void outgoing_describe(const struct outgoing *outgoing, struct outgoing_row *out);

#endif
