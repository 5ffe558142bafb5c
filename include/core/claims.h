/* SPDX-License-Identifier: MIT
 *
 * What only this server may say of a stanza: the stanza-ids that it gives for its hosts and accounts (XEP-0359 §6) and
 * delays that its hosts caused (XEP-0203). Every entrance (client, server, component) removes them, every copy, before it
 * seals a stanza of somebody else.
 */
#ifndef CORE_CLAIMS_H
#define CORE_CLAIMS_H

struct config;
struct stanza;

void claims_strip(const struct config *config, struct stanza *stanza);

#endif
