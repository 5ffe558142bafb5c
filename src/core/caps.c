/* SPDX-License-Identifier: MIT
 *
 * The verification string of XEP-0115 §5.1, step by step. All sorting is by octets. What says something twice (§5.4), or has
 * the character in it that stands between two things, is ill-formed: somebody may have made it for the string of another.
 */
#include "core/caps.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "xmpp/ns.h"

/* What is sorted: an element with the texts that decide. */
struct caps_item {
	const char *keys[4];
	const struct element *element;
};

struct caps_items {
	struct caps_item *list;
	size_t count;
};

static int item_compare(const void *a, const void *b)
{
	const struct caps_item *left = a, *right = b;
	int order = 0;

	for (int i = 0; i < 4 && order == 0; i++)
		order = strcmp(left->keys[i], right->keys[i]);
	return order;
}

static const char *attr_or_empty(const struct element *element, const char *name)
{
	const char *value = element_attr(element, name);

	return value ? value : "";
}

static const char *lang_or_empty(const struct element *element)
{
	const char *value = element_attr_ns(element, "lang", NS_XML);

	return value ? value : "";
}

/* The children of that name, sorted by what keys() finds in each. A key that stays NULL leaves the child
 * out. */
static struct caps_items items_sorted(struct arena *arena, const struct element *parent, const char *name,
                                      const char *ns,
                                      void (*keys)(struct arena *arena, struct caps_item *item))
{
	struct caps_items items = { 0 };
	size_t most = 0;

	for (const struct node *node = parent->first; node; node = node->next)
		most += node->element != NULL;
	items.list = arena_zalloc(arena, most * sizeof(*items.list));
	for (const struct node *node = parent->first; node; node = node->next) {
		struct caps_item *item = &items.list[items.count];

		if (!node->element || !element_is(node->element, name, ns))
			continue;
		*item = (struct caps_item){ .keys = { "", "", "", "" }, .element = node->element };
		keys(arena, item);
		items.count += item->keys[0] != NULL;
	}
	qsort(items.list, items.count, sizeof(*items.list), item_compare);
	return items;
}

/* They are sorted, so what is said twice stands side by side. */
static bool items_repeat(const struct caps_items *items)
{
	for (size_t i = 1; i < items->count; i++) {
		if (item_compare(&items->list[i - 1], &items->list[i]) == 0)
			return true;
	}
	return false;
}

static bool string_add(struct buf *out, const char *text)
{
	buf_add_str(out, text);
	buf_add_char(out, '<');
	return !strchr(text, '<');
}

/* ---- steps 2 and 3: identities ---- */

static void identity_keys(struct arena *arena, struct caps_item *item)
{
	(void)arena;
	item->keys[0] = attr_or_empty(item->element, "category");
	item->keys[1] = attr_or_empty(item->element, "type");
	item->keys[2] = lang_or_empty(item->element);
	item->keys[3] = attr_or_empty(item->element, "name");
}

static bool identities_add(struct buf *out, struct arena *arena, const struct element *query)
{
	struct caps_items identities = items_sorted(arena, query, "identity", NS_DISCO_INFO, identity_keys);
	bool well_formed = !items_repeat(&identities);

	for (size_t i = 0; i < identities.count; i++) {
		const char *const *keys = identities.list[i].keys;

		well_formed &= string_add(out, arena_printf(arena, "%s/%s/%s/%s", keys[0], keys[1], keys[2], keys[3]));
	}
	return well_formed;
}

/* ---- steps 4 and 5: features ---- */

static void feature_keys(struct arena *arena, struct caps_item *item)
{
	(void)arena;
	item->keys[0] = attr_or_empty(item->element, "var");
}

static bool features_add(struct buf *out, struct arena *arena, const struct element *query)
{
	struct caps_items features = items_sorted(arena, query, "feature", NS_DISCO_INFO, feature_keys);
	bool well_formed = !items_repeat(&features);

	for (size_t i = 0; i < features.count; i++)
		well_formed &= string_add(out, features.list[i].keys[0]);
	return well_formed;
}

/* ---- steps 6 and 7: forms (XEP-0128) ---- */

static void value_keys(struct arena *arena, struct caps_item *item)
{
	item->keys[0] = element_text(arena, item->element);
}

/* The FORM_TYPE names the form and is no field of it. */
static void field_keys(struct arena *arena, struct caps_item *item)
{
	const char *var = element_attr(item->element, "var");

	(void)arena;
	item->keys[0] = var && strcmp(var, "FORM_TYPE") != 0 ? var : NULL;
}

/* §5.4, step 3.6: a form without a hidden FORM_TYPE does not count. */
static void form_keys(struct arena *arena, struct caps_item *item)
{
	item->keys[0] = NULL;
	for (const struct node *node = item->element->first; node; node = node->next) {
		const struct element *field = node->element;

		if (field && element_is(field, "field", NS_DATA_FORM) &&
		    strcmp(attr_or_empty(field, "var"), "FORM_TYPE") == 0 &&
		    strcmp(attr_or_empty(field, "type"), "hidden") == 0)
			item->keys[0] = element_child_text(arena, field, "value", NS_DATA_FORM);
	}
}

static bool form_add(struct buf *out, struct arena *arena, const struct caps_item *form)
{
	struct caps_items fields = items_sorted(arena, form->element, "field", NS_DATA_FORM, field_keys);
	bool well_formed = string_add(out, form->keys[0]);

	for (size_t i = 0; i < fields.count; i++) {
		struct caps_items values =
			items_sorted(arena, fields.list[i].element, "value", NS_DATA_FORM, value_keys);

		well_formed &= string_add(out, fields.list[i].keys[0]);
		for (size_t j = 0; j < values.count; j++)
			well_formed &= string_add(out, values.list[j].keys[0]);
	}
	return well_formed;
}

static bool forms_add(struct buf *out, struct arena *arena, const struct element *query)
{
	struct caps_items forms = items_sorted(arena, query, "x", NS_DATA_FORM, form_keys);
	bool well_formed = !items_repeat(&forms);

	for (size_t i = 0; i < forms.count; i++)
		well_formed &= form_add(out, arena, &forms.list[i]);
	return well_formed;
}

bool caps_string(const struct element *query, struct buf *out)
{
	struct arena arena;
	bool well_formed;

	arena_init(&arena, 0);
	well_formed = identities_add(out, &arena, query);
	well_formed &= features_add(out, &arena, query);
	well_formed &= forms_add(out, &arena, query);
	arena_clear(&arena);
	return well_formed;
}

/* ---- steps 8 and 9 ---- */

bool caps_ver(const struct element *query, char ver[CAPS_VER_LEN + 1])
{
	struct buf string = { 0 }, text = { 0 };
	bool well_formed = caps_string(query, &string);
	uint8_t hash[DIGEST_MAX];

	digest_bytes(DIGEST_SHA1, string.data, string.len, hash);
	base64_encode(&text, hash, digest_size(DIGEST_SHA1));
	memcpy(ver, text.data, CAPS_VER_LEN);
	ver[CAPS_VER_LEN] = '\0';
	buf_clear(&string);
	buf_clear(&text);
	return well_formed;
}
