/* SPDX-License-Identifier: MIT
 *
 * Dates as XEP-0082 writes them (UTC, "2026-11-22T21:06:42.123Z"), and the delay element of XEP-0203.
 */
#ifndef XMPP_STAMP_H
#define XMPP_STAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum { STAMP_LEN = 24 };

void stamp_write(int64_t wall_us, char out[STAMP_LEN + 1]);             /* with milliseconds */
bool stamp_read(const char *text, int64_t *wall_us);                    /* false: no date of XEP-0082 */

/* Adds <delay xmlns='urn:xmpp:delay' from='...' stamp='...'/>. */
void stamp_delay(struct buf *out, const char *from, int64_t wall_us);

#endif
