/* SPDX-License-Identifier: MIT
 *
 * SASL exchanges with a client that may say anything, the id of its installation (XEP-0388) included. The first byte
 * chooses the mechanism and what the
 * connection has; lines of the rest are the client's messages ("\n" ends one). Checked: nobody gets in
 * without an account; who gets in is of the stream's host; what the server says is text, but for the sum that answers a
 * token. The account's keys have one iteration and the server's nonce is always the same, so that a message can go all the
 * way.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/sasl.h"
#include "core/scram.h"
#include "xmpp/utf8.h"

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

enum { HAS_ACCOUNT = 8, HAS_INITIAL = 16, HAS_EXPORTER = 32, HAS_END_POINT = 64, IN_CLEAR = 128 };

static void fill(struct entropy *entropy, void *bytes, size_t len)
{
	(void)entropy;
	memset(bytes, 0, len);
}

static struct entropy no_entropy = { .fill = fill };

static void make_keys(struct store_credential keys[STORE_CREDENTIALS])
{
	static const enum digest_kind kinds[STORE_CREDENTIALS] = { DIGEST_SHA1, DIGEST_SHA256 };

	for (size_t i = 0; i < STORE_CREDENTIALS; i++) {
		keys[i] = (struct store_credential){ .kind = kinds[i], .iterations = 1 };
		scram_keys(kinds[i], "pencil", 6, keys[i].salt, sizeof(keys[i].salt), 1, keys[i].stored_key,
		           keys[i].server_key);
	}
}

static struct sasl_terms make_terms(uint8_t choice)
{
	struct sasl_terms terms = { .offered = choice & IN_CLEAR ? 1u << SASL_SCRAM_SHA_1
		                                                 : (2u << SASL_PLAIN) - 1,
		                    .tokens = choice & IN_CLEAR ? 0 : (1u << SASL_MECHANISMS) - (2u << SASL_PLAIN),
		                    .host = "north.example",
		                    .secret = "secret",
		                    .entropy = &no_entropy };

	terms.exporter_len = choice & HAS_EXPORTER ? 32 : 0;
	terms.end_point_len = choice & HAS_END_POINT ? 32 : 0;
	return terms;
}

/* The next line of the input. */
static const char *take_line(const char **at, const char *end, size_t *len)
{
	const char *line = *at, *stop = line < end ? memchr(line, '\n', (size_t)(end - line)) : NULL;

	*len = (size_t)((stop ? stop : end) - line);
	*at = stop ? stop + 1 : end;
	return line;
}

/* A token for each mechanism; one has expired. */
static enum sasl_result give_tokens(struct sasl *sasl, bool has_account, struct buf *out,
                                    enum sasl_condition *condition)
{
	static const struct store_token tokens[] = {
		{ .id = 1, .secret = "token0", .mechanism = "HT-SHA-256-EXPR", .expires_us = 2 },
		{ .id = 2, .secret = "token0", .mechanism = "HT-SHA-256-ENDP", .expires_us = 2 },
		{ .id = 3, .secret = "token0", .mechanism = "HT-SHA-256-NONE", .expires_us = 1 },
	};
	enum sasl_result result = sasl_tokens(sasl, tokens, has_account ? 3 : 0, 1, out, condition);

	CHECK((result == SASL_SUCCESS) == (out->len == 32 && sasl_token_used(sasl) != 0));
	out->len = 0;
	return result;
}

/* What the exchange needs that is not the client's. */
static enum sasl_result go_on(struct sasl *sasl, enum sasl_result result, bool has_account, struct buf *out,
                              enum sasl_condition *condition)
{
	static struct store_credential keys[STORE_CREDENTIALS];

	if (keys[0].iterations == 0)
		make_keys(keys);
	if (result == SASL_LOOKUP && sasl_mechanism_takes_token(sasl_used(sasl)))
		return give_tokens(sasl, has_account, out, condition);
	if (result == SASL_LOOKUP)
		result = sasl_keys(sasl, keys, has_account ? STORE_CREDENTIALS : 0, out, condition);
	if (result == SASL_DERIVE) {
		if (has_account)
			sasl_derive(sasl);
		result = sasl_derived(sasl, out, condition);
	}
	return result;
}

static void check_success(const struct sasl *sasl, uint8_t choice)
{
	const struct jid *user = sasl_user(sasl);

	CHECK(choice & HAS_ACCOUNT);
	CHECK(user->local_len > 0 && jid_is_bare(user));
	CHECK(strcmp(jid_domain_text(user), "north.example") == 0);
}

static void run(uint8_t choice, const char *at, const char *end)
{
	struct sasl_terms terms = make_terms(choice);
	struct sasl *sasl = sasl_new(&terms);
	enum sasl_condition condition = SASL_NO_ERROR;
	enum sasl_result result;
	struct buf out = { 0 };
	size_t len;
	const char *line = take_line(&at, end, &len);

	result = sasl_begin(sasl, choice % 8 % SASL_MECHANISMS, line, len, choice & HAS_INITIAL, &out,
	                    &condition);
	for (int i = 0; i < 4; i++) {
		result = go_on(sasl, result, choice & HAS_ACCOUNT, &out, &condition);
		CHECK(out.len == 0 || utf8_is_xml(out.data, out.len));
		CHECK((result == SASL_FAILED) == (condition != SASL_NO_ERROR));
		out.len = 0;
		if (result != SASL_CHALLENGE)
			break;
		line = take_line(&at, end, &len);
		result = sasl_respond(sasl, line, len, &out, &condition);
	}
	if (result == SASL_SUCCESS)
		check_success(sasl, choice);
	buf_clear(&out);
	sasl_free(&sasl);
}

static void read_id(const uint8_t *input, size_t len)
{
	char *text = str_dup_len((const char *)input, len), id[UUID_LEN + 1], again[UUID_LEN + 1];

	if (uuid_read(text, id))
		CHECK(strlen(id) == UUID_LEN && uuid_read(id, again) && strcmp(id, again) == 0);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	read_id(input, len);
	if (len > 0)
		run(input[0], (const char *)input + 1, (const char *)input + len);
	return 0;
}
