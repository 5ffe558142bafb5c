/* SPDX-License-Identifier: MIT
 *
 * Operations on journals (store/journal.h).
 */
#include "store/journal.h"

#include <string.h>

#include "operation.h"
#include "query.h"
#include "store/account.h"

enum {
	PEERS_BATCH_BITS = 6, /* peers are written for about 64 entries at once */
};

/* ---- written ---- */

static size_t peer_bare_len(const char *peer)
{
	return peer ? strcspn(peer, "/") : 0;
}

static const char *peer_resource(const char *peer)
{
	const char *rest = peer ? peer + peer_bare_len(peer) : "";

	return *rest ? rest + 1 : "";
}

static enum store_status body_put(struct database *db, const struct store_journal_entry *entry)
{
	struct query q;

	query_start(&q, db, QUERY_JOURNAL_BODY);
	query_put_unsigned(&q, entry->body);
	query_put_text_len(&q, entry->stanza, entry->stanza_len);
	return query_change(&q, STORE_FAILED);
}

static enum store_status entry_put(struct database *db, int64_t account, const struct store_journal_entry *entry)
{
	struct query q;

	query_start(&q, db, QUERY_JOURNAL_APPEND);
	query_put_number(&q, account);
	query_put_unsigned(&q, entry->sequence);
	query_put_unsigned(&q, entry->body);
	query_put_number(&q, entry->at_us);
	query_put_number(&q, entry->direction);
	query_put_number(&q, entry->type);
	query_put_number(&q, entry->archived);
	query_put_unsigned(&q, entry->stanza_len);
	query_put_text_len(&q, entry->peer, peer_bare_len(entry->peer));
	query_put_text(&q, peer_resource(entry->peer));
	query_put_unsigned(&q, entry->repeat);
	query_put_unsigned(&q, entry->stream);
	query_put_unsigned(&q, entry->handled);
	return query_change(&q, STORE_FAILED);
}

/* The entries with after < sequence <= up_to are known with their peers. */
static enum store_status peers_put(struct database *db, int64_t account, uint64_t after, uint64_t up_to)
{
	struct query q;

	query_start(&q, db, QUERY_JOURNAL_PEERS);
	query_put_number(&q, account);
	query_put_unsigned(&q, after);
	query_put_unsigned(&q, up_to);
	return query_change(&q, STORE_FAILED);
}

/* One of many, whatever the distances between them are. */
static bool sequence_is_chosen(uint64_t sequence)
{
	return sequence * 0x9e3779b97f4a7c15 >> (64 - PEERS_BATCH_BITS) == 0;
}

/* Peers are written for a batch of entries at once; an entry that comes out of order is written at once. */
static enum store_status peers_follow(struct database *db, struct recent_account *account, uint64_t sequence)
{
	enum store_status status;
	struct query q;

	if (sequence <= account->peers_up_to)
		return peers_put(db, account->id, sequence - 1, sequence);
	if (!sequence_is_chosen(sequence))
		return STORE_OK;
	status = peers_put(db, account->id, account->peers_up_to, sequence);
	if (status != STORE_OK)
		return status;
	account->peers_up_to = sequence;
	query_start(&q, db, QUERY_JOURNAL_PEERS_UP_TO);
	query_put_number(&q, account->id);
	query_put_unsigned(&q, sequence);
	return query_change(&q, STORE_FAILED);
}

static enum store_status account_recall(struct database *db, const char *owner, struct recent_account **account)
{
	struct account_row row;
	enum store_status status;

	*account = recent_find(&db->recent, owner);
	if (*account)
		return STORE_OK;
	status = sqlite_account_find(db, owner, &row);
	if (status == STORE_OK)
		*account = recent_put(&db->recent, owner, row.id, row.peers_up_to);
	return status;
}

enum store_status sqlite_journal_append(struct database *db, struct store_request *request)
{
	const struct store_journal_entry *entry = &((struct store_journal_append *)request)->entry;
	struct recent_account *account;
	enum store_status status = account_recall(db, request->owner, &account);

