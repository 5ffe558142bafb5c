/* SPDX-License-Identifier: MIT
 *
 * Blocking Command (XEP-0191), "polite": subscriptions stay, and to whom is blocked the user looks offline. The list comes
 * with the account, so nothing passes before it is known; its module stands before all that keep or deliver. It is the
 * document of kind "blocking", the text of a struct blocklist.
 *
 * Changes are made one after the other, each on what the one before has left, and seen when they are durable. The account
 * itself and its host's own address are never blocked, whatever the list says.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "blocklist.h"
#include "core/module.h"
#include "core/router.h"
#include "core/session.h"
#include "document.h"
#include "xmpp/ns.h"

extern const struct module blocking_module;

/* A block or an unblock command. */
struct block_change {
	struct block_change *next;
	struct iq_request *request;
	bool adds;
	struct jid *names;      /* in the arena; none: unblock all */
	size_t count;
	struct blocklist after;
	struct arena arena;
};

/* Of an account. */
struct blocking {
	struct blocklist list;
	struct block_change *first, **end;      /* the first is being written by the store, which has it */
};

struct blocking_limits {
	size_t entries;
};

static void block_change_run(struct account *account);
static void block_change_stored(struct store_request *stored);

static struct blocking *blocking_of(const struct account *account)
{
	return account_part(account, &blocking_module);
}

/* ---- what is blocked (§6) ---- */

static bool address_is_own(const struct account *account, const struct jid *who)
{
	return jid_same_bare(who, &account->jid) ||
	       (who->local_len == 0 && jid_same_domain(who, &account->jid));
}

static bool blocking_account_blocks(const struct account *account, const struct jid *who)
{
	return blocklist_matches(&blocking_of(account)->list, who) && !address_is_own(account, who);
}

/* ---- the list (§3.2) ---- */

static void item_add(struct arena *arena, struct element *parent, const char *jid)
{
	element_set(arena, element_add(arena, parent, "item", NS_BLOCKING), "jid", jid);
}

static void blocking_get(struct iq_request *request)
{
	const struct blocklist *list = &blocking_of(request->account)->list;
	struct session *session = iq_session(request);
	struct stanza *result = iq_result(request);
	struct element *answer = element_add(&result->arena, result->root, "blocklist", NS_BLOCKING);

	for (size_t i = 0; i < list->count; i++)
		item_add(&result->arena, answer, list->entries[i]);
	if (session)
		session->wants_blocklist = true;
	iq_answer(request, result);
}

/* ---- a change (§3.3 to §3.5) ---- */

static void block_change_free(struct block_change *change)
{
	blocklist_clear(&change->after);
	arena_clear(&change->arena);
	free(change);
}

static struct block_change *block_change_new(struct iq_request *request, bool adds)
{
	struct block_change *change = mem_zalloc(sizeof(*change));
	size_t items = 0;

	for (const struct node *n = request->payload->first; n; n = n->next)
		items += n->element && element_is(n->element, "item", NS_BLOCKING);
	change->request = request;
	change->adds = adds;
	change->names = arena_alloc(&change->arena, (items + 1) * sizeof(*change->names));
	return change;
}

static enum stanza_condition block_change_read(struct block_change *change)
{
	for (const struct node *n = change->request->payload->first; n; n = n->next) {
		const char *text;
		struct jid jid;

		if (!n->element || !element_is(n->element, "item", NS_BLOCKING))
			continue;
		text = element_attr(n->element, "jid");
		if (!text)
			return STANZA_BAD_REQUEST;
		if (!jid_prepare(&change->arena, text, strlen(text), JID_ANY, &jid))
			return STANZA_JID_MALFORMED;
		change->names[change->count++] = jid;
	}
	return change->adds && change->count == 0 ? STANZA_BAD_REQUEST : STANZA_NO_ERROR;
}

static void blocking_set(struct iq_request *request, bool adds)
{
	struct account *account = request->account;
	struct blocking *blocking = blocking_of(account);
	struct block_change *change = block_change_new(request, adds);
	enum stanza_condition refusal = block_change_read(change);
	bool is_first = !blocking->first;

	if (refusal) {
		iq_refuse(request, refusal, NULL);
		block_change_free(change);
		return;
	}
	*blocking->end = change;
	blocking->end = &change->next;
	if (is_first) {
		account_hold(account);
		block_change_run(account);
	}
}

