/* SPDX-License-Identifier: MIT
 *
 * The receiving side of a server stream, in the order of RFC 6120: §4.2 the header, §4.3 features, §5 STARTTLS; then
 * dialback as receiving server (XEP-0220 §2.2.1) and as authoritative server (§2.2.2), then stanzas.
 *
 * A stream may carry several pairs (§2.6). What must stay true: a stanza passes only if its from and to belong to a pair
 * that was verified on this very stream; our own domains are never believed to speak from outside; the way for stanzas is
 * in only: what answers something we never asked ends the stream (§3.1).
 */
#include "incoming.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/claims.h"
#include "core/iq.h"
#include "core/stream.h"
#include "dialback.h"
#include "link.h"
#include "net/admission.h"
#include "policy.h"
#include "verify.h"
#include "xmpp/ns.h"

enum incoming_state {
	INCOMING_ADMISSION,             /* too many connections from its address: nothing is read */
	INCOMING_HEADER,                /* the peer's is to come */
	INCOMING_MOVING,
	INCOMING_OPEN,
	INCOMING_SECURING,
	INCOMING_ENDING,
};

/* A pair that the peer wants to use: we have asked the authoritative server, or it is verified. */
struct pair {
	struct list_link link;
	struct incoming *incoming;
	char *from, *to;
	size_t from_len, to_len;
	struct verify *verify;          /* under way */
	bool verified;
};

struct incoming {
	struct list_link link;          /* s2s->incomings */
	struct s2s *s2s;
	enum incoming_state state;
	struct admission_pass pass;
	bool passed;                    /* it is counted in admission */
	struct transport *transport;    /* while it waits for admission */
	struct stream *stream;
	char *from, *to;                /* of the peer's header, prepared; NULL: not said */
	bool old_peer;                  /* from before XMPP 1.0: it knows no features */
	struct list pairs;
	size_t unverified, verified;
	struct pair *last;              /* that a stanza belonged to */
	uint64_t opened_ms, received;
	char tls[16], address[ADDRESS_TEXT];
};

static void incoming_opened(struct stream *stream, void *owner, const struct stream_header *header);
static void incoming_received(struct stream *stream, void *owner, struct stanza *stanza, enum stanza_check check);
static void incoming_secured(struct stream *stream, void *owner);
static void incoming_late(struct stream *stream, void *owner);
static void incoming_silent(struct stream *stream, void *owner);
static void incoming_closed(struct stream *stream, void *owner, enum stream_condition condition, const char *text);

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
static void incoming_dialback(struct incoming *incoming, struct stanza *stanza);

/* What the peer may send besides stanzas once headers are exchanged. */
static const struct incoming_step {
	const char *name, *ns;
	void (*run)(struct incoming *incoming, struct stanza *stanza);
} incoming_steps[] = {
	{ "starttls", NS_TLS, incoming_starttls },
	{ "result", NS_DIALBACK, incoming_dialback },
	{ "verify", NS_DIALBACK, incoming_dialback },
};

struct incoming *incoming_of(struct list_link *link)
{
	return LIST_MEMBER(link, struct incoming, link);
}

static const struct config *incoming_config(const struct incoming *incoming)
{
	return incoming->s2s->home->config;
}

static bool incoming_is_secure(const struct incoming *incoming)
{
	return conn_is_secure(stream_conn(incoming->stream));
}

/* Whether this domain may speak to us, and whether in clear. */
static const struct peer_policy *incoming_policy(const struct incoming *incoming, const char *from)
{
	return policy_find(incoming_config(incoming), from ? from : "", from ? strlen(from) : 0);
}

static bool incoming_lacks_tls(const struct incoming *incoming, const char *from)
{
	return incoming_policy(incoming, from)->tls == PEER_TLS_REQUIRED && !incoming_is_secure(incoming);
}

/* ---- the end ---- */

static void pair_free(struct pair *pair)
{
	struct incoming *incoming = pair->incoming;

	if (incoming->last == pair)
		incoming->last = NULL;
	if (pair->verified)
		incoming->verified--;
	else
		incoming->unverified--;
	verify_cancel(&pair->verify);
	list_remove(&pair->link);
	free(pair->from);
	free(pair->to);
	free(pair);
}

