/* SPDX-License-Identifier: MIT
 *
 * SASL against the published exchanges (tests/vectors/scram.csv: RFC 5802 §5, RFC 7677 §3, XEP-0474 §6.3 and
 * computed ones; sasl-plain.csv: RFC 4616; sasl-ht.csv: HT-*, computed), and whole exchanges with a client of the test's own: each way to
 * be refused.
 */
#include "core/sasl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "core/ht.h"
#include "core/scram.h"
#include "vector.h"

/* ---- the vectors ---- */

static void assert_hex(const uint8_t *bytes, size_t len, const char *expected)
{
	struct buf hex = { 0 };

	hex_encode(&hex, bytes, len);
	buf_add_char(&hex, '\0');
	assert_string_equal(hex.data, expected);
	buf_clear(&hex);
}

static void assert_base64(const uint8_t *bytes, size_t len, const char *expected)
{
	struct buf text = { 0 };

	base64_encode(&text, bytes, len);
	buf_add_char(&text, '\0');
	assert_string_equal(text.data, expected);
	buf_clear(&text);
}

static enum digest_kind kind_of(const char *mechanism)
{
	if (strncmp(mechanism, "SCRAM-SHA-256", 13) == 0)
		return DIGEST_SHA256;
	return strncmp(mechanism, "SCRAM-SHA-512", 13) == 0 ? DIGEST_SHA512 : DIGEST_SHA1;
}

enum { SOURCE, MECHANISM, USERNAME, PASSWORD, SALT, ITERATIONS, BINDING, FIRST, CHALLENGE, FINAL, SIGNATURE,
       AUTH, STORED_KEY, SERVER_KEY };

static void scram_row(char **row)
{
	enum digest_kind kind = kind_of(row[MECHANISM]);
	struct arena arena = { 0 };
	struct buf salt = { 0 };
	struct scram_first first;
	struct scram_final final;
	uint8_t stored[DIGEST_MAX], server[DIGEST_MAX], signature[DIGEST_MAX];
	const char *auth;

	assert_true(scram_first_read(&arena, row[FIRST], strlen(row[FIRST]), &first));
	assert_string_equal(first.username, row[USERNAME]);
	assert_true(scram_final_read(&arena, row[FINAL], strlen(row[FINAL]), &final));
	assert_memory_equal(final.binding, first.gs2_header, strlen(first.gs2_header));
	assert_hex(final.binding + strlen(first.gs2_header), final.binding_len - strlen(first.gs2_header),
	           row[BINDING]);
	auth = scram_auth_message(&arena, &first, row[CHALLENGE], &final);
	assert_string_equal(auth, row[AUTH]);
	assert_true(base64_decode(&salt, row[SALT], strlen(row[SALT])));
	scram_keys(kind, row[PASSWORD], strlen(row[PASSWORD]), salt.data, salt.len,
	           (uint32_t)atoi(row[ITERATIONS]), stored, server);
	assert_hex(stored, digest_size(kind), row[STORED_KEY]);
	assert_hex(server, digest_size(kind), row[SERVER_KEY]);
	assert_true(scram_proves(kind, stored, auth, final.proof, final.proof_len));
	assert_false(scram_proves(kind, server, auth, final.proof, final.proof_len));
	assert_false(scram_proves(kind, stored, auth, final.proof, final.proof_len - 1));
	scram_sign(kind, server, auth, signature);
	assert_base64(signature, digest_size(kind), row[SIGNATURE] + 2);
	buf_clear(&salt);
	arena_clear(&arena);
}

static void scram_vectors(void **state)
{
	struct vector v = vector_open("scram.csv");
	int rows = 0;

	(void)state;
	for (; vector_next(&v); rows++)
		scram_row(v.fields);
	fclose(v.file);
	assert_true(rows >= 9);
}

