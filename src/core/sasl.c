/* SPDX-License-Identifier: MIT
 *
 * The server's side of SASL exchanges: SCRAM (RFC 5802 §5) and PLAIN (RFC 4616 §2); sasl_token.c has those with tokens.
 * What must stay true: a user who does not exist costs and shows the same as a wrong password; an identity is only ever
 * the one that was authenticated (RFC 6120 §6.3.8); a client that could have bound the channel and was told otherwise is
 * refused (RFC 5802 §6).
 */
#include "core/sasl.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sasl_inside.h"
#include "xmpp/utf8.h"

enum {
	SASL_ITERATIONS = 10000,
	SASL_NONCE_BYTES = 18,
};

const struct mechanism sasl_mechanisms[SASL_MECHANISMS] = {
	[SASL_SCRAM_SHA_256_PLUS] = { "SCRAM-SHA-256-PLUS", DIGEST_SHA256, true, false, NULL },
	[SASL_SCRAM_SHA_256] = { "SCRAM-SHA-256", DIGEST_SHA256, false, false, NULL },
	[SASL_SCRAM_SHA_1_PLUS] = { "SCRAM-SHA-1-PLUS", DIGEST_SHA1, true, false, NULL },
	[SASL_SCRAM_SHA_1] = { "SCRAM-SHA-1", DIGEST_SHA1, false, false, NULL },
	[SASL_PLAIN] = { "PLAIN", DIGEST_SHA256, false, false, NULL },
	[SASL_HT_SHA_256_EXPR] = { "HT-SHA-256-EXPR", DIGEST_SHA256, false, true, "tls-exporter" },
	[SASL_HT_SHA_256_ENDP] = { "HT-SHA-256-ENDP", DIGEST_SHA256, false, true, "tls-server-end-point" },
	[SASL_HT_SHA_256_NONE] = { "HT-SHA-256-NONE", DIGEST_SHA256, false, true, NULL },
};

const char *sasl_mechanism_name(enum sasl_mechanism mechanism)
{
	return sasl_mechanisms[mechanism].name;
}

int sasl_mechanism_find(const char *name)
{
	for (int i = 0; i < SASL_MECHANISMS; i++)
		if (strcmp(sasl_mechanisms[i].name, name) == 0)
			return i;
	return -1;
}

bool sasl_mechanism_takes_token(enum sasl_mechanism mechanism)
{
	return sasl_mechanisms[mechanism].token;
}

struct sasl *sasl_new(const struct sasl_terms *terms)
{
	struct sasl *sasl = mem_zalloc(sizeof(*sasl));

	sasl->terms = terms;
	return sasl;
}

void sasl_free(struct sasl **sasl)
{
	if (!*sasl)
		return;
	str_wipe(&(*sasl)->password);
	arena_clear(&(*sasl)->arena);
	mem_wipe(*sasl, sizeof(**sasl));
	free(*sasl);
	*sasl = NULL;
}

const struct jid *sasl_user(const struct sasl *sasl)
{
	return &sasl->user;
}

const char *sasl_claimed(const struct sasl *sasl)
{
	return sasl->name;
}

enum sasl_mechanism sasl_used(const struct sasl *sasl)
{
	return sasl->mechanism;
}

uint64_t sasl_token_used(const struct sasl *sasl)
{
	return sasl->token;
}

enum sasl_result sasl_fail(struct sasl *sasl, enum sasl_condition condition, enum sasl_condition *out)
{
	sasl->step = STEP_OVER;
	*out = condition;
	return SASL_FAILED;
}

/* ---- who it is ---- */

/* A simple user name (RFC 6120 §6.3.7); one with a domain must name the stream's host. */
static bool sasl_take_user(struct sasl *sasl, const char *name)
{
	const char *host = sasl->terms->host;
	struct jid *user = &sasl->user;

	if (!strchr(name, '@'))
		return jid_make(&sasl->arena, name, host, NULL, JID_ANY, user) && user->local_len > 0;
	return jid_prepare(&sasl->arena, name, strlen(name), JID_ANY, user) && user->local_len > 0 &&
	       jid_is_bare(user) && strcmp(jid_domain_text(user), host) == 0;
}

/* Nobody acts as somebody else. */
static bool sasl_allows(struct sasl *sasl, const char *authzid)
{
	struct jid jid;

	if (!authzid || !*authzid)
		return true;
	return jid_prepare(&sasl->arena, authzid, strlen(authzid), JID_ANY, &jid) &&
	       jid_same(&jid, &sasl->user);
}

