/* SPDX-License-Identifier: MIT
 *
 * No ghosts after a crash: whoever elsewhere was shown a session by a server that did not come to its end, contacts and rooms
 * alike, is told that it is gone (RFC 6121 §4.5.2, §4.6.3). What to say to whom stands in the account's note (im/shown.h).
 *
 * An account that is loaded has no sessions but those that outlived a restart in order (core/frozen.h). All others that its
 * note names have ended, and this is said before anybody can log in: what a new session shows comes behind it, on the same
 * way. A walk after the start loads, some at a time, the accounts that nobody else needs.
 *
 * A server that cannot be reached yet, or a component that is not connected, is told again for some minutes, unless the session
 * has come back meanwhile and shown itself there.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/router.h"
#include "im/directed.h"
#include "im/im.h"
#include "im/presence.h"
#include "im/shown.h"
#include "net/timer.h"
#include "store/document.h"

extern const struct module ghosts_module;

enum {
	STEPS_A_SECOND = 10,
	RETRY_MS = 10000,       /* when the store has failed */
	AGAIN_AFTER_MS = 2000,  /* who could not be told */
	AGAIN_FOR_MS = 600000,
	AGAIN_MOST = 10000,     /* that wait for it, on a home */
	AGAIN_AT_ONCE = 200,
};

/* A home's part. */
struct ghosts {
	struct home *home;
	struct timer again;     /* for those that came back: */
	struct parcel *returned, **returned_end;
	size_t returned_count;
	struct timer walk;      /* on the first home */
	uint64_t after;         /* how far it is, in the store's order */
};

/* An account's turn in the walk. */
struct visit {
	struct mail mail;
	struct account_want want;
	struct arena arena;
	struct jid owner;
};

static void gone_answered(struct home *home, struct parcel *parcel);
static void ghosts_tell_again(struct worker *worker, struct timer *timer);
static void walk_step(struct worker *worker, struct timer *timer);
static void walk_found(struct store_request *request);
static void visit_arrive(struct worker *worker, struct mail *mail);

static struct ghosts *ghosts_of(const struct home *home)
{
	return home_part(home, &ghosts_module);
}

/* ---- what is told ---- */

/* NULL: the session is there again. */
static const struct stanza *session_gone(const struct account *account, struct arena *arena, const char *resource)
{
	const char *full = arena_printf(arena, "%s/%s", account->jid.text, resource);
	struct jid from;

	if (session_find(account, resource) || !jid_prepare(arena, full, strlen(full), JID_ANY, &from))
		return NULL;
	return stanza_seal(stanza_make(STANZA_PRESENCE, PRESENCE_UNAVAILABLE, &from, NULL, NULL));
}

static void gone_send(struct home *home, const struct stanza *gone, const struct jid *to, int64_t since_us)
{
	struct parcel *parcel = parcel_new(home, gone, to);

	parcel->since_us = since_us;
	parcel->answered = gone_answered;
	route(home, parcel);
}

static void gone_tell(const struct account *account, const struct stanza *gone, const struct jid *to)
{
	struct home *home = account->home;

	if (presence_is_elsewhere(account, to) && !account_blocks(account, to))
		gone_send(home, gone, to, clock_wall_us(worker_clock(home->worker)));
}

static void gone_tell_contacts(const struct account *account, const struct stanza *gone)
{
	const struct roster *roster = roster_of(account);

	for (size_t i = 0; i < roster->count; i++) {
		if (subscription_gives((enum subscription)roster->items[i]->state))
			gone_tell(account, gone, &roster->items[i]->contact);
	}
}

static void note_tell(const struct account *account, const char *note)
{
	const struct stanza *gone = NULL;
	struct arena arena = { 0 };

	for (note += strspn(note, "\n"); *note; note += strspn(note, "\n")) {
		size_t len = strcspn(note, "\n");
		const char *rest = arena_str_len(&arena, note + 1, len - 1);
		struct jid to;

		if (*note == SHOWN_SESSION) {
			stanza_unref(&gone);
			gone = session_gone(account, &arena, rest);
		} else if (gone && *note == SHOWN_TO_CONTACTS) {
			gone_tell_contacts(account, gone);
		} else if (gone && jid_prepare(&arena, rest, len - 1, JID_ANY, &to)) {
			gone_tell(account, gone, &to);
		}
		note += len;
	}
	stanza_unref(&gone);
	arena_clear(&arena);
}

static void ghosts_account_loaded(struct account *account, const struct store_account_load *load)
{
	const struct store_account_document *note = store_account_document(load, SHOWN_KIND, "");

	if (note)
		note_tell(account, note->text);
}

/* ---- who could not be told ---- */

static bool parcel_may_go_again(const struct ghosts *ghosts, const struct parcel *parcel)
{
	int64_t age_us = clock_wall_us(worker_clock(ghosts->home->worker)) - parcel->since_us;

	return parcel->answer == PARCEL_REFUSED && age_us / 1000 < AGAIN_FOR_MS && ghosts->returned_count < AGAIN_MOST &&
	       (parcel->condition == STANZA_REMOTE_SERVER_TIMEOUT || parcel->condition == STANZA_RESOURCE_CONSTRAINT);
}

static void gone_answered(struct home *home, struct parcel *parcel)
{
	struct ghosts *ghosts = ghosts_of(home);

	if (!parcel_may_go_again(ghosts, parcel)) {
		parcel_free(&parcel);
		return;
	}
	parcel->next = NULL;
	*ghosts->returned_end = parcel;
	ghosts->returned_end = &parcel->next;
	ghosts->returned_count++;
	if (!timer_is_running(&ghosts->again))
		timer_start(home->worker, &ghosts->again, AGAIN_AFTER_MS, ghosts_tell_again);
}

