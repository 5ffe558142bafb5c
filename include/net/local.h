/* SPDX-License-Identifier: MIT
 *
 * A listening Unix socket, for the administrator's tools on the same machine. Who may connect is decided by the file's
 * mode (0600: only the server's own user and root).
 */
#ifndef NET_LOCAL_H
#define NET_LOCAL_H

#include "net/transport.h"
#include "net/worker.h"

struct local_listener;

/* Listens at path on this worker; a socket file that nobody serves any more is replaced. accepted() runs on the worker and
 * takes the transport. NULL and *error (a literal or an errno text). Before workers_start, or on the worker itself. */
struct local_listener *local_listen(struct worker *worker, const char *path,
                                    void (*accepted)(struct worker *worker, struct transport *transport, void *owner),
                                    void *owner, const char **error);
/* Stops and removes the file. On the worker itself, or when it does not run. */
void local_close(struct local_listener **listener);

#endif
