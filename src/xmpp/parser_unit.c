/* SPDX-License-Identifier: MIT
 *
 * One unit on its way through expat: its events become a tree in the caller's arena, and everything that RFC
 * 6120 §11.1 forbids or a limit counts ends it. What is handed over is UTF-8 (§11.6) of legal characters,
 * checked before expat sees it.
 */
#include "parser_inside.h"

#include <limits.h>
#include <string.h>

#include "xmpp/ns.h"
#include "xmpp/utf8.h"

enum { TEXT_KEPT = 64 << 10 };          /* a larger text buffer is given back after the unit */

/* What is taken must not grow beyond the limits of whoever gets it when it goes out again: each hop would
 * close its stream, which carries others. */
enum {
	STAMPED_ATTRS = 3,              /* from, to and xml:lang may be added to a stanza */
	REPEATED_FREE = 16 << 10,       /* bytes of namespaces written more than the unit has bytes */
};

void unit_begin(struct parser_set *set, struct arena *arena, const struct parser_limits *limits)
{
	if (set->has_namespaces)
		memset(set->namespaces, 0, sizeof(set->namespaces));
	set->has_namespaces = false;
	if (set->text.cap > TEXT_KEPT)
		buf_clear(&set->text);
	set->text.len = 0;
	set->unit = (struct unit){ .arena = arena, .limits = limits };
}

/* The first reason stays. Callbacks may follow for the tag that expat is in; they do nothing. */
static void unit_refuse(struct unit *unit, enum parser_result result)
{
	if (unit->result != PARSER_OK)
		return;
	unit->result = result;
	XML_StopParser(unit->expat, XML_FALSE);
}

static const char *set_unit_ns(struct parser_set *set, const char *ns, size_t len)
{
	struct unit_ns **bucket = &set->namespaces[hash_bytes(&set->seed, ns, len) % PARSER_NS_BUCKETS];
	struct unit_ns *found;

	for (found = *bucket; found; found = found->next)
		if (found->len == len && memcmp(found->name, ns, len) == 0)
			return found->name;
	found = arena_alloc(set->unit.arena, sizeof(*found));
	*found = (struct unit_ns){ .next = *bucket,
		                   .name = arena_str_len(set->unit.arena, ns, len),
		                   .len = len };
	*bucket = found;
	set->has_namespaces = true;
	return found->name;
}

static const char *set_ns(struct parser_set *set, const char *ns, size_t len)
{
	const char *known = name_find(&set->names, ns, len);

	return known ? known : set_unit_ns(set, ns, len);
}

static const char *set_name(struct parser_set *set, const char *name, size_t len)
{
	const char *known = name_find(&set->names, name, len);

	return known ? known : arena_str_len(set->unit.arena, name, len);
}

/* Splits expat's "namespace SEPARATOR name SEPARATOR prefix", the first and the last of which may be absent.
 * ns is NULL for a name in no namespace. */
static bool set_split(struct parser_set *set, const char *triplet, const char **name, const char **ns)
{
	const char *end = strchrnul(triplet, PARSER_SEPARATOR);
	const char *local;

	if (!*end) {
		*ns = NULL;
		*name = set_name(set, triplet, (size_t)(end - triplet));
		return true;
	}
	*ns = set_ns(set, triplet, (size_t)(end - triplet));
	local = end + 1;
	end = strchrnul(local, PARSER_SEPARATOR);
	*name = set_name(set, local, (size_t)(end - local));
	return !*end || !strchr(end + 1, PARSER_SEPARATOR);
}

static void set_flush_text(struct parser_set *set)
{
	struct unit *unit = &set->unit;

	if (set->text.len == 0)
		return;
	element_add_text_len(unit->arena, unit->at, set->text.data, set->text.len);
	set->text.len = 0;
}

/* The content namespace is jabber:client as long as the chain from the unit's top is unbroken. */
static const char *unit_content_ns(struct unit *unit, const char *ns)
{
	if (!unit->content_ns || unit->content_depth + 1 != unit->depth || strcmp(ns, unit->content_ns) != 0)
		return ns;
	unit->content_depth = unit->depth;
	return NS_CLIENT;
}

