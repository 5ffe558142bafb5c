/* SPDX-License-Identifier: MIT
 *
 * The stage of a conversation: a town (tests/support/town.h) with the real edge for clients, and speakers,
 * each a client's connection to it, over a pipe in memory or a socket. Time stands still unless the
 * conversation lets it pass.
 */
#ifndef TALK_STAGE_H
#define TALK_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "core/module.h"
#include "xmpp/element.h"
#include "xmpp/stanza.h"

struct stage;
struct speaker;

/* sections: what the configuration has beside server, hosts and tls. tls_required: before SASL. */
struct stage *stage_open(const struct module *const *modules, const char *sections, bool tls_required,
                         bool sockets);
void stage_close(struct stage **stage);

void stage_pass(struct stage *stage, uint64_t ms);
void stage_fail_store(struct stage *stage, bool fails);
/* All edges are told that the server leaves. */
void stage_drain(struct stage *stage);
/* The password of every account is "secret". */
void stage_add_account(struct stage *stage, const char *bare);

/* Found by name, or made. */
struct speaker *stage_speaker(struct stage *stage, const char *name);

/* The account that the speaker logs in with. */
void speaker_set_account(struct speaker *speaker, const char *bare);
const char *speaker_account(const struct speaker *speaker);             /* NULL: none yet */

void speaker_connect(struct speaker *speaker, bool direct_tls);
bool speaker_start_tls(struct speaker *speaker);                        /* false: no TLS came up */
bool speaker_is_secure(const struct speaker *speaker);
void speaker_disconnect(struct speaker *speaker);                       /* at once, as a cable that is cut */
void speaker_say(struct speaker *speaker, const char *bytes, size_t len);

enum heard_kind { HEARD_NOTHING, HEARD_HEADER, HEARD_ELEMENT, HEARD_FOOTER, HEARD_END, HEARD_RUBBISH };

/* What comes next; element lives until the stage is closed. NOTHING is answered when nobody has anything left
 * to do. */
enum heard_kind speaker_hear(struct speaker *speaker, struct element **element);
/* What was heard last is heard again. */
void speaker_put_back(struct speaker *speaker);

/* A channel binding that both sides of the connection can name; bytes written. */
size_t speaker_binding(struct speaker *speaker, const char *name, uint8_t out[64]);

/* XML of a conversation as a tree around its elements; NULL: not well-formed. A header alone is parsed as
 * such. */
struct element *stage_parse(struct stage *stage, const char *xml, size_t len);
struct element *stage_parse_header(struct stage *stage, const char *xml, size_t len);

#endif
