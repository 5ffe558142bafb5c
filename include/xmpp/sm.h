/* SPDX-License-Identifier: MIT
 *
 * The elements of stream management (XEP-0198), as clients and servers exchange them.
 */
#ifndef XMPP_SM_H
#define XMPP_SM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "xmpp/error.h"

void sm_write_ask(struct buf *out);                     /* <r/>, §4 */
void sm_write_ack(struct buf *out, uint32_t h);         /* <a/> */
/* §6; h: how many were handled, where that is known (§5); NULL */
void sm_write_failed(struct buf *out, enum stanza_condition condition, const uint32_t *h);

/* h, max: decimal digits up to 2^32-1 and nothing else. text may be NULL. */
bool sm_read_number(const char *text, uint32_t *number);
bool sm_read_flag(const char *text);                    /* xs:boolean; NULL is false */

/* §6, for stream_fail_with: the peer has acknowledged more than it was sent. malloc'ed. */
#define SM_TOO_HIGH "more stanzas are acknowledged than were sent"
char *sm_too_high(uint32_t h, uint32_t sent);

#endif
