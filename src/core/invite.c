/* SPDX-License-Identifier: MIT
 *
 * What is asked about the invitations of a host, at the home of its name: they are made, found, claimed for a registration,
 * used, redeemed as a contact, listed, revoked and forgotten (XEP-0379, XEP-0401, XEP-0445).
 */
#include "core/invite.h"

#include <string.h>

#include "base/digest.h"
#include "invite_inside.h"

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
		invites_answer(invites, request, refusal);
		return;
	}
	request->invite.created_us = now_us(invites);
	request->invite.expires_us = request->invite.created_us + request->valid_ms * 1000;
	invites_add(invites, invitation_new(request->digest, &request->invite));
	invites_changed(invites, request);
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
		invites_answer(invites, request, INVITE_UNKNOWN);
		return;
	}
	invitation->keep_until_ms = worker_now_ms(home->worker) + home->config->limits.authenticate_ms;
	request_tell(request, invitation);
	invites_answer(invites, request, INVITE_OK);
}

static void invite_claim(struct invites *invites, struct invite_request *request)
{
	struct invitation *invitation = request->with_token ? invites_find(invites, request) : NULL;
	const char *user = request->invite.user;

	if (request->with_token && (!invitation || invitation->claimed)) {
		invites_answer(invites, request, INVITE_UNKNOWN);
		return;
	}
	if (name_is_reserved(invites, user, invitation)) {
		invites_answer(invites, request, INVITE_TAKEN);
		return;
	}
	if (invitation) {
		invitation->claimed = true;
		request_tell(request, invitation);
	}
	invites_answer(invites, request, INVITE_OK);
}

static void invite_release(struct invites *invites, struct invite_request *request)
{
	struct invitation *invitation = invites_find(invites, request);

	if (invitation)
		invitation->claimed = false;
	invites_answer(invites, request, INVITE_OK);
}

/* Gone, once it is written; NULL: there was none. */
static void invite_end(struct invites *invites, struct invite_request *request, struct invitation *invitation)
{
	if (!invitation) {
		invites_answer(invites, request, INVITE_UNKNOWN);
		return;
	}
	request_tell(request, invitation);
	invites_take(invites, invitation);
	list_add_last(&request->taken, &invitation->link);
	invites_changed(invites, request);
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
	invites_answer(invites, request, INVITE_OK);
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
		invites_answer(invites, request, INVITE_OK);
	else
		invites_changed(invites, request);
}

void invites_run(struct invites *invites, struct invite_request *request)
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
