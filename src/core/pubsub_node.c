/* SPDX-License-Identifier: MIT
 *
 * A node's configuration (XEP-0060 §8.2, §16.4.4) as values, as text in the store and as a form, its list of affiliations,
 * and who may read it (§4.1, §4.5). The fields are one table; a value is kept in its canonical spelling.
 */
#include <stdlib.h>
#include <string.h>

#include "pubsub_inside.h"
#include "xmpp/dataform.h"
#include "xmpp/ns.h"

enum { VALUE_MAX = 1023, OPTIONS_MAX = 4 };

struct field {
	const char *name;               /* behind "pubsub#" */
	const char *type;
	const char *label;
	const char *fallback;
	const char *options[OPTIONS_MAX + 1];
};

static const struct field fields[PUBSUB_FIELDS] = {
	[PUBSUB_ACCESS_MODEL] = { "access_model", "list-single", "Who may read the items", "presence",
	                          { "open", "presence", "roster", "whitelist" } },
	[PUBSUB_PUBLISH_MODEL] = { "publish_model", "list-single", "Who may publish", "publishers", { "publishers" } },
	[PUBSUB_MAX_ITEMS] = { "max_items", "text-single", "How many items are kept", "1", { NULL } },
	[PUBSUB_PERSIST_ITEMS] = { "persist_items", "boolean", "Whether items are kept", "1", { NULL } },
	[PUBSUB_DELIVER_PAYLOADS] = { "deliver_payloads", "boolean", "Whether events carry the items", "1", { NULL } },
	[PUBSUB_DELIVER_NOTIFICATIONS] = { "deliver_notifications", "boolean", "Whether there are events", "1", { NULL } },
	[PUBSUB_NOTIFY_RETRACT] = { "notify_retract", "boolean", "Events when items are removed", "1", { NULL } },
	[PUBSUB_NOTIFY_DELETE] = { "notify_delete", "boolean", "An event when the node is deleted", "1", { NULL } },
	[PUBSUB_SEND_LAST] = { "send_last_published_item", "list-single", "When the last item is sent",
	                       "on_sub_and_presence", { "never", "on_sub", "on_sub_and_presence" } },
	[PUBSUB_TYPE] = { "type", "text-single", "The namespace of the items", "", { NULL } },
	[PUBSUB_TITLE] = { "title", "text-single", "A short name", "", { NULL } },
	[PUBSUB_DESCRIPTION] = { "description", "text-single", "A description", "", { NULL } },
	[PUBSUB_ROSTER_GROUPS] = { "roster_groups_allowed", "text-multi", "Roster groups that may read", "", { NULL } },
};
#define FIELD_PREFIX "pubsub#"

void node_defaults(struct pubsub_node *node, const char *name)
{
	*node = (struct pubsub_node){ .name = name, .affiliations = "" };
	for (int i = 0; i < PUBSUB_FIELDS; i++)
		node->values[i] = fields[i].fallback;
}

bool pubsub_value_is(const struct pubsub_node *node, enum pubsub_field field, const char *value)
{
	return strcmp(node->values[field], value) == 0;
}

size_t node_most_items(const struct pubsub_node *node, const struct pubsub_limits *limits)
{
	const char *value = node->values[PUBSUB_MAX_ITEMS];
	size_t most = strcmp(value, "max") == 0 ? limits->items : strtoul(value, NULL, 10);

	if (pubsub_value_is(node, PUBSUB_PERSIST_ITEMS, "0"))
		return 0;
	return most < limits->items ? most : limits->items;
}

/* ---- as text: "name value" lines ---- */

static int field_find(const char *name, size_t len)
{
	for (int i = 0; i < PUBSUB_FIELDS; i++) {
		if (strlen(fields[i].name) == len && memcmp(fields[i].name, name, len) == 0)
			return i;
	}
	return -1;
}

static void value_read(struct arena *arena, struct pubsub_node *node, int field, const char *value)
{
	const char *before = node->values[field];

	node->values[field] = field == PUBSUB_ROSTER_GROUPS && *before ? arena_printf(arena, "%s\n%s", before, value)
	                                                               : value;
}

/* Lines of fields that we do not know are of another version, and are left out. */
void node_config_read(struct arena *arena, const char *config, struct pubsub_node *node)
{
	while (*config) {
		size_t len = strcspn(config, "\n"), name_len = strcspn(config, " \n");
		int field = field_find(config, name_len);

		if (field >= 0 && name_len < len)
			value_read(arena, node, field, arena_str_len(arena, config + name_len + 1, len - name_len - 1));
		config += len + (config[len] == '\n');
	}
}

