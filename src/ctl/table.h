/* SPDX-License-Identifier: MIT
 *
 * A command's result as a person reads it: an array of objects as a table, an object as lines of name and value.
 */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <jansson.h>
#include <stdio.h>

void table_print(FILE *out, json_t *result);

#endif
