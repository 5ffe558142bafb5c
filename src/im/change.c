/* SPDX-License-Identifier: MIT
 *
 * The queue of an account's roster changes. One write is under way at a time; the account stays in memory while anything
 * waits.
 */
#include "im/change.h"

#include <assert.h>

#include "core/journal.h"
#include "core/router.h"
#include "core/session.h"
#include "im/im.h"

enum {
	CHANGES_MAX = 1000,
	CHANGES_BYTES = 4 << 20,
};

static void changes_run(struct account *account);
static void change_done(struct store_request *request);
static void change_free(struct change *change);

struct change *change_new(const struct change_class *class, const struct jid *contact)
{
	struct change *change = arena_new_self(sizeof(*change), offsetof(struct change, arena), 256);

	change->class = class;
	change->contact = jid_bare(&change->arena, contact);
	if (change->contact.text == contact->text)
		change->contact = jid_copy(&change->arena, contact);
	return change;
}

static size_t change_weigh(const struct change *change)
{
	const struct parcel *parcel = change->request ? change->request->parcel : change->parcel;
	const struct stanza *stanza = parcel ? parcel->stanza : change->sent;

	return sizeof(*change) + arena_footprint(&change->arena) + arena_footprint(&stanza->arena);
}

static bool changes_have_room(const struct changes *changes, const struct change *change)
{
	size_t part = change->parcel ? 2 : 1;

	return changes->count < CHANGES_MAX / part && changes->bytes + change->bytes <= CHANGES_BYTES / part;
}

void change_begin(struct account *account, struct change *change)
{
	struct changes *changes = &im_of(account)->changes;

	change->bytes = change_weigh(change);
	change->asked_ms = worker_now_ms(account->home->worker);
	if (!changes_have_room(changes, change)) {
		change->class->failed(account->home, change, STANZA_RESOURCE_CONSTRAINT);
		change_free(change);
		return;
	}
	if (!changes->first) {
		changes->end = &changes->first;
		account_hold(account);
	}
	changes->count++;
	changes->bytes += change->bytes;
	*changes->end = change;
	changes->end = &change->next;
	changes_run(account);
}

/* Not recursive: a long queue of changes that end at once takes no stack. */
static void changes_run(struct account *account)
{
	struct changes *changes = &im_of(account)->changes;

	if (changes->running)
		return;
	changes->running = true;
	while (changes->first && !changes->first->turn) {
		changes->first->turn = true;
		changes->first->class->decided(account, changes->first);
	}
	changes->running = false;
	if (!changes->first)
		account_release(account);
}

uint64_t change_wait(struct account *account, struct change *change)
{
	return change->id = ++account->home->serial;
}

struct change *change_resume(struct account *account, uint64_t number)
{
	struct change *change = im_of(account)->changes.first;

	if (!change || change->id != number)
		return NULL;
	change->id = 0;
	return change;
}

static void change_submit(struct account *account, struct change *change, struct store_roster_write *write)
{
	write->request.token = change_wait(account, change);
	write->request.asked_ms = change->asked_ms;
	store_submit(account->home->server->store, &write->request);
}

static struct store_roster_write *write_new(struct account *account, enum store_op op)
{
	return store_request_new(sizeof(struct store_roster_write), op, account->home->worker,
	                         account->jid.text, jid_len(&account->jid), change_done);
}

void change_write(struct account *account, struct change *change, const struct store_roster_item *item)
{
	struct store_roster_write *write = write_new(account, STORE_ROSTER_PUT);
	struct arena *arena = &write->request.arena;

	write->item = *item;
	write->item.contact = arena_str(arena, item->contact);
	write->item.name = item->name ? arena_str(arena, item->name) : NULL;
	write->item.request = item->request ? arena_str(arena, item->request) : NULL;
	write->item.groups = arena_alloc(arena, (item->group_count + 1) * sizeof(*item->groups));
	for (size_t i = 0; i < item->group_count; i++)
		write->item.groups[i] = arena_str(arena, item->groups[i]);
	change_submit(account, change, write);
}

void change_remove(struct account *account, struct change *change, uint64_t version)
{
	struct store_roster_write *write = write_new(account, STORE_ROSTER_REMOVE);

	write->item.contact = arena_str(&write->request.arena, change->contact.text);
	write->item.version = version;
	change_submit(account, change, write);
}

static enum stanza_condition condition_of(enum store_status status)
{
	switch (status) {
	case STORE_FULL:
		return STANZA_RESOURCE_CONSTRAINT;
	case STORE_ABSENT:
		return STANZA_ITEM_NOT_FOUND;
	default:
		return STANZA_INTERNAL_SERVER_ERROR;
	}
}

