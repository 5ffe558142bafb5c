/* SPDX-License-Identifier: MIT
 *
 * The archive of what accounts send and get (XEP-0313 §5, XEP-0359, XEP-0334).
 *
 * What must stay true: a message that came is taken when its entry is durable or, where the store fails, when a session
 * has it. What is on its way to sessions is a flight. The watermark never passes a flight that has not landed, nor what
 * waits undelivered; what lands behind those is told to the store as an exception. A flight stays in the list until the
 * store has been told, so that nobody takes it for undelivered.
 */
#include "core/journal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account_inside.h"
#include "base/clock.h"
#include "base/mem.h"
#include "core/module.h"
#include "core/session.h"
#include "core/router.h"
#include "net/timer.h"
#include "xmpp/ns.h"

enum {
	WORKER_BITS = 8,
	TEXT_ROOM = 512, /* for the start tag of an entry's text, mostly */
	REPORT_MS = 500, /* the watermark follows what was delivered */
};

enum flight_state { FLIGHT_OPEN, FLIGHT_LANDED, FLIGHT_MISSED };

/* A message that is archived and on its way to sessions. */
struct flight {
	struct list_link link;
	uint64_t sequence;
	enum flight_state state;
	bool stored; /* the store has answered */
	size_t bytes;
	struct parcel *original; /* the store has failed: answered when the flight ends */
};

struct journal {
	struct account *account;
	struct list flights; /* by sequence */
	uint64_t landed;     /* all up to here has been delivered */
	struct timer report; /* runs while there is something to tell */
	bool dirty;
};

static void append_done(struct store_request *request);
static void flight_answered(struct home *home, struct parcel *copy);
static void journal_touch(struct account *account);

/* ---- sequences and ids ---- */

uint64_t journal_sequence_at(int64_t wall_us)
{
	return wall_us > 0 ? (uint64_t)wall_us << WORKER_BITS : 0;
}

int64_t journal_time(uint64_t sequence)
{
	return (int64_t)(sequence >> WORKER_BITS);
}

uint64_t journal_sequence(struct account *account)
{
	struct home *home = account->home;
	uint64_t now = (uint64_t)clock_wall_us(worker_clock(home->worker));
	uint64_t newest = account->journal_newest >> WORKER_BITS;

	home->journal_ticks = now > home->journal_ticks ? now : home->journal_ticks + 1;
	if (home->journal_ticks <= newest)
		home->journal_ticks = newest + 1;
	account->journal_newest = home->journal_ticks << WORKER_BITS |
	                          (worker_number(home->worker) & ((1U << WORKER_BITS) - 1));
	return account->journal_newest;
}

void journal_id(uint64_t sequence, char out[JOURNAL_ID_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = JOURNAL_ID_LEN; i-- > 0; sequence >>= 4)
		out[i] = digits[sequence & 15];
	out[JOURNAL_ID_LEN] = '\0';
}

bool journal_id_read(const char *id, uint64_t *sequence)
{
	*sequence = 0;
	if (strlen(id) != JOURNAL_ID_LEN || strspn(id, "0123456789abcdef") != JOURNAL_ID_LEN)
		return false;
	for (; *id; id++)
		*sequence = *sequence << 4 | (uint64_t)(*id <= '9' ? *id - '0' : *id - 'a' + 10);
	return true;
}

/* A stanza-id of ours was removed from it where somebody else wrote one (core/claims.h). */
void journal_tail(struct buf *out, const struct account *account, const struct parcel *parcel)
{
	char id[JOURNAL_ID_LEN + 1];

	if (!parcel->journal)
		return;
	journal_id(parcel->journal, id);
	buf_add_lit(out, "<stanza-id xmlns='" NS_SID "' by='");
	buf_add(out, account->jid.text, jid_bare_len(&account->jid));
	buf_add_lit(out, "' id='");
	buf_add(out, id, JOURNAL_ID_LEN);
	buf_add_lit(out, "'/>");
}

