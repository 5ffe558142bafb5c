/* SPDX-License-Identifier: MIT
 *
 * Publishing notifications (XEP-0357 §7). A message that a person would read, or a request for a subscription, while nobody
 * is at the client that has enabled the service, or, where that is configured, at any client of the account: away, inactive,
 * waiting to be resumed or not there. Messages that come together are told together; at each service one publication is under
 * way at a time, and what it answers decides whether it is told again (§7.1).
 *
 * A publication comes from the host, so that an app server learns no more of the account than its node. Its answer goes to
 * the host and so to any home; the id says to which one it belongs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/map.h"
#include "base/mem.h"
#include "core/module.h"
#include "core/router.h"
#include "core/session.h"
#include "push.h"
#include "xmpp/dataform.h"
#include "xmpp/ns.h"
#include "xmpp/utf8.h"

enum {
	GATHER_MS = 300,         /* what comes together is told together; who resumes has resumed */
	ANSWER_MS = 60 * 1000,   /* no answer is a failure */
	PAUSE_MS = 3600 * 1000,  /* the longest after failures */
	BODY_BYTES = 1024,
};

#define ID_FORM "push-%u-%s"

static void service_timed(struct worker *worker, struct timer *timer);
static void answer_arrived(struct worker *worker, struct mail *mail);

/* ---- which messages ---- */

static bool element_is_content(const struct element *element)
{
	static const struct {
		const char *name, *ns;
	} contents[] = {
		{ "encrypted", "eu.siacs.conversations.axolotl" },
		{ "encrypted", "urn:xmpp:omemo:1" },
		{ "encrypted", "urn:xmpp:omemo:2" },
		{ "openpgp", "urn:xmpp:openpgp:0" },
		{ "propose", "urn:xmpp:jingle-message:0" },
		{ "x", NS_CONFERENCE },
	};

	if (element_is(element, "body", NS_CLIENT))
		return element->first != NULL;
	for (size_t i = 0; i < sizeof(contents) / sizeof(*contents); i++) {
		if (element_is(element, contents[i].name, contents[i].ns))
			return true;
	}
	return false;
}

/* A person would read it, and it is not from himself. */
static bool message_has_content(const struct account *account, const struct stanza *message)
{
	if (message->type == MESSAGE_ERROR || message->type == MESSAGE_HEADLINE || !message->from.text ||
	    jid_same_bare(&message->from, &account->jid))
		return false;
	for (const struct node *node = message->root->first; node; node = node->next) {
		if (node->element && element_is_content(node->element))
			return true;
	}
	return false;
}

/* ---- who is there ---- */

static bool session_is_attended(const struct session *session)
{
	const struct element *show;
	struct arena arena = { 0 };
	const char *text;
	bool away;

	if (session->detached || session->inactive || !session_is_available(session))
		return false;
	show = element_child(session->presence->root, "show", NS_CLIENT);
	text = show ? element_text(&arena, show) : "";
	away = strcmp(text, "away") == 0 || strcmp(text, "xa") == 0;
	arena_clear(&arena);
	return !away;
}

static bool service_is_of(const struct push_service *service, const struct session *session)
{
	return strcmp(service->client, session->agent ? session->agent : jid_resource(&session->jid)) == 0;
}

static bool service_is_wanted(const struct push_service *service)
{
	const struct account *account = service->account;
	bool always = push_options(account->home->config)->while_attended;

	for (const struct session *session = session_first(account); session; session = session_next(session)) {
		if (session_is_attended(session) && (!always || service_is_of(service, session)))
			return false;
	}
	return true;
}

/* The client that has enabled it was there: it knows of all that was counted before. */
static void service_hear(struct push_service *service, const struct session *session)
{
	uint64_t last_ms = session->bound_ms > session->active_ms ? session->bound_ms : session->active_ms;

	if (service_is_of(service, session) && last_ms >= service->counted_ms)
		service->count = service->requests = 0;
}

void push_session_ended(struct session *session)
{
	for (struct push_service *service = account_part(session->account, &push_module); service;
	     service = service->next)
		service_hear(service, session);
}

/* ---- when ---- */

static struct map *asked_of(const struct push_service *service)
{
	return home_part(service->account->home, &push_module);
}

