/* SPDX-License-Identifier: MIT
 *
 * An outbox and the store: what is written down, and when; what is read back by pages; what the store may forget. The writes of
 * an outbox are carried out in their order, so what is removed was appended before, answered or not.
 *
 * While a page is read nothing is removed from the store and nothing is dropped from memory: what the page brings that is
 * in memory, or over, is passed by.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/outbox.h"
#include "home_inside.h"
#include "outbox_inside.h"
#include "xmpp/ns.h"

enum {
	PAGE_ENTRIES = 256,
	REMOVE_MS = 50,     /* sequences gather for so long */
	REMOVE_MANY = 256,  /* or up to so many */
	RETRY_MS = 1000,    /* what the store could not do is asked for again */
};

static void append_done(struct store_request *request);
static void page_came(struct store_request *request);
static void removal_done(struct store_request *request);
static void outbox_tend(struct worker *worker, struct timer *timer);
static void outboxes_look(struct worker *worker, struct timer *timer);

static struct outbox *request_outbox(const struct store_request *request)
{
	return map_find(home_of(request->worker)->outboxes->by_key, request->owner, strlen(request->owner));
}

/* ---- nobody has acknowledged it ---- */

void entry_watch(struct outbox_entry *entry)
{
	struct home *home = entry->outbox->home;
	struct outboxes *outboxes = home->outboxes;

	list_add_last(&outboxes->unwritten, &entry->watch);
	if (!timer_is_running(&outboxes->overdue))
		timer_start(home->worker, &outboxes->overdue, home->config->write_after_ms, outboxes_look);
}

static void entry_overdue(struct outbox_entry *entry)
{
	list_remove(&entry->watch);
	if (entry->durable)
		entry_write_down(entry);
	else
		parcel_taken(entry->outbox->home, &entry->duty);
}

static void outboxes_look(struct worker *worker, struct timer *timer)
{
	struct home *home = home_of(worker);
	uint64_t now = worker_now_ms(worker), due;
	struct list_link *link;

	while ((link = list_first(&home->outboxes->unwritten))) {
		struct outbox_entry *entry = LIST_MEMBER(link, struct outbox_entry, watch);

		due = entry->entered_ms + home->config->write_after_ms;
		if (due > now) {
			timer_start(worker, timer, due - now, outboxes_look);
			return;
		}
		entry_overdue(entry);
	}
}

/* ---- written down ---- */

void entry_write_down(struct outbox_entry *entry)
{
	const struct stanza_copy copy = { .to = &entry->to };
	struct outbox *outbox = entry->outbox;
	struct home *home = outbox->home;
	struct store_outbox_append *append;
	struct buf text = { 0 };

	list_remove(&entry->watch);
	stanza_write(&text, entry->stanza, &copy);
	append = store_request_new_for(text.len + 1, sizeof(*append), STORE_OUTBOX_APPEND, home->worker, outbox->key,
	                               strlen(outbox->key), append_done);
	append->entry = (struct store_outbox_entry){
		.sequence = entry->sequence,
		.since_us = entry->since_us,
		.bytes = entry->weight,
		.stanza = arena_str_len(&append->request.arena, text.data, text.len),
		.stanza_len = text.len,
	};
	buf_clear(&text);
	entry->writing = true;
	store_submit(home->server->store, &append->request);
}

/* What was sent stays, so that it is known that it was. */
static bool entry_is_too_much(const struct outbox_entry *entry)
{
	const struct outbox *outbox = entry->outbox;

	return !entry->handed && !entry->sent && !entry->ended && !outbox->reading &&
	       outbox->memory > outbox->class->limits(outbox->owner)->memory;
}

static void entry_drop(struct outbox_entry *entry)
{
	struct outbox *outbox = entry->outbox;

	if (entry->sequence < outbox->hole)
		outbox->hole = entry->sequence;
	outbox->memory -= entry->weight;
	entry_free(entry);
}

/* What nobody has by now goes back to its sender; what the other side may have, waits for its word. */
static void append_failed(struct outbox_entry *entry)
{
	if (entry->handed || entry->ended)
		return;
	entry_refuse(entry, STANZA_RESOURCE_CONSTRAINT, "The message could not be kept, try again");
}

