/* SPDX-License-Identifier: MIT
 *
 * One table of fields, read in both directions (XEP-0292 §11). Photos are not among them: avatars have a conversion of
 * their own (XEP-0398). What the two formats write in different ways (places, media) has a pair of functions.
 */
#include "vcard4_map.h"

#include <stdbool.h>
#include <string.h>

#include "vcard.h"
#include "xmpp/ns.h"

struct pair {
	const char *temp, *four; /* NULL ends */
};

/* What one format's element says, added to that of the other. */
struct writing {
	void (*from_temp)(struct arena *arena, const struct element *from, struct element *to);
	void (*to_temp)(struct arena *arena, const struct element *from, struct element *to);
};

struct field {
	const char *temp;           /* "TEL" in vcard-temp */
	const char *four;           /* "tel" in vCard4 */
	const char *value;          /* vCard4: the element with the value: "text", "uri", "date"; NULL: it has parts */
	const char *scheme;         /* vCard4: what the value begins with; NULL: nothing */
	const char *legal;          /* vCard4: the characters that its URI may have; others make it a text; NULL: any */
	const char *inside;         /* vcard-temp: the child with the value; NULL: the field itself */
	const char *more;           /* vcard-temp: the children with further values, for a list; NULL: one value only */
	const struct pair *parts;   /* of a structured field */
	const struct pair *types;   /* that it may have */
	const struct writing *writing; /* of a value that is written in another way; NULL: it is not */
};

static void place_from_temp(struct arena *arena, const struct element *from, struct element *to);
static void place_to_temp(struct arena *arena, const struct element *from, struct element *to);
static void media_from_temp(struct arena *arena, const struct element *from, struct element *to);
static void media_to_temp(struct arena *arena, const struct element *from, struct element *to);

#define GEO "geo:"
#define DATA "data:"
#define BASE64 ";base64,"
#define URI_LEGAL "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~@/:"

static const struct pair name_parts[] = {
	{ "FAMILY", "surname" }, { "GIVEN", "given" },  { "MIDDLE", "additional" },
	{ "PREFIX", "prefix" },  { "SUFFIX", "suffix" }, { 0 },
};

static const struct pair address_parts[] = {
	{ "POBOX", "pobox" },       { "EXTADD", "ext" },    { "STREET", "street" }, { "LOCALITY", "locality" },
	{ "REGION", "region" },     { "PCODE", "code" },    { "CTRY", "country" },  { 0 },
};

static const struct pair place_types[] = { { "HOME", "home" }, { "WORK", "work" }, { 0 } };

static const struct pair telephone_types[] = {
	{ "HOME", "home" },   { "WORK", "work" }, { "VOICE", "voice" }, { "FAX", "fax" },
	{ "PAGER", "pager" }, { "CELL", "cell" }, { "VIDEO", "video" }, { 0 },
};

static const struct writing place_writing = { place_from_temp, place_to_temp };
static const struct writing media_writing = { media_from_temp, media_to_temp };

/* The first of several with the same name is the one that the other format's becomes. */
static const struct field fields[] = {
	{ "FN", "fn", .value = "text" },
	{ "N", "n", .parts = name_parts },
	{ "NICKNAME", "nickname", .value = "text" },
	{ "BDAY", "bday", .value = "date" },
	{ "ADR", "adr", .parts = address_parts, .types = place_types },
	{ "TEL", "tel", .value = "uri", .scheme = "tel:", .legal = "0123456789+-.()",
	  .inside = "NUMBER", .types = telephone_types },
	{ "EMAIL", "email", .value = "text", .inside = "USERID", .types = place_types },
	{ "JABBERID", "impp", .value = "uri", .scheme = "xmpp:", .legal = URI_LEGAL },
	{ "TZ", "tz", .value = "text" },
	{ "GEO", "geo", .writing = &place_writing },
	{ "TITLE", "title", .value = "text" },
	{ "ROLE", "role", .value = "text" },
	{ "LOGO", "logo", .writing = &media_writing },
	{ "ORG", "org", .value = "text", .inside = "ORGNAME", .more = "ORGUNIT" },
	{ "CATEGORIES", "categories", .value = "text", .inside = "KEYWORD", .more = "KEYWORD" },
	{ "DESC", "note", .value = "text" },
	{ "NOTE", "note", .value = "text" },
	{ "PRODID", "prodid", .value = "text" },
	{ "REV", "rev", .value = "timestamp" },
	{ "SOUND", "sound", .writing = &media_writing },
	{ "UID", "uid", .value = "text" },
	{ "URL", "url", .value = "uri" },
	{ "KEY", "key", .value = "text", .inside = "CRED" },
	{ 0 },
};

