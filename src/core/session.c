/* SPDX-License-Identifier: MIT
 *
 * Bound resources: binding (RFC 6120 §7), a stanza from the client on its way out (§8.1.2.1, §10.3), a
 * parcel on its way in, and the end. A session holds its account. It leaves the account when its stream
 * breaks or the server ends it; its memory goes when its outlet's owner lets go of it.
 */
#include "core/session.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "account_inside.h"
#include "base/map.h"
#include "base/mem.h"
#include "core/claims.h"
#include "core/iq.h"
#include "core/journal.h"
#include "core/router.h"

/* ---- binding ---- */

struct session *session_find(const struct account *account, const char *resource)
{
	for (struct list_link *link = list_first(&account->sessions); link;
	     link = list_next(&account->sessions, link)) {
		struct session *session = LIST_MEMBER(link, struct session, link);

		if (strcmp(jid_resource(&session->jid), resource) == 0)
			return session;
	}
	return NULL;
}

static struct session *session_new(struct account *account, const char *resource)
{
	size_t bare_len = jid_bare_len(&account->jid), resource_len = strlen(resource);
	struct session *session = mem_zalloc(sizeof(*session) + bare_len + 1 + resource_len + 1);
	char *text = memcpy(session + 1, account->jid.text, bare_len);

	text[bare_len] = '/';
	memcpy(text + bare_len + 1, resource, resource_len);
	session->jid = account->jid;
	session->jid.text = text;
	session->jid.resource_len = (uint16_t)resource_len;
	session->account = account;
	return session;
}

static void session_enter(struct session *session)
{
	struct account *account = session->account;
	struct home *home = account->home;

	account_hold(account);
	id_random(worker_entropy(home->worker), session->id);
	session->bound_ms = session->active_ms = worker_now_ms(home->worker);
	list_add_last(&account->sessions, &session->link);
	account->session_count++;
	figure_add(&home->figures.sessions, 1);
	for (const struct module *const *module = home->server->modules; *module; module++) {
		if ((*module)->session_bound)
			(*module)->session_bound(session);
	}
}

/* Of the ways that RFC 6120 §7.7.2.2 allows for a conflict the newest client wins: the older one is mostly
 * a connection that died unnoticed. */
enum stanza_condition session_bind(struct account *account, const char *resource,
                                   const struct session_outlet *outlet, void *outlet_owner,
                                   struct session **out)
{
	char made[ID_LEN + 1];
	struct session *older;

	assert(account->state == ACCOUNT_READY && !account->gone);
	if (!resource)
		id_random(worker_entropy(account->home->worker), made);
	older = resource ? session_find(account, resource) : NULL;
	if (!older && account->session_count >= account->home->config->limits.sessions_per_account)
		return STANZA_RESOURCE_CONSTRAINT;
	*out = session_new(account, resource ? resource : made);
	(*out)->outlet = outlet;
	(*out)->outlet_owner = outlet_owner;
	if (older)
		session_close(older, STREAM_CONFLICT, "Another client has bound this resource");
	session_enter(*out);
	return STANZA_NO_ERROR;
}

void session_set_agent(struct session *session, const char *id, const char *client)
{
	free(session->agent);
	free(session->client);
	session->agent = str_dup(id);
	session->client = str_dup(client);
}

bool session_is_available(const struct session *session)
{
	return session->presence != NULL;
}

/* ---- the end ---- */

void session_leave(struct session *session)
{
	struct account *account = session->account;

	if (session->ending)
		return;
	session->ending = true;
	for (const struct module *const *module = account->home->server->modules; *module; module++) {
		if ((*module)->session_ended)
			(*module)->session_ended(session);
	}
	list_remove(&session->link);
	account->session_count--;
	figure_add(&account->home->figures.sessions, -1);
}

void session_close(struct session *session, enum stream_condition condition, const char *text)
{
	session_leave(session);
	if (session->outlet)
		session->outlet->close(session, condition, text);
}

static void session_free(struct worker *worker, struct turn_job *job)
{
	struct session *session = LIST_MEMBER(job, struct session, freeing);

	(void)worker;
	account_release(session->account);
	stanza_unref(&session->presence);
	free(session->agent);
	free(session->client);
	free(session);
}

void session_end(struct session *session)
{
	assert(!session->ended);
	session->ended = true;
	session_leave(session);
	session->outlet = NULL;
	session->freeing.run = session_free;
	worker_at_end_of_turn(session->account->home->worker, &session->freeing);
}

/* ---- from the client ---- */

static void session_refuse(struct session *session, struct stanza *stanza, enum stanza_condition condition,
                           const char *text)
{
	const struct stanza *error = stanza_error(stanza,
	                                          stanza->to.text ? &stanza->to : &session->account->jid,
	                                          condition, text),
			    *gone = stanza;

	if (error)
		session_push(session, error);
	stanza_unref(&gone);
}

/* What is wrong with the kind and the type (RFC 6120 §8.2.3, RFC 6121 §4.7.1); NULL: nothing. */
static const char *stanza_fault(const struct stanza *stanza)
{
	if (stanza->kind == STANZA_IQ)
		return iq_fault(stanza);
	return stanza->type == PRESENCE_INVALID ? "This type of presence does not exist" : NULL;
}

/* RFC 6120 §10.3: message and iq without `to` are for the account; presence without it is a module's. */
static void session_route(struct session *session, struct stanza *stanza)
{
	if (!stanza->to.text && stanza->kind != STANZA_PRESENCE)
		stanza->to = jid_copy(&stanza->arena, &session->account->jid);
	if (stanza->to.text) {
		journal_send(session->account, stanza);
	} else {
		const struct stanza *unwanted = stanza;

		stanza_unref(&unwanted);
	}
}

