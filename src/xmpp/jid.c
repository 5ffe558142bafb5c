/* SPDX-License-Identifier: MIT
 *
 * The preparation of addresses: RFC 6122 §2 with nodeprep (appendix A), resourceprep (appendix B) and domains
 * as U-labels (IDNA2008, UTS 46 non-transitional), SASLprep (RFC 4013). ASCII, which is nearly everything, is
 * mapped here; libidn and libidn2 see the rest, and what they answer is checked again. Where RFC 7622
 * differs: docs/jids.md.
 */
#include "xmpp/jid.h"

#include <arpa/inet.h>
#include <idn2.h>
#include <stringprep.h>

#include "base/mem.h"
#include "xmpp/utf8.h"

/* What an ASCII character may stand in. FOLDED is the bit that makes a capital small. */
enum { LOCAL = 1, DOMAIN = 2, RESOURCE = 4, FOLDED = 0x20 };

static const uint8_t classes[256] = {
	[' '] = RESOURCE,
	['!'] = LOCAL | RESOURCE,
	['"'] = RESOURCE,
	['#' ... '%'] = LOCAL | RESOURCE,
	['&' ... '\''] = RESOURCE,
	['(' ... ','] = LOCAL | RESOURCE,
	['-' ... '.'] = LOCAL | DOMAIN | RESOURCE,
	['/'] = RESOURCE,
	['0' ... '9'] = LOCAL | DOMAIN | RESOURCE,
	[':'] = RESOURCE,
	[';'] = LOCAL | RESOURCE,
	['<'] = RESOURCE,
	['='] = LOCAL | RESOURCE,
	['>'] = RESOURCE,
	['?'] = LOCAL | RESOURCE,
	['@'] = RESOURCE,
	['A' ... 'Z'] = LOCAL | DOMAIN | RESOURCE | FOLDED,
	['[' ... '`'] = LOCAL | RESOURCE,
	['a' ... 'z'] = LOCAL | DOMAIN | RESOURCE,
	['{' ... '~'] = LOCAL | RESOURCE,
};

enum {
	LABEL_MAX = 63,
	DOMAIN_ASCII_MAX = 253,
	WORK_SIZE = 4 * JID_PART_MAX + 1,       /* normalisation may lengthen what is being prepared */
};

/* An address while it is being prepared. */
struct draft {
	char text[JID_MAX + 1];
	size_t len;
};

enum ascii { ASCII_READY, ASCII_REFUSED, ASCII_NOT };

/* Appends text where all of it is ASCII of that class; fold: FOLDED or 0. */
static enum ascii draft_add_ascii(struct draft *draft, const char *text, size_t len, uint8_t class,
                                  uint8_t fold)
{
	char *out = draft->text + draft->len;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (!(classes[c] & class))
			return c < 0x80 ? ASCII_REFUSED : ASCII_NOT;
		out[i] = (char)(c | (classes[c] & fold));
	}
	draft->len += len;
	return ASCII_READY;
}

/* Runs a stringprep profile over text into work. What comes out is UTF-8 and not empty, else false. */
static bool profile_apply(const Stringprep_profile *profile, int flags, const char *text, size_t len,
                          char work[WORK_SIZE])
{
	if (len == 0 || len >= WORK_SIZE || !utf8_is_xml(text, len))
		return false;
	memcpy(work, text, len);
	work[len] = '\0';
	return stringprep(work, WORK_SIZE, (Stringprep_profile_flags)flags, profile) == STRINGPREP_OK &&
	       work[0] != '\0' && utf8_is_xml(work, strlen(work));
}

/* Appends text as a profile makes it. Equal addresses must be equal bytes, so what the profile would change
 * once more is no address. */
static bool draft_add_profile(struct draft *draft, const Stringprep_profile *profile, int flags,
                              const char *text, size_t len)
{
	char once[WORK_SIZE], twice[WORK_SIZE];

	if (!profile_apply(profile, flags, text, len, once))
		return false;
	len = strlen(once);
	if (len > JID_PART_MAX || !profile_apply(profile, flags, once, len, twice) ||
	    strcmp(once, twice) != 0)
		return false;
	memcpy(draft->text + draft->len, once, len);
	draft->len += len;
	return true;
}

static bool draft_add_local(struct draft *draft, const char *text, size_t len, enum jid_use use)
{
	int flags = use == JID_NEW_LOCAL ? STRINGPREP_NO_UNASSIGNED : 0;
	size_t start = draft->len;

	if (len == 0 || len > JID_PART_MAX)
		return false;
	switch (draft_add_ascii(draft, text, len, LOCAL, FOLDED)) {
	case ASCII_READY:
		return true;
	case ASCII_REFUSED:
		return false;
	case ASCII_NOT:
		break;
	}
	return draft_add_profile(draft, stringprep_xmpp_nodeprep, flags, text, len) &&
	       !memchr(draft->text + start, '@', draft->len - start) &&
	       !memchr(draft->text + start, '/', draft->len - start);
}

