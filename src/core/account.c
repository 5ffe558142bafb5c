/* SPDX-License-Identifier: MIT
 *
 * The accounts of a home: found, loaded, asked for, forgotten. An account is loaded once, whoever needs it
 * first; everybody else waits behind, in order. "There is no such account" (ABSENT) and "could not find out"
 * (FAILED) never mix: the first is remembered for some seconds, the second is forgotten at once.
 */
#include "core/account.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "account_inside.h"
#include "base/mem.h"
#include "core/session.h"

enum {
	IDLE_MS = 60000,         /* how long an account without use stays in memory */
	ABSENT_MS = 5000,        /* how long we know that there is none */
	ABSENT_MAX = 10000,      /* of each home */
};

static void account_loaded(struct store_request *request);

/* ---- the table ---- */

void accounts_open(struct home *home)
{
	home->accounts = map_new(worker_seed(home->worker));
	list_init(&home->idle_accounts);
	list_init(&home->absent_accounts);
}

struct account *account_lookup(const struct home *home, const char *bare, size_t len)
{
	return map_find(home->accounts, bare, len);
}

struct account *account_find(struct home *home, const char *bare, size_t len)
{
	struct account *account = account_lookup(home, bare, len);

	return account && account->state == ACCOUNT_READY ? account : NULL;
}

static struct account *account_new(struct home *home, const struct jid *address)
{
	size_t parts = home->server->module_count * sizeof(void *), len = jid_bare_len(address);
	struct account *account = mem_zalloc(sizeof(*account) + parts + len + 1);

	account->home = home;
	account->jid = *address;
	account->jid.resource_len = 0;
	account->jid.text = memcpy((char *)account->parts + parts, address->text, len);
	account->host = config_host(home->config, jid_domain_text(address), address->domain_len);
	account->state = ACCOUNT_LOADING;
	account->waiting_end = &account->waiting;
	list_init(&account->sessions);
	list_init(&account->wanted);
	list_init(&account->unanswered);
	map_put(home->accounts, account->jid.text, len, account);
	return account;
}

static void credentials_clear(struct account *account)
{
	mem_wipe(account->credentials, account->credential_count * sizeof(*account->credentials));
	free(account->credentials);
	account->credentials = NULL;
	account->credential_count = 0;
}

static void account_free(struct account *account)
{
	assert(!account->waiting && list_is_empty(&account->wanted) && !account->kept);
	credentials_clear(account);
	repeats_clear(account);
	free(account);
}

/* Out of the table; its memory stays until the last hold is gone. */
static void account_remove(struct account *account)
{
	struct home *home = account->home;

	assert(!account->gone);
	map_remove(home->accounts, account->jid.text, jid_bare_len(&account->jid));
	list_remove(&account->idle_link);
	home->absent_count -= account->state == ACCOUNT_ABSENT;
	if (account->state == ACCOUNT_READY)
		figure_add(&home->figures.accounts, -1);
	account->gone = true;
	account->host = NULL;
	if (account->holds == 0)
		account_free(account);
}

static void account_unload(struct account *account)
{
	for (const struct module *const *module = account->home->server->modules; *module; module++) {
		if ((*module)->account_unloaded)
			(*module)->account_unloaded(account);
	}
}

/* ---- loaded ---- */

static void account_ask(struct account *account)
{
	struct home *home = account->home;
	struct store_account_load *load =
		store_request_new(sizeof(*load), STORE_ACCOUNT_LOAD, home->worker, account->jid.text,
	                          jid_bare_len(&account->jid), account_loaded);

	account->stale = false;
	account->asking = load->request.token = ++home->serial;
	repeats_ask(home, load);
	store_submit(home->server->store, &load->request);
}

struct account *account_get(struct home *home, const struct jid *address)
{
	struct account *account = account_lookup(home, address->text, jid_bare_len(address));

	if (account)
		return account;
	account = account_new(home, address);
	account_ask(account);
	return account;
}

static void account_take_credentials(struct account *account, const struct store_account_load *load)
{
	credentials_clear(account);
	account->credentials =
		mem_dup(load->credentials, load->credential_count * sizeof(*load->credentials));
	account->credential_count = load->credential_count;
}