/* The first of the queue is over and has been answered. */
static void block_change_end(struct account *account)
{
	struct blocking *blocking = blocking_of(account);
	struct block_change *change = blocking->first;

	blocking->first = change->next;
	block_change_free(change);
	if (blocking->first) {
		block_change_run(account);
		return;
	}
	blocking->end = &blocking->first;
	account_release(account);
}

static void block_change_submit(struct block_change *change)
{
	struct store_document *document =
		document_new(change->request, STORE_DOCUMENT_PUT, "blocking", "", block_change_stored);
	struct buf text = { 0 };

	blocklist_write(&change->after, &text);
	document->text = arena_str_len(&document->request.arena, text.len ? text.data : "", text.len);
	document->text_len = text.len;
	document->request.context = change;
	buf_clear(&text);
	document_submit(change->request, document);
}

static void block_change_run(struct account *account)
{
	const struct blocking_limits *limits = config_part(account->home->config, &blocking_module);
	struct blocking *blocking = blocking_of(account);
	struct block_change *change = blocking->first;

	if (change->adds)
		blocklist_add(&blocking->list, change->names, change->count, &change->after);
	else if (change->count > 0)
		blocklist_subtract(&blocking->list, change->names, change->count, &change->after);
	if (change->adds && change->after.count > limits->entries) {
		iq_refuse(change->request, STANZA_RESOURCE_CONSTRAINT, "Too many addresses are blocked");
		block_change_end(account);
		return;
	}
	block_change_submit(change);
}

/* ---- it is durable ---- */

/* Both ways: who is matched by the one list and not by the other. */
struct difference {
	const struct account *account;
	const struct blocklist *with, *without;
};

static bool difference_has(const struct jid *who, const void *context)
{
	const struct difference *difference = context;

	return blocklist_matches(difference->with, who) && !blocklist_matches(difference->without, who) &&
	       !address_is_own(difference->account, who);
}

/* §3.3: the goodbye passes while the door is still open; §3.4: the welcome when it is open again. */
static void block_change_apply(struct account *account, struct block_change *change)
{
	struct blocking *blocking = blocking_of(account);
	struct blocklist before = blocking->list;
	const struct difference shut = { account, &change->after, &before };
	const struct difference opened = { account, &before, &blocking->list };
	struct address_set set = { .has = difference_has, .named = change->names, .named_count = change->count };

	set.context = change->adds ? &shut : &opened;
	if (change->adds)
		account_withdraw_presence(account, &set);
	blocking->list = change->after;
	change->after = before;
	if (!change->adds)
		account_restore_presence(account, &set);
}

static void block_change_push(struct account *account, const struct block_change *change)
{
	char id[ID_LEN + 1];
	struct stanza *push;
	struct element *command;
	const struct stanza *sealed;

	id_random(worker_entropy(account->home->worker), id);
	push = stanza_make(STANZA_IQ, IQ_SET, &account->jid, NULL, id);
	command = element_add(&push->arena, push->root, change->adds ? "block" : "unblock", NS_BLOCKING);
	for (size_t i = 0; i < change->count; i++)
		item_add(&push->arena, command, change->names[i].text);
	sealed = stanza_seal(push);
	for (const struct session *session = session_first(account); session;
	     session = session_next(session)) {
		if (session->wants_blocklist)
			route(account->home, parcel_new(account->home, sealed, &session->jid));
	}
	stanza_unref(&sealed);
}

static void block_change_stored(struct store_request *stored)
{
	struct block_change *change = stored->context;
	struct account *account = iq_account(change->request);
	enum store_status status = stored->status;

	store_request_free(stored);
	if (!account || blocking_of(account)->first != change) {
		iq_refuse(change->request, STANZA_ITEM_NOT_FOUND, NULL);
		block_change_free(change);
		return;
	}
	if (status != STORE_OK) {
		iq_refuse(change->request, document_refusal(status), NULL);
	} else {
		block_change_apply(account, change);
		iq_done(change->request);
		block_change_push(account, change);
	}
	block_change_end(account);
}

/* ---- what passes (§3.3) ---- */

/* Inwards: to who is blocked the user is not there. */
static enum hook_result blocking_account_received(struct account *account, struct parcel *parcel)
{
	const struct stanza *stanza = parcel->stanza;