static void text_add(struct arena *arena, struct element *parent, const char *name, const char *ns, const char *text)
{
	if (*text)
		element_add_text(arena, element_add(arena, parent, name, ns), text);
}

/* Removes the fields that the mapping knows. */
static void fields_clear(struct element *card)
{
	bool is_temp = strcmp(card->ns, NS_VCARD) == 0;

	for (const struct field *field = fields; field->temp; field++) {
		struct element *child;

		while ((child = element_child(card, is_temp ? field->temp : field->four, card->ns)))
			element_remove(card, child);
	}
}

/* An element of which nothing came is no field. */
static void element_drop_if_empty(struct element *card, struct element *element)
{
	if (!element->first)
		element_remove(card, element);
}

/* ---- places: latitude and longitude, or a geo: URI (RFC 5870) ---- */

static void place_from_temp(struct arena *arena, const struct element *from, struct element *to)
{
	const char *latitude = element_child_text(arena, from, "LAT", NS_VCARD);
	const char *longitude = element_child_text(arena, from, "LON", NS_VCARD);

	if (latitude && *latitude && longitude && *longitude)
		text_add(arena, to, "uri", NS_VCARD4, arena_printf(arena, GEO "%s,%s", latitude, longitude));
}

static void place_to_temp(struct arena *arena, const struct element *from, struct element *to)
{
	const char *uri = element_child_text(arena, from, "uri", NS_VCARD4);
	const char *latitude = uri && strncmp(uri, GEO, strlen(GEO)) == 0 ? uri + strlen(GEO) : "";
	const char *longitude = latitude + strcspn(latitude, ",");

	if (!*longitude)
		return;
	text_add(arena, to, "LAT", NS_VCARD, arena_str_len(arena, latitude, (size_t)(longitude - latitude)));
	longitude++;
	text_add(arena, to, "LON", NS_VCARD, arena_str_len(arena, longitude, strcspn(longitude, ",;")));
}

/* ---- media: bytes with their type, or an address; in vCard4 the bytes are a data: URI (RFC 2397) ---- */

static void media_from_temp(struct arena *arena, const struct element *from, struct element *to)
{
	const char *address = element_child_text(arena, from, "EXTVAL", NS_VCARD);
	const char *bytes = element_child_text(arena, from, "BINVAL", NS_VCARD);
	const char *type = element_child_text(arena, from, "TYPE", NS_VCARD);

	if (address)
		text_add(arena, to, "uri", NS_VCARD4, address);
	else if (bytes && *bytes)
		text_add(arena, to, "uri", NS_VCARD4,
		         arena_printf(arena, DATA "%s" BASE64 "%s", type ? type : "", vcard_bytes(arena, bytes)));
}

static void media_to_temp(struct arena *arena, const struct element *from, struct element *to)
{
	const char *uri = element_child_text(arena, from, "uri", NS_VCARD4);
	const char *type = uri && strncmp(uri, DATA, strlen(DATA)) == 0 ? uri + strlen(DATA) : NULL;
	const char *bytes = type ? strstr(type, BASE64) : NULL;

	if (bytes) {
		text_add(arena, to, "TYPE", NS_VCARD, arena_str_len(arena, type, (size_t)(bytes - type)));
		text_add(arena, to, "BINVAL", NS_VCARD, vcard_bytes(arena, bytes + strlen(BASE64)));
	} else if (uri) {
		text_add(arena, to, "EXTVAL", NS_VCARD, uri);
	}
}

/* ---- to vCard4 ---- */

static void types_from_temp(struct arena *arena, const struct field *field, const struct element *from,
                            struct element *to)
{
	struct element *parameters = element_add(arena, to, "parameters", NS_VCARD4);
	struct element *type = element_add(arena, parameters, "type", NS_VCARD4);

	for (const struct pair *pair = field->types; pair && pair->temp; pair++) {
		if (element_child(from, pair->temp, NS_VCARD))
			text_add(arena, type, "text", NS_VCARD4, pair->four);
	}
	element_drop_if_empty(parameters, type);
	if (element_child(from, "PREF", NS_VCARD))
		text_add(arena, element_add(arena, parameters, "pref", NS_VCARD4), "integer", NS_VCARD4, "1");
	element_drop_if_empty(to, parameters);
}

static void parts_from_temp(struct arena *arena, const struct field *field, const struct element *from,
                            struct element *to)
{
	for (const struct pair *pair = field->parts; pair->temp; pair++) {
		const char *text = element_child_text(arena, from, pair->temp, NS_VCARD);

		if (text)
			text_add(arena, to, pair->four, NS_VCARD4, text);
	}
}

