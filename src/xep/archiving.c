/* SPDX-License-Identifier: MIT
 *
 * Message Archive Management Preferences (XEP-0441): what of an account's messages is archived, where the account is told
 * apart from its host. Three may have a say: the administrator for this account (hansactl user archive), whose word is the
 * last; the user, where the host lets him (option archive-preferences); the host.
 *
 * They are documents of kind "archive" that come with the account: key "administrator" is one word, key "" has a line
 * "default WORD" and lines "always JID" and "never JID". A change counts when it is durable.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "blocklist.h"
#include "core/command.h"
#include "core/iq.h"
#include "core/journal.h"
#include "core/module.h"
#include "document.h"
#include "xmpp/ns.h"

#define KIND "archive"
#define KEY_USER ""
#define KEY_ADMINISTRATOR "administrator"

extern const struct module archiving_module;

/* What a user wants (§2.1). */
struct preferences {
	enum archive_policy usual;
	struct blocklist always, never;
};

/* Of an account; none where neither the user nor the administrator has said anything. */
struct archiving {
	bool is_ruled, is_preferred;
	enum archive_policy rule;       /* the administrator's */
	struct preferences preferences; /* the user's */
};

struct archiving_limits {
	size_t addresses;
};

static void preferences_stored(struct store_request *stored);

static struct archiving *archiving_find(const struct account *account)
{
	return account_part(account, &archiving_module);
}

/* ---- words ---- */

static const char *const words[] = {
	[ARCHIVE_NEVER] = "never",
	[ARCHIVE_ROSTER] = "roster",
	[ARCHIVE_ALWAYS] = "always",
};

static bool policy_read(const char *word, size_t len, enum archive_policy *policy)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i]) == len && memcmp(words[i], word, len) == 0) {
			*policy = (enum archive_policy)i;
			return true;
		}
	}
	return false;
}

/* ---- whom it concerns (§2.3) ---- */

static bool preferences_name(const struct preferences *preferences, const char *address, size_t len,
                             enum archive_policy *policy)
{
	if (blocklist_has(&preferences->never, address, len))
		*policy = ARCHIVE_NEVER;
	else if (blocklist_has(&preferences->always, address, len))
		*policy = ARCHIVE_ALWAYS;
	else
		return false;
	return true;
}

/* What names the full address counts before what names the bare one. */
static enum archive_policy preferences_say(const struct preferences *preferences, const struct jid *peer)
{
	enum archive_policy policy = preferences->usual;

	if (!preferences_name(preferences, peer->text, jid_len(peer), &policy))
		preferences_name(preferences, peer->text, jid_bare_len(peer), &policy);
	return policy;
}

static enum archive_policy archiving_account_archives(const struct account *account, const struct jid *peer)
{
	const struct archiving *archiving = archiving_find(account);

	if (archiving && archiving->is_ruled)
		return archiving->rule;
	if (archiving && archiving->is_preferred && account->host->archive_preferences)
		return preferences_say(&archiving->preferences, peer);
	return account->host->archive;
}

/* ---- as text ---- */

static void preferences_clear(struct preferences *preferences)
{
	blocklist_clear(&preferences->always);
	blocklist_clear(&preferences->never);
}

static void lines_add(struct buf *out, const char *word, const struct blocklist *list)
{
	for (size_t i = 0; i < list->count; i++)
		buf_printf(out, "%s %s\n", word, list->entries[i]);
}

static void preferences_write(const struct preferences *preferences, struct buf *out)
{
	buf_printf(out, "default %s\n", words[preferences->usual]);
	lines_add(out, words[ARCHIVE_ALWAYS], &preferences->always);
	lines_add(out, words[ARCHIVE_NEVER], &preferences->never);
}

/* The addresses behind a word, as the text of a list. */
static void list_read(struct blocklist *list, const char *text, size_t len, const char *word)
{
	size_t word_len = strlen(word);
	const char *end = text + len, *next;
	struct buf found = { 0 };

	for (const char *line = text; line < end; line = next) {
		const char *line_end = memchr(line, '\n', (size_t)(end - line));

		next = line_end ? line_end + 1 : end;
		if ((size_t)(next - line) > word_len + 1 && memcmp(line, word, word_len) == 0 && line[word_len] == ' ')
			buf_add(&found, line + word_len + 1, (size_t)(next - line) - word_len - 1);
	}
	blocklist_read(list, found.data, found.len);
	buf_clear(&found);
}

