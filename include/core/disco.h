/* SPDX-License-Identifier: MIT
 *
 * Service discovery (XEP-0030) of hosts and accounts: what is announced comes from the module tables and from the domain
 * table. What the server as a whole supports does not change while it runs.
 */
#ifndef CORE_DISCO_H
#define CORE_DISCO_H

struct account;
struct arena;
struct element;
struct home;
struct iq_request;
struct module;
struct server;

/* The <c/> of our disco#info for the features of a stream (XEP-0115 §6.3), as XML; lives as long as the home. */
const char *disco_caps_element(const struct home *home);

/* The disco#info <query/> of every host, as the last child of parent (NULL: as a root); node: to be mirrored, NULL: none. */
struct element *disco_host_info(struct arena *arena, struct element *parent, const struct server *server,
                                const char *node);

/* The disco#items <query/> of an account with its available sessions, as the last child of parent. */
struct element *disco_account_items(struct arena *arena, struct element *parent, const struct account *account);
/* The handler of both kinds of requests, for a module that answers for some nodes and leaves the rest. */
void disco_asked(struct iq_request *request);

extern const struct module disco_module;

#endif