void incoming_free(struct incoming *incoming)
{
	struct list_link *pair;

	while ((pair = list_first(&incoming->pairs)))
		pair_free(LIST_MEMBER(pair, struct pair, link));
	if (incoming->transport)
		incoming->transport->ops->free(incoming->transport);
	list_remove(&incoming->link);
	free(incoming->from);
	free(incoming->to);
	free(incoming);
}

static void incoming_leave_admission(struct incoming *incoming)
{
	if (incoming->passed)
		admission_leave(incoming->s2s->home->server->admission, &incoming->pass);
	incoming->passed = false;
}

static void incoming_closed(struct stream *stream, void *owner, enum stream_condition condition, const char *text)
{
	struct incoming *incoming = owner;

	log_info(s2s_log(incoming->s2s), stream_id(stream), "server stream closed", LOG_STR("peer", incoming->from),
	         LOG_STR("address", incoming->address),
	         LOG_STR("condition", condition ? stream_condition_name(condition) : NULL), LOG_STR("reason", text));
	incoming_leave_admission(incoming);
	incoming_free(incoming);
}

static void incoming_fail(struct incoming *incoming, enum stream_condition condition, const char *text)
{
	log_warn(s2s_log(incoming->s2s), stream_id(incoming->stream), "server stream refused",
	         LOG_STR("peer", incoming->from), LOG_STR("address", incoming->address),
	         LOG_STR("condition", stream_condition_name(condition)), LOG_STR("reason", text));
	incoming->state = INCOMING_ENDING;
	stream_fail(incoming->stream, condition, text);
}

static void incoming_late(struct stream *stream, void *owner)
{
	(void)stream;
	incoming_fail(owner, STREAM_CONNECTION_TIMEOUT, "no domain was verified in time");
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
	struct home *home = incoming->s2s->home;
	const struct limits *limits = &home->config->limits;
	struct transport *transport = incoming->transport;

	incoming->transport = NULL;
	incoming->state = INCOMING_HEADER;
	incoming->stream = stream_new(home, transport, &incoming_class, incoming, true, limits->stanza_unauthenticated);
	stream_set_deadline(incoming->stream, limits->authenticate_ms);
	stream_set_rate(incoming->stream, limits->server_rate, limits->server_burst);
}

static void incoming_admitted(struct worker *worker, struct admission_pass *pass)
{
	struct incoming *incoming = LIST_MEMBER(pass, struct incoming, pass);

	(void)worker;
	if (incoming->state == INCOMING_ENDING)
		incoming_free(incoming);
	else
		incoming_begin(incoming);
}

void incoming_accepted(struct home *home, enum listen_kind kind, struct transport *transport)
{
	struct incoming *incoming = mem_zalloc(sizeof(*incoming));
	struct address peer, own;

	(void)kind;
	incoming->s2s = s2s_of(home);
	incoming->transport = transport;
	incoming->opened_ms = worker_now_ms(home->worker);
	list_init(&incoming->pairs);
	list_add_last(&incoming->s2s->incomings, &incoming->link);
	transport->ops->address(transport, &peer, &own);
	address_write(&peer, incoming->address);
	incoming->passed = true;
	if (admission_enter(home->server->admission, home->worker, &incoming->pass, &peer, incoming_admitted))
		incoming_begin(incoming);
}

/* ---- the header (RFC 6120 §4.2, §4.7) ---- */

static char *incoming_domain(const char *text)
{
	struct arena arena = { 0 };
	struct jid domain;
	char *prepared = NULL;

	if (text && jid_domain_prepare(&arena, text, strlen(text), &domain))
		prepared = str_dup(domain.text);
	arena_clear(&arena);
	return prepared;
}

/* Keeps what the header says. What was said before TLS stays true behind it. */
static const char *incoming_read_header(struct incoming *incoming, const struct stream_header *header,
                                        enum stream_condition *condition)
{
	char *to = incoming_domain(header->to), *from = incoming_domain(header->from);
	bool changed = (incoming->to && (!to || strcmp(to, incoming->to) != 0)) ||
	               (incoming->from && (!from || strcmp(from, incoming->from) != 0));

