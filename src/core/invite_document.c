/* SPDX-License-Identifier: MIT
 *
 * The invitations of a host in memory, and their document in the store. The document is read at the first need; who asks
 * meanwhile waits. A change is made in memory at once, so that nobody else uses the same token, and answered when it is
 * written; one write is under way at a time and takes along all changes since the last. A write that fails undoes what
 * it had.
 */
#include "invite_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/document.h"

static void invites_write(struct invites *invites);

/* ---- the table ---- */

static struct invite_request *request_of(struct list_link *link)
{
	return LIST_MEMBER(link, struct invite_request, link);
}

void invites_add(struct invites *invites, struct invitation *invitation)
{
	map_put(invites->by_digest, invitation->digest, INVITE_DIGEST, invitation);
	list_add_last(&invites->list, &invitation->link);
}

void invites_take(struct invites *invites, struct invitation *invitation)
{
	map_remove(invites->by_digest, invitation->digest, INVITE_DIGEST);
	list_remove(&invitation->link);
}

static void invitations_clear(struct list *list)
{
	struct list_link *link;

	while ((link = list_take_first(list)))
		invitation_free(LIST_MEMBER(link, struct invitation, link));
}

static struct invites *invites_new(struct home *home, const char *domain)
{
	struct invites *invites = mem_zalloc(sizeof(*invites));

	invites->home = home;
	invites->domain = str_dup(domain);
	invites->by_digest = map_new(worker_seed(home->worker));
	list_init(&invites->list);
	list_init(&invites->waiting);
	list_init(&invites->changed);
	list_init(&invites->writing);
	return invites;
}

static void invites_free(struct invites *invites)
{
	struct list *const lists[] = { &invites->waiting, &invites->changed, &invites->writing };
	struct list_link *link;

	for (size_t i = 0; i < 3; i++)
		while ((link = list_take_first(lists[i])))
			invite_request_free(request_of(link));
	invitations_clear(&invites->list);
	map_free(&invites->by_digest);
	free(invites->domain);
	free(invites);
}

struct map *invites_open(struct home *home)
{
	return map_new(worker_seed(home->worker));
}

void invites_close(struct map **all)
{
	struct map_walk walk = { 0 };
	struct invites *invites;

	while ((invites = map_next(*all, &walk)))
		invites_free(invites);
	map_free(all);
}

/* ---- answers ---- */

void invites_answer(struct invites *invites, struct invite_request *request, enum invite_status status)
{
	request->status = status;
	errand_return(invites->home, &request->errand);
}

/* ---- the document ---- */

static struct store_document *document_new(struct invites *invites, enum store_op op,
                                           void (*done)(struct store_request *request))
{
	struct store_document *document =
		store_request_new(sizeof(*document), op, invites->home->worker, "", 0, done);

	document->kind = "invitations";
	document->key = arena_str(&document->request.arena, invites->domain);
	document->request.context = invites;
	return document;
}

/* ---- reading ---- */

static void invites_take_document(struct invites *invites, const struct store_document *document)
{
	struct list read;
	struct list_link *link;

	list_init(&read);
	if (!invitations_read(&read, document->text, document->text_len))
		log_error(invites->home->server->log, NULL, "stored invitations cannot be read",
		          LOG_STR("host", invites->domain));
	while ((link = list_take_first(&read)))
		invites_add(invites, LIST_MEMBER(link, struct invitation, link));
}

static void invites_were_read(struct store_request *request)
{
	struct invites *invites = request->context;
	bool known = request->status == STORE_OK || request->status == STORE_ABSENT;
	struct list_link *link;

	if (request->status == STORE_OK)
		invites_take_document(invites, (const struct store_document *)request);
	store_request_free(request);
	invites->state = known ? INVITES_READY : INVITES_UNREAD;
	while ((link = list_take_first(&invites->waiting))) {
		if (known)
			invites_run(invites, request_of(link));
		else
			invites_answer(invites, request_of(link), INVITE_FAILED);
	}
}

static struct invites *invites_get(struct home *home, const char *domain)
{
	struct map *all = home_part(home, &invite_module);
	struct invites *invites = map_find(all, domain, strlen(domain));

	if (invites)
		return invites;
	invites = invites_new(home, domain);
	map_put(all, invites->domain, strlen(domain), invites);
	return invites;
}

void invites_asked(struct home *home, struct errand *errand)
{
	struct invite_request *request = (struct invite_request *)errand;
	struct invites *invites = invites_get(home, request->host);

	if (invites->state == INVITES_READY) {
		invites_run(invites, request);
		return;
	}
	list_add_last(&invites->waiting, &request->link);
	if (invites->state == INVITES_READING)
		return;
	invites->state = INVITES_READING;
	store_submit(home->server->store, &document_new(invites, STORE_DOCUMENT_GET, invites_were_read)->request);
}

/* ---- writing ---- */

static void request_undo(struct invites *invites, struct invite_request *request)
{
	struct invitation *made;
	struct list_link *link;

	while ((link = list_take_first(&request->taken)))
		invites_add(invites, LIST_MEMBER(link, struct invitation, link));
	made = request->op == INVITE_CREATE ? map_find(invites->by_digest, request->digest, INVITE_DIGEST) : NULL;
	if (made) {
		invites_take(invites, made);
		invitation_free(made);
	}
}

static void invites_were_written(struct store_request *request)
{
	struct invites *invites = request->context;
	bool written = request->status == STORE_OK;
	struct list_link *link;

	store_request_free(request);
	while ((link = list_take_first(&invites->writing))) {
		if (!written)
			request_undo(invites, request_of(link));
		invitations_clear(&request_of(link)->taken);
		invites_answer(invites, request_of(link), written ? INVITE_OK : INVITE_FAILED);
	}
	invites_write(invites);
}

static void invites_write(struct invites *invites)
{
	struct store_document *document;
	struct list_link *link;
	char *text;

	if (list_is_empty(&invites->changed) || !list_is_empty(&invites->writing))
		return;
	while ((link = list_take_first(&invites->changed)))
		list_add_last(&invites->writing, link);
	text = invitations_write(&invites->list);
	document = document_new(invites, STORE_DOCUMENT_PUT, invites_were_written);
	document->text = arena_str(&document->request.arena, text);
	document->text_len = strlen(text);
	free(text);
	store_submit(invites->home->server->store, &document->request);
}

void invites_changed(struct invites *invites, struct invite_request *request)
{
	list_add_last(&invites->changed, &request->link);
	invites_write(invites);
}
