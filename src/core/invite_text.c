/* SPDX-License-Identifier: MIT
 *
 * Invitations as text: the address that is handed out (XEP-0401 §5.1, §5.4; XEP-0445 §2), the page for people, the document
 * of a host, and the row of a list.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/mem.h"
#include "invite_inside.h"
#include "xmpp/stamp.h"

/* ---- one ---- */

struct invitation *invitation_new(const uint8_t digest[INVITE_DIGEST], const struct invite *invite)
{
	struct invitation *invitation = mem_zalloc(sizeof(*invitation));

	memcpy(invitation->digest, digest, INVITE_DIGEST);
	invitation->invite = *invite;
	invitation->invite.inviter = str_dup(invite->inviter);
	invitation->invite.user = str_dup(invite->user);
	return invitation;
}

void invitation_free(struct invitation *invitation)
{
	free((char *)(uintptr_t)invitation->invite.inviter);
	free((char *)(uintptr_t)invitation->invite.user);
	free(invitation);
}

static char *digest_text(const uint8_t digest[INVITE_DIGEST])
{
	struct buf hex = { 0 };

	hex_encode(&hex, digest, INVITE_DIGEST);
	buf_add_char(&hex, '\0');
	return hex.data;
}

static const char *kind_name(enum invite_kind kind)
{
	return kind == INVITE_CONTACT ? "contact" : "account";
}

json_t *invitation_row(const struct invitation *invitation, const char *host)
{
	const struct invite *invite = &invitation->invite;
	char *id = digest_text(invitation->digest), expires[STAMP_LEN + 1];
	json_t *row;

	id[INVITE_ID] = '\0';
	stamp_write(invite->expires_us, expires);
	row = json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s}", "invitation", id, "host", host, "kind",
	                kind_name(invite->kind), "user", invite->user, "inviter", invite->inviter, "expires", expires);
	free(id);
	return row;
}

/* ---- the document: a line for each, of fields between tabs; no address has a tab ---- */

enum { FIELD_DIGEST, FIELD_KIND, FIELD_INVITER, FIELD_USER, FIELD_BEFRIENDS, FIELD_CREATED, FIELD_EXPIRES, FIELDS };

static const char *text_or_none(const char *text)
{
	return text ? text : "";
}

char *invitations_write(const struct list *list)
{
	struct buf out = { 0 };

	for (struct list_link *link = list_first(list); link; link = list_next(list, link)) {
		const struct invitation *invitation = LIST_MEMBER(link, struct invitation, link);
		const struct invite *invite = &invitation->invite;

		hex_encode(&out, invitation->digest, INVITE_DIGEST);
		buf_printf(&out, "\t%s\t%s\t%s\t%d\t%lld\t%lld\n", kind_name(invite->kind), text_or_none(invite->inviter),
		           text_or_none(invite->user), invite->befriends, (long long)invite->created_us,
		           (long long)invite->expires_us);
	}
	buf_add_char(&out, '\0');
	return out.data;
}

static bool digest_read(const char *text, uint8_t digest[INVITE_DIGEST])
{
	if (strlen(text) != 2 * INVITE_DIGEST || strspn(text, "0123456789abcdef") != 2 * INVITE_DIGEST)
		return false;
	for (size_t i = 0; i < INVITE_DIGEST; i++) {
		const char byte[3] = { text[2 * i], text[2 * i + 1], '\0' };

		digest[i] = (uint8_t)strtoul(byte, NULL, 16);
	}
	return true;
}

/* line: taken apart. */
static bool invitation_read(struct list *list, char *line)
{
	char *fields[FIELDS], *rest = line;
	struct invite invite = { 0 };
	uint8_t digest[INVITE_DIGEST];
	size_t count = 0;

	while (rest && count < FIELDS)
		fields[count++] = strsep(&rest, "\t");
	if (rest || count < FIELDS || !digest_read(fields[FIELD_DIGEST], digest))
		return false;
	invite.kind = strcmp(fields[FIELD_KIND], kind_name(INVITE_CONTACT)) == 0 ? INVITE_CONTACT : INVITE_ACCOUNT;
	invite.inviter = *fields[FIELD_INVITER] ? fields[FIELD_INVITER] : NULL;
	invite.user = *fields[FIELD_USER] ? fields[FIELD_USER] : NULL;
	invite.befriends = strcmp(fields[FIELD_BEFRIENDS], "1") == 0;
	invite.created_us = strtoll(fields[FIELD_CREATED], NULL, 10);
	invite.expires_us = strtoll(fields[FIELD_EXPIRES], NULL, 10);
	list_add_last(list, &invitation_new(digest, &invite)->link);
	return true;
}

bool invitations_read(struct list *list, const char *text, size_t len)
{
	char *copy = str_dup_len(text, len), *rest = copy, *line;
	bool read = true;

	while ((line = strsep(&rest, "\n")))
		if (*line)
			read = invitation_read(list, line) && read;
	free(copy);
	return read;
}

/* ---- addresses ---- */

/* RFC 5122 §2.2: what is not unreserved is written by its bytes. */
static void uri_add(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~", c))
			buf_add_char(out, (char)c);
		else
			buf_printf(out, "%%%02X", c);
	}
}

static void uri_add_address(struct buf *out, const char *local, size_t local_len, const char *domain)
{
	if (local_len) {
		uri_add(out, local, local_len);
		buf_add_char(out, '@');
	}
	uri_add(out, domain, strlen(domain));
}

static bool host_takes_invited(const struct home *home, const char *domain)
{
	const struct host *host = config_host(home->config, domain, strlen(domain));

	return host && host->registration != REGISTRATION_NO;
}

const char *invite_uri(const struct home *home, struct invite_request *request)
{
	const struct invite *invite = &request->invite;
	bool contact = invite->kind == INVITE_CONTACT;
	const char *local = contact ? invite->inviter : invite->user, *uri;
	struct buf out = { 0 };

	buf_add_lit(&out, "xmpp:");
	uri_add_address(&out, local, local ? strcspn(local, "@") : 0, request->host);
	buf_printf(&out, "?%s;preauth=%s%s", contact ? "roster" : "register", request->token,
	           contact && host_takes_invited(home, request->host) ? ";ibr=y" : "");
	uri = arena_str_len(&request->arena, out.data, out.len);
	mem_wipe(out.data, out.len);
	buf_clear(&out);
	return uri;
}

/* Puts value in the place of the first name in text. */
static const char *page_fill(struct arena *arena, const char *text, const char *name, const char *value)
{
	const char *at = strstr(text, name);

	return at ? arena_printf(arena, "%.*s%s%s", (int)(at - text), text, value, at + strlen(name)) : text;
}

const char *invite_page(const struct home *home, struct invite_request *request)
{
	const struct host *host = config_host(home->config, request->host, strlen(request->host));
	const char *page = host ? invite_terms(home->config, host)->page : NULL;

	if (!page)
		return NULL;
	page = page_fill(&request->arena, page, "{token}", request->token);
	return page_fill(&request->arena, page, "{uri}", strchr(invite_uri(home, request), ':') + 1);
}
