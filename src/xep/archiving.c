/* SPDX-License-Identifier: MIT
 *
 * Message Archive Management Preferences (XEP-0441): what of an account's messages is archived, where the account is told
 * apart from its host. Three may have a say: the administrator for this account (hansactl user archive), whose word is the
 * last; the user, where the host lets him (option archive-preferences); the host.
 *
 * They are documents of kind "archive" that come with the account: key "administrator" is one word, key "" the user's
 * preferences. A change counts when it is durable.
 */
#include "archiving.h"

#include <stdlib.h>

#include "base/mem.h"
#include "core/iq.h"
#include "core/module.h"
#include "document.h"
#include "preferences.h"
#include "xmpp/ns.h"

extern const struct module archiving_module;

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

/* ---- what is in force ---- */

static enum archive_policy archiving_account_archives(const struct account *account, const struct jid *peer)
{
	const struct archiving *archiving = archiving_find(account);

	if (archiving && archiving->is_ruled)
		return archiving->rule;
	if (archiving && archiving->is_preferred && account->host->archive_preferences)
		return preferences_say(&archiving->preferences, peer);
	return account->host->archive;
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

	element_set(arena, prefs, "default", archive_policy_word(usual));
	addresses_add(arena, prefs, "always", preferences ? &preferences->always : NULL);
	addresses_add(arena, prefs, "never", preferences ? &preferences->never : NULL);
	iq_answer(request, result);
}

static void preferences_store(struct iq_request *request, const struct preferences *preferences)
{
	struct store_document *document =
		document_new(request, STORE_DOCUMENT_PUT, ARCHIVING_KIND, ARCHIVING_USER, preferences_stored);
	struct buf text = { 0 };

	preferences_write(preferences, &text);
	document->text = arena_str_len(&document->request.arena, text.data, text.len);
	document->text_len = text.len;
	buf_clear(&text);
	document_submit(request, document);
}

static void preferences_asked(struct iq_request *request)
{
	const struct archiving_limits *limits = config_part(request->config, &archiving_module);
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
	refusal = preferences_read_form(request->payload, limits->addresses, &preferences);
	if (refusal)
		iq_refuse(request, refusal, NULL);
	else
		preferences_store(request, &preferences);
	preferences_clear(&preferences);
}

/* ---- what comes into force ---- */

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

void archiving_rule(struct account *account, const char *word, size_t len)
{
	struct archiving *archiving = archiving_get(account);

	archiving->is_ruled = word && archive_policy_read(word, len, &archiving->rule);
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

/* ---- the account's life ---- */

static void archiving_account_loaded(struct account *account, const struct store_account_load *load)
{
	const struct store_account_document *rule = store_account_document(load, ARCHIVING_KIND, ARCHIVING_ADMINISTRATOR);
	const struct store_account_document *wish = store_account_document(load, ARCHIVING_KIND, ARCHIVING_USER);

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
	.commands = archiving_commands,
	.options = options,
	.configure = archiving_configure,
	.account_loaded = archiving_account_loaded,
	.account_unloaded = archiving_account_unloaded,
	.account_archives = archiving_account_archives,
};