void journal_add_id(struct arena *arena, struct element *message, const struct account *account, uint64_t sequence)
{
	char id[JOURNAL_ID_LEN + 1];
	struct element *added;

	if (sequence == 0)
		return;
	journal_id(sequence, id);
	added = element_add(arena, message, "stanza-id", NS_SID);
	element_set(arena, added, "by", account->jid.text);
	element_set(arena, added, "id", id);
}

/* ---- what is archived ---- */

static bool account_has_contact(const struct account *account, const struct jid *who)
{
	for (const struct module *const *module = account->home->server->modules; *module; module++) {
		if ((*module)->account_has_contact && (*module)->account_has_contact(account, who))
			return true;
	}
	return false;
}

/* Something that a person or another client of the account may want to find again. */
static bool message_has_content(const struct stanza *message)
{
	for (const struct node *n = message->root->first; n; n = n->next) {
		if (n->element && strcmp(n->element->ns, NS_CHAT_STATES) != 0 &&
		    strcmp(n->element->ns, NS_HINTS) != 0 && !element_is(n->element, "thread", NS_CLIENT))
			return true;
	}
	return false;
}

static bool message_may_be_archived(const struct stanza *message)
{
	if (message->type != MESSAGE_NORMAL && message->type != MESSAGE_CHAT)
		return false;
	if (element_child(message->root, "no-store", NS_HINTS) ||
	    element_child(message->root, "no-permanent-store", NS_HINTS))
		return false;
	return element_child(message->root, "store", NS_HINTS) || message_has_content(message);
}

bool journal_may_keep(const struct stanza *message)
{
	if (message->kind != STANZA_MESSAGE || element_child(message->root, "no-store", NS_HINTS))
		return false;
	if (message->type == MESSAGE_ERROR)
		return message->returns != NULL;
	return (message->type == MESSAGE_NORMAL || message->type == MESSAGE_CHAT) &&
	       (element_child(message->root, "store", NS_HINTS) || message_has_content(message));
}

static enum archive_policy archive_policy_for(const struct account *account, const struct jid *peer)
{
	const struct module *const *module = account->home->server->modules;

	if (!account->host)
		return ARCHIVE_NEVER;
	for (; account->own_archiving && *module; module++) {
		if ((*module)->account_archives)
			return (*module)->account_archives(account, peer);
	}
	return account->host->archive;
}

bool journal_wants(const struct account *account, const struct stanza *message, const struct jid *peer)
{
	enum archive_policy policy = archive_policy_for(account, peer);

	if (policy == ARCHIVE_NEVER || !message_may_be_archived(message))
		return false;
	return policy == ARCHIVE_ALWAYS || jid_same_bare(&account->jid, peer) || account_has_contact(account, peer);
}

bool journal_may_archive(const struct account *account)
{
	return (account->host && account->host->archive_preferences) ||
	       archive_policy_for(account, &account->jid) != ARCHIVE_NEVER;
}

void journal_archive(struct account *account, struct store_journal_entry *entry)
{
	entry->archived = true;
	account->journal_archived = entry->sequence;
}

struct store_journal_append *journal_entry(struct account *account, const struct stanza *message, const struct jid *to,
                                           enum store_direction direction,
                                           void (*done)(struct store_request *request))
{
	const struct jid *peer = direction == STORE_IN ? &message->from : to;
	const struct stanza_copy copy = { .to = to };
	struct store_journal_append *append;
	struct buf text = { 0 };
	struct arena *arena;

	buf_reserve(&text, message->content_len + TEXT_ROOM);
	stanza_write(&text, message, &copy);
	append = store_request_new_for(text.len + jid_len(peer) + 2, sizeof(*append), STORE_JOURNAL_APPEND,
	                               account->home->worker, account->jid.text, jid_bare_len(&account->jid), done);
	arena = &append->request.arena;
	append->entry.sequence = journal_sequence(account);
	append->entry.body = message->journal ? message->journal : append->entry.sequence;
	append->entry.direction = direction;
	append->entry.type = (uint8_t)message->type;
	append->entry.repeat = repeats_digest(account->home->server, message, to, direction);
	append->entry.peer = arena_str(arena, peer->text ? peer->text : "");
	append->entry.stanza = arena_str_len(arena, text.data, text.len);
	append->entry.stanza_len = text.len;
	buf_clear(&text);
	return append;
}

