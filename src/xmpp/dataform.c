/* SPDX-License-Identifier: MIT
 *
 * Data forms, XEP-0004 §3.
 */
#include "xmpp/dataform.h"

#include <string.h>

#include "xmpp/ns.h"

const char *dataform_type(const struct element *form)
{
	const char *type = element_attr(form, "type");

	return type ? type : "";
}

const struct element *dataform_field(const struct element *form, const char *var)
{
	for (const struct node *node = form->first; node; node = node->next) {
		const char *name = node->element && element_is(node->element, "field", NS_DATA_FORM)
		                           ? element_attr(node->element, "var")
		                           : NULL;

		if (name && strcmp(name, var) == 0)
			return node->element;
	}
	return NULL;
}

const char *dataform_field_value(struct arena *arena, const struct element *field)
{
	return element_child_text(arena, field, "value", NS_DATA_FORM);
}

const char *dataform_value(struct arena *arena, const struct element *form, const char *var)
{
	const struct element *field = dataform_field(form, var);

	return field ? dataform_field_value(arena, field) : NULL;
}

const struct element *dataform_find(struct arena *arena, const struct element *parent, const char *form_type)
{
	for (const struct node *node = parent->first; node; node = node->next) {
		const char *found;

		if (!node->element || !element_is(node->element, "x", NS_DATA_FORM))
			continue;
		found = dataform_value(arena, node->element, "FORM_TYPE");
		if (!form_type || !found || strcmp(found, form_type) == 0)
			return node->element;
	}
	return NULL;
}

bool dataform_read_bool(const char *text, bool *out)
{
	*out = strcmp(text, "1") == 0 || strcmp(text, "true") == 0;
	return *out || strcmp(text, "0") == 0 || strcmp(text, "false") == 0;
}

struct element *dataform_add(struct arena *arena, struct element *parent, const char *type,
                             const char *form_type)
{
	struct element *form = parent ? element_add(arena, parent, "x", NS_DATA_FORM)
	                              : element_new(arena, "x", NS_DATA_FORM);

	element_set(arena, form, "type", type);
	if (form_type)
		dataform_add_field(arena, form, "FORM_TYPE", "hidden", NULL, form_type);
	return form;
}

struct element *dataform_add_field(struct arena *arena, struct element *form, const char *var,
                                   const char *type, const char *label, const char *value)
{
	struct element *field = element_add(arena, form, "field", NS_DATA_FORM);

	element_set(arena, field, "var", var);
	element_set(arena, field, "type", type);
	element_set(arena, field, "label", label);
	if (value)
		dataform_add_value(arena, field, value);
	return field;
}

void dataform_add_value(struct arena *arena, struct element *field, const char *value)
{
	element_add_text(arena, element_add(arena, field, "value", NS_DATA_FORM), value);
}

void dataform_add_option(struct arena *arena, struct element *field, const char *value)
{
	dataform_add_value(arena, element_add(arena, field, "option", NS_DATA_FORM), value);
}