static void account_become_ready(struct account *account, const struct store_account_load *load)
{
	account->state = ACCOUNT_READY;
	account->undelivered = load->undelivered;
	account->undelivered_bytes = load->undelivered_bytes;
	account->journal_newest = load->journal_newest;
	repeats_load(account, load);
	figure_add(&account->home->figures.accounts, 1);
	for (const struct module *const *module = account->home->server->modules; *module; module++) {
		if ((*module)->account_loaded)
			(*module)->account_loaded(account, load);
	}
}

static void account_become_absent(struct account *account)
{
	struct home *home = account->home;

	account->state = ACCOUNT_ABSENT;
	account->idle_since_ms = worker_now_ms(home->worker);
	list_add_last(&home->absent_accounts, &account->idle_link);
	if (++home->absent_count > ABSENT_MAX)
		account_remove(LIST_MEMBER(list_first(&home->absent_accounts), struct account, idle_link));
}

/* Those who asked for the account see it in that state, whatever they do to it. */
static void account_tell(struct account *account, enum account_state state)
{
	enum account_state before = account->state;
	struct list_link *link;

	account->state = state;
	while ((link = list_take_first(&account->wanted))) {
		struct account_want *want = LIST_MEMBER(link, struct account_want, link);

		want->ready(want, account);
	}
	account->state = before;
}

static enum account_state load_result(const struct store_request *request)
{
	return request->status == STORE_OK       ? ACCOUNT_READY
	       : request->status == STORE_ABSENT ? ACCOUNT_ABSENT
	                                         : ACCOUNT_FAILED;
}

/* The first load of an account. The hold keeps it whatever the parcels and callbacks do. */
static void account_settle(struct account *account, enum account_state state,
                           const struct store_account_load *load)
{
	account->holds++;
	if (state == ACCOUNT_READY)
		account_become_ready(account, load);
	else if (state == ACCOUNT_ABSENT)
		account_become_absent(account);
	account_tell(account, state);
	if (!account->gone)
		account_receive_waiting(account, state);
	if (state == ACCOUNT_FAILED && !account->gone)
		account_remove(account);
	account_release(account);
}

static void account_loaded(struct store_request *request)
{
	struct store_account_load *load = (struct store_account_load *)request;
	struct home *home = home_of(request->worker);
	struct account *account = account_lookup(home, request->owner, strlen(request->owner));
	enum account_state state = load_result(request);

	if (account && account->asking == request->token) {
		account->asking = 0;
		if (account->stale && state != ACCOUNT_FAILED) {
			account_ask(account);
			store_request_free(request);
			return;
		}
		account->stale = state == ACCOUNT_FAILED;
		if (state == ACCOUNT_READY)
			account_take_credentials(account, load);
		if (account->state == ACCOUNT_LOADING)
			account_settle(account, state, load);
		else
			account_tell(account, state);
	}
	store_request_free(request);
}

/* ---- asked for ---- */

void account_want(struct home *home, const struct jid *bare, struct account_want *want,
                  void (*ready)(struct account_want *want, struct account *account))
{
	struct account *account = account_get(home, bare);

	want->ready = ready;
	if (account->state != ACCOUNT_LOADING && !account->stale && !account->asking) {
		ready(want, account);
		return;
	}
	list_add_last(&account->wanted, &want->link);
	if (!account->asking)
		account_ask(account);
}

void account_want_cancel(struct account_want *want)
{
	list_remove(&want->link);
}

void account_hold(struct account *account)
{
	account->holds++;
	if (account->state == ACCOUNT_READY)
		list_remove(&account->idle_link);
}

void account_release(struct account *account)
{
	assert(account->holds > 0);
	if (--account->holds > 0)
		return;
	if (account->gone) {
		account_free(account);
	} else if (account->state == ACCOUNT_READY && !list_is_linked(&account->idle_link)) {
		account->idle_since_ms = worker_now_ms(account->home->worker);
		list_add_last(&account->home->idle_accounts, &account->idle_link);
	}
}

/* ---- changed, deleted, forgotten ---- */