/* What the limits allowed when it came is not limited again. */
struct element *journal_entry_read(const struct account *account, struct arena *arena,
                                   const struct store_journal_entry *entry)
{
	static const struct parser_limits limits = {
		.depth = 256,
		.attributes = 1024,
		.declarations = 256,
		.elements = 1000000,
	};

	return parser_text(account->home->parsers, arena, NS_CLIENT, entry->stanza, entry->stanza_len, &limits);
}

/* ---- sent ---- */

/* The stanza waits for its entry as well as for whoever gets it (XEP-0198 §4). What the store has not taken may come again. */
static void sent_stored(struct store_request *request)
{
	struct home *home = home_of(request->worker);
	const struct stanza *stanza = request->context;
	struct account *account = account_find(home, request->owner, strlen(request->owner));

	if (request->status != STORE_OK && account)
		repeats_forget(account, ((struct store_journal_append *)request)->entry.repeat);
	session_sent_settled(home, stanza);
	stanza_unref(&stanza);
	store_request_free(request);
}

/* How far its sender's stream has come (XEP-0198 §5). */
static void entry_set_stream(const struct account *account, struct store_journal_entry *entry, const struct stanza *message)
{
	const struct session *session =
		message->token ? session_find(account, jid_resource(&message->from)) : NULL;

	if (session && session->outlet && session->outlet->progress)
		session->outlet->progress(session, &entry->stream, &entry->handled);
}

/* What an account sends to itself comes back to it and is archived then. */
static void sent_archive(struct account *account, struct stanza *stanza)
{
	struct store_journal_append *append;

	if (jid_same_bare(&stanza->to, &account->jid) || !journal_wants(account, stanza, &stanza->to))
		return;
	append = journal_entry(account, stanza, &stanza->to, STORE_OUT, sent_stored);
	append->request.context = (void *)(uintptr_t)stanza_ref(stanza);
	journal_archive(account, &append->entry);
	append->entry.at_us = clock_wall_us(worker_clock(account->home->worker));
	entry_set_stream(account, &append->entry, stanza);
	stanza->journal = append->entry.body;
	store_submit(account->home->server->store, &append->request);
	journal_touch(account);
}

/* What has been sent before has been here; who gets it decides again whether it came. */
void journal_send(struct account *account, struct stanza *stanza)
{
	const struct module *const *module = account->home->server->modules;

	stanza_seal(stanza);
	if (stanza->kind == STANZA_MESSAGE && repeats_sends(account, stanza)) {
		sent_archive(account, stanza);
		for (; *module; module++) {
			if ((*module)->message_sent)
				(*module)->message_sent(account, stanza);
		}
	}
	route_stanza(account->home, stanza);
}

/* ---- received ---- */

static struct journal *journal_get(struct account *account)
{
	if (!account->journal) {
		account->journal = mem_zalloc(sizeof(*account->journal));
		account->journal->account = account;
		list_init(&account->journal->flights);
		account_hold(account);
	}
	return account->journal;
}

/* The store answers for the oldest first and sessions for the newest: looked for from both ends. */
static struct flight *flight_find(const struct account *account, uint64_t sequence)
{
	const struct list *flights = account->journal ? &account->journal->flights : NULL;
	struct list_link *front = flights ? list_first(flights) : NULL, *back = front ? list_last(flights) : NULL;