enum sasl_result sasl_look_up(struct sasl *sasl, const char *authzid, enum sasl_condition *condition)
{
	if (!sasl_take_user(sasl, sasl->name))
		return sasl_fail(sasl, SASL_NOT_AUTHORIZED, condition);
	if (!sasl_allows(sasl, authzid))
		return sasl_fail(sasl, SASL_INVALID_AUTHZID, condition);
	sasl->step = STEP_KEYS;
	return SASL_LOOKUP;
}

/* ---- PLAIN (RFC 4616) ---- */

/* The password as it was prepared when its keys were made; NULL: it can be nobody's. */
static char *password_prepare(const char *password, size_t len)
{
	struct arena arena = { 0 };
	const char *prepared;
	char *copy = NULL;

	if (jid_saslprep(&arena, password, len, &prepared)) {
		copy = *prepared ? str_dup(prepared) : NULL;
		mem_wipe((char *)prepared, strlen(prepared));
	}
	arena_clear(&arena);
	return copy;
}

/* A part of [authzid] NUL authcid NUL passwd; UTF-8 without a NUL. */
static bool plain_part(struct sasl *sasl, const char *part, const char *end, const char **out)
{
	if (!utf8_is_xml(part, (size_t)(end - part)))
		return false;
	*out = arena_str_len(&sasl->arena, part, (size_t)(end - part));
	return true;
}

static enum sasl_result plain_begin(struct sasl *sasl, const char *message, size_t len,
                                    enum sasl_condition *condition)
{
	const char *end = message + len, *authcid, *password, *authzid;

	authcid = len > 0 ? memchr(message, '\0', len) : NULL;
	password = authcid ? memchr(authcid + 1, '\0', (size_t)(end - authcid - 1)) : NULL;
	if (!password || password == authcid + 1 || password + 1 == end ||
	    !plain_part(sasl, message, authcid, &authzid) ||
	    !plain_part(sasl, authcid + 1, password, &sasl->name) ||
	    !utf8_is_xml(password + 1, (size_t)(end - password - 1)))
		return sasl_fail(sasl, SASL_MALFORMED_REQUEST, condition);
	sasl->password = password_prepare(password + 1, (size_t)(end - password - 1));
	if (!sasl->password)
		return sasl_fail(sasl, SASL_NOT_AUTHORIZED, condition);
	return sasl_look_up(sasl, authzid, condition);
}

void sasl_derive(struct sasl *sasl)
{
	uint8_t server_key[DIGEST_MAX];

	scram_keys(sasl->key.kind, sasl->password, strlen(sasl->password), sasl->key.salt,
	           sizeof(sasl->key.salt), sasl->key.iterations, sasl->derived, server_key);
	mem_wipe(server_key, sizeof(server_key));
}

enum sasl_result sasl_derived(struct sasl *sasl, struct buf *out, enum sasl_condition *condition)
{
	bool right = digest_same(sasl->derived, sasl->key.stored_key, digest_size(sasl->key.kind));

	(void)out;
	assert(sasl->step == STEP_DERIVE);
	str_wipe(&sasl->password);
	if (!right || !sasl->exists)
		return sasl_fail(sasl, SASL_NOT_AUTHORIZED, condition);
	sasl->step = STEP_OVER;
	return SASL_SUCCESS;
}

/* ---- SCRAM: the client's first message ---- */

static bool sasl_offers_binding(const struct sasl_terms *terms)
{
	return terms->offered & (1u << SASL_SCRAM_SHA_256_PLUS | 1u << SASL_SCRAM_SHA_1_PLUS);
}

/* The value of the binding that the client names; 0: not available on this connection. */
size_t sasl_binding(const struct sasl_terms *terms, const char *name, const uint8_t **value)
{
	if (strcmp(name, "tls-exporter") == 0) {
		*value = terms->exporter;
		return terms->exporter_len;
	}
	if (strcmp(name, "tls-server-end-point") == 0) {
		*value = terms->end_point;
		return terms->end_point_len;
	}
	return 0;
}

static enum sasl_result scram_begin(struct sasl *sasl, const char *message, size_t len,
                                    enum sasl_condition *condition)
{
	const uint8_t *value;

