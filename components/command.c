/* SPDX-License-Identifier: MIT
 *
 * What hansactl can ask of components.
 */
#include "component.h"

#include <string.h>

static json_t *component_row(const struct component_settings *settings, const struct component *component,
                             uint64_t now_ms)
{
	if (!component)
		return json_pack("{s:s, s:s}", "component", settings->domain, "state", "not attached");
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I}", "component", settings->domain, "state", "attached",
	                 "address", component->address, "seconds",
	                 (json_int_t)((now_ms - component->attached_ms) / 1000), "sent",
	                 (json_int_t)component->to_component, "received",
	                 (json_int_t)component->from_component);
}

/* Each home tells of the components that live there. */
static void component_report(struct home *home, const struct command_call *call, json_t *result)
{
	const struct component_settings *settings;

	(void)call;
	for (size_t i = 0; (settings = component_settings_at(home->config, i)); i++)
		if (component_home(home, settings->domain) == home)
			json_array_append_new(result, component_row(settings,
			                                            component_find(home, settings->domain,
			                                                           strlen(settings->domain)),
			                                            worker_now_ms(home->worker)));
}

static void component_list(struct command_call *call)
{
	command_each_home(call, component_report, command_answer);
}

const struct command component_commands[] = {
	{ "component list", "", "List the configured components and who is attached.", 0, 0, component_list,
	  NULL },
	{ 0 },
};