/* The account stays in memory while something is under way. */
static void service_set_busy(struct push_service *service)
{
	bool busy = timer_is_running(&service->timer) || *service->asked;

	if (busy == service->busy)
		return;
	service->busy = busy;
	if (busy)
		account_hold(service->account);
	else
		account_release(service->account);
}

static uint64_t service_pause_ms(const struct push_service *service)
{
	uint64_t pause_ms = push_options(service->account->home->config)->interval_ms;

	for (uint32_t i = 0; i < service->failures && pause_ms < PAUSE_MS; i++)
		pause_ms *= 2;
	return pause_ms < PAUSE_MS ? pause_ms : PAUSE_MS;
}

static void service_schedule(struct push_service *service)
{
	struct worker *worker = service->account->home->worker;
	uint64_t now_ms = worker_now_ms(worker), wait_ms = GATHER_MS, next_ms;

	if (service->due && !timer_is_running(&service->timer) && !*service->asked) {
		next_ms = service->published_ms ? service->published_ms + service_pause_ms(service) : 0;
		if (next_ms > now_ms + wait_ms)
			wait_ms = next_ms - now_ms;
		timer_start(worker, &service->timer, wait_ms, service_timed);
	}
	service_set_busy(service);
}

/* One more of what counter counts. */
static void service_count(struct push_service *service, uint32_t *counter)
{
	for (const struct session *session = session_first(service->account); session; session = session_next(session))
		service_hear(service, session);
	++*counter;
	service->counted_ms = worker_now_ms(service->account->home->worker);
	service->due = true;
	service_schedule(service);
}

static void service_count_message(struct push_service *service, const struct stanza *message)
{
	if (service->last == message)
		return;
	stanza_unref(&service->last);
	service->last = stanza_ref(message);
	service_count(service, &service->count);
}

void push_message(struct account *account, const struct stanza *message)
{
	if (!message_has_content(account, message))
		return;
	for (struct push_service *service = account_part(account, &push_module); service; service = service->next) {
		if (service_is_wanted(service))
			service_count_message(service, message);
	}
}

void push_request(struct account *account)
{
	for (struct push_service *service = account_part(account, &push_module); service; service = service->next) {
		if (service_is_wanted(service))
			service_count(service, &service->requests);
	}
}

void push_service_stop(struct push_service *service)
{
	timer_stop(service->account->home->worker, &service->timer);
	if (*service->asked)
		map_remove(asked_of(service), service->asked, strlen(service->asked));
	*service->asked = '\0';
	service_set_busy(service);
}

/* ---- what (§7) ---- */

static void number_add(struct arena *arena, struct element *form, const char *var, uint32_t number)
{
	if (number > 0)
		dataform_add_field(arena, form, var, NULL, NULL, arena_printf(arena, "%u", number));
}

static void body_add(struct arena *arena, struct element *form, const struct stanza *message)
{
	const char *body = element_child_text(arena, message->root, "body", NS_CLIENT);
	char *start = body ? arena_str_len(arena, body, strnlen(body, BODY_BYTES)) : NULL;

	if (!start)
		return;
	utf8_trim(start);
	dataform_add_field(arena, form, "last-message-body", NULL, NULL, start);
}

static void summary_add(struct arena *arena, struct element *notification, const struct push_service *service)
{
	enum push_content content = push_options(service->account->home->config)->content;
	struct element *form = dataform_add(arena, notification, "submit", "urn:xmpp:push:summary");

	number_add(arena, form, "message-count", service->count);
	number_add(arena, form, "pending-subscription-count", service->requests);
	if (service->count > 0 && content >= PUSH_SENDER)
		dataform_add_field(arena, form, "last-message-sender", NULL, NULL, service->last->from.text);
	if (service->count > 0 && content >= PUSH_BODY)
		body_add(arena, form, service->last);
}

static struct stanza *publication_make(const struct push_service *service, const char *id)
{
	struct stanza *iq = stanza_make(STANZA_IQ, IQ_SET, NULL, &service->jid, id);
	struct element *pubsub = element_add(&iq->arena, iq->root, "pubsub", NS_PUBSUB);
	struct element *publish = element_add(&iq->arena, pubsub, "publish", NS_PUBSUB), *item;

	iq->from = jid_domain(&iq->arena, &service->account->jid);
	element_set(&iq->arena, publish, "node", *service->node ? service->node : NULL);
	item = element_add(&iq->arena, publish, "item", NS_PUBSUB);
	summary_add(&iq->arena, element_add(&iq->arena, item, "notification", NS_PUSH), service);
	if (service->form)
		element_copy(&iq->arena, element_add(&iq->arena, pubsub, "publish-options", NS_PUBSUB), service->form);
	return iq;
}