static bool from_is_own(const struct session *session, const struct jid *from)
{
	return !from->text ||
	       (jid_same_bare(from, &session->jid) && (jid_is_bare(from) || jid_same(from, &session->jid)));
}

void session_sent(struct session *session, struct stanza *stanza)
{
	struct home *home = session->account->home;
	const struct stanza *unwanted = stanza;
	const char *fault;

	if (!from_is_own(session, &stanza->from))
		session_close(session, STREAM_INVALID_FROM, "A client may send as itself only");
	if (session->ending) {
		stanza_unref(&unwanted);
		return;
	}
	session->active_ms = worker_now_ms(home->worker);
	stanza->from = jid_copy(&stanza->arena, &session->jid);
	claims_strip(home->config, stanza);
	fault = stanza_fault(stanza);
	if (fault) {
		session_refuse(session, stanza, STANZA_BAD_REQUEST, fault);
		return;
	}
	for (const struct module *const *module = home->server->modules; *module; module++) {
		if ((*module)->session_sent && (*module)->session_sent(session, stanza) == HOOK_DONE)
			return;
	}
	session_route(session, stanza);
}

/* What is sent for the account itself has its bare JID, so all its sessions are asked. */
void session_sent_settled(struct home *home, const struct stanza *stanza)
{
	struct account *account = account_find(home, stanza->from.text, jid_bare_len(&stanza->from));
	struct session *session = account && stanza->token ? session_first(account) : NULL;

	while (session && !(session->outlet->taken && session->outlet->taken(session, stanza->token)))
		session = session_next(session);
}

static void bounce_answered(struct home *home, struct parcel *bounce)
{
	session_sent_settled(home, bounce->stanza->returns);
	parcel_free(&bounce);
}

/* A message that comes back is acknowledged when the client has the error, or the journal. */
void session_sent_answered(struct home *home, struct parcel *parcel)
{
	struct parcel *bounce = parcel_make_bounce(home, parcel);

	if (bounce && bounce->stanza->returns)
		bounce->answered = bounce_answered;
	else
		session_sent_settled(home, parcel->stanza);
	if (bounce)
		route(home, bounce);
	parcel_free(&parcel);
}

/* ---- to the client ---- */

void session_deliver_now(struct session *session, struct parcel *parcel)
{
	assert(!session->ending && session->outlet);
	session->outlet->deliver(session, parcel);
}

void session_deliver(struct session *session, struct parcel *parcel)
{
	const struct module *const *module = session->account->home->server->modules;

	for (; session->inactive && *module; module++) {
		if ((*module)->session_delivering &&
		    (*module)->session_delivering(session, parcel) == HOOK_DONE)
			return;
	}
	session_deliver_now(session, parcel);
}

void session_set_inactive(struct session *session, bool inactive)
{
	bool was_inactive = session->inactive;

	session->inactive = inactive;
	for (const struct module *const *module = session->account->home->server->modules;
	     was_inactive && !inactive && *module; module++) {
		if ((*module)->session_active)
			(*module)->session_active(session);
	}
}

/* Nobody waits for the answer to a push, and it is of no use to another client. */
static void push_answered(struct home *holder, struct parcel *parcel)
{
	(void)holder;
	parcel_free(&parcel);
}

void session_push_told(struct session *session, const struct stanza *stanza, uint64_t token,
                       void (*answered)(struct home *home, struct parcel *parcel))
{
	struct parcel *parcel = parcel_new(session->account->home, stanza, &session->jid);

	stanza_unref(&stanza);
	parcel->is_push = true;
	parcel->token = token;
	parcel->answered = answered;
	session_deliver(session, parcel);
}

void session_push(struct session *session, const struct stanza *stanza)
{
	session_push_told(session, stanza, 0, push_answered);
}

void session_lost(struct session *session, struct parcel *parcel)
{
	struct account *account = session->account;

	if (parcel->stanza->kind != STANZA_MESSAGE || parcel->waits)
		return;
	parcel->waits = true;
	for (const struct module *const *module = account->home->server->modules; *module; module++) {
		if ((*module)->message_waits)
			(*module)->message_waits(account, parcel);
	}
}

/* The client that asked is gone; another one that has bound its resource has not asked. */
static bool is_answer(const struct stanza *stanza)
{
	return stanza->type == IQ_RESULT || stanza->type == IQ_ERROR;
}

void session_give_back(struct session *session, struct parcel *parcel)
{
	struct account *account = session->account;

	session_leave(session);
	if (!account->gone)
		session_lost(session, parcel);
	if (kept_takes_back(account, parcel))
		return;
	parcel->delayed = true;
	if (journal_has(account, parcel) || is_answer(parcel->stanza))
		parcel_taken(account->home, &parcel);
	else if (account->gone || parcel->is_push)
		parcel_refused(account->home, &parcel, STANZA_RECIPIENT_UNAVAILABLE, NULL);
	else
		account_receive(account, parcel);
}

void session_gives_back_soon(struct session *session)
{
	session->account->giving_back += !session->gives_back;
	session->gives_back = true;
}

void session_gave_back(struct session *session)
{
	struct account *account = session->account;

	if (!session->gives_back)
		return;
	session->gives_back = false;
	if (--account->giving_back == 0 && !account->gone)
		account_receive_waiting(account, ACCOUNT_READY);
}
