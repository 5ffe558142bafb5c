/* SPDX-License-Identifier: MIT
 *
 * Reaching a service of a domain: SRV look-up with fallback to the domain's own addresses and the given port (RFC 6120
 * §3.2), the service with TLS from the first byte among the others (XEP-0368), then the addresses in order, a new attempt
 * each 250 ms beside those that hang (RFC 8305 §5); the first that connects wins.
 */
#ifndef NET_CONNECT_H
#define NET_CONNECT_H

#include "net/resolve.h"
#include "net/transport.h"

struct connect;

enum connect_status {
	CONNECT_OK,
	CONNECT_NO_SUCH_DOMAIN,         /* neither SRV nor address exists */
	CONNECT_NO_SERVICE,             /* SRV "." */
	CONNECT_DNS_FAILED,             /* could not find out */
	/* Addresses exist, none took the connection; why not, of the last one that failed: */
	CONNECT_REFUSED,                /* a machine is there, but nobody listens */
	CONNECT_SILENT,                 /* nothing comes back */
	CONNECT_FAILED,                 /* no way leads there, or the records name a host without an address */
};

/* reason: a sentence for the log and the administrator, borrowed. transport: taken by the callee, NULL unless OK. tls: it
 * begins at once there. */
typedef void connect_done(void *owner, enum connect_status status, struct transport *transport, bool tls,
                          const char *reason);

/* For somebody who watches: where a target has been found, "xmpp.south.example: 192.0.2.7:5269, [2001:db8::7]:5269". */
typedef void connect_found(void *owner, const char *place);

struct connect_options {
	const char *domain;             /* A-labels */
	const char *service;            /* "_xmpp-server._tcp"; NULL: no SRV look-up */
	const char *tls_service;        /* "_xmpps-server._tcp"; NULL: not wanted */
	uint16_t fallback_port;
	const struct resolve_target *targets;   /* an administrator's override, used instead of DNS SRV; may be names */
	size_t target_count;
	uint32_t timeout_ms;            /* of the whole (30000) */
	connect_found *found;           /* NULL: nobody watches */
};

struct connect *connect_start(struct worker *worker, struct resolver *resolver, const struct connect_options *options,
                              connect_done *done, void *owner);
void connect_cancel(struct connect **connect);          /* done() will not come */

#endif
