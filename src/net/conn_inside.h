/* SPDX-License-Identifier: MIT
 *
 * The inside of a conn, for the files that implement it: conn.c (its life, its input), conn_output.c (flushing and what
 * is acknowledged), conn_tls.c and conn_move.c.
 *
 * Output passes through two buffers: out holds the owner's bytes, wire holds bytes in their final form that the
 * transport has not taken yet. In clear out is written directly. Both hold no memory while there is nothing to send.
 */
#ifndef NET_CONN_INSIDE_H
#define NET_CONN_INSIDE_H

#include "conn_shared.h"
#include "net/conn.h"
#include "net/rate.h"
#include "net/timer.h"
#include "tls_session.h"

enum {
	CONN_HANDSHAKE_MS = 10000,
	CONN_CLOSE_MS = 5000,           /* to flush what is unsent */
	CONN_LINGER_MS = 2000,          /* for the peer to close its side after ours */
	CONN_MARKS = 4,
};

enum conn_phase {
	CONN_OPEN,
	CONN_CLOSING,           /* flushing what had been written before the close */
	CONN_LINGERING,         /* said goodbye; waits for the peer's */
	CONN_DEAD,              /* in the list of the dead: closed() comes at the end of the turn */
};

/* The owner's bytes up to plain are contained in the wire's bytes up to wire. */
struct conn_mark {
	uint64_t plain, wire;
};

struct conn {
	struct transport *transport;
	const struct conn_class *class;
	void *owner;
	struct worker *worker;
	struct tls_session *tls;        /* NULL: in clear */
	const char *reason;

	struct list_link ready;         /* links into the worker's lists of the same names */
	struct list_link dirty;
	struct list_link fate;          /* moving or dead */

	struct buf rest;                /* received, not yet decrypted: the hello is not whole, the owner paused or moves */
	struct buf out;
	struct buf wire;
	size_t limit;
	size_t last_words;              /* after a close: bytes of out that still go out */
	uint64_t sunk;                  /* written by the owner after the close */
	uint64_t sealed;                /* the owner's bytes that left out */
	uint64_t wired;                 /* bytes in wire form that were made */
	uint64_t taken;                 /* of these: taken by the transport */
	uint64_t acked;                 /* the owner's bytes known to be acknowledged */
	uint64_t clear_until;           /* bytes of the wire that are the owner's own, one to one */
	struct conn_mark marks[CONN_MARKS];

	struct timer deadline;          /* of the handshake, or of the close */
	struct timer throttle;
	struct rate rate;
	uint32_t rate_per_second;
	uint32_t rate_burst;

	struct mail mail;               /* carries the conn to another worker */
	struct worker *moving_to;       /* not NULL: on its way */
	void (*arrived)(struct conn *conn, void *owner);

	enum conn_phase phase : 8;
	uint8_t mark_count;
	bool secure : 1;                /* the handshake is complete */
	bool greeted : 1;               /* the peer's hello has come, whole; for a client always */
	bool shaking : 1;               /* the handshake has begun */
	bool paused : 1;                /* by the owner */
	bool throttled : 1;             /* by the rate */
	bool reading : 1;               /* the transport was told to read */
	bool unread : 1;                /* input to go on with, in rest or within TLS */
	bool blocked : 1;               /* the transport took less than all; it will say when it takes more */
	bool peer_done : 1;             /* nothing more will come */
	bool goodbye : 1;               /* close_notify was written */
	bool overran : 1;
	bool has_deadline : 1;          /* while moving: to be started anew */
	bool has_throttle : 1;
};

/* conn.c */
void conn_update_reading(struct conn *conn);
void conn_die(struct conn *conn, const char *reason);
void conn_begin_close(struct conn *conn, const char *reason);
void conn_bury(struct conn *conn);              /* closed(), then free */
void conn_free(struct conn *conn);
void conn_go_on(struct conn *conn);             /* with kept input */
void conn_schedule_input(struct conn *conn);    /* when there is kept input that may be delivered */
bool conn_may_deliver(const struct conn *conn);
void conn_deadline_passed(struct worker *worker, struct timer *timer);

/* conn_output.c */
void conn_mark_dirty(struct conn *conn);
void conn_flush(struct conn *conn);

/* conn_tls.c: input of a conn with TLS: the handshake, then decryption. What cannot be delivered now is kept. */
void conn_decrypt(struct conn *conn, const char *bytes, size_t len);

/* conn_move.c */
void conn_depart(struct conn *conn);

#endif
