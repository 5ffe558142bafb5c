/* SPDX-License-Identifier: MIT
 *
 * The iq table at work (RFC 6120 §8.2.3, §10.3.3; RFC 6121 §8.5.2.1.3): finds the handler in the modules'
 * tables, in their order, and keeps the request until it is answered.
 */
#include "core/iq.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "core/account.h"
#include "core/module.h"
#include "core/router.h"
#include "core/session.h"

/* RFC 6120 §8.2.3: a request has an id, a known type, and exactly one child. */
const char *iq_fault(const struct stanza *iq)
{
	const struct element *payload = element_first(iq->root);

	if (iq->type == IQ_INVALID)
		return "The type of an iq must be get, set, result or error";
	if (!iq->id)
		return "An iq must have an id";
	if (iq->type != IQ_GET && iq->type != IQ_SET)
		return NULL;
	if (!payload || element_next(iq->root, payload))
		return "A request must have exactly one child element";
	return NULL;
}

static enum iq_scope request_scope(const struct account *account, const struct stanza *iq)
{
	if (!account)
		return IQ_HOST;
	return iq->from.text && jid_same_bare(&iq->from, &account->jid) ? IQ_OWN : IQ_ACCOUNT;
}

static const struct iq_handler *handler_find(const struct module *module, const struct iq_request *request)
{
	unsigned kind = request->parcel->stanza->type == IQ_GET ? IQ_KIND_GET : IQ_KIND_SET;

	for (const struct iq_handler *handler = module->iqs; handler && handler->name; handler++) {
		if ((handler->kinds & kind) && (handler->scopes & request->scope) &&
		    element_is(request->payload, handler->name, handler->ns))
			return handler;
	}
	return NULL;
}

static void request_ask(struct iq_request *request)
{
	const struct iq_handler *handler = NULL;

	for (const struct module *const *module = request->home->server->modules; *module && !handler;
	     module++)
		handler = handler_find(*module, request);
	if (handler)
		handler->asked(request);
	else
		iq_refuse(request, STANZA_SERVICE_UNAVAILABLE, NULL);
}

void iq_dispatch(struct home *home, struct account *account, const struct host *host, struct parcel *parcel)
{
	const struct stanza *iq = parcel->stanza;
	const char *fault = iq_fault(iq);
	struct iq_request *request;

	if (fault) {
		parcel_refused(home, &parcel, STANZA_BAD_REQUEST, fault);
		return;
	}
	request = mem_zalloc(sizeof(*request));
	request->home = home;
	request->parcel = parcel;
	request->payload = element_first(iq->root);
	request->scope = request_scope(account, iq);
	request->host = host;
	request->config = config_ref(home->config);
	request->account = account;
	request_ask(request);
}

struct stanza *iq_result(const struct iq_request *request)
{
	return stanza_result(request->parcel->stanza);
}

static void request_free(struct iq_request *request)
{
	config_unref(&request->config);
	free(request);
}

void iq_answer(struct iq_request *request, struct stanza *result)
{
	const struct stanza *sealed = stanza_seal(result);

	parcel_taken(request->home, &request->parcel);
	route_stanza(request->home, sealed);
	request_free(request);
}

struct stanza *iq_error(const struct iq_request *request, enum stanza_condition condition, const char *text)
{
	const struct stanza *iq = request->parcel->stanza;
	struct stanza *error = stanza_make(STANZA_IQ, IQ_ERROR, &iq->to, &iq->from, iq->id);

	error_add(&error->arena, error->root, condition, text);
	return error;
}

void iq_done(struct iq_request *request)
{
	iq_answer(request, iq_result(request));
}

void iq_refuse(struct iq_request *request, enum stanza_condition condition, const char *text)
{
	parcel_refused(request->home, &request->parcel, condition, text);
	request_free(request);
}

struct account *iq_account(struct iq_request *request)
{
	const struct jid *to = &request->parcel->to;

	request->account = NULL;
	if (request->scope != IQ_HOST)
		request->account = account_find(request->home, to->text, jid_bare_len(to));
	return request->account;
}

struct session *iq_session(const struct iq_request *request)
{
	const struct jid *from = &request->parcel->stanza->from;

	if (request->scope != IQ_OWN || !request->account || jid_is_bare(from))
		return NULL;
	return session_find(request->account, jid_resource(from));
}
