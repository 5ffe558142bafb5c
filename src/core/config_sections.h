/* SPDX-License-Identifier: MIT
 *
 * Private to core: the sections of the configuration that are core's own, turned into a snapshot.
 */
#ifndef CONFIG_SECTIONS_H
#define CONFIG_SECTIONS_H

#include "core/config.h"

enum { WORKERS_MAX = 256 };

/* config_options.c. The rows of core's sections, NULL behind the last. */
extern const struct conf_section_kind *const config_core_kinds[];

/* Reads them into the snapshot, whose conf is set; NULL, or the malloc'ed line. path: of the file, which
 * relative paths start from. */
char *config_read_sections(struct config *config, const char *path);

#endif
