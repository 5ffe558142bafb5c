/* SPDX-License-Identifier: MIT
 *
 * The forms of ad-hoc commands (XEP-0004 §3): made from the rows of a stage's fields, and checked against them.
 */
#include <string.h>

#include "adhoc_inside.h"
#include "xmpp/ns.h"

/* ---- shown ---- */

static void words_add(struct arena *arena, struct element *form, const char *name, const char *words)
{
	if (words)
		element_add_text(arena, element_add(arena, form, name, NS_DATA_FORM), words);
}

static void field_add(struct arena *arena, struct element *form, const struct adhoc_field *field)
{
	struct element *element =
		dataform_add_field(arena, form, field->var, field->type, field->label, field->fallback);

	for (const char *const *choice = field->choices; choice && *choice; choice++)
		dataform_add_option(arena, element, *choice);
	if (field->required)
		element_add(arena, element, "required", NS_DATA_FORM);
}

void adhoc_form_add(struct arena *arena, struct element *parent, const struct adhoc_stage *stage)
{
	struct element *form = dataform_add(arena, parent, "form", NULL);

	words_add(arena, form, "title", stage->title);
	words_add(arena, form, "instructions", stage->instructions);
	if (stage->form_type)
		dataform_add_field(arena, form, "FORM_TYPE", "hidden", NULL, stage->form_type);
	for (const struct adhoc_field *field = stage->fields; field->var; field++)
		field_add(arena, form, field);
}

/* ---- submitted ---- */

static bool is_choice(const struct adhoc_field *field, const char *value)
{
	for (const char *const *choice = field->choices; choice && *choice; choice++)
		if (strcmp(*choice, value) == 0)
			return true;
	return !field->choices;
}

/* Whether the value is one that its type can have; an empty one is none (XEP-0004 §3.2). */
static bool value_fits(struct arena *arena, const struct adhoc_field *field, const char *value)
{
	struct jid jid;
	bool truth;

	if (!*value)
		return true;
	if (strncmp(field->type, "jid-", 4) == 0)
		return jid_prepare(arena, value, strlen(value), JID_ANY, &jid);
	if (strcmp(field->type, "boolean") == 0)
		return dataform_read_bool(value, &truth);
	return is_choice(field, value);
}

static const char *field_fault(struct arena *arena, const struct element *form, const struct adhoc_field *field)
{
	const struct element *sent = dataform_field(form, field->var);
	bool given = false;

	for (const struct node *node = sent ? sent->first : NULL; node; node = node->next) {
		const char *value;

		if (!node->element || !element_is(node->element, "value", NS_DATA_FORM))
			continue;
		value = element_text(arena, node->element);
		given |= *value != '\0';
		if (!value_fits(arena, field, value))
			return arena_printf(arena, "The value of %s cannot be used", field->var);
	}
	return given || !field->required ? NULL : arena_printf(arena, "A value of %s is needed", field->var);
}

const char *adhoc_form_fault(struct arena *arena, const struct element *form, const struct adhoc_stage *stage)
{
	const char *fault = NULL;

	for (const struct adhoc_field *field = stage->fields; field->var && !fault; field++)
		fault = field_fault(arena, form, field);
	return fault;
}
