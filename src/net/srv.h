/* SPDX-License-Identifier: MIT
 *
 * SRV records as values and the order in which they are tried (RFC 2782): by priority, and among those of
 * one priority by a draw in which a record of twice the weight comes first twice as often. Pure.
 */
#ifndef NET_SRV_H
#define NET_SRV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"

struct srv_record {
	const char *host; /* no final dot; "" is the target "." */
	uint16_t priority, weight, port;
	bool tls; /* of the service where TLS begins at once; the caller's */
};

/* Puts the records into the order for one attempt to reach the service. */
void srv_order(struct srv_record *records, size_t count, struct entropy *entropy);

#endif
