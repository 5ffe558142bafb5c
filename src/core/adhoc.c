/* SPDX-License-Identifier: MIT
 *
 * Runs of ad-hoc commands: begun, continued, stepped back, cancelled (XEP-0050 §2.4, §3.3, §3.4), and their errors (§4.4).
 * A session id is random and carries a digest of itself, the command and who began, made with the server's secret: so one
 * that was once ours and is over (session-expired) differs from one that never was (bad-sessionid), without a memory of
 * all that is over.
 */
#include "core/adhoc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "adhoc_inside.h"
#include "base/digest.h"
#include "base/map.h"
#include "base/mem.h"
#include "net/timer.h"
#include "xmpp/ns.h"

enum {
	RUNS_MAX = 1000,        /* of a home, whoever began them */
	PROOF_BYTES = 16,
	SESSION_ID = ID_LEN + 2 * PROOF_BYTES,
};

struct adhoc_run {
	struct list_link link;                  /* of the home's runs, the oldest first */
	struct home *home;
	const struct adhoc_command *command;
	char id[SESSION_ID + 1];
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

struct adhoc_part {
	struct map *runs;                       /* by id */
	struct list list;
};

struct adhoc_limits {
	uint32_t runs;                          /* of a user */
	uint32_t forget_ms;
	uint32_t bytes;                         /* of a request */
};

static struct adhoc_part *adhoc_part(const struct home *home)
{
	return home_part(home, &adhoc_module);
}

static const struct adhoc_limits *adhoc_limits(const struct config *config)
{
	return config_part(config, &adhoc_module);
}

/* ---- commands ---- */

const struct adhoc_command *adhoc_each(const struct config *config, size_t *module, size_t *row)
{
	for (; config->modules[*module]; (*module)++, *row = 0) {
		const struct adhoc_command *table = config->modules[*module]->adhoc;

		if (table && table[*row].node)
			return &table[(*row)++];
	}
	return NULL;
}

const struct adhoc_command *adhoc_find(const struct config *config, const char *node)
{
	const struct adhoc_command *command;
	size_t module = 0, row = 0;

	while ((command = adhoc_each(config, &module, &row)))
		if (strcmp(command->node, node) == 0)
			return command;
	return NULL;
}

static bool is_of_audience(const struct iq_request *request, enum adhoc_audience audience, const struct jid *who)
{
	bool of_host = who->local_len && strcmp(jid_domain_text(who), request->host->domain) == 0;

	switch (audience) {
	case ADHOC_ADMINS:
		return of_host && config_is_admin(request->config, who);
	case ADHOC_ACCOUNTS:
		return of_host;
	default:
		return true;
	}
}

bool adhoc_may(const struct iq_request *request, const struct adhoc_command *command)
{
	struct arena arena = { 0 };
	struct jid who = jid_bare(&arena, &request->parcel->stanza->from);
	bool may = is_of_audience(request, command->audience, &who) &&
	           (!command->is_offered || command->is_offered(request->config, request->host, &who));

	arena_clear(&arena);
	return may;
}

/* ---- session ids ---- */

/* Behind the random part: what shows that it is ours, for this command and this requester. */
static void session_prove(const struct home *home, const char *node, const char *who, char id[SESSION_ID + 1])
{
	struct buf text = { 0 };
	uint8_t mac[DIGEST_MAX];

	buf_printf(&text, "adhoc %.*s %s %s", ID_LEN, id, who, node);
	digest_hmac(DIGEST_SHA256, home->server->secret, strlen(home->server->secret), text.data, text.len, mac);
	text.len = 0;
	hex_encode(&text, mac, PROOF_BYTES);
	memcpy(id + ID_LEN, text.data, 2 * PROOF_BYTES);
	id[SESSION_ID] = '\0';
	buf_clear(&text);
}

static bool session_was_ours(const struct iq_request *request, const char *node, const char *id)
{
	char own[SESSION_ID + 1];

	if (strlen(id) != SESSION_ID)
		return false;
	memcpy(own, id, ID_LEN);
	session_prove(request->home, node, request->parcel->stanza->from.text, own);
	return digest_same(own, id, SESSION_ID);
}

/* ---- errors (§4.4) ---- */

static void request_fail(struct iq_request *request, enum stanza_condition condition, const char *specific,
                         const char *text)
{
	struct stanza *error = iq_error(request, condition, text);

	if (specific)
		element_add(&error->arena, error->root->last->element, specific, NS_COMMANDS);
	iq_answer(request, error);
}

/* ---- the life of a run ---- */

static void run_free(struct adhoc_run *run)
{
	struct adhoc_part *part = adhoc_part(run->home);
	const struct stanza *answer = run->answer;

	map_remove(part->runs, run->id, SESSION_ID);
	list_remove(&run->link);
	timer_stop(run->home->worker, &run->forget);
	for (size_t i = 0; i < ADHOC_STAGES; i++)
		arena_wipe(&run->submitted[i].arena);
	stanza_unref(&answer);
	free(run->who);
	free(run);
}

static void run_forgotten(struct worker *worker, struct timer *timer)
{
	(void)worker;
	run_free(LIST_MEMBER(timer, struct adhoc_run, forget));
}

/* The oldest run of the user that waits for him goes when he has too many. */
static void runs_make_room(struct adhoc_part *part, const struct jid *who, size_t most)
{
	struct adhoc_run *oldest = NULL;
	size_t count = 0;

	for (struct list_link *link = list_first(&part->list); link; link = list_next(&part->list, link)) {
		struct adhoc_run *run = LIST_MEMBER(link, struct adhoc_run, link);

		if (run->who_bare != jid_bare_len(who) || memcmp(run->who, who->text, run->who_bare) != 0)
			continue;
		count++;
		if (!oldest && !run->request)
			oldest = run;
	}
	if (count >= most && oldest)
		run_free(oldest);
}

static struct adhoc_run *run_new(const struct iq_request *request, const struct adhoc_command *command)
{
	struct adhoc_part *part = adhoc_part(request->home);
	const struct jid *who = &request->parcel->stanza->from;
	struct adhoc_run *run;

