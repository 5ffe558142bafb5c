/* SPDX-License-Identifier: MIT
 *
 * What the files of the stream share: the struct itself and the steps from one file to another. stream.c has
 * its life and its output, stream_input.c what the peer sends, stream_unacked.c the custody of what was
 * written.
 */
#ifndef CORE_STREAM_INSIDE_H
#define CORE_STREAM_INSIDE_H

#include "core/stream.h"
#include "net/timer.h"
#include "xmpp/framer.h"

enum { STREAM_NAME_LEN = 8 };

struct stream {
	struct home *home;
	struct list_link at_home;       /* home->open_streams */
	struct conn *conn;
	const struct stream_class *class;
	void *owner;

	/* Input. */
	struct framer framer;
	struct buf input;               /* an unfinished unit, or what waits unread; else no memory */
	uint32_t scanned;               /* bytes of input that the framer has seen */
	uint32_t unread;                /* bytes that have come and were not taken yet */
	uint32_t limit;                 /* of a unit */
	const char *prime;              /* what stanzas are parsed under; NULL: the header is still to come */
	char *own_prime;                /* its memory where the peer's root is unusual */
	char *lang;                     /* xml:lang of the peer's root; NULL: none */
	char *peer_id;                  /* id of the peer's header where we began */

	/* Output. */
	char id[ID_LEN + 1];
	char name[STREAM_NAME_LEN + 1]; /* the beginning of its first id */
	struct parcel *unacked, **unacked_end;  /* in the order of their positions */
	uint32_t unacked_count;
	uint16_t sweep_ms;              /* until the next look at what has been acknowledged */

	bool accepted : 1;
	bool opened : 1;                /* our header is out */
	bool old_peer : 1;              /* its version is lower than 1.0 */
	bool securing : 1;              /* a TLS handshake is under way */
	bool paused : 1;
	bool moving : 1;                /* it was asked for; nothing is read any more */
	bool left : 1;                  /* it is on its way */
	bool deaf : 1;                  /* what still comes is thrown away */
	bool peer_closed : 1;           /* its footer has come */
	bool closing : 1;               /* our footer is out, or the conn is closing */
	bool gone : 1;                  /* closed() was called; only the memory is left */

	enum stream_condition condition;        /* for closed() */
	char *text;

	uint64_t heard_ms;              /* the last byte from the peer, or when silent() was last called */
	uint32_t watch_ms;
	struct timer deadline;          /* the owner's; once closing: of the handshake */
	struct timer watch;
	struct timer sweep;

	struct turn_job job;            /* reads on, or moves, outside of the owner's calls */
	struct home *move_to;
	bool deadline_runs : 1, watch_runs : 1; /* while it moves */
	void (*arrived)(struct stream *stream, void *owner);
};

/* stream_input.c */
void stream_received(struct conn *conn, void *owner, char *bytes, size_t len);
void stream_read_on(struct stream *stream);             /* takes what waits in input */
void stream_forget_root(struct stream *stream);         /* the next thing is a header */
void stream_clear_input(struct stream *stream);

/* stream_move.c: the turn job */
void stream_enter(struct stream *stream, struct home *home);
void stream_depart(struct stream *stream);
void stream_turned(struct worker *worker, struct turn_job *job);

/* stream.c */
void stream_free(struct stream *stream);
/* Notes why, for closed(); the first reason stays. */
void stream_note(struct stream *stream, enum stream_condition condition, const char *text);
/* The peer's footer, or its stream error, has come. */
void stream_peer_closed(struct stream *stream);
/* As stream_fail, and nothing that the peer still sends is read. */
void stream_break(struct stream *stream, enum stream_condition condition, const char *text);

/* stream_unacked.c */
void stream_collect(struct stream *stream);             /* what has been acknowledged is taken */
void stream_return_all(struct stream *stream);          /* the rest goes back to the owner */
void stream_sweep_start(struct stream *stream);

#endif
