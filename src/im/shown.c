/* SPDX-License-Identifier: MIT
 *
 * What must be known of presence after a crash: the sessions of an account that are shown elsewhere, on other servers and at
 * components, to contacts (RFC 6121 §4.2) and by directed presence (§4.6). It stands in a note (im/shown.h).
 *
 * The note is written behind the first presence that leaves, once a second for all accounts of a home together. It may say too much,
 * never too little: it stays as it is when sessions end, says the same when they come back, and goes when the account is
 * forgotten. So clients that come and go all day cost few writes, and who has nobody elsewhere costs none.
 *
 * Accounts of this server need no notes for each other: all their sessions end in the same crash, and ask for everybody's
 * presence when they come back.
 */
#include "im/shown.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "im/directed.h"
#include "im/presence.h"
#include "net/timer.h"
#include "store/document.h"

extern const struct module shown_module;

enum {
	WRITE_AFTER_MS = 1000,
	RETRY_MS = 10000,       /* when the store has failed */
};

/* An account's part, once something of it was shown elsewhere. */
struct note {
	struct account *account;
	struct list_link link;  /* in one of its home's lists */
	bool is_behind;         /* namely in that of those to be written */
	bool outlives;          /* a session of it will be there again after the restart: the note stays */
	bool is_inherited;      /* it is from the store, of a server before: nobody may have been told yet */
	uint64_t written;       /* hash of what the store has, or will have; 0: nothing */
};

/* A home's part. */
struct notes {
	struct home *home;
	struct list behind, written;
	struct timer timer;     /* of those behind */
};

static void note_stored(struct store_request *request);
static void notes_write(struct worker *worker, struct timer *timer);

static struct notes *notes_of(const struct home *home)
{
	return home_part(home, &shown_module);
}

/* NULL: nothing was shown. */
static struct note *note_find(const struct account *account)
{
	return account_part(account, &shown_module);
}

static struct note *note_get(struct account *account)
{
	struct note *note = note_find(account);

	if (note)
		return note;
	note = mem_zalloc(sizeof(*note));
	note->account = account;
	list_add_last(&notes_of(account->home)->written, &note->link);
	account_set_part(account, &shown_module, note);
	return note;
}

/* ---- what is shown ---- */

static void note_fall_behind(struct note *note, uint64_t write_after_ms)
{
	struct notes *notes = notes_of(note->account->home);

	if (note->is_behind)
		return;
	note->is_behind = true;
	list_remove(&note->link);
	list_add_last(&notes->behind, &note->link);
	if (!timer_is_running(&notes->timer))
		timer_start(notes->home->worker, &notes->timer, write_after_ms, notes_write);
}

static void shown_presence_shown(struct session *session)
{
	struct note *note = note_get(session->account);

	note->is_inherited = false;
	note_fall_behind(note, WRITE_AFTER_MS);
}

/* ---- the note ---- */

static void line_add(struct buf *text, char kind, const char *rest)
{
	buf_add_char(text, kind);
	buf_add_str(text, rest);
	buf_add_char(text, '\n');
}

/* Nothing, where it is shown to nobody elsewhere. */
static void session_note(struct buf *text, const struct session *session, bool has_contacts)
{
	size_t before = text->len, begin;

	line_add(text, SHOWN_SESSION, jid_resource(&session->jid));
	begin = text->len;
	if (has_contacts && session_is_available(session))
		line_add(text, SHOWN_TO_CONTACTS, "");
	for (size_t i = 0; i < directed_count(session->directed); i++) {
		const struct jid *to = directed_at(session->directed, i);

		if (presence_is_elsewhere(session->account, to))
			line_add(text, SHOWN_TO, to->text);
	}
	if (text->len == begin)
		text->len = before;
}

static uint64_t note_hash(const struct account *account, const char *text, size_t len)
{
	return len > 0 ? hash_bytes(worker_seed(account->home->worker), text, len) : 0;
}