	while (front) {
		struct flight *old = LIST_MEMBER(front, struct flight, link);
		struct flight *new = LIST_MEMBER(back, struct flight, link);

		if (old->sequence == sequence || new->sequence == sequence)
			return old->sequence == sequence ? old : new;
		if (old->sequence >= new->sequence)
			return NULL;
		front = list_next(flights, front);
		back = list_previous(flights, back);
	}
	return NULL;
}

static struct flight *flight_start(struct account *account, const struct store_journal_entry *entry)
{
	struct flight *flight = mem_zalloc(sizeof(*flight));

	flight->sequence = entry->sequence;
	flight->bytes = entry->stanza_len;
	list_add_last(&journal_get(account)->flights, &flight->link);
	return flight;
}

void journal_write_down(struct account *account, struct parcel *parcel)
{
	const struct stanza *message = parcel->stanza;
	struct store_journal_append *append = journal_entry(account, message, &parcel->to, STORE_IN, append_done);

	if (journal_wants(account, message, &message->from))
		journal_archive(account, &append->entry);
	append->entry.at_us = parcel->since_us;
	append->request.context = parcel_split(account->home, parcel);
	list_remove(&parcel->watch);
	flight_start(account, &append->entry);
	parcel->answered = flight_answered;
	parcel->token = parcel->journal = append->entry.sequence;
	store_submit(account->home->server->store, &append->request);
}

static void flight_insert(struct account *account, struct flight *flight)
{
	struct list *flights = &journal_get(account)->flights;
	struct list_link *link = list_first(flights);

	while (link && LIST_MEMBER(link, struct flight, link)->sequence < flight->sequence)
		link = list_next(flights, link);
	list_add_before(flights, link, &flight->link);
}

void journal_take_up(struct account *account, struct parcel *parcel, uint64_t sequence)
{
	const struct stanza_copy copy = { .to = &parcel->to };
	struct buf text = { 0 };
	struct flight *flight;

	if (!flight_find(account, sequence)) {
		stanza_write(&text, parcel->stanza, &copy);
		flight = mem_zalloc(sizeof(*flight));
		*flight = (struct flight){ .sequence = sequence, .stored = true, .bytes = text.len };
		buf_clear(&text);
		flight_insert(account, flight);
		kept_forget(account, 1, flight->bytes);
	}
	parcel->answered = flight_answered;
	parcel->token = parcel->journal = sequence;
}

void journal_received(struct account *account, struct parcel *parcel)
{
	const struct stanza *message = parcel->stanza;

	if (parcel->journal || account->gone || kept_is_from_journal(parcel))
		return;
	if (message->kind == STANZA_MESSAGE && journal_wants(account, message, &message->from))
		journal_write_down(account, parcel);
	else
		overdue_watch(account, parcel);
}

static void flight_drop(struct flight *flight)
{
	list_remove(&flight->link);
	free(flight);
}

static bool flight_is_over(const struct flight *flight)
{
	return flight->state == FLIGHT_LANDED && flight->stored;
}

/* With nothing undelivered in front of them those that are over need not wait for the report. */
static void flights_landed(struct account *account)
{
	struct journal *journal = account->journal;
	struct list_link *link;

	while (account->undelivered == 0 && (link = list_first(&journal->flights))) {
		struct flight *flight = LIST_MEMBER(link, struct flight, link);

		if (!flight_is_over(flight))
			return;
		journal->landed = flight->sequence;
		flight_drop(flight);
	}
}

/* No session has it: it waits for the next. */
static void flight_miss(struct account *account, struct flight *flight)
{
	flight->state = FLIGHT_MISSED;
	account->undelivered++;
	account->undelivered_bytes += flight->bytes;
	if (flight->stored)
		flight_drop(flight);
}

/* Without an entry the sessions' answer counts. */
static void append_failed(struct account *account, struct flight *flight, struct parcel *original)
{
	struct home *home = account->home;

	if (flight->state == FLIGHT_OPEN) {
		flight->original = original;
	} else if (flight->state == FLIGHT_LANDED) {
		parcel_taken(home, &original);
	} else {
		kept_forget(account, 1, flight->bytes);
		parcel_refused(home, &original, STANZA_RESOURCE_CONSTRAINT,
		               "The message could not be kept, try again");
	}
}

