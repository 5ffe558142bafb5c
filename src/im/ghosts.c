/* SPDX-License-Identifier: MIT
 *
 * No ghosts after a crash: whoever elsewhere was shown a session by a server that did not come to its end, contacts and rooms
 * alike, is told that it is gone (RFC 6121 §4.5.2, §4.6.3). What to say to whom stands in the account's note (im/shown.h).
 *
 * An account that is loaded has no sessions but those that outlived a restart in order (core/frozen.h). All others that its
 * note names have ended, and this is said before anybody can log in: what a new session shows comes behind it, on the same
 * way. A walk after the start loads, some at a time, the accounts that nobody else needs.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/router.h"
#include "im/im.h"
#include "im/presence.h"
#include "im/shown.h"
#include "net/timer.h"
#include "store/document.h"

extern const struct module ghosts_module;

enum {
	STEPS_A_SECOND = 10,
	RETRY_MS = 10000,       /* when the store has failed */
};

/* The walk, on the first home. */
struct walk {
	struct home *home;
	struct timer timer;
	uint64_t after;         /* how far it is, in the store's order */
};

/* An account's turn in the walk. */
struct visit {
	struct mail mail;
	struct account_want want;
	struct arena arena;
	struct jid owner;
};

static void walk_step(struct worker *worker, struct timer *timer);
static void walk_found(struct store_request *request);
static void visit_arrive(struct worker *worker, struct mail *mail);

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

static void gone_tell(const struct account *account, const struct stanza *gone, const struct jid *to)
{
	if (presence_is_elsewhere(account, to) && !account_blocks(account, to))
		route(account->home, parcel_new(account->home, gone, to));
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

	while (*note) {
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
		note += len + (note[len] == '\n');
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

/* ---- the walk ---- */

static size_t accounts_a_step(const struct home *home)
{
	const uint32_t *a_second = config_part(home->config, &ghosts_module);

	return *a_second / STEPS_A_SECOND;
}

static void walk_step(struct worker *worker, struct timer *timer)
{
	struct walk *walk = LIST_MEMBER(timer, struct walk, timer);
	struct store_document_owners *owners;

	if (walk->home->draining)
		return;
	owners = store_request_new(sizeof(*owners), STORE_DOCUMENT_OWNERS, worker, "", 0, walk_found);
	owners->kind = SHOWN_KIND;
	owners->limit = accounts_a_step(walk->home);
	owners->after = walk->after;
	store_submit(walk->home->server->store, &owners->request);
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
	struct walk *walk = home_part(home_of(request->worker), &ghosts_module);
	bool is_answered = request->status == STORE_OK;

	for (size_t i = 0; is_answered && i < owners->count; i++)
		visit_send(walk->home, owners->accounts[i]);
	if (is_answered)
		walk->after = owners->end;
	if (!is_answered || owners->count == owners->limit)
		timer_start(request->worker, &walk->timer, is_answered ? 1000 / STEPS_A_SECOND : RETRY_MS, walk_step);
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
	struct walk *walk;

	if (worker_number(home->worker) != 0)
		return NULL;
	walk = mem_zalloc(sizeof(*walk));
	walk->home = home;
	timer_start(home->worker, &walk->timer, 0, walk_step);
	return walk;
}

static void ghosts_home_close(struct home *home, void *part)
{
	struct walk *walk = part;

	if (!walk)
		return;
	timer_stop(home->worker, &walk->timer);
	free(walk);
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
