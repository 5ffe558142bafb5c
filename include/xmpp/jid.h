/* SPDX-License-Identifier: MIT
 *
 * Addresses. A struct jid is a small value that borrows its text: "local@domain/resource" in prepared form,
 * so that comparing is comparing bytes, and the bare JID is a prefix of the full one. There is one
 * preparation function, used at every entrance: RFC 6122 profiles (nodeprep, nameprep with IDNA,
 * resourceprep) through libidn and libidn2, with a fast path for ASCII. It splits first, prepares each part,
 * and checks again that no part has grown an '@' or '/'. Pure; callable on any thread.
 */
#ifndef XMPP_JID_H
#define XMPP_JID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"

enum { JID_PART_MAX = 1023, JID_MAX = 3 * JID_PART_MAX + 2 };

struct jid {
	const char *text;       /* prepared, NUL behind it; NULL: no address */
	uint16_t local_len;     /* 0: no localpart */
	uint16_t domain_len;
	uint16_t resource_len;  /* 0: bare */
};

enum jid_use {
	JID_ANY,                /* addresses of others: code points newer than Unicode 3.2 pass */
	JID_NEW_LOCAL,          /* a user name that is being created here: they are refused */
};

/* Prepares len bytes of text into arena. false: not a legal address (out is then all zero). Text that is
 * already prepared ASCII is copied once and nothing else. */
bool jid_prepare(struct arena *arena, const char *text, size_t len, enum jid_use use, struct jid *out);
/* From parts that are not yet prepared; local and resource may be NULL. */
bool jid_make(struct arena *arena, const char *local, const char *domain, const char *resource,
              enum jid_use use, struct jid *out);
/* Prepares a domain alone (a stream header's to, a configuration's title). */
bool jid_domain_prepare(struct arena *arena, const char *domain, size_t len, struct jid *out);
/* A prepared domain as the DNS and TLS spell it, with A-labels (RFC 5890 §2.3.2.1). */
const char *jid_domain_ascii(struct arena *arena, const char *domain);
/* Prepares a resource alone (binding); false as above. */
bool jid_resource_prepare(struct arena *arena, const char *resource, size_t len, const char **out);
/* SASLprep (RFC 4013) for passwords and the user names of SCRAM; false: not allowed. */
bool jid_saslprep(struct arena *arena, const char *text, size_t len, const char **out);

/* Copies the text into the arena. */
struct jid jid_copy(struct arena *arena, const struct jid *jid);
/* The same address without its resource; shares the text when already bare, else copies. */
struct jid jid_bare(struct arena *arena, const struct jid *jid);
/* bare + "/" + a prepared resource */
struct jid jid_with_resource(struct arena *arena, const struct jid *bare, const char *resource);
/* The domain alone as an address; copies. */
struct jid jid_domain(struct arena *arena, const struct jid *jid);

/* Not NUL-terminated when there is a resource. */
static inline const char *jid_domain_text(const struct jid *jid)
{
	return jid->text + (jid->local_len ? jid->local_len + 1 : 0);
}

static inline size_t jid_bare_len(const struct jid *jid)
{
	return (size_t)(jid->local_len ? jid->local_len + 1 : 0) + jid->domain_len;
}

static inline size_t jid_len(const struct jid *jid)
{
	return jid_bare_len(jid) + (jid->resource_len ? 1u + jid->resource_len : 0);
}

static inline const char *jid_resource(const struct jid *jid)     /* NULL: bare */
{
	return jid->resource_len ? jid->text + jid_bare_len(jid) + 1 : NULL;
}

static inline bool jid_is_bare(const struct jid *jid)
{
	return jid->resource_len == 0;
}

static inline bool jid_is_domain(const struct jid *jid)           /* neither localpart nor resource */
{
	return jid->local_len == 0 && jid->resource_len == 0;
}

static inline bool jid_same(const struct jid *a, const struct jid *b)
{
	size_t len = jid_len(a);

	return len == jid_len(b) && memcmp(a->text, b->text, len) == 0;
}

static inline bool jid_same_bare(const struct jid *a, const struct jid *b)
{
	size_t len = jid_bare_len(a);

	return a->local_len == b->local_len && len == jid_bare_len(b) && memcmp(a->text, b->text, len) == 0;
}

static inline bool jid_same_domain(const struct jid *a, const struct jid *b)
{
	return a->domain_len == b->domain_len &&
	       memcmp(jid_domain_text(a), jid_domain_text(b), a->domain_len) == 0;
}

#endif
