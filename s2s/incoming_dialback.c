/* SPDX-License-Identifier: MIT
 *
 * Dialback on a stream that was opened to us: XEP-0220 §2.2.1, receiving server, and §2.2.2, authoritative
 * server.
 *
 * A pair is asked about once; its stanzas pass only when the authoritative server has said valid, and only
 * on this stream. What answers something that we never asked here ends the stream (§3.1).
 */
#include "incoming_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dialback.h"
#include "link.h"
#include "verify.h"

/* ---- pairs ---- */

struct pair *pair_find(const struct incoming *incoming, const char *from, size_t from_len, const char *to,
                       size_t to_len)
{
	for (struct list_link *l = list_first(&incoming->pairs); l; l = list_next(&incoming->pairs, l)) {
		struct pair *pair = LIST_MEMBER(l, struct pair, link);

		if (pair->from_len == from_len && pair->to_len == to_len &&
		    memcmp(pair->from, from, from_len) == 0 && memcmp(pair->to, to, to_len) == 0)
			return pair;
	}
	return NULL;
}

void pair_free(struct pair *pair)
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

/* ---- receiving server (XEP-0220 §2.2.1) ---- */

static void incoming_answer(struct incoming *incoming, const struct dialback *request,
                            enum dialback_type type, const char *condition)
{
	struct dialback answer = {
		.kind = request->kind,
		.type = type,
		.from = request->to,
		.to = request->from,
		.id = request->id,
		.condition = condition,
	};

	if (incoming->state == INCOMING_OPEN)
		dialback_write(stream_out(incoming->stream), &answer);
}

static void pair_answer(struct pair *pair, enum dialback_type type, const char *condition)
{
	struct dialback request = { .kind = DIALBACK_RESULT, .from = pair->from, .to = pair->to };

	log_info(s2s_log(pair->incoming->s2s), stream_name(pair->incoming->stream), "dialback",
	         LOG_STR("from", pair->from), LOG_STR("to", pair->to),
	         LOG_STR("result", type == DIALBACK_VALID     ? "valid"
	                           : type == DIALBACK_INVALID ? "invalid"
	                                                      : condition));
	incoming_answer(pair->incoming, &request, type, condition);
}

static void pair_is_proven(struct pair *pair, const char *method)
{
	struct incoming *incoming = pair->incoming;

	pair->verified = true;
	pair->method = method;
	incoming->unverified--;
	if (incoming->verified++ == 0)
		incoming_authenticated(incoming);
	link_peer_seen(incoming->s2s->home, pair->to, pair->from);
}

static void pair_is_valid(struct pair *pair)
{
	pair_is_proven(pair, "dialback");
	pair_answer(pair, DIALBACK_VALID, NULL);
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

/* What stands against asking the authoritative server at all; NULL: nothing. */
static const char *incoming_result_fault(const struct incoming *incoming, const struct dialback *request)
{
	const struct peer_policies *policies = policies_of(incoming_config(incoming));
	const struct peer_policy *policy = incoming_policy(incoming, request->from);

	if (!s2s_is_ours(incoming->s2s, request->to, strlen(request->to)))
		return DIALBACK_ITEM_NOT_FOUND;
	if (!policy->allow || !(policy->authentication & PEER_BY_DIALBACK) ||
	    incoming_lacks_tls(incoming, request->from))
		return DIALBACK_POLICY_VIOLATION;
	if (incoming->unverified >= policies->unverified_pairs ||
	    incoming->verified >= policies->verified_pairs)
		return DIALBACK_RESOURCE_CONSTRAINT;
	return NULL;
}

/* An error of dialback is not the end of the stream (§2.2.1), unless the stream has no TLS and therefore
 * no future. */
static void incoming_refuse_result(struct incoming *incoming, const struct dialback *request,
                                   const char *fault)
{
	log_info(s2s_log(incoming->s2s), stream_name(incoming->stream), "dialback refused",
	         LOG_STR("from", request->from), LOG_STR("to", request->to), LOG_STR("result", fault));
	incoming_answer(incoming, request, DIALBACK_ERROR, fault);
	if (list_is_empty(&incoming->pairs) && incoming_lacks_tls(incoming, request->from))
		incoming_fail(incoming, STREAM_POLICY_VIOLATION, "TLS is required");
}

static struct pair *pair_add(struct incoming *incoming, const char *from, const char *to)
{
	struct pair *pair = mem_zalloc(sizeof(*pair));

	pair->incoming = incoming;
	pair->from = str_dup(from);
	pair->to = str_dup(to);
	pair->from_len = strlen(pair->from);
	pair->to_len = strlen(pair->to);
	list_add_last(&incoming->pairs, &pair->link);
	incoming->unverified++;
	return pair;
}

/* What dialback has under way for the same pair ends unheard: it is proven. */
void pair_add_proven(struct incoming *incoming, const char *method)
{
	const char *from = incoming->from, *to = incoming->to;
	struct pair *pair = pair_find(incoming, from, strlen(from), to, strlen(to));

	if (pair)
		pair_free(pair);
	log_info(s2s_log(incoming->s2s), stream_name(incoming->stream), "peer authenticated", LOG_STR("from", from),
	         LOG_STR("to", to), LOG_STR("by", method));
	pair_is_proven(pair_add(incoming, from, to), method);
}

static void incoming_verify(struct incoming *incoming, const struct dialback *request)
{
	struct pair *pair = pair_add(incoming, request->from, request->to);

	pair->verify = verify_start(incoming->s2s, pair->to, pair->from, stream_id(incoming->stream),
	                            request->key, pair_judged, pair);
	if (pair->verify)
		return;
	pair_answer(pair, DIALBACK_ERROR, DIALBACK_RESOURCE_CONSTRAINT);
	pair_free(pair);
}

/* Step 1. A pair that is verified already stays so; one that is under way gets its answer when it is
 * known. */
static void incoming_result(struct incoming *incoming, const struct dialback *request)
{
	struct pair *pair =
		pair_find(incoming, request->from, strlen(request->from), request->to, strlen(request->to));
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

void incoming_dialback(struct incoming *incoming, struct stanza *stanza)
{
	struct dialback request;
	enum dialback_read read = dialback_read(&stanza->arena, stanza->root, &request);

	if (read == DIALBACK_BAD_ADDRESS)
		incoming_fail(incoming, STREAM_IMPROPER_ADDRESSING,
		              "from and to of dialback must be domains");
	else if (read == DIALBACK_MALFORMED)
		incoming_fail(incoming, STREAM_INVALID_XML, "dialback without a key or an id");
	else if (request.type != DIALBACK_REQUEST)
		incoming_fail(incoming, STREAM_NOT_AUTHORIZED,
		              "a dialback answer to what was not asked here");
	else if (s2s_is_ours(incoming->s2s, request.from, strlen(request.from)))
		incoming_fail(incoming, STREAM_INVALID_FROM,
		              "that domain is served here and speaks from nowhere else");
	else if (request.kind == DIALBACK_RESULT)
		incoming_result(incoming, &request);
	else
		incoming_verify_asked(incoming, &request);
}
