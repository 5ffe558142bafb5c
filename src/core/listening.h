/* SPDX-License-Identifier: MIT
 *
 * Private to core: the listening addresses of the configuration. All on the main thread.
 */
#ifndef LISTENING_H
#define LISTENING_H

#include <stdbool.h>

#include "core/server.h"

/* Opens what the snapshot names and is not open yet, then closes what it does not name. false: one could
 * not be had, nothing has changed; *error is malloc'ed. */
bool listening_update(struct server *server, const struct config *config, char **error);
void listening_stop(struct server *server);

#endif
