/* SPDX-License-Identifier: MIT
 *
 * Ad-hoc commands (XEP-0050): what people do at a host with any client that can show a form. A module lists its commands
 * as rows (member adhoc of struct module); each is a node of every host. The frame tells who asks which commands there
 * are for him (service discovery), begins a run of one, shows its forms, checks what was filled in against the rows of
 * the fields, steps back, cancels, and forgets runs that nobody goes on with. What a command adds is one function for
 * each of its stages:
 *
 *	static void greet(struct adhoc_run *run)
 *	{
 *		adhoc_note(run, ADHOC_INFO, adhoc_value(run, "who"));
 *		adhoc_complete(run);
 *	}
 *
 *	static const struct adhoc_field whom[] = { { "who", "jid-single", "Whom to greet", .required = true }, { 0 } };
 *	static const struct adhoc_stage greeting = { "Greeting somebody", NULL, NULL, whom, greet };
 *	static const struct adhoc_command commands[] = {
 *		{ "example#greet", "Greet somebody", ADHOC_ACCOUNTS, NULL, &greeting, 1 }, { 0 },
 *	};
 *
 * A run lives on the home on which its requests arrive, which for a local user is always the same; all is called there. Of
 * a user so many runs are kept, each for so long without a request (options command-runs and command-time); the oldest
 * makes room for a new one. What was submitted is wiped with its run, for it may hold a password.
 */
#ifndef CORE_ADHOC_H
#define CORE_ADHOC_H

#include <stdbool.h>
#include <stddef.h>

#include "core/iq.h"
#include "xmpp/dataform.h"

struct adhoc_run;

/* Who may run a command on a host. */
enum adhoc_audience {
	ADHOC_ADMINS,           /* the host's administrators */
	ADHOC_ACCOUNTS,         /* accounts of the host */
	ADHOC_ANYBODY,
};

/* A field of a form (XEP-0004 §3.3). What is required must be there and not empty, a jid-single or jid-multi must hold
 * addresses, a list-single one of its choices, a boolean a truth value; anything else is bad-payload. */
struct adhoc_field {
	const char *var;        /* NULL ends the array */
	const char *type;
	const char *label;
	const char *fallback;   /* what the form proposes; NULL: nothing */
	bool required;
	const char *const *choices;     /* of a list-single; NULL ends the array */
};

struct adhoc_stage {
	const char *title, *instructions;       /* NULL: none */
	const char *form_type;
	const struct adhoc_field *fields;       /* NULL: nothing is asked, and submitted() runs at once; then it is the only stage */
	/* Ends with one of the functions below, now or later. */
	void (*submitted)(struct adhoc_run *run);
};

enum { ADHOC_STAGES = 4 };

struct adhoc_command {
	const char *node;       /* NULL ends the table */
	const char *name;       /* for people */
	enum adhoc_audience audience;
	/* Whether it exists for somebody of the audience on that host; NULL: always. */
	bool (*is_offered)(const struct config *config, const struct host *host, const struct jid *who);
	const struct adhoc_stage *stages;
	size_t stage_count;     /* 1 to ADHOC_STAGES */
};

/* ---- for submitted() ---- */

/* The request that is being answered: its home, who asks (the parcel's from), the host, the snapshot. Until the stage ends. */
const struct iq_request *adhoc_request(const struct adhoc_run *run);
const struct adhoc_command *adhoc_command(const struct adhoc_run *run);

/* What was submitted in this stage or one before: the value with that number from 0 on; NULL: no more. */
const char *adhoc_value_at(struct adhoc_run *run, const char *var, size_t number);
static inline const char *adhoc_value(struct adhoc_run *run, const char *var)
{
	return adhoc_value_at(run, var, 0);
}
/* The next value of a field at each call, in this stage; NULL: no more. For one field, also across asynchronous steps. */
const char *adhoc_value_next(struct adhoc_run *run, const char *var);
bool adhoc_is_true(struct adhoc_run *run, const char *var);     /* a boolean; absent: false */

/* What the answer says: remarks, and a form of type result, which is made at the first call; fields are added to it with
 * xmpp/dataform.h in the arena. */
enum adhoc_note { ADHOC_INFO, ADHOC_WARN, ADHOC_ERROR };
void adhoc_note(struct adhoc_run *run, enum adhoc_note kind, const char *text);
struct element *adhoc_result(struct adhoc_run *run, const char *form_type);
struct arena *adhoc_arena(struct adhoc_run *run);

/* Exactly one of these ends a stage. Next: the form of the stage behind it is shown. Complete: the run is over. Refuse:
 * nothing was done, text (copied) says why; what was asked for may be submitted again. */
void adhoc_next(struct adhoc_run *run);
void adhoc_complete(struct adhoc_run *run);
void adhoc_refuse(struct adhoc_run *run, enum stanza_condition condition, const char *text);
/* Refuse, where a value is at fault: bad-payload (§4.4). */
void adhoc_refuse_payload(struct adhoc_run *run, const char *text);

extern const struct module adhoc_module;

#endif
