/* SPDX-License-Identifier: MIT
 *
 * Keys as XEP-0185 §2 makes them, so that every process that knows the secret can check them and nothing is
 * kept between the making and the checking; elements as XEP-0220 §2.1, §2.2 and §2.5 show them.
 */
#include "dialback.h"

#include <assert.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "xmpp/jid.h"
#include "xmpp/writer.h"

/* ---- keys (XEP-0185 §2) ---- */

void dialback_key(const char *secret, const char *receiving, const char *originating, const char *id,
                  char key[DIALBACK_KEY + 1])
{
	uint8_t digest[DIGEST_MAX];
	struct buf hashed = { 0 }, text = { 0 }, hex = { 0 };

	digest_bytes(DIGEST_SHA256, secret, strlen(secret), digest);
	hex_encode(&hashed, digest, digest_size(DIGEST_SHA256));
	buf_printf(&text, "%s %s %s", receiving, originating, id);
	digest_hmac(DIGEST_SHA256, hashed.data, hashed.len, text.data, text.len, digest);
	hex_encode(&hex, digest, digest_size(DIGEST_SHA256));
	assert(hex.len == DIALBACK_KEY);
	memcpy(key, hex.data, DIALBACK_KEY);
	key[DIALBACK_KEY] = '\0';
	mem_wipe(hashed.data, hashed.len);
	mem_wipe(hex.data, hex.len);
	buf_clear(&hashed);
	buf_clear(&text);
	buf_clear(&hex);
}

bool dialback_key_is(const char *secret, const char *receiving, const char *originating, const char *id,
                     const char *claimed)
{
	char key[DIALBACK_KEY + 1];
	bool same;

	dialback_key(secret, receiving, originating, id, key);
	same = strlen(claimed) == DIALBACK_KEY && digest_same(key, claimed, DIALBACK_KEY);
	mem_wipe(key, sizeof(key));
	return same;
}

/* ---- elements ---- */

static const char *const dialback_kinds[] = { [DIALBACK_RESULT] = "result", [DIALBACK_VERIFY] = "verify" };
static const char *const dialback_types[] = {
	[DIALBACK_VALID] = "valid",
	[DIALBACK_INVALID] = "invalid",
	[DIALBACK_ERROR] = "error",
};

static const char *dialback_domain(struct arena *arena, const struct element *element, const char *name)
{
	const char *text = element_attr(element, name);
	struct jid domain;

	if (!text || !jid_domain_prepare(arena, text, strlen(text), &domain))
		return NULL;
	return domain.text;
}

static bool dialback_type_read(const char *text, enum dialback_type *out)
{
	*out = DIALBACK_REQUEST;
	if (!text)
		return true;
	for (enum dialback_type type = DIALBACK_VALID; type <= DIALBACK_ERROR; type++)
		if (strcmp(text, dialback_types[type]) == 0)
			*out = type;
	return *out != DIALBACK_REQUEST;
}

/* The key without the blanks that may stand around it; NULL: there is none. */
static const char *dialback_key_read(struct arena *arena, const struct element *element)
{
	const char *text = element_text(arena, element);
	size_t len;

	text += strspn(text, " \t\r\n");
	len = strcspn(text, " \t\r\n");
	return len ? arena_str_len(arena, text, len) : NULL;
}

/* <error/> should be of the stream's content namespace; some put it into the dialback namespace. */
static const char *dialback_condition_read(const struct element *element)
{
	const struct element *error = element_first(element);
	const struct element *condition = error ? element_child_ns(error, NS_STANZA_ERRORS) : NULL;

	return condition ? condition->name : "undefined-condition";
}

enum dialback_read dialback_read(struct arena *arena, const struct element *element, struct dialback *out)
{
	*out = (struct dialback){
		.kind = strcmp(element->name, dialback_kinds[DIALBACK_VERIFY]) == 0 ? DIALBACK_VERIFY
		                                                                    : DIALBACK_RESULT,
		.from = dialback_domain(arena, element, "from"),
		.to = dialback_domain(arena, element, "to"),
	};
	if (!out->from || !out->to)
		return DIALBACK_BAD_ADDRESS;
	if (!dialback_type_read(element_attr(element, "type"), &out->type))
		return DIALBACK_MALFORMED;
	if (out->kind == DIALBACK_VERIFY)
		out->id = element_attr(element, "id");
	if (out->type == DIALBACK_REQUEST)
		out->key = dialback_key_read(arena, element);
	if (out->type == DIALBACK_ERROR)
		out->condition = dialback_condition_read(element);
	if ((out->kind == DIALBACK_VERIFY && !out->id) || (out->type == DIALBACK_REQUEST && !out->key))
		return DIALBACK_MALFORMED;
	return DIALBACK_READ;
}

void dialback_write(struct buf *out, const struct dialback *dialback)
{
	const char *name = dialback_kinds[dialback->kind];

	buf_printf(out, "<db:%s", name);
	writer_attr(out, "from", dialback->from);
	writer_attr(out, "to", dialback->to);
	writer_attr(out, "id", dialback->id);
	writer_attr(out, "type", dialback_types[dialback->type]);
	if (dialback->type == DIALBACK_REQUEST) {
		buf_add_char(out, '>');
		writer_text(out, dialback->key, strlen(dialback->key));
		buf_printf(out, "</db:%s>", name);
	} else if (dialback->type == DIALBACK_ERROR) {
		buf_printf(out, "><error type='cancel'><%s xmlns='" NS_STANZA_ERRORS "'/></error></db:%s>",
		           dialback->condition, name);
	} else {
		buf_add_lit(out, "/>");
	}
}
