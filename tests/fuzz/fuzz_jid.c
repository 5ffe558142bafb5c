/* SPDX-License-Identifier: MIT
 *
 * Addresses from a peer. Checked: what is prepared is legal, within the lengths, has its separators where its
 * parts say, and is not changed by preparing it again, whole or part by part.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "xmpp/jid.h"
#include "xmpp/utf8.h"

#define CHECK(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

static void check_parts(struct arena *arena, const struct jid *jid)
{
	struct jid bare = jid_bare(arena, jid), domain = jid_domain(arena, jid), again;
	const char *resource;

	CHECK(strlen(jid->text) == jid_len(jid) && jid_len(jid) <= JID_MAX);
	CHECK(utf8_is_xml(jid->text, jid_len(jid)));
	CHECK(jid->local_len <= JID_PART_MAX && jid->domain_len <= JID_PART_MAX &&
	      jid->resource_len <= JID_PART_MAX);
	CHECK(jid->domain_len > 0);
	CHECK(!memchr(jid->text, '@', jid->local_len) && !memchr(jid->text, '/', jid->local_len));
	CHECK(!memchr(jid_domain_text(jid), '@', jid->domain_len));
	CHECK(!memchr(jid_domain_text(jid), '/', jid->domain_len));
	CHECK(jid_prepare(arena, jid->text, jid_len(jid), JID_ANY, &again) && jid_same(jid, &again));
	CHECK(again.local_len == jid->local_len && again.domain_len == jid->domain_len);
	CHECK(jid_prepare(arena, bare.text, jid_len(&bare), JID_ANY, &again) && jid_same(&bare, &again));
	CHECK(jid_domain_prepare(arena, domain.text, domain.domain_len, &again) && jid_same(&domain, &again));
	if (!jid_resource(jid))
		return;
	CHECK(jid_resource_prepare(arena, jid_resource(jid), jid->resource_len, &resource));
	CHECK(strcmp(resource, jid_resource(jid)) == 0);
	again = jid_with_resource(arena, &bare, resource);
	CHECK(jid_same(jid, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	const char *text = (const char *)input, *prepared;
	struct arena arena;
	struct jid jid;

	arena_init(&arena, 0);
	if (jid_prepare(&arena, text, len, JID_ANY, &jid))
		check_parts(&arena, &jid);
	else
		CHECK(!jid.text);
	/* Who may be created may also be addressed. */
	if (jid_prepare(&arena, text, len, JID_NEW_LOCAL, &jid))
		CHECK(jid_prepare(&arena, text, len, JID_ANY, &jid));
	if (jid_saslprep(&arena, text, len, &prepared))
		CHECK(*prepared && utf8_is_xml(prepared, strlen(prepared)));
	arena_clear(&arena);
	return 0;
}
