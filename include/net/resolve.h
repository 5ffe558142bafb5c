/* SPDX-License-Identifier: MIT
 *
 * DNS through c-ares, its only door: SRV records in the order of RFC 2782 (priority, then weighted draw), and the
 * addresses of their targets. "There is no such record" differs from "could not find out": a time-out or SERVFAIL is
 * never the first. One resolver for each worker. A small cache holds answers, negative ones too, for their TTL (at most
 * an hour, negative 60 s).
 */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/address.h"
#include "net/worker.h"

struct resolver;
struct resolve;         /* one question under way */

struct resolver_options {
	const struct address *servers;  /* none: those of the system */
	size_t count;
	uint32_t timeout_ms;            /* of one try (2000) */
	uint32_t tries;                 /* (2) */
};

struct resolver *resolver_new(struct worker *worker, const struct resolver_options *options);
void resolver_free(struct resolver **resolver);         /* questions under way end without a call */

enum resolve_status {
	RESOLVE_OK,
	RESOLVE_NONE,           /* no such name or no such record */
	RESOLVE_REFUSED,        /* SRV "." : the service is decidedly not offered */
	RESOLVE_FAILED,         /* could not find out: time-out, SERVFAIL, refused */
};

struct resolve_target {
	const char *host;       /* as in the record, no final dot */
	uint16_t port;
	bool tls;               /* TLS begins at once (XEP-0368) */
};

typedef void resolve_srv_done(void *owner, enum resolve_status status, const struct resolve_target *targets,
                              size_t count);
typedef void resolve_addresses_done(void *owner, enum resolve_status status, const struct address *addresses,
                                    size_t count);

/* name: "_xmpp-server._tcp.south.example" (A-labels); tls_name: the same service where TLS begins at once, whose targets
 * stand with the others in one order of priority (XEP-0368 §3); NULL: not wanted. done() comes later, once, on the worker;
 * what it is given is borrowed for the call. */
struct resolve *resolve_srv(struct resolver *resolver, const char *name, const char *tls_name, resolve_srv_done *done,
                            void *owner);
/* AAAA and A together, in the order of RFC 8305 §4 (families alternate, IPv6 first). A literal address is answered too. */
struct resolve *resolve_addresses(struct resolver *resolver, const char *host, uint16_t port,
                                  resolve_addresses_done *done, void *owner);
void resolve_cancel(struct resolve **resolve);          /* done() will not come */
/* Forgets what is cached (hansactl peer retry). */
void resolver_flush(struct resolver *resolver);

#endif