static void service_publish(struct push_service *service)
{
	struct home *home = service->account->home;
	char made[ID_LEN + 1];

	id_random(worker_entropy(home->worker), made);
	snprintf(service->asked, sizeof(service->asked), ID_FORM, (unsigned)(home - home->server->homes), made);
	map_put(asked_of(service), service->asked, strlen(service->asked), service);
	service->due = false;
	service->published_ms = worker_now_ms(home->worker);
	timer_start(home->worker, &service->timer, ANSWER_MS, service_timed);
	route_stanza(home, stanza_seal(publication_make(service, service->asked)));
}

/* ---- what comes back (§7.1) ---- */

static void service_answered(struct push_service *service)
{
	map_remove(asked_of(service), service->asked, strlen(service->asked));
	*service->asked = '\0';
	timer_stop(service->account->home->worker, &service->timer);
}

/* What it was not told is told later, unless it has failed too often. */
static void service_failed(struct push_service *service, const char *why, bool for_good)
{
	if (for_good || ++service->failures >= push_options(service->account->home->config)->failures) {
		push_forget(service, why);
		return;
	}
	service->due = service->count + service->requests > 0;
	service_schedule(service);
}

static void service_timed(struct worker *worker, struct timer *timer)
{
	struct push_service *service = LIST_MEMBER(timer, struct push_service, timer);

	(void)worker;
	if (*service->asked) {
		service_answered(service);
		service_failed(service, "no answer", false);
		return;
	}
	if (service_is_wanted(service)) {
		service_publish(service);
	} else {
		service->due = false;
		service->count = service->requests = 0;
	}
	service_set_busy(service);
}

/* The service does not know the node, or not us. */
static bool condition_is_final(enum stanza_condition condition)
{
	switch (condition) {
	case STANZA_ITEM_NOT_FOUND:
	case STANZA_FORBIDDEN:
	case STANZA_NOT_AUTHORIZED:
	case STANZA_NOT_ALLOWED:
	case STANZA_GONE:
		return true;
	default:
		return false;
	}
}

/* An answer on its way to the home that waits for it. */
struct answer {
	struct mail mail;
	const struct stanza *stanza; /* counted */
};

enum hook_result push_host_received(struct home *home, const struct host *host, struct parcel *parcel)
{
	const struct stanza *stanza = parcel->stanza;
	struct answer *answer;
	unsigned index;
	char *end;

	(void)host;
	if ((stanza->type != IQ_RESULT && stanza->type != IQ_ERROR) || !stanza->id ||
	    strncmp(stanza->id, "push-", 5) != 0)
		return HOOK_NEXT;
	index = (unsigned)strtoul(stanza->id + 5, &end, 10);
	if (*end != '-' || index >= workers_count(home->server->workers))
		return HOOK_NEXT;
	answer = mem_zalloc(sizeof(*answer));
	answer->mail.arrive = answer_arrived;
	answer->stanza = stanza_ref(stanza);
	worker_post(home->worker, home->server->homes[index].worker, &answer->mail);
	parcel_taken(home, &parcel);
	return HOOK_DONE;
}

static void answer_arrived(struct worker *worker, struct mail *mail)
{
	struct answer *answer = (struct answer *)mail;
	const struct stanza *stanza = answer->stanza;
	struct push_service *service = map_find(home_part(home_of(worker), &push_module), stanza->id, strlen(stanza->id));
	const struct element *error = element_child(stanza->root, "error", NS_CLIENT);
	enum stanza_condition condition = error ? stanza_condition_of(error) : STANZA_UNDEFINED_CONDITION;

	if (service && stanza->from.text && jid_same(&stanza->from, &service->jid)) {
		service_answered(service);
		if (stanza->type == IQ_ERROR) {
			service_failed(service, stanza_condition_name(condition), condition_is_final(condition));
		} else {
			service->failures = 0;
			service_schedule(service);
		}
	}
	stanza_unref(&answer->stanza);
	free(answer);
}

void *push_home_open(struct home *home)
{
	return map_new(worker_seed(home->worker));
}

void push_home_close(struct home *home, void *part)
{
	struct map *asked = part;

	(void)home;
	map_free(&asked);
}
