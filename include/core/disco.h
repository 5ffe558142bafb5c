/* SPDX-License-Identifier: MIT
 *
 * Service discovery (XEP-0030) of hosts and accounts: what is announced comes from the module tables and from the domain
 * table. What a host supports changes only with the configuration.
 */
#ifndef CORE_DISCO_H
#define CORE_DISCO_H

struct account;
struct arena;
struct config;
struct element;
struct home;
struct host;
struct iq_request;
struct module;

/* The <c/> of a host's disco#info for the features of a stream (XEP-0115 §6.3), as XML; lives as long as the home's
 * snapshot, of which host must be. */
const char *disco_caps_element(const struct home *home, const struct host *host);

/* The disco#info <query/> of a host, as the last child of parent (NULL: as a root); node: to be mirrored, NULL: none. */
struct element *disco_host_info(struct arena *arena, struct element *parent, const struct config *config,
                                const struct host *host, const char *node);
/* For the hook host_described (core/module.h). */
void disco_add_feature(struct arena *arena, struct element *query, const char *feature);

/* The disco#items <query/> of an account with its available sessions, as the last child of parent. */
struct element *disco_account_items(struct arena *arena, struct element *parent, const struct account *account);
/* The handler of both kinds of requests, for a module that answers for some nodes and leaves the rest. */
void disco_asked(struct iq_request *request);

extern const struct module disco_module;

#endif