static bool draft_add_resource(struct draft *draft, const char *text, size_t len)
{
	if (len == 0 || len > JID_PART_MAX)
		return false;
	switch (draft_add_ascii(draft, text, len, RESOURCE, 0)) {
	case ASCII_READY:
		return true;
	case ASCII_REFUSED:
		return false;
	case ASCII_NOT:
		break;
	}
	return draft_add_profile(draft, stringprep_xmpp_resourceprep, 0, text, len);
}

/* [2001:db8::1], written as RFC 5952 has it. */
static bool draft_add_literal(struct draft *draft, const char *text, size_t len)
{
	char address[INET6_ADDRSTRLEN];
	struct in6_addr binary;

	if (len < 4 || len - 2 >= sizeof(address) || text[len - 1] != ']')
		return false;
	memcpy(address, text + 1, len - 2);
	address[len - 2] = '\0';
	if (inet_pton(AF_INET6, address, &binary) != 1 ||
	    !inet_ntop(AF_INET6, &binary, address, sizeof(address)))
		return false;
	len = strlen(address);
	draft->text[draft->len] = '[';
	memcpy(draft->text + draft->len + 1, address, len);
	draft->text[draft->len + 1 + len] = ']';
	draft->len += len + 2;
	return true;
}

enum labels { LABELS_VALID, LABELS_REFUSED, LABELS_ENCODED };

/* The shape of each label: not empty, at most max octets, no hyphen at an end (RFC 1123 §2.1). An A-label
 * among them is to be decoded: addresses have U-labels. text is in small letters. */
static enum labels labels_check(const char *text, size_t len, size_t max)
{
	const char *end = text + len;
	enum labels result = LABELS_VALID;

	for (;;) {
		const char *dot = memchr(text, '.', (size_t)(end - text));
		size_t label = (size_t)((dot ? dot : end) - text);

		if (label == 0 || label > max || text[0] == '-' || text[label - 1] == '-')
			return LABELS_REFUSED;
		if (label >= 4 && memcmp(text, "xn--", 4) == 0)
			result = LABELS_ENCODED;
		if (!dot)
			return result;
		text = dot + 1;
	}
}

/* ToASCII judges, ToUnicode answers the form that is kept. NULL: no domain. Released with idn2_free.
 * libidn2's IDN2_USE_STD3_ASCII_RULES drops what it should refuse, so those rules are ours. */
static char *labels_decode(const char *text, size_t len)
{
	char domain[JID_PART_MAX + 1];
	char *encoded, *decoded = NULL;

	memcpy(domain, text, len);
	domain[len] = '\0';
	if (idn2_to_ascii_8z(domain, &encoded, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return NULL;
	if (idn2_to_unicode_8z8z(encoded, &decoded, 0) != IDN2_OK)
		decoded = NULL;
	idn2_free(encoded);
	return decoded;
}

/* No ASCII may have come out of the mapping that could not have stood there itself. */
static bool labels_are_decoded(const char *text, size_t len)
{
	bool is_ascii = true;

	if (len == 0 || len > JID_PART_MAX || !utf8_is_xml(text, len))
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= 0x80)
			is_ascii = false;
		else if ((classes[c] & (DOMAIN | FOLDED)) != DOMAIN)
			return false;
	}
	if (is_ascii && len > DOMAIN_ASCII_MAX)
		return false;
	return labels_check(text, len, is_ascii ? LABEL_MAX : JID_PART_MAX) == LABELS_VALID;
}

/* The U-labels of text; decoding them once more must change nothing. */
static char *labels_prepare(const char *text, size_t len)
{
	char *once = labels_decode(text, len), *twice = NULL;

	if (once) {
		len = strlen(once);
		if (len > 0 && once[len - 1] == '.')
			once[--len] = '\0';
		if (labels_are_decoded(once, len))
			twice = labels_decode(once, len);
	}
	if (!twice || strcmp(once, twice) != 0) {
		idn2_free(once);
		once = NULL;
	}
	idn2_free(twice);
	return once;
}

static bool draft_add_labels(struct draft *draft, const char *text, size_t len)
{
	char *labels;

	if (!utf8_is_xml(text, len))
		return false;
	labels = labels_prepare(text, len);
	if (!labels)
		return false;
	len = strlen(labels);
	memcpy(draft->text + draft->len, labels, len);
	draft->len += len;
	idn2_free(labels);
	return true;
}

/* One dot may stand behind the last label (RFC 6122 §2.2). */
static bool draft_add_domain(struct draft *draft, const char *text, size_t len)
{
	size_t start = draft->len, ascii_len;

	if (len == 0 || len > JID_PART_MAX)
		return false;
	if (text[0] == '[')
		return draft_add_literal(draft, text, len);
	ascii_len = text[len - 1] == '.' ? len - 1 : len;
	switch (draft_add_ascii(draft, text, ascii_len, DOMAIN, FOLDED)) {
	case ASCII_READY:
		break;
	case ASCII_REFUSED:
		return false;
	case ASCII_NOT:
		return draft_add_labels(draft, text, len);
	}
	switch (labels_check(draft->text + start, ascii_len, LABEL_MAX)) {
	case LABELS_VALID:
		return ascii_len <= DOMAIN_ASCII_MAX;
	case LABELS_REFUSED:
		return false;
	case LABELS_ENCODED:
		break;
	}
	draft->len = start;
	return draft_add_labels(draft, text, len);
}

