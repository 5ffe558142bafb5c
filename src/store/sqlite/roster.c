/* SPDX-License-Identifier: MIT
 *
 * Operations on rosters (store/roster.h). The groups of an item are one value: their names, each with a NUL
 * behind it.
 */
#include "store/roster.h"

#include <string.h>

#include "operation.h"
#include "query.h"
#include "store/account.h"
#include "xmpp/utf8.h"

/* Versions of an account only grow. */
static enum store_status roster_version_put(struct database *db, int64_t account, uint64_t version)
{
	struct query q;

	query_start(&q, db, QUERY_ROSTER_VERSION);
	query_put_number(&q, account);
	query_put_unsigned(&q, version);
	return query_change(&q, STORE_ABSENT);
}

static const char *groups_pack(struct arena *arena, const struct store_roster_item *item, size_t *len)
{
	char *packed, *end;

	*len = 0;
	for (size_t i = 0; i < item->group_count; i++)
		*len += strlen(item->groups[i]) + 1;
	packed = end = arena_alloc(arena, *len);
	for (size_t i = 0; i < item->group_count; i++)
		end = stpcpy(end, item->groups[i]) + 1;
	return packed;
}

enum store_status sqlite_roster_put(struct database *db, struct store_request *request)
{
	const struct store_roster_item *item = &((struct store_roster_write *)request)->item;
	size_t groups_len;
	const char *groups = groups_pack(&request->arena, item, &groups_len);
	struct account_row row;
	enum store_status status = sqlite_account_find(db, request->owner, &row);
	struct query q;

	if (status != STORE_OK)
		return status;
	query_start(&q, db, QUERY_ROSTER_PUT);
	query_put_number(&q, row.id);
	query_put_text(&q, item->contact);
	query_put_text(&q, item->name);
	query_put_bytes(&q, groups, groups_len);
	query_put_number(&q, item->state);
	query_put_number(&q, item->approved);
	query_put_number(&q, item->listed);
	query_put_text(&q, item->request);
	query_put_unsigned(&q, item->version);
	status = query_change(&q, STORE_FAILED);
	return status == STORE_OK ? roster_version_put(db, row.id, item->version) : status;
}

enum store_status sqlite_roster_remove(struct database *db, struct store_request *request)
{
	const struct store_roster_item *item = &((struct store_roster_write *)request)->item;
	struct account_row row;
	enum store_status status = sqlite_account_find(db, request->owner, &row);
	struct query q;

	if (status != STORE_OK)
		return status;
	query_start(&q, db, QUERY_ROSTER_REMOVE);
	query_put_number(&q, row.id);
	query_put_text(&q, item->contact);
	status = query_change(&q, STORE_ABSENT);
	return status == STORE_OK ? roster_version_put(db, row.id, item->version) : status;
}

/* False where the last name has no NUL behind it, or one is no text. */
static bool groups_unpack(struct arena *arena, const char *packed, size_t len, struct store_roster_item *item)
{
	const char *end = packed + len;

	if (len && end[-1] != '\0')
		return false;
	for (const char *name = packed; name < end; name += strlen(name) + 1) {
		if (!utf8_is_xml(name, strlen(name)))
			return false;
		item->groups = rows_grow(arena, item->groups, item->group_count, sizeof(*item->groups));
		item->groups[item->group_count++] = name;
	}
	return true;
}

static void item_read(struct query *q, struct arena *arena, struct store_roster_item *item)
{
	const char *groups;
	size_t groups_len;

	item->contact = query_text(q, arena);
	item->name = query_text(q, arena);
	groups = query_bytes(q, arena, &groups_len);
	item->state = (uint8_t)query_number(q);
	item->approved = query_number(q);
	item->listed = query_number(q);
	item->request = query_text(q, arena);
	item->version = (uint64_t)query_number(q);
	if (!groups_unpack(arena, groups, groups_len, item))
		query_fail(q, "the groups of a roster item are no text");
}

bool sqlite_roster_load(struct database *db, int64_t account, struct store_account_load *load)
{
	struct arena *arena = &load->request.arena;
	struct query q;

	load->roster_count = 0;
	query_start(&q, db, QUERY_ROSTER);
	query_put_number(&q, account);
	while (query_next(&q)) {
		load->roster = rows_grow(arena, load->roster, load->roster_count, sizeof(*load->roster));
		item_read(&q, arena, &load->roster[load->roster_count++]);
	}
	return query_finish(&q);
}