void account_changed(struct home *home, const struct jid *bare)
{
	struct account *account = account_lookup(home, bare->text, jid_bare_len(bare));

	if (account && account->state == ACCOUNT_ABSENT)
		account_remove(account);
	else if (account)
		account->stale = true;
}

static void account_close_sessions(struct account *account, enum stream_condition condition, const char *text)
{
	struct list_link *link;

	while ((link = list_first(&account->sessions)))
		session_close(LIST_MEMBER(link, struct session, link), condition, text);
}

/* Ends everything that an account in the table does. */
static void account_end(struct account *account, bool deleted, enum stream_condition condition,
                        const char *text)
{
	bool was_ready = account->state == ACCOUNT_READY;

	account->holds++;
	account_close_sessions(account, condition, text);
	kept_clear(account);
	journal_clear(account);
	account_tell(account, ACCOUNT_ABSENT);
	account_receive_waiting(account, ACCOUNT_ABSENT);
	for (const struct module *const *module = account->home->server->modules;
	     was_ready && deleted && *module; module++) {
		if ((*module)->account_removed)
			(*module)->account_removed(account);
	}
	if (was_ready)
		account_unload(account);
	account_remove(account);
	account_release(account);
}

void account_deleted(struct home *home, const struct jid *bare)
{
	struct account *account = account_lookup(home, bare->text, jid_bare_len(bare));

	if (account)
		account_end(account, true, STREAM_NOT_AUTHORIZED, "This account has been removed");
}

static struct account *oldest_before(const struct list *list, uint64_t before_ms)
{
	struct list_link *link = list_first(list);
	struct account *account = link ? LIST_MEMBER(link, struct account, idle_link) : NULL;

	return account && account->idle_since_ms <= before_ms ? account : NULL;
}

void accounts_forget_idle(struct home *home)
{
	uint64_t now_ms = worker_now_ms(home->worker);
	struct account *account;

	while (now_ms >= IDLE_MS && (account = oldest_before(&home->idle_accounts, now_ms - IDLE_MS))) {
		account_unload(account);
		account_remove(account);
	}
	while (now_ms >= ABSENT_MS && (account = oldest_before(&home->absent_accounts, now_ms - ABSENT_MS)))
		account_remove(account);
}

/* All accounts as an array, for walks that change the table. */
static struct account **accounts_list(const struct home *home, size_t *count)
{
	struct account **all = mem_alloc(map_count(home->accounts) * sizeof(*all)), *account;
	struct map_walk walk = { 0 };

	*count = 0;
	while ((account = map_next(home->accounts, &walk)))
		all[(*count)++] = account;
	return all;
}

/* Accounts follow their hosts into the new snapshot; hosts that are no longer configured take theirs with them. */
void accounts_configured(struct home *home)
{
	size_t count;
	struct account **all = accounts_list(home, &count);

	for (size_t i = 0; i < count; i++) {
		const struct jid *jid = &all[i]->jid;

		all[i]->host = config_host(home->config, jid_domain_text(jid), jid->domain_len);
		if (!all[i]->host)
			account_end(all[i], false, STREAM_HOST_GONE, "This host is no longer served here");
	}
	free(all);
}

static void account_drop_waiting(struct account *account)
{
	struct parcel *parcel;

	while ((parcel = account->waiting)) {
		account->waiting = parcel->next;
		parcel_free(&parcel);
	}
	list_init(&account->wanted);
}

void accounts_drain(struct home *home)
{
	size_t count;
	struct account **all = accounts_list(home, &count);

	for (size_t i = 0; i < count; i++)
		journal_flush(all[i]);
	free(all);
}

/* The workers have stopped: nobody can be told any more. */
void accounts_close(struct home *home)
{
	size_t count;
	struct account **all = accounts_list(home, &count);

	for (size_t i = 0; i < count; i++) {
		bool was_ready = all[i]->state == ACCOUNT_READY;

		kept_clear(all[i]);
		journal_clear(all[i]);
		account_drop_waiting(all[i]);
		if (was_ready)
			account_unload(all[i]);
		account_remove(all[i]);
	}
	free(all);
	map_free(&home->accounts);
}
