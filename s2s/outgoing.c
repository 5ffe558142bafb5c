/* SPDX-License-Identifier: MIT
 *
 * The initiating side of a server stream, in the order of RFC 6120: §3.2 connecting, §4.2 the header, §4.3
 * features, §5 STARTTLS, §6 SASL (outgoing_sasl.c); then it is open for dialback (outgoing_dialback.c) and the link's
 * stanzas. How it ends is in outgoing_end.c.
 *
 * The stream is one-way: a peer that sends stanzas on it breaks the rules. TLS that policy requires is
 * never done without.
 */
#include "outgoing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dialback.h"
#include "joining.h"
#include "net/connect.h"
#include "outgoing_inside.h"
#include "policy.h"
#include "trial.h"
#include "trust.h"
#include "xmpp/ns.h"

static void outgoing_opened(struct stream *stream, void *owner, const struct stream_header *header);
static void outgoing_received(struct stream *stream, void *owner, struct stanza *stanza,
                              enum stanza_check check);
static void outgoing_secured(struct stream *stream, void *owner);
static void outgoing_silent(struct stream *stream, void *owner);

const struct stream_class outgoing_class = {
	.name = "server-out",
	.content_ns = NS_SERVER,
	.opened = outgoing_opened,
	.received = outgoing_received,
	.secured = outgoing_secured,
	.late = outgoing_late,
	.silent = outgoing_silent,
	.returned = outgoing_returned,
	.closed = outgoing_closed,
};

static void outgoing_features(struct outgoing *outgoing, struct stanza *stanza);
static void outgoing_proceed(struct outgoing *outgoing, struct stanza *stanza);
static void outgoing_tls_refused(struct outgoing *outgoing, struct stanza *stanza);

/* What the peer may send, and when. */
static const struct outgoing_step {
	enum outgoing_state state;
	const char *name, *ns;
	void (*run)(struct outgoing *outgoing, struct stanza *stanza);
} outgoing_steps[] = {
	{ OUTGOING_FEATURES, "features", NS_STREAM, outgoing_features },
	{ OUTGOING_STARTTLS, "proceed", NS_TLS, outgoing_proceed },
	{ OUTGOING_STARTTLS, "failure", NS_TLS, outgoing_tls_refused },
	{ OUTGOING_SASL, "success", NS_SASL, outgoing_external_taken },
	{ OUTGOING_SASL, "failure", NS_SASL, outgoing_external_refused },
	{ OUTGOING_ENABLING, "enabled", NS_SM, outgoing_sm_enabled },
	{ OUTGOING_ENABLING, "resumed", NS_SM, outgoing_sm_resumed },
	{ OUTGOING_ENABLING, "failed", NS_SM, outgoing_sm_failed },
	{ OUTGOING_OPEN, "a", NS_SM, outgoing_acks },
	{ OUTGOING_OPEN, "r", NS_SM, outgoing_asks },
	{ OUTGOING_JOINING, "joined", NS_JOIN, outgoing_joined },
	{ OUTGOING_JOINING, "refused", NS_JOIN, outgoing_not_joined },
	{ OUTGOING_OPEN, "result", NS_DIALBACK, outgoing_dialback },
	{ OUTGOING_OPEN, "verify", NS_DIALBACK, outgoing_dialback },
};

const struct peer_policy *outgoing_policy(const struct outgoing *outgoing)
{
	const struct joining *joining = outgoing->trial ? trial_joining(outgoing->trial) : NULL;

	return joining ? joining_policy(joining)
	               : policy_find(outgoing->s2s->home->config, outgoing->remote, strlen(outgoing->remote));
}

struct outgoing *outgoing_of(struct list_link *link)
{
	return LIST_MEMBER(link, struct outgoing, link_in_home);
}

/* ---- the beginning ---- */

static struct outgoing *outgoing_new(struct s2s *s2s, const char *local, const char *remote)
{
	struct outgoing *outgoing = mem_zalloc(sizeof(*outgoing));

	outgoing->s2s = s2s;
	outgoing->local = str_dup(local);
	outgoing->remote = str_dup(remote);
	list_init(&outgoing->requests);
	list_add_last(&s2s->outgoings, &outgoing->link_in_home);
	return outgoing;
}

struct outgoing *outgoing_start(struct s2s *s2s, const char *local, const char *remote, struct link *link)
{
	struct outgoing *outgoing = outgoing_new(s2s, local, remote);

	outgoing->link = link;
	if (!link)
		map_put(s2s->callbacks, outgoing->remote, strlen(outgoing->remote), outgoing);
	outgoing_connect(outgoing);
	return outgoing;
}

struct outgoing *outgoing_try(struct s2s *s2s, const char *local, const char *remote, struct trial *trial)
{
	struct outgoing *outgoing = outgoing_new(s2s, local, remote);