	if (status == STORE_OK)
		status = entry_put(db, account->id, entry);
	if (status == STORE_OK)
		status = body_put(db, entry);
	return status == STORE_OK ? peers_follow(db, account, entry->sequence) : status;
}

/* ---- undelivered ---- */

static void entry_read(struct query *q, struct arena *arena, struct store_journal_entry *entry)
{
	const char *peer, *resource;

	entry->sequence = (uint64_t)query_number(q);
	entry->at_us = query_number(q);
	entry->direction = query_number(q) == STORE_OUT ? STORE_OUT : STORE_IN;
	entry->type = (uint8_t)query_number(q);
	entry->archived = query_number(q);
	peer = query_text(q, arena);
	resource = query_text(q, arena);
	entry->peer = resource && *resource ? arena_printf(arena, "%s/%s", peer ? peer : "", resource) : peer;
	entry->stanza = query_text_len(q, arena, &entry->stanza_len);
}

enum store_status sqlite_journal_read(struct database *db, struct store_request *request)
{
	struct store_journal_read *read = (struct store_journal_read *)request;
	struct arena *arena = &request->arena;
	struct account_row row;
	enum store_status status = sqlite_account_find(db, request->owner, &row);
	struct query q;

	if (status != STORE_OK)
		return status;
	read->count = 0;
	query_start(&q, db, QUERY_JOURNAL_READ);
	query_put_number(&q, row.id);
	query_put_unsigned(&q, read->after > row.delivered ? read->after : row.delivered);
	query_put_unsigned(&q, read->limit);
	while (query_next(&q)) {
		read->entries = rows_grow(arena, read->entries, read->count, sizeof(*read->entries));
		entry_read(&q, arena, &read->entries[read->count++]);
	}
	return query_finish(&q) ? STORE_OK : STORE_FAILED;
}

/* Those between two sequences that have been delivered and are not archived. */
static enum store_status entries_forget(struct database *db, int64_t account, uint64_t after, uint64_t up_to,
                                        bool is_below_watermark)
{
	struct query q;

	query_start(&q, db, QUERY_JOURNAL_FORGET);
	query_put_number(&q, account);
	query_put_unsigned(&q, after);
	query_put_unsigned(&q, up_to);
	query_put_number(&q, is_below_watermark);
	return query_change(&q, STORE_OK);
}

static enum store_status entry_except(struct database *db, int64_t account, uint64_t sequence)
{
	enum store_status status;
	struct query q;

	query_start(&q, db, QUERY_JOURNAL_EXCEPT);
	query_put_number(&q, account);
	query_put_unsigned(&q, sequence);
	status = query_change(&q, STORE_OK);
	return status == STORE_OK ? entries_forget(db, account, sequence - 1, sequence, false) : status;
}

enum store_status sqlite_journal_advance(struct database *db, struct store_request *request)
{
	struct store_journal_advance *advance = (struct store_journal_advance *)request;
	struct account_row row;
	enum store_status status = sqlite_account_find(db, request->owner, &row);
	struct query q;

	if (status != STORE_OK)
		return status;
	query_start(&q, db, QUERY_JOURNAL_ADVANCE);
	query_put_number(&q, row.id);
	query_put_unsigned(&q, advance->sequence);
	status = query_change(&q, STORE_ABSENT);
	if (status == STORE_OK)
		status = entries_forget(db, row.id, row.delivered, advance->sequence, true);
	for (size_t i = 0; i < advance->beyond_count && status == STORE_OK; i++)
		status = entry_except(db, row.id, advance->beyond[i]);
	return status;
}