static void scram_grammar(void **state)
{
	static const char *const bad_first[] = {
		"", "n", "n,", "n,,", "x,,n=user,r=abc", "n,n=user,r=abc", "n,,r=abc", "n,,n=,r=abc",
		"n,,n=user", "n,,n=user,r=", "n,,n=us=2Xer,r=abc", "n,,n=user=,r=abc", "n,,n=user,r=a b",
		"n,,n=user,r=abc,", "n,,n=user,r=abc,x", "n,,m=ext,n=user,r=abc", "n,,n=user,r=abc,m=ext",
		"p=,,n=user,r=abc", "p,,n=user,r=abc", "n,a=,n=user,r=abc",
		"n,a=admin,r=abc", "y,,n=user,r=ab\xc3\xa9", "n,,n=\xff\xfe,r=abc",
	};
	static const char *const bad_final[] = {
		"", "c=biws", "c=biws,r=abc", "r=abc,c=biws,p=AAAA", "c=biws,r=abc,p=AAA",
		"c=bi!s,r=abc,p=AAAA", "c=,r=abc,p=AAAA",
		"c=biws,r=abc,p=AAAA,", "c=biws,r=abc,p=AAAA,x=y", "c=biws,r=abc,m=x,p=AAAA", "c=biws,p=AAAA",
	};
	struct arena arena = { 0 };
	struct scram_first first;
	struct scram_final final;

	(void)state;
	for (size_t i = 0; i < sizeof(bad_first) / sizeof(*bad_first); i++)
		if (scram_first_read(&arena, bad_first[i], strlen(bad_first[i]), &first))
			fail_msg("accepted: %s", bad_first[i]);
	for (size_t i = 0; i < sizeof(bad_final) / sizeof(*bad_final); i++)
		if (scram_final_read(&arena, bad_final[i], strlen(bad_final[i]), &final))
			fail_msg("accepted: %s", bad_final[i]);
	assert_false(scram_first_read(&arena, "n,,n=us\0er,r=abc", 16, &first));
	assert_true(scram_first_read(&arena, "n,a=x=2Cy,n=user,r=abc,x=1,y=2", 30, &first));
	assert_string_equal(first.authzid, "x,y");
	arena_clear(&arena);
}

/* ---- whole exchanges ---- */

static void entropy_count(struct entropy *entropy, void *bytes, size_t len)
{
	(void)entropy;
	for (size_t i = 0; i < len; i++)
		((uint8_t *)bytes)[i] = (uint8_t)i;
}

static struct entropy entropy = { .fill = entropy_count };
static struct store_credential keys[STORE_CREDENTIALS];

static const unsigned all_mechanisms = (2u << SASL_PLAIN) - 1;
static const unsigned all_with_tokens = (1u << SASL_MECHANISMS) - (2u << SASL_PLAIN);

static struct sasl_terms terms_on_tls(void)
{
	struct sasl_terms terms = { .offered = all_mechanisms, .tokens = all_with_tokens, .host = "north.example", .exporter_len = 32,
				    .end_point_len = 32, .secret = "secret", .entropy = &entropy };

	memset(terms.exporter, 'e', 32);
	memset(terms.end_point, 'p', 32);
	return terms;
}

struct trial {
	enum sasl_mechanism mechanism;
	const char *gs2;                /* NULL: n,, */
	const char *user;               /* NULL: romeo */
	const char *password;           /* NULL: the right one */
	const char *bound;              /* what the client puts behind the header in c= */
	const char *cheat;              /* header in c= where it differs from gs2 */
	const char *nonce_tail;         /* appended to the server's nonce */
	bool unknown;
	bool in_two;                    /* without an initial message */
	enum sasl_condition condition;
};

static void add_text(struct buf *buf, const char *text)
{
	buf_add_str(buf, text ? text : "");
}

/* client-final-message, from the server's first. */
static void client_final(const struct trial *trial, const char *bare, const char *challenge, struct buf *out)
{
	enum digest_kind kind = kind_of(sasl_mechanism_name(trial->mechanism));
	const char *password = trial->password ? trial->password : "pencil";
	size_t nonce_len = strcspn(challenge, ",");
	struct buf salt = { 0 }, without = { 0 }, auth = { 0 }, input = { 0 };
	const char *salt_text = strstr(challenge, ",s=") + 3;
	uint8_t salted[DIGEST_MAX], client_key[DIGEST_MAX], stored[DIGEST_MAX], sign[DIGEST_MAX];

	assert_true(base64_decode(&salt, salt_text, strcspn(salt_text, ",")));
	add_text(&input, trial->cheat ? trial->cheat : trial->gs2 ? trial->gs2 : "n,,");
	add_text(&input, trial->bound);
	buf_add_lit(&without, "c=");
	base64_encode(&without, input.data, input.len);
	buf_add_char(&without, ',');
	buf_add(&without, challenge, nonce_len);
	add_text(&without, trial->nonce_tail);
	buf_printf(&auth, "%s,%s,%.*s", bare, challenge, (int)without.len, without.data);
	digest_pbkdf2(kind, password, strlen(password), salt.data, salt.len, 10000, salted);
	digest_hmac(kind, salted, digest_size(kind), "Client Key", 10, client_key);
	digest_bytes(kind, client_key, digest_size(kind), stored);
	digest_hmac(kind, stored, digest_size(kind), auth.data, auth.len, sign);
	for (size_t i = 0; i < digest_size(kind); i++)
		client_key[i] ^= sign[i];
	buf_add(out, without.data, without.len);
	buf_add_lit(out, ",p=");
	base64_encode(out, client_key, digest_size(kind));
	buf_clear(&salt);
	buf_clear(&without);
	buf_clear(&auth);
	buf_clear(&input);
}