static void change_apply(struct account *account, const struct store_roster_write *write,
                         struct change *change)
{
	struct roster *roster = roster_of(account);

	if (write->request.op == STORE_ROSTER_PUT)
		roster_put(roster, &write->item);
	else
		roster_remove(roster, &change->contact);
	if (write->item.version > roster->version)
		roster->version = write->item.version;
}

/* The account may have left memory meanwhile, and even have come back: then its change has been failed. */
static void change_done(struct store_request *request)
{
	struct home *home = home_of(request->worker);
	struct account *account = account_find(home, request->owner, strlen(request->owner));
	struct change *change = account ? change_resume(account, request->token) : NULL;

	if (!change) {
		store_request_free(request);
		return;
	}
	if (request->status == STORE_OK) {
		change_apply(account, (struct store_roster_write *)request, change);
		change->class->written(account, change);
	} else {
		change->class->failed(home, change, condition_of(request->status));
		change_end(account, change);
	}
	store_request_free(request);
}

static void change_free(struct change *change)
{
	arena_free_self(change, offsetof(struct change, arena));
}

void change_end(struct account *account, struct change *change)
{
	struct changes *changes = &im_of(account)->changes;

	assert(changes->first == change && change->id == 0);
	changes->first = change->next;
	changes->count--;
	changes->bytes -= change->bytes;
	change_free(change);
	changes_run(account);
}

static void change_end_arrive(struct worker *worker, struct mail *mail)
{
	struct change *change = LIST_MEMBER(mail, struct change, mail);

	(void)worker;
	if (change->account)
		change_end(change->account, change);
	else
		change_free(change);
}

void change_end_behind(struct account *account, struct change *change)
{
	struct worker *worker = account->home->worker;

	change->account = account;
	change->mail.arrive = change_end_arrive;
	worker_post(worker, worker, &change->mail);
}

bool change_concerns(const struct account *account, const struct jid *contact)
{
	for (const struct change *change = im_of(account)->changes.first; change; change = change->next)
		if (jid_same_bare(&change->contact, contact))
			return true;
	return false;
}

static void delayed_received(struct account *account, struct change *change)
{
	bool received = im_receive(account, change->parcel);

	assert(received);
	(void)received;
	change_end(account, change);
}

static void delayed_sent(struct account *account, struct change *change)
{
	journal_send(account, change->sent);
	change_end(account, change);
}

/* The error passes those that wait: by the router it would wait behind them, for want of room in vain. */
static void sent_refused(struct home *home, const struct stanza *sent, enum stanza_condition condition)
{
	const struct jid *from = &sent->from;
	struct account *account = account_find(home, from->text, jid_bare_len(from));
	struct session *session = account ? session_find(account, jid_resource(from)) : NULL;
	const struct stanza *error = session ? stanza_error(sent, NULL, condition, NULL) : NULL;

	if (error)
		session_push(session, error);
	stanza_unref(&sent);
}

/* What an account that leaves has sent still goes; what finds no room goes back. */
static void delayed_failed(struct home *home, struct change *change, enum stanza_condition condition)
{
	if (change->parcel)
		parcel_refused(home, &change->parcel, condition, NULL);
	else if (condition == STANZA_RESOURCE_CONSTRAINT)
		sent_refused(home, stanza_seal(change->sent), condition);
	else
		route_stanza(home, stanza_seal(change->sent));
}

void change_delay_received(struct account *account, struct parcel *parcel)
{
	static const struct change_class class = { .decided = delayed_received, .failed = delayed_failed };
	struct change *change = change_new(&class, &parcel->stanza->from);

	change->parcel = parcel;
	change_begin(account, change);
}

void change_delay_sent(struct account *account, struct stanza *stanza)
{
	static const struct change_class class = { .decided = delayed_sent, .failed = delayed_failed };
	struct change *change = change_new(&class, &stanza->to);

	change->sent = stanza;
	change_begin(account, change);
}

void changes_clear(struct account *account)
{
	struct changes *changes = &im_of(account)->changes;
	struct change *change;

	if (!changes->first)
		return;
	while ((change = changes->first)) {
		changes->first = change->next;
		if (change->account) {
			change->account = NULL;
			continue;
		}
		change->class->failed(account->home, change, STANZA_SERVICE_UNAVAILABLE);
		change_free(change);
	}
	account_release(account);
}
