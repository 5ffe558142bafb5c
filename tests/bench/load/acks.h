/* SPDX-License-Identifier: MIT
 *
 * XEP-0198 as a client speaks it (§4): it counts what it sends and gets, asks once for each burst of what it sends, and
 * answers the server's requests.
 */
#ifndef BENCH_ACKS_H
#define BENCH_ACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct acks {
	bool enabled;
	uint32_t sent, received;        /* stanzas */
	uint32_t acknowledged;          /* by the server */
	uint32_t asked;                 /* sent, when the server was asked last */
	bool asking;                    /* and it has not answered */
};

void acks_enable(struct acks *acks);
/* Appends a request where stanzas have been sent since the last one. */
void acks_ask(struct acks *acks, struct buf *out);
/* The server's <r/>. */
void acks_answer(const struct acks *acks, struct buf *out);
/* The server's <a/>; false: it makes no sense. */
bool acks_read(struct acks *acks, const char *text, size_t len);

#endif
