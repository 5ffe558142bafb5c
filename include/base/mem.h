/* SPDX-License-Identifier: MIT
 *
 * Memory that never runs out quietly: an allocation that fails ends the process (STYLE.md, ownership). Sizes that
 * come from outside are checked against a limit before they get here. Memory is released with free().
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size);
void *mem_zalloc(size_t size);
void *mem_realloc(void *old, size_t size);
void *mem_dup(const void *bytes, size_t len);

/* Copies with a NUL behind them; str_dup(NULL) is NULL. */
char *str_dup(const char *s);
char *str_dup_len(const char *s, size_t len);
char *str_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Overwrites a secret so that the compiler cannot leave it out. */
void mem_wipe(void *secret, size_t len);

/* Wipes and frees a NUL-terminated secret; leaves NULL. */
void str_wipe(char **secret);

#endif
