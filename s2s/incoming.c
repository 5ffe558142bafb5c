/* SPDX-License-Identifier: MIT
 *
 * The receiving side of a server stream: accepted, the header (incoming_header.c), RFC 6120 §5 STARTTLS; then it is open for
 * SASL (incoming_sasl.c), dialback (incoming_dialback.c) and stanzas (incoming_stanza.c). What may come when, and its end.
 */
#include "incoming.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "incoming_inside.h"
#include "link.h"
#include "trust.h"
#include "xmpp/ns.h"

static void incoming_received(struct stream *stream, void *owner, struct stanza *stanza,
                              enum stanza_check check);
static void incoming_secured(struct stream *stream, void *owner);
static void incoming_late(struct stream *stream, void *owner);
static void incoming_silent(struct stream *stream, void *owner);
static void incoming_closed(struct stream *stream, void *owner, enum stream_condition condition,
                            const char *text);

static const struct stream_class incoming_class = {
	.name = "server-in",
	.content_ns = NS_SERVER,
	.opened = incoming_opened,
	.received = incoming_received,
	.secured = incoming_secured,
	.late = incoming_late,
	.silent = incoming_silent,
	.closed = incoming_closed,
};

static void incoming_starttls(struct incoming *incoming, struct stanza *stanza);

/* What the peer may send besides stanzas once headers are exchanged. */
static const struct incoming_step {
	const char *name, *ns;
	void (*run)(struct incoming *incoming, struct stanza *stanza);
} incoming_steps[] = {
	{ "starttls", NS_TLS, incoming_starttls },
	{ "auth", NS_SASL, incoming_auth },
	{ "join", NS_JOIN, incoming_join },
	{ "result", NS_DIALBACK, incoming_dialback },
	{ "verify", NS_DIALBACK, incoming_dialback },
	{ "enable", NS_SM, incoming_enable },
	{ "r", NS_SM, incoming_asks },
	{ "a", NS_SM, incoming_acks },
	{ "resume", NS_SM, incoming_resume },
};

struct incoming *incoming_of(struct list_link *link)
{
	return LIST_MEMBER(link, struct incoming, link);
}

const struct config *incoming_config(const struct incoming *incoming)
{
	return incoming->s2s->home->config;
}

bool incoming_is_secure(const struct incoming *incoming)
{
	return conn_is_secure(stream_conn(incoming->stream));
}

/* Whether this domain may speak to us, and whether in clear. */
const struct peer_policy *incoming_policy(const struct incoming *incoming, const char *from)
{
	return policy_find(incoming_config(incoming), from ? from : "", from ? strlen(from) : 0);
}

bool incoming_lacks_tls(const struct incoming *incoming, const char *from)
{
	return !policy_suits_tls(incoming_policy(incoming, from), incoming->tls);
}

/* ---- the end ---- */

void incoming_free(struct incoming *incoming)
{
	struct list_link *pair;

	while ((pair = list_first(&incoming->pairs)))
		pair_free(LIST_MEMBER(pair, struct pair, link));
	barrier_clear(&incoming->barrier);
	incoming_join_forget(incoming);
	list_remove(&incoming->link);
	free(incoming->from);
	free(incoming->to);
	free(incoming);
}

/* false: its admission is on its way, and frees what has closed meanwhile. */
static bool incoming_leave_admission(struct incoming *incoming)
{
	bool passed = incoming->passed;

	incoming->passed = false;
	return !passed || admission_leave(incoming->s2s->home->server->admission, &incoming->pass);
}

static void incoming_closed(struct stream *stream, void *owner, enum stream_condition condition,
                            const char *text)
{
	struct incoming *incoming = owner;

	log_info(s2s_log(incoming->s2s), stream_name(stream), "server stream closed",
	         LOG_STR("peer", incoming->from), LOG_STR("address", incoming->address),
	         LOG_STR("condition", condition ? stream_condition_name(condition) : NULL),
	         LOG_STR("reason", text));
	incoming->state = INCOMING_ENDING;
	incoming_leave_intake(incoming, condition);
	incoming->stream = NULL;
	barrier_clear(&incoming->barrier);
	incoming_join_forget(incoming);
	if (incoming_leave_admission(incoming))
		incoming_free(incoming);
}