/* What is undelivered with after < sequence <= up_to, all of it or only what is archived. */
static bool range_weigh(struct database *db, int64_t account, uint64_t after, uint64_t up_to, bool archived,
                        uint64_t *count, uint64_t *bytes)
{
	struct query q;

	query_start(&q, db, QUERY_JOURNAL_FETCHED_WEIGH);
	query_put_number(&q, account);
	query_put_unsigned(&q, after);
	query_put_unsigned(&q, up_to);
	query_put_number(&q, archived);
	if (query_next(&q)) {
		*count = (uint64_t)query_number(&q);
		*bytes = (uint64_t)query_number(&q);
	}
	return query_finish(&q);
}

/* The watermark may be moved to up_to: nothing waits below. */
static enum store_status watermark_follow(struct database *db, const struct account_row *row, uint64_t up_to)
{
	uint64_t waiting = 0, bytes;
	struct query q;

	if (!range_weigh(db, row->id, row->delivered, up_to, false, &waiting, &bytes))
		return STORE_FAILED;
	if (waiting > 0)
		return STORE_OK;
	query_start(&q, db, QUERY_JOURNAL_ADVANCE);
	query_put_number(&q, row->id);
	query_put_unsigned(&q, up_to);
	return query_change(&q, STORE_OK);
}

enum store_status sqlite_journal_fetched(struct database *db, struct store_request *request)
{
	struct store_journal_fetched *fetched = (struct store_journal_fetched *)request;
	struct account_row row;
	enum store_status status = sqlite_account_find(db, request->owner, &row);
	uint64_t after = fetched->after;
	struct query q;

	if (status != STORE_OK)
		return status;
	if (after < row.delivered)
		after = row.delivered;
	if (!range_weigh(db, row.id, after, fetched->up_to, true, &fetched->count, &fetched->bytes))
		return STORE_FAILED;
	if (fetched->count == 0)
		return STORE_OK;
	query_start(&q, db, QUERY_JOURNAL_FETCHED);
	query_put_number(&q, row.id);
	query_put_unsigned(&q, after);
	query_put_unsigned(&q, fetched->up_to);
	status = query_change(&q, STORE_FAILED);
	return status == STORE_OK ? watermark_follow(db, &row, fetched->up_to) : status;
}

/* How much waits, and where the sequences have got to. */
bool sqlite_journal_weigh(struct database *db, const struct account_row *row, struct store_account_load *load)
{
	struct query q;

	query_start(&q, db, QUERY_JOURNAL_WEIGH);
	query_put_number(&q, row->id);
	query_put_unsigned(&q, row->delivered);
	if (query_next(&q)) {
		load->undelivered = (uint64_t)query_number(&q);
		load->undelivered_bytes = (uint64_t)query_number(&q);
	}
	if (!query_finish(&q))
		return false;
	query_start(&q, db, QUERY_JOURNAL_NEWEST);
	query_put_number(&q, row->id);
	if (query_next(&q))
		load->journal_newest = (uint64_t)query_number(&q);
	if (load->journal_newest < row->delivered)
		load->journal_newest = row->delivered;
	return query_finish(&q);
}

/* ---- after a crash ---- */

bool sqlite_journal_repeats(struct database *db, int64_t account, struct store_account_load *load)
{
	struct query q;

	load->repeat_count = 0;
	query_start(&q, db, QUERY_JOURNAL_REPEATS);
	query_put_number(&q, account);
	query_put_unsigned(&q, load->repeats_after);
	query_put_unsigned(&q, load->repeats_most);
	while (query_next(&q)) {
		struct store_repeat *repeat;

		load->repeats = rows_grow(&load->request.arena, load->repeats, load->repeat_count, sizeof(*load->repeats));
		repeat = &load->repeats[load->repeat_count++];
		repeat->digest = (uint64_t)query_number(&q);
		repeat->at_us = query_number(&q);
	}
	return query_finish(&q);
}

enum store_status sqlite_journal_handled(struct database *db, struct store_request *request)
{
	struct store_journal_handled *asked = (struct store_journal_handled *)request;
	struct account_row row;
	enum store_status status = sqlite_account_find(db, request->owner, &row);
	bool found;
	struct query q;

