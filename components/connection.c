/* SPDX-License-Identifier: MIT
 *
 * A connection of an external component, from accept to its end: XEP-0114 §3. The header names the component, the
 * handshake proves the secret, the connection moves to the home of its domain and takes the component's place. Before the
 * handshake nothing else is accepted, within ten seconds; afterwards every stanza must come from the component's domain.
 */
#include "component.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "core/barrier.h"
#include "core/claims.h"
#include "core/iq.h"
#include "net/admission.h"
#include "xmpp/ns.h"

enum connection_state {
	CONNECTION_HEADER,
	CONNECTION_HANDSHAKE,
	CONNECTION_MOVING,
	CONNECTION_ATTACHED,
	CONNECTION_ENDING
};

enum { HANDSHAKE_MS = 10000 };

struct connection {
	struct stream *stream; /* NULL: closed; only the mail of its admission is still to come */
	enum connection_state state;
	struct admission_pass pass;
	bool passed;                 /* it is counted in admission */
	char *domain;                /* prepared; once the header has named it */
	struct component *component; /* while attached */
	struct barrier *barrier;
};

static void connection_opened(struct stream *stream, void *owner, const struct stream_header *header);
static void connection_received(struct stream *stream, void *owner, struct stanza *stanza,
                                enum stanza_check check);
static void connection_late(struct stream *stream, void *owner);
static void connection_silent(struct stream *stream, void *owner);
static void connection_closed(struct stream *stream, void *owner, enum stream_condition condition,
                              const char *text);

static const struct stream_class connection_class = {
	.name = "component",
	.content_ns = NS_COMPONENT_ACCEPT,
	.opened = connection_opened,
	.received = connection_received,
	.late = connection_late,
	.silent = connection_silent,
	.closed = connection_closed,
};

static void connection_admitted(struct worker *worker, struct admission_pass *pass)
{
	struct connection *connection = LIST_MEMBER(pass, struct connection, pass);

	(void)worker;
	if (connection->stream)
		stream_resume(connection->stream);
	else
		free(connection);
}

/* One beyond the limit of its address waits and nothing of it is read. */
void connection_accepted(struct home *home, enum listen_kind kind, struct transport *transport)
{
	struct connection *connection = mem_zalloc(sizeof(*connection));
	struct address peer, own;

	(void)kind;
	connection->stream = stream_new(home, transport, &connection_class, connection, true,
	                                home->config->limits.stanza_unauthenticated);
	stream_set_deadline(connection->stream, HANDSHAKE_MS);
	conn_address(stream_conn(connection->stream), &peer, &own);
	connection->passed = true;
	if (!admission_enter(home->server->admission, home->worker, &connection->pass, &peer,
	                     connection_admitted))
		stream_pause(connection->stream);
}

/* Attached, or gone. false: its admission is on its way and frees the connection. */
static bool connection_leave_admission(struct connection *connection)
{
	bool passed = connection->passed;

	connection->passed = false;
	return !passed ||
	       admission_leave(stream_home(connection->stream)->server->admission, &connection->pass);
}

static void connection_fail(struct connection *connection, enum stream_condition condition, const char *text)
{
	struct log *log = stream_home(connection->stream)->server->log;

	log_warn(log, stream_name(connection->stream), "component stream refused",
	         LOG_STR("component", connection->domain),
	         LOG_STR("condition", stream_condition_name(condition)), LOG_STR("reason", text));
	connection->state = CONNECTION_ENDING;
	stream_fail(connection->stream, condition, text);
}

/* §3, step 1 and 2: the header's to is the component; ours answers with the id that the handshake is made of. */
static void connection_opened(struct stream *stream, void *owner, const struct stream_header *header)
{
	struct connection *connection = owner;
	struct arena arena = { 0 };
	struct jid domain;

	if (header->to && jid_domain_prepare(&arena, header->to, strlen(header->to), &domain))
		connection->domain = str_dup(domain.text);
	arena_clear(&arena);
	stream_open(stream, connection->domain, NULL, NULL, NULL);
	if (!connection->domain ||
	    !component_settings_find(stream_home(stream)->config, connection->domain)) {
		connection_fail(connection, STREAM_HOST_UNKNOWN, "no such component is configured here");
		return;
	}
	connection->state = CONNECTION_HANDSHAKE;
}

/* §3, step 3: the lower case hex of SHA-1(stream id, secret), compared in constant time. */
static bool connection_proves(const struct connection *connection, const char *secret, const char *handshake)
{
	uint8_t digest[DIGEST_MAX];
	struct buf text = { 0 }, hex = { 0 };
	bool same;

	buf_add_str(&text, stream_id(connection->stream));
	buf_add_str(&text, secret);
	digest_bytes(DIGEST_SHA1, text.data, text.len, digest);
	hex_encode(&hex, digest, digest_size(DIGEST_SHA1));
	same = strlen(handshake) == hex.len && digest_same(hex.data, handshake, hex.len);
	mem_wipe(text.data, text.len);
	mem_wipe(hex.data, hex.len);
	buf_clear(&text);
	buf_clear(&hex);
	return same;
}