/* A flight stays until the store has answered, but for an account that has gone. */
static void append_done(struct store_request *request)
{
	struct home *home = home_of(request->worker);
	struct parcel *original = request->context;
	struct account *account = account_find(home, request->owner, strlen(request->owner));
	struct flight *flight = NULL;

	if (account)
		flight = flight_find(account, ((struct store_journal_append *)request)->entry.sequence);
	if (flight)
		flight->stored = true;
	if (request->status == STORE_OK)
		parcel_taken(home, &original);
	else if (flight)
		append_failed(account, flight, original);
	else
		parcel_refused(home, &original, STANZA_SERVICE_UNAVAILABLE, NULL);
	if (flight && flight->state == FLIGHT_MISSED)
		flight_drop(flight);
	else if (flight && flight->state == FLIGHT_LANDED)
		journal_touch(account);
	store_request_free(request);
}

/* The store has failed, so nothing but the sessions' answer counts. */
static void flight_answer(struct home *home, struct flight *flight, bool is_taken)
{
	flight->state = FLIGHT_LANDED;
	if (flight->original && is_taken)
		parcel_taken(home, &flight->original);
	else if (flight->original)
		parcel_refused(home, &flight->original, STANZA_RESOURCE_CONSTRAINT, NULL);
}

static void flight_answered(struct home *home, struct parcel *copy)
{
	struct account *account = account_find(home, copy->to.text, jid_bare_len(&copy->to));
	struct flight *flight = account ? flight_find(account, copy->token) : NULL;
	bool is_taken = copy->answer == PARCEL_TAKEN;

	parcel_free(&copy);
	if (!flight || flight->state != FLIGHT_OPEN)
		return;
	if (is_taken || flight->original)
		flight_answer(home, flight, is_taken);
	else
		flight_miss(account, flight);
	journal_touch(account);
}

/* Another client of the account has acknowledged a copy. */
void journal_land(struct account *account, uint64_t sequence)
{
	struct flight *flight = flight_find(account, sequence);

	if (!flight || flight->state != FLIGHT_OPEN)
		return;
	flight_answer(account->home, flight, true);
	journal_touch(account);
}

bool journal_has(const struct account *account, const struct parcel *parcel)
{
	const struct flight *flight;

	if (!parcel->journal || kept_is_from_journal(parcel))
		return false;
	flight = flight_find(account, parcel->journal);
	return !flight || flight->state == FLIGHT_LANDED;
}

bool journal_takes_back(const struct account *account, struct parcel *parcel)
{
	if (!parcel->journal || parcel->answered != flight_answered)
		return false;
	parcel_refused(account->home, &parcel, STANZA_RECIPIENT_UNAVAILABLE, NULL);
	return true;
}

bool journal_is_on_its_way(const struct account *account, uint64_t sequence)
{
	const struct flight *flight = flight_find(account, sequence);

	if (account->journal && sequence <= account->journal->landed)
		return true;
	return flight && flight->state != FLIGHT_MISSED;
}

/* ---- the watermark ---- */

static struct store_journal_advance *advance_new(struct account *account, size_t room)
{
	struct store_journal_advance *advance =
		store_request_new(sizeof(*advance), STORE_JOURNAL_ADVANCE, account->home->worker, account->jid.text,
	                          jid_bare_len(&account->jid), store_request_free);

	advance->beyond = arena_alloc(&advance->request.arena, room * sizeof(*advance->beyond));
	return advance;
}

static void advance_add(struct store_journal_advance *advance, uint64_t sequence)
{
	((uint64_t *)(uintptr_t)advance->beyond)[advance->beyond_count++] = sequence;
}

