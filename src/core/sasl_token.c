/* SPDX-License-Identifier: MIT
 *
 * The part of a SASL exchange that is done with a token (XEP-0484, mechanisms HT-SHA-256-*): one message from the client,
 * one sum for it to know that the server has the token too.
 */
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "sasl_inside.h"

enum sasl_result sasl_token_begin(struct sasl *sasl, const char *message, size_t len, enum sasl_condition *condition)
{
	if (!ht_read(&sasl->arena, sasl_mechanisms[sasl->mechanism].digest, message, len, &sasl->ht))
		return sasl_fail(sasl, SASL_MALFORMED_REQUEST, condition);
	sasl->name = sasl->ht.authcid;
	return sasl_look_up(sasl, NULL, condition);
}

/* XEP-0484 §3.4: a token is for one mechanism only. NULL costs as much as a token. */
static bool token_proves(const struct sasl *sasl, const struct store_token *token, const uint8_t *binding,
                         size_t binding_len)
{
	const struct mechanism *mechanism = &sasl_mechanisms[sasl->mechanism];
	uint8_t sum[DIGEST_MAX];
	bool right;

	ht_sum(mechanism->digest, HT_INITIATOR, token ? token->secret : "", binding, binding_len, sum);
	right = digest_same(sum, sasl->ht.proof, digest_size(mechanism->digest));
	mem_wipe(sum, sizeof(sum));
	return right && token && strcmp(token->mechanism, mechanism->name) == 0;
}

static const struct store_token *token_find(const struct sasl *sasl, const struct store_token *tokens, size_t count,
                                            const uint8_t *binding, size_t binding_len)
{
	const struct store_token *found = NULL;

	for (size_t i = 0; i < count || i < STORE_TOKENS; i++)
		if (token_proves(sasl, i < count ? &tokens[i] : NULL, binding, binding_len))
			found = &tokens[i];
	return found;
}

enum sasl_result sasl_tokens(struct sasl *sasl, const struct store_token *tokens, size_t count, int64_t now_us,
                             struct buf *out, enum sasl_condition *condition)
{
	const struct mechanism *mechanism = &sasl_mechanisms[sasl->mechanism];
	const uint8_t *binding = NULL;
	size_t binding_len = mechanism->binding ? sasl_binding(sasl->terms, mechanism->binding, &binding) : 0;
	const struct store_token *token;
	uint8_t sum[DIGEST_MAX];

	assert(sasl->step == STEP_KEYS && mechanism->token);
	if (mechanism->binding && binding_len == 0)
		return sasl_fail(sasl, SASL_NOT_AUTHORIZED, condition);
	token = token_find(sasl, tokens, count, binding, binding_len);
	if (!token)
		return sasl_fail(sasl, SASL_NOT_AUTHORIZED, condition);
	if (token->expires_us <= now_us)
		return sasl_fail(sasl, SASL_CREDENTIALS_EXPIRED, condition);
	ht_sum(mechanism->digest, HT_RESPONDER, token->secret, binding, binding_len, sum);
	buf_add(out, sum, digest_size(mechanism->digest));
	sasl->token = token->id;
	sasl->step = STEP_OVER;
	return SASL_SUCCESS;
}
