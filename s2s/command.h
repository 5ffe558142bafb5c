/* SPDX-License-Identifier: MIT
 *
 * What hansactl can ask of links: peer list, peer show, peer retry.
 */
#ifndef S2S_COMMAND_H
#define S2S_COMMAND_H

#include "core/command.h"

extern const struct command s2s_commands[];

#endif