static size_t flights_count(const struct account *account, struct flight **first_open)
{
	const struct journal *journal = account->journal;
	size_t count = 0;

	*first_open = NULL;
	for (struct list_link *link = journal ? list_first(&journal->flights) : NULL; link;
	     link = list_next(&journal->flights, link)) {
		struct flight *flight = LIST_MEMBER(link, struct flight, link);

		if (!flight_is_over(flight) && !*first_open)
			*first_open = flight;
		count++;
	}
	return count;
}

uint64_t journal_settled_up_to(const struct account *account)
{
	struct flight *open;

	flights_count(account, &open);
	return open ? open->sequence - 1 : account->journal_newest;
}

/* Each that is over is an exception, and leaves the list. */
static void flights_except(struct journal *journal, struct store_journal_advance *advance)
{
	struct list_link *link, *next;

	for (link = list_first(&journal->flights); link; link = next) {
		struct flight *flight = LIST_MEMBER(link, struct flight, link);

		next = list_next(&journal->flights, link);
		if (!flight_is_over(flight))
			continue;
		advance_add(advance, flight->sequence);
		flight_drop(flight);
	}
}

/* With nothing undelivered all in front of the first flight in the list has been delivered. */
static void journal_report(struct account *account)
{
	struct journal *journal = account->journal;
	struct flight *open;
	struct store_journal_advance *advance = advance_new(account, flights_count(account, &open));

	flights_landed(account);
	if (account->undelivered > 0) {
		advance->sequence = journal->landed;
		flights_except(journal, advance);
	} else {
		advance->sequence = open ? open->sequence - 1 : account->journal_newest;
	}
	journal->dirty = false;
	if (advance->sequence > 0 || advance->beyond_count > 0)
		store_submit(account->home->server->store, &advance->request);
	else
		store_request_free(&advance->request);
}

static void journal_free(struct account *account)
{
	timer_stop(account->home->worker, &account->journal->report);
	free(account->journal);
	account->journal = NULL;
	account_release(account);
}

static void journal_reported(struct worker *worker, struct timer *timer)
{
	struct journal *journal = LIST_MEMBER(timer, struct journal, report);

	(void)worker;
	journal_report(journal->account);
	if (list_is_empty(&journal->flights))
		journal_free(journal->account);
}

/* Something may be told to the store; soon, for company, and at once when the server leaves. */
static void journal_touch(struct account *account)
{
	struct journal *journal = journal_get(account);

	flights_landed(account);
	journal->dirty = true;
	if (account->home->draining)
		journal_report(account);
	else if (!timer_is_running(&journal->report))
		timer_start(account->home->worker, &journal->report, REPORT_MS, journal_reported);
}

void journal_flush(struct account *account)
{
	if (account->journal && account->journal->dirty)
		journal_report(account);
}

void journal_delivered(struct account *account, const struct store_journal_entry *entries, size_t count)
{
	struct flight *open;
	struct store_journal_advance *advance = advance_new(account, count);

	flights_count(account, &open);
	if (!open || open->sequence > entries[count - 1].sequence)
		advance->sequence = entries[count - 1].sequence;
	for (size_t i = 0; i < count && advance->sequence == 0; i++)
		advance_add(advance, entries[i].sequence);
	store_submit(account->home->server->store, &advance->request);
}

void journal_excepted(struct account *account, const struct store_journal_entry *entries, size_t count)
{
	struct store_journal_advance *advance = advance_new(account, count);

	for (size_t i = 0; i < count; i++)
		advance_add(advance, entries[i].sequence);
	store_submit(account->home->server->store, &advance->request);
}

void journal_clear(struct account *account)
{
	struct list_link *link;

	if (!account->journal)
		return;
	while ((link = list_take_first(&account->journal->flights))) {
		struct flight *flight = LIST_MEMBER(link, struct flight, link);

		if (flight->original)
			parcel_refused(account->home, &flight->original, STANZA_SERVICE_UNAVAILABLE, NULL);
		free(flight);
	}
	journal_free(account);
}
