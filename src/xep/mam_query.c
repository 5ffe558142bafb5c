/* SPDX-License-Identifier: MIT
 *
 * What a query of an archive asks for (XEP-0313): the fields of its form (§4.1), and its page (§4.3, XEP-0059).
 *
 * An id says where in time its entry stands. So a page behind an id that is no more (it has expired, or a crash came before
 * it was durable) goes on from its place, where §4.3.2 would answer item-not-found; ids that are none of ours are refused.
 */
#include "mam.h"

#include <string.h>

#include "core/journal.h"
#include "xmpp/dataform.h"
#include "xmpp/ns.h"
#include "xmpp/rsm.h"
#include "xmpp/stamp.h"

enum {
	PAGE_USUAL = 50,
	PAGE_MOST = 250,
	IDS_MOST = 100,
};

/* ---- the form (§4.1) ---- */

/* §4.1.5: the list is open. */
static void ids_add(struct arena *arena, struct element *form)
{
	struct element *ids = dataform_add_field(arena, form, "ids", "list-multi", NULL, NULL);
	struct element *validate = element_add(arena, ids, "validate", NS_XDATA_VALIDATE);

	element_set(arena, validate, "datatype", "xs:string");
	element_add(arena, validate, "open", NS_XDATA_VALIDATE);
}

void mam_form_asked(struct iq_request *request)
{
	struct stanza *result = iq_result(request);
	struct arena *arena = &result->arena;
	struct element *query = element_add(arena, result->root, "query", NS_MAM);
	struct element *form = dataform_add(arena, query, "form", NS_MAM);

	dataform_add_field(arena, form, "with", "jid-single", NULL, NULL);
	dataform_add_field(arena, form, "start", "text-single", NULL, NULL);
	dataform_add_field(arena, form, "end", "text-single", NULL, NULL);
	dataform_add_field(arena, form, "before-id", "text-single", NULL, NULL);
	dataform_add_field(arena, form, "after-id", "text-single", NULL, NULL);
	ids_add(arena, form);
	dataform_add_field(arena, form, "include-groupchat", "boolean", NULL, NULL);
	iq_answer(request, result);
}

static enum stanza_condition read_with(struct arena *arena, const char *value, struct store_journal_archive *archive)
{
	struct jid jid;

	if (!jid_prepare(arena, value, strlen(value), JID_ANY, &jid))
		return STANZA_BAD_REQUEST;
	archive->with = jid.text;
	return STANZA_NO_ERROR;
}

static enum stanza_condition read_start(struct arena *arena, const char *value, struct store_journal_archive *archive)
{
	int64_t at_us;
	uint64_t from;

	(void)arena;
	if (!stamp_read(value, &at_us))
		return STANZA_BAD_REQUEST;
	from = journal_sequence_at(at_us);
	if (from > archive->from)
		archive->from = from;
	return STANZA_NO_ERROR;
}

static enum stanza_condition read_end(struct arena *arena, const char *value, struct store_journal_archive *archive)
{
	int64_t at_us;
	uint64_t to;

	(void)arena;
	if (!stamp_read(value, &at_us))
		return STANZA_BAD_REQUEST;
	to = journal_sequence_at(at_us + 1);
	to -= to > 0;
	if (to < archive->to)
		archive->to = to;
	return STANZA_NO_ERROR;
}

static enum stanza_condition read_after_id(struct arena *arena, const char *value, struct store_journal_archive *archive)
{
	uint64_t sequence;

	(void)arena;
	if (!journal_id_read(value, &sequence) || sequence >= INT64_MAX)
		return STANZA_ITEM_NOT_FOUND;
	if (sequence >= archive->from)
		archive->from = sequence + 1;
	return STANZA_NO_ERROR;
}

static enum stanza_condition read_before_id(struct arena *arena, const char *value, struct store_journal_archive *archive)
{
	uint64_t sequence;

	(void)arena;
	if (!journal_id_read(value, &sequence))
		return STANZA_ITEM_NOT_FOUND;
	if (sequence <= archive->to)
		archive->to = sequence ? sequence - 1 : 0;
	return STANZA_NO_ERROR;
}

static enum stanza_condition read_type(struct arena *arena, const char *value, struct store_journal_archive *archive)
{
	(void)arena;
	(void)archive;
	return strcmp(value, NS_MAM) == 0 ? STANZA_NO_ERROR : STANZA_BAD_REQUEST;
}

