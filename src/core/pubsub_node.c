/* SPDX-License-Identifier: MIT
 *
 * A node's configuration (XEP-0060 §8.2, §16.4.4) as values, as text in the store and as a form, the
 * list of affiliations and subscriptions, and who may read it (§4.1, §4.5). The fields are one table; a value is kept in its canonical spelling.
 */
#include <stdlib.h>
#include <string.h>

#include "pubsub_inside.h"
#include "xmpp/dataform.h"
#include "xmpp/ns.h"

enum { VALUE_MAX = 1023, OPTIONS_MAX = 5 };

struct field {
	const char *name;               /* behind "pubsub#" */
	const char *type;
	const char *label;
	const char *fallback;
	const char *options[OPTIONS_MAX + 1];
};

static const struct field fields[PUBSUB_FIELDS] = {
	[PUBSUB_ACCESS_MODEL] = { "access_model", "list-single", "Who may read the items", "presence",
	                          { "open", "presence", "roster", "authorize", "whitelist" } },
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

void pubsub_metadata_add(struct arena *arena, struct element *query, const struct pubsub_node *node)
{
	static const enum pubsub_field told[] = { PUBSUB_TYPE,         PUBSUB_TITLE,         PUBSUB_DESCRIPTION,
		                                  PUBSUB_ACCESS_MODEL, PUBSUB_PUBLISH_MODEL, PUBSUB_MAX_ITEMS };
	struct element *form = dataform_add(arena, query, "result", NS_PUBSUB "#meta-data");

	for (size_t i = 0; i < sizeof(told) / sizeof(*told); i++) {
		const struct field *field = &fields[told[i]];

		dataform_add_field(arena, form, arena_printf(arena, FIELD_PREFIX "%s", field->name), field->type,
		                   field->label, node->values[told[i]]);
	}
}

/* ---- how addresses stand to the node: lines of "JID affiliation" and "JID subscription" ---- */

static bool is_subscription(const char *word)
{
	return strcmp(word, "subscribed") == 0 || strcmp(word, "pending") == 0;
}

/* The next line of that kind. A resource may have blanks, the word behind it has none. */
static bool line_next(struct arena *arena, bool subscriptions, const char **rest, const char **jid, const char **word)
{
	while (**rest) {
		size_t len = strcspn(*rest, "\n");
		const char *line = *rest, *blank = memrchr(line, ' ', len);

		*rest += len + (line[len] == '\n');
		if (!blank)
			continue;
		*word = arena_str_len(arena, blank + 1, len - (size_t)(blank - line) - 1);
		*jid = arena_str_len(arena, line, (size_t)(blank - line));
		if (is_subscription(*word) == subscriptions)
			return true;
	}
	return false;
}

/* The lines without those of that kind about that address, or with a new one ("none": without). */
static const char *lines_set(struct arena *arena, const struct pubsub_node *node, const char *who, size_t who_len,
                             bool subscriptions, const char *word)
{
	struct buf list = { 0 };
	const char *text;

	for (int kind = 0; kind < 2; kind++) {
		const char *rest = node->affiliations, *jid, *old;

		while (line_next(arena, kind == 1, &rest, &jid, &old)) {
			bool replaced = (kind == 1) == subscriptions && strlen(jid) == who_len &&
			                memcmp(jid, who, who_len) == 0;

			if (!replaced)
				buf_printf(&list, "%s %s\n", jid, old);
		}
	}
	if (strcmp(word, "none") != 0)
		buf_printf(&list, "%.*s %s\n", (int)who_len, who, word);
	text = arena_str_len(arena, list.data ? list.data : "", list.len);
	buf_clear(&list);
	return text;
}

static size_t lines_count(const struct pubsub_node *node, bool subscriptions)
{
	const char *rest = node->affiliations, *jid, *word;
	struct arena arena = { 0 };
	size_t count = 0;

	while (line_next(&arena, subscriptions, &rest, &jid, &word))
		count++;
	arena_clear(&arena);
	return count;
}

bool node_affiliation_next(struct arena *arena, const char **rest, const char **jid, const char **affiliation)
{
	return line_next(arena, false, rest, jid, affiliation);
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
	return lines_count(node, false);
}

const char *node_affiliate(struct arena *arena, const struct pubsub_node *node, const struct jid *who,
                           const char *affiliation)
{
	return lines_set(arena, node, who->text, jid_bare_len(who), false, affiliation);
}

bool pubsub_subscription_next(struct arena *arena, const char **rest, struct jid *who, const char **state)
{
	const char *text;

	while (line_next(arena, true, rest, &text, state)) {
		if (jid_prepare(arena, text, strlen(text), JID_ANY, who))
			return true;
	}
	return false;
}

const char *node_subscription(struct arena *arena, const struct pubsub_node *node, const struct jid *who)
{
	const char *rest = node->affiliations, *jid, *state;

	while (line_next(arena, true, &rest, &jid, &state)) {
		if (strcmp(jid, who->text) == 0)
			return state;
	}
	return "none";
}

size_t node_subscription_count(const struct pubsub_node *node)
{
	return lines_count(node, true);
}

const char *node_subscribe(struct arena *arena, const struct pubsub_node *node, const struct jid *who, const char *state)
{
	return lines_set(arena, node, who->text, strlen(who->text), true, state);
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

/* Any of the address' subscriptions has been approved. */
static bool is_approved(const struct pubsub_node *node, const struct jid *who)
{
	const char *rest = node->affiliations, *state;
	struct arena arena = { 0 };
	struct jid subscriber;
	bool approved = false;

	while (!approved && pubsub_subscription_next(&arena, &rest, &subscriber, &state))
		approved = strcmp(state, "subscribed") == 0 && jid_same_bare(&subscriber, who);
	arena_clear(&arena);
	return approved;
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
	if (pubsub_value_is(node, PUBSUB_ACCESS_MODEL, "authorize"))
		return is_approved(node, who) ? PUBSUB_GRANTED : PUBSUB_NOT_APPROVED;
	if (!class->subscribed(home, service, who))
		return PUBSUB_NOT_SUBSCRIBED;
	if (pubsub_value_is(node, PUBSUB_ACCESS_MODEL, "presence") ||
	    is_in_groups(home, class, service, node->values[PUBSUB_ROSTER_GROUPS], who))
		return PUBSUB_GRANTED;
	return PUBSUB_NOT_IN_GROUP;
}