void incoming_fail(struct incoming *incoming, enum stream_condition condition, const char *text)
{
	log_warn(s2s_log(incoming->s2s), stream_name(incoming->stream), "server stream refused",
	         LOG_STR("peer", incoming->from), LOG_STR("address", incoming->address),
	         LOG_STR("condition", stream_condition_name(condition)), LOG_STR("reason", text));
	incoming->state = INCOMING_ENDING;
	stream_fail(incoming->stream, condition, text);
}

/* The first pair makes the stream an authenticated one. */
void incoming_authenticated(struct incoming *incoming)
{
	const struct limits *limits = &incoming_config(incoming)->limits;

	stream_set_deadline(incoming->stream, 0);
	stream_set_limit(incoming->stream, limits->stanza_server);
	stream_watch(incoming->stream, limits->silence_ms);
	incoming_leave_admission(incoming);
}

/* To one that was never listened to nothing is said. */
static void incoming_late(struct stream *stream, void *owner)
{
	struct incoming *incoming = owner;

	if (incoming->state != INCOMING_ADMISSION) {
		incoming_fail(incoming, STREAM_CONNECTION_TIMEOUT, "no domain was verified in time");
		return;
	}
	incoming->state = INCOMING_ENDING;
	stream_close(stream);
}

/* A blank makes TCP find out whether the peer lives (RFC 6120 §4.6.1). */
static void incoming_silent(struct stream *stream, void *owner)
{
	(void)owner;
	buf_add_char(stream_out(stream), ' ');
}

/* ---- accepted ---- */

static void incoming_begin(struct incoming *incoming)
{
	incoming->state = incoming->direct_tls ? INCOMING_SECURING : INCOMING_HEADER;
	if (incoming->direct_tls)
		stream_start_tls(incoming->stream, incoming_config(incoming)->tls_servers, NULL, ALPN_SERVER);
}

static void incoming_admitted(struct worker *worker, struct admission_pass *pass)
{
	struct incoming *incoming = LIST_MEMBER(pass, struct incoming, pass);

	(void)worker;
	if (!incoming->stream) {
		incoming_free(incoming);
	} else if (incoming->state == INCOMING_ADMISSION) {
		incoming_begin(incoming);
		stream_resume(incoming->stream);
	}
}

/* One beyond the limit of its address waits and nothing of it is read; its time runs all the same. */
static void incoming_enter(struct incoming *incoming)
{
	struct home *home = incoming->s2s->home;
	struct address peer, own;

	conn_address(stream_conn(incoming->stream), &peer, &own);
	address_write(&peer, incoming->address);
	incoming->passed = true;
	if (admission_enter(home->server->admission, home->worker, &incoming->pass, &peer, incoming_admitted))
		incoming_begin(incoming);
	else
		stream_pause(incoming->stream);
}

void incoming_accepted(struct home *home, enum listen_kind kind, struct transport *transport)
{
	struct incoming *incoming = mem_zalloc(sizeof(*incoming));
	const struct limits *limits = &home->config->limits;

	incoming->direct_tls = kind == LISTEN_SERVER_TLS;
	incoming->s2s = s2s_of(home);
	incoming->opened_ms = worker_now_ms(home->worker);
	list_init(&incoming->pairs);
	list_add_last(&incoming->s2s->incomings, &incoming->link);
	incoming->stream =
		stream_new(home, transport, &incoming_class, incoming, true, limits->stanza_unauthenticated);
	stream_set_deadline(incoming->stream, limits->authenticate_ms);
	stream_set_rate(incoming->stream, limits->server_rate, limits->server_burst);
	incoming_enter(incoming);
}

/* ---- STARTTLS (RFC 6120 §5.4) ---- */

/* Nothing of what was negotiated in clear outlives the start of TLS, so it is refused once pairs are
 * under way. */
static void incoming_starttls(struct incoming *incoming, struct stanza *stanza)
{
	(void)stanza;
	if (incoming_is_secure(incoming) || !list_is_empty(&incoming->pairs) ||
	    !incoming_config(incoming)->tls) {
		buf_add_lit(stream_out(incoming->stream), "<failure xmlns='" NS_TLS "'/>");
		incoming->state = INCOMING_ENDING;
		stream_close(incoming->stream);
	} else if (stream_has_unread(incoming->stream)) {
		incoming_fail(incoming, STREAM_POLICY_VIOLATION, "bytes in clear behind the request for TLS");
	} else {
		buf_add_lit(stream_out(incoming->stream), "<proceed xmlns='" NS_TLS "'/>");
		incoming->state = INCOMING_SECURING;
		stream_start_tls(incoming->stream, incoming_config(incoming)->tls_servers, NULL, NULL);
	}
}

