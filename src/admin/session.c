/* SPDX-License-Identifier: MIT
 *
 * Commands about sessions: session list, kick, announce. Each home tells of its own.
 */
#include "session.h"

#include <string.h>

#include "base/mem.h"
#include "core/command.h"
#include "core/router.h"
#include "core/session.h"
#include "xmpp/ns.h"

/* The show of RFC 6121 §4.7.2.1 in words; anything a client made up is not repeated. */
static const char *session_show(const struct session *session)
{
	static const char *const shows[] = { "away", "chat", "dnd", "xa" };
	const struct element *show = session->presence ? element_child(session->presence->root, "show", NS_CLIENT) : NULL;

	if (!session->presence)
		return "not available";
	for (size_t i = 0; i < sizeof(shows) / sizeof(*shows); i++)
		if (show && show->first && show->first->text && strcmp(show->first->text, shows[i]) == 0)
			return shows[i];
	return "available";
}

static json_t *session_row(const struct session *session, uint64_t now_ms)
{
	return json_pack("{s:s, s:s, s:i, s:s, s:I, s:I, s:s?}", "session", session->jid.text, "presence",
	                 session_show(session), "priority", session->priority, "address", session->address, "seconds",
	                 (json_int_t)((now_ms - session->bound_ms) / 1000), "idle",
	                 (json_int_t)((now_ms - session->active_ms) / 1000), "client", session->client);
}

/* Sessions of this home, of the host that the command names first where it names one: visit() is called for each. */
static void sessions_visit(struct home *home, const struct command_call *call,
                           void (*visit)(struct session *session, const struct command_call *call, json_t *result),
                           json_t *result)
{
	struct map_walk walk = { 0 };
	struct account *account;

	while ((account = map_next(home->accounts, &walk))) {
		if (call->arg_count && strcmp(call->args[0], jid_domain_text(&account->jid)) != 0)
			continue;
		for (struct list_link *link = list_first(&account->sessions); link;
		     link = list_next(&account->sessions, link))
			visit(LIST_MEMBER(link, struct session, link), call, result);
	}
}

static void session_add_row(struct session *session, const struct command_call *call, json_t *result)
{
	(void)call;
	json_array_append_new(result, session_row(session, worker_now_ms(session->account->home->worker)));
}

static void session_report(struct home *home, const struct command_call *call, json_t *result)
{
	sessions_visit(home, call, session_add_row, result);
}

/* false: the call has ended. */
static bool host_is_ours(struct command_call *call)
{
	const char *domain = call->args[0];

	if (call->arg_count == 0 || config_host(call->home->config, domain, strlen(domain)))
		return true;
	command_fail(call, COMMAND_NOT_FOUND, "%s: this server has no such host", domain);
	return false;
}

static void session_list(struct command_call *call)
{
	if (host_is_ours(call))
		command_each_home(call, session_report, command_answer);
}

/* announce: to each who is available, as a headline, which nobody keeps (RFC 6121 §5.2.2). */

static void session_announce(struct session *session, const struct command_call *call, json_t *result)
{
	struct home *home = session->account->home;
	struct jid host = { .text = jid_domain_text(&session->account->jid), .domain_len = session->account->jid.domain_len };
	struct stanza *message;

	if (!session_is_available(session))
		return;
	message = stanza_make(STANZA_MESSAGE, MESSAGE_HEADLINE, &host, &session->jid, NULL);
	element_add_text(&message->arena, element_add(&message->arena, message->root, "body", NS_CLIENT), call->args[1]);
	route_stanza(home, stanza_seal(message));
	json_array_append_new(result, json_string(session->jid.text));
}

static void announce_at_home(struct home *home, const struct command_call *call, json_t *result)
{
	sessions_visit(home, call, session_announce, result);
}

static void announce_done(struct command_call *call, json_t *result)
{
	size_t count = json_array_size(result);

	json_decref(result);
	command_answer(call, json_pack("{s:s, s:I}", "host", call->args[0], "sessions told", (json_int_t)count));
}

static void announce(struct command_call *call)
{
	if (!host_is_ours(call))
		return;
	if (*call->args[1])
		command_each_home(call, announce_at_home, announce_done);
	else
		command_fail(call, COMMAND_REFUSED, "there is nothing to say");
}

/* session kick: one resource, or all of an account. */

struct session_kick {
	struct arena arena;
	struct jid jid;
	size_t kicked;
};

static void session_kick_at_home(struct home *home, void *context)
{
	struct session_kick *kick = context;
	struct account *account = account_find(home, kick->jid.text, jid_bare_len(&kick->jid));
	struct list_link *link = account ? list_first(&account->sessions) : NULL;

	while (link) {
		struct session *session = LIST_MEMBER(link, struct session, link);

		link = list_next(&account->sessions, link);
		if (session->ending || (!jid_is_bare(&kick->jid) && !jid_same(&session->jid, &kick->jid)))
			continue;
		if (session->outlet)
			session->outlet->close(session, STREAM_POLICY_VIOLATION, "ended by the administrator");
		else
			session_end(session);
		kick->kicked++;
	}
}

static void session_kicked(struct command_call *call, void *context)
{
	struct session_kick *kick = context;

	if (kick->kicked)
		command_answer(call, json_pack("{s:s, s:I}", "session", kick->jid.text, "ended", (json_int_t)kick->kicked));
	else
		command_fail(call, COMMAND_NOT_FOUND, "%s: no such session", kick->jid.text);
	arena_clear(&kick->arena);
	free(kick);
}

static void session_kick(struct command_call *call)
{
	struct session_kick *kick = mem_zalloc(sizeof(*kick));
	const char *text = call->args[0];

	if (!jid_prepare(&kick->arena, text, strlen(text), JID_ANY, &kick->jid) || !kick->jid.local_len) {
		command_fail(call, COMMAND_REFUSED, "\"%s\" is not a user's address, such as ann@north.example/desk", text);
		arena_clear(&kick->arena);
		free(kick);
		return;
	}
	command_at_home(call, home_of(workers_home(call->home->server->workers, kick->jid.text,
		jid_bare_len(&kick->jid))), session_kick_at_home, session_kicked, kick);
}

static const struct command session_commands[] = {
	{ "session list", "[HOST]", "List the sessions of all users.", 0, 1, session_list, NULL },
	{ "session kick", "JID", "End a session, or all of a user.", 1, 1, session_kick, NULL },
	{ "announce", "HOST TEXT", "Send a message to all users of a host who are online.", 2, 2, announce, NULL },
	{ 0 },
};

const struct module session_module = {
	.name = "session",
	.commands = session_commands,
};