/* §4.1.4: what rooms say is not archived here, so there is nothing to be left out. */
static enum stanza_condition read_groupchat(struct arena *arena, const char *value, struct store_journal_archive *archive)
{
	bool included;

	(void)arena;
	(void)archive;
	return dataform_read_bool(value, &included) ? STANZA_NO_ERROR : STANZA_BAD_REQUEST;
}

static const struct {
	const char *var;
	enum stanza_condition (*read)(struct arena *arena, const char *value, struct store_journal_archive *archive);
} filters[] = {
	{ "FORM_TYPE", read_type },        { "with", read_with },           { "start", read_start },
	{ "end", read_end },               { "after-id", read_after_id },   { "before-id", read_before_id },
	{ "include-groupchat", read_groupchat },
};
enum { FILTERS = sizeof(filters) / sizeof(filters[0]) };

/* §4.1.3: single messages. */
static enum stanza_condition read_ids(struct arena *arena, const struct element *field,
                                      struct store_journal_archive *archive)
{
	uint64_t *ids = arena_alloc(arena, IDS_MOST * sizeof(*ids));

	for (const struct node *n = field->first; n; n = n->next) {
		if (!n->element || !element_is(n->element, "value", NS_DATA_FORM))
			continue;
		if (archive->id_count == IDS_MOST)
			return STANZA_POLICY_VIOLATION;
		if (!journal_id_read(element_text(arena, n->element), &ids[archive->id_count++]))
			return STANZA_ITEM_NOT_FOUND;
	}
	archive->ids = ids;
	return STANZA_NO_ERROR;
}

static enum stanza_condition read_field(struct arena *arena, const struct element *field,
                                        struct store_journal_archive *archive)
{
	const char *var = element_attr(field, "var"), *value = dataform_field_value(arena, field);

	if (!var)
		return STANZA_BAD_REQUEST;
	if (strcmp(var, "ids") == 0)
		return read_ids(arena, field, archive);
	for (size_t i = 0; i < FILTERS; i++) {
		if (strcmp(var, filters[i].var) == 0)
			return value ? filters[i].read(arena, value, archive) : STANZA_BAD_REQUEST;
	}
	return STANZA_FEATURE_NOT_IMPLEMENTED;
}

static enum stanza_condition read_form(struct arena *arena, const struct element *query,
                                       struct store_journal_archive *archive)
{
	const struct element *form = element_child(query, "x", NS_DATA_FORM);
	enum stanza_condition condition = STANZA_NO_ERROR;

	for (const struct node *n = form ? form->first : NULL; n && !condition; n = n->next) {
		if (n->element && element_is(n->element, "field", NS_DATA_FORM))
			condition = read_field(arena, n->element, archive);
	}
	return condition;
}

/* ---- the page (§4.3) ---- */

/* COMPAT Profanity 0.13 (2026-11): it says <after/> beside the <set/>, and would get the first page for ever. */
static const char *after_read(struct arena *arena, const struct element *query, const struct rsm *page)
{
	return page->asked ? page->after : element_child_text(arena, query, "after", NS_MAM);
}

static enum stanza_condition read_page(struct arena *arena, const struct element *query,
                                       struct store_journal_archive *archive)
{
	struct rsm page;

	if (!rsm_read(arena, query, &page))
		return STANZA_BAD_REQUEST;
	page.after = after_read(arena, query, &page);
	if (page.indexed)
		return STANZA_FEATURE_NOT_IMPLEMENTED;
	archive->limit = !page.limited ? PAGE_USUAL : page.max < PAGE_MOST ? page.max : PAGE_MOST;
	archive->backwards = page.before != NULL;
	archive->count_most = archive->limit == 0 ? SIZE_MAX : archive->backwards ? 0 : MAM_COUNT_MOST;
	if (page.after && !journal_id_read(page.after, &archive->after))
		return STANZA_ITEM_NOT_FOUND;
	if (page.before && *page.before && !journal_id_read(page.before, &archive->before))
		return STANZA_ITEM_NOT_FOUND;
	return STANZA_NO_ERROR;
}

enum stanza_condition mam_query_read(struct arena *arena, const struct element *query,
                                     struct store_journal_archive *archive)
{
	enum stanza_condition condition = read_form(arena, query, archive);

	return condition ? condition : read_page(arena, query, archive);
}