static struct attr *set_attr(struct parser_set *set, const char *triplet, const char *value)
{
	struct attr *attr = arena_alloc(set->unit.arena, sizeof(*attr));

	attr->next = NULL;
	if (!set_split(set, triplet, &attr->name, &attr->ns))
		return NULL;
	attr->value = arena_str(set->unit.arena, value);
	return attr;
}

static enum parser_result set_add_attrs(struct parser_set *set, struct element *element, const char **atts)
{
	struct unit *unit = &set->unit;
	uint32_t count = element->parent ? 0 : STAMPED_ATTRS, foreign = 0;

	for (struct attr **link = &element->attrs; *atts; atts += 2, link = &(*link)->next) {
		if (++count > unit->limits->attributes)
			return PARSER_LIMIT;
		*link = set_attr(set, atts[0], atts[1]);
		if (!*link)
			return PARSER_NOT_WELL_FORMED;
		if (!(*link)->ns || strcmp((*link)->ns, NS_XML) == 0)
			continue;
		unit->repeated += strlen((*link)->ns);
		if (++foreign >= unit->limits->declarations)
			return PARSER_LIMIT;
	}
	return PARSER_OK;
}

static enum parser_result set_open_element(struct parser_set *set, const char *triplet, const char **atts)
{
	struct unit *unit = &set->unit;
	const char *name, *ns;

	if (++unit->depth > unit->limits->depth || ++unit->elements > unit->limits->elements)
		return PARSER_LIMIT;
	if ((unit->top && !unit->at) || !set_split(set, triplet, &name, &ns))
		return PARSER_NOT_WELL_FORMED;
	if (ns && strcmp(ns, NS_XML) == 0)
		return PARSER_BAD_PREFIX;
	ns = unit_content_ns(unit, ns ? ns : "");
	if (unit->at) {
		if (ns != unit->at->ns)
			unit->repeated += strlen(ns);
		set_flush_text(set);
		unit->at = element_add(unit->arena, unit->at, name, ns);
	} else {
		unit->at = unit->top = element_new(unit->arena, name, ns);
	}
	return set_add_attrs(set, unit->at, atts);
}

static void XMLCALL on_start(void *user, const char *triplet, const char **atts)
{
	struct parser_set *set = user;
	struct unit *unit = &set->unit;
	enum parser_result result;

	unit->declared = 0;
	if (unit->result != PARSER_OK)
		return;
	result = set_open_element(set, triplet, atts);
	if (result == PARSER_OK && unit->repeated > unit->len + REPEATED_FREE)
		result = PARSER_LIMIT;
	if (result != PARSER_OK)
		unit_refuse(unit, result);
}

static void XMLCALL on_end(void *user, const char *triplet)
{
	struct parser_set *set = user;
	struct unit *unit = &set->unit;

	(void)triplet;
	if (unit->result != PARSER_OK)
		return;
	if (!unit->at) {
		unit_refuse(unit, PARSER_NOT_WELL_FORMED);
		return;
	}
	set_flush_text(set);
	if (unit->content_depth == unit->depth)
		unit->content_depth--;
	unit->depth--;
	unit->at = unit->at->parent;
}

static bool is_blank(const char *text, int len)
{
	while (len > 0 && strchr(" \t\r\n", text[len - 1]))
		len--;
	return len == 0;
}

/* Outside of the unit's element there may be blanks only. */
static void XMLCALL on_text(void *user, const char *text, int len)
{
	struct parser_set *set = user;
	struct unit *unit = &set->unit;

	if (unit->result != PARSER_OK)
		return;
	if (unit->at)
		buf_add(&set->text, text, (size_t)len);
	else if (!is_blank(text, len))
		unit_refuse(unit, PARSER_NOT_WELL_FORMED);
}

static void set_keep_declaration(struct parser_set *set, const char *prefix, const char *ns)
{
	struct unit *unit = &set->unit;
	struct declaration *declaration = arena_alloc(unit->arena, sizeof(*declaration));

	*declaration = (struct declaration){ .prefix = prefix ? arena_str(unit->arena, prefix) : NULL,
		                             .ns = set_ns(set, ns, strlen(ns)) };
	*unit->last_declaration = declaration;
	unit->last_declaration = &declaration->next;
}

