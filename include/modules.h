/* SPDX-License-Identifier: MIT
 *
 * The modules of this server, in the order of their hooks (src/modules.c).
 */
#ifndef MODULES_H
#define MODULES_H

struct module;

extern const struct module *const modules[];            /* NULL ends it */

#endif