static void run_scram(const struct trial *trial)
{
	struct sasl_terms terms = terms_on_tls();
	struct sasl *sasl = sasl_new(&terms);
	enum sasl_condition condition = SASL_NO_ERROR;
	enum sasl_result result;
	struct buf first = { 0 }, out = { 0 }, final = { 0 };
	char bare[128];

	snprintf(bare, sizeof(bare), "n=%s,r=clientnonce", trial->user ? trial->user : "romeo");
	buf_printf(&first, "%s%s", trial->gs2 ? trial->gs2 : "n,,", bare);
	if (trial->in_two) {
		result = sasl_begin(sasl, trial->mechanism, NULL, 0, false, &out, &condition);
		assert_int_equal(result, SASL_CHALLENGE);
		assert_int_equal(out.len, 0);
		result = sasl_respond(sasl, first.data, first.len, &out, &condition);
	} else {
		result = sasl_begin(sasl, trial->mechanism, first.data, first.len, true, &out, &condition);
	}
	if (result == SASL_LOOKUP) {
		result = sasl_keys(sasl, keys, trial->unknown ? 0 : STORE_CREDENTIALS, &out, &condition);
		assert_int_equal(result, SASL_CHALLENGE);
		buf_add_char(&out, '\0');
		client_final(trial, bare, out.data, &final);
		out.len = 0;
		result = sasl_respond(sasl, final.data, final.len, &out, &condition);
	}
	if (condition != trial->condition)
		fail_msg("%s, %s: %s", sasl_mechanism_name(trial->mechanism), trial->gs2 ? trial->gs2 : "",
		         sasl_condition_name(condition));
	assert_int_equal(result, trial->condition == SASL_NO_ERROR ? SASL_SUCCESS : SASL_FAILED);
	if (result == SASL_SUCCESS) {
		assert_memory_equal(out.data, "v=", 2);
		assert_string_equal(sasl_user(sasl)->text, "romeo@north.example");
	}
	buf_clear(&first);
	buf_clear(&out);
	buf_clear(&final);
	sasl_free(&sasl);
}

static const char exporter[] = "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee";
static const char end_point[] = "pppppppppppppppppppppppppppppppp";

