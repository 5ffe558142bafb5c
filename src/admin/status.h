/* SPDX-License-Identifier: MIT
 *
 * Commands about the server: status, reload, stop.
 */
#ifndef ADMIN_STATUS_H
#define ADMIN_STATUS_H

#include "core/module.h"

extern const struct module status_module;

#endif