	free(incoming->to);
	free(incoming->from);
	incoming->to = to;
	incoming->from = from;
	*condition = STREAM_IMPROPER_ADDRESSING;
	if (!to || (header->from && !from))
		return "to and from must be domains";
	*condition = STREAM_HOST_UNKNOWN;
	if (!s2s_is_ours(incoming->s2s, to, strlen(to)))
		return "that domain is not served here";
	*condition = STREAM_INVALID_FROM;
	if (from && s2s_is_ours(incoming->s2s, from, strlen(from)))
		return "that domain is served here and speaks from nowhere else";
	if (changed)
		return "to and from must stay what they were before TLS";
	*condition = STREAM_POLICY_VIOLATION;
	return incoming_policy(incoming, from)->allow ? NULL : "this server exchanges no stanzas with that domain";
}

static void incoming_send_features(struct incoming *incoming)
{
	struct buf *out = stream_out(incoming->stream);
	bool lacks_tls = incoming_lacks_tls(incoming, incoming->from);

	buf_add_lit(out, "<stream:features>");
	if (!incoming_is_secure(incoming) && incoming_config(incoming)->tls)
		buf_printf(out, "<starttls xmlns='" NS_TLS "'>%s</starttls>", lacks_tls ? "<required/>" : "");
	if (!lacks_tls)
		buf_add_lit(out, "<dialback xmlns='" NS_DIALBACK_FEATURE "'><errors/></dialback>");
	buf_add_lit(out, "</stream:features>");
}

static void incoming_greet(struct incoming *incoming)
{
	incoming->state = INCOMING_OPEN;
	stream_open(incoming->stream, incoming->to, incoming->from, "en", DIALBACK_DECLARATION);
	if (!incoming->old_peer)
		incoming_send_features(incoming);
}

static void incoming_arrived(struct stream *stream, void *owner)
{
	struct incoming *incoming = owner;

	incoming->s2s = s2s_of(stream_home(stream));
	list_add_last(&incoming->s2s->incomings, &incoming->link);
	if (incoming->s2s->draining)
		incoming_drain(incoming);
	else
		incoming_greet(incoming);
}

/* To the home of the link of this pair: most of what comes belongs to it. */
static void incoming_move_home(struct incoming *incoming)
{
	struct link_key key;

	link_key_make(&key, incoming->to, strlen(incoming->to), incoming->from, strlen(incoming->from));
	incoming->state = INCOMING_MOVING;
	list_remove(&incoming->link);
	stream_move(incoming->stream, link_home(incoming->s2s->home, &key), incoming_arrived);
}

static void incoming_opened(struct stream *stream, void *owner, const struct stream_header *header)
{
	struct incoming *incoming = owner;
	enum stream_condition condition;
	const char *fault;

	(void)stream;
	if (incoming->state != INCOMING_HEADER)
		return;
	fault = incoming_read_header(incoming, header, &condition);
	incoming->old_peer = header->major < 1;
	if (fault)
		incoming_fail(incoming, condition, fault);
	else if (incoming->from && !incoming_is_secure(incoming))
		incoming_move_home(incoming);
	else
		incoming_greet(incoming);
}

/* ---- STARTTLS (RFC 6120 §5.4) ---- */

/* Nothing of what was negotiated in clear outlives the start of TLS, so it is refused once pairs are under way. */
static void incoming_starttls(struct incoming *incoming, struct stanza *stanza)
{
	(void)stanza;
	if (incoming_is_secure(incoming) || !list_is_empty(&incoming->pairs) || !incoming_config(incoming)->tls) {
		buf_add_lit(stream_out(incoming->stream), "<failure xmlns='" NS_TLS "'/>");
		incoming->state = INCOMING_ENDING;
		stream_close(incoming->stream);
	} else if (stream_has_unread(incoming->stream)) {
		incoming_fail(incoming, STREAM_POLICY_VIOLATION, "bytes in clear behind the request for TLS");
	} else {
		buf_add_lit(stream_out(incoming->stream), "<proceed xmlns='" NS_TLS "'/>");
		incoming->state = INCOMING_SECURING;
		stream_start_tls(incoming->stream, incoming_config(incoming)->tls, NULL, NULL);
	}
}

static void incoming_secured(struct stream *stream, void *owner)
{
	struct incoming *incoming = owner;
	struct conn_tls tls;

	conn_tls(stream_conn(stream), &tls);
	snprintf(incoming->tls, sizeof(incoming->tls), "%s", tls.version);
	incoming->state = INCOMING_HEADER;
}

/* ---- receiving server (XEP-0220 §2.2.1) ---- */

