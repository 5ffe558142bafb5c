/* SPDX-License-Identifier: MIT
 *
 * Private storage, for the extensions that answer for one of its elements and leave the rest.
 */
#ifndef XEP_PRIVATE_H
#define XEP_PRIVATE_H

#include "core/iq.h"

/* The handler of jabber:iq:private. */
void private_asked(struct iq_request *request);

#endif
