/* SPDX-License-Identifier: MIT
 *
 * Commands about accounts: add, password, remove, list.
 */
#ifndef ADMIN_USER_H
#define ADMIN_USER_H

#include "core/module.h"

extern const struct module user_module;

#endif
