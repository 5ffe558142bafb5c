/* SPDX-License-Identifier: MIT
 *
 * A token is the base64 of "hansa1 DOMAIN ADDRESS PIN SECRET".
 */
#include "token.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "policy.h"
#include "xmpp/jid.h"

enum { TOKEN_MAX = 4000 };

#define TOKEN_KIND "hansa1"

void token_write(struct buf *out, const struct token *token)
{
	struct buf text = { 0 };

	buf_printf(&text, TOKEN_KIND " %s %s %s %s", token->domain, token->address, token->pin, token->secret);
	base64_encode(out, text.data, text.len);
	mem_wipe(text.data, text.len);
	buf_clear(&text);
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-"

bool token_domain_is_fine(const char *domain)
{
	struct arena arena = { 0 };
	const char *ascii = jid_domain_ascii(&arena, domain);
	bool fine = *ascii && ascii[strspn(ascii, LETTERS)] == '\0';

	arena_clear(&arena);
	return fine;
}

bool token_address_is_fine(const char *address)
{
	static const char letters[] = LETTERS ":[]";
	struct resolve_target target;
	struct arena arena = { 0 };
	bool fine = strlen(address) < TOKEN_MAX && address[strspn(address, letters)] == '\0' &&
	            policy_read_target(&arena, address, &target);

	arena_clear(&arena);
	return fine;
}

/* The next word of *rest; NULL: there is none. */
static const char *token_word(char **rest)
{
	const char *word = strsep(rest, " ");

	return word && *word ? word : NULL;
}

static bool token_take(char *const field, size_t size, const char *word)
{
	return word && (size_t)snprintf(field, size, "%s", word) == size - 1;
}

static bool token_parse(struct arena *arena, char *text, struct token *out)
{
	const char *kind = token_word(&text), *domain = token_word(&text), *address = token_word(&text);
	struct jid prepared;

	if (!kind || strcmp(kind, TOKEN_KIND) != 0 || !domain || !address || !token_address_is_fine(address) ||
	    !jid_domain_prepare(arena, domain, strlen(domain), &prepared) || !token_domain_is_fine(prepared.text))
		return false;
	out->domain = prepared.text;
	out->address = arena_str(arena, address);
	return token_take(out->pin, sizeof(out->pin), token_word(&text)) && policy_is_pin(out->pin) &&
	       token_take(out->secret, sizeof(out->secret), token_word(&text)) && !text;
}

bool token_read(struct arena *arena, const char *text, struct token *out)
{
	struct buf plain = { 0 };
	size_t len = strlen(text);
	bool read = len < TOKEN_MAX && base64_decode(&plain, text, len) && plain.len > 0 &&
	            !memchr(plain.data, '\0', plain.len);

	if (read) {
		buf_add_char(&plain, '\0');
		read = token_parse(arena, plain.data, out);
	}
	mem_wipe(plain.data, plain.len);
	buf_clear(&plain);
	return read;
}
