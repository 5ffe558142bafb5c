/* SPDX-License-Identifier: MIT
 *
 * A login in one exchange: SASL 2 with Bind 2 (XEP-0388, XEP-0386), by SCRAM or a token (XEP-0484).
 */
#ifndef BENCH_SASL2_H
#define BENCH_SASL2_H

#include "load.h"

/* Behind the header, in the same flight. */
void sasl2_authenticate(struct client *client);
/* What the server says from its features on; client_arrive() follows. */
void sasl2_met(struct client *client, const struct element *element);

#endif