	if (!scram_first_read(&sasl->arena, message, len, &sasl->first) ||
	    (sasl->first.flag == 'p') != sasl_mechanisms[sasl->mechanism].plus)
		return sasl_fail(sasl, SASL_MALFORMED_REQUEST, condition);
	sasl->name = sasl->first.username;
	if (sasl->first.flag == 'y' && sasl_offers_binding(sasl->terms))
		return sasl_fail(sasl, SASL_NOT_AUTHORIZED, condition);
	if (sasl->first.flag == 'p' && sasl_binding(sasl->terms, sasl->first.binding, &value) == 0)
		return sasl_fail(sasl, SASL_NOT_AUTHORIZED, condition);
	return sasl_look_up(sasl, sasl->first.authzid, condition);
}

/* ---- keys ---- */

/* Keys for a user who does not exist: the same at each attempt, like a real user's, and no password's. */
static void key_make_up(const struct sasl *sasl, enum digest_kind kind, struct store_credential *key)
{
	const char *secret = sasl->terms->secret;
	uint8_t made[DIGEST_MAX];
	struct buf label = { 0 };

	buf_printf(&label, "salt %d %s", (int)kind, sasl->user.text);
	digest_hmac(DIGEST_SHA512, secret, strlen(secret), label.data, label.len, made);
	buf_clear(&label);
	*key = (struct store_credential){ .kind = kind, .iterations = SASL_ITERATIONS };
	memcpy(key->salt, made, sizeof(key->salt));
	memcpy(key->stored_key, made + sizeof(key->salt), 32);
	memcpy(key->server_key, made + sizeof(key->salt), 32);
}

static void sasl_choose_key(struct sasl *sasl, const struct store_credential *keys, size_t count)
{
	enum digest_kind kind = sasl_mechanisms[sasl->mechanism].digest;

	for (size_t i = 0; i < count && !sasl->exists; i++) {
		if (keys[i].kind != kind)
			continue;
		sasl->key = keys[i];
		sasl->exists = true;
	}
	if (!sasl->exists)
		key_make_up(sasl, kind, &sasl->key);
}

/* XEP-0474 §6.1: the hash of what was announced. Both lists are in the order of octets here. */
static void offer_hash(const struct sasl_terms *terms, enum digest_kind kind, struct buf *out)
{
	static const enum sasl_mechanism sorted[] = {
		SASL_PLAIN,         SASL_SCRAM_SHA_1,        SASL_SCRAM_SHA_1_PLUS,
		SASL_SCRAM_SHA_256, SASL_SCRAM_SHA_256_PLUS,
	};
	struct buf offer = { 0 };
	uint8_t hash[DIGEST_MAX];

	for (size_t i = 0; i < sizeof(sorted) / sizeof(*sorted); i++)
		if (terms->offered & 1u << sorted[i])
			buf_printf(&offer, "%s%s", offer.len ? "\x1e" : "", sasl_mechanism_name(sorted[i]));
	if (terms->exporter_len || terms->end_point_len)
		buf_printf(&offer, "\x1f%s%s%s", terms->exporter_len ? "tls-exporter" : "",
		           terms->exporter_len && terms->end_point_len ? "\x1e" : "",
		           terms->end_point_len ? "tls-server-end-point" : "");
	digest_bytes(kind, offer.data, offer.len, hash);
	base64_encode(out, hash, digest_size(kind));
	buf_clear(&offer);
}

/* server-first-message */
static void scram_challenge(struct sasl *sasl, struct buf *out)
{
	uint8_t random[SASL_NONCE_BYTES];
	struct buf nonce = { 0 }, message = { 0 };

	entropy_fill(sasl->terms->entropy, random, sizeof(random));
	buf_add_str(&nonce, sasl->first.nonce);
	base64_encode(&nonce, random, sizeof(random));
	sasl->nonce = arena_str_len(&sasl->arena, nonce.data, nonce.len);
	buf_printf(&message, "r=%s,s=", sasl->nonce);
	base64_encode(&message, sasl->key.salt, sizeof(sasl->key.salt));
	buf_printf(&message, ",i=%u,h=", (unsigned)sasl->key.iterations);
	offer_hash(sasl->terms, sasl->key.kind, &message);
	sasl->server_first = arena_str_len(&sasl->arena, message.data, message.len);
	buf_add(out, message.data, message.len);
	buf_clear(&nonce);
	buf_clear(&message);
}

enum sasl_result sasl_keys(struct sasl *sasl, const struct store_credential *keys, size_t count,
                           struct buf *out, enum sasl_condition *condition)
{
	(void)condition;
	assert(sasl->step == STEP_KEYS);
	sasl_choose_key(sasl, keys, count);
	if (sasl->mechanism == SASL_PLAIN) {
		sasl->step = STEP_DERIVE;
		return SASL_DERIVE;
	}
	scram_challenge(sasl, out);
	sasl->step = STEP_PROOF;
	return SASL_CHALLENGE;
}