	runs_make_room(part, who, adhoc_limits(request->config)->runs);
	if (map_count(part->runs) >= RUNS_MAX)
		return NULL;
	run = mem_zalloc(sizeof(*run));
	run->home = request->home;
	run->command = command;
	run->who = str_dup_len(who->text, jid_len(who));
	run->who_bare = jid_bare_len(who);
	id_random(worker_entropy(run->home->worker), run->id);
	session_prove(run->home, command->node, run->who, run->id);
	map_put(part->runs, run->id, SESSION_ID, run);
	list_add_last(&part->list, &run->link);
	return run;
}

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
	run_free(run);
}

static void run_refuse(struct adhoc_run *run, enum stanza_condition condition, const char *specific, const char *text)
{
	const struct stanza *answer = run->answer;

	request_fail(run_give_request(run), condition, specific, text);
	stanza_unref(&answer);
	if (!run_stage(run)->fields)
		run_free(run);
}

void adhoc_refuse(struct adhoc_run *run, enum stanza_condition condition, const char *text)
{
	run_refuse(run, condition, NULL, text);
}

void adhoc_refuse_payload(struct adhoc_run *run, const char *text)
{
	run_refuse(run, STANZA_BAD_REQUEST, "bad-payload", text);
}

/* ---- requests (§4.1) ---- */

enum action { ACTION_EXECUTE, ACTION_CANCEL, ACTION_PREV, ACTION_NEXT, ACTION_COMPLETE, ACTIONS };

/* ACTIONS: there is no such action. */
static enum action action_of(const struct element *command)
{
	static const char *const names[] = { "execute", "cancel", "prev", "next", "complete" };
	const char *name = element_attr(command, "action");
	size_t action = 0;

	while (name && action < ACTIONS && strcmp(name, names[action]) != 0)
		action++;
	return (enum action)action;
}