static void value_from_temp(struct arena *arena, const struct field *field, const char *text, struct element *to)
{
	bool fits = !field->legal || strspn(text, field->legal) == strlen(text);

	if (!*text)
		return;
	if (!fits)
		text_add(arena, to, "text", NS_VCARD4, text);
	else
		text_add(arena, to, field->value, NS_VCARD4,
		         field->scheme ? arena_printf(arena, "%s%s", field->scheme, text) : text);
}

static void values_from_temp(struct arena *arena, const struct field *field, const struct element *from,
                             struct element *to)
{
	if (!field->inside) {
		value_from_temp(arena, field, element_text(arena, from), to);
		return;
	}
	for (const struct node *node = from->first; node; node = node->next) {
		if (node->element && (element_is(node->element, field->inside, NS_VCARD) ||
		                      (field->more && element_is(node->element, field->more, NS_VCARD))))
			value_from_temp(arena, field, element_text(arena, node->element), to);
	}
}

static void field_from_temp(struct arena *arena, const struct field *field, const struct element *from,
                            struct element *card)
{
	struct element *to = element_add(arena, card, field->four, NS_VCARD4);
	struct node *typed;

	types_from_temp(arena, field, from, to);
	typed = to->last;
	if (field->writing)
		field->writing->from_temp(arena, from, to);
	else if (field->parts)
		parts_from_temp(arena, field, from, to);
	else
		values_from_temp(arena, field, from, to);
	if (to->last == typed)
		element_remove(card, to);
}

void vcard4_from_temp(struct arena *arena, const struct element *from, struct element *to)
{
	fields_clear(to);
	for (const struct field *field = fields; field->temp; field++) {
		for (const struct node *node = from ? from->first : NULL; node; node = node->next) {
			if (node->element && element_is(node->element, field->temp, NS_VCARD))
				field_from_temp(arena, field, node->element, to);
		}
	}
}

/* ---- to vcard-temp ---- */

static bool type_has(struct arena *arena, const struct element *type, const char *text)
{
	for (const struct node *node = type ? type->first : NULL; node; node = node->next) {
		if (node->element && strcmp(element_text(arena, node->element), text) == 0)
			return true;
	}
	return false;
}

static void types_to_temp(struct arena *arena, const struct field *field, const struct element *from,
                          struct element *to)
{
	const struct element *parameters = element_child(from, "parameters", NS_VCARD4);
	const struct element *type = parameters ? element_child(parameters, "type", NS_VCARD4) : NULL;

	for (const struct pair *pair = field->types; pair && pair->temp; pair++) {
		if (type_has(arena, type, pair->four))
			element_add(arena, to, pair->temp, NS_VCARD);
	}
	if (field->types && parameters && element_child(parameters, "pref", NS_VCARD4))
		element_add(arena, to, "PREF", NS_VCARD);
}

static void parts_to_temp(struct arena *arena, const struct field *field, const struct element *from,
                          struct element *to)
{
	for (const struct pair *pair = field->parts; pair->temp; pair++) {
		const char *text = element_child_text(arena, from, pair->four, NS_VCARD4);

		if (text)
			text_add(arena, to, pair->temp, NS_VCARD, text);
	}
}

/* The values of a field, whatever type they have. */
static void values_to_temp(struct arena *arena, const struct field *field, const struct element *from,
                           struct element *to)
{
	const char *inside = field->inside;

	for (const struct node *node = from->first; node; node = node->next) {
		size_t scheme = field->scheme ? strlen(field->scheme) : 0;
		const char *text;

		if (!node->element || element_is(node->element, "parameters", NS_VCARD4))
			continue;
		text = element_text(arena, node->element);
		if (scheme && strncmp(text, field->scheme, scheme) == 0)
			text += scheme;
		if (inside)
			text_add(arena, to, inside, NS_VCARD, text);
		else if (*text)
			element_add_text(arena, to, text);
		if (!field->more)
			return;
		inside = field->more;
	}
}

static void field_to_temp(struct arena *arena, const struct field *field, const struct element *from,
                          struct element *card)
{
	struct element *to = element_add(arena, card, field->temp, NS_VCARD);
	struct node *typed;

	types_to_temp(arena, field, from, to);
	typed = to->last;
	if (field->writing)
		field->writing->to_temp(arena, from, to);
	else if (field->parts)
		parts_to_temp(arena, field, from, to);
	else
		values_to_temp(arena, field, from, to);
	if (to->last == typed)
		element_remove(card, to);
}

void vcard4_to_temp(struct arena *arena, const struct element *from, struct element *to)
{
	fields_clear(to);
	for (const struct field *field = fields; field->temp; field++) {
		bool again = field != fields && strcmp(field->four, field[-1].four) == 0;

		for (const struct node *node = from && !again ? from->first : NULL; node; node = node->next) {
			if (node->element && element_is(node->element, field->four, NS_VCARD4))
				field_to_temp(arena, field, node->element, to);
		}
	}
}
