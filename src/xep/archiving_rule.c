/* SPDX-License-Identifier: MIT
 *
 * hansactl user archive: the administrator's word on what of an account's messages is archived, kept as the document
 * "administrator" of the account; and, asked without a word, what is in force and who has said so.
 */
#include "archiving.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/command.h"
#include "preferences.h"
#include "store/document.h"

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
	const struct store_account_document *rule = store_account_document(load, ARCHIVING_KIND, ARCHIVING_ADMINISTRATOR);
	const struct store_account_document *wish = store_account_document(load, ARCHIVING_KIND, ARCHIVING_USER);
	struct preferences preferences = { 0 };
	bool is_wished = host && host->archive_preferences && wish &&
	                 preferences_read(&preferences, wish->text, wish->len);

	if (request->status != STORE_OK || !host) {
		change_fail(change, host ? request->status : STORE_ABSENT);
	} else {
		command_answer(change->call,
		               json_pack("{s:s, s:s, s:s}", "user", change->jid.text, "archive",
		                         rule        ? rule->text
		                         : is_wished ? archive_policy_word(preferences.usual)
		                                     : archive_policy_word(host->archive),
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

	document->kind = ARCHIVING_KIND;
	document->key = ARCHIVING_ADMINISTRATOR;
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
	} else if (is_of_host || archive_policy_read(word, strlen(word), &policy)) {
		change->word = is_of_host ? NULL : archive_policy_word(policy);
		policy_store(change);
	} else {
		command_fail(call, COMMAND_REFUSED, "\"%s\" is none of never, roster, always, host", word);
		change_free(change);
	}
}

const struct command archiving_commands[] = {
	{ "user archive", "JID [never | roster | always | host]",
	  "Show or set which messages of a user are archived; host: as for all of its host.", 1, 2, user_archive, NULL },
	{ 0 },
};
