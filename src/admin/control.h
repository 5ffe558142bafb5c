/* SPDX-License-Identifier: MIT
 *
 * The control socket: how hansactl reaches the server. One line of JSON asks,
 *	{"id": 7, "args": ["user", "add", "ann@north.example"], "input": {"password": "..."}}
 * and one line answers, {"id": 7, "status": 0, "result": ...} or {"id": 7, "status": 1, "error": "..."}. Several questions
 * may be under way on a connection; answers come as they are ready.
 */
#ifndef ADMIN_CONTROL_H
#define ADMIN_CONTROL_H

#include "core/module.h"

extern const struct module control_module;

#endif
