/* SPDX-License-Identifier: MIT
 *
 * A run of a command, step by step: begun, continued, stepped back, cancelled (XEP-0050 §3.4, §4.2), and what the command's
 * own functions do with it.
 */
#include "adhoc_inside.h"

#include <assert.h>
#include <string.h>

#include "xmpp/ns.h"

/* ---- answers ---- */

static void run_take_request(struct adhoc_run *run, struct iq_request *request)
{
	struct arena *arena;

	timer_stop(run->home->worker, &run->forget);
	run->request = request;
	run->answer = iq_result(request);
	arena = &run->answer->arena;
	run->element = element_add(arena, run->answer->root, "command", NS_COMMANDS);
	element_set(arena, run->element, "node", run->command->node);
	element_set(arena, run->element, "sessionid", run->id);
}

static void run_forgotten(struct worker *worker, struct timer *timer)
{
	(void)worker;
	adhoc_run_free(LIST_MEMBER(timer, struct adhoc_run, forget));
}

/* The run waits for its requester again. */
static struct iq_request *run_give_request(struct adhoc_run *run)
{
	struct iq_request *request = run->request;

	timer_start(run->home->worker, &run->forget, adhoc_limits(request->config)->forget_ms, run_forgotten);
	run->request = NULL;
	run->answer = NULL;
	run->element = run->result = NULL;
	return request;
}

static void run_answer(struct adhoc_run *run, const char *status)
{
	struct stanza *answer = run->answer;

	element_set(&answer->arena, run->element, "status", status);
	iq_answer(run_give_request(run), answer);
}

static bool run_is_at_last(const struct adhoc_run *run)
{
	return run->stage + 1 == run->command->stage_count;
}

static const struct adhoc_stage *run_stage(const struct adhoc_run *run)
{
	return &run->command->stages[run->stage];
}

/* §3.4, §4.2 */
static void actions_add(struct adhoc_run *run)
{
	struct arena *arena = &run->answer->arena;
	struct element *actions = element_add(arena, run->element, "actions", NS_COMMANDS);
	const char *forward = run_is_at_last(run) ? "complete" : "next";

	element_set(arena, actions, "execute", forward);
	if (run->stage > 0)
		element_add(arena, actions, "prev", NS_COMMANDS);
	element_add(arena, actions, forward, NS_COMMANDS);
}

static void run_show(struct adhoc_run *run)
{
	actions_add(run);
	adhoc_form_add(&run->answer->arena, run->element, run_stage(run));
	run_answer(run, "executing");
}

/* ---- for the commands ---- */

const struct iq_request *adhoc_request(const struct adhoc_run *run)
{
	assert(run->request);
	return run->request;
}

const struct adhoc_command *adhoc_command(const struct adhoc_run *run)
{
	return run->command;
}

struct arena *adhoc_arena(struct adhoc_run *run)
{
	return &run->answer->arena;
}

static const char *field_value(struct arena *arena, const struct element *field, size_t number)
{
	for (const struct node *node = field->first; node; node = node->next)
		if (node->element && element_is(node->element, "value", NS_DATA_FORM) && number-- == 0)
			return element_text(arena, node->element);
	return NULL;
}

const char *adhoc_value_at(struct adhoc_run *run, const char *var, size_t number)
{
	for (size_t i = run->stage + 1; i-- > 0;) {
		struct adhoc_submission *submitted = &run->submitted[i];
		const struct element *field = submitted->form ? dataform_field(submitted->form, var) : NULL;

		if (field)
			return field_value(&submitted->arena, field, number);
	}
	return NULL;
}

const char *adhoc_value_next(struct adhoc_run *run, const char *var)
{
	return adhoc_value_at(run, var, run->next++);
}

bool adhoc_is_true(struct adhoc_run *run, const char *var)
{
	const char *value = adhoc_value(run, var);
	bool truth = false;

	return value && dataform_read_bool(value, &truth) && truth;
}

