/* SPDX-License-Identifier: MIT
 *
 * A stream that another server opens to us (RFC 6120 §4, §5; XEP-0220 §2.2): we are the receiving server,
 * which lets no stanza in before its pair of domains is verified, and the authoritative server, which
 * answers for our own keys.
 */
#ifndef S2S_INCOMING_H
#define S2S_INCOMING_H

#include "net/certificate.h"
#include "s2s.h"

struct incoming;

/* The module's accepted hook. */
void incoming_accepted(struct home *home, enum listen_kind kind, struct transport *transport);
/* After a new configuration: streams of peers that are no longer allowed end. */
void incoming_configured(struct incoming *incoming);
void incoming_drain(struct incoming *incoming);
/* The peer has no stream management: it answers on this stream to the pings of ours. */
bool incoming_brings_answers(const struct incoming *incoming);
void incoming_free(struct incoming *incoming); /* at the home's end */

/* s2s->incomings */
struct incoming *incoming_of(struct list_link *link);

/* For the administrator: walks the pairs; false: no such number. */
struct incoming_row {
	const char *from, *to; /* "" where the peer has not said */
	const char *state;     /* "unverified", "verifying", "verified" */
	const char *tls;       /* "TLSv1.3" or "" */
	const char *method;    /* how the peer has proven itself; NULL: not yet */
	const struct certificate_about *certificate; /* the peer's; NULL: it shows none */
	char address[ADDRESS_TEXT];
	uint64_t seconds, received; /* of the stream */
};
bool incoming_row(const struct incoming *incoming, size_t number, struct incoming_row *out);

#endif
