/* SPDX-License-Identifier: MIT
 *
 * The invitations of a host, at the home of its name: what is asked about them, and their document. A change is made in
 * memory at once, so that nobody else uses the same token, and answered when it is written; one write is under way at a
 * time and takes along all changes since the last. A write that fails undoes what it had.
 */
#include "core/invite.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "invite_inside.h"
#include "store/document.h"

struct invites {
	struct home *home;
	char *domain;
	enum { INVITES_UNREAD, INVITES_READING, INVITES_READY } state;
	struct map *by_digest;
	struct list list;               /* the oldest first */
	struct list waiting;            /* requests, while the document is being read */
	struct list changed, writing;   /* requests whose change is not written yet; whose write is under way */
};

static void invites_run(struct invites *invites, struct invite_request *request);
static void invites_write(struct invites *invites);

/* ---- the table ---- */

static struct invite_request *request_of(struct list_link *link)
{
	return LIST_MEMBER(link, struct invite_request, link);
}

static void invites_add(struct invites *invites, struct invitation *invitation)
{
	map_put(invites->by_digest, invitation->digest, INVITE_DIGEST, invitation);
	list_add_last(&invites->list, &invitation->link);
}

static void invites_take(struct invites *invites, struct invitation *invitation)
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

static void request_answer(struct invites *invites, struct invite_request *request, enum invite_status status)
{
	request->status = status;
	errand_return(invites->home, &request->errand);
}

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
			request_answer(invites, request_of(link), INVITE_FAILED);
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
		request_answer(invites, request_of(link), written ? INVITE_OK : INVITE_FAILED);
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

static void request_changed(struct invites *invites, struct invite_request *request)
{
	list_add_last(&invites->changed, &request->link);
	invites_write(invites);
}

/* ---- what is asked ---- */

static int64_t now_us(const struct invites *invites)
{
	return clock_wall_us(worker_clock(invites->home->worker));
}

static bool is_expired(const struct invites *invites, const struct invitation *invitation)
{
	return invitation->invite.expires_us <= now_us(invites);
}

/* Those that nobody can use any more go with the next write. */
static void invites_purge(struct invites *invites)
{
	struct list_link *link = list_first(&invites->list);

	while (link) {
		struct invitation *invitation = LIST_MEMBER(link, struct invitation, link);

		link = list_next(&invites->list, link);
		if (!is_expired(invites, invitation) || invitation->claimed ||
		    worker_now_ms(invites->home->worker) < invitation->keep_until_ms)
			continue;
		invites_take(invites, invitation);
		invitation_free(invitation);
	}
}

static bool is_inviter(const struct invitation *invitation, const char *inviter)
{
	return inviter && invitation->invite.inviter && strcmp(invitation->invite.inviter, inviter) == 0;
}

static size_t invites_count_of(const struct invites *invites, const char *inviter)
{
	size_t count = 0;

	for (struct list_link *link = list_first(&invites->list); link; link = list_next(&invites->list, link))
		count += is_inviter(LIST_MEMBER(link, struct invitation, link), inviter);
	return count;
}

/* Whether another invitation reserves the name (XEP-0401 §6.2). */
static bool name_is_reserved(const struct invites *invites, const char *user, const struct invitation *except)
{
	for (struct list_link *link = list_first(&invites->list); link && user; link = list_next(&invites->list, link)) {
		const struct invitation *other = LIST_MEMBER(link, struct invitation, link);

		if (other != except && other->invite.user && strcmp(other->invite.user, user) == 0 &&
		    !is_expired(invites, other))
			return true;
	}
	return false;
}

static struct invitation *invites_find(const struct invites *invites, const struct invite_request *request)
{
	return map_find(invites->by_digest, request->digest, INVITE_DIGEST);
}

static enum invite_status create_refusal(const struct invites *invites, const struct invite_request *request)
{
	const struct invite_limits *limits = invite_limits(invites->home->config);
	const char *inviter = request->invite.inviter;

	if (map_count(invites->by_digest) >= limits->of_host ||
	    (inviter && invites_count_of(invites, inviter) >= limits->of_inviter))
		return INVITE_FULL;
	return name_is_reserved(invites, request->invite.user, NULL) ? INVITE_TAKEN : INVITE_OK;
}

static void invite_create(struct invites *invites, struct invite_request *request)
{
	enum invite_status refusal;

	invites_purge(invites);
	refusal = create_refusal(invites, request);
	if (refusal) {
		request_answer(invites, request, refusal);
		return;
	}
	request->invite.created_us = now_us(invites);
	request->invite.expires_us = request->invite.created_us + request->valid_ms * 1000;
	invites_add(invites, invitation_new(request->digest, &request->invite));
	request_changed(invites, request);
}

static void request_tell(struct invite_request *request, const struct invitation *invitation)
{
	struct arena *arena = &request->arena;

	request->invite = invitation->invite;
	if (request->invite.inviter)
		request->invite.inviter = arena_str(arena, request->invite.inviter);
	if (request->invite.user)
		request->invite.user = arena_str(arena, request->invite.user);
}

