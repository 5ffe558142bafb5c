/* SPDX-License-Identifier: MIT
 *
 * What all drivers share: the life of a request, from the asker to the driver and back to the asker's worker.
 */
#include "store/store.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "store/account.h"
#include "store/token.h"

void *store_request_new(size_t size, enum store_op op, struct worker *worker, const char *owner,
                        size_t owner_len, void (*done)(struct store_request *request))
{
	return store_request_new_for(0, size, op, worker, owner, owner_len, done);
}

void *store_request_new_for(size_t room, size_t size, enum store_op op, struct worker *worker, const char *owner,
                            size_t owner_len, void (*done)(struct store_request *request))
{
	size_t first_size = room ? room + owner_len + 1 : 0;
	struct store_request *request = arena_new_self(size, offsetof(struct store_request, arena), first_size);

	assert(size >= sizeof(*request) && op < STORE_OPS);
	request->op = op;
	request->worker = worker;
	request->done = done;
	atomic_init(&request->holders, 1);
	request->owner = arena_str_len(&request->arena, owner, owner_len);
	return request;
}

const struct store_account_document *store_account_document(const struct store_account_load *load, const char *kind,
                                                            const char *key)
{
	for (size_t i = 0; i < load->document_count; i++) {
		if (strcmp(load->documents[i].kind, kind) == 0 && strcmp(load->documents[i].key, key) == 0)
			return &load->documents[i];
	}
	return NULL;
}

static void tokens_wipe(struct store_token *tokens, size_t count)
{
	for (size_t i = 0; i < count; i++)
		mem_wipe(tokens[i].secret, sizeof(tokens[i].secret));
}

/* SCRAM keys are as good as a password to whoever would play the server, tokens are to anybody. */
static void request_wipe(struct store_request *request)
{
	struct store_account_write *write = (struct store_account_write *)request;
	struct store_account_load *load = (struct store_account_load *)request;

	if (request->op == STORE_ACCOUNT_CREATE || request->op == STORE_ACCOUNT_CREDENTIALS)
		mem_wipe(write->credentials, sizeof(write->credentials));
	if (request->op == STORE_ACCOUNT_LOAD)
		mem_wipe(load->credentials, sizeof(load->credentials));
	if (request->op == STORE_TOKENS_READ)
		tokens_wipe(((struct store_tokens_read *)request)->tokens, STORE_TOKENS);
	if (request->op == STORE_TOKEN_CHANGE)
		tokens_wipe(&((struct store_token_change *)request)->fresh, 1);
}

void store_request_hold(struct store_request *request)
{
	atomic_fetch_add(&request->holders, 1);
}

void store_request_free(struct store_request *request)
{
	if (atomic_fetch_sub(&request->holders, 1) > 1)
		return;
	request_wipe(request);
	arena_free_self(request, offsetof(struct store_request, arena));
}

void store_request_hurry(struct store_request *request)
{
	atomic_store(&request->patient, false);
}

bool store_request_is_due(const struct store_request *request, uint64_t before_ms)
{
	return before_ms == UINT64_MAX || (request->asked_ms <= before_ms && !atomic_load(&request->patient));
}

void store_submit(struct store *store, struct store_request *request)
{
	if (request->asked_ms == 0)
		request->asked_ms = clock_monotonic_ms(&clock_system);
	request->status = STORE_PENDING;
	request->store = store;
	if (!store) {
		store_answer(NULL, request, STORE_FAILED);
		return;
	}
	atomic_fetch_add(&store->pending, 1);
	store->driver->submit(store, request);
}

static void request_arrive(struct worker *worker, struct mail *mail)
{
	struct store_request *request = LIST_MEMBER(mail, struct store_request, mail);

	(void)worker;
	request->done(request);
}

static void store_count_answered(struct store *store)
{
	if (store)
		atomic_fetch_sub(&store->pending, 1);
}

void store_answer(struct worker *from, struct store_request *request, enum store_status status)
{
	struct store *store = request->store;

	request->status = status;
	request->mail.arrive = request_arrive;
	if (request->worker) {
		worker_post(from, request->worker, &request->mail);
		store_count_answered(store);
	} else {
		store_count_answered(store);
		request->done(request);
	}
}

void store_figures(struct store *store, struct store_figures *out)
{
	*out = (struct store_figures){ 0 };
	store->driver->figures(store, out);
	out->waiting = atomic_load(&store->pending);
}

void store_close(struct store **store)
{
	if (*store)
		(*store)->driver->close(*store);
	*store = NULL;
}