static struct parcel *ghosts_take_returned(struct ghosts *ghosts)
{
	struct parcel *parcel = ghosts->returned;

	if (!parcel)
		return NULL;
	ghosts->returned = parcel->next;
	if (!ghosts->returned)
		ghosts->returned_end = &ghosts->returned;
	ghosts->returned_count--;
	return parcel;
}

static bool is_shown_again(struct home *home, const struct jid *from, const struct jid *to)
{
	const struct account *account = account_find(home, from->text, jid_bare_len(from));
	const struct session *session = account ? session_find(account, jid_resource(from)) : NULL;

	return session && (directed_knows(session->directed, to) ||
	                   (session_is_available(session) && subscription_gives(roster_state(roster_of(account), to))));
}

static void ghosts_tell_again(struct worker *worker, struct timer *timer)
{
	struct ghosts *ghosts = LIST_MEMBER(timer, struct ghosts, again);
	struct parcel *parcel;

	for (int i = 0; i < AGAIN_AT_ONCE && (parcel = ghosts_take_returned(ghosts)); i++) {
		if (!is_shown_again(ghosts->home, &parcel->stanza->from, &parcel->to))
			gone_send(ghosts->home, parcel->stanza, &parcel->to, parcel->since_us);
		parcel_free(&parcel);
	}
	if (ghosts->returned)
		timer_start(worker, timer, AGAIN_AFTER_MS, ghosts_tell_again);
}

/* ---- the walk ---- */

static size_t accounts_a_step(const struct home *home)
{
	const uint32_t *a_second = config_part(home->config, &ghosts_module);

	return *a_second / STEPS_A_SECOND;
}

static void walk_step(struct worker *worker, struct timer *timer)
{
	struct ghosts *ghosts = LIST_MEMBER(timer, struct ghosts, walk);
	struct store_document_owners *owners;

	if (ghosts->home->draining)
		return;
	owners = store_request_new(sizeof(*owners), STORE_DOCUMENT_OWNERS, worker, "", 0, walk_found);
	owners->kind = SHOWN_KIND;
	owners->limit = accounts_a_step(ghosts->home);
	owners->after = ghosts->after;
	store_submit(ghosts->home->server->store, &owners->request);
}

static void visit_send(struct home *from, const char *owner)
{
	struct visit *visit = mem_zalloc(sizeof(*visit));

	visit->mail.arrive = visit_arrive;
	if (jid_prepare(&visit->arena, owner, strlen(owner), JID_ANY, &visit->owner))
		worker_post(from->worker, workers_home(from->server->workers, owner, strlen(owner)), &visit->mail);
	else
		free(visit);
}

static void walk_found(struct store_request *request)
{
	const struct store_document_owners *owners = (const struct store_document_owners *)request;
	struct ghosts *ghosts = ghosts_of(home_of(request->worker));
	bool is_answered = request->status == STORE_OK;

	for (size_t i = 0; is_answered && i < owners->count; i++)
		visit_send(ghosts->home, owners->accounts[i]);
	if (is_answered)
		ghosts->after = owners->end;
	if (!is_answered || owners->count == owners->limit)
		timer_start(request->worker, &ghosts->walk, is_answered ? 1000 / STEPS_A_SECOND : RETRY_MS, walk_step);
	store_request_free(request);
}

static void visit_free(struct visit *visit)
{
	arena_clear(&visit->arena);
	free(visit);
}

/* Loaded it has said what there was to say, now or before. */
static void visit_over(struct account_want *want, struct account *account)
{
	(void)account;
	visit_free(LIST_MEMBER(want, struct visit, want));
}

static void visit_arrive(struct worker *worker, struct mail *mail)
{
	struct visit *visit = (struct visit *)mail;
	struct home *home = home_of(worker);

	if (config_host(home->config, jid_domain_text(&visit->owner), visit->owner.domain_len))
		account_want(home, &visit->owner, &visit->want, visit_over);
	else
		visit_free(visit);
}

/* ---- the module ---- */

static void *ghosts_home_open(struct home *home)
{
	struct ghosts *ghosts = mem_zalloc(sizeof(*ghosts));

	ghosts->home = home;
	ghosts->returned_end = &ghosts->returned;
	if (worker_number(home->worker) == 0)
		timer_start(home->worker, &ghosts->walk, 0, walk_step);
	return ghosts;
}

static void ghosts_home_close(struct home *home, void *part)
{
	struct ghosts *ghosts = part;
	struct parcel *parcel;

	timer_stop(home->worker, &ghosts->again);
	timer_stop(home->worker, &ghosts->walk);
	while ((parcel = ghosts_take_returned(ghosts)))
		parcel_free(&parcel);
	free(ghosts);
}

static const struct conf_option limit_options[] = {
	{ .name = "ghosts-per-second", .type = CONF_INT, .fallback = "100", .min = STEPS_A_SECOND, .max = 100000,
	  .sentence = "After a crash: of how many accounts a second contacts and rooms on other servers are told that the "
	              "sessions are gone." },
	{ 0 },
};

static const struct conf_section_kind options[] = {
	{ .name = "limits", .options = limit_options },
	{ 0 },
};

static void *ghosts_configure(struct config *config, const struct conf *conf, char **error)
{
	uint32_t *a_second = arena_alloc(&config->arena, sizeof(*a_second));

	(void)error;
	*a_second = (uint32_t)conf_number(conf_section(conf, "limits"), "ghosts-per-second");
	return a_second;
}

const struct module ghosts_module = {
	.name = "ghosts",
	.options = options,
	.configure = ghosts_configure,
	.home_open = ghosts_home_open,
	.home_close = ghosts_home_close,
	.account_loaded = ghosts_account_loaded,
};
