/* SPDX-License-Identifier: MIT
 *
 * Requests about ad-hoc commands (XEP-0050 §4.1), what is wrong with them (§4.4), and who may run which command.
 */
#include "core/adhoc.h"

#include <string.h>

#include "adhoc_inside.h"
#include "xmpp/ns.h"

const struct adhoc_limits *adhoc_limits(const struct config *config)
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

/* ---- errors (§4.4) ---- */

void adhoc_fail(struct iq_request *request, enum stanza_condition condition, const char *specific, const char *text)
{
	struct stanza *error = iq_error(request, condition, text);

	if (specific)
		element_add(&error->arena, error->root->last->element, specific, NS_COMMANDS);
	iq_answer(request, error);
}

/* ---- requests (§4.1) ---- */

/* ADHOC_ACTIONS: there is no such action. */
static enum adhoc_action action_of(const struct element *command)
{
	static const char *const names[] = { "execute", "cancel", "prev", "next", "complete" };
	const char *name = element_attr(command, "action");
	size_t action = 0;

	while (name && action < ADHOC_ACTIONS && strcmp(name, names[action]) != 0)
		action++;
	return (enum adhoc_action)action;
}

static void session_find(struct iq_request *request, const struct adhoc_command *command, enum adhoc_action action,
                         const char *id)
{
	struct adhoc_run *run;

	if (!adhoc_session_was_ours(request, command->node, id)) {
		adhoc_fail(request, STANZA_BAD_REQUEST, "bad-sessionid", NULL);
		return;
	}
	run = adhoc_run_find(request->home, id);
	if (!run)
		adhoc_fail(request, STANZA_NOT_ALLOWED, "session-expired", NULL);
	else if (run->request)
		adhoc_fail(request, STANZA_UNEXPECTED_REQUEST, NULL, "The command is still at work");
	else
		adhoc_run_continue(run, request, action);
}

static void adhoc_asked(struct iq_request *request)
{
	const struct element *asked = request->payload;
	const char *node = element_attr(asked, "node"), *id = element_attr(asked, "sessionid");
	const struct adhoc_command *command = node ? adhoc_find(request->config, node) : NULL;
	enum adhoc_action action = action_of(asked);

	stanza_keep_secret(request->parcel->stanza);
	if (!node)
		adhoc_fail(request, STANZA_BAD_REQUEST, NULL, "A command is named by its node");
	else if (!command)
		adhoc_fail(request, STANZA_ITEM_NOT_FOUND, NULL, NULL);
	else if (!adhoc_may(request, command))
		adhoc_fail(request, STANZA_FORBIDDEN, NULL, NULL);
	else if (action == ADHOC_ACTIONS)
		adhoc_fail(request, STANZA_BAD_REQUEST, "malformed-action", NULL);
	else if (stanza_weight(request->parcel->stanza) > adhoc_limits(request->config)->bytes)
		adhoc_fail(request, STANZA_POLICY_VIOLATION, NULL, "This is more than a command takes");
	else if (id)
		session_find(request, command, action, id);
	else if (action != ADHOC_EXECUTE)
		adhoc_fail(request, STANZA_BAD_REQUEST, "bad-action", NULL);
	else
		adhoc_run_begin(request, command);
}

/* ---- the module ---- */

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
	.home_open = adhoc_runs_open,
	.home_close = adhoc_runs_close,
};
