/* SPDX-License-Identifier: MIT
 *
 * An XML stream on a conn (RFC 6120 §4): headers, stanzas in and out, stream errors, the closing handshake,
 * restarts and TLS, the size limit before bytes are parsed, silence and deadlines, and the custody of what
 * was written until the peer's TCP has acknowledged it. Clients, servers and components are owners of
 * streams; what may happen when is theirs.
 *
 * An idle stream holds no parser and no buffer. Callbacks come on the stream's home, never from inside an
 * owner's call; closed() is the last one.
 */
#ifndef CORE_STREAM_H
#define CORE_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "core/custody.h"
#include "core/server.h"
#include "net/conn.h"
#include "xmpp/error.h"
#include "xmpp/stanza.h"

struct stream;

/* The peer's opening tag (RFC 6120 §4.7). Borrowed for the call. */
struct stream_header {
	const char *to, *from, *id, *lang;      /* as sent, not prepared; NULL: absent */
	int major, minor;                       /* of version; 0.0 where absent */
	const struct element *element;          /* all of it */
};

struct stream_class {
	const char *name;                       /* for the log: "client", "server-in", "component" */
	const char *content_ns;                 /* our default namespace: jabber:client, ... */
	/* The peer's header. A stream that was accepted answers with stream_open. */
	void (*opened)(struct stream *stream, void *owner, const struct stream_header *header);
	/* A child of the root: stanza (kind != STANZA_OTHER) or anything else. Not sealed; the owner takes
	 * the reference. check: what stanza_read said. */
	void (*received)(struct stream *stream, void *owner, struct stanza *stanza, enum stanza_check check);
	void (*secured)(struct stream *stream, void *owner);    /* TLS is up; both sides open anew */
	/* The deadline that the owner set has passed, or nothing was heard for the time of stream_watch. */
	void (*late)(struct stream *stream, void *owner);
	void (*silent)(struct stream *stream, void *owner);
	/* A parcel of stream_send that the peer's TCP has not acknowledged when the stream ended, in order;
	 * before closed. The owner must answer it or hand it on. NULL: refused with remote-server-timeout. */
	void (*returned)(struct stream *stream, void *owner, struct parcel *parcel);
	/* condition: of the stream error, ours or the peer's; text: what to tell; both 0/NULL when
	 * orderly. */
	void (*closed)(struct stream *stream, void *owner, enum stream_condition condition, const char *text);
};

/* accepted: we answer headers; else we begin. limit: bytes of a stanza. unsent: see conn_set_limit; overrun
 * closes the stream with resource-constraint. */
struct stream *stream_new(struct home *home, struct transport *transport, const struct stream_class *class,
                          void *owner, bool accepted, size_t limit);
void stream_set_owner(struct stream *stream, const struct stream_class *class, void *owner);
void stream_set_limit(struct stream *stream, size_t limit);
void stream_set_rate(struct stream *stream, uint32_t bytes_per_second, uint32_t burst);

struct home *stream_home(const struct stream *stream);
struct conn *stream_conn(const struct stream *stream);
/* Our id of this stream: the one in our header when accepted, else the peer's once its header has come. */
const char *stream_id(const struct stream *stream);
/* What the log calls the connection: short, ours, and the same through restarts. */
const char *stream_name(const struct stream *stream);
const char *stream_lang(const struct stream *stream);

/* Our header; from, to may be NULL. extra: attributes and declarations ("xmlns:db='...'"), NULL. With an
 * accepted stream a fresh random id. */
void stream_open(struct stream *stream, const char *from, const char *to, const char *lang,
                 const char *extra);
/* After STARTTLS' proceed or SASL's success: the next thing from the peer is a header. Clear bytes behind a
 * <starttls/> close the stream. */
void stream_start_tls(struct stream *stream, struct tls *tls, const char *name, const char *alpn);
void stream_restart(struct stream *stream);
/* Bytes have come behind what received() was given: a <starttls/> must be refused then. */
bool stream_has_unread(const struct stream *stream);

/* Output. stream_out: for elements that are no stanzas; write whole elements only. */
struct buf *stream_out(struct stream *stream);
void stream_write(struct stream *stream, const struct stanza *stanza, const struct stanza_copy *copy);
/* Writes a parcel (tail: NULL or XML inside) and keeps its custody until it is acknowledged: then
 * parcel_taken. */
void stream_send(struct stream *stream, struct parcel *parcel, const char *tail, size_t tail_len);
/* Parcels and bytes that were sent and are not acknowledged, added up: 0 when all has arrived. */
size_t stream_unacked(struct stream *stream);

/* Reading stops and begins again (the store is behind, a move is prepared, a login is looked up). What is
 * buffered stays. */
void stream_pause(struct stream *stream);
void stream_resume(struct stream *stream);

/* One deadline: late() after ms; 0: none. */
void stream_set_deadline(struct stream *stream, uint32_t ms);
/* silent() after each ms without a byte from the peer; 0: none. */
void stream_watch(struct stream *stream, uint32_t ms);

/* The closing handshake of §4.4: footer, 5 s for the peer's, then the conn. stream_fail: a stream error
 * before it; text may be NULL. Both may be called at any time and more than once; only closed() follows. */
void stream_close(struct stream *stream);
void stream_fail(struct stream *stream, enum stream_condition condition, const char *text);
/* Closes the connection without a word, when all is sent: the peer shall come back (XEP-0198 §7). */
void stream_hang_up(struct stream *stream);
/* With a condition of the application, as XML (§4.9.4). */
void stream_fail_with(struct stream *stream, enum stream_condition condition, const char *text,
                      const char *detail);
/* The peer's footer has come. */
bool stream_is_closed_by_peer(const struct stream *stream);

/* Ends all streams of a home at once, without a closing handshake: the server leaves. */
void streams_abort(struct home *home, const char *reason);

/* Moves with its unread bytes to another home; arrived(stream, owner) runs there. The last thing a callback
 * does. At once (at the end of the turn) when it is the same home. */
void stream_move(struct stream *stream, struct home *to, void (*arrived)(struct stream *stream, void *owner));

#endif
