/* SPDX-License-Identifier: MIT
 *
 * Push notifications (XEP-0357): a client names the service of its app server that shall hear of messages while it cannot
 * (§5), and takes it back (§6); a service may end it too (§8). Each is a document of kind "push" with the client's own
 * <enable/>, and comes with the account.
 */
#include "push.h"

#include <stdlib.h>
#include <string.h>

#include "core/iq.h"
#include "core/module.h"
#include "core/session.h"
#include "document.h"
#include "xmpp/dataform.h"
#include "xmpp/ns.h"
#include "xmpp/writer.h"

#define KIND "push"
#define FORM_OPTIONS NS_PUBSUB "#publish-options"

static void enable_stored(struct store_request *stored);
static void disable_next(struct iq_request *request);
static void disable_stored(struct store_request *stored);

const struct push_options *push_options(const struct config *config)
{
	return config_part(config, &push_module);
}

/* ---- the services of an account ---- */

static struct push_service *services_of(const struct account *account)
{
	return account_part(account, &push_module);
}

/* node NULL: any. */
static struct push_service *service_find(const struct account *account, const struct jid *jid, const char *node)
{
	struct push_service *service = services_of(account);

	while (service && !(jid_same(&service->jid, jid) && (!node || strcmp(service->node, node) == 0)))
		service = service->next;
	return service;
}

static void service_free(struct push_service *service)
{
	push_service_stop(service);
	stanza_unref(&service->last);
	arena_free_self(service, offsetof(struct push_service, arena));
}

static void service_remove(struct push_service *service)
{
	struct account *account = service->account;
	struct push_service *first = services_of(account), **place = &first;

	while (*place != service)
		place = &(*place)->next;
	*place = service->next;
	account_set_part(account, &push_module, first);
	service_free(service);
}

/* An <enable/> as it was stored. What cannot be read is left out. */
static void service_add(struct account *account, const struct element *enable)
{
	struct push_service *service = arena_new_self(sizeof(*service), offsetof(struct push_service, arena), 0);
	const struct element *copy = element_copy(&service->arena, NULL, enable);
	const char *jid = element_attr(copy, "jid"), *node = element_attr(copy, "node");
	const char *client = element_attr(copy, "client");

	if (!jid || !jid_prepare(&service->arena, jid, strlen(jid), JID_ANY, &service->jid)) {
		arena_free_self(service, offsetof(struct push_service, arena));
		return;
	}
	service->account = account;
	service->node = node ? node : "";
	service->client = client ? client : "";
	service->form = element_child(copy, "x", NS_DATA_FORM);
	service->next = services_of(account);
	account_set_part(account, &push_module, service);
}

static struct store_document *document_of(struct home *home, const struct jid *user, const struct jid *jid,
                                          const char *node, void (*done)(struct store_request *done))
{
	struct store_document *document = store_request_new(sizeof(*document), STORE_DOCUMENT_PUT, home->worker,
	                                                    user->text, jid_bare_len(user), done);

	document->kind = KIND;
	document->key = arena_printf(&document->request.arena, "%s\n%s", jid->text, node);
	return document;
}

void push_forget(struct push_service *service, const char *why)
{
	struct account *account = service->account;
	struct store_document *document =
		document_of(account->home, &account->jid, &service->jid, service->node, store_request_free);

	log_info(account->home->server->log, NULL, "push notifications are disabled", LOG_STR("jid", account->jid.text),
	         LOG_STR("service", service->jid.text), LOG_STR("because", why));
	store_submit(account->home->server->store, &document->request);
	service_remove(service);
}

/* ---- §5 ---- */

static const char *client_name(const struct iq_request *request)
{
	const struct session *session = iq_session(request);

	if (!session)
		return "";
	return session->agent ? session->agent : jid_resource(&session->jid);
}

/* The publish options of the request; false: there are some that cannot be kept. */
static bool form_read(const struct iq_request *request, struct arena *arena, const struct element **form)
{
	struct buf text = { 0 };
	bool fits;

	*form = dataform_find(arena, request->payload, FORM_OPTIONS);
	if (!*form)
		return true;
	writer_element(&text, *form, NULL);
	fits = text.len <= push_options(request->config)->form_bytes;
	buf_clear(&text);
	return fits;
}

/* Nobody's client is a push service, and no account of ours. */
static bool jid_read(const struct iq_request *request, struct arena *arena, struct jid *jid)
{
	const char *text = element_attr(request->payload, "jid");

	return text && jid_prepare(arena, text, strlen(text), JID_ANY, jid) &&
	       !config_host(request->config, jid_domain_text(jid), jid->domain_len);
}