static void run_begin(struct iq_request *request, const struct adhoc_command *command)
{
	struct adhoc_run *run = run_new(request, command);

	assert(command->stage_count && command->stage_count <= ADHOC_STAGES);
	if (!run) {
		request_fail(request, STANZA_RESOURCE_CONSTRAINT, NULL, "Too many commands are being run, try again");
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
	run_free(run);
}

static void run_continue(struct adhoc_run *run, struct iq_request *request, enum action action)
{
	if (action == ACTION_EXECUTE)
		action = run_is_at_last(run) ? ACTION_COMPLETE : ACTION_NEXT;
	if ((action == ACTION_PREV && run->stage == 0) || (action == ACTION_NEXT && run_is_at_last(run)) ||
	    (action == ACTION_COMPLETE && !run_is_at_last(run))) {
		request_fail(request, STANZA_BAD_REQUEST, "bad-action", NULL);
		return;
	}
	run_take_request(run, request);
	if (action == ACTION_CANCEL)
		run_cancel(run);
	else if (action == ACTION_PREV)
		run_step_back(run);
	else
		run_submit(run);
}

static void run_find(struct iq_request *request, const struct adhoc_command *command, enum action action,
                     const char *id)
{
	struct adhoc_run *run = NULL;

	if (!session_was_ours(request, command->node, id)) {
		request_fail(request, STANZA_BAD_REQUEST, "bad-sessionid", NULL);
		return;
	}
	run = map_find(adhoc_part(request->home)->runs, id, SESSION_ID);
	if (!run)
		request_fail(request, STANZA_NOT_ALLOWED, "session-expired", NULL);
	else if (run->request)
		request_fail(request, STANZA_UNEXPECTED_REQUEST, NULL, "The command is still at work");
	else
		run_continue(run, request, action);
}

static void adhoc_asked(struct iq_request *request)
{
	const struct element *asked = request->payload;
	const char *node = element_attr(asked, "node"), *id = element_attr(asked, "sessionid");
	const struct adhoc_command *command = node ? adhoc_find(request->config, node) : NULL;
	enum action action = action_of(asked);

	stanza_keep_secret(request->parcel->stanza);
	if (!node)
		request_fail(request, STANZA_BAD_REQUEST, NULL, "A command is named by its node");
	else if (!command)
		request_fail(request, STANZA_ITEM_NOT_FOUND, NULL, NULL);
	else if (!adhoc_may(request, command))
		request_fail(request, STANZA_FORBIDDEN, NULL, NULL);
	else if (action == ACTIONS)
		request_fail(request, STANZA_BAD_REQUEST, "malformed-action", NULL);
	else if (stanza_weight(request->parcel->stanza) > adhoc_limits(request->config)->bytes)
		request_fail(request, STANZA_POLICY_VIOLATION, NULL, "This is more than a command takes");
	else if (id)
		run_find(request, command, action, id);
	else if (action != ACTION_EXECUTE)
		request_fail(request, STANZA_BAD_REQUEST, "bad-action", NULL);
	else
		run_begin(request, command);
}

/* ---- the module ---- */

static void *adhoc_home_open(struct home *home)
{
	struct adhoc_part *part = mem_zalloc(sizeof(*part));

	part->runs = map_new(worker_seed(home->worker));
	list_init(&part->list);
	return part;
}

static void adhoc_home_close(struct home *home, void *closed)
{
	struct adhoc_part *part = closed;
	struct list_link *link;

	(void)home;
	while ((link = list_first(&part->list)))
		run_free(LIST_MEMBER(link, struct adhoc_run, link));
	map_free(&part->runs);
	free(part);
}

static const struct conf_option limit_options[] = {
	{ .name = "command-runs", .type = CONF_INT, .fallback = "8", .min = 1, .max = 1000,
	  .sentence = "How many ad-hoc commands a user may have begun; the oldest is forgotten for a new one." },
	{ .name = "command-time", .type = CONF_TIME, .fallback = "10m", .min = 10000, .max = 86400000,
	  .sentence = "How long the form of an ad-hoc command may take to be filled in." },
	{ .name = "command-size", .type = CONF_SIZE, .fallback = "64kB", .min = 1024, .max = 1 << 20,
	  .sentence = "How large a form that is filled in for an ad-hoc command may be." },
	{ 0 },
};

static const struct conf_section_kind options[] = {
	{ .name = "limits", .options = limit_options },
	{ 0 },
};

static void *adhoc_configure(struct config *config, const struct conf *conf, char **error)
{
	const struct conf_section *section = conf_section(conf, "limits");
	struct adhoc_limits *limits = arena_alloc(&config->arena, sizeof(*limits));

	(void)error;
	*limits = (struct adhoc_limits){
		.runs = (uint32_t)conf_number(section, "command-runs"),
		.forget_ms = (uint32_t)conf_number(section, "command-time"),
		.bytes = (uint32_t)conf_number(section, "command-size"),
	};
	return limits;
}

static const struct iq_handler handlers[] = {
	{ "command", NS_COMMANDS, IQ_KIND_SET, IQ_HOST, adhoc_asked },
	{ "query", NS_DISCO_INFO, IQ_KIND_GET, IQ_HOST, adhoc_disco_asked },
	{ "query", NS_DISCO_ITEMS, IQ_KIND_GET, IQ_HOST, adhoc_disco_asked },
	{ 0 },
};

static const struct module_spec specs[] = {
	{ "XEP-0050", "Ad-Hoc Commands", "1.3.0", NULL },
	{ 0 },
};

static const char *const features[] = { NS_COMMANDS, NULL };

/* It stands in front of service discovery, which it asks for what is not its own. */
const struct module adhoc_module = {
	.name = "adhoc",
	.specs = specs,
	.host_features = features,
	.iqs = handlers,
	.options = options,
	.configure = adhoc_configure,
	.home_open = adhoc_home_open,
	.home_close = adhoc_home_close,
};