static void lines_write(struct buf *out, const char *name, const char *values)
{
	while (*values) {
		size_t len = strcspn(values, "\n");

		buf_printf(out, "%s %.*s\n", name, (int)len, values);
		values += len + (values[len] == '\n');
	}
}

/* What differs from the defaults. */
const char *node_config_write(struct arena *arena, const struct pubsub_node *node)
{
	struct buf out = { 0 };
	const char *text;

	for (int i = 0; i < PUBSUB_FIELDS; i++) {
		if (strcmp(node->values[i], fields[i].fallback) != 0)
			lines_write(&out, fields[i].name, node->values[i]);
	}
	text = arena_str_len(arena, out.data ? out.data : "", out.len);
	buf_clear(&out);
	return text;
}

void pubsub_node_read(struct arena *arena, const struct store_pubsub_node *stored, struct pubsub_node *out)
{
	node_defaults(out, stored->name);
	node_config_read(arena, stored->config, out);
	out->affiliations = stored->affiliations;
}

/* ---- as a form ---- */

/* The canonical spelling, or NULL. Clients ask for more items than anybody keeps; they get what there is. */
static const char *value_check(struct arena *arena, int field, const char *value, const struct pubsub_limits *limits)
{
	unsigned long number;
	char *end;
	bool flag;

	if (!value || strlen(value) > VALUE_MAX || strchr(value, '\n'))
		return NULL;
	if (strcmp(fields[field].type, "boolean") == 0)
		return !dataform_read_bool(value, &flag) ? NULL : flag ? "1" : "0";
	if (field == PUBSUB_MAX_ITEMS && strcmp(value, "max") != 0) {
		number = strtoul(value, &end, 10);
		if (*value < '0' || *value > '9' || *end != '\0')
			return NULL;
		return arena_printf(arena, "%lu", number < limits->items ? number : limits->items);
	}
	for (const char *const *option = fields[field].options; *option; option++) {
		if (strcmp(value, *option) == 0)
			return *option;
	}
	return *fields[field].options ? NULL : value;
}

static const char *groups_check(struct arena *arena, const struct element *element)
{
	const char *groups = "";

	for (const struct node *node = element->first; node; node = node->next) {
		const char *group = node->element ? element_text(arena, node->element) : NULL;

		if (!group || !*group)
			continue;
		if (strlen(group) > VALUE_MAX || strchr(group, '\n') || strlen(groups) > 64 * 1024)
			return NULL;
		groups = *groups ? arena_printf(arena, "%s\n%s", groups, group) : group;
	}
	return groups;
}

static const char *field_value(struct arena *arena, int field, const struct element *element,
                               const struct pubsub_limits *limits)
{
	if (field == PUBSUB_ROSTER_GROUPS)
		return groups_check(arena, element);
	return value_check(arena, field, dataform_field_value(arena, element), limits);
}

/* Which of our fields it is; -1: none. */
static int field_of(const struct element *element)
{
	const char *var = element_is(element, "field", NS_DATA_FORM) ? element_attr(element, "var") : NULL;
	size_t prefix = strlen(FIELD_PREFIX);

	if (!var || strncmp(var, FIELD_PREFIX, prefix) != 0)
		return -1;
	return field_find(var + prefix, strlen(var + prefix));
}

/* Fields that we do not have are nobody's wish that could be fulfilled: they are passed over (§8.2.5). */
bool node_submit(struct arena *arena, const struct element *form, const struct pubsub_limits *limits,
                 struct pubsub_node *node)
{
	for (const struct node *n = form->first; n; n = n->next) {
		int field = n->element ? field_of(n->element) : -1;
		const char *value;

		if (field < 0)
			continue;
		value = field_value(arena, field, n->element, limits);
		if (!value)
			return false;
		node->values[field] = value;
	}
	return true;
}

/* A wish for what we do not have is not met. */
bool node_meets(struct arena *arena, const struct element *form, const struct pubsub_limits *limits,
                const struct pubsub_node *node)
{
	for (const struct node *n = form->first; n; n = n->next) {
		const char *var = n->element ? element_attr(n->element, "var") : NULL, *value;
		int field = n->element ? field_of(n->element) : -1;

		if (!var || strcmp(var, "FORM_TYPE") == 0)
			continue;
		value = field >= 0 ? field_value(arena, field, n->element, limits) : NULL;
		if (!value || strcmp(value, node->values[field]) != 0)
			return false;
	}
	return true;
}