static const char *node_of(const struct iq_request *request)
{
	return element_attr(request->payload, "node");
}

static void enable_asked(struct iq_request *request)
{
	const char *node = node_of(request) ? node_of(request) : "";
	const struct element *form = NULL;
	struct store_document *document;
	struct arena arena = { 0 };
	struct element *enable;
	struct jid jid;

	if (!jid_read(request, &arena, &jid) || strlen(node) > 1023) {
		iq_refuse(request, STANZA_BAD_REQUEST, "The address of a push service is missing");
	} else if (!form_read(request, &arena, &form)) {
		iq_refuse(request, STANZA_NOT_ACCEPTABLE, "These options are too large");
	} else {
		document = document_of(request->home, &request->parcel->to, &jid, node, enable_stored);
		enable = element_new(&document->request.arena, "enable", NS_PUSH);
		element_set(&document->request.arena, enable, "jid", jid.text);
		element_set(&document->request.arena, enable, "node", node);
		element_set(&document->request.arena, enable, "client", client_name(request));
		if (form)
			element_copy(&document->request.arena, enable, form);
		document_set(document, enable);
		document->most = push_options(request->config)->services;
		document->request.context = request;
		document_submit(request, document);
	}
	arena_clear(&arena);
}

/* The newest options of a service count. */
static void service_renew(struct iq_request *request, const struct store_document *document)
{
	struct account *account = iq_account(request);
	struct arena arena = { 0 };
	const struct element *enable =
		parser_text(request->home->parsers, &arena, NS_CLIENT, document->text, document->text_len,
	                    &request->config->limits.parser);
	struct push_service *before;
	struct jid jid;

	if (account && enable && jid_read(request, &arena, &jid)) {
		before = service_find(account, &jid, element_attr(enable, "node"));
		if (before)
			service_remove(before);
		service_add(account, enable);
	}
	arena_clear(&arena);
}

static void enable_stored(struct store_request *stored)
{
	struct iq_request *request = stored->context;

	if (stored->status == STORE_OK) {
		service_renew(request, (const struct store_document *)stored);
		iq_done(request);
	} else {
		iq_refuse(request, document_refusal(stored->status), NULL);
	}
	store_request_free(stored);
}

/* ---- §6 ---- */

static void disable_asked(struct iq_request *request)
{
	struct arena arena = { 0 };
	struct jid jid;
	bool named = jid_read(request, &arena, &jid);

	arena_clear(&arena);
	if (named)
		disable_next(request);
	else
		iq_refuse(request, STANZA_BAD_REQUEST, "The address of a push service is missing");
}

/* One after the other; what is not enabled is disabled already. */
static void disable_next(struct iq_request *request)
{
	struct account *account = iq_account(request);
	struct arena arena = { 0 };
	struct push_service *service = NULL;
	struct store_document *document;
	struct jid jid;

	if (account && jid_read(request, &arena, &jid))
		service = service_find(account, &jid, node_of(request));
	if (service) {
		document = document_of(request->home, &request->parcel->to, &service->jid, service->node,
		                       disable_stored);
		document->request.context = request;
		service_remove(service);
		document_submit(request, document);
	} else {
		iq_done(request);
	}
	arena_clear(&arena);
}

static void disable_stored(struct store_request *stored)
{
	struct iq_request *request = stored->context;

	if (stored->status == STORE_OK || stored->status == STORE_ABSENT)
		disable_next(request);
	else
		iq_refuse(request, document_refusal(stored->status), NULL);
	store_request_free(stored);
}

/* ---- §8: the service takes the account's right to publish away ---- */

static enum hook_result push_account_received(struct account *account, struct parcel *parcel)
{
	const struct stanza *message = parcel->stanza;
	const struct element *pubsub, *affiliation;
	struct push_service *service;
	const char *node, *state;

	if (!services_of(account) || message->kind != STANZA_MESSAGE || !message->from.text)
		return HOOK_NEXT;
	pubsub = element_child(message->root, "pubsub", NS_PUBSUB);
	affiliation = pubsub ? element_child(pubsub, "affiliation", NS_PUBSUB) : NULL;
	node = pubsub ? element_attr(pubsub, "node") : NULL;
	state = affiliation ? element_attr(affiliation, "affiliation") : NULL;
	service = state && strcmp(state, "none") == 0 ? service_find(account, &message->from, node ? node : "") : NULL;
	if (!service)
		return HOOK_NEXT;
	push_forget(service, "the service has ended it");
	parcel_taken(account->home, &parcel);
	return HOOK_DONE;
}

