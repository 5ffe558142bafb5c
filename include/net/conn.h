/* SPDX-License-Identifier: MIT
 *
 * A conn delivers bytes and takes bytes, in clear or under TLS, with a write limit. It lives on one worker at a time and
 * may move to another once, with its TLS object. It holds no buffer while it is idle: TLS runs over the worker's scratch
 * buffers, output buffers are given back when they are drained. All output of a turn leaves with one write.
 *
 * The owner's callbacks run on the conn's worker, never from inside the owner's own call. After closed() the conn is
 * gone; after conn_close or conn_abort only closed() will still come.
 */
#ifndef NET_CONN_H
#define NET_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/address.h"
#include "net/tls.h"
#include "net/transport.h"
#include "net/worker.h"

struct conn;

struct conn_class {
	/* Bytes for the owner, in a buffer that the call may overwrite; the owner takes all of them now. */
	void (*received)(struct conn *conn, void *owner, char *bytes, size_t len);
	void (*secured)(struct conn *conn, void *owner);                        /* the TLS handshake is complete */
	void (*overrun)(struct conn *conn, void *owner);                        /* unsent bytes passed the limit; once */
	void (*closed)(struct conn *conn, void *owner, const char *reason);     /* NULL: orderly */
};

/* Takes the transport. Reading begins at once. Nobody may write more than limit unsent bytes (0: unlimited). */
struct conn *conn_new(struct worker *worker, struct transport *transport, const struct conn_class *class, void *owner,
                      size_t limit);
void conn_set_owner(struct conn *conn, const struct conn_class *class, void *owner);
void conn_set_limit(struct conn *conn, size_t limit);
struct worker *conn_worker(const struct conn *conn);
void conn_address(const struct conn *conn, struct address *peer, struct address *own);

/* The output buffer: append to it; it is flushed at the end of the turn. Never NULL; after a close it goes nowhere. */
struct buf *conn_out(struct conn *conn);
size_t conn_unsent(const struct conn *conn);
/* Positions in the owner's bytes: all that was ever appended to conn_out, and of these what the peer's TCP has
 * acknowledged. The second may be less than the truth, never more; it stays readable within closed(). */
uint64_t conn_position(const struct conn *conn);
uint64_t conn_acked(struct conn *conn);

/* Reading. While paused TCP pushes back. Within received() a pause takes effect for the next bytes. */
void conn_pause(struct conn *conn);
void conn_resume(struct conn *conn);
/* At most so many bytes a second, with a burst; 0: no bound. The conn pauses itself for as long as it must. */
void conn_set_rate(struct conn *conn, uint32_t bytes_per_second, uint32_t burst);

/* Flushes for at most 5 seconds, says goodbye (TLS, FIN), closes. reason: for closed() and the log; a literal. */
void conn_close(struct conn *conn, const char *reason);
void conn_abort(struct conn *conn, const char *reason);         /* at once */

/*
 * Begins TLS after what is in conn_out now. name: as client, whom we want to reach (SNI); as server NULL. alpn: offered or
 * required protocol, NULL for none. What had been received in clear and not consumed must have been refused before. The
 * handshake has 10 s. Fails by closed().
 */
void conn_start_tls(struct conn *conn, struct tls *tls, const char *name, const char *alpn);
bool conn_is_secure(const struct conn *conn);                   /* after the handshake */

struct conn_tls {
	const char *version;            /* "TLSv1.3" */
	const char *cipher;
	const char *alpn;               /* "" where none was agreed */
	bool has_peer_certificate;
};
void conn_tls(const struct conn *conn, struct conn_tls *out);
/* RFC 9266 on TLS 1.3 (32 bytes); RFC 5929 tls-server-end-point on all. Bytes written to out (64), 0: not available. */
size_t conn_binding_exporter(struct conn *conn, uint8_t out[64]);
size_t conn_binding_end_point(struct conn *conn, uint8_t out[64]);

/*
 * Moves to another worker; arrived(conn, owner) runs there. Until then the conn, and owner's state that hangs on it, must
 * not be touched here; received() comes next on the other side. Call it as the last thing of a callback.
 */
void conn_move(struct conn *conn, struct worker *to, void (*arrived)(struct conn *conn, void *owner));

#endif