	outgoing->trial = trial;
	outgoing_connect(outgoing);
	return outgoing;
}

void outgoing_start_tls(struct outgoing *outgoing, const char *alpn)
{
	const struct config *config = outgoing->s2s->home->config;
	const struct host *host = config_host(config, outgoing->local, strlen(outgoing->local));
	struct arena arena = { 0 };

	outgoing->state = OUTGOING_SECURING;
	stream_start_tls(outgoing->stream, host && host->tls_client ? host->tls_client : config->tls_client,
	                 jid_domain_ascii(&arena, outgoing->remote), alpn);
	arena_clear(&arena);
}

void outgoing_open(struct outgoing *outgoing)
{
	outgoing->state = OUTGOING_HEADER;
	stream_open(outgoing->stream, outgoing_joins(outgoing) ? NULL : outgoing->local, outgoing->remote, NULL,
	            DIALBACK_DECLARATION);
}

/* ---- header and features (RFC 6120 §4.2, §4.3) ---- */

/* What its certificate proves now. Where policy knows dialback the DNS is believed: it has said where the peer is. */
static bool outgoing_prove(struct outgoing *outgoing, char *reason, size_t size)
{
	const struct peer_policy *policy = outgoing_policy(outgoing);

	snprintf(reason, size, "it is not reached by TLS");
	outgoing->method = conn_is_secure(stream_conn(outgoing->stream))
	                           ? trust_prove(outgoing->stream, policy, outgoing->remote, reason, size)
	                           : NULL;
	return outgoing->method || policy->authentication & PEER_BY_DIALBACK;
}

bool outgoing_is_trusted(struct outgoing *outgoing)
{
	char reason[LINK_REASON];

	return policy_suits_tls(outgoing_policy(outgoing), outgoing->tls) &&
	       outgoing_prove(outgoing, reason, sizeof(reason));
}

/* Who does not prove itself by what policy asks for gets nothing of ours. */
static bool outgoing_trusts(struct outgoing *outgoing)
{
	char reason[LINK_REASON];
	bool proven = outgoing_prove(outgoing, reason, sizeof(reason)), could_know;

	if (proven && outgoing->trial)
		trial_judged(outgoing->trial, outgoing, reason);
	if (proven || outgoing_only_asks(outgoing))
		return true;
	could_know = trust_could_know(outgoing->stream, outgoing_policy(outgoing), outgoing->remote);
	outgoing_abandon(outgoing, could_know ? TROUBLE_UNTRUSTED : TROUBLE_CERTIFICATE, reason);
	return false;
}

/* §4.7.5: a server from before RFC 3920 has neither features nor TLS, but dialback. */
static void outgoing_opened(struct stream *stream, void *owner, const struct stream_header *header)
{
	struct outgoing *outgoing = owner;

	(void)stream;
	if (outgoing->state != OUTGOING_HEADER)
		return;
	if (!header->id || !*header->id)
		outgoing_offended(outgoing, STREAM_BAD_FORMAT, "the header has no id");
	else if (header->major >= 1)
		outgoing->state = OUTGOING_FEATURES;
	else if (!policy_suits_tls(outgoing_policy(outgoing), outgoing->tls))
		outgoing_abandon(outgoing, TROUBLE_TLS, "the server is too old for TLS");
	else if (outgoing_trusts(outgoing))
		outgoing_begin_dialback(outgoing);
}

/* TLS is up, or there is none: we prove ourselves. */
static void outgoing_authenticate(struct outgoing *outgoing, const struct stanza *features)
{
	if (!outgoing_trusts(outgoing))
		return;
	if (outgoing_joins(outgoing)) {
		outgoing_join(outgoing);
		return;
	}
	if (!outgoing_only_asks(outgoing) && conn_is_secure(stream_conn(outgoing->stream)) &&
	    outgoing_is_offered_external(features))
		outgoing_begin_external(outgoing);
	else
		outgoing_begin_dialback(outgoing);
}

static void outgoing_features(struct outgoing *outgoing, struct stanza *stanza)
{
	bool offered = element_child(stanza->root, "starttls", NS_TLS);
	bool can_tls = outgoing->s2s->home->config->tls_client;

	outgoing->offers_sm = element_child(stanza->root, "sm", NS_SM);
	if (outgoing->authenticated) {
		outgoing_verified(outgoing);
	} else if (conn_is_secure(stream_conn(outgoing->stream))) {
		outgoing_authenticate(outgoing, stanza);
	} else if (offered && can_tls) {
		outgoing->state = OUTGOING_STARTTLS;
		buf_add_lit(stream_out(outgoing->stream), "<starttls xmlns='" NS_TLS "'/>");
	} else if (!policy_suits_tls(outgoing_policy(outgoing), outgoing->tls)) {
		outgoing_abandon(outgoing, TROUBLE_TLS,
		                 can_tls ? "the server does not offer TLS"
		                         : "this server has no certificate for TLS");
	} else {
		outgoing_authenticate(outgoing, stanza);
	}
}

