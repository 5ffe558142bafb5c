/* SPDX-License-Identifier: MIT
 *
 * Single questions to the DNS. A lookup is one question (a type and a name) with its answer; all who ask the
 * same share it, and it stays in the cache for the TTL. What must stay true: only an answer that says so means
 * "there is none"; everything else is "could not find out" and is never cached.
 */
#ifndef NET_DNS_H
#define NET_DNS_H

#include "base/list.h"
#include "net/address.h"
#include "net/resolve.h"
#include "srv.h"

enum { DNS_RECORDS = 16 }; /* of one answer; a domain that has more gets by with these */

enum dns_type { DNS_A = 1, DNS_AAAA = 28, DNS_SRV = 33 };

struct lookup {
	struct resolver *resolver; /* NULL: it has left the cache */
	unsigned refs;             /* the cache, c-ares while it asks, each resolve */
	bool asking;
	enum resolve_status status;
	uint64_t until_ms;
	struct list waiting;                    /* struct lookup_use */
	struct srv_record records[DNS_RECORDS]; /* SRV; hosts owned */
	struct address addresses[DNS_RECORDS];  /* A, AAAA; without port */
	size_t count;
	uint16_t type;
	size_t key_len;
	char key[]; /* type (two bytes), name, NUL */
};

struct lookup_use {
	struct list_link link; /* in lookup->waiting while it asks */
	struct resolve *resolve;
	struct lookup *lookup; /* counted; NULL: this one is not needed */
};

/* The lookup of that question: one that is under way, one from the cache, or a new one. */
struct lookup *lookup_get(struct resolver *resolver, enum dns_type type, const char *name);
void lookup_unref(struct lookup *lookup);

/* Called for each use that waits, once, when its lookup has been answered. */
void lookup_use_answered(struct lookup_use *use);

struct worker *resolver_worker(const struct resolver *resolver);
/* All questions of callers that are under way; they are ended before the rest of it is freed. */
struct list *resolver_resolves(struct resolver *resolver);
/* Frees what is not the callers'. */
void resolver_close(struct resolver **resolver);
/* The addresses of a host in the system's hosts file, at most DNS_RECORDS with those that are there already. */
void dns_read_hosts(struct resolver *resolver, const char *host, int family, struct address *out, size_t *count);

#endif
