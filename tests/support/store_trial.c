/* SPDX-License-Identifier: MIT
 *
 * The trial store. Everything it keeps lies in one arena, which only grows: a test is short. What is removed
 * is taken out of its list and stays in the arena.
 */
#include "store_trial.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/timer.h"
#include "store/account.h"
#include "store/document.h"
#include "store/journal.h"
#include "store/outbox.h"
#include "store/pubsub.h"
#include "store/token.h"

enum { FAULTS = 8, DOCUMENTS = 32 };

struct kept_item {
	struct list_link link;
	struct store_roster_item item;
};

struct kept_entry {
	struct list_link link;
	struct store_journal_entry entry;
	bool delivered;                 /* an exception beyond the watermark */
};

struct kept_document {
	struct list_link link;
	const char *kind, *key, *text;
	size_t text_len;
};

struct kept_token {
	struct list_link link;
	const char *client;
	struct store_token token;
};

struct kept_publication {
	struct list_link link;
	struct store_pubsub_item item;
};

struct kept_node {
	struct list_link link;
	const char *name, *owner;
	struct store_pubsub_node node;
	struct list items;              /* struct kept_publication, oldest first */
};

struct kept_outgoing {
	struct list_link link;
	const char *outbox;
	struct store_outbox_entry entry;
};

struct kept_account {
	struct list_link link;
	const char *owner;              /* "" : the server itself, which is no account */
	struct store_credential credentials[STORE_CREDENTIALS];
	size_t credential_count;
	int64_t created_us;
	uint64_t roster_version;
	struct list roster;             /* by contact */
	struct list journal;            /* by sequence */
	uint64_t delivered;             /* the watermark */
	struct list documents;
	struct list tokens;             /* struct kept_token, oldest first */
};

struct trial {
	struct store store;             /* first */
	pthread_mutex_t lock;           /* of all below */
	struct arena arena;
	struct list accounts;           /* by owner */
	uint64_t token;                 /* id of the last one */
	struct list nodes;              /* struct kept_node of all owners, by name */
	struct list outgoing;           /* struct kept_outgoing, by outbox and sequence */
	struct mail *first, **last;     /* requests that wait, oldest first */
	uint64_t random;
	struct store_trial_fault faults[FAULTS];
	size_t fits[FAULTS];            /* requests that each fault has met */
	size_t fault_count;
	struct store_figures figures;
	struct timer timer;
	uint64_t every_ms;
};

