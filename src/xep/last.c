/* SPDX-License-Identifier: MIT
 *
 * Last Activity (XEP-0012): how long the server runs (§5), how long ago an account's last client left and with which words
 * (§3). What a client says of its own idle time passes by, but not to those who may not know the account's presence (§4).
 *
 * The document of kind "last" is the wall clock in microseconds, a blank, and the status.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/module.h"
#include "core/session.h"
#include "document.h"
#include "xmpp/ns.h"

enum { STATUS_MAX = 1023, NUMBER_SIZE = 24 };

extern const struct module last_module;

static void last_found(struct store_request *found);
static void last_stored(struct store_request *stored);

/* A moment's answer; status: NULL for none. */
static void last_answer(struct iq_request *request, uint64_t seconds, const char *status)
{
	struct stanza *result = iq_result(request);
	struct element *query = element_add(&result->arena, result->root, "query", NS_LAST);
	char number[NUMBER_SIZE];

	snprintf(number, sizeof(number), "%llu", (unsigned long long)seconds);
	element_set(&result->arena, query, "seconds", number);
	if (status && *status)
		element_add_text(&result->arena, query, status);
	iq_answer(request, result);
}

static void last_asked(struct iq_request *request)
{
	struct home *home = request->home;

	if (request->scope == IQ_HOST)
		last_answer(request, (worker_now_ms(home->worker) - home->server->started_ms) / 1000, NULL);
	else if (!account_shares_presence(request->account, &request->parcel->stanza->from))
		iq_refuse(request, STANZA_FORBIDDEN, NULL);
	else if (request->account->session_count > 0)
		last_answer(request, 0, NULL);
	else
		document_submit(request, document_new(request, STORE_DOCUMENT_GET, "last", "", last_found));
}

static void last_found(struct store_request *found)
{
	const struct store_document *document = (struct store_document *)found;
	struct iq_request *request = found->context;
	char *status = NULL;
	int64_t left_us = found->status == STORE_OK ? strtoll(document->text, &status, 10) : 0;
	int64_t since_us = clock_wall_us(worker_clock(request->home->worker)) - left_us;

	if (found->status == STORE_OK)
		last_answer(request, since_us > 0 ? (uint64_t)since_us / 1000000 : 0,
		            status + strspn(status, " "));
	else
		iq_refuse(request, document_refusal(found->status), NULL);
	store_request_free(found);
}

/* §4. */
static enum hook_result last_account_received(struct account *account, struct parcel *parcel)
{
	const struct stanza *stanza = parcel->stanza;

	if (stanza->type != IQ_GET || jid_is_bare(&parcel->to) ||
	    !element_child(stanza->root, "query", NS_LAST) || account_shares_presence(account, &stanza->from))
		return HOOK_NEXT;
	parcel_refused(account->home, &parcel, STANZA_FORBIDDEN, NULL);
	return HOOK_DONE;
}

/* The words of the last unavailable presence are kept until the session ends. */
static void last_status_set(struct account *account, const char *status)
{
	free(account_part(account, &last_module));
	account_set_part(account, &last_module, str_dup(status));
}

static enum hook_result last_session_sent(struct session *session, struct stanza *stanza)
{
	const char *status = NULL;

	if (stanza->kind != STANZA_PRESENCE || stanza->to.text)
		return HOOK_NEXT;
	if (stanza->type == PRESENCE_UNAVAILABLE)
		status = element_child_text(&stanza->arena, stanza->root, "status", NS_CLIENT);
	last_status_set(session->account, status && strlen(status) <= STATUS_MAX ? status : NULL);
	return HOOK_NEXT;
}

static void last_session_ended(struct session *session)
{
	struct account *account = session->account;
	struct home *home = account->home;
	const char *status = account_part(account, &last_module);
	struct store_document *document;

	if (account->session_count > 1)
		return;
	document = store_request_new(sizeof(*document), STORE_DOCUMENT_PUT, home->worker, account->jid.text,
	                             jid_bare_len(&account->jid), last_stored);
	document->kind = "last";
	document->key = "";
	document->text =
		arena_printf(&document->request.arena, "%lld %s",
	                     (long long)clock_wall_us(worker_clock(home->worker)), status ? status : "");
	document->text_len = strlen(document->text);
	store_submit(home->server->store, &document->request);
}

/* A moment that could not be noted is not worth a word to anybody; the store has logged why. */
static void last_stored(struct store_request *stored)
{
	store_request_free(stored);
}

static void last_account_unloaded(struct account *account)
{
	last_status_set(account, NULL);
}

static const struct iq_handler handlers[] = {
	{ "query", NS_LAST, IQ_KIND_GET, IQ_HOST | IQ_OWN | IQ_ACCOUNT, last_asked },
	{ 0 },
};

static const struct module_spec specs[] = {
	{ "XEP-0012", "Last Activity", "2.0", NULL },
	{ 0 },
};

static const char *const features[] = { NS_LAST, NULL };

const struct module last_module = {
	.name = "last",
	.specs = specs,
	.host_features = features,
	.account_features = features,
	.iqs = handlers,
	.account_unloaded = last_account_unloaded,
	.session_ended = last_session_ended,
	.session_sent = last_session_sent,
	.account_received = last_account_received,
};
