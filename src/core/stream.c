/* SPDX-License-Identifier: MIT
 *
 * The life of a stream: opened, secured, restarted, moved, closed (RFC 6120 §4.2 to §4.4), and its errors
 * (§4.9).
 *
 * An owner's call never leads to an owner's callback: whatever has to happen because of it happens in the
 * stream's turn job, in its timers or in the callbacks of its conn. The stream is freed after closed(), and
 * where the turn job is still waiting then, by that job.
 */
#include "core/stream.h"

#include <stdlib.h>

#include "base/mem.h"
#include "core/server.h"
#include "net/timer.h"
#include "stream_inside.h"
#include "xmpp/ns.h"
#include "xmpp/writer.h"

enum { STREAM_FAREWELL_MS = 5000 }; /* what the peer has for its footer */

#define STREAM_OF(member, field) LIST_MEMBER(member, struct stream, field)

static void stream_secured(struct conn *conn, void *owner);
static void stream_overrun(struct conn *conn, void *owner);
static void stream_conn_closed(struct conn *conn, void *owner, const char *reason);

static const struct conn_class stream_conn_class = {
	.received = stream_received,
	.secured = stream_secured,
	.overrun = stream_overrun,
	.closed = stream_conn_closed,
};

/* A home knows the streams that live there, so that it can end them. */
void stream_enter(struct stream *stream, struct home *home)
{
	stream->home = home;
	list_add_last(&home->open_streams, &stream->at_home);
	home->streams++;
}

void stream_depart(struct stream *stream)
{
	list_remove(&stream->at_home);
	stream->home->streams--;
}

void streams_abort(struct home *home, const char *reason)
{
	struct list_link *link;

	for (link = list_first(&home->open_streams); link; link = list_next(&home->open_streams, link))
		conn_abort(LIST_MEMBER(link, struct stream, at_home)->conn, reason);
}

struct stream *stream_new(struct home *home, struct transport *transport, const struct stream_class *class,
                          void *owner, bool accepted, size_t limit)
{
	struct stream *stream = mem_zalloc(sizeof(*stream));

	stream->class = class;
	stream->owner = owner;
	stream->accepted = accepted;
	stream->limit = (uint32_t)limit;
	stream->unacked_end = &stream->unacked;
	stream->job.run = stream_turned;
	framer_init(&stream->framer);
	id_random(worker_entropy(home->worker), stream->id);
	memcpy(stream->name, stream->id, STREAM_NAME_LEN);
	stream_enter(stream, home);
	stream->conn =
		conn_new(home->worker, transport, &stream_conn_class, stream, home->config->limits.unsent);
	return stream;
}

void stream_free(struct stream *stream)
{
	stream_forget_root(stream);
	stream_clear_input(stream);
	free(stream->peer_id);
	free(stream->text);
	free(stream);
}

void stream_set_owner(struct stream *stream, const struct stream_class *class, void *owner)
{
	stream->class = class;
	stream->owner = owner;
}

void stream_set_limit(struct stream *stream, size_t limit)
{
	stream->limit = (uint32_t)limit;
}

void stream_set_rate(struct stream *stream, uint32_t bytes_per_second, uint32_t burst)
{
	conn_set_rate(stream->conn, bytes_per_second, burst);
}

struct home *stream_home(const struct stream *stream)
{
	return stream->home;
}

struct conn *stream_conn(const struct stream *stream)
{
	return stream->conn;
}

const char *stream_id(const struct stream *stream)
{
	return stream->peer_id ? stream->peer_id : stream->id;
}

const char *stream_name(const struct stream *stream)
{
	return stream->name;
}

const char *stream_lang(const struct stream *stream)
{
	return stream->lang;
}

/* ---- opening (RFC 6120 §4.2, §4.7) ---- */

/* Each header that answers one has an id of its own (§4.7.3), and a version only for a peer that has one
 * (§4.7.5). */
void stream_open(struct stream *stream, const char *from, const char *to, const char *lang, const char *extra)
{
	struct buf *out = conn_out(stream->conn);

	if (stream->accepted)
		id_random(worker_entropy(stream->home->worker), stream->id);
	buf_add_lit(out, "<?xml version='1.0'?><stream:stream xmlns='");
	buf_add_str(out, stream->class->content_ns);
	buf_add_lit(out, "' xmlns:stream='" NS_STREAM "'");
	writer_attr(out, "id", stream->accepted ? stream->id : NULL);
	writer_attr(out, "from", from);
	writer_attr(out, "to", to);
	writer_attr(out, "version", stream->old_peer ? NULL : "1.0");
	writer_attr(out, "xml:lang", lang);
	if (extra) {
		buf_add_char(out, ' ');
		buf_add_str(out, extra);
	}
	buf_add_char(out, '>');
	stream->opened = true;
}