static bool is_same(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* ---- accounts ---- */

static struct kept_account *account_of(struct trial *t, const char *owner)
{
	struct list_link *link;

	for (link = list_first(&t->accounts); link; link = list_next(&t->accounts, link)) {
		struct kept_account *account = LIST_MEMBER(link, struct kept_account, link);

		if (is_same(account->owner, owner))
			return account;
	}
	return NULL;
}

/* NULL also for the server itself. */
static struct kept_account *account_find(struct trial *t, const char *owner)
{
	return *owner ? account_of(t, owner) : NULL;
}

/* next NULL: at the end. */
static struct kept_document *document_find(struct kept_account *account, const struct store_document *asked)
{
	struct list_link *link;

	for (link = list_first(&account->documents); link; link = list_next(&account->documents, link)) {
		struct kept_document *kept = LIST_MEMBER(link, struct kept_document, link);

		if (is_same(kept->kind, asked->kind) && is_same(kept->key, asked->key))
			return kept;
	}
	return NULL;
}

/* Puts link in front of the first member whose key is not below its own; key_at: of the key's pointer
 * behind the link. */
static void list_add_sorted(struct list *list, struct list_link *link, size_t key_at)
{
	const char *key = *(const char **)((char *)link + key_at);
	struct list_link *next = list_first(list);

	while (next && strcmp(*(const char **)((char *)next + key_at), key) < 0)
		next = list_next(list, next);
	list_add_before(list, next, link);
}

static struct kept_account *account_new(struct trial *t, const char *owner, int64_t created_us)
{
	struct kept_account *account = arena_zalloc(&t->arena, sizeof(*account));

	account->owner = arena_str(&t->arena, owner);
	account->created_us = created_us;
	list_init(&account->roster);
	list_init(&account->journal);
	list_init(&account->documents);
	list_init(&account->tokens);
	list_add_sorted(&t->accounts, &account->link, offsetof(struct kept_account, owner));
	return account;
}

static enum store_status credentials_keep(struct kept_account *account, const struct store_account_write *write)
{
	memcpy(account->credentials, write->credentials, sizeof(account->credentials));
	account->credential_count = write->credential_count;
	return STORE_OK;
}

/* What a database would refuse: two keys of one hash, an account without a name. */
static bool credentials_are_sound(const struct store_account_write *write)
{
	return write->credential_count < 2 || write->credentials[0].kind != write->credentials[1].kind;
}

static enum store_status account_create(struct trial *t, struct store_request *request)
{
	const struct store_account_write *write = (struct store_account_write *)request;

	if (!credentials_are_sound(write) || !strchr(request->owner, '@'))
		return STORE_FAILED;
	if (account_of(t, request->owner))
		return STORE_CONFLICT;
	return credentials_keep(account_new(t, request->owner, write->created_us), write);
}

static enum store_status account_credentials(struct trial *t, struct store_request *request)
{
	const struct store_account_write *write = (struct store_account_write *)request;
	struct kept_account *account = account_find(t, request->owner);

	if (!account)
		return STORE_ABSENT;
	list_init(&account->tokens);
	return credentials_are_sound(write) ? credentials_keep(account, write) : STORE_FAILED;
}

static void nodes_forget(struct trial *t, const char *owner)
{
	struct list_link *link, *next;

	for (link = list_first(&t->nodes); link; link = next) {
		next = list_next(&t->nodes, link);
		if (is_same(LIST_MEMBER(link, struct kept_node, link)->owner, owner))
			list_remove(link);
	}
}

static enum store_status account_remove(struct trial *t, struct store_request *request)
{
	struct kept_account *account = account_find(t, request->owner);

	if (!account)
		return STORE_ABSENT;
	list_remove(&account->link);
	nodes_forget(t, request->owner);
	return STORE_OK;
}

static void item_copy(struct arena *arena, struct store_roster_item *to, const struct store_roster_item *from)
{
	*to = *from;
	to->contact = arena_str(arena, from->contact);
	to->name = from->name ? arena_str(arena, from->name) : NULL;
	to->request = from->request ? arena_str(arena, from->request) : NULL;
	to->groups = arena_alloc(arena, from->group_count * sizeof(*to->groups));
	for (size_t i = 0; i < from->group_count; i++)
		to->groups[i] = arena_str(arena, from->groups[i]);
}

static size_t list_count(const struct list *list)
{
	size_t count = 0;

	for (struct list_link *link = list_first(list); link; link = list_next(list, link))
		count++;
	return count;
}

static void roster_load(const struct kept_account *account, struct store_account_load *load)
{
	struct arena *arena = &load->request.arena;
	struct list_link *link;

	load->roster_count = 0;
	load->roster = arena_alloc(arena, list_count(&account->roster) * sizeof(*load->roster));
	for (link = list_first(&account->roster); link; link = list_next(&account->roster, link))
		item_copy(arena, &load->roster[load->roster_count++], &LIST_MEMBER(link, struct kept_item, link)->item);
}

static bool entry_is_undelivered(const struct kept_account *account, const struct kept_entry *kept)
{
	return kept->entry.direction == STORE_IN && kept->entry.sequence > account->delivered && !kept->delivered;
}

static uint64_t journal_newest(const struct kept_account *account)
{
	const struct list_link *last = account->journal.head.prev;

	return !list_is_empty(&account->journal) ? LIST_MEMBER(last, struct kept_entry, link)->entry.sequence : 0;
}

static void journal_weigh(const struct kept_account *account, struct store_account_load *load)
{
	struct list_link *link;

	load->journal_newest = journal_newest(account);
	if (load->journal_newest < account->delivered)
		load->journal_newest = account->delivered;
	for (link = list_first(&account->journal); link; link = list_next(&account->journal, link)) {
		const struct kept_entry *kept = LIST_MEMBER(link, struct kept_entry, link);

		load->undelivered += entry_is_undelivered(account, kept);
		load->undelivered_bytes += entry_is_undelivered(account, kept) ? kept->entry.stanza_len : 0;
	}
}

static void documents_load(struct kept_account *account, struct store_account_load *load)
{
	struct arena *arena = &load->request.arena;
	struct list_link *link;

	load->documents = arena_alloc(arena, DOCUMENTS * sizeof(*load->documents));
	for (link = list_first(&account->documents); link; link = list_next(&account->documents, link)) {
		const struct kept_document *kept = LIST_MEMBER(link, struct kept_document, link);

		bool wanted = is_same(kept->kind, "blocking") || is_same(kept->kind, "archive") || is_same(kept->kind, "push") ||
			      is_same(kept->kind, "session") || is_same(kept->kind, "shown");

		if (wanted && load->document_count < DOCUMENTS)
			load->documents[load->document_count++] = (struct store_account_document){
				arena_str(arena, kept->kind), arena_str(arena, kept->key),
				arena_str_len(arena, kept->text, kept->text_len), kept->text_len,
			};
	}
}

/* Newest first. */
static void repeats_load(const struct kept_account *account, struct store_account_load *load)
{
	size_t count = list_count(&account->journal);
	struct store_repeat *all = arena_alloc(&load->request.arena, count * sizeof(*all));
	struct list_link *link;

	for (link = list_first(&account->journal); link; link = list_next(&account->journal, link)) {
		const struct store_journal_entry *entry = &LIST_MEMBER(link, struct kept_entry, link)->entry;

		if (entry->repeat && entry->sequence > load->repeats_after)
			all[--count] = (struct store_repeat){ entry->repeat, entry->at_us };
	}
	load->repeats = all + count;
	load->repeat_count = list_count(&account->journal) - count;
	if (load->repeat_count > load->repeats_most)
		load->repeat_count = load->repeats_most;
}

static enum store_status account_load(struct trial *t, struct store_request *request)
{
	struct store_account_load *load = (struct store_account_load *)request;
	struct kept_account *account = account_find(t, request->owner);

	if (!account)
		return STORE_ABSENT;
	memcpy(load->credentials, account->credentials, sizeof(load->credentials));
	load->credential_count = account->credential_count;
	load->roster_version = account->roster_version;
	roster_load(account, load);
	journal_weigh(account, load);
	documents_load(account, load);
	repeats_load(account, load);
	return STORE_OK;
}

static bool is_of_host(const char *account, const char *host)
{
	const char *at = strchr(account, '@');

	return at && is_same(at + 1, host);
}

static enum store_status account_list(struct trial *t, struct store_request *request)
{
	struct store_account_list *list = (struct store_account_list *)request;
	size_t most = list_count(&t->accounts);
	struct list_link *link;

	list->accounts = arena_alloc(&request->arena, most * sizeof(*list->accounts));
	list->created_us = arena_alloc(&request->arena, most * sizeof(*list->created_us));
	for (link = list_first(&t->accounts); link && list->count < list->limit; link = list_next(&t->accounts, link)) {
		const struct kept_account *account = LIST_MEMBER(link, struct kept_account, link);

		if (!is_of_host(account->owner, request->owner))
			continue;
		if (list->after && strcmp(account->owner, list->after) <= 0)
			continue;
		list->accounts[list->count] = arena_str(&request->arena, account->owner);
		list->created_us[list->count++] = account->created_us;
	}
	return STORE_OK;
}

/* ---- rosters ---- */

static struct kept_item *item_find(struct kept_account *account, const char *contact)
{
	struct list_link *link;

	for (link = list_first(&account->roster); link; link = list_next(&account->roster, link)) {
		struct kept_item *item = LIST_MEMBER(link, struct kept_item, link);

		if (is_same(item->item.contact, contact))
			return item;
	}
	return NULL;
}

static void roster_version_keep(struct kept_account *account, uint64_t version)
{
	if (version > account->roster_version)
		account->roster_version = version;
}

static enum store_status roster_put(struct trial *t, struct store_request *request)
{
	const struct store_roster_item *item = &((struct store_roster_write *)request)->item;
	struct kept_account *account = account_find(t, request->owner);
	struct kept_item *kept;

	if (!account)
		return STORE_ABSENT;
	kept = item_find(account, item->contact);
	if (!kept) {
		kept = arena_zalloc(&t->arena, sizeof(*kept));
		kept->item.contact = arena_str(&t->arena, item->contact);
		list_add_sorted(&account->roster, &kept->link, offsetof(struct kept_item, item.contact));
	}
	item_copy(&t->arena, &kept->item, item);
	roster_version_keep(account, item->version);
	return STORE_OK;
}

static enum store_status roster_remove(struct trial *t, struct store_request *request)
{
	const struct store_roster_item *item = &((struct store_roster_write *)request)->item;
	struct kept_account *account = account_find(t, request->owner);
	struct kept_item *kept = account ? item_find(account, item->contact) : NULL;

	if (!kept)
		return STORE_ABSENT;
	list_remove(&kept->link);
	roster_version_keep(account, item->version);
	return STORE_OK;
}

/* ---- journals ---- */

static void entry_copy(struct arena *arena, struct store_journal_entry *to, const struct store_journal_entry *from)
{
	*to = *from;
	to->peer = arena_str(arena, from->peer);
	to->stanza = arena_str_len(arena, from->stanza, from->stanza_len);
}

static enum store_status journal_append(struct trial *t, struct store_request *request)
{
	struct store_journal_entry *entry = &((struct store_journal_append *)request)->entry;
	struct kept_account *account = account_find(t, request->owner);
	struct list_link *next;
	struct kept_entry *kept;

	if (!account)
		return STORE_ABSENT;
	if (!entry->peer || !entry->stanza)
		return STORE_FAILED;
	for (next = list_first(&account->journal); next; next = list_next(&account->journal, next)) {
		if (LIST_MEMBER(next, struct kept_entry, link)->entry.sequence == entry->sequence)
			return STORE_FAILED;
		if (LIST_MEMBER(next, struct kept_entry, link)->entry.sequence > entry->sequence)
			break;
	}
	kept = arena_zalloc(&t->arena, sizeof(*kept));
	entry_copy(&t->arena, &kept->entry, entry);
	list_add_before(&account->journal, next, &kept->link);
	return STORE_OK;
}

static enum store_status journal_handled(struct trial *t, struct store_request *request)
{
	struct store_journal_handled *asked = (struct store_journal_handled *)request;
	struct kept_account *account = account_find(t, request->owner);
	enum store_status status = STORE_ABSENT;

	for (struct list_link *link = account ? list_first(&account->journal) : NULL; link;
	     link = list_next(&account->journal, link)) {
		const struct store_journal_entry *entry = &LIST_MEMBER(link, struct kept_entry, link)->entry;

		if (entry->stream != asked->stream)
			continue;
		asked->handled = entry->handled;
		status = STORE_OK;
	}
	return status;
}

static enum store_status journal_read(struct trial *t, struct store_request *request)
{
	struct store_journal_read *read = (struct store_journal_read *)request;
	const struct kept_account *account = account_find(t, request->owner);
	struct list_link *link;

	if (!account)
		return STORE_ABSENT;
	read->entries = arena_alloc(&request->arena, list_count(&account->journal) * sizeof(*read->entries));
	for (link = list_first(&account->journal); link && read->count < read->limit;
	     link = list_next(&account->journal, link)) {
		const struct kept_entry *kept = LIST_MEMBER(link, struct kept_entry, link);

		if (entry_is_undelivered(account, kept) && kept->entry.sequence > read->after)
			entry_copy(&request->arena, &read->entries[read->count++], &kept->entry);
	}
	return STORE_OK;
}

static void journal_forget(struct kept_account *account)
{
	struct list_link *link, *next;

	for (link = list_first(&account->journal); link; link = next) {
		const struct kept_entry *kept = LIST_MEMBER(link, struct kept_entry, link);

		next = list_next(&account->journal, link);
		if (!kept->entry.archived && (kept->entry.sequence <= account->delivered || kept->delivered))
			list_remove(link);
	}
}

static void journal_except(struct kept_account *account, uint64_t sequence)
{
	struct list_link *link;

	for (link = list_first(&account->journal); link; link = list_next(&account->journal, link)) {
		if (LIST_MEMBER(link, struct kept_entry, link)->entry.sequence == sequence)
			LIST_MEMBER(link, struct kept_entry, link)->delivered = true;
	}
}

static enum store_status journal_advance(struct trial *t, struct store_request *request)
{
	const struct store_journal_advance *advance = (struct store_journal_advance *)request;
	struct kept_account *account = account_find(t, request->owner);
	uint64_t sequence = advance->sequence;

	if (!account)
		return STORE_ABSENT;
	if (sequence > journal_newest(account))
		sequence = journal_newest(account);
	if (sequence > account->delivered)
		account->delivered = sequence;
	for (size_t i = 0; i < advance->beyond_count; i++)
		journal_except(account, advance->beyond[i]);
	journal_forget(account);
	return STORE_OK;
}

static enum store_status journal_fetched(struct trial *t, struct store_request *request)
{
	struct store_journal_fetched *fetched = (struct store_journal_fetched *)request;
	struct kept_account *account = account_find(t, request->owner);
	bool others = false;

	if (!account)
		return STORE_ABSENT;
	for (struct list_link *link = list_first(&account->journal); link; link = list_next(&account->journal, link)) {
		struct kept_entry *kept = LIST_MEMBER(link, struct kept_entry, link);
		uint64_t sequence = kept->entry.sequence;

		if (sequence > fetched->up_to || !entry_is_undelivered(account, kept))
			continue;
		if (kept->entry.archived && sequence > fetched->after) {
			kept->delivered = true;
			fetched->count++;
			fetched->bytes += kept->entry.stanza_len;
		} else {
			others = true;
		}
	}
	if (!others && fetched->count && fetched->up_to > account->delivered)
		account->delivered = fetched->up_to < journal_newest(account) ? fetched->up_to : journal_newest(account);
	return STORE_OK;
}

static bool peer_is(const char *peer, const char *with)
{
	size_t len = with ? strlen(with) : 0;

	if (!with || is_same(peer, with))
		return true;
	return !strchr(with, '/') && strncmp(peer, with, len) == 0 && peer[len] == '/';
}

static bool archive_has(const struct store_journal_archive *archive, const struct store_journal_entry *entry)
{
	return entry->archived && entry->sequence >= archive->from && entry->sequence <= archive->to &&
	       peer_is(entry->peer, archive->with);
}

static bool archive_wants(const struct store_journal_archive *archive, uint64_t sequence)
{
	for (size_t i = 0; i < archive->id_count; i++) {
		if (archive->ids[i] == sequence)
			return true;
	}
	return !archive->ids && sequence > archive->after && sequence < archive->before;
}

/* Of all that fits, in order, only the page is left. */
static void archive_cut(struct store_journal_archive *archive)
{
	size_t surplus = archive->count > archive->limit && !archive->ids ? archive->count - archive->limit : 0;

	archive->more = surplus > 0;
	if (archive->backwards && surplus)
		archive->entries += surplus;
	archive->count -= surplus;
}

static enum store_status journal_archive(struct trial *t, struct store_request *request)
{
	struct store_journal_archive *archive = (struct store_journal_archive *)request;
	const struct kept_account *account = account_find(t, request->owner);
	size_t total = 0, most = archive->count_most;
	struct list_link *link;

	if (!account)
		return STORE_ABSENT;
	archive->count = archive->preceding = 0;
	archive->entries = arena_alloc(&request->arena, list_count(&account->journal) * sizeof(*archive->entries));
	for (link = list_first(&account->journal); link; link = list_next(&account->journal, link)) {
		const struct store_journal_entry *entry = &LIST_MEMBER(link, struct kept_entry, link)->entry;

		if (!archive_has(archive, entry))
			continue;
		total++;
		if (archive_wants(archive, entry->sequence))
			entry_copy(&request->arena, &archive->entries[archive->count++], entry);
	}
	archive_cut(archive);
	archive->total = archive->ids ? archive->count : total < most ? total : most;
	for (link = list_first(&account->journal); link && archive->count; link = list_next(&account->journal, link)) {
		const struct store_journal_entry *entry = &LIST_MEMBER(link, struct kept_entry, link)->entry;

		archive->preceding += archive_has(archive, entry) && archive->preceding < most &&
		                      entry->sequence < archive->entries[0].sequence;
	}
	return STORE_OK;
}

static enum store_status journal_span(struct trial *t, struct store_request *request)
{
	struct store_journal_span *span = (struct store_journal_span *)request;
	struct kept_account *account = account_find(t, request->owner);
	struct list_link *link;

	span->first = span->last = 0;
	for (link = account ? list_first(&account->journal) : NULL; link; link = list_next(&account->journal, link)) {
		const struct store_journal_entry *entry = &LIST_MEMBER(link, struct kept_entry, link)->entry;

		if (!entry->archived)
			continue;
		if (!span->first) {
			span->first = entry->sequence;
			span->first_us = entry->at_us;
		}
		span->last = entry->sequence;
		span->last_us = entry->at_us;
	}
	return account ? STORE_OK : STORE_ABSENT;
}

/* The newest entry that is too much and may go; 0: there is none. */
static uint64_t surplus_find(const struct store_journal_surplus *surplus, const struct kept_account *account)
{
	uint64_t count = 0, bytes = 0;

	for (struct list_link *link = list_last(&account->journal); link; link = list_previous(&account->journal, link)) {
		const struct kept_entry *kept = LIST_MEMBER(link, struct kept_entry, link);

		if (!kept->entry.archived)
			continue;
		count++;
		bytes += kept->entry.stanza_len;
		if (!entry_is_undelivered(account, kept) &&
		    (kept->entry.sequence < surplus->before || (surplus->most && count > surplus->most) ||
		     (surplus->most_bytes && bytes > surplus->most_bytes)))
			return kept->entry.sequence;
	}
	return 0;
}

/* All at once: limit is as much as the accounts there are. */
static enum store_status journal_surplus(struct trial *t, struct store_request *request)
{
	struct store_journal_surplus *surplus = (struct store_journal_surplus *)request;
	size_t most = list_count(&t->accounts);

	surplus->accounts = arena_alloc(&request->arena, most * sizeof(*surplus->accounts));
	surplus->below = arena_alloc(&request->arena, most * sizeof(*surplus->below));
	for (struct list_link *link = list_first(&t->accounts); link; link = list_next(&t->accounts, link)) {
		const struct kept_account *account = LIST_MEMBER(link, struct kept_account, link);
		uint64_t newest = is_of_host(account->owner, request->owner) ? surplus_find(surplus, account) : 0;

		if (newest == 0)
			continue;
		surplus->accounts[surplus->count] = arena_str(&request->arena, account->owner);
		surplus->below[surplus->count++] = newest + 1;
	}
	return STORE_OK;
}

static enum store_status journal_expire(struct trial *t, struct store_request *request)
{
	struct store_journal_expire *expire = (struct store_journal_expire *)request;
	struct kept_account *account = account_find(t, request->owner);
	struct list_link *link, *next;
	size_t archived = 0;

	if (!account)
		return STORE_ABSENT;
	expire->removed = 0;
	for (link = list_first(&account->journal); link; link = list_next(&account->journal, link))
		archived += LIST_MEMBER(link, struct kept_entry, link)->entry.archived;
	for (link = list_first(&account->journal); link && expire->removed < expire->limit; link = next) {
		const struct kept_entry *kept = LIST_MEMBER(link, struct kept_entry, link);
		bool is_surplus = expire->most && kept->entry.archived && archived-- > expire->most;

		next = list_next(&account->journal, link);
		if (!kept->entry.archived || entry_is_undelivered(account, kept) ||
		    (!is_surplus && kept->entry.sequence >= expire->before))
			continue;
		list_remove(link);
		expire->removed++;
	}
	return STORE_OK;
}

/* ---- documents ---- */

static void document_answer(struct store_document *document, const struct kept_document *kept)
{
	document->text = arena_str_len(&document->request.arena, kept->text, kept->text_len);
	document->text_len = kept->text_len;
}

static enum store_status document_get(struct trial *t, struct store_request *request)
{
	struct store_document *document = (struct store_document *)request;
	struct kept_account *account = account_of(t, request->owner);
	const struct kept_document *kept = account ? document_find(account, document) : NULL;

	document->text = NULL;
	document->text_len = 0;
	if (!kept)
		return STORE_ABSENT;
	document_answer(document, kept);
	return STORE_OK;
}

static void document_keep(struct trial *t, struct kept_account *account, const struct store_document *document)
{
	struct kept_document *kept = arena_zalloc(&t->arena, sizeof(*kept));

	kept->kind = arena_str(&t->arena, document->kind);
	kept->key = arena_str(&t->arena, document->key);
	kept->text = arena_str_len(&t->arena, document->text, document->text_len);
	kept->text_len = document->text_len;
	list_add_last(&account->documents, &kept->link);
}

/* Of that kind, the document itself not among them. */
static size_t document_count(struct kept_account *account, const struct store_document *document)
{
	const struct list *all = &account->documents;
	size_t count = 0;

	for (struct list_link *link = list_first(all); link; link = list_next(all, link)) {
		const struct kept_document *kept = LIST_MEMBER(link, struct kept_document, link);

		count += strcmp(kept->kind, document->kind) == 0 && strcmp(kept->key, document->key) != 0;
	}
	return count;
}

static enum store_status document_put(struct trial *t, struct store_request *request)
{
	struct store_document *document = (struct store_document *)request;
	struct kept_account *account = account_of(t, request->owner);
	struct kept_document *kept = account ? document_find(account, document) : NULL;

	if (!account || (!document->text && !kept))
		return STORE_ABSENT;
	if (kept && document->text && document->create_only) {
		document_answer(document, kept);
		return STORE_CONFLICT;
	}
	if (document->text && document->most && document_count(account, document) >= document->most)
		return STORE_FULL;
	if (kept)
		list_remove(&kept->link);
	if (document->text)
		document_keep(t, account, document);
	return STORE_OK;
}

static bool has_document(const struct kept_account *account, const char *kind)
{
	const struct list *all = &account->documents;

	for (struct list_link *link = list_first(all); link; link = list_next(all, link)) {
		if (is_same(LIST_MEMBER(link, struct kept_document, link)->kind, kind))
			return true;
	}
	return false;
}

/* Where an answer ends is the number of accounts that were looked at. */
static enum store_status document_owners(struct trial *t, struct store_request *request)
{
	struct store_document_owners *owners = (struct store_document_owners *)request;
	uint64_t place = 0;

	owners->accounts = arena_alloc(&request->arena, owners->limit * sizeof(*owners->accounts));
	owners->count = 0;
	owners->end = owners->after;
	for (struct list_link *link = list_first(&t->accounts); link; link = list_next(&t->accounts, link)) {
		const struct kept_account *account = LIST_MEMBER(link, struct kept_account, link);

		if (++place <= owners->after || owners->count == owners->limit || !*account->owner ||
		    !has_document(account, owners->kind))
			continue;
		owners->accounts[owners->count++] = arena_str(&request->arena, account->owner);
		owners->end = place;
	}
	return STORE_OK;
}

/* ---- publish-subscribe ---- */

static struct kept_node *node_find(struct trial *t, const char *owner, const char *name)
{
	struct list_link *link;

	for (link = list_first(&t->nodes); link; link = list_next(&t->nodes, link)) {
		struct kept_node *node = LIST_MEMBER(link, struct kept_node, link);

		if (is_same(node->owner, owner) && is_same(node->name, name))
			return node;
	}
	return NULL;
}

static void node_keep(struct trial *t, struct kept_node *kept, const struct store_pubsub_node *node)
{
	kept->node.config = arena_str(&t->arena, node->config);
	kept->node.affiliations = arena_str(&t->arena, node->affiliations);
}

static enum store_status node_add(struct trial *t, const char *owner, const struct store_pubsub_node *node, size_t most)
{
	struct kept_node *kept;
	struct list_link *link;
	size_t count = 0;

	if (strchr(owner, '@') && !account_find(t, owner))
		return STORE_ABSENT;
	for (link = list_first(&t->nodes); link; link = list_next(&t->nodes, link))
		count += is_same(LIST_MEMBER(link, struct kept_node, link)->owner, owner);
	if (count >= most)
		return STORE_FULL;
	kept = arena_zalloc(&t->arena, sizeof(*kept));
	kept->name = kept->node.name = arena_str(&t->arena, node->name);
	kept->owner = arena_str(&t->arena, owner);
	node_keep(t, kept, node);
	list_init(&kept->items);
	list_add_sorted(&t->nodes, &kept->link, offsetof(struct kept_node, name));
	return STORE_OK;
}

static enum store_status node_create(struct trial *t, struct store_request *request)
{
	const struct store_pubsub_write *write = (struct store_pubsub_write *)request;

	if (node_find(t, request->owner, write->node.name))
		return STORE_CONFLICT;
	return node_add(t, request->owner, &write->node, write->most_nodes);
}

static void node_trim(struct kept_node *node, size_t most)
{
	while (list_count(&node->items) > most)
		list_take_first(&node->items);
}

static enum store_status node_change(struct trial *t, struct store_request *request)
{
	const struct store_pubsub_write *write = (struct store_pubsub_write *)request;
	struct kept_node *kept = node_find(t, request->owner, write->node.name);

	if (!kept)
		return STORE_ABSENT;
	node_keep(t, kept, &write->node);
	node_trim(kept, write->most_items);
	return STORE_OK;
}

static enum store_status node_remove(struct trial *t, struct store_request *request)
{
	struct kept_node *kept = node_find(t, request->owner, ((struct store_pubsub_write *)request)->node.name);

	if (kept)
		list_remove(&kept->link);
	return kept ? STORE_OK : STORE_ABSENT;
}

static enum store_status node_purge(struct trial *t, struct store_request *request)
{
	struct kept_node *kept = node_find(t, request->owner, ((struct store_pubsub_write *)request)->node.name);

	if (kept)
		node_trim(kept, 0);
	return kept ? STORE_OK : STORE_ABSENT;
}

static void publication_copy(struct arena *arena, struct store_pubsub_item *to, const struct store_pubsub_item *from)
{
	*to = *from;
	to->id = arena_str(arena, from->id);
	to->publisher = arena_str(arena, from->publisher);
	to->payload = arena_str_len(arena, from->payload, from->payload_len);
}

static struct store_pubsub_node *node_answer(struct store_pubsub_nodes *nodes, const struct kept_node *kept)
{
	struct store_pubsub_node *node = &nodes->nodes[nodes->count++];

	node->name = arena_str(&nodes->request.arena, kept->name);
	node->config = arena_str(&nodes->request.arena, kept->node.config);
	node->affiliations = arena_str(&nodes->request.arena, kept->node.affiliations);
	return node;
}

static enum store_status nodes_list(struct trial *t, struct store_request *request)
{
	struct store_pubsub_nodes *nodes = (struct store_pubsub_nodes *)request;
	struct list_link *link;

	nodes->nodes = arena_zalloc(&request->arena, list_count(&t->nodes) * sizeof(*nodes->nodes));
	for (link = list_first(&t->nodes); link; link = list_next(&t->nodes, link)) {
		const struct kept_node *kept = LIST_MEMBER(link, struct kept_node, link);

		if (is_same(kept->owner, request->owner) && (!nodes->name || is_same(nodes->name, kept->name)))
			node_answer(nodes, kept);
	}
	return nodes->name && !nodes->count ? STORE_ABSENT : STORE_OK;
}

static enum store_status nodes_last(struct trial *t, struct store_request *request)
{
	struct store_pubsub_nodes *nodes = (struct store_pubsub_nodes *)request;

	nodes->nodes = arena_zalloc(&request->arena, nodes->name_count * sizeof(*nodes->nodes));
	for (size_t i = 0; i < nodes->name_count; i++) {
		const struct kept_node *kept = node_find(t, request->owner, nodes->names[i]);

		if (kept && !list_is_empty(&kept->items))
			publication_copy(&request->arena, &node_answer(nodes, kept)->last,
			                 &LIST_MEMBER(kept->items.head.prev, struct kept_publication, link)->item);
	}
	return STORE_OK;
}

static struct kept_publication *publication_find(const struct kept_node *node, const char *id, size_t *place)
{
	struct list_link *link;

	*place = 0;
	for (link = list_first(&node->items); link; link = list_next(&node->items, link), ++*place) {
		struct kept_publication *kept = LIST_MEMBER(link, struct kept_publication, link);

		if (is_same(kept->item.id, id))
			return kept;
	}
	return NULL;
}

static enum store_status publication_put(struct trial *t, struct store_request *request)
{
	struct store_pubsub_item_write *write = (struct store_pubsub_item_write *)request;
	const struct store_pubsub_node made = { .name = write->node, .config = write->create_config, .affiliations = "" };
	struct kept_node *node = node_find(t, request->owner, write->node);
	enum store_status status = node ? STORE_OK : STORE_ABSENT;
	struct kept_publication *kept;
	size_t place;

	write->created = false;
	if (!node && write->create_config) {
		status = node_add(t, request->owner, &made, write->most_nodes);
		write->created = status == STORE_OK;
		node = node_find(t, request->owner, write->node);
	}
	if (status != STORE_OK)
		return status;
	if ((kept = publication_find(node, write->item.id, &place)))
		list_remove(&kept->link);
	kept = arena_zalloc(&t->arena, sizeof(*kept));
	publication_copy(&t->arena, &kept->item, &write->item);
	list_add_last(&node->items, &kept->link);
	node_trim(node, write->most_items);
	return STORE_OK;
}

static enum store_status publication_remove(struct trial *t, struct store_request *request)
{
	const struct store_pubsub_item_write *write = (struct store_pubsub_item_write *)request;
	const struct kept_node *node = node_find(t, request->owner, write->node);
	size_t place;
	struct kept_publication *kept = node ? publication_find(node, write->item.id, &place) : NULL;

	if (kept)
		list_remove(&kept->link);
	return kept ? STORE_OK : STORE_ABSENT;
}

/* The places from first up to, not including, end. */
static enum store_status publications_answer(struct store_pubsub_items *items, const struct kept_node *node, size_t first,
                                             size_t end)
{
	size_t place = 0;

	items->index = first;
	for (struct list_link *link = list_first(&node->items); link; link = list_next(&node->items, link), place++) {
		if (place >= first && place < end)
			publication_copy(&items->request.arena, &items->items[items->item_count++],
			                 &LIST_MEMBER(link, struct kept_publication, link)->item);
	}
	return STORE_OK;
}

static enum store_status publications_by_id(struct store_pubsub_items *items, const struct kept_node *node)
{
	size_t place;

	for (size_t i = 0; i < items->id_count; i++) {
		const struct kept_publication *kept = publication_find(node, items->ids[i], &place);

		if (kept)
			publication_copy(&items->request.arena, &items->items[items->item_count++], &kept->item);
	}
	return STORE_OK;
}

static enum store_status publications_read(struct trial *t, struct store_request *request)
{
	struct store_pubsub_items *items = (struct store_pubsub_items *)request;
	const struct kept_node *node = node_find(t, request->owner, items->node);
	const char *id = items->after ? items->after : items->before && *items->before ? items->before : NULL;
	size_t place, first;

	if (!node)
		return STORE_ABSENT;
	items->count = list_count(&node->items);
	items->items = arena_zalloc(&request->arena, (items->count + items->id_count) * sizeof(*items->items));
	if (items->id_count)
		return publications_by_id(items, node);
	place = items->count;
	if (id && !publication_find(node, id, &place))
		return STORE_ABSENT;
	if (items->after)
		first = place + 1;
	else if (items->before)
		first = place > items->limit ? place - items->limit : 0;
	else
		first = items->index;
	if (!items->before && items->limit < items->count - (first < items->count ? first : items->count))
		return publications_answer(items, node, first, first + items->limit);
	return publications_answer(items, node, first, items->before ? place : items->count);
}

/* ---- tokens ---- */

static struct kept_token *token_next(struct kept_account *account, struct list_link **next)
{
	struct list_link *link = *next;

	*next = link ? list_next(&account->tokens, link) : NULL;
	return link ? LIST_MEMBER(link, struct kept_token, link) : NULL;
}

static enum store_status tokens_read(struct trial *t, struct store_request *request)
{
	struct store_tokens_read *read = (struct store_tokens_read *)request;
	struct kept_account *account = account_find(t, request->owner);
	struct list_link *next = account ? list_first(&account->tokens) : NULL;
	struct kept_token *kept;

	read->count = 0;
	while (account && (kept = token_next(account, &next))) {
		if (!is_same(kept->client, read->client))
			continue;
		read->tokens[1] = read->tokens[0];
		read->tokens[0] = kept->token;
		read->count++;
	}
	return read->count <= STORE_TOKENS ? STORE_OK : STORE_FAILED;
}

static bool token_is_over(const struct kept_token *kept, const struct store_token *used)
{
	return kept->token.id != used->id && (kept->token.id < used->id || kept->token.expires_us < used->expires_us);
}

static enum store_status token_use(struct kept_account *account, const struct store_token_change *change)
{
	struct list_link *next = list_first(&account->tokens);
	struct kept_token *used = NULL, *kept;

	while ((kept = token_next(account, &next)))
		if (kept->token.id == change->used && is_same(kept->client, change->client))
			used = kept;
	if (!used || (change->count && change->count <= used->token.count))
		return STORE_ABSENT;
	used->token.used = true;
	if (change->count)
		used->token.count = change->count;
	for (next = list_first(&account->tokens); (kept = token_next(account, &next));)
		if (is_same(kept->client, change->client) && token_is_over(kept, &used->token))
			list_remove(&kept->link);
	return STORE_OK;
}

static void tokens_forget(struct kept_account *account, const char *client, bool also_used)
{
	struct list_link *next = list_first(&account->tokens);
	struct kept_token *kept;

	while ((kept = token_next(account, &next)))
		if (is_same(kept->client, client) && (also_used || !kept->token.used))
			list_remove(&kept->link);
}

/* Clients with a newer token than the client's newest. */
static size_t clients_before(struct kept_account *account, const char *client)
{
	struct list_link *next = list_first(&account->tokens), *other;
	struct kept_token *kept, *later;
	size_t count = 0;

	while ((kept = token_next(account, &next))) {
		bool is_newest = true;

		for (other = next; (later = token_next(account, &other));)
			is_newest &= !is_same(later->client, kept->client);
		if (is_same(kept->client, client))
			count = 0;
		else if (is_newest)
			count++;
	}
	return count;
}

static void tokens_trim(struct kept_account *account, size_t most)
{
	struct list_link *next = list_first(&account->tokens);
	struct kept_token *kept;

	while ((kept = token_next(account, &next)))
		if (clients_before(account, kept->client) >= most)
			list_remove(&kept->link);
}

static void token_put(struct trial *t, struct kept_account *account, const struct store_token_change *change)
{
	struct kept_token *kept = arena_zalloc(&t->arena, sizeof(*kept));

	tokens_forget(account, change->client, false);
	kept->client = arena_str(&t->arena, change->client);
	kept->token = change->fresh;
	kept->token.mechanism = arena_str(&t->arena, change->fresh.mechanism);
	kept->token.id = ++t->token;
	list_add_last(&account->tokens, &kept->link);
	tokens_trim(account, change->most);
}

static enum store_status token_change(struct trial *t, struct store_request *request)
{
	const struct store_token_change *change = (struct store_token_change *)request;
	struct kept_account *account = account_find(t, request->owner);

	if (!account || (change->used && token_use(account, change) != STORE_OK))
		return STORE_ABSENT;
	if (change->forget)
		tokens_forget(account, change->client, true);
	if (change->fresh.mechanism)
		token_put(t, account, change);
	return STORE_OK;
}

static enum store_status tokens_revoke(struct trial *t, struct store_request *request)
{
	struct kept_account *account = account_find(t, request->owner);

	if (!account)
		return STORE_ABSENT;
	((struct store_token_revoke *)request)->removed = list_count(&account->tokens);
	list_init(&account->tokens);
	return STORE_OK;
}

/* ---- outboxes ---- */

static struct kept_outgoing *outgoing_of(struct list_link *link)
{
	return link ? LIST_MEMBER(link, struct kept_outgoing, link) : NULL;
}

static int outgoing_compare(const struct kept_outgoing *kept, const char *outbox, uint64_t sequence)
{
	int order = strcmp(kept->outbox, outbox);

	return order ? order : (kept->entry.sequence > sequence) - (kept->entry.sequence < sequence);
}

/* The first that does not come before it. */
static struct list_link *outgoing_at(struct trial *t, const char *outbox, uint64_t sequence)
{
	struct list_link *link = list_first(&t->outgoing);

	while (link && outgoing_compare(outgoing_of(link), outbox, sequence) < 0)
		link = list_next(&t->outgoing, link);
	return link;
}

static size_t outgoing_count(const struct trial *t)
{
	size_t count = 0;

	for (struct list_link *link = list_first(&t->outgoing); link; link = list_next(&t->outgoing, link))
		count++;
	return count;
}

static void outbox_entry_copy(struct arena *arena, struct store_outbox_entry *to, const struct store_outbox_entry *from)
{
	*to = *from;
	to->stanza = arena_str_len(arena, from->stanza, from->stanza_len);
}

static enum store_status outbox_append(struct trial *t, struct store_request *request)
{
	const struct store_outbox_entry *entry = &((struct store_outbox_append *)request)->entry;
	struct list_link *next = outgoing_at(t, request->owner, entry->sequence);
	struct kept_outgoing *kept;

	if (next && outgoing_compare(outgoing_of(next), request->owner, entry->sequence) == 0)
		return STORE_FAILED;
	kept = arena_zalloc(&t->arena, sizeof(*kept));
	kept->outbox = arena_str(&t->arena, request->owner);
	outbox_entry_copy(&t->arena, &kept->entry, entry);
	list_add_before(&t->outgoing, next, &kept->link);
	return STORE_OK;
}

static enum store_status outbox_read(struct trial *t, struct store_request *request)
{
	struct store_outbox_read *read = (struct store_outbox_read *)request;
	struct list_link *link = outgoing_at(t, request->owner, read->after + 1);
	uint64_t bytes = 0;

	read->entries = arena_alloc(&request->arena, outgoing_count(t) * sizeof(*read->entries));
	read->count = 0;
	read->more = false;
	for (; link && is_same(outgoing_of(link)->outbox, request->owner); link = list_next(&t->outgoing, link)) {
		read->more = read->count == read->limit || (read->count > 0 && bytes >= read->most_bytes);
		if (read->more)
			break;
		outbox_entry_copy(&request->arena, &read->entries[read->count], &outgoing_of(link)->entry);
		bytes += read->entries[read->count++].bytes;
	}
	return STORE_OK;
}

static enum store_status outbox_remove(struct trial *t, struct store_request *request)
{
	const struct store_outbox_remove *removed = (const struct store_outbox_remove *)request;

	for (size_t i = 0; i < removed->count; i++) {
		struct list_link *link = outgoing_at(t, request->owner, removed->sequences[i]);

		if (link && outgoing_compare(outgoing_of(link), request->owner, removed->sequences[i]) == 0)
			list_remove(link);
	}
	return STORE_OK;
}

static enum store_status outbox_list(struct trial *t, struct store_request *request)
{
	struct store_outbox_list *list = (struct store_outbox_list *)request;
	struct store_outbox *last = NULL;

	list->outboxes = arena_alloc(&request->arena, outgoing_count(t) * sizeof(*list->outboxes));
	list->count = 0;
	for (struct list_link *link = list_first(&t->outgoing); link; link = list_next(&t->outgoing, link)) {
		const struct kept_outgoing *kept = outgoing_of(link);

		if (!last || !is_same(last->key, kept->outbox)) {
			last = &list->outboxes[list->count++];
			*last = (struct store_outbox){ .key = arena_str(&request->arena, kept->outbox) };
		}
		last->count++;
		last->bytes += kept->entry.bytes;
		last->newest = kept->entry.sequence;
	}
	return STORE_OK;
}

/* ---- steps ---- */

static const struct {
	bool writes;
	enum store_status (*run)(struct trial *t, struct store_request *request);
} operations[STORE_OPS] = {
	[STORE_ACCOUNT_CREATE] = { true, account_create },
	[STORE_ACCOUNT_CREDENTIALS] = { true, account_credentials },
	[STORE_ACCOUNT_REMOVE] = { true, account_remove },
	[STORE_ACCOUNT_LOAD] = { false, account_load },
	[STORE_ACCOUNT_LIST] = { false, account_list },
	[STORE_ROSTER_PUT] = { true, roster_put },
	[STORE_ROSTER_REMOVE] = { true, roster_remove },
	[STORE_JOURNAL_APPEND] = { true, journal_append },
	[STORE_JOURNAL_READ] = { false, journal_read },
	[STORE_JOURNAL_ADVANCE] = { true, journal_advance },
	[STORE_JOURNAL_FETCHED] = { true, journal_fetched },
	[STORE_JOURNAL_ARCHIVE] = { false, journal_archive },
	[STORE_JOURNAL_SPAN] = { false, journal_span },
	[STORE_JOURNAL_SURPLUS] = { false, journal_surplus },
	[STORE_JOURNAL_EXPIRE] = { true, journal_expire },
	[STORE_JOURNAL_HANDLED] = { false, journal_handled },
	[STORE_DOCUMENT_GET] = { false, document_get },
	[STORE_DOCUMENT_PUT] = { true, document_put },
	[STORE_DOCUMENT_OWNERS] = { false, document_owners },
	[STORE_PUBSUB_NODE_CREATE] = { true, node_create },
	[STORE_PUBSUB_NODE_CHANGE] = { true, node_change },
	[STORE_PUBSUB_NODE_REMOVE] = { true, node_remove },
	[STORE_PUBSUB_NODE_PURGE] = { true, node_purge },
	[STORE_PUBSUB_NODES] = { false, nodes_list },
	[STORE_PUBSUB_LAST] = { false, nodes_last },
	[STORE_PUBSUB_ITEM_PUT] = { true, publication_put },
	[STORE_PUBSUB_ITEM_REMOVE] = { true, publication_remove },
	[STORE_PUBSUB_ITEMS] = { false, publications_read },
	[STORE_TOKENS_READ] = { false, tokens_read },
	[STORE_TOKEN_CHANGE] = { true, token_change },
	[STORE_TOKENS_REVOKE] = { true, tokens_revoke },
	[STORE_OUTBOX_APPEND] = { true, outbox_append },
	[STORE_OUTBOX_READ] = { false, outbox_read },
	[STORE_OUTBOX_REMOVE] = { true, outbox_remove },
	[STORE_OUTBOX_LIST] = { false, outbox_list },
};

static struct store_request *mail_request(struct mail *mail)
{
	return LIST_MEMBER(mail, struct store_request, mail);
}

static bool is_oldest_of_owner(struct trial *t, struct mail *mail)
{
	for (struct mail *older = t->first; older != mail; older = older->next) {
		if (is_same(mail_request(older)->owner, mail_request(mail)->owner))
			return false;
	}
	return true;
}

/* Steele and Vigna's splitmix64. */
static uint64_t random_next(struct trial *t)
{
	uint64_t z = t->random += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Takes the oldest request of one of the owners that wait; the owner met as the n-th replaces the choice
 * with a chance of 1/n, so that all have the same. */
static struct store_request *request_take(struct trial *t)
{
	struct mail **chosen = NULL, *mail;
	uint64_t owners = 0;

	for (struct mail **at = &t->first; *at; at = &(*at)->next) {
		if (is_oldest_of_owner(t, *at) && random_next(t) % ++owners == 0)
			chosen = at;
	}
	if (!chosen)
		return NULL;
	mail = *chosen;
	*chosen = mail->next;
	if (!mail->next)
		t->last = chosen;
	return mail_request(mail);
}

static const struct store_trial_fault *fault_find(struct trial *t, const struct store_request *request)
{
	for (size_t i = 0; i < t->fault_count; i++) {
		const struct store_trial_fault *fault = &t->faults[i];
		size_t number;

		if (fault->op >= 0 && fault->op != (int)request->op)
			continue;
		if (fault->owner && !is_same(fault->owner, request->owner))
			continue;
		number = t->fits[i]++;
		if (number >= fault->after && (!fault->times || number < fault->after + fault->times))
			return fault;
	}
	return NULL;
}

static enum store_status request_apply(struct trial *t, struct store_request *request)
{
	const struct store_trial_fault *fault = fault_find(t, request);
	bool writes = operations[request->op].writes;
	enum store_status status = STORE_PENDING;

	if (!fault || fault->carried_out)
		status = operations[request->op].run(t, request);
	if (fault)
		status = fault->status;
	t->figures.reads += !writes;
	t->figures.writes += writes;
	t->figures.commits += writes;
	t->figures.waiting--;
	t->figures.failed += status == STORE_FAILED;
	return status;
}

static bool trial_step(struct trial *t, struct worker *from)
{
	struct store_request *request;
	enum store_status status = STORE_PENDING;

	pthread_mutex_lock(&t->lock);
	request = request_take(t);
	if (request)
		status = request_apply(t, request);
	pthread_mutex_unlock(&t->lock);
	if (request)
		store_answer(from, request, status);
	return request != NULL;
}

bool store_trial_step(struct store *store)
{
	return trial_step((struct trial *)store, NULL);
}

static void trial_timer_expired(struct worker *worker, struct timer *timer)
{
	struct trial *t = LIST_MEMBER(timer, struct trial, timer);

	trial_step(t, worker);
	timer_start(worker, &t->timer, t->every_ms, trial_timer_expired);
}

static struct store_request *request_take_due(struct trial *t)
{
	struct mail **at = &t->first, *mail;

	while (*at && atomic_load(&mail_request(*at)->patient))
		at = &(*at)->next;
	if (!(mail = *at))
		return NULL;
	*at = mail->next;
	if (!mail->next)
		t->last = at;
	t->figures.waiting--;
	return mail_request(mail);
}

void store_trial_give_up(struct store *store)
{
	struct trial *t = (struct trial *)store;
	struct store_request *request;

	do {
		pthread_mutex_lock(&t->lock);
		request = request_take_due(t);
		pthread_mutex_unlock(&t->lock);
		if (request)
			store_answer(NULL, request, STORE_FULL);
	} while (request);
}

void store_trial_start(struct store *store, struct worker *worker, uint64_t every_ms)
{
	struct trial *t = (struct trial *)store;

	t->every_ms = every_ms;
	timer_start(worker, &t->timer, every_ms, trial_timer_expired);
}

/* ---- faults ---- */

void store_trial_fail(struct store *store, const struct store_trial_fault *fault)
{
	struct trial *t = (struct trial *)store;

	pthread_mutex_lock(&t->lock);
	assert(t->fault_count < FAULTS);
	t->fits[t->fault_count] = 0;
	t->faults[t->fault_count++] = *fault;
	pthread_mutex_unlock(&t->lock);
}

void store_trial_lose(struct store *store)
{
	struct trial *t = (struct trial *)store;
	struct store_request *request;

	pthread_mutex_lock(&t->lock);
	while ((request = request_take(t))) {
		t->figures.waiting--;
		atomic_fetch_sub(&store->pending, 1);
		store_request_free(request);
	}
	pthread_mutex_unlock(&t->lock);
}

void store_trial_mend(struct store *store)
{
	struct trial *t = (struct trial *)store;

	pthread_mutex_lock(&t->lock);
	t->fault_count = 0;
	pthread_mutex_unlock(&t->lock);
}

/* ---- the driver ---- */

static void trial_submit(struct store *store, struct store_request *request)
{
	struct trial *t = (struct trial *)store;

	request->mail.next = NULL;
	pthread_mutex_lock(&t->lock);
	*t->last = &request->mail;
	t->last = &request->mail.next;
	t->figures.waiting++;
	pthread_mutex_unlock(&t->lock);
}

static void trial_figures(struct store *store, struct store_figures *out)
{
	struct trial *t = (struct trial *)store;

	pthread_mutex_lock(&t->lock);
	*out = t->figures;
	pthread_mutex_unlock(&t->lock);
}

/* Its timer, if it has one, has gone with its worker. */
static void trial_close(struct store *store)
{
	struct trial *t = (struct trial *)store;

	while (trial_step(t, NULL))
		;
	arena_clear(&t->arena);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static const struct store_driver trial_driver = { "trial", trial_submit, trial_figures, trial_close };

struct store *store_trial_open(uint64_t seed)
{
	struct trial *t = mem_zalloc(sizeof(*t));

	t->store.driver = &trial_driver;
	t->random = seed;
	t->last = &t->first;
	pthread_mutex_init(&t->lock, NULL);
	list_init(&t->accounts);
	list_init(&t->nodes);
	list_init(&t->outgoing);
	account_new(t, "", 0);
	return &t->store;
}
