/* SPDX-License-Identifier: MIT
 *
 * TLS on one connection, without any I/O: ciphertext is fed from a borrowed window and leaves into a buffer. All memory
 * that it holds between two calls is OpenSSL's own state. Used by the conn only.
 */
#ifndef NET_TLS_SESSION_H
#define NET_TLS_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/conn.h"
#include "net/tls.h"

struct tls_session;

enum tls_status {
	TLS_DONE,               /* what was asked for; there may be more */
	TLS_NEEDS_INPUT,        /* all that was fed is consumed */
	TLS_ENDED,              /* the peer said goodbye */
	TLS_BROKEN,             /* an alert may lie in out */
};

/* name, alpn: as conn_start_tls. */
struct tls_session *tls_session_new(struct tls *tls, const char *name, const char *alpn);
void tls_session_free(struct tls_session **session);

/* The window of ciphertext for the calls that follow; what they leave of it is asked for at the end. */
void tls_session_feed(struct tls_session *session, const char *bytes, size_t len);
size_t tls_session_left(struct tls_session *session, const char **bytes);

enum tls_status tls_session_shake(struct tls_session *session, struct buf *out);
/* Decrypts into plain until it is full or the window is empty. *len bytes are valid whatever is answered. */
enum tls_status tls_session_open(struct tls_session *session, char *plain, size_t size, size_t *len, struct buf *out);
bool tls_session_seal(struct tls_session *session, const char *plain, size_t len, struct buf *out);
void tls_session_goodbye(struct tls_session *session, struct buf *out);
const char *tls_session_error(const struct tls_session *session);        /* after TLS_BROKEN; a literal */

void tls_session_describe(const struct tls_session *session, struct conn_tls *out);
size_t tls_session_exporter(struct tls_session *session, uint8_t out[64]);
size_t tls_session_end_point(struct tls_session *session, uint8_t out[64]);

#endif