	if (!blocking_account_blocks(account, &stanza->from))
		return HOOK_NEXT;
	if (stanza->kind == STANZA_PRESENCE || stanza->type == IQ_RESULT || stanza->type == IQ_ERROR)
		parcel_taken(account->home, &parcel);
	else
		parcel_refused(account->home, &parcel, STANZA_SERVICE_UNAVAILABLE, NULL);
	return HOOK_DONE;
}

/* Outwards: example 9. The error seems to come from who is blocked, so it does not go through the account's rules. */
static void sent_refuse(struct session *session, struct stanza *stanza)
{
	const struct stanza *sealed = stanza_seal(stanza);
	struct stanza *refusal = stanza_error_draft(sealed, NULL, STANZA_NOT_ACCEPTABLE, NULL);
	struct element *error;

	if (refusal) {
		error = element_child(refusal->root, "error", NS_CLIENT);
		element_set(&refusal->arena, error, "type", "cancel");
		element_add(&refusal->arena, error, "blocked", NS_BLOCKING_ERRORS);
		session_push(session, stanza_seal(refusal));
	}
	stanza_unref(&sealed);
}

static enum hook_result blocking_session_sent(struct session *session, struct stanza *stanza)
{
	if (!blocking_account_blocks(session->account, &stanza->to))
		return HOOK_NEXT;
	sent_refuse(session, stanza);
	return HOOK_DONE;
}

/* ---- the account's life ---- */

static void blocking_account_loaded(struct account *account, const struct store_account_load *load)
{
	const struct store_account_document *list = store_account_document(load, "blocking", "");
	struct blocking *blocking = mem_zalloc(sizeof(*blocking));

	blocking->end = &blocking->first;
	if (list)
		blocklist_read(&blocking->list, list->text, list->len);
	account_set_part(account, &blocking_module, blocking);
}

/* Commands that wait are answered; the one that the store has is answered when it comes back. */
static void blocking_account_unloaded(struct account *account)
{
	struct blocking *blocking = blocking_of(account);
	struct block_change *change = blocking->first, *next;

	if (change)
		account_release(account);
	for (change = change ? change->next : NULL; change; change = next) {
		next = change->next;
		iq_refuse(change->request, STANZA_SERVICE_UNAVAILABLE, NULL);
		block_change_free(change);
	}
	blocklist_clear(&blocking->list);
	free(blocking);
	account_set_part(account, &blocking_module, NULL);
}

/* ---- the module ---- */

static void blocking_asked(struct iq_request *request)
{
	const char *name = request->payload->name;

	if (request->scope != IQ_OWN)
		iq_refuse(request, STANZA_FORBIDDEN, NULL);
	else if (strcmp(name, "blocklist") == 0)
		blocking_get(request);
	else
		blocking_set(request, strcmp(name, "block") == 0);
}

static const struct iq_handler handlers[] = {
	{ "blocklist", NS_BLOCKING, IQ_KIND_GET, IQ_OWN | IQ_ACCOUNT, blocking_asked },
	{ "block", NS_BLOCKING, IQ_KIND_SET, IQ_OWN | IQ_ACCOUNT, blocking_asked },
	{ "unblock", NS_BLOCKING, IQ_KIND_SET, IQ_OWN | IQ_ACCOUNT, blocking_asked },
	{ 0 },
};

static const struct conf_option limit_options[] = {
	{ .name = "blocked-addresses", .type = CONF_INT, .fallback = "1000", .min = 1, .max = 100000,
	  .sentence = "How many addresses a user may block." },
	{ 0 },
};

static const struct conf_section_kind options[] = {
	{ .name = "limits", .options = limit_options },
	{ 0 },
};

static void *blocking_configure(struct config *config, const struct conf *conf, char **error)
{
	struct blocking_limits *limits = arena_alloc(&config->arena, sizeof(*limits));

	(void)error;
	limits->entries = (size_t)conf_number(conf_section(conf, "limits"), "blocked-addresses");
	return limits;
}

static const struct module_spec specs[] = {
	{ "XEP-0191", "Blocking Command", "1.3", NULL },
	{ 0 },
};

static const char *const features[] = { NS_BLOCKING, NULL };

const struct module blocking_module = {
	.name = "blocking",
	.specs = specs,
	.host_features = features,
	.account_features = features,
	.iqs = handlers,
	.options = options,
	.configure = blocking_configure,
	.account_loaded = blocking_account_loaded,
	.account_unloaded = blocking_account_unloaded,
	.account_blocks = blocking_account_blocks,
	.session_sent = blocking_session_sent,
	.account_received = blocking_account_received,
};
