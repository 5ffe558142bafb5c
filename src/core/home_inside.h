/* SPDX-License-Identifier: MIT
 *
 * Private to core: how server.c opens, configures and closes the homes.
 */
#ifndef HOME_INSIDE_H
#define HOME_INSIDE_H

#include "core/server.h"

/* For module_number: each module gets its slot. Before anything else is opened. */
void modules_number(struct server *server);

/* On the main thread while no worker runs. */
void home_open(struct home *home, struct server *server, struct worker *worker);
void home_close(struct home *home);

/* overdue.c */
void overdue_open(struct home *home);
void overdue_close(struct home *home);

/* Sends a new snapshot to a home, from the main thread. */
void home_configure(struct home *home, const struct config *config);

#endif