	if (status != STORE_OK)
		return status;
	query_start(&q, db, QUERY_JOURNAL_HANDLED);
	query_put_number(&q, row.id);
	query_put_unsigned(&q, asked->stream);
	found = query_next(&q);
	if (found)
		asked->handled = (uint32_t)query_number(&q);
	if (!query_finish(&q))
		return STORE_FAILED;
	return found ? STORE_OK : STORE_ABSENT;
}

/* ---- the archive ---- */

struct range {
	uint64_t from, to;              /* both included */
};

static struct range range_of(const struct store_journal_archive *archive)
{
	struct range range = { archive->from, archive->to };

	if (archive->after >= range.from)
		range.from = archive->after == UINT64_MAX ? UINT64_MAX : archive->after + 1;
	if (archive->before <= range.to)
		range.to = archive->before ? archive->before - 1 : 0;
	return range;
}

/* The entries with one peer are in two parts: those that journal_peer knows, and the few behind them. */
static struct range range_known(struct range range, const struct account_row *row)
{
	if (range.to > row->peers_up_to)
		range.to = row->peers_up_to;
	return range;
}

static struct range range_behind(struct range range, const struct account_row *row)
{
	if (range.from <= row->peers_up_to)
		range.from = row->peers_up_to + 1;
	return range;
}

/* Parameters that all the archive's statements share. */
static void archive_put(struct query *q, int64_t account, struct range range, size_t limit, const char *with)
{
	const char *resource = peer_resource(with);

	query_put_number(q, account);
	query_put_unsigned(q, range.from);
	query_put_unsigned(q, range.to);
	query_put_unsigned(q, limit);
	if (!with)
		return;
	query_put_text_len(q, with, peer_bare_len(with));
	query_put_text(q, *resource ? resource : NULL);
}

/* Adds to count, at most up to most. */
static bool range_count(struct database *db, enum query_name name, int64_t account, struct range range, size_t most,
                        const char *with, size_t *count)
{
	struct query q;

	if (range.from > range.to || *count >= most)
		return true;
	query_start(&q, db, name);
	archive_put(&q, account, range, most - *count, with);
	if (query_next(&q))
		*count += (size_t)query_number(&q);
	return query_finish(&q);
}

static bool archive_count(struct database *db, const struct account_row *row, struct range range, size_t most,
                          const char *with, size_t *count)
{
	*count = 0;
	if (!with)
		return range_count(db, QUERY_JOURNAL_COUNT, row->id, range, most, NULL, count);
	return range_count(db, QUERY_JOURNAL_PEER_COUNT, row->id, range_known(range, row), most, with, count) &&
	       range_count(db, QUERY_JOURNAL_WITH_COUNT, row->id, range_behind(range, row), most, with, count);
}

static void entries_turn(struct store_journal_entry *entries, size_t count)
{
	for (size_t i = 0; i < count / 2; i++) {
		struct store_journal_entry kept = entries[i];

		entries[i] = entries[count - 1 - i];
		entries[count - 1 - i] = kept;
	}
}

static bool range_add(struct store_journal_archive *archive, struct database *db, enum query_name name,
                      int64_t account, struct range range)
{
	struct arena *arena = &archive->request.arena;
	size_t room = archive->limit < SIZE_MAX ? archive->limit + 1 : SIZE_MAX;
	struct query q;

	if (range.from > range.to || archive->more)
		return true;
	query_start(&q, db, name);
	archive_put(&q, account, range, room - archive->count, archive->with);
	while (query_next(&q)) {
		archive->more = archive->count == archive->limit;
		if (archive->more)
			break;
		archive->entries = rows_grow(arena, archive->entries, archive->count, sizeof(*archive->entries));
		entry_read(&q, arena, &archive->entries[archive->count++]);
	}
	return query_finish(&q);
}

static bool archive_add(struct store_journal_archive *archive, struct database *db, const struct account_row *row,
                        struct range range)
{
	struct range known = range_known(range, row), behind = range_behind(range, row);

