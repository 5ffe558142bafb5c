/* SPDX-License-Identifier: MIT
 *
 * OpenSSL's door in net: the inside of a TLS context, shared by tls.c (contexts), tls_ticket.c (ticket keys),
 * tls_session.c (connections) and tls_certificate.c (what a peer's certificate proves).
 */
#ifndef NET_TLS_DOOR_H
#define NET_TLS_DOOR_H

#include <openssl/ssl.h>
#include <stdatomic.h>

#include "net/tls.h"

struct ticket_keys;

/* A certificate with the name under which it is shown. */
struct tls_face {
	char *name;             /* A-labels, lower case */
	SSL_CTX *context;
};

struct tls {
	atomic_uint refs;
	bool is_server;
	bool asks;              /* for the certificates of those who connect */
	size_t face_count;      /* a client has one, with or without a certificate */
	struct tls_face *faces;
	BIO_METHOD *window;     /* the BIO of tls_session.c */
	struct ticket_keys *tickets;
};

struct tls_session;
SSL *tls_session_ssl(const struct tls_session *session);

/* tls_session.c: ALPN is chosen for each connection by what it was started with. */
BIO_METHOD *tls_window_new(void);
int tls_choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                    unsigned in_len, void *context);

/* tls_ticket.c */
struct ticket_keys *ticket_keys_new(void);
void ticket_keys_free(struct ticket_keys **keys);
void ticket_keys_use(struct ticket_keys *keys, SSL_CTX *context);

#endif
