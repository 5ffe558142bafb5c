/* SPDX-License-Identifier: MIT
 *
 * The document is "DIGEST UNTIL": SHA-256 of the secret in hexadecimal, and when it expires, in microseconds of the wall
 * clock.
 */
#include "invited.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"

enum {
	INVITED_MOST = 1000,
	DIGEST_HEX = 64,
};

static const int64_t invited_valid_us = INT64_C(24) * 3600 * 1000000;

struct store_document *invited_ask(struct home *home, enum store_op op, const char *local, const char *domain,
                                   void (*done)(struct store_request *request), void *context)
{
	struct store_document *document = store_request_new(sizeof(*document), op, home->worker, "", 0, done);

	document->kind = "joining";
	document->key = arena_printf(&document->request.arena, "%s %s", local, domain);
	document->request.context = context;
	return document;
}

static void secret_digest(const char *secret, struct buf *hex)
{
	uint8_t digest[DIGEST_MAX];

	digest_bytes(DIGEST_SHA256, secret, strlen(secret), digest);
	hex_encode(hex, digest, digest_size(DIGEST_SHA256));
}

int64_t invited_set(struct store_document *document, const char *secret, int64_t now_us)
{
	int64_t until_us = now_us + invited_valid_us;
	struct buf text = { 0 };

	secret_digest(secret, &text);
	buf_printf(&text, " %" PRId64, until_us);
	document->text = arena_str_len(&document->request.arena, text.data, text.len);
	document->text_len = text.len;
	document->most = INVITED_MOST;
	buf_clear(&text);
	return until_us;
}

bool invited_is(const struct store_document *document, const char *secret, int64_t now_us)
{
	struct buf hex = { 0 };
	bool is;

	if (document->request.status != STORE_OK || document->text_len <= DIGEST_HEX)
		return false;
	secret_digest(secret, &hex);
	is = digest_same(hex.data, document->text, DIGEST_HEX) &&
	     strtoll(document->text + DIGEST_HEX, NULL, 10) > now_us;
	buf_clear(&hex);
	return is;
}