static void append_done(struct store_request *request)
{
	struct home *home = home_of(request->worker);
	struct outbox_entry *entry = entry_find(home, ((struct store_outbox_append *)request)->entry.sequence);
	bool is_written = request->status == STORE_OK;

	store_request_free(request);
	if (!entry)
		return;
	entry->writing = false;
	entry->written_down = is_written;
	if (!is_written) {
		append_failed(entry);
		return;
	}
	if (entry->duty)
		parcel_taken(home, &entry->duty);
	if (entry_is_too_much(entry))
		entry_drop(entry);
}

/* ---- read back ---- */

void outbox_refill(struct outbox *outbox)
{
	struct home *home = outbox->home;
	uint64_t window = outbox->class->limits(outbox->owner)->memory / 2;
	struct store_outbox_read *page;

	if (outbox->hole == UINT64_MAX || outbox->reading || outbox->read_failed || home->draining ||
	    (outbox->memory >= window && outbox_next(outbox)))
		return;
	outbox_tell(outbox);
	page = store_request_new(sizeof(*page), STORE_OUTBOX_READ, home->worker, outbox->key, strlen(outbox->key),
	                         page_came);
	page->after = outbox->hole - 1;
	page->limit = PAGE_ENTRIES;
	page->most_bytes = window;
	outbox->reading = true;
	store_submit(home->server->store, &page->request);
}

/* NULL: it cannot be read. */
static const struct stanza *stanza_of(const struct home *home, const struct store_outbox_entry *row)
{
	struct stanza *stanza = stanza_new(row->stanza_len);
	const struct stanza *unreadable = stanza;
	struct element *root = parser_text(home->parsers, &stanza->arena, NS_CLIENT, row->stanza, row->stanza_len,
	                                   &parser_limits_stored);

	if (root && stanza_read(stanza, root, NULL) == STANZA_CHECK_OK && stanza->to.text)
		return stanza_seal(stanza);
	stanza_unref(&unreadable);
	return NULL;
}

static void entry_unreadable(struct outbox *outbox, const struct store_outbox_entry *row)
{
	log_error(worker_log(outbox->home->worker), NULL, "outbox entry cannot be read", LOG_STR("outbox", outbox->key),
	          LOG_INT("sequence", row->sequence));
	outbox_count(outbox, -1, -(int64_t)row->bytes);
	outbox_remove(outbox, row->sequence);
}

static void entry_restore(struct outbox *outbox, const struct store_outbox_entry *row)
{
	const struct stanza *stanza = stanza_of(outbox->home, row);
	struct outbox_entry *entry;

	if (!stanza) {
		entry_unreadable(outbox, row);
		return;
	}
	entry = entry_new(outbox, row->sequence, stanza, &stanza->to);
	stanza_unref(&stanza);
	entry_set_age(entry, row->since_us);
	entry->weight = row->bytes;
	entry->durable = entry->written_down = entry->delayed = true;
	entry->sent = row->sequence <= outbox->left;
	entry_insert(entry, true);
}

static void page_add(struct outbox *outbox, const struct store_outbox_read *page)
{
	for (size_t i = 0; i < page->count; i++) {
		const struct store_outbox_entry *row = &page->entries[i];

		if (!entry_find(outbox->home, row->sequence) && !outbox_is_removing(outbox, row->sequence))
			entry_restore(outbox, row);
	}
	outbox->hole = page->more ? page->entries[page->count - 1].sequence + 1 : UINT64_MAX;
}

static void page_came(struct store_request *request)
{
	struct outbox *outbox = request_outbox(request);

	outbox->reading = false;
	outbox->read_failed = request->status != STORE_OK;
	if (!outbox->read_failed)
		page_add(outbox, (struct store_outbox_read *)request);
	store_request_free(request);
	if (outbox->read_failed)
		timer_start(outbox->home->worker, &outbox->chores, RETRY_MS, outbox_tend);
	else
		outbox_tell(outbox);
	outbox_refuse_loaded(outbox);
	outbox->class->changed(outbox->owner);
}

/* ---- forgotten ---- */

bool outbox_is_removing(const struct outbox *outbox, uint64_t sequence)
{
	for (size_t i = 0; i < outbox->removed_count; i++) {
		if (outbox->removed[i] == sequence)
			return true;
	}
	return false;
}

