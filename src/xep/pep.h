/* SPDX-License-Identifier: MIT
 *
 * The accounts as publish-subscribe services, for the extensions that publish on behalf of a user.
 */
#ifndef XEP_PEP_H
#define XEP_PEP_H

#include "core/pubsub.h"

extern const struct pubsub_class pep_class;
extern const struct module pep_module;

#endif