/* ---- restarts (RFC 6120 §4.3.3) ---- */

static void stream_begin_anew(struct stream *stream)
{
	stream_forget_root(stream);
	stream->opened = false;
}

void stream_restart(struct stream *stream)
{
	stream_begin_anew(stream);
}

bool stream_has_unread(const struct stream *stream)
{
	return stream->unread > 0;
}

/* Nothing that came in clear may be taken for something that came under TLS. */
void stream_start_tls(struct stream *stream, struct tls *tls, const char *name, const char *alpn)
{
	if (stream->closing)
		return;
	if (stream_has_unread(stream)) {
		stream_note(stream, STREAM_POLICY_VIOLATION, "bytes in clear behind the request for TLS");
		stream->closing = true;
		stream->deaf = true;
		conn_close(stream->conn, "bytes in clear behind the request for TLS");
		return;
	}
	stream_begin_anew(stream);
	stream_clear_input(stream);
	stream->securing = true;
	conn_start_tls(stream->conn, tls, name, alpn);
}

static void stream_secured(struct conn *conn, void *owner)
{
	struct stream *stream = owner;

	(void)conn;
	stream->securing = false;
	stream->heard_ms = worker_now_ms(stream->home->worker);
	if (!stream->closing)
		stream->class->secured(stream, stream->owner);
}

/* ---- output ---- */

struct buf *stream_out(struct stream *stream)
{
	return conn_out(stream->conn);
}

void stream_write(struct stream *stream, const struct stanza *stanza, const struct stanza_copy *copy)
{
	if (!stream->closing)
		stanza_write(conn_out(stream->conn), stanza, copy);
}

/* ---- reading stops and goes on ---- */

void stream_pause(struct stream *stream)
{
	stream->paused = true;
	conn_pause(stream->conn);
}

void stream_resume(struct stream *stream)
{
	if (!stream->paused)
		return;
	stream->paused = false;
	conn_resume(stream->conn);
	if (stream->input.len > 0)
		worker_at_end_of_turn(stream->home->worker, &stream->job);
}

/* ---- time ---- */

static void stream_late(struct worker *worker, struct timer *timer)
{
	struct stream *stream = STREAM_OF(timer, deadline);

	(void)worker;
	stream->class->late(stream, stream->owner);
}

void stream_set_deadline(struct stream *stream, uint32_t ms)
{
	if (stream->closing)
		return;
	if (ms)
		timer_start(stream->home->worker, &stream->deadline, ms, stream_late);
	else
		timer_stop(stream->home->worker, &stream->deadline);
}

/* The timer is not touched as bytes come: it finds out when it expires. While we do not read, silence says
 * nothing. */
static void stream_listened(struct worker *worker, struct timer *timer)
{
	struct stream *stream = STREAM_OF(timer, watch);
	uint64_t now = worker_now_ms(worker), quiet;

	if (stream->paused)
		stream->heard_ms = now;
	quiet = now - stream->heard_ms;
	if (quiet < stream->watch_ms) {
		timer_start(worker, timer, stream->watch_ms - quiet, stream_listened);
		return;
	}
	stream->heard_ms = now;
	timer_start(worker, timer, stream->watch_ms, stream_listened);
	stream->class->silent(stream, stream->owner);
}

void stream_watch(struct stream *stream, uint32_t ms)
{
	if (stream->closing)
		return;
	stream->watch_ms = ms;
	stream->heard_ms = worker_now_ms(stream->home->worker);
	if (ms)
		timer_start(stream->home->worker, &stream->watch, ms, stream_listened);
	else
		timer_stop(stream->home->worker, &stream->watch);
}

/* ---- closing (RFC 6120 §4.4) ---- */

void stream_note(struct stream *stream, enum stream_condition condition, const char *text)
{
	if (stream->condition != STREAM_NO_ERROR || stream->text)
		return;
	stream->condition = condition;
	stream->text = str_dup(text);
}

/* It flushes, and throws away what still comes. */
static void stream_end_conn(struct stream *stream)
{
	timer_stop(stream->home->worker, &stream->deadline);
	conn_close(stream->conn, NULL);
}