static void incoming_answer(struct incoming *incoming, const struct dialback *request, enum dialback_type type,
                            const char *condition)
{
	struct dialback answer = {
		.kind = request->kind, .type = type, .from = request->to, .to = request->from, .id = request->id,
		.condition = condition,
	};

	if (incoming->state == INCOMING_OPEN)
		dialback_write(stream_out(incoming->stream), &answer);
}

static void pair_answer(struct pair *pair, enum dialback_type type, const char *condition)
{
	struct dialback request = { .kind = DIALBACK_RESULT, .from = pair->from, .to = pair->to };

	log_info(s2s_log(pair->incoming->s2s), stream_id(pair->incoming->stream), "dialback",
	         LOG_STR("from", pair->from), LOG_STR("to", pair->to),
	         LOG_STR("result", type == DIALBACK_VALID ? "valid" : type == DIALBACK_INVALID ? "invalid" : condition));
	incoming_answer(pair->incoming, &request, type, condition);
}

/* The first pair makes the stream an authenticated one. */
static void incoming_authenticated(struct incoming *incoming)
{
	const struct limits *limits = &incoming_config(incoming)->limits;

	stream_set_deadline(incoming->stream, 0);
	stream_set_limit(incoming->stream, limits->stanza_server);
	stream_watch(incoming->stream, limits->silence_ms);
	incoming_leave_admission(incoming);
}

static void pair_is_valid(struct pair *pair)
{
	struct incoming *incoming = pair->incoming;

	pair->verified = true;
	incoming->unverified--;
	if (incoming->verified++ == 0)
		incoming_authenticated(incoming);
	pair_answer(pair, DIALBACK_VALID, NULL);
	link_peer_seen(incoming->s2s->home, pair->to, pair->from);
}

/* A forged key ends the stream, unless others have proven themselves on it (§2.2.1). */
static void pair_is_forged(struct pair *pair)
{
	struct incoming *incoming = pair->incoming;

	if (incoming->verified > 0) {
		pair_answer(pair, DIALBACK_ERROR, DIALBACK_FORBIDDEN);
		return;
	}
	pair_answer(pair, DIALBACK_INVALID, NULL);
	incoming_fail(incoming, STREAM_NOT_AUTHORIZED, "the dialback key is not that domain's");
}

static void pair_judged(void *owner, enum dialback_type type, const char *condition)
{
	struct pair *pair = owner;

	pair->verify = NULL;
	if (type == DIALBACK_VALID) {
		pair_is_valid(pair);
		return;
	}
	if (type == DIALBACK_INVALID)
		pair_is_forged(pair);
	else
		pair_answer(pair, DIALBACK_ERROR, condition);
	pair_free(pair);
}

static struct pair *incoming_pair_find(const struct incoming *incoming, const char *from, size_t from_len,
                                       const char *to, size_t to_len)
{
	for (struct list_link *l = list_first(&incoming->pairs); l; l = list_next(&incoming->pairs, l)) {
		struct pair *pair = LIST_MEMBER(l, struct pair, link);

		if (pair->from_len == from_len && pair->to_len == to_len && memcmp(pair->from, from, from_len) == 0 &&
		    memcmp(pair->to, to, to_len) == 0)
			return pair;
	}
	return NULL;
}

/* What stands against asking the authoritative server at all; NULL: nothing. */
static const char *incoming_result_fault(const struct incoming *incoming, const struct dialback *request)
{
	const struct peer_policies *policies = policies_of(incoming_config(incoming));

	if (!s2s_is_ours(incoming->s2s, request->to, strlen(request->to)))
		return DIALBACK_ITEM_NOT_FOUND;
	if (!incoming_policy(incoming, request->from)->allow || incoming_lacks_tls(incoming, request->from))
		return DIALBACK_POLICY_VIOLATION;
	if (incoming->unverified >= policies->unverified_pairs || incoming->verified >= policies->verified_pairs)
		return DIALBACK_RESOURCE_CONSTRAINT;
	return NULL;
}

/* An error of dialback is not the end of the stream (§2.2.1), unless the stream has no TLS and therefore no future. */
static void incoming_refuse_result(struct incoming *incoming, const struct dialback *request, const char *fault)
{
	log_info(s2s_log(incoming->s2s), stream_id(incoming->stream), "dialback refused", LOG_STR("from", request->from),
	         LOG_STR("to", request->to), LOG_STR("result", fault));
	incoming_answer(incoming, request, DIALBACK_ERROR, fault);
	if (list_is_empty(&incoming->pairs) && incoming_lacks_tls(incoming, request->from))
		incoming_fail(incoming, STREAM_POLICY_VIOLATION, "TLS is required");
}

