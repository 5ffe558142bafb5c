/* SPDX-License-Identifier: MIT
 *
 * Stanzas of other servers: RFC 6120 §8.1.1.2 and §8.1.2.2. A stanza passes only if its from and to belong
 * to a pair that was verified on this very stream; everything else ends the stream.
 */
#include "incoming_inside.h"

#include <string.h>

#include "core/claims.h"
#include "core/iq.h"
#include "ping.h"

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
	pair = pair_find(incoming, from, stanza->from.domain_len, to, stanza->to.domain_len);
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
		incoming_fail(incoming, STREAM_INVALID_FROM,
		              "that domain has not been verified on this stream");
	else if (!s2s_is_ours(incoming->s2s, jid_domain_text(&stanza->to), stanza->to.domain_len))
		incoming_fail(incoming, STREAM_HOST_UNKNOWN, "that domain is not served here");
	else
		incoming_fail(incoming, STREAM_NOT_AUTHORIZED,
		              "that pair of domains has not been verified on this stream");
}

/* Custody begins here: who refuses it, refuses it to the sender. token: of the intake that counts it; 0: none does. */
static void incoming_route(struct incoming *incoming, const struct stanza *stanza, uint64_t token)
{
	struct home *home = incoming->s2s->home;
	const char *fault = stanza->kind == STANZA_IQ ? iq_fault(stanza) : NULL;
	const struct peer_policy *policy =
		policy_find(home->config, jid_domain_text(&stanza->from), stanza->from.domain_len);
	struct parcel *parcel = parcel_new(home, stanza, NULL);

	if (token) {
		parcel->answered = intake_answered;
		parcel->token = token;
	}
	if (fault)
		parcel_refused(home, &parcel, STANZA_BAD_REQUEST, fault);
	else if (ping_is_answered(home, parcel->stanza))
		parcel_taken(home, &parcel);
	else if (!policy_lets(policy->takes, parcel->stanza))
		parcel_refused(home, &parcel, STANZA_NOT_ALLOWED, "Nothing of the kind is taken from your domain here");
	else
		route(home, parcel);
}

static void incoming_ping_passed(void *owner, struct stanza *ping)
{
	const struct stanza *done = ping;

	incoming_route(owner, stanza_seal(ping), 0);
	stanza_unref(&done);
}

/* The peer is told what was taken. */
static void incoming_count(struct incoming *incoming, struct stanza *stanza)
{
	uint64_t token;

	if (!intake_enter(incoming->intake, stanza, &token))
		return;
	if (intake_repeats(incoming->intake, stanza_seal(stanza)))
		intake_pass_over(incoming->intake, token);
	else
		incoming_route(incoming, stanza, token);
}

/* Without stream management it may ask by a ping. */
static void incoming_take(struct incoming *incoming, struct stanza *stanza)
{
	claims_strip(incoming_config(incoming), stanza);
	if (incoming->intake)
		incoming_count(incoming, stanza);
	else if (!barrier_stops(&incoming->barrier, incoming->s2s->home, stanza, &stanza->from, incoming_ping_passed,
	                        incoming))
		incoming_route(incoming, stanza_seal(stanza), 0);
}

void incoming_stanza(struct incoming *incoming, struct stanza *stanza, enum stanza_check check)
{
	incoming->received++;
	if (check != STANZA_CHECK_OK || !stanza->from.text || !stanza->to.text)
		incoming_fail(incoming, STREAM_IMPROPER_ADDRESSING,
		              "a stanza between servers has from and to");
	else if (!incoming_pair_of(incoming, stanza))
		incoming_refuse_stanza(incoming, stanza);
	else
		incoming_take(incoming, stanza);
}