/* Without text it is removed. */
static void note_put(const struct account *account, const char *text, size_t len)
{
	struct store_document *put = store_request_new(sizeof(*put), STORE_DOCUMENT_PUT, account->home->worker,
	                                               account->jid.text, jid_bare_len(&account->jid), note_stored);

	put->kind = SHOWN_KIND;
	put->key = "";
	put->text = len > 0 ? arena_str_len(&put->request.arena, text, len) : NULL;
	put->text_len = len;
	store_submit(account->home->server->store, &put->request);
}

static void note_write(struct note *note)
{
	struct account *account = note->account;
	bool has_contacts = presence_has_contacts_elsewhere(account);
	struct buf text = { 0 };
	uint64_t hash;

	for (struct session *session = session_first(account); session; session = session_next(session))
		session_note(&text, session, has_contacts);
	hash = note_hash(account, text.data, text.len);
	if (hash != note->written)
		note_put(account, text.data, text.len);
	note->written = hash;
	buf_clear(&text);
}

static void notes_write(struct worker *worker, struct timer *timer)
{
	struct notes *notes = LIST_MEMBER(timer, struct notes, timer);
	struct list_link *link;

	(void)worker;
	while ((link = list_take_first(&notes->behind))) {
		struct note *note = LIST_MEMBER(link, struct note, link);

		note->is_behind = false;
		list_add_last(&notes->written, link);
		if (!note->outlives)
			note_write(note);
	}
}

/* What could not be removed is told once too often. */
static void note_stored(struct store_request *request)
{
	const struct store_document *put = (const struct store_document *)request;
	struct account *account = account_find(home_of(request->worker), request->owner, strlen(request->owner));
	struct note *note = account ? note_find(account) : NULL;

	if (note && put->text && (request->status == STORE_FAILED || request->status == STORE_FULL)) {
		note->written = 0;
		note_fall_behind(note, RETRY_MS);
	}
	store_request_free(request);
}

/* Nobody elsewhere sees anything of the account any more. */
static void note_remove(struct note *note)
{
	if (note->written && !note->outlives)
		note_put(note->account, NULL, 0);
	note->written = 0;
}

/* ---- the life of an account and of the home ---- */

/* Sessions that are there already have outlived a restart. */
static void shown_account_loaded(struct account *account, const struct store_account_load *load)
{
	const struct store_account_document *found = store_account_document(load, SHOWN_KIND, "");

	if (found) {
		note_get(account)->written = note_hash(account, found->text, found->len);
		note_get(account)->is_inherited = !session_first(account);
	}
	if (session_first(account))
		note_fall_behind(note_get(account), WRITE_AFTER_MS);
}

static void shown_account_unloaded(struct account *account)
{
	struct note *note = note_find(account);

	if (!note)
		return;
	if (!account->home->closed)
		note_remove(note);
	list_remove(&note->link);
	free(note);
	account_set_part(account, &shown_module, NULL);
}

static void shown_session_ended(struct session *session)
{
	struct note *note = note_find(session->account);

	if (note && session->frozen)
		note->outlives = true;
}

static void *shown_home_open(struct home *home)
{
	struct notes *notes = mem_zalloc(sizeof(*notes));

	notes->home = home;
	list_init(&notes->behind);
	list_init(&notes->written);
	return notes;
}

/* All sessions have ended and their contacts know. */
static void notes_remove(const struct list *notes)
{
	for (struct list_link *link = list_first(notes); link; link = list_next(notes, link)) {
		struct note *note = LIST_MEMBER(link, struct note, link);

		if (!note->is_inherited)
			note_remove(note);
	}
}

static void shown_home_drain(struct home *home)
{
	struct notes *notes = notes_of(home);

	timer_stop(home->worker, &notes->timer);
	notes_remove(&notes->behind);
	notes_remove(&notes->written);
}

static void shown_home_close(struct home *home, void *part)
{
	struct notes *notes = part;

	timer_stop(home->worker, &notes->timer);
	free(notes);
}

const struct module shown_module = {
	.name = "shown",
	.home_open = shown_home_open,
	.home_close = shown_home_close,
	.home_drain = shown_home_drain,
	.drains_late = true,
	.account_loaded = shown_account_loaded,
	.account_unloaded = shown_account_unloaded,
	.session_ended = shown_session_ended,
	.presence_shown = shown_presence_shown,
};
