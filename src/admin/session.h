/* SPDX-License-Identifier: MIT
 *
 * Commands about sessions: list, kick.
 */
#ifndef ADMIN_SESSION_H
#define ADMIN_SESSION_H

#include "core/module.h"

extern const struct module session_module;

#endif