static bool preferences_read(struct preferences *preferences, const char *text, size_t len)
{
	static const char first[] = "default ";
	const char *word = text + strlen(first), *end = memchr(text, '\n', len);

	if (!end || (size_t)(end - text) < strlen(first) || memcmp(text, first, strlen(first)) != 0 ||
	    !policy_read(word, (size_t)(end - word), &preferences->usual))
		return false;
	list_read(&preferences->always, text, len, words[ARCHIVE_ALWAYS]);
	list_read(&preferences->never, text, len, words[ARCHIVE_NEVER]);
	return true;
}

/* ---- from a form of the user, §2.1 ---- */

static enum stanza_condition addresses_read(const struct element *prefs, const char *name, struct blocklist *list)
{
	const struct element *listed = element_child(prefs, name, NS_MAM);
	enum stanza_condition condition = STANZA_NO_ERROR;
	struct arena arena = { 0 };
	struct buf lines = { 0 };

	for (const struct node *n = listed ? listed->first : NULL; n && !condition; n = n->next) {
		const char *text;
		struct jid jid;

		if (!n->element || !element_is(n->element, "jid", NS_MAM))
			continue;
		text = element_text(&arena, n->element);
		if (jid_prepare(&arena, text, strlen(text), JID_ANY, &jid))
			buf_printf(&lines, "%s\n", jid.text);
		else
			condition = STANZA_JID_MALFORMED;
	}
	blocklist_read(list, lines.data, lines.len);
	buf_clear(&lines);
	arena_clear(&arena);
	return condition;
}

static bool lists_meet(const struct preferences *preferences)
{
	const struct blocklist *always = &preferences->always;

	for (size_t i = 0; i < always->count; i++) {
		if (blocklist_has(&preferences->never, always->entries[i], strlen(always->entries[i])))
			return true;
	}
	return false;
}

/* Who stands in both lists would be archived by no rule of the document's. */
static enum stanza_condition preferences_ask(const struct iq_request *request, struct preferences *preferences)
{
	const struct archiving_limits *limits = config_part(request->config, &archiving_module);
	const char *usual = element_attr(request->payload, "default");
	enum stanza_condition condition;

	if (!usual || !policy_read(usual, strlen(usual), &preferences->usual))
		return STANZA_BAD_REQUEST;
	condition = addresses_read(request->payload, "always", &preferences->always);
	if (!condition)
		condition = addresses_read(request->payload, "never", &preferences->never);
	if (!condition && preferences->always.count + preferences->never.count > limits->addresses)
		condition = STANZA_RESOURCE_CONSTRAINT;
	if (!condition && lists_meet(preferences))
		condition = STANZA_BAD_REQUEST;
	return condition;
}

/* ---- asked by the user ---- */

static bool user_may_choose(const struct account *account)
{
	const struct archiving *archiving = archiving_find(account);

	return account->host->archive_preferences && !(archiving && archiving->is_ruled);
}

static void addresses_add(struct arena *arena, struct element *prefs, const char *name, const struct blocklist *list)
{
	struct element *listed = element_add(arena, prefs, name, NS_MAM);

	for (size_t i = 0; list && i < list->count; i++)
		element_add_text(arena, element_add(arena, listed, "jid", NS_MAM), list->entries[i]);
}

static void preferences_answer(struct iq_request *request, const struct account *account)
{
	const struct archiving *archiving = archiving_find(account);
	const struct preferences *preferences =
		archiving && archiving->is_preferred && user_may_choose(account) ? &archiving->preferences : NULL;
	struct stanza *result = iq_result(request);
	struct arena *arena = &result->arena;
	struct element *prefs = element_add(arena, result->root, "prefs", NS_MAM);
	enum archive_policy usual =
		preferences ? preferences->usual : archiving_account_archives(account, &account->jid);

	element_set(arena, prefs, "default", words[usual]);
	addresses_add(arena, prefs, "always", preferences ? &preferences->always : NULL);
	addresses_add(arena, prefs, "never", preferences ? &preferences->never : NULL);
	iq_answer(request, result);
}

static void preferences_store(struct iq_request *request, const struct preferences *preferences)
{
	struct store_document *document =
		document_new(request, STORE_DOCUMENT_PUT, KIND, KEY_USER, preferences_stored);
	struct buf text = { 0 };

	preferences_write(preferences, &text);
	document->text = arena_str_len(&document->request.arena, text.data, text.len);
	document->text_len = text.len;
	buf_clear(&text);
	document_submit(request, document);
}

