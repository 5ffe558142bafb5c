/* SPDX-License-Identifier: MIT
 *
 * Commands of the administrator: what hansactl can ask of a module. A command gets words and lines, may take its time and
 * other homes, and answers with one JSON document; how it is shown is hansactl's. Commands are named by words: "user add".
 */
#ifndef CORE_COMMAND_H
#define CORE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "core/server.h"

struct command_call;

struct command {
	const char *words;              /* "user add"; NULL ends the table */
	const char *usage;              /* "JID" */
	const char *sentence;
	size_t least, most;             /* arguments */
	void (*run)(struct command_call *call);
};

struct command_call {
	struct home *home;              /* where it runs: the control connection's */
	const char *const *args;
	size_t arg_count;
	const json_t *input;            /* an object with named input ("password"), or NULL */
	void *state;                    /* free for the command */
};

/* Exactly one of these, once, on call->home. The document is taken. status: exit code of hansactl (0 done, 1 refused or
 * failed, 3 not found). */
void command_answer(struct command_call *call, json_t *document);
void command_fail(struct command_call *call, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Asks every home in turn (on its own thread) and then finishes on call->home: for lists and sums. each() appends to
 * result, an array owned by the walk.
 */
void command_each_home(struct command_call *call, void (*each)(struct home *home, json_t *result),
                       void (*finished)(struct command_call *call, json_t *result));

/* Runs job on the home of an address, then finished on call->home. context is the command's. */
void command_at_home(struct command_call *call, struct home *home, void (*job)(struct home *home, void *context),
                     void (*finished)(struct command_call *call, void *context), void *context);

#endif
