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
	const char *asks;               /* named input that must come with it ("password"), never on a command line; NULL */
};

/* How a command ended; hansactl's exit code. */
enum command_status {
	COMMAND_DONE = 0,
	COMMAND_REFUSED = 1,            /* refused or failed, the text says why */
	COMMAND_USAGE = 2,              /* no such command, or wrong arguments */
	COMMAND_NOT_FOUND = 3,          /* what it is about does not exist */
	COMMAND_ASKS = 4,               /* input is missing: its name is the text */
};

struct command_call {
	struct home *home;              /* where it runs: the control connection's */
	const struct command *command;
	const char **args;
	size_t arg_count;
	const json_t *input;            /* an object with named input, or NULL */
	void *state;                    /* free for the command */
	/* The caller's: gets the end of it, owns the call again. document is taken, text is borrowed. */
	void (*ended)(struct command_call *call, enum command_status status, json_t *document, const char *text);
};

/* Finds the command that the first words of args name, checks the rest and runs it; a fault ends the call at once. The
 * caller has set home, args (all words), arg_count, input, ended. */
void command_run(struct command_call *call);

/* A string of the input; NULL: absent. */
const char *command_input(const struct command_call *call, const char *name);

/* Exactly one of these, once, on call->home. The document is taken. */
void command_answer(struct command_call *call, json_t *document);
void command_fail(struct command_call *call, enum command_status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Asks every home in turn (on its own thread) and then finishes on call->home: for lists and sums. each() appends to
 * result, an array owned by the walk.
 */
void command_each_home(struct command_call *call,
                       void (*each)(struct home *home, const struct command_call *call, json_t *result),
                       void (*finished)(struct command_call *call, json_t *result));

/* Runs job on the home of an address, then finished on call->home. context is the command's. */
void command_at_home(struct command_call *call, struct home *home, void (*job)(struct home *home, void *context),
                     void (*finished)(struct command_call *call, void *context), void *context);

#endif