static void preferences_asked(struct iq_request *request)
{
	struct preferences preferences = { 0 };
	enum stanza_condition refusal;

	if (request->parcel->stanza->type == IQ_GET) {
		preferences_answer(request, request->account);
		return;
	}
	if (!user_may_choose(request->account)) {
		iq_refuse(request, STANZA_NOT_ALLOWED, "The administrator decides what is archived");
		return;
	}
	refusal = preferences_ask(request, &preferences);
	if (refusal)
		iq_refuse(request, refusal, NULL);
	else
		preferences_store(request, &preferences);
	preferences_clear(&preferences);
}

/* ---- what is in force ---- */

static struct archiving *archiving_get(struct account *account)
{
	struct archiving *archiving = archiving_find(account);

	if (archiving)
		return archiving;
	archiving = mem_zalloc(sizeof(*archiving));
	account_set_part(account, &archiving_module, archiving);
	account->own_archiving = true;
	return archiving;
}

static void archiving_prefer(struct account *account, const char *text, size_t len)
{
	struct archiving *archiving = archiving_get(account);

	preferences_clear(&archiving->preferences);
	archiving->is_preferred = preferences_read(&archiving->preferences, text, len);
}

/* No word: the administrator says nothing about this account. */
static void archiving_rule(struct account *account, const char *word, size_t len)
{
	struct archiving *archiving = archiving_get(account);

	archiving->is_ruled = word && policy_read(word, len, &archiving->rule);
}

static void preferences_stored(struct store_request *stored)
{
	const struct store_document *document = (const struct store_document *)stored;
	struct iq_request *request = stored->context;
	struct account *account = iq_account(request);

	if (stored->status != STORE_OK || !account) {
		iq_refuse(request, account ? document_refusal(stored->status) : STANZA_SERVICE_UNAVAILABLE, NULL);
	} else {
		archiving_prefer(account, document->text, document->text_len);
		preferences_answer(request, account);
	}
	store_request_free(stored);
}

/* ---- asked by the administrator ---- */

struct archive_change {
	struct command_call *call;
	struct arena arena;
	struct jid jid;
	const char *word;               /* NULL: none of the administrator's any more */
};

static void change_free(struct archive_change *change)
{
	arena_clear(&change->arena);
	free(change);
}

static void change_fail(struct archive_change *change, enum store_status status)
{
	if (status == STORE_ABSENT)
		command_fail(change->call, COMMAND_NOT_FOUND, "%s: there is no such user", change->jid.text);
	else
		command_fail(change->call, COMMAND_REFUSED, "%s: the store does not answer; see the log", change->jid.text);
	change_free(change);
}

static void policy_loaded(struct store_request *request)
{
	const struct store_account_load *load = (const struct store_account_load *)request;
	struct archive_change *change = request->context;
	const struct host *host =
		config_host(change->call->home->config, jid_domain_text(&change->jid), change->jid.domain_len);
	const struct store_account_document *rule = store_account_document(load, KIND, KEY_ADMINISTRATOR);
	const struct store_account_document *wish = store_account_document(load, KIND, KEY_USER);
	struct preferences preferences = { 0 };
	bool is_wished = host && host->archive_preferences && wish &&
	                 preferences_read(&preferences, wish->text, wish->len);

	if (request->status != STORE_OK || !host) {
		change_fail(change, host ? request->status : STORE_ABSENT);
	} else {
		command_answer(change->call,
		               json_pack("{s:s, s:s, s:s}", "user", change->jid.text, "archive",
		                         rule        ? rule->text
		                         : is_wished ? words[preferences.usual]
		                                     : words[host->archive],
		                         "by", rule ? "administrator" : is_wished ? "user" : "host"));
		change_free(change);
	}
	preferences_clear(&preferences);
	store_request_free(request);
}

static void policy_show(struct command_call *call, void *context)
{
	struct archive_change *change = context;
	struct home *home = call->home;
	struct store_account_load *load = store_request_new(sizeof(*load), STORE_ACCOUNT_LOAD, home->worker,
	                                                    change->jid.text, jid_len(&change->jid), policy_loaded);

	load->request.context = change;
	store_submit(home->server->store, &load->request);
}

/* An account that is just being loaded is loaded once more. */
static void policy_changed_at_home(struct home *home, void *context)
{
	const struct archive_change *change = context;
	struct account *account = account_find(home, change->jid.text, jid_len(&change->jid));

	if (account)
		archiving_rule(account, change->word, change->word ? strlen(change->word) : 0);
	else
		account_changed(home, &change->jid);
}

