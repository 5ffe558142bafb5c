/* SPDX-License-Identifier: MIT
 *
 * TLS contexts: which certificates we show under which name, what we require of others. TLS 1.2 and 1.3, AEAD with
 * forward secrecy only, no renegotiation, no compression, tickets with keys that rotate. Immutable and counted: a reload
 * makes new ones, connections keep theirs. Callable on any thread.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <stdbool.h>
#include <stddef.h>

struct tls;

struct tls_certificate {
	const char *name;               /* prepared domain (ASCII or UTF-8: compared with SNI as A-label) */
	const char *certificate;        /* path to a PEM chain */
	const char *key;                /* path to a PEM key */
};

enum tls_version { TLS_1_2, TLS_1_3 };

/* Server side: the certificate is chosen by SNI, without a match the first. On failure NULL and a malloc'ed sentence that
 * names the file. */
struct tls *tls_server_new(const struct tls_certificate *certificates, size_t count, enum tls_version least,
                           char **error);
/* The same for a listener to which other servers connect: it asks for their certificates and takes a connection without
 * one, or with any (net/certificate.h judges); it gives no tickets, so each connection shows its own. */
struct tls *tls_server_asking_new(const struct tls_certificate *certificates, size_t count, enum tls_version least,
                                  char **error);
/* Client side (to other servers): shows certificate where it is not NULL; the peer's chain is not judged here. */
struct tls *tls_client_new(const struct tls_certificate *certificate, enum tls_version least, char **error);
struct tls *tls_ref(struct tls *tls);
void tls_unref(struct tls **tls);

#endif