static void incoming_verify(struct incoming *incoming, const struct dialback *request)
{
	struct pair *pair = mem_zalloc(sizeof(*pair));

	pair->incoming = incoming;
	pair->from = str_dup(request->from);
	pair->to = str_dup(request->to);
	pair->from_len = strlen(pair->from);
	pair->to_len = strlen(pair->to);
	list_add_last(&incoming->pairs, &pair->link);
	incoming->unverified++;
	pair->verify = verify_start(incoming->s2s, pair->to, pair->from, stream_id(incoming->stream), request->key,
	                            pair_judged, pair);
	if (pair->verify)
		return;
	pair_answer(pair, DIALBACK_ERROR, DIALBACK_RESOURCE_CONSTRAINT);
	pair_free(pair);
}

/* Step 1. A pair that is verified already stays so; one that is under way gets its answer when it is known. */
static void incoming_result(struct incoming *incoming, const struct dialback *request)
{
	struct pair *pair = incoming_pair_find(incoming, request->from, strlen(request->from), request->to,
	                                       strlen(request->to));
	const char *fault = incoming_result_fault(incoming, request);

	if (pair && pair->verified)
		incoming_answer(incoming, request, DIALBACK_VALID, NULL);
	else if (!pair && fault)
		incoming_refuse_result(incoming, request, fault);
	else if (!pair)
		incoming_verify(incoming, request);
}

/* ---- authoritative server (XEP-0220 §2.2.2) ---- */

/* Step 2. The key says all: it is made of our secret, of both domains and of the stream's id. */
static void incoming_verify_asked(struct incoming *incoming, const struct dialback *request)
{
	const char *secret = incoming->s2s->home->server->secret;

	if (!s2s_is_ours(incoming->s2s, request->to, strlen(request->to)))
		incoming_answer(incoming, request, DIALBACK_ERROR, DIALBACK_ITEM_NOT_FOUND);
	else if (incoming_lacks_tls(incoming, request->from))
		incoming_answer(incoming, request, DIALBACK_ERROR, DIALBACK_POLICY_VIOLATION);
	else if (dialback_key_is(secret, request->from, request->to, request->id, request->key))
		incoming_answer(incoming, request, DIALBACK_VALID, NULL);
	else
		incoming_answer(incoming, request, DIALBACK_INVALID, NULL);
}

static void incoming_dialback(struct incoming *incoming, struct stanza *stanza)
{
	struct dialback request;
	enum dialback_read read = dialback_read(&stanza->arena, stanza->root, &request);

	if (read == DIALBACK_BAD_ADDRESS)
		incoming_fail(incoming, STREAM_IMPROPER_ADDRESSING, "from and to of dialback must be domains");
	else if (read == DIALBACK_MALFORMED)
		incoming_fail(incoming, STREAM_INVALID_XML, "dialback without a key or an id");
	else if (request.type != DIALBACK_REQUEST)
		incoming_fail(incoming, STREAM_NOT_AUTHORIZED, "a dialback answer to what was not asked here");
	else if (s2s_is_ours(incoming->s2s, request.from, strlen(request.from)))
		incoming_fail(incoming, STREAM_INVALID_FROM, "that domain is served here and speaks from nowhere else");
	else if (request.kind == DIALBACK_RESULT)
		incoming_result(incoming, &request);
	else
		incoming_verify_asked(incoming, &request);
}

/* ---- stanzas (RFC 6120 §8.1.1.2, §8.1.2.2) ---- */

static bool incoming_speaks_for(const struct incoming *incoming, const struct jid *from)
{
	for (struct list_link *l = list_first(&incoming->pairs); l; l = list_next(&incoming->pairs, l)) {
		const struct pair *pair = LIST_MEMBER(l, struct pair, link);

		if (pair->verified && pair->from_len == from->domain_len &&
		    memcmp(pair->from, jid_domain_text(from), from->domain_len) == 0)
			return true;
	}
	return false;
}

/* The verified pair that the stanza belongs to; mostly that of the stanza before. */
static struct pair *incoming_pair_of(struct incoming *incoming, const struct stanza *stanza)
{
	const char *from = jid_domain_text(&stanza->from), *to = jid_domain_text(&stanza->to);
	struct pair *pair = incoming->last;