static void stream_farewell_over(struct worker *worker, struct timer *timer)
{
	(void)worker;
	stream_end_conn(STREAM_OF(timer, deadline));
}

/* Our half of the handshake. What the peer still sends is read for its footer, or thrown away. */
static void stream_say_footer(struct stream *stream)
{
	struct worker *worker = stream->home->worker;

	buf_add_lit(conn_out(stream->conn), "</stream:stream>");
	stream->closing = true;
	timer_stop(worker, &stream->watch);
	if (stream->peer_closed) {
		stream_end_conn(stream);
		return;
	}
	timer_start(worker, &stream->deadline, STREAM_FAREWELL_MS, stream_farewell_over);
	stream_resume(stream);
}

/* Where no header of ours is out there is nothing to close but the connection. */
static void stream_close_conn(struct stream *stream)
{
	stream->closing = true;
	timer_stop(stream->home->worker, &stream->watch);
	timer_stop(stream->home->worker, &stream->deadline);
	if (stream->securing)
		conn_abort(stream->conn, "closed during the TLS handshake");
	else
		conn_close(stream->conn, NULL);
}

void stream_close(struct stream *stream)
{
	if (stream->closing)
		return;
	if (stream->securing || !stream->opened)
		stream_close_conn(stream);
	else
		stream_say_footer(stream);
}

void stream_hang_up(struct stream *stream)
{
	if (stream->closing)
		return;
	stream->deaf = true;
	stream_close_conn(stream);
}

static void stream_say_error(struct stream *stream, enum stream_condition condition, const char *text,
                             const char *detail)
{
	struct buf *out = conn_out(stream->conn);

	buf_add_lit(out, "<stream:error><");
	buf_add_str(out, stream_condition_name(condition));
	buf_add_lit(out, " xmlns='" NS_STREAM_ERRORS "'/>");
	if (text) {
		buf_add_lit(out, "<text xmlns='" NS_STREAM_ERRORS "' xml:lang='en'>");
		writer_text(out, text, strlen(text));
		buf_add_lit(out, "</text>");
	}
	if (detail)
		buf_add_str(out, detail);
	buf_add_lit(out, "</stream:error>");
}

/* An error during setup comes behind a header all the same (§4.9.1.2), from a name that is ours
 * (§4.9.1.3). */
void stream_fail_with(struct stream *stream, enum stream_condition condition, const char *text,
                      const char *detail)
{
	if (stream->closing)
		return;
	stream_note(stream, condition, text);
	if (stream->accepted && !stream->opened && !stream->securing)
		stream_open(stream, stream->home->config->hosts[0].domain, NULL, "en", NULL);
	if (stream->opened && !stream->securing)
		stream_say_error(stream, condition, text, detail);
	stream_close(stream);
}

void stream_fail(struct stream *stream, enum stream_condition condition, const char *text)
{
	stream_fail_with(stream, condition, text, NULL);
}

bool stream_is_closed_by_peer(const struct stream *stream)
{
	return stream->peer_closed;
}

void stream_break(struct stream *stream, enum stream_condition condition, const char *text)
{
	stream->deaf = true;
	stream_fail(stream, condition, text);
	stream_end_conn(stream);
}

void stream_peer_closed(struct stream *stream)
{
	stream->peer_closed = true;
	stream->deaf = true;
	if (!stream->closing) {
		stream_close(stream);
		return;
	}
	stream_end_conn(stream);
}

static void stream_overrun(struct conn *conn, void *owner)
{
	struct stream *stream = owner;

	(void)conn;
	stream_note(stream, STREAM_RESOURCE_CONSTRAINT, "does not read what it is sent");
	stream->closing = true;
	stream->deaf = true;
	conn_abort(stream->conn, "does not read what it is sent");
}

static void stream_conn_closed(struct conn *conn, void *owner, const char *reason)
{
	struct stream *stream = owner;
	struct worker *worker = stream->home->worker;

	(void)conn;
	stream_note(stream, STREAM_NO_ERROR, reason);
	stream->closing = true;
	stream->deaf = true;
	timer_stop(worker, &stream->deadline);
	timer_stop(worker, &stream->watch);
	timer_stop(worker, &stream->sweep);
	stream_collect(stream);
	stream_return_all(stream);
	stream->class->closed(stream, stream->owner, stream->condition, stream->text);
	if (!stream->left)
		stream_depart(stream);
	stream->gone = true;
	if (!stream->job.waiting)
		stream_free(stream);
}