/* §3, step 4, on the home of the domain. */
static void connection_arrived(struct stream *stream, void *owner)
{
	struct connection *connection = owner;
	struct home *home = stream_home(stream);
	const struct component_settings *settings = component_settings_find(home->config, connection->domain);
	const struct limits *limits = &home->config->limits;

	if (connection->state == CONNECTION_ENDING)
		return;
	if (settings)
		connection->component = component_attach(home, settings, connection, stream);
	if (!connection->component) {
		connection_fail(connection, STREAM_CONFLICT, "the component is attached already");
		return;
	}
	connection->state = CONNECTION_ATTACHED;
	connection_leave_admission(connection);
	stream_set_deadline(stream, 0);
	stream_watch(stream, limits->silence_ms);
	stream_set_limit(stream, limits->stanza_component);
	stream_set_rate(stream, limits->component_rate, limits->component_burst);
	buf_add_lit(stream_out(stream), "<handshake/>");
	log_info(home->server->log, stream_name(stream), "component attached",
	         LOG_STR("component", connection->domain),
	         LOG_STR("address", connection->component->address));
}

static void connection_handshake(struct connection *connection, struct stanza *stanza)
{
	struct home *home = stream_home(connection->stream);
	const struct component_settings *settings = component_settings_find(home->config, connection->domain);

	if (!element_is(stanza->root, "handshake", NS_CLIENT)) {
		connection_fail(connection, STREAM_NOT_AUTHORIZED, "a handshake is expected first");
		return;
	}
	if (!settings ||
	    !connection_proves(connection, settings->secret, element_text(&stanza->arena, stanza->root))) {
		connection_fail(connection, STREAM_NOT_AUTHORIZED, "the handshake does not match the secret");
		return;
	}
	connection->state = CONNECTION_MOVING;
	stream_move(connection->stream, component_home(home, connection->domain), connection_arrived);
}

/* An error for the component itself, about a stanza that could not be routed. */
static void connection_answer(struct connection *connection, struct stanza *stanza,
                              enum stanza_condition condition, const char *text)
{
	const struct stanza *error;

	if (!stanza->to.text)
		stanza->to = jid_domain(&stanza->arena, &stanza->from);
	stanza_seal(stanza);
	error = stanza_error(stanza, NULL, condition, text);
	if (error)
		stream_write(connection->stream, error, NULL);
	stanza_unref(&error);
}

static void connection_route(struct connection *connection, struct stanza *stanza)
{
	struct home *home = stream_home(connection->stream);

	claims_strip(home->config, stanza);
	connection->component->from_component++;
	route_stanza(home, stanza_ref(stanza_seal(stanza)));
}

static void connection_ping_passed(void *owner, struct stanza *ping)
{
	const struct stanza *done = ping;

	connection_route(owner, ping);
	stanza_unref(&done);
}

static bool connection_speaks_for(const struct connection *connection, const struct jid *from)
{
	size_t len = strlen(connection->domain);

	return from->text && from->domain_len == len &&
	       memcmp(jid_domain_text(from), connection->domain, len) == 0;
}

/* Every stanza is from the component's own domain; anything else ends the stream. */
static void connection_stanza(struct connection *connection, struct stanza *stanza, enum stanza_check check)
{
	const char *fault = stanza->kind == STANZA_IQ ? iq_fault(stanza) : NULL;

	if (stanza->kind == STANZA_OTHER)
		connection_fail(connection, STREAM_UNSUPPORTED_STANZA_TYPE,
		                "only message, presence and iq are stanzas");
	else if (check == STANZA_CHECK_FROM || !connection_speaks_for(connection, &stanza->from))
		connection_fail(connection, STREAM_INVALID_FROM,
		                "from must be an address of the component's domain");
	else if (check == STANZA_CHECK_TO || !stanza->to.text)
		connection_answer(connection, stanza, STANZA_JID_MALFORMED, "to must be an address");
	else if (fault)
		connection_answer(connection, stanza, STANZA_BAD_REQUEST, fault);
	else if (!barrier_stops(&connection->barrier, stream_home(connection->stream), stanza, &stanza->from,
	                        connection_ping_passed, connection))
		connection_route(connection, stanza);
}

static void connection_received(struct stream *stream, void *owner, struct stanza *stanza,
                                enum stanza_check check)
{
	struct connection *connection = owner;
	const struct stanza *done = stanza;

	(void)stream;
	if (connection->state == CONNECTION_HANDSHAKE)
		connection_handshake(connection, stanza);
	else if (connection->state == CONNECTION_ATTACHED)
		connection_stanza(connection, stanza, check);
	stanza_unref(&done);
}

static void connection_late(struct stream *stream, void *owner)
{
	(void)stream;
	connection_fail(owner, STREAM_CONNECTION_TIMEOUT, "no handshake within ten seconds");
}

/* A silent component is asked by a blank, which makes TCP find a dead one; old libraries do not all answer pings. */
static void connection_silent(struct stream *stream, void *owner)
{
	(void)owner;
	buf_add_char(stream_out(stream), ' ');
}

static void connection_closed(struct stream *stream, void *owner, enum stream_condition condition,
                              const char *text)
{
	struct connection *connection = owner;
	struct home *home = stream_home(stream);

	if (connection->component)
		log_info(home->server->log, stream_name(stream), "component detached",
		         LOG_STR("component", connection->domain),
		         LOG_STR("condition", condition ? stream_condition_name(condition) : NULL),
		         LOG_STR("reason", text));
	component_detach(home, &connection->component);
	barrier_clear(&connection->barrier);
	free(connection->domain);
	if (connection_leave_admission(connection))
		free(connection);
	else
		connection->stream = NULL;
}
