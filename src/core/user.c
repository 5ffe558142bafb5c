/* SPDX-License-Identifier: MIT
 *
 * Accounts created, changed and removed: derive, write, tell the account's home, answer. For a removal the account is held
 * in memory while it is written, so that its modules see it go.
 */
#include "core/user.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/account.h"
#include "core/errand.h"
#include "core/sasl.h"

struct user_change {
	struct errand errand;           /* first */
	struct background_job job;
	struct home *home;              /* who asked */
	enum store_op op;
	struct arena arena;
	struct jid user;
	char *password;
	bool allowed;                   /* the password could be made into keys */
	struct store_credential keys[STORE_CREDENTIALS];
	struct account_want want;
	struct account *account;        /* held while it is being removed */
	enum user_outcome outcome;
	user_changed *done;
	void *context;
};

const char *user_outcome_text(enum user_outcome outcome)
{
	static const char *const texts[] = {
		[USER_DONE] = "",
		[USER_EXISTS] = "exists already",
		[USER_ABSENT] = "there is no such user",
		[USER_BAD_PASSWORD] = "the password is empty or has characters that are not allowed",
		[USER_BUSY] = "the server is busy, try again",
		[USER_FAILED] = "the store failed, its log says why",
	};

	return texts[outcome];
}

enum stanza_condition user_outcome_condition(enum user_outcome outcome)
{
	static const enum stanza_condition conditions[] = {
		[USER_DONE] = STANZA_NO_ERROR,
		[USER_EXISTS] = STANZA_CONFLICT,
		[USER_ABSENT] = STANZA_ITEM_NOT_FOUND,
		[USER_BAD_PASSWORD] = STANZA_NOT_ACCEPTABLE,
		[USER_BUSY] = STANZA_RESOURCE_CONSTRAINT,
		[USER_FAILED] = STANZA_INTERNAL_SERVER_ERROR,
	};

	return conditions[outcome];
}

bool user_name(struct arena *arena, const char *name, const char *domain, struct jid *user)
{
	const char *text = arena_printf(arena, "%s@%s", name, domain);

	return *name && !strpbrk(name, "@/") && jid_prepare(arena, text, strlen(text), JID_NEW_LOCAL, user) &&
	       user->local_len && jid_is_bare(user);
}

static struct user_change *user_change_new(struct home *home, enum store_op op, const struct jid *user,
                                           user_changed *done, void *context)
{
	struct user_change *change = mem_zalloc(sizeof(*change));

	change->home = home;
	change->op = op;
	change->user = jid_copy(&change->arena, user);
	change->done = done;
	change->context = context;
	return change;
}

static void user_change_free(struct user_change *change)
{
	str_wipe(&change->password);
	mem_wipe(change->keys, sizeof(change->keys));
	arena_clear(&change->arena);
	free(change);
}

static struct home *user_home(const struct user_change *change)
{
	return home_for(change->home, change->user.text, jid_bare_len(&change->user));
}

static void user_answer(struct user_change *change)
{
	change->done(change->home, change->context, change->outcome);
	user_change_free(change);
}

/* ---- written ---- */

static enum user_outcome outcome_of(enum store_status status)
{
	switch (status) {
	case STORE_OK:
		return USER_DONE;
	case STORE_CONFLICT:
		return USER_EXISTS;
	case STORE_ABSENT:
		return USER_ABSENT;
	case STORE_FULL:
		return USER_BUSY;
	default:
		return USER_FAILED;
	}
}

static void user_write(struct user_change *change, struct home *home, size_t key_count,
                       void (*done)(struct store_request *request))
{
	struct store_account_write *write = store_request_new(sizeof(*write), change->op, home->worker,
	                                                      change->user.text, jid_bare_len(&change->user), done);

	memcpy(write->credentials, change->keys, sizeof(change->keys));
	write->credential_count = key_count;
	write->created_us = clock_wall_us(worker_clock(home->worker));
	write->request.context = change;
	store_submit(home->server->store, &write->request);
}