static void scram_exchanges(void **state)
{
	static const struct trial trials[] = {
		{ .mechanism = SASL_SCRAM_SHA_1 },
		{ .mechanism = SASL_SCRAM_SHA_256 },
		{ .mechanism = SASL_SCRAM_SHA_256, .in_two = true },
		{ .mechanism = SASL_SCRAM_SHA_256, .user = "Romeo" },
		{ .mechanism = SASL_SCRAM_SHA_256, .user = "romeo@north.example" },
		{ .mechanism = SASL_SCRAM_SHA_256_PLUS, .gs2 = "p=tls-exporter,,", .bound = exporter },
		{ .mechanism = SASL_SCRAM_SHA_1_PLUS, .gs2 = "p=tls-server-end-point,,", .bound = end_point },
		{ .mechanism = SASL_SCRAM_SHA_256, .gs2 = "n,a=romeo@north.example," },

		{ .mechanism = SASL_SCRAM_SHA_256, .password = "wrong", .condition = SASL_NOT_AUTHORIZED },
		{ .mechanism = SASL_SCRAM_SHA_256, .unknown = true, .condition = SASL_NOT_AUTHORIZED },
		{ .mechanism = SASL_SCRAM_SHA_1, .unknown = true, .condition = SASL_NOT_AUTHORIZED },
		/* another host, no host, no user */
		{ .mechanism = SASL_SCRAM_SHA_256, .user = "romeo@south.example",
		  .condition = SASL_NOT_AUTHORIZED },
		{ .mechanism = SASL_SCRAM_SHA_256, .user = "romeo@", .condition = SASL_NOT_AUTHORIZED },
		{ .mechanism = SASL_SCRAM_SHA_256, .user = "a@b@north.example",
		  .condition = SASL_NOT_AUTHORIZED },
		{ .mechanism = SASL_SCRAM_SHA_256, .user = "romeo@north.example/orchard",
		  .condition = SASL_NOT_AUTHORIZED },
		/* as somebody else */
		{ .mechanism = SASL_SCRAM_SHA_256, .gs2 = "n,a=admin@north.example,",
		  .condition = SASL_INVALID_AUTHZID },
		{ .mechanism = SASL_SCRAM_SHA_256, .gs2 = "n,a=romeo,", .condition = SASL_INVALID_AUTHZID },
		{ .mechanism = SASL_SCRAM_SHA_256, .gs2 = "n,a=romeo@south.example,",
		  .condition = SASL_INVALID_AUTHZID },
		/* channel binding */
		{ .mechanism = SASL_SCRAM_SHA_256, .gs2 = "y,,", .condition = SASL_NOT_AUTHORIZED },
		{ .mechanism = SASL_SCRAM_SHA_256, .cheat = "y,,", .condition = SASL_NOT_AUTHORIZED },
		{ .mechanism = SASL_SCRAM_SHA_256, .gs2 = "p=tls-exporter,,",
		  .condition = SASL_MALFORMED_REQUEST },
		{ .mechanism = SASL_SCRAM_SHA_256_PLUS, .gs2 = "n,,", .condition = SASL_MALFORMED_REQUEST },
		{ .mechanism = SASL_SCRAM_SHA_256_PLUS, .gs2 = "p=tls-unique,,",
		  .condition = SASL_NOT_AUTHORIZED },
		{ .mechanism = SASL_SCRAM_SHA_256_PLUS, .gs2 = "p=tls-exporter,,", .bound = end_point,
		  .condition = SASL_NOT_AUTHORIZED },
		{ .mechanism = SASL_SCRAM_SHA_256_PLUS, .gs2 = "p=tls-exporter,,",
		  .condition = SASL_NOT_AUTHORIZED },
		{ .mechanism = SASL_SCRAM_SHA_256, .bound = exporter, .condition = SASL_NOT_AUTHORIZED },
		{ .mechanism = SASL_SCRAM_SHA_256, .nonce_tail = "x", .condition = SASL_NOT_AUTHORIZED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(trials) / sizeof(*trials); i++)
		run_scram(&trials[i]);
}

/* The example of XEP-0474 §6.3: two mechanisms and both bindings. */
static void offer_is_hashed(void **state)
{
	struct sasl_terms terms = terms_on_tls();
	enum sasl_condition condition;
	struct sasl *sasl;
	struct buf out = { 0 };
	static const char first[] = "n,,n=romeo,r=abc";

	(void)state;
	terms.offered = 1u << SASL_SCRAM_SHA_1 | 1u << SASL_SCRAM_SHA_1_PLUS;
	sasl = sasl_new(&terms);
	assert_int_equal(sasl_begin(sasl, SASL_SCRAM_SHA_1, first, sizeof(first) - 1, true, &out, &condition),
	                 SASL_LOOKUP);
	assert_int_equal(sasl_keys(sasl, keys, STORE_CREDENTIALS, &out, &condition), SASL_CHALLENGE);
	buf_add_char(&out, '\0');
	assert_non_null(strstr(out.data, ",h=G6k/rBLDqgOhRRaCuuatSDFkJ08="));
	buf_clear(&out);
	sasl_free(&sasl);
}

static void challenge_for(const char *user, size_t key_count, struct buf *out)
{
	struct sasl_terms terms = terms_on_tls();
	struct sasl *sasl = sasl_new(&terms);
	enum sasl_condition condition;
	char first[64];

	snprintf(first, sizeof(first), "n,,n=%s,r=abc", user);
	sasl_begin(sasl, SASL_SCRAM_SHA_256, first, strlen(first), true, out, &condition);
	sasl_keys(sasl, keys, key_count, out, &condition);
	buf_add_char(out, '\0');
	sasl_free(&sasl);
}

/* The salt of somebody who does not exist is always the same, and differs from others'. */
static void unknown_users_have_salts(void **state)
{
	struct buf first = { 0 }, again = { 0 }, other = { 0 }, known = { 0 };

	(void)state;
	challenge_for("nobody", 0, &first);
	challenge_for("nobody", 0, &again);
	challenge_for("noone", 0, &other);
	challenge_for("romeo", STORE_CREDENTIALS, &known);
	assert_string_equal(first.data, again.data);
	assert_string_not_equal(first.data, other.data);
	assert_int_equal(first.len, known.len);
	buf_clear(&first);
	buf_clear(&again);
	buf_clear(&other);
	buf_clear(&known);
}

static void not_offered_is_not_accepted(void **state)
{
	struct sasl_terms terms = terms_on_tls();
	struct sasl *sasl;
	enum sasl_condition condition = SASL_NO_ERROR;
	struct buf out = { 0 };

	(void)state;
	terms.offered = 1u << SASL_SCRAM_SHA_256;
	sasl = sasl_new(&terms);
	assert_int_equal(sasl_begin(sasl, SASL_PLAIN, "\0a\0b", 4, true, &out, &condition), SASL_FAILED);
	assert_int_equal(condition, SASL_INVALID_MECHANISM);
	sasl_free(&sasl);
	assert_int_equal(sasl_mechanism_find("SCRAM-SHA-256"), SASL_SCRAM_SHA_256);
	assert_int_equal(sasl_mechanism_find("ANONYMOUS"), -1);
	assert_int_equal(sasl_mechanism_find("plain"), -1);
}

/* ---- HT ---- */

static void ht_row(char **row)
{
	enum digest_kind kind = strstr(row[0], "SHA-512") ? DIGEST_SHA512 : DIGEST_SHA256;
	struct arena arena = { 0 };
	struct buf message = { 0 };
	struct ht_message read;
	uint8_t binding[64], sum[DIGEST_MAX];
	size_t len = strlen(row[3]) / 2;

	for (size_t i = 0; i < len; i++)
		binding[i] = (uint8_t)strtoul((char[]){ row[3][2 * i], row[3][2 * i + 1], '\0' }, NULL, 16);
	assert_true(base64_decode(&message, row[5], strlen(row[5])));
	assert_true(ht_read(&arena, kind, message.data, message.len, &read));
	assert_string_equal(read.authcid, row[2]);
	assert_hex(read.proof, digest_size(kind), row[4]);
	ht_sum(kind, HT_INITIATOR, row[1], binding, len, sum);
	assert_hex(sum, digest_size(kind), row[4]);
	ht_sum(kind, HT_RESPONDER, row[1], binding, len, sum);
	assert_hex(sum, digest_size(kind), row[6]);
	for (size_t cut = 1; cut <= message.len; cut++)
		assert_false(ht_read(&arena, kind, message.data, message.len - cut, &read));
	buf_add_char(&message, 'x');
	assert_false(ht_read(&arena, kind, message.data, message.len, &read));
	assert_false(ht_read(&arena, kind, message.data + strlen(row[2]), message.len - strlen(row[2]) - 1, &read));
	buf_clear(&message);
	arena_clear(&arena);
}

static void ht_vectors(void **state)
{
	struct vector v = vector_open("sasl-ht.csv");
	int rows = 0;

	(void)state;
	for (; vector_next(&v); rows++)
		ht_row(v.fields);
	fclose(v.file);
	assert_int_equal(rows, 4);
}

struct token_trial {
	enum sasl_mechanism mechanism;
	const char *token;              /* the client's */
	const char *bound;
	size_t tokens;                  /* the server's */
	enum sasl_condition condition;
	uint64_t used;
};

/* The third is for another mechanism and the last has expired. */
static const struct store_token server_tokens[] = {
	{ .id = 7, .secret = "new", .mechanism = "HT-SHA-256-EXPR", .expires_us = 2000 },
	{ .id = 6, .secret = "old", .mechanism = "HT-SHA-256-EXPR", .expires_us = 2000 },
	{ .id = 5, .secret = "end", .mechanism = "HT-SHA-256-ENDP", .expires_us = 2000 },
	{ .id = 4, .secret = "late", .mechanism = "HT-SHA-256-EXPR", .expires_us = 1000 },
};

static void run_token(const struct token_trial *trial)
{
	struct sasl_terms terms = terms_on_tls();
	struct sasl *sasl = sasl_new(&terms);
	enum sasl_condition condition = SASL_NO_ERROR;
	struct buf message = { 0 }, out = { 0 };
	uint8_t sum[DIGEST_MAX];

	ht_sum(DIGEST_SHA256, HT_INITIATOR, trial->token, (const uint8_t *)trial->bound, strlen(trial->bound), sum);
	buf_add(&message, "romeo", 6);
	buf_add(&message, sum, 32);
	assert_int_equal(sasl_begin(sasl, trial->mechanism, message.data, message.len, true, &out, &condition),
	                 SASL_LOOKUP);
	assert_string_equal(sasl_user(sasl)->text, "romeo@north.example");
	assert_int_equal(sasl_tokens(sasl, server_tokens, trial->tokens, 1000, &out, &condition),
	                 trial->condition == SASL_NO_ERROR ? SASL_SUCCESS : SASL_FAILED);
	assert_int_equal(condition, trial->condition);
	assert_int_equal(sasl_token_used(sasl), trial->used);
	ht_sum(DIGEST_SHA256, HT_RESPONDER, trial->token, (const uint8_t *)trial->bound, strlen(trial->bound), sum);
	assert_int_equal(out.len, trial->used ? 32 : 0);
	assert_memory_equal(out.data, sum, out.len);
	buf_clear(&message);
	buf_clear(&out);
	sasl_free(&sasl);
}

static void token_exchanges(void **state)
{
	static const struct token_trial trials[] = {
		{ SASL_HT_SHA_256_EXPR, "new", exporter, 4, SASL_NO_ERROR, 7 },
		{ SASL_HT_SHA_256_EXPR, "old", exporter, 4, SASL_NO_ERROR, 6 },
		{ SASL_HT_SHA_256_ENDP, "end", end_point, 4, SASL_NO_ERROR, 5 },
		{ SASL_HT_SHA_256_EXPR, "late", exporter, 4, SASL_CREDENTIALS_EXPIRED, 0 },
		{ SASL_HT_SHA_256_EXPR, "other", exporter, 4, SASL_NOT_AUTHORIZED, 0 },
		{ SASL_HT_SHA_256_EXPR, "new", exporter, 0, SASL_NOT_AUTHORIZED, 0 },
		{ SASL_HT_SHA_256_EXPR, "", exporter, 0, SASL_NOT_AUTHORIZED, 0 },
		/* bound to another channel, or not bound */
		{ SASL_HT_SHA_256_EXPR, "new", "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeex", 4, SASL_NOT_AUTHORIZED, 0 },
		{ SASL_HT_SHA_256_EXPR, "new", "", 4, SASL_NOT_AUTHORIZED, 0 },
		/* a token of another mechanism */
		{ SASL_HT_SHA_256_ENDP, "new", end_point, 4, SASL_NOT_AUTHORIZED, 0 },
		{ SASL_HT_SHA_256_NONE, "new", "", 4, SASL_NOT_AUTHORIZED, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(trials) / sizeof(*trials); i++)
		run_token(&trials[i]);
}

/* ---- PLAIN ---- */

static enum sasl_result run_plain(const char *message, size_t len, size_t key_count,
                                  enum sasl_condition *condition)
{
	struct sasl_terms terms = terms_on_tls();
	struct sasl *sasl = sasl_new(&terms);
	struct buf out = { 0 };
	enum sasl_result result;

	*condition = SASL_NO_ERROR;
	result = sasl_begin(sasl, SASL_PLAIN, message, len, true, &out, condition);
	if (result == SASL_LOOKUP) {
		assert_int_equal(sasl_keys(sasl, keys, key_count, &out, condition), SASL_DERIVE);
		sasl_derive(sasl);
		result = sasl_derived(sasl, &out, condition);
	}
	assert_int_equal(out.len, 0);
	buf_clear(&out);
	sasl_free(&sasl);
	return result;
}

static void plain_vectors(void **state)
{
	struct vector v = vector_open("sasl-plain.csv");
	enum sasl_condition condition;

	(void)state;
	while (vector_next(&v)) {
		struct buf message = { 0 };
		bool valid = strcmp(v.fields[1], "yes") == 0;

		assert_true(base64_decode(&message, v.fields[0], strlen(v.fields[0])));
		run_plain(message.data, message.len, 0, &condition);
		if (!valid && condition != SASL_MALFORMED_REQUEST)
			fail_msg("%s: %s", v.fields[5], sasl_condition_name(condition));
		if (valid)
			assert_int_equal(condition,
			                 *v.fields[2] ? SASL_INVALID_AUTHZID : SASL_NOT_AUTHORIZED);
		buf_clear(&message);
	}
	fclose(v.file);
}

static void plain_exchanges(void **state)
{
	static const struct {
		const char *message;
		size_t len;
		size_t key_count;
		enum sasl_condition condition;
	} trials[] = {
#define MESSAGE(text) text, sizeof(text) - 1
		{ MESSAGE("\0romeo\0pencil"), 2, SASL_NO_ERROR },
		{ MESSAGE("romeo@north.example\0ROMEO\0pencil"), 2, SASL_NO_ERROR },
		{ MESSAGE("\0romeo@north.example\0pencil"), 2, SASL_NO_ERROR },
		/* SASLprep: a soft hyphen is nothing */
		{ MESSAGE("\0romeo\0pen\xc2\xad" "cil"), 2, SASL_NO_ERROR },
		{ MESSAGE("\0romeo\0Pencil"), 2, SASL_NOT_AUTHORIZED },
		{ MESSAGE("\0romeo\0pencil"), 0, SASL_NOT_AUTHORIZED },
		{ MESSAGE("\0romeo\0\xc2\xad"), 2, SASL_NOT_AUTHORIZED },
		{ MESSAGE("admin@north.example\0romeo\0pencil"), 2, SASL_INVALID_AUTHZID },
		{ MESSAGE("\0romeo@south.example\0pencil"), 2, SASL_NOT_AUTHORIZED },
		{ MESSAGE("\0romeo\0pencil\0"), 2, SASL_MALFORMED_REQUEST },
		{ MESSAGE("\0\0romeo\0pencil"), 2, SASL_MALFORMED_REQUEST },
		{ MESSAGE("romeo\0pencil"), 2, SASL_MALFORMED_REQUEST },
		{ MESSAGE(""), 2, SASL_MALFORMED_REQUEST },
		{ MESSAGE("\0"), 2, SASL_MALFORMED_REQUEST },
		{ MESSAGE("\0\0"), 2, SASL_MALFORMED_REQUEST },
	};
	enum sasl_condition condition;

	(void)state;
	for (size_t i = 0; i < sizeof(trials) / sizeof(*trials); i++) {
		run_plain(trials[i].message, trials[i].len, trials[i].key_count, &condition);
		if (condition != trials[i].condition)
			fail_msg("trial %zu: %s", i, sasl_condition_name(condition));
	}
}

static void passwords_are_checked(void **state)
{
	struct store_credential made[STORE_CREDENTIALS];

	(void)state;
	assert_false(sasl_make_keys(&entropy, "", 0, made));
	assert_false(sasl_make_keys(&entropy, "a\0b", 3, made));
	assert_false(sasl_make_keys(&entropy, "\xff", 1, made));
	assert_false(sasl_make_keys(&entropy, "a\x01", 2, made));
	assert_true(sasl_make_keys(&entropy, "p\xc3\xa4ss", 5, made));
	assert_int_equal(made[0].iterations, 10000);
}

static int make_keys(void **state)
{
	(void)state;
	return sasl_make_keys(&entropy, "pencil", 6, keys) ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scram_vectors),
		cmocka_unit_test(scram_grammar),
		cmocka_unit_test(scram_exchanges),
		cmocka_unit_test(offer_is_hashed),
		cmocka_unit_test(unknown_users_have_salts),
		cmocka_unit_test(not_offered_is_not_accepted),
		cmocka_unit_test(ht_vectors),
		cmocka_unit_test(token_exchanges),
		cmocka_unit_test(plain_vectors),
		cmocka_unit_test(plain_exchanges),
		cmocka_unit_test(passwords_are_checked),
	};

	return cmocka_run_group_tests(tests, make_keys, NULL);
}
