/* SPDX-License-Identifier: MIT
 *
 * hansactl's side of the control socket: questions out, answers in, in lines of JSON (src/admin/control.h). Blocking: a
 * person or a script waits.
 */
#ifndef CTL_CLIENT_H
#define CTL_CLIENT_H

#include <jansson.h>
#include <stdbool.h>

struct client;

/* NULL: nobody listens there; errno says why. */
struct client *client_open(const char *path);
void client_close(struct client **client);

/* Sends a question; the document is taken. false: the server has gone. */
bool client_ask(struct client *client, json_t *question);
/* The next answer, the caller's. NULL: the server has gone. */
json_t *client_answer(struct client *client);

#endif
