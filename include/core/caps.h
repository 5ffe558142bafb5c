/* SPDX-License-Identifier: MIT
 *
 * Entity capabilities (XEP-0115): the verification string of a disco#info answer (§5.1), pure; and what the contacts and
 * the own resources of an account have said of themselves in their presence, learned with one disco#info request for each
 * verification string (§6.2). Only what PEP needs of it is remembered: the nodes that they want to hear of, "node+notify"
 * (XEP-0060 §9.2).
 */
#ifndef CORE_CAPS_H
#define CORE_CAPS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "xmpp/element.h"
#include "xmpp/jid.h"

struct account;
struct module;

/* The string S of a <query/> of disco#info: what is hashed. false: the query is ill-formed (§5.4), it proves nothing. */
bool caps_string(const struct element *query, struct buf *out);
/* The ver attribute: base 64 of the SHA-1 of S, 28 characters and a NUL. */
enum { CAPS_VER_LEN = 28 };
bool caps_ver(const struct element *query, char ver[CAPS_VER_LEN + 1]);

/* An available resource whose capabilities are known: of a contact with a subscription to the account, or of the account
 * itself. Borrowed; it goes with the resource's presence. */
struct caps_peer;
const struct jid *caps_peer_jid(const struct caps_peer *peer);
bool caps_peer_wants(const struct caps_peer *peer, const char *node);
/* The nodes that it wants to hear of, sorted; those of them that the resource did not want before its last presence come
 * by the hook caps_known (core/module.h). */
const char *const *caps_peer_nodes(const struct caps_peer *peer, size_t *count);

/* All of an account, in no order; NULL begins and ends. Nothing may be routed to the account synchronously meanwhile. */
const struct caps_peer *caps_peer_next(const struct account *account, const struct caps_peer *peer);

extern const struct module caps_module;

#endif