static void removed_add(struct outbox *outbox, uint64_t sequence)
{
	if (outbox->removed_count == outbox->removed_room) {
		outbox->removed_room = outbox->removed_room ? 2 * outbox->removed_room : 16;
		outbox->removed = mem_realloc(outbox->removed, outbox->removed_room * sizeof(*outbox->removed));
	}
	outbox->removed[outbox->removed_count++] = sequence;
}

void outbox_remove(struct outbox *outbox, uint64_t sequence)
{
	removed_add(outbox, sequence);
	if (outbox->home->draining || outbox->removed_count == REMOVE_MANY)
		outbox_tell(outbox);
	else if (!timer_is_running(&outbox->chores))
		timer_start(outbox->home->worker, &outbox->chores, REMOVE_MS, outbox_tend);
}

void outbox_tell(struct outbox *outbox)
{
	struct home *home = outbox->home;
	struct store_outbox_remove *removal;

	if (outbox->reading || outbox->removed_count == 0)
		return;
	removal = store_request_new(sizeof(*removal), STORE_OUTBOX_REMOVE, home->worker, outbox->key, strlen(outbox->key),
	                            removal_done);
	removal->count = outbox->removed_count;
	removal->sequences = arena_dup(&removal->request.arena, outbox->removed,
	                               outbox->removed_count * sizeof(*outbox->removed));
	removal->request.patient = true;
	outbox->removed_count = 0;
	outbox->removals++;
	store_submit(home->server->store, &removal->request);
}

/* What the store does not forget would be sent again by the next server. */
static void removal_done(struct store_request *request)
{
	const struct store_outbox_remove *removal = (const struct store_outbox_remove *)request;
	struct outbox *outbox = request_outbox(request);

	outbox->removals--;
	for (size_t i = 0; request->status != STORE_OK && i < removal->count; i++)
		removed_add(outbox, removal->sequences[i]);
	if (outbox->removed_count > 0)
		timer_start(outbox->home->worker, &outbox->chores, request->status == STORE_OK ? REMOVE_MS : RETRY_MS,
		            outbox_tend);
	store_request_free(request);
}

static void outbox_tend(struct worker *worker, struct timer *timer)
{
	struct outbox *outbox = LIST_MEMBER(timer, struct outbox, chores);

	(void)worker;
	outbox->read_failed = false;
	outbox_tell(outbox);
	outbox_refill(outbox);
}

/* ---- from one server to the next ---- */

bool outboxes_start(struct server *server, char **error)
{
	server->outboxes = store_request_new(sizeof(*server->outboxes), STORE_OUTBOX_LIST, NULL, "", 0, NULL);
	server_ask(server, &server->outboxes->request);
	if (server->outboxes->request.status == STORE_OK)
		return true;
	*error = str_dup("the store cannot say what waits for other servers");
	return false;
}

void outboxes_stop(struct server *server)
{
	if (server->outboxes)
		store_request_free(&server->outboxes->request);
}

void outboxes_home_open(struct home *home)
{
	const struct store_outbox_list *left = home->server->outboxes;
	struct outboxes *outboxes = home->outboxes = mem_zalloc(sizeof(*outboxes));

	outboxes->by_key = map_new(worker_seed(home->worker));
	outboxes->entries = map_new(worker_seed(home->worker));
	list_init(&outboxes->unwritten);
	for (size_t i = 0; i < left->count; i++)
		outboxes_continue(outboxes, left->outboxes[i].newest);
}

void outboxes_home_close(struct home *home)
{
	timer_stop(home->worker, &home->outboxes->overdue);
	map_free(&home->outboxes->by_key);
	map_free(&home->outboxes->entries);
	free(home->outboxes);
}

void outboxes_left(struct home *home, const char *kind,
                   void (*visit)(void *context, const char *name, const struct store_outbox *left), void *context)
{
	const struct store_outbox_list *list = home->server->outboxes;
	size_t len = strlen(kind);

	for (size_t i = 0; i < list->count; i++) {
		const char *key = list->outboxes[i].key;

		if (strncmp(key, kind, len) == 0 && key[len] == ' ')
			visit(context, key + len + 1, &list->outboxes[i]);
	}
}

void outbox_restore(struct outbox *outbox, const struct store_outbox *left)
{
	outbox->hole = 1;
	outbox->left = left->newest;
	outbox_count(outbox, (int64_t)left->count, (int64_t)left->bytes);
	outbox_refill(outbox);
}
