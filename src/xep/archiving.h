/* SPDX-License-Identifier: MIT
 *
 * What the files of archiving share: archiving.c what is archived of an account's messages, archiving_rule.c the
 * administrator's word on it.
 */
#ifndef XEP_ARCHIVING_H
#define XEP_ARCHIVING_H

#include "core/account.h"
#include "core/command.h"

#define ARCHIVING_KIND "archive" /* of the documents, */
#define ARCHIVING_USER ""        /* with these keys */
#define ARCHIVING_ADMINISTRATOR "administrator"

/* The administrator's word is in force from now on. NULL: he says nothing about this account. */
void archiving_rule(struct account *account, const char *word, size_t len);

extern const struct command archiving_commands[];

#endif
