/* SPDX-License-Identifier: MIT
 *
 * A listening address: a socket with SO_REUSEPORT on each worker, at most 16 accepts a turn. When descriptors run out
 * accepting pauses for a second and what is connected lives on.
 */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include "net/address.h"
#include "net/transport.h"
#include "net/worker.h"

struct listener;

/* accepted() runs on the worker that accepted and takes the transport. NULL and *error (an errno text) when the address
 * cannot be had. Before workers_start, or later from any thread (then it takes effect by mail). */
struct listener *listener_open(struct workers *workers, const struct address *address,
                               void (*accepted)(struct worker *worker, struct transport *transport, void *owner),
                               void *owner, const char **error);
/* false: the machine does not speak the address's family (a kernel without IPv6). */
bool listener_is_possible(const struct address *address);
/* The address in use: with the port that was chosen where 0 was asked for. */
void listener_address(const struct listener *listener, struct address *out);
/* Stops accepting on all workers; the object is freed when the last has done so. */
void listener_close(struct listener **listener);

#endif