static void form_field_add(struct arena *arena, struct element *form, int field, const char *value)
{
	const char *var = arena_printf(arena, FIELD_PREFIX "%s", fields[field].name);
	struct element *element = dataform_add_field(arena, form, var, fields[field].type, fields[field].label, NULL);

	if (field != PUBSUB_ROSTER_GROUPS)
		dataform_add_value(arena, element, value);
	else
		for (; *value; value += strcspn(value, "\n"), value += *value == '\n')
			dataform_add_value(arena, element, arena_str_len(arena, value, strcspn(value, "\n")));
	for (const char *const *option = fields[field].options; *option; option++)
		dataform_add_option(arena, element, *option);
}

void node_form_add(struct arena *arena, struct element *parent, const char *type, const struct pubsub_node *node)
{
	struct element *form = dataform_add(arena, parent, type, PUBSUB_FORM_CONFIG);

	for (int i = 0; i < PUBSUB_FIELDS; i++)
		form_field_add(arena, form, i, node->values[i]);
}

/* ---- affiliations ---- */

bool node_affiliation_next(struct arena *arena, const char **rest, const char **jid, const char **affiliation)
{
	size_t len = strcspn(*rest, "\n"), jid_len = strcspn(*rest, " \n");

	if (!**rest || jid_len >= len)
		return false;
	*jid = arena_str_len(arena, *rest, jid_len);
	*affiliation = arena_str_len(arena, *rest + jid_len + 1, len - jid_len - 1);
	*rest += len + ((*rest)[len] == '\n');
	return true;
}

const char *node_affiliation(struct arena *arena, const struct pubsub_node *node, const struct jid *who)
{
	const char *rest = node->affiliations, *jid, *affiliation;

	while (node_affiliation_next(arena, &rest, &jid, &affiliation)) {
		if (strlen(jid) == jid_bare_len(who) && memcmp(jid, who->text, strlen(jid)) == 0)
			return affiliation;
	}
	return "none";
}

size_t node_affiliation_count(const struct pubsub_node *node)
{
	size_t count = 0;

	for (const char *at = node->affiliations; (at = strchr(at, '\n')); at++)
		count++;
	return count;
}

const char *node_affiliate(struct arena *arena, const struct pubsub_node *node, const struct jid *who,
                           const char *affiliation)
{
	const char *rest = node->affiliations, *jid, *old, *list = "";

	while (node_affiliation_next(arena, &rest, &jid, &old)) {
		if (strlen(jid) != jid_bare_len(who) || memcmp(jid, who->text, strlen(jid)) != 0)
			list = arena_printf(arena, "%s%s %s\n", list, jid, old);
	}
	if (strcmp(affiliation, "none") == 0)
		return list;
	return arena_printf(arena, "%s%.*s %s\n", list, (int)jid_bare_len(who), who->text, affiliation);
}

/* ---- access, §4.5 ---- */

static bool is_in_groups(struct home *home, const struct pubsub_class *class, const struct jid *service,
                         const char *groups, const struct jid *who)
{
	struct arena arena = { 0 };
	bool found = false;

	for (; *groups && !found; groups += strcspn(groups, "\n"), groups += *groups == '\n')
		found = class->in_group(home, service, who, arena_str_len(&arena, groups, strcspn(groups, "\n")));
	arena_clear(&arena);
	return found;
}

static enum pubsub_grant affiliation_grant(const struct pubsub_node *node, const struct jid *who)
{
	struct arena arena = { 0 };
	const char *affiliation = node_affiliation(&arena, node, who);
	enum pubsub_grant grant = PUBSUB_CLOSED;

	if (strcmp(affiliation, "outcast") == 0)
		grant = PUBSUB_OUTCAST;
	else if (strcmp(affiliation, "none") != 0)
		grant = PUBSUB_GRANTED;
	arena_clear(&arena);
	return grant;
}

enum pubsub_grant pubsub_may_read(struct home *home, const struct pubsub_class *class, const struct jid *service,
                                  const struct pubsub_node *node, const struct jid *who)
{
	enum pubsub_grant grant;

	if (class->owns(service, who))
		return PUBSUB_GRANTED;
	grant = affiliation_grant(node, who);
	if (grant != PUBSUB_CLOSED || pubsub_value_is(node, PUBSUB_ACCESS_MODEL, "whitelist"))
		return grant;
	if (pubsub_value_is(node, PUBSUB_ACCESS_MODEL, "open"))
		return PUBSUB_GRANTED;
	if (!class->subscribed(home, service, who))
		return PUBSUB_NOT_SUBSCRIBED;
	if (pubsub_value_is(node, PUBSUB_ACCESS_MODEL, "presence") ||
	    is_in_groups(home, class, service, node->values[PUBSUB_ROSTER_GROUPS], who))
		return PUBSUB_GRANTED;
	return PUBSUB_NOT_IN_GROUP;
}
