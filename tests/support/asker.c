/* SPDX-License-Identifier: MIT
 *
 * The asker. done() may run on any thread of the store.
 */
#include "asker.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

enum { PATIENCE_S = 30 };

void asker_init(struct asker *asker, struct store *store, bool (*step)(struct store *store))
{
	*asker = (struct asker){ .store = store, .step = step };
	pthread_mutex_init(&asker->lock, NULL);
	pthread_cond_init(&asker->changed, NULL);
}

void asker_clear(struct asker *asker)
{
	for (size_t i = 0; i < asker->asked_count; i++)
		store_request_free(asker->asked[i]);
	free(asker->asked);
	free(asker->answered);
	pthread_cond_destroy(&asker->changed);
	pthread_mutex_destroy(&asker->lock);
}

static void asker_answered(struct store_request *request)
{
	struct asker *asker = request->context;

	pthread_mutex_lock(&asker->lock);
	asker->answered[asker->answered_count++] = request->token;
	pthread_cond_signal(&asker->changed);
	pthread_mutex_unlock(&asker->lock);
}

/* Room for one more behind count; whenever count is a power of two there is none left. */
static void *array_grow(void *array, size_t count, size_t item_size)
{
	return (count & (count - 1)) == 0 ? mem_realloc(array, (count ? 2 * count : 1) * item_size) : array;
}

void *asker_make(struct asker *asker, size_t size, enum store_op op, const char *owner)
{
	struct store_request *request = store_request_new(size, op, NULL, owner, strlen(owner), asker_answered);

	request->context = asker;
	request->token = asker->asked_count;
	asker->asked = array_grow(asker->asked, asker->asked_count, sizeof(*asker->asked));
	asker->asked[asker->asked_count++] = request;
	return request;
}

void asker_submit(struct asker *asker, void *request)
{
	pthread_mutex_lock(&asker->lock);
	asker->answered = array_grow(asker->answered, asker->submitted_count, sizeof(*asker->answered));
	asker->submitted_count++;
	pthread_mutex_unlock(&asker->lock);
	((struct store_request *)request)->asked_ms = 0;
	store_submit(asker->store, request);
}

static void asker_wait_for_threads(struct asker *asker)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&asker->lock);
	while (asker->answered_count < asker->submitted_count) {
		if (pthread_cond_timedwait(&asker->changed, &asker->lock, &until) != 0) {
			fprintf(stderr, "the store has not answered within %d s\n", PATIENCE_S);
			abort();
		}
	}
	pthread_mutex_unlock(&asker->lock);
}

void asker_wait(struct asker *asker)
{
	while (asker->step && asker->step(asker->store))
		;
	asker_wait_for_threads(asker);
}

void asker_figures(struct store *store, struct store_figures *out)
{
	time_t until = time(NULL) + PATIENCE_S;

	for (store_figures(store, out); out->waiting > 0; store_figures(store, out)) {
		if (time(NULL) > until)
			abort();
		sched_yield();
	}
}

enum store_status asker_ask(struct asker *asker, void *request)
{
	asker_submit(asker, request);
	asker_wait(asker);
	return ((struct store_request *)request)->status;
}

struct store_account_write *asker_account(struct asker *asker, enum store_op op, const char *owner)
{
	struct store_account_write *write = asker_make(asker, sizeof(*write), op, owner);

	for (size_t i = 0; i < STORE_CREDENTIALS; i++) {
		struct store_credential *credential = &write->credentials[i];

		credential->kind = i ? DIGEST_SHA256 : DIGEST_SHA1;
		credential->iterations = 10000;
		memcpy(credential->salt, "0123456789abcdef", sizeof(credential->salt));
		digest_hmac(credential->kind, "server", 6, owner, strlen(owner), credential->server_key);
		digest_hmac(credential->kind, "client", 6, owner, strlen(owner), credential->stored_key);
	}
	write->credential_count = STORE_CREDENTIALS;
	write->created_us = 1700000000000000;
	return write;
}

struct store_account_load *asker_load(struct asker *asker, const char *owner)
{
	return asker_make(asker, sizeof(struct store_account_load), STORE_ACCOUNT_LOAD, owner);
}

struct store_journal_append *asker_append(struct asker *asker, const char *owner, const char *stanza)
{
	struct store_journal_append *append = asker_make(asker, sizeof(*append), STORE_JOURNAL_APPEND, owner);
	struct arena *arena = &append->request.arena;

	append->entry.sequence = append->entry.body = asker->sequence += 10;
	append->entry.at_us = 1700000000000000 + (int64_t)append->request.token;
	append->entry.direction = STORE_IN;
	append->entry.type = 2;
	append->entry.peer = "juliet@south.example/balcony";
	append->entry.stanza_len = strlen(stanza);
	append->entry.stanza = arena_str_len(arena, stanza, append->entry.stanza_len);
	return append;
}

struct store_journal_read *asker_read(struct asker *asker, const char *owner, uint64_t after, size_t limit)
{
	struct store_journal_read *read = asker_make(asker, sizeof(*read), STORE_JOURNAL_READ, owner);

	read->after = after;
	read->limit = limit;
	return read;
}

struct store_journal_archive *asker_archive(struct asker *asker, const char *owner, size_t limit)
{
	struct store_journal_archive *archive = asker_make(asker, sizeof(*archive), STORE_JOURNAL_ARCHIVE, owner);

	archive->to = archive->before = UINT64_MAX;
	archive->limit = limit;
	return archive;
}

struct store_journal_advance *asker_advance(struct asker *asker, const char *owner, uint64_t sequence)
{
	struct store_journal_advance *advance = asker_make(asker, sizeof(*advance), STORE_JOURNAL_ADVANCE, owner);

	advance->sequence = sequence;
	return advance;
}

struct store_roster_write *asker_roster(struct asker *asker, enum store_op op, const char *owner, const char *contact,
                                        uint64_t version)
{
	struct store_roster_write *write = asker_make(asker, sizeof(*write), op, owner);

	write->item.contact = arena_str(&write->request.arena, contact);
	write->item.version = version;
	write->item.listed = true;
	return write;
}

struct store_document *asker_document(struct asker *asker, enum store_op op, const char *owner, const char *kind,
                                      const char *key, const char *text)
{
	struct store_document *document = asker_make(asker, sizeof(*document), op, owner);
	struct arena *arena = &document->request.arena;

	document->kind = arena_str(arena, kind);
	document->key = arena_str(arena, key);
	if (text) {
		document->text_len = strlen(text);
		document->text = arena_str_len(arena, text, document->text_len);
	}
	return document;
}
