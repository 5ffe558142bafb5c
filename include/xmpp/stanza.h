/* SPDX-License-Identifier: MIT
 *
 * A stanza: parsed once into one arena, checked once, immutable and counted from then on
 * (docs/architecture.md). Its content is serialised once, canonically, as jabber:client; a thousand
 * recipients share those bytes, each with a start tag and a tail of its own. Reference counts are atomic: a
 * sealed stanza may be held and read on any thread.
 *
 * Elements of a stream that are no stanzas (features, auth, db:result) are carried by the same struct with
 * STANZA_OTHER; they are never routed.
 */
#ifndef XMPP_STANZA_H
#define XMPP_STANZA_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "xmpp/element.h"
#include "xmpp/error.h"
#include "xmpp/jid.h"

enum stanza_kind { STANZA_OTHER, STANZA_MESSAGE, STANZA_PRESENCE, STANZA_IQ };

enum stanza_type {
	STANZA_TYPE_NONE,               /* STANZA_OTHER */
	/* message (RFC 6121 §5.2.2); an unknown type is normal */
	MESSAGE_NORMAL, MESSAGE_CHAT, MESSAGE_GROUPCHAT, MESSAGE_HEADLINE, MESSAGE_ERROR,
	/* presence (RFC 6121 §4.7.1) */
	PRESENCE_AVAILABLE, PRESENCE_UNAVAILABLE, PRESENCE_SUBSCRIBE, PRESENCE_SUBSCRIBED,
	PRESENCE_UNSUBSCRIBE,
	PRESENCE_UNSUBSCRIBED, PRESENCE_PROBE, PRESENCE_ERROR, PRESENCE_INVALID,
	/* iq (RFC 6120 §8.2.3) */
	IQ_GET, IQ_SET, IQ_RESULT, IQ_ERROR, IQ_INVALID,
};

struct stanza {
	atomic_uint refs;
	enum stanza_kind kind;
	enum stanza_type type;
	struct jid from;                /* text NULL: none given */
	struct jid to;
	const char *id;                 /* NULL: none */
	const char *lang;               /* xml:lang, the stream's where the stanza had none; NULL: none */
	struct element *root;           /* as it was read: what is above may be newer than its attributes */
	const char *head;               /* the start tag without name, from and to, serialised; set by seal */
	size_t head_len;
	const char *content;            /* the root's content, serialised; set by seal */
	size_t content_len;
	bool sealed;
	atomic_bool secret;             /* stanza_keep_secret */
	uint64_t journal;               /* key of its text in the sender's journal (core/journal.h); 0: it is not there */
	atomic_bool settled;            /* custody has passed from its first holder, whoever still has a copy (core/custody.h) */
	const struct stanza *returns;   /* the message that this error of ours brings back, counted; NULL: none (core/custody.h) */
	uint64_t repeat;                /* by it a message is known again (core/repeats.c); 0: nobody has looked yet */
	uint64_t token;                 /* by it the session that sent it hears who has taken it; 0: it does not ask */
	struct arena arena;
};

/*
 * Begins a stanza that is filled in by its maker (parser, reply, test) and then sealed. size: a guess of its
 * bytes, 0 if unknown. One reference, the caller's.
 */
struct stanza *stanza_new(size_t size);
/* The same with room for what will be parsed from these bytes. */
struct stanza *stanza_new_for(const char *xml, size_t len);
/* A stanza of ours: root, kind and type set; from, to (copied) and id may be NULL. */
struct stanza *stanza_make(enum stanza_kind kind, enum stanza_type type, const struct jid *from,
                           const struct jid *to, const char *id);

enum stanza_check {
	STANZA_CHECK_OK,
	STANZA_CHECK_FROM,              /* from is no address */
	STANZA_CHECK_TO,                /* to is no address */
};
/* Reads kind, type, from, to, id and lang from root (in s->arena); stream_lang is stamped where the stanza
 * has none. */
enum stanza_check stanza_read(struct stanza *s, struct element *root, const char *stream_lang);

/* Serialises the content; from here on the stanza is const and may cross threads. */
const struct stanza *stanza_seal(struct stanza *s);

const struct stanza *stanza_ref(const struct stanza *s);
/* One more reference to a stanza that is still being made, on the thread that makes it. */
const struct stanza *stanza_share(struct stanza *s);
void stanza_unref(const struct stanza **s);     /* leaves NULL; the last one frees */

/* It holds a password: its memory is overwritten when the last reference goes. */
void stanza_keep_secret(const struct stanza *s);

/* Bytes that it weighs in queues: content and start tag, about. */
size_t stanza_weight(const struct stanza *s);
/* Whether no more than limit bytes are written of it when it goes to that address. Escaping may make it six
 * times as large as it came. */
bool stanza_fits(const struct stanza *s, const struct jid *to, size_t limit);

/* What one copy differs in from the stanza; NULL members: the stanza's own. */
struct stanza_copy {
	const struct jid *from, *to;
	const char *tail;               /* XML put before the closing tag (delay, stanza-id), canonical */
	size_t tail_len;
};
/* Writes the stanza as it goes onto any stream, whose default namespace is the content namespace. copy may be
 * NULL. */
void stanza_write(struct buf *out, const struct stanza *s, const struct stanza_copy *copy);

/* "message", "presence", "iq"; the type's attribute value, NULL where the attribute is left out. */
const char *stanza_kind_name(enum stanza_kind kind);
const char *stanza_type_name(enum stanza_type type);

/* Answers. The result has from and to exchanged and the same id; the caller adds content and seals. */
struct stanza *stanza_result(const struct stanza *iq);
/* The error for a stanza that could not be handled (RFC 6120 §8.3.1), sealed, with the content of s where s
 * is sealed and its content short; from: who says so, NULL: the address it was sent to. NULL where none may
 * be sent: for an error, an iq result, PRESENCE_ERROR. */
const struct stanza *stanza_error(const struct stanza *s, const struct jid *from,
                                  enum stanza_condition condition, const char *text);
/* The same, not sealed: its maker adds an application-specific condition to the <error/> (RFC 6120 §8.3.4). */
struct stanza *stanza_error_draft(const struct stanza *s, const struct jid *from,
                                  enum stanza_condition condition, const char *text);

#endif