/* ---- STARTTLS (RFC 6120 §5.4) ---- */

static void outgoing_proceed(struct outgoing *outgoing, struct stanza *stanza)
{
	(void)stanza;
	outgoing_start_tls(outgoing, NULL);
}

static void outgoing_tls_refused(struct outgoing *outgoing, struct stanza *stanza)
{
	(void)stanza;
	outgoing_abandon(outgoing, TROUBLE_TLS, "the server refused to begin TLS");
}

static void outgoing_secured(struct stream *stream, void *owner)
{
	struct outgoing *outgoing = owner;
	struct conn_tls tls;

	conn_tls(stream_conn(stream), &tls);
	snprintf(outgoing->tls, sizeof(outgoing->tls), "%s", tls.version);
	if (!conn_certificate_about(stream_conn(stream), &outgoing->certificate))
		*outgoing->certificate.pin = '\0';
	if (!policy_suits_tls(outgoing_policy(outgoing), tls.version)) {
		outgoing_abandon(outgoing, TROUBLE_HANDSHAKE, "TLS 1.3 is required here");
		return;
	}
	if (outgoing->trial)
		trial_secured(outgoing->trial, &tls);
	outgoing_open(outgoing);
}

/* ---- the stream ---- */

static void outgoing_received(struct stream *stream, void *owner, struct stanza *stanza,
                              enum stanza_check check)
{
	struct outgoing *outgoing = owner;
	const struct outgoing_step *step = NULL;
	const struct stanza *done = stanza;

	(void)stream, (void)check;
	for (size_t i = 0; !step && i < sizeof(outgoing_steps) / sizeof(outgoing_steps[0]); i++)
		if (outgoing_steps[i].state == outgoing->state &&
		    element_is(stanza->root, outgoing_steps[i].name, outgoing_steps[i].ns))
			step = &outgoing_steps[i];
	if (step)
		step->run(outgoing, stanza);
	else if (outgoing->state != OUTGOING_ENDING)
		outgoing_offended(outgoing, STREAM_NOT_AUTHORIZED,
		                  "nothing of the kind is taken on this stream");
	stanza_unref(&done);
}

/* The peer has nothing to say on a one-way stream; a blank makes TCP find out whether it lives (RFC 6120
 * §4.6.1), a question whether the server does. */
static void outgoing_silent(struct stream *stream, void *owner)
{
	const struct outgoing *outgoing = owner;

	buf_add_char(stream_out(stream), ' ');
	if (outgoing->link && outgoing->link->receipts)
		receipts_probe(outgoing->link->receipts);
}

struct buf *outgoing_out(struct outgoing *outgoing)
{
	return stream_out(outgoing->stream);
}

void outgoing_up(struct outgoing *outgoing)
{
	const struct limits *limits = &outgoing->s2s->home->config->limits;

	outgoing->state = OUTGOING_OPEN;
	stream_set_deadline(outgoing->stream, 0);
	stream_watch(outgoing->stream, limits->silence_ms);
	conn_set_limit(stream_conn(outgoing->stream), OUTGOING_UNSENT + 2u * limits->stanza_server);
	if (outgoing->trial)
		trial_up(outgoing->trial, outgoing->authenticated ? "external" : "dialback");
	else
		link_up(outgoing->link);
}

void outgoing_send(struct outgoing *outgoing, struct parcel *parcel)
{
	receipts_send(outgoing->link->receipts, parcel);
}

bool outgoing_is_open(const struct outgoing *outgoing)
{
	return outgoing->state == OUTGOING_OPEN;
}

bool outgoing_has_room(const struct outgoing *outgoing)
{
	return outgoing_is_open(outgoing) && conn_unsent(stream_conn(outgoing->stream)) < OUTGOING_UNSENT &&
	       receipts_have_room(outgoing->link->receipts);
}

void outgoing_describe(const struct outgoing *outgoing, struct outgoing_row *out)
{
	bool up = outgoing_is_up(outgoing);
	const struct receipts *receipts = up && outgoing->link ? outgoing->link->receipts : NULL;

	*out = (struct outgoing_row){
		.receipts_by = receipts ? receipts_by_name(receipts) : NULL,
		.answers = receipts && receipts->answers,
		.round_ms = receipts ? receipts->round_ms : 0,
		.tls = outgoing->tls,
		.address = outgoing->address,
		.peer_by = outgoing->method ? outgoing->method : up ? "dns" : NULL,
		.we_by = !up ? NULL : outgoing->authenticated ? "external" : "dialback",
		.certificate = *outgoing->certificate.pin ? &outgoing->certificate : NULL,
	};
}
