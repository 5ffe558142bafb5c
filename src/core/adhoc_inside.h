/* SPDX-License-Identifier: MIT
 *
 * What the files of core/adhoc share: adhoc.c the runs and the module, adhoc_form.c forms as they are shown and as they
 * come back, adhoc_disco.c the list of commands.
 */
#ifndef CORE_ADHOC_INSIDE_H
#define CORE_ADHOC_INSIDE_H

#include "core/adhoc.h"

/* Of the requester's own choice, so unknown ones are NULL. */
const struct adhoc_command *adhoc_find(const struct config *config, const char *node);
bool adhoc_may(const struct iq_request *request, const struct adhoc_command *command);
/* All commands of all modules in order: module and row begin at 0; NULL: no more. */
const struct adhoc_command *adhoc_each(const struct config *config, size_t *module, size_t *row);

/* The stage's form to be filled in, as the last child of parent. */
void adhoc_form_add(struct arena *arena, struct element *parent, const struct adhoc_stage *stage);
/* What is wrong with a form that was submitted, in the arena; NULL: nothing. */
const char *adhoc_form_fault(struct arena *arena, const struct element *form, const struct adhoc_stage *stage);

/* Requests of disco#info and disco#items to a host; what is not about commands goes to core/disco.h. */
void adhoc_disco_asked(struct iq_request *request);

#endif