/* XEP-0445 §4: whether it has expired counts here only. */
static void invite_find(struct invites *invites, struct invite_request *request)
{
	struct invitation *invitation = invites_find(invites, request);
	struct home *home = invites->home;

	if (!invitation || invitation->claimed || is_expired(invites, invitation)) {
		request_answer(invites, request, INVITE_UNKNOWN);
		return;
	}
	invitation->keep_until_ms = worker_now_ms(home->worker) + home->config->limits.authenticate_ms;
	request_tell(request, invitation);
	request_answer(invites, request, INVITE_OK);
}

static void invite_claim(struct invites *invites, struct invite_request *request)
{
	struct invitation *invitation = request->with_token ? invites_find(invites, request) : NULL;
	const char *user = request->invite.user;

	if (request->with_token && (!invitation || invitation->claimed)) {
		request_answer(invites, request, INVITE_UNKNOWN);
		return;
	}
	if (name_is_reserved(invites, user, invitation)) {
		request_answer(invites, request, INVITE_TAKEN);
		return;
	}
	if (invitation) {
		invitation->claimed = true;
		request_tell(request, invitation);
	}
	request_answer(invites, request, INVITE_OK);
}

static void invite_release(struct invites *invites, struct invite_request *request)
{
	struct invitation *invitation = invites_find(invites, request);

	if (invitation)
		invitation->claimed = false;
	request_answer(invites, request, INVITE_OK);
}

/* Gone, once it is written; NULL: there was none. */
static void invite_end(struct invites *invites, struct invite_request *request, struct invitation *invitation)
{
	if (!invitation) {
		request_answer(invites, request, INVITE_UNKNOWN);
		return;
	}
	request_tell(request, invitation);
	invites_take(invites, invitation);
	list_add_last(&request->taken, &invitation->link);
	request_changed(invites, request);
}

/* XEP-0379 §5.2 */
static void invite_redeem(struct invites *invites, struct invite_request *request)
{
	struct invitation *invitation = invites_find(invites, request);
	bool good = invitation && invitation->invite.kind == INVITE_CONTACT && !invitation->claimed &&
	            is_inviter(invitation, request->invite.inviter) && !is_expired(invites, invitation);

	invite_end(invites, request, good ? invitation : NULL);
}

static void invite_list(struct invites *invites, struct invite_request *request)
{
	invites_purge(invites);
	request->rows = json_array();
	for (struct list_link *link = list_first(&invites->list); link; link = list_next(&invites->list, link))
		json_array_append_new(request->rows, invitation_row(LIST_MEMBER(link, struct invitation, link),
			invites->domain));
	request_answer(invites, request, INVITE_OK);
}

static bool has_id(const struct invitation *invitation, const char *id)
{
	struct buf hex = { 0 };
	bool has;

	hex_encode(&hex, invitation->digest, INVITE_ID / 2);
	has = strlen(id) == INVITE_ID && memcmp(hex.data, id, INVITE_ID) == 0;
	buf_clear(&hex);
	return has;
}

static void invite_revoke(struct invites *invites, struct invite_request *request)
{
	struct invitation *found = NULL;

	for (struct list_link *link = list_first(&invites->list); link; link = list_next(&invites->list, link))
		if (has_id(LIST_MEMBER(link, struct invitation, link), request->id))
			found = LIST_MEMBER(link, struct invitation, link);
	invite_end(invites, request, found);
}

static void invite_forget(struct invites *invites, struct invite_request *request)
{
	struct list_link *link = list_first(&invites->list);

	while (link) {
		struct invitation *invitation = LIST_MEMBER(link, struct invitation, link);

		link = list_next(&invites->list, link);
		if (!is_inviter(invitation, request->invite.inviter))
			continue;
		invites_take(invites, invitation);
		list_add_last(&request->taken, &invitation->link);
	}
	if (list_is_empty(&request->taken))
		request_answer(invites, request, INVITE_OK);
	else
		request_changed(invites, request);
}

static void invites_run(struct invites *invites, struct invite_request *request)
{
	switch (request->op) {
	case INVITE_CREATE:
		invite_create(invites, request);
		break;
	case INVITE_FIND:
		invite_find(invites, request);
		break;
	case INVITE_CLAIM:
		invite_claim(invites, request);
		break;
	case INVITE_USE:
		invite_end(invites, request, invites_find(invites, request));
		break;
	case INVITE_RELEASE:
		invite_release(invites, request);
		break;
	case INVITE_REDEEM:
		invite_redeem(invites, request);
		break;
	case INVITE_LIST:
		invite_list(invites, request);
		break;
	case INVITE_REVOKE:
		invite_revoke(invites, request);
		break;
	case INVITE_FORGET:
		invite_forget(invites, request);
		break;
	}
}
