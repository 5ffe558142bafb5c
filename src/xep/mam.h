/* SPDX-License-Identifier: MIT
 *
 * What the files of mam share: mam.c requests and answers, mam_query.c what is asked for.
 */
#ifndef XEP_MAM_H
#define XEP_MAM_H

#include "core/iq.h"
#include "store/journal.h"

/* A longer result goes uncounted but where nothing else is asked for: counting costs more than reading. */
enum { MAM_COUNT_MOST = 250 };

/* Answers with the form that can be filled in. */
void mam_form_asked(struct iq_request *request);
/* From a <query/>, into a request for all of the archive; texts are in the arena. What it answers is refused. */
enum stanza_condition mam_query_read(struct arena *arena, const struct element *query,
                                     struct store_journal_archive *archive);

#endif
