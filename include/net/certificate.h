/* SPDX-License-Identifier: MIT
 *
 * What the certificate that the peer of a conn has shown proves: that an authority which we trust says that the peer is the
 * server of a domain (RFC 6120 §13.7.1.2, RFC 9525), or that it holds a key which we know (a pin, as RFC 7469 §2.4 writes
 * it). Only names in subjectAltName count: dNSName, with a wildcard as its whole left-most label at most, SRVName (RFC
 * 4985) and XmppAddr. A certificate for servers and one for clients are equally good, for servers are both.
 *
 * A trust is immutable and counted, and may be used on any thread; the rest on the conn's worker, after its handshake.
 */
#ifndef NET_CERTIFICATE_H
#define NET_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/conn.h"

struct trust;

/* The authorities in a PEM file, whose certificates may be servers' own too; NULL: those of the system. On failure NULL and
 * a malloc'ed sentence that names the file. */
struct trust *trust_new(const char *file, char **error);
struct trust *trust_ref(struct trust *trust);
void trust_unref(struct trust **trust);

enum certificate_fault {
	CERTIFICATE_FINE,
	CERTIFICATE_NONE,               /* the peer has shown none */
	CERTIFICATE_UNKNOWN_AUTHORITY,  /* self-signed, or by somebody whom we do not trust */
	CERTIFICATE_EXPIRED,
	CERTIFICATE_NOT_YET_VALID,
	CERTIFICATE_OTHER_NAME,         /* it is not that domain's */
	CERTIFICATE_OTHER_PURPOSE,      /* neither for a server nor for a client of TLS */
	CERTIFICATE_BROKEN,             /* a signature that is wrong, a chain that is no chain */
};

/* domain: the service's, as A-labels. */
enum certificate_fault conn_certificate_check(const struct conn *conn, const struct trust *trust, const char *domain);
/* A sentence for the log and the administrator: "it has expired". */
const char *certificate_fault_text(enum certificate_fault fault);

enum { PIN_LEN = 44 };  /* base64 of SHA-256 of SubjectPublicKeyInfo */

/* Of the certificate that a context of TLS towards other servers shows; false: it shows none. */
bool tls_pin(const struct tls *tls, char pin[PIN_LEN + 1]);

struct certificate_about {
	char pin[PIN_LEN + 1];
	int64_t until_s;        /* notAfter, wall clock */
};
/* false: the peer has shown none. */
bool conn_certificate_about(const struct conn *conn, struct certificate_about *out);

#endif