/* Comes for each declaration before the element that carries it. */
static void XMLCALL on_declaration(void *user, const char *prefix, const char *ns)
{
	struct parser_set *set = user;
	struct unit *unit = &set->unit;

	if (unit->result != PARSER_OK)
		return;
	if (!ns)
		ns = "";
	if (++unit->declared > unit->limits->declarations || strlen(ns) > PARSER_NS_MAX)
		unit_refuse(unit, PARSER_LIMIT);
	else if (unit->is_header)
		set_keep_declaration(set, prefix, ns);
}

static void XMLCALL on_xml_declaration(void *user, const char *version, const char *encoding, int standalone)
{
	struct parser_set *set = user;

	(void)standalone;
	if (encoding && strcasecmp(encoding, "UTF-8") != 0)
		unit_refuse(&set->unit, PARSER_UNSUPPORTED_ENCODING);
	else if (version && strcmp(version, "1.0") != 0)
		unit_refuse(&set->unit, PARSER_NOT_WELL_FORMED);
}

static void XMLCALL on_doctype(void *user, const char *name, const char *system_id, const char *public_id,
                               int subset)
{
	struct parser_set *set = user;

	(void)name, (void)system_id, (void)public_id, (void)subset;
	unit_refuse(&set->unit, PARSER_RESTRICTED);
}

static void XMLCALL on_comment(void *user, const char *text)
{
	struct parser_set *set = user;

	(void)text;
	unit_refuse(&set->unit, PARSER_RESTRICTED);
}

static void XMLCALL on_instruction(void *user, const char *target, const char *text)
{
	struct parser_set *set = user;

	(void)target, (void)text;
	unit_refuse(&set->unit, PARSER_RESTRICTED);
}

void unit_listen(struct parser_set *set, XML_Parser expat)
{
	XML_SetUserData(expat, set);
	XML_SetElementHandler(expat, on_start, on_end);
	XML_SetCharacterDataHandler(expat, on_text);
	XML_SetStartNamespaceDeclHandler(expat, on_declaration);
	XML_SetXmlDeclHandler(expat, on_xml_declaration);
	XML_SetStartDoctypeDeclHandler(expat, on_doctype);
	XML_SetCommentHandler(expat, on_comment);
	XML_SetProcessingInstructionHandler(expat, on_instruction);
}

static enum parser_result expat_fault(XML_Parser expat)
{
	switch (XML_GetErrorCode(expat)) {
	case XML_ERROR_UNBOUND_PREFIX:
	case XML_ERROR_UNDECLARING_PREFIX:
	case XML_ERROR_RESERVED_PREFIX_XML:
	case XML_ERROR_RESERVED_PREFIX_XMLNS:
	case XML_ERROR_RESERVED_NAMESPACE_URI:
		return PARSER_BAD_PREFIX;
	case XML_ERROR_UNDEFINED_ENTITY:
	case XML_ERROR_MISPLACED_XML_PI:
		return PARSER_RESTRICTED;
	case XML_ERROR_UNKNOWN_ENCODING:
	case XML_ERROR_INCORRECT_ENCODING:
		return PARSER_UNSUPPORTED_ENCODING;
	case XML_ERROR_AMPLIFICATION_LIMIT_BREACH:
	case XML_ERROR_NO_MEMORY:
		return PARSER_LIMIT;
	default:
		return PARSER_NOT_WELL_FORMED;
	}
}

enum parser_result unit_parse(struct unit *unit, const char *bytes, size_t len, uint64_t before,
                              uint32_t open)
{
	if (len > INT_MAX / 2)
		return PARSER_LIMIT;
	if (!utf8_is_xml(bytes, len))
		return PARSER_NOT_WELL_FORMED;
	unit->len = len;
	if (XML_Parse(unit->expat, bytes, (int)len, XML_FALSE) != XML_STATUS_OK)
		return unit->result != PARSER_OK ? unit->result : expat_fault(unit->expat);
	if (unit->result != PARSER_OK)
		return unit->result;
	if (!unit->top || unit->depth != open ||
	    XML_GetCurrentByteIndex(unit->expat) != (XML_Index)(before + len))
		return PARSER_NOT_WELL_FORMED;
	return PARSER_OK;
}