/* ---- created, or a new password ---- */

static void credentials_told(struct home *home, struct errand *errand)
{
	account_changed(home, &((struct user_change *)errand)->user);
	errand_return(home, errand);
}

static void credentials_known(struct home *home, struct errand *errand)
{
	(void)home;
	user_answer((struct user_change *)errand);
}

static void credentials_written(struct store_request *request)
{
	struct user_change *change = request->context;

	change->outcome = outcome_of(request->status);
	mem_wipe(((struct store_account_write *)request)->credentials, sizeof(change->keys));
	store_request_free(request);
	if (change->outcome == USER_DONE)
		errand_send(change->home, user_home(change), &change->errand, credentials_told, credentials_known);
	else
		user_answer(change);
}

static void password_derive(struct background_job *job)
{
	struct user_change *change = LIST_MEMBER(job, struct user_change, job);

	change->allowed = sasl_make_keys(worker_entropy(job->worker), change->password, strlen(change->password),
	                                 change->keys);
}

static void password_derived(struct worker *worker, struct background_job *job)
{
	struct user_change *change = LIST_MEMBER(job, struct user_change, job);

	(void)worker;
	str_wipe(&change->password);
	if (change->allowed) {
		user_write(change, change->home, STORE_CREDENTIALS, credentials_written);
	} else {
		change->outcome = USER_BAD_PASSWORD;
		user_answer(change);
	}
}

static void user_give_password(struct user_change *change, const char *password)
{
	struct home *home = change->home;

	change->password = str_dup(password);
	change->job.run = password_derive;
	change->job.done = password_derived;
	if (background_run(home->server->background, home->worker, &change->job))
		return;
	change->outcome = USER_BUSY;
	errand_send(home, home, &change->errand, errand_return, credentials_known);
}

void user_create(struct home *home, const struct jid *user, const char *password, user_changed *done, void *context)
{
	user_give_password(user_change_new(home, STORE_ACCOUNT_CREATE, user, done, context), password);
}

void user_set_password(struct home *home, const struct jid *user, const char *password, user_changed *done,
                       void *context)
{
	user_give_password(user_change_new(home, STORE_ACCOUNT_CREDENTIALS, user, done, context), password);
}

/* ---- removed ---- */

/* Behind all that done() has routed to the account: mail keeps its order. */
static void removal_finish(struct home *home, struct errand *errand)
{
	struct user_change *change = (struct user_change *)errand;

	if (change->outcome == USER_DONE)
		account_deleted(home, &change->user);
	if (change->account)
		account_release(change->account);
	user_change_free(change);
}

static void removal_decided(struct home *home, struct errand *errand)
{
	struct user_change *change = (struct user_change *)errand;

	change->done(home, change->context, change->outcome);
	errand_send(home, user_home(change), errand, removal_finish, NULL);
}

static void removal_written(struct store_request *request)
{
	struct user_change *change = request->context;
	struct home *home = home_of(request->worker);

	change->outcome = outcome_of(request->status);
	store_request_free(request);
	errand_return(home, &change->errand);
}

static void removal_ready(struct account_want *want, struct account *account)
{
	struct user_change *change = LIST_MEMBER(want, struct user_change, want);
	struct home *home = account->home;

	if (account->state != ACCOUNT_READY) {
		change->outcome = account->state == ACCOUNT_ABSENT ? USER_ABSENT : USER_FAILED;
		errand_return(home, &change->errand);
		return;
	}
	account_hold(account);
	change->account = account;
	user_write(change, home, 0, removal_written);
}

static void removal_begin(struct home *home, struct errand *errand)
{
	struct user_change *change = (struct user_change *)errand;

	account_want(home, &change->user, &change->want, removal_ready);
}

void user_remove(struct home *home, const struct jid *user, user_changed *done, void *context)
{
	struct user_change *change = user_change_new(home, STORE_ACCOUNT_REMOVE, user, done, context);

	errand_send(home, user_home(change), &change->errand, removal_begin, removal_decided);
}