/* ---- messages ---- */

static void push_message_delivered(struct account *account, const struct parcel *parcel, session_choice *gets_it)
{
	(void)gets_it;
	if (services_of(account))
		push_message(account, parcel->stanza);
}

static void push_message_waits(struct account *account, const struct parcel *parcel)
{
	if (services_of(account))
		push_message(account, parcel->stanza);
}

static void push_subscription_requested(struct account *account, const struct jid *from)
{
	(void)from;
	push_request(account);
}

/* ---- the account's life ---- */

static void push_account_loaded(struct account *account, const struct store_account_load *load)
{
	struct home *home = account->home;

	for (size_t i = 0; i < load->document_count; i++) {
		const struct store_account_document *document = &load->documents[i];
		struct arena arena = { 0 };
		const struct element *enable = NULL;

		if (strcmp(document->kind, KIND) == 0)
			enable = parser_text(home->parsers, &arena, NS_CLIENT, document->text, document->len,
			                     &home->config->limits.parser);
		if (enable)
			service_add(account, enable);
		arena_clear(&arena);
	}
}

static void push_account_unloaded(struct account *account)
{
	struct push_service *service;

	while ((service = services_of(account)))
		service_remove(service);
}

/* ---- the module ---- */

static const struct iq_handler handlers[] = {
	{ "enable", NS_PUSH, IQ_KIND_SET, IQ_OWN, enable_asked },
	{ "disable", NS_PUSH, IQ_KIND_SET, IQ_OWN, disable_asked },
	{ 0 },
};

static const struct conf_option rows[] = {
	{ .name = "content", .type = CONF_CHOICE, .fallback = "count", .allowed = "count | sender | body",
	  .sentence = "What the services of app servers learn of messages: how many wait, also who has written the last one, "
	              "or also what it says." },
	{ .name = "while-attended", .type = CONF_BOOL, .fallback = "true",
	  .sentence = "Whether a client that cannot hear is told of messages also while somebody is at another client of "
	              "the account, such as a desktop that was left on." },
	{ .name = "interval", .type = CONF_TIME, .fallback = "5s", .min = 100, .max = 3600000,
	  .sentence = "How much time there is at least between two notifications to the same service; messages of that "
	              "time are told together." },
	{ .name = "services", .type = CONF_INT, .fallback = "20", .min = 1, .max = 1000,
	  .sentence = "How many services the clients of an account may enable." },
	{ .name = "form-size", .type = CONF_SIZE, .fallback = "8kB", .min = 256, .max = 65536,
	  .sentence = "How large the options may be that a client gives for its service." },
	{ .name = "failures", .type = CONF_INT, .fallback = "16", .min = 1, .max = 1000,
	  .sentence = "After how many failures in a row a service is disabled; one that says that it knows nothing of it is "
	              "disabled at once." },
	{ 0 },
};

static const struct conf_section_kind options[] = {
	{ .name = "push", .options = rows, .sentence = "Push notifications to the app servers of mobile clients." },
	{ 0 },
};

static void *push_configure(struct config *config, const struct conf *conf, char **error)
{
	const struct conf_section *section = conf_section(conf, "push");
	struct push_options *read = arena_alloc(&config->arena, sizeof(*read));
	const char *content = conf_string(section, "content");

	(void)error;
	*read = (struct push_options){
		.content = strcmp(content, "body") == 0     ? PUSH_BODY
		           : strcmp(content, "sender") == 0 ? PUSH_SENDER
		                                            : PUSH_COUNT,
		.while_attended = conf_bool(section, "while-attended"),
		.services = (size_t)conf_number(section, "services"),
		.form_bytes = (size_t)conf_number(section, "form-size"),
		.interval_ms = (uint32_t)conf_number(section, "interval"),
		.failures = (uint32_t)conf_number(section, "failures"),
	};
	return read;
}

static const struct module_spec specs[] = {
	{ "XEP-0357", "Push Notifications", "0.4.1", NULL },
	{ 0 },
};

static const char *const features[] = { NS_PUSH, NULL };

const struct module push_module = {
	.name = "push",
	.specs = specs,
	.account_features = features,
	.iqs = handlers,
	.options = options,
	.configure = push_configure,
	.home_open = push_home_open,
	.home_close = push_home_close,
	.host_received = push_host_received,
	.account_loaded = push_account_loaded,
	.account_unloaded = push_account_unloaded,
	.account_received = push_account_received,
	.session_ended = push_session_ended,
	.message_delivered = push_message_delivered,
	.message_waits = push_message_waits,
	.subscription_requested = push_subscription_requested,
};