static void incoming_secured(struct stream *stream, void *owner)
{
	struct incoming *incoming = owner;
	struct conn_tls tls;

	conn_tls(stream_conn(stream), &tls);
	snprintf(incoming->tls, sizeof(incoming->tls), "%s", tls.version);
	if (!conn_certificate_about(stream_conn(stream), &incoming->certificate))
		*incoming->certificate.pin = '\0';
	incoming->state = INCOMING_HEADER;
}

/* ---- what comes then ---- */

static void incoming_other(struct incoming *incoming, struct stanza *stanza)
{
	for (size_t i = 0; i < sizeof(incoming_steps) / sizeof(incoming_steps[0]); i++)
		if (element_is(stanza->root, incoming_steps[i].name, incoming_steps[i].ns)) {
			incoming_steps[i].run(incoming, stanza);
			return;
		}
	incoming_fail(incoming, STREAM_UNSUPPORTED_STANZA_TYPE, "neither a stanza nor dialback");
}

static void incoming_received(struct stream *stream, void *owner, struct stanza *stanza,
                              enum stanza_check check)
{
	struct incoming *incoming = owner;
	const struct stanza *done = stanza;

	(void)stream;
	if (incoming->state == INCOMING_OPEN && stanza->kind == STANZA_OTHER)
		incoming_other(incoming, stanza);
	else if (incoming->state == INCOMING_OPEN)
		incoming_stanza(incoming, stanza, check);
	stanza_unref(&done);
}

/* ---- from elsewhere ---- */

/* Allowed, and proven by what is taken as a proof now. */
static bool pair_is_allowed(const struct incoming *incoming, const struct pair *pair)
{
	const struct peer_policy *policy = incoming_policy(incoming, pair->from);
	char reason[LINK_REASON];

	if (!policy->allow || !pair->verified)
		return policy->allow;
	if (incoming_lacks_tls(incoming, pair->from))
		return false;
	if (strcmp(pair->method, "dialback") == 0)
		return policy->authentication & PEER_BY_DIALBACK;
	return trust_prove(incoming->stream, policy, pair->from, reason, sizeof(reason));
}

void incoming_configured(struct incoming *incoming)
{
	if (incoming->state != INCOMING_OPEN)
		return;
	for (struct list_link *l = list_first(&incoming->pairs); l; l = list_next(&incoming->pairs, l)) {
		const struct pair *pair = LIST_MEMBER(l, struct pair, link);

		if (!pair_is_allowed(incoming, pair)) {
			incoming_fail(incoming, STREAM_POLICY_VIOLATION,
			              "this server exchanges no stanzas with that domain any more");
			return;
		}
	}
}

void incoming_farewell(struct incoming *incoming)
{
	incoming->state = INCOMING_ENDING;
	if (incoming->stream)
		stream_fail(incoming->stream, STREAM_SYSTEM_SHUTDOWN, NULL);
}

bool incoming_brings_answers(const struct incoming *incoming)
{
	return incoming->state == INCOMING_OPEN && incoming->verified > 0 && !incoming->intake;
}

void incoming_drain(struct incoming *incoming)
{
	if (incoming->state == INCOMING_OPEN && incoming->intake)
		intake_leave(incoming->intake);
	else
		incoming_farewell(incoming);
}

bool incoming_row(const struct incoming *incoming, size_t number, struct incoming_row *out)
{
	struct list_link *l = list_first(&incoming->pairs);
	const struct pair *pair;

	*out = (struct incoming_row){
		.certificate = *incoming->certificate.pin ? &incoming->certificate : NULL,
		.from = incoming->from ? incoming->from : "",
		.to = incoming->to ? incoming->to : "",
		.state = "unverified",
		.tls = incoming->tls,
		.received = incoming->received,
		.seconds = (worker_now_ms(incoming->s2s->home->worker) - incoming->opened_ms) / 1000,
	};
	memcpy(out->address, incoming->address, ADDRESS_TEXT);
	if (!l)
		return number == 0;
	for (; l && number > 0; number--)
		l = list_next(&incoming->pairs, l);
	if (!l)
		return false;
	pair = LIST_MEMBER(l, struct pair, link);
	out->from = pair->from;
	out->to = pair->to;
	out->state = pair->verified ? "verified" : "verifying";
	out->method = pair->method;
	return true;
}
