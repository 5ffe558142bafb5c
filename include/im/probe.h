/* SPDX-License-Identifier: MIT
 *
 * Probes for the presence of an account's sessions (RFC 6121 §4.3.2).
 */
#ifndef IM_PROBE_H
#define IM_PROBE_H

#include "core/account.h"

/* Answers a probe, and the parcel. */
void probe_received(struct account *account, struct parcel *probe);

#endif