void adhoc_note(struct adhoc_run *run, enum adhoc_note kind, const char *text)
{
	static const char *const types[] = { [ADHOC_INFO] = "info", [ADHOC_WARN] = "warn", [ADHOC_ERROR] = "error" };
	struct arena *arena = &run->answer->arena;
	struct element *note = element_add(arena, run->element, "note", NS_COMMANDS);

	element_set(arena, note, "type", types[kind]);
	element_add_text(arena, note, text);
}

struct element *adhoc_result(struct adhoc_run *run, const char *form_type)
{
	if (!run->result)
		run->result = dataform_add(&run->answer->arena, run->element, "result", form_type);
	return run->result;
}

void adhoc_next(struct adhoc_run *run)
{
	assert(!run_is_at_last(run));
	run->stage++;
	run_show(run);
}

void adhoc_complete(struct adhoc_run *run)
{
	run_answer(run, "completed");
	adhoc_run_free(run);
}

static void run_refuse(struct adhoc_run *run, enum stanza_condition condition, const char *specific, const char *text)
{
	const struct stanza *answer = run->answer;

	adhoc_fail(run_give_request(run), condition, specific, text);
	stanza_unref(&answer);
	if (!run_stage(run)->fields)
		adhoc_run_free(run);
}

void adhoc_refuse(struct adhoc_run *run, enum stanza_condition condition, const char *text)
{
	run_refuse(run, condition, NULL, text);
}

void adhoc_refuse_payload(struct adhoc_run *run, const char *text)
{
	run_refuse(run, STANZA_BAD_REQUEST, "bad-payload", text);
}

/* ---- asked to go on, or back ---- */

void adhoc_run_begin(struct iq_request *request, const struct adhoc_command *command)
{
	struct adhoc_run *run = adhoc_run_new(request, command);

	assert(command->stage_count && command->stage_count <= ADHOC_STAGES);
	if (!run) {
		adhoc_fail(request, STANZA_RESOURCE_CONSTRAINT, NULL, "Too many commands are being run, try again");
		return;
	}
	run_take_request(run, request);
	if (run_stage(run)->fields)
		run_show(run);
	else
		run_stage(run)->submitted(run);
}

static void run_submit(struct adhoc_run *run)
{
	struct adhoc_submission *submitted = &run->submitted[run->stage];
	const struct adhoc_stage *stage = run_stage(run);
	struct arena *arena = &submitted->arena;
	const struct element *form;
	const char *fault;

	arena_wipe(arena);
	submitted->form = NULL;
	run->next = 0;
	form = dataform_find(arena, run->request->payload, stage->form_type);
	fault = form ? adhoc_form_fault(arena, form, stage) : "A form must be submitted";
	if (fault) {
		adhoc_refuse_payload(run, fault);
		return;
	}
	submitted->form = element_copy(arena, NULL, form);
	stage->submitted(run);
}

static void run_step_back(struct adhoc_run *run)
{
	run->stage--;
	run_show(run);
}

static void run_cancel(struct adhoc_run *run)
{
	run_answer(run, "canceled");
	adhoc_run_free(run);
}

void adhoc_run_continue(struct adhoc_run *run, struct iq_request *request, enum adhoc_action action)
{
	if (action == ADHOC_EXECUTE)
		action = run_is_at_last(run) ? ADHOC_COMPLETE : ADHOC_NEXT;
	if ((action == ADHOC_PREV && run->stage == 0) || (action == ADHOC_NEXT && run_is_at_last(run)) ||
	    (action == ADHOC_COMPLETE && !run_is_at_last(run))) {
		adhoc_fail(request, STANZA_BAD_REQUEST, "bad-action", NULL);
		return;
	}
	run_take_request(run, request);
	if (action == ADHOC_CANCEL)
		run_cancel(run);
	else if (action == ADHOC_PREV)
		run_step_back(run);
	else
		run_submit(run);
}
