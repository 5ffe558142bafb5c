/* SPDX-License-Identifier: MIT
 *
 * Data forms (XEP-0004): <x xmlns='jabber:x:data'> read and built as elements. A form is named by the value of its
 * hidden field FORM_TYPE (XEP-0068).
 */
#ifndef XMPP_DATAFORM_H
#define XMPP_DATAFORM_H

#include <stdbool.h>

#include "xmpp/element.h"

/* Reading. The form among parent's children with that FORM_TYPE (form_type NULL: the first form); NULL: none. A form
 * without a FORM_TYPE is answered for any: clients leave it out of a submission. */
const struct element *dataform_find(struct arena *arena, const struct element *parent, const char *form_type);
/* "submit", "cancel", "form", "result"; "" where it is missing. */
const char *dataform_type(const struct element *form);
const struct element *dataform_field(const struct element *form, const char *var);      /* NULL: absent */
/* The first value of a field; NULL: the field is absent or has none. */
const char *dataform_value(struct arena *arena, const struct element *form, const char *var);
const char *dataform_field_value(struct arena *arena, const struct element *field);
/* XEP-0004 §3.3: 0, 1, false, true. false: text is none of them. */
bool dataform_read_bool(const char *text, bool *out);

/* Building, as the last child of parent (NULL: as a root). type and var are borrowed, values copied. */
struct element *dataform_add(struct arena *arena, struct element *parent, const char *type, const char *form_type);
/* type, label, value may be NULL. */
struct element *dataform_add_field(struct arena *arena, struct element *form, const char *var, const char *type,
                                   const char *label, const char *value);
void dataform_add_value(struct arena *arena, struct element *field, const char *value);
void dataform_add_option(struct arena *arena, struct element *field, const char *value);

#endif