	if (pair && pair->from_len == stanza->from.domain_len && pair->to_len == stanza->to.domain_len &&
	    memcmp(pair->from, from, pair->from_len) == 0 && memcmp(pair->to, to, pair->to_len) == 0)
		return pair;
	pair = incoming_pair_find(incoming, from, stanza->from.domain_len, to, stanza->to.domain_len);
	if (!pair || !pair->verified)
		return NULL;
	return incoming->last = pair;
}

/* Why a stanza that belongs to no verified pair ends the stream. */
static void incoming_refuse_stanza(struct incoming *incoming, const struct stanza *stanza)
{
	if (incoming->verified == 0)
		incoming_fail(incoming, STREAM_NOT_AUTHORIZED, "no domain has been verified on this stream");
	else if (!incoming_speaks_for(incoming, &stanza->from))
		incoming_fail(incoming, STREAM_INVALID_FROM, "that domain has not been verified on this stream");
	else if (!s2s_is_ours(incoming->s2s, jid_domain_text(&stanza->to), stanza->to.domain_len))
		incoming_fail(incoming, STREAM_HOST_UNKNOWN, "that domain is not served here");
	else
		incoming_fail(incoming, STREAM_NOT_AUTHORIZED, "that pair of domains has not been verified on this stream");
}

/* Custody begins here: who refuses it, refuses it to the sender. */
static void incoming_route(struct incoming *incoming, struct stanza *stanza)
{
	struct home *home = incoming->s2s->home;
	const char *fault = stanza->kind == STANZA_IQ ? iq_fault(stanza) : NULL;
	struct parcel *parcel;

	claims_strip(home->config, stanza);
	parcel = parcel_new(home, stanza_seal(stanza), NULL);
	if (fault)
		parcel_refused(home, &parcel, STANZA_BAD_REQUEST, fault);
	else
		route(home, parcel);
}

static void incoming_stanza(struct incoming *incoming, struct stanza *stanza, enum stanza_check check)
{
	incoming->received++;
	if (check != STANZA_CHECK_OK || !stanza->from.text || !stanza->to.text)
		incoming_fail(incoming, STREAM_IMPROPER_ADDRESSING, "a stanza between servers has from and to");
	else if (!incoming_pair_of(incoming, stanza))
		incoming_refuse_stanza(incoming, stanza);
	else
		incoming_route(incoming, stanza);
}

static void incoming_other(struct incoming *incoming, struct stanza *stanza)
{
	for (size_t i = 0; i < sizeof(incoming_steps) / sizeof(incoming_steps[0]); i++)
		if (element_is(stanza->root, incoming_steps[i].name, incoming_steps[i].ns)) {
			incoming_steps[i].run(incoming, stanza);
			return;
		}
	incoming_fail(incoming, STREAM_UNSUPPORTED_STANZA_TYPE, "neither a stanza nor dialback");
}

static void incoming_received(struct stream *stream, void *owner, struct stanza *stanza, enum stanza_check check)
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

void incoming_configured(struct incoming *incoming)
{
	if (incoming->state != INCOMING_OPEN)
		return;
	for (struct list_link *l = list_first(&incoming->pairs); l; l = list_next(&incoming->pairs, l)) {
		const struct pair *pair = LIST_MEMBER(l, struct pair, link);

		if (!incoming_policy(incoming, pair->from)->allow) {
			incoming_fail(incoming, STREAM_POLICY_VIOLATION, "this server exchanges no stanzas with that domain");
			return;
		}
	}
}

void incoming_drain(struct incoming *incoming)
{
	bool waits = incoming->state == INCOMING_ADMISSION;

	incoming->state = INCOMING_ENDING;
	if (!waits)
		stream_fail(incoming->stream, STREAM_SYSTEM_SHUTDOWN, NULL);
	else if (admission_leave(incoming->s2s->home->server->admission, &incoming->pass))
		incoming_free(incoming);
}

bool incoming_row(const struct incoming *incoming, size_t number, struct incoming_row *out)
{
	struct list_link *l = list_first(&incoming->pairs);
	const struct pair *pair;

	*out = (struct incoming_row){
		.from = incoming->from ? incoming->from : "", .to = incoming->to ? incoming->to : "",
		.state = "unverified", .tls = incoming->tls, .received = incoming->received,
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
	return true;
}
