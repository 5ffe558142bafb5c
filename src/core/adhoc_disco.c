/* SPDX-License-Identifier: MIT
 *
 * The list of commands (XEP-0050 §2.2): disco#items of the node http://jabber.org/protocol/commands and disco#info of it
 * and of each command. Everybody is told only of what he may run.
 */
#include <string.h>

#include "adhoc_inside.h"
#include "core/disco.h"
#include "xmpp/ns.h"

static struct element *query_add(struct stanza *result, const struct iq_request *request)
{
	struct element *query = element_add(&result->arena, result->root, "query", request->payload->ns);

	element_set(&result->arena, query, "node", element_attr(request->payload, "node"));
	return query;
}

static void list_items(struct iq_request *request)
{
	struct stanza *result = iq_result(request);
	struct element *query = query_add(result, request);
	const struct adhoc_command *command;
	size_t module = 0, row = 0;

	while ((command = adhoc_each(request->config, &module, &row))) {
		struct element *item;

		if (!adhoc_may(request, command))
			continue;
		item = element_add(&result->arena, query, "item", NS_DISCO_ITEMS);
		element_set(&result->arena, item, "jid", request->host->domain);
		element_set(&result->arena, item, "node", command->node);
		element_set(&result->arena, item, "name", command->name);
	}
	iq_answer(request, result);
}

/* type: command-list or command-node (§7.2). */
static void node_info(struct iq_request *request, const char *type, const char *name)
{
	struct stanza *result = iq_result(request);
	struct arena *arena = &result->arena;
	struct element *query = query_add(result, request);
	struct element *identity = element_add(arena, query, "identity", NS_DISCO_INFO);

	element_set(arena, identity, "category", "automation");
	element_set(arena, identity, "type", type);
	element_set(arena, identity, "name", name);
	disco_add_feature(arena, query, NS_COMMANDS);
	disco_add_feature(arena, query, NS_DATA_FORM);
	iq_answer(request, result);
}

static void command_asked(struct iq_request *request, const struct adhoc_command *command)
{
	struct stanza *result;

	if (!adhoc_may(request, command)) {
		iq_refuse(request, STANZA_FORBIDDEN, NULL);
	} else if (strcmp(request->payload->ns, NS_DISCO_INFO) == 0) {
		node_info(request, "command-node", command->name);
	} else {
		result = iq_result(request);
		query_add(result, request);
		iq_answer(request, result);
	}
}

void adhoc_disco_asked(struct iq_request *request)
{
	const char *node = element_attr(request->payload, "node");
	const struct adhoc_command *command = node ? adhoc_find(request->config, node) : NULL;

	if (command)
		command_asked(request, command);
	else if (!node || strcmp(node, NS_COMMANDS) != 0)
		disco_asked(request);
	else if (strcmp(request->payload->ns, NS_DISCO_INFO) == 0)
		node_info(request, "command-list", "Commands");
	else
		list_items(request);
}