/* ---- SCRAM: the client's final message ---- */

/* "c": the GS2 header again, with the channel's value behind it where the client binds. */
static bool binding_is_right(const struct sasl *sasl, const struct scram_final *final)
{
	const char *header = sasl->first.gs2_header;
	const uint8_t *value = NULL;
	size_t header_len = strlen(header), value_len = 0;

	if (sasl->first.flag == 'p')
		value_len = sasl_binding(sasl->terms, sasl->first.binding, &value);
	return final->binding_len == header_len + value_len &&
	       digest_same(final->binding, header, header_len) &&
	       (value_len == 0 || digest_same(final->binding + header_len, value, value_len));
}

static enum sasl_result scram_finish(struct sasl *sasl, const char *message, size_t len, struct buf *out,
                                     enum sasl_condition *condition)
{
	struct scram_final final;
	uint8_t signature[DIGEST_MAX];
	const char *auth_message;
	bool right;

	if (!scram_final_read(&sasl->arena, message, len, &final))
		return sasl_fail(sasl, SASL_MALFORMED_REQUEST, condition);
	auth_message = scram_auth_message(&sasl->arena, &sasl->first, sasl->server_first, &final);
	right = scram_proves(sasl->key.kind, sasl->key.stored_key, auth_message, final.proof,
	                     final.proof_len);
	if (!right || !sasl->exists || strcmp(final.nonce, sasl->nonce) != 0 ||
	    !binding_is_right(sasl, &final))
		return sasl_fail(sasl, SASL_NOT_AUTHORIZED, condition);
	scram_sign(sasl->key.kind, sasl->key.server_key, auth_message, signature);
	buf_add_lit(out, "v=");
	base64_encode(out, signature, digest_size(sasl->key.kind));
	sasl->step = STEP_OVER;
	return SASL_SUCCESS;
}

/* ---- the exchange ---- */

static enum sasl_result sasl_first(struct sasl *sasl, const char *message, size_t len,
                                   enum sasl_condition *condition)
{
	if (sasl->mechanism == SASL_PLAIN)
		return plain_begin(sasl, message, len, condition);
	if (sasl_mechanisms[sasl->mechanism].token)
		return sasl_token_begin(sasl, message, len, condition);
	return scram_begin(sasl, message, len, condition);
}

enum sasl_result sasl_begin(struct sasl *sasl, enum sasl_mechanism mechanism, const char *initial, size_t len,
                            bool has_initial, struct buf *out, enum sasl_condition *condition)
{
	(void)out;
	assert(sasl->step == STEP_BEGIN);
	sasl->mechanism = mechanism;
	if (!((sasl->terms->offered | sasl->terms->tokens) & 1u << mechanism))
		return sasl_fail(sasl, SASL_INVALID_MECHANISM, condition);
	if (has_initial)
		return sasl_first(sasl, initial, len, condition);
	sasl->step = STEP_FIRST;
	return SASL_CHALLENGE;
}

enum sasl_result sasl_respond(struct sasl *sasl, const char *response, size_t len, struct buf *out,
                              enum sasl_condition *condition)
{
	if (sasl->step == STEP_FIRST)
		return sasl_first(sasl, response, len, condition);
	if (sasl->step == STEP_PROOF)
		return scram_finish(sasl, response, len, out, condition);
	return sasl_fail(sasl, SASL_MALFORMED_REQUEST, condition);
}

/* ---- new passwords ---- */

static const enum digest_kind kept_kinds[STORE_CREDENTIALS] = { DIGEST_SHA1, DIGEST_SHA256 };

bool sasl_make_keys(struct entropy *entropy, const char *password, size_t len,
                    struct store_credential keys[STORE_CREDENTIALS])
{
	char *prepared = utf8_is_xml(password, len) ? password_prepare(password, len) : NULL;

	if (!prepared)
		return false;
	for (size_t i = 0; i < STORE_CREDENTIALS; i++) {
		struct store_credential *key = &keys[i];

		*key = (struct store_credential){ .kind = kept_kinds[i], .iterations = SASL_ITERATIONS };
		entropy_fill(entropy, key->salt, sizeof(key->salt));
		scram_keys(key->kind, prepared, strlen(prepared), key->salt, sizeof(key->salt),
		           key->iterations, key->stored_key, key->server_key);
	}
	str_wipe(&prepared);
	return true;
}