static void policy_stored(struct store_request *stored)
{
	struct archive_change *change = stored->context;
	struct workers *workers = change->call->home->server->workers;
	enum store_status status = stored->status;

	store_request_free(stored);
	if (status == STORE_OK || (status == STORE_ABSENT && !change->word))
		command_at_home(change->call, home_of(workers_home(workers, change->jid.text, jid_len(&change->jid))),
		                policy_changed_at_home, policy_show, change);
	else
		change_fail(change, status);
}

static void policy_store(struct archive_change *change)
{
	struct home *home = change->call->home;
	struct store_document *document =
		store_request_new(sizeof(*document), STORE_DOCUMENT_PUT, home->worker, change->jid.text,
	                          jid_len(&change->jid), policy_stored);

	document->kind = KIND;
	document->key = KEY_ADMINISTRATOR;
	document->text = change->word;
	document->text_len = change->word ? strlen(change->word) : 0;
	document->request.context = change;
	store_submit(home->server->store, &document->request);
}

static void user_archive(struct command_call *call)
{
	const char *text = call->args[0], *word = call->arg_count > 1 ? call->args[1] : NULL;
	struct archive_change *change = mem_zalloc(sizeof(*change));
	bool is_of_host = word && strcmp(word, "host") == 0;
	enum archive_policy policy;

	change->call = call;
	if (!jid_prepare(&change->arena, text, strlen(text), JID_ANY, &change->jid) || !change->jid.local_len ||
	    !jid_is_bare(&change->jid)) {
		command_fail(call, COMMAND_REFUSED, "\"%s\" is not a user's address, such as ann@north.example", text);
		change_free(change);
	} else if (!word) {
		policy_show(call, change);
	} else if (is_of_host || policy_read(word, strlen(word), &policy)) {
		change->word = is_of_host ? NULL : words[policy];
		policy_store(change);
	} else {
		command_fail(call, COMMAND_REFUSED, "\"%s\" is none of never, roster, always, host", word);
		change_free(change);
	}
}

static const struct command commands[] = {
	{ "user archive", "JID [never | roster | always | host]",
	  "Show or set which messages of a user are archived; host: as for all of its host.", 1, 2, user_archive, NULL },
	{ 0 },
};

/* ---- the account's life ---- */

static void archiving_account_loaded(struct account *account, const struct store_account_load *load)
{
	const struct store_account_document *rule = store_account_document(load, KIND, KEY_ADMINISTRATOR);
	const struct store_account_document *wish = store_account_document(load, KIND, KEY_USER);

	if (rule)
		archiving_rule(account, rule->text, rule->len);
	if (wish)
		archiving_prefer(account, wish->text, wish->len);
}

static void archiving_account_unloaded(struct account *account)
{
	struct archiving *archiving = archiving_find(account);

	if (archiving)
		preferences_clear(&archiving->preferences);
	free(archiving);
	account_set_part(account, &archiving_module, NULL);
}

/* ---- the module ---- */

static const struct iq_handler handlers[] = {
	{ "prefs", NS_MAM, IQ_KIND_GET | IQ_KIND_SET, IQ_OWN, preferences_asked },
	{ 0 },
};

static const struct conf_option limit_options[] = {
	{ .name = "archive-addresses", .type = CONF_INT, .fallback = "1000", .min = 1, .max = 100000,
	  .sentence = "How many addresses a user may name whose messages are always or never archived." },
	{ 0 },
};

static const struct conf_section_kind options[] = {
	{ .name = "limits", .options = limit_options },
	{ 0 },
};

static void *archiving_configure(struct config *config, const struct conf *conf, char **error)
{
	struct archiving_limits *limits = arena_alloc(&config->arena, sizeof(*limits));

	(void)error;
	limits->addresses = (size_t)conf_number(conf_section(conf, "limits"), "archive-addresses");
	return limits;
}

static const struct module_spec specs[] = {
	{ "XEP-0441", "Message Archive Management Preferences", "0.2.0", "without ad-hoc commands" },
	{ 0 },
};

const struct module archiving_module = {
	.name = "archiving",
	.specs = specs,
	.iqs = handlers,
	.commands = commands,
	.options = options,
	.configure = archiving_configure,
	.account_loaded = archiving_account_loaded,
	.account_unloaded = archiving_account_unloaded,
	.account_archives = archiving_account_archives,
};
