/* SPDX-License-Identifier: MIT
 *
 * What the files of core/adhoc share: adhoc.c requests and the module, adhoc_runs.c the runs of a home, adhoc_run.c one run
 * step by step, adhoc_form.c forms as they are shown and as they come back, adhoc_disco.c the list of commands.
 */
#ifndef CORE_ADHOC_INSIDE_H
#define CORE_ADHOC_INSIDE_H

#include "core/adhoc.h"
#include "net/timer.h"

enum {
	ADHOC_PROOF = 16,
	ADHOC_SESSION_ID = ID_LEN + 2 * ADHOC_PROOF, /* random part and proof, in characters */
};

struct adhoc_limits {
	uint32_t runs;                          /* of a user */
	uint32_t forget_ms;
	uint32_t bytes;                         /* of a request */
};

/* ---- adhoc.c ---- */

const struct adhoc_limits *adhoc_limits(const struct config *config);
/* Of the requester's own choice, so unknown ones are NULL. */
const struct adhoc_command *adhoc_find(const struct config *config, const char *node);
bool adhoc_may(const struct iq_request *request, const struct adhoc_command *command);
/* All commands of all modules in order: module and row begin at 0; NULL: no more. */
const struct adhoc_command *adhoc_each(const struct config *config, size_t *module, size_t *row);

/* Specific: the condition of §4.4 beside it; NULL: none. Text: likewise. */
void adhoc_fail(struct iq_request *request, enum stanza_condition condition, const char *specific, const char *text);

/* ---- adhoc_runs.c ---- */

struct adhoc_run {
	struct list_link link;                  /* of the home's runs, the oldest first */
	struct home *home;
	const struct adhoc_command *command;
	char id[ADHOC_SESSION_ID + 1];
	char *who;                              /* full JID */
	size_t who_bare;                        /* how much of it is the bare one */
	size_t stage;
	size_t next;                            /* number of the value that adhoc_value_next answers */
	struct iq_request *request;             /* being answered; NULL: the requester is to go on */
	struct stanza *answer;                  /* to it */
	struct element *element;                /* the answer's <command/> */
	struct element *result;                 /* its form; NULL: none yet */
	struct timer forget;
	struct adhoc_submission {
		struct arena arena;
		const struct element *form;     /* NULL: nothing was submitted */
	} submitted[ADHOC_STAGES];
};

/* The module's part of a home. */
void *adhoc_runs_open(struct home *home);
void adhoc_runs_close(struct home *home, void *runs);

/* For the requester; NULL: too many are being run. */
struct adhoc_run *adhoc_run_new(const struct iq_request *request, const struct adhoc_command *command);
struct adhoc_run *adhoc_run_find(const struct home *home, const char *id);
void adhoc_run_free(struct adhoc_run *run);
/* The id is, or was, that of a run of the requester's of that command. */
bool adhoc_session_was_ours(const struct iq_request *request, const char *node, const char *id);

/* ---- adhoc_run.c ---- */

enum adhoc_action { ADHOC_EXECUTE, ADHOC_CANCEL, ADHOC_PREV, ADHOC_NEXT, ADHOC_COMPLETE, ADHOC_ACTIONS };

/* They answer the request, now or later. */
void adhoc_run_begin(struct iq_request *request, const struct adhoc_command *command);
void adhoc_run_continue(struct adhoc_run *run, struct iq_request *request, enum adhoc_action action);

/* ---- adhoc_form.c ---- */

/* The stage's form to be filled in, as the last child of parent. */
void adhoc_form_add(struct arena *arena, struct element *parent, const struct adhoc_stage *stage);
/* What is wrong with a form that was submitted, in the arena; NULL: nothing. */
const char *adhoc_form_fault(struct arena *arena, const struct element *form, const struct adhoc_stage *stage);

/* ---- adhoc_disco.c ---- */

/* Requests of disco#info and disco#items to a host; what is not about commands goes to core/disco.h. */
void adhoc_disco_asked(struct iq_request *request);

#endif