/* A stretch of the text that is being prepared; at NULL: absent. */
struct part {
	const char *at;
	size_t len;
};

static struct part part_of(const char *text)
{
	return (struct part){ text, text ? strlen(text) : 0 };
}

static bool jid_join(struct arena *arena, struct part local, struct part domain, struct part resource,
                     enum jid_use use, struct jid *out)
{
	struct jid jid = { 0 };
	struct draft draft;

	*out = jid;
	draft.len = 0;
	if (local.at) {
		if (!draft_add_local(&draft, local.at, local.len, use))
			return false;
		jid.local_len = (uint16_t)draft.len;
		draft.text[draft.len++] = '@';
	}
	if (!draft_add_domain(&draft, domain.at, domain.len))
		return false;
	jid.domain_len = (uint16_t)(draft.len - (jid.local_len ? jid.local_len + 1u : 0));
	if (resource.at) {
		draft.text[draft.len++] = '/';
		if (!draft_add_resource(&draft, resource.at, resource.len))
			return false;
		jid.resource_len = (uint16_t)(draft.len - jid_bare_len(&jid) - 1);
	}
	jid.text = arena_str_len(arena, draft.text, draft.len);
	*out = jid;
	return true;
}

/* The first / ends the bare JID, the first @ before it ends the localpart (RFC 7622 §3.1). */
bool jid_prepare(struct arena *arena, const char *text, size_t len, enum jid_use use, struct jid *out)
{
	const char *slash = memchr(text, '/', len);
	size_t bare_len = slash ? (size_t)(slash - text) : len;
	const char *at = memchr(text, '@', bare_len);
	struct part local = { 0 }, domain = { text, bare_len }, resource = { 0 };

	if (at) {
		local = (struct part){ text, (size_t)(at - text) };
		domain = (struct part){ at + 1, bare_len - local.len - 1 };
	}
	if (slash)
		resource = (struct part){ slash + 1, len - bare_len - 1 };
	return jid_join(arena, local, domain, resource, use, out);
}

bool jid_make(struct arena *arena, const char *local, const char *domain, const char *resource,
              enum jid_use use, struct jid *out)
{
	return jid_join(arena, part_of(local), part_of(domain), part_of(resource), use, out);
}

bool jid_domain_prepare(struct arena *arena, const char *domain, size_t len, struct jid *out)
{
	return jid_join(arena, (struct part){ 0 }, (struct part){ domain, len }, (struct part){ 0 }, JID_ANY,
	                out);
}

/* A domain that has no such form (an IP literal) is answered as it is. */
const char *jid_domain_ascii(struct arena *arena, const char *domain)
{
	char *encoded;
	const char *copy;

	if (idn2_to_ascii_8z(domain, &encoded, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return arena_str(arena, domain);
	copy = arena_str(arena, encoded);
	idn2_free(encoded);
	return copy;
}

bool jid_resource_prepare(struct arena *arena, const char *resource, size_t len, const char **out)
{
	struct draft draft;

	*out = NULL;
	draft.len = 0;
	if (!draft_add_resource(&draft, resource, len))
		return false;
	*out = arena_str_len(arena, draft.text, draft.len);
	return true;
}

/* Code points newer than Unicode 3.2 pass: people have them in passwords, and every entrance makes the same
 * of them. */
bool jid_saslprep(struct arena *arena, const char *text, size_t len, const char **out)
{
	char work[WORK_SIZE];
	bool is_allowed = profile_apply(stringprep_saslprep, 0, text, len, work);

	*out = is_allowed ? arena_str(arena, work) : NULL;
	mem_wipe(work, sizeof(work));
	return is_allowed;
}

struct jid jid_copy(struct arena *arena, const struct jid *jid)
{
	struct jid copy = *jid;

	if (jid->text)
		copy.text = arena_str_len(arena, jid->text, jid_len(jid));
	return copy;
}

struct jid jid_bare(struct arena *arena, const struct jid *jid)
{
	struct jid bare = *jid;

	if (jid_is_bare(jid))
		return bare;
	bare.resource_len = 0;
	bare.text = arena_str_len(arena, jid->text, jid_bare_len(jid));
	return bare;
}

struct jid jid_with_resource(struct arena *arena, const struct jid *bare, const char *resource)
{
	struct jid full = *bare;
	size_t bare_len = jid_bare_len(bare);
	char *text;

	full.resource_len = (uint16_t)strlen(resource);
	text = arena_alloc(arena, bare_len + 1 + full.resource_len + 1);
	memcpy(text, bare->text, bare_len);
	text[bare_len] = '/';
	memcpy(text + bare_len + 1, resource, (size_t)full.resource_len + 1);
	full.text = text;
	return full;
}

struct jid jid_domain(struct arena *arena, const struct jid *jid)
{
	return (struct jid){ .text = arena_str_len(arena, jid_domain_text(jid), jid->domain_len),
		             .domain_len = jid->domain_len };
}