	if (!archive->with)
		return range_add(archive, db, archive->backwards ? QUERY_JOURNAL_BACKWARDS : QUERY_JOURNAL_FORWARDS,
		                 row->id, range);
	if (archive->backwards)
		return range_add(archive, db, QUERY_JOURNAL_WITH_BACKWARDS, row->id, behind) &&
		       range_add(archive, db, QUERY_JOURNAL_PEER_BACKWARDS, row->id, known);
	return range_add(archive, db, QUERY_JOURNAL_PEER_FORWARDS, row->id, known) &&
	       range_add(archive, db, QUERY_JOURNAL_WITH_FORWARDS, row->id, behind);
}

static enum store_status archive_read_ids(struct store_journal_archive *archive, struct database *db,
                                          const struct account_row *row)
{
	for (size_t i = 0; i < archive->id_count; i++) {
		struct range range = { archive->ids[i], archive->ids[i] };

		if (range.from < archive->from || range.to > archive->to)
			continue;
		if (!archive_add(archive, db, row, range))
			return STORE_FAILED;
	}
	archive->total = archive->count;
	return STORE_OK;
}

static enum store_status archive_read_page(struct store_journal_archive *archive, struct database *db,
                                           const struct account_row *row)
{
	const struct range whole = { archive->from, archive->to }, page = range_of(archive);
	struct range front = whole;

	if (page.from <= page.to && !archive_add(archive, db, row, page))
		return STORE_FAILED;
	if (archive->backwards)
		entries_turn(archive->entries, archive->count);
	if (archive->count_most == 0)
		return STORE_OK;
	if (!archive_count(db, row, whole, archive->count_most, archive->with, &archive->total))
		return STORE_FAILED;
	if (archive->total == archive->count_most)
		return STORE_OK;
	front.to = archive->count && archive->entries[0].sequence ? archive->entries[0].sequence - 1 : 0;
	return archive_count(db, row, front, archive->count_most, archive->with, &archive->preceding) ? STORE_OK
	                                                                                               : STORE_FAILED;
}

enum store_status sqlite_journal_archive(struct database *db, struct store_request *request)
{
	struct store_journal_archive *archive = (struct store_journal_archive *)request;
	struct account_row row;
	enum store_status status = sqlite_account_find(db, request->owner, &row);

	if (status != STORE_OK)
		return status;
	archive->count = archive->total = archive->preceding = 0;
	archive->more = false;
	return archive->ids ? archive_read_ids(archive, db, &row) : archive_read_page(archive, db, &row);
}

static bool end_read(struct database *db, enum query_name name, int64_t account, uint64_t *sequence, int64_t *at_us)
{
	struct query q;

	query_start(&q, db, name);
	query_put_number(&q, account);
	if (query_next(&q)) {
		*sequence = (uint64_t)query_number(&q);
		*at_us = query_number(&q);
	}
	return query_finish(&q);
}

enum store_status sqlite_journal_span(struct database *db, struct store_request *request)
{
	struct store_journal_span *span = (struct store_journal_span *)request;
	struct account_row row;
	enum store_status status = sqlite_account_find(db, request->owner, &row);

	if (status != STORE_OK)
		return status;
	span->first = span->last = 0;
	return end_read(db, QUERY_JOURNAL_FIRST, row.id, &span->first, &span->first_us) &&
	                       end_read(db, QUERY_JOURNAL_LAST, row.id, &span->last, &span->last_us)
	               ? STORE_OK
	               : STORE_FAILED;
}

struct owned {
	int64_t id;
	const char *name;
	uint64_t delivered;
};

static bool surplus_read_accounts(struct database *db, const struct store_journal_surplus *surplus, struct arena *arena,
                                  struct owned **accounts, size_t *count)
{
	const char *after = surplus->after ? surplus->after : "";
	struct query q;

