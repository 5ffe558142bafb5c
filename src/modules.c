/* SPDX-License-Identifier: MIT
 *
 * The modules of this server. The order of the list is the order of every hook (core/module.h): who stands first sees a
 * stanza first.
 */
#include "modules.h"

#include "core/module.h"

extern const struct module disco_module;

const struct module *const modules[] = {
	&disco_module,
	NULL,
};