	query_start(&q, db, QUERY_JOURNAL_ACCOUNTS);
	query_put_text(&q, surplus->request.owner);
	query_put_text_len(&q, after, strcspn(after, "@"));
	query_put_unsigned(&q, surplus->limit);
	while (query_next(&q)) {
		struct owned *owned;

		*accounts = rows_grow(arena, *accounts, *count, sizeof(**accounts));
		owned = &(*accounts)[(*count)++];
		owned->id = query_number(&q);
		owned->name = query_text(&q, arena);
		owned->delivered = (uint64_t)query_number(&q);
	}
	return query_finish(&q);
}

/* The newest entry that is too much and may go; 0: there is none. */
static bool surplus_find(struct database *db, const struct store_journal_surplus *surplus, const struct owned *account,
                         uint64_t *found)
{
	uint64_t count = 0, bytes = 0;
	struct query q;

	*found = 0;
	query_start(&q, db, QUERY_JOURNAL_BYTES);
	query_put_number(&q, account->id);
	query_put_unsigned(&q, account->delivered);
	while (*found == 0 && query_next(&q)) {
		uint64_t sequence = (uint64_t)query_number(&q);
		bool is_surplus;

		count++;
		bytes += (uint64_t)query_number(&q);
		is_surplus = sequence < surplus->before || (surplus->most && count > surplus->most) ||
		             (surplus->most_bytes && bytes > surplus->most_bytes);
		if (is_surplus && query_number(&q))
			*found = sequence;
	}
	return query_finish(&q);
}

enum store_status sqlite_journal_surplus(struct database *db, struct store_request *request)
{
	struct store_journal_surplus *surplus = (struct store_journal_surplus *)request;
	struct arena *arena = &request->arena;
	struct owned *accounts = NULL;
	size_t count = 0;

	if (!surplus_read_accounts(db, surplus, arena, &accounts, &count))
		return STORE_FAILED;
	surplus->accounts = arena_alloc(arena, (count + 1) * sizeof(*surplus->accounts));
	surplus->below = arena_alloc(arena, (count + 1) * sizeof(*surplus->below));
	for (size_t i = 0; i < count; i++) {
		uint64_t newest;

		if (!surplus_find(db, surplus, &accounts[i], &newest))
			return STORE_FAILED;
		if (newest == 0)
			continue;
		surplus->accounts[surplus->count] = arena_printf(arena, "%s@%s", accounts[i].name, request->owner);
		surplus->below[surplus->count++] = newest + 1;
	}
	if (count == surplus->limit)
		surplus->last = arena_printf(arena, "%s@%s", accounts[count - 1].name, request->owner);
	return STORE_OK;
}

/* Everything below the answer is older than the time or too much. */
static bool expire_below(struct database *db, int64_t account, const struct store_journal_expire *expire,
                         uint64_t *below)
{
	struct query q;

	*below = expire->before;
	if (expire->most == 0)
		return true;
	query_start(&q, db, QUERY_JOURNAL_SURPLUS);
	query_put_number(&q, account);
	query_put_unsigned(&q, expire->most);
	if (query_next(&q)) {
		uint64_t surplus = (uint64_t)query_number(&q);

		if (surplus >= *below)
			*below = surplus + 1;
	}
	return query_finish(&q);
}

enum store_status sqlite_journal_expire(struct database *db, struct store_request *request)
{
	struct store_journal_expire *expire = (struct store_journal_expire *)request;
	struct account_row row;
	enum store_status status = sqlite_account_find(db, request->owner, &row);
	uint64_t below;
	struct query q;

	if (status != STORE_OK)
		return status;
	if (!expire_below(db, row.id, expire, &below))
		return STORE_FAILED;
	query_start(&q, db, QUERY_JOURNAL_EXPIRE);
	query_put_number(&q, row.id);
	query_put_unsigned(&q, below);
	query_put_unsigned(&q, row.delivered);
	query_put_unsigned(&q, expire->limit);
	status = query_change(&q, STORE_ABSENT);
	expire->removed = status == STORE_OK ? query_changed(&q) : 0;
	return status == STORE_FAILED ? status : STORE_OK;
}
