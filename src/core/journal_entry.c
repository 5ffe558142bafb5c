/* SPDX-License-Identifier: MIT
 *
 * Entries of a journal: their sequences and ids (XEP-0359), which messages get one (XEP-0313 §5, XEP-0334, XEP-0441), and
 * the request that appends one. What is sent gets its entry here; what comes, in journal.c.
 */
#include "core/journal.h"

#include <string.h>

#include "account_inside.h"
#include "base/clock.h"
#include "base/mem.h"
#include "core/module.h"
#include "core/router.h"
#include "core/session.h"
#include "xmpp/ns.h"

enum {
	WORKER_BITS = 8,
	TEXT_ROOM = 512, /* for the start tag of an entry's text, mostly */
};

/* ---- sequences and ids ---- */

uint64_t journal_sequence_at(int64_t wall_us)
{
	return wall_us > 0 ? (uint64_t)wall_us << WORKER_BITS : 0;
}

int64_t journal_time(uint64_t sequence)
{
	return (int64_t)(sequence >> WORKER_BITS);
}

uint64_t journal_sequence(struct account *account)
{
	struct home *home = account->home;
	uint64_t now = (uint64_t)clock_wall_us(worker_clock(home->worker));
	uint64_t newest = account->journal_newest >> WORKER_BITS;

	home->journal_ticks = now > home->journal_ticks ? now : home->journal_ticks + 1;
	if (home->journal_ticks <= newest)
		home->journal_ticks = newest + 1;
	account->journal_newest = home->journal_ticks << WORKER_BITS |
	                          (worker_number(home->worker) & ((1U << WORKER_BITS) - 1));
	return account->journal_newest;
}

void journal_id(uint64_t sequence, char out[JOURNAL_ID_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = JOURNAL_ID_LEN; i-- > 0; sequence >>= 4)
		out[i] = digits[sequence & 15];
	out[JOURNAL_ID_LEN] = '\0';
}

bool journal_id_read(const char *id, uint64_t *sequence)
{
	*sequence = 0;
	if (strlen(id) != JOURNAL_ID_LEN || strspn(id, "0123456789abcdef") != JOURNAL_ID_LEN)
		return false;
	for (; *id; id++)
		*sequence = *sequence << 4 | (uint64_t)(*id <= '9' ? *id - '0' : *id - 'a' + 10);
	return true;
}

/* A stanza-id of ours was removed from it where somebody else wrote one (core/claims.h). */
void journal_tail(struct buf *out, const struct account *account, const struct parcel *parcel)
{
	char id[JOURNAL_ID_LEN + 1];

	if (!parcel->journal)
		return;
	journal_id(parcel->journal, id);
	buf_add_lit(out, "<stanza-id xmlns='" NS_SID "' by='");
	buf_add(out, account->jid.text, jid_bare_len(&account->jid));
	buf_add_lit(out, "' id='");
	buf_add(out, id, JOURNAL_ID_LEN);
	buf_add_lit(out, "'/>");
}

void journal_add_id(struct arena *arena, struct element *message, const struct account *account, uint64_t sequence)
{
	char id[JOURNAL_ID_LEN + 1];
	struct element *added;

	if (sequence == 0)
		return;
	journal_id(sequence, id);
	added = element_add(arena, message, "stanza-id", NS_SID);
	element_set(arena, added, "by", account->jid.text);
	element_set(arena, added, "id", id);
}

/* ---- what is archived ---- */

static bool account_has_contact(const struct account *account, const struct jid *who)
{
	for (const struct module *const *module = account->home->server->modules; *module; module++) {
		if ((*module)->account_has_contact && (*module)->account_has_contact(account, who))
			return true;
	}
	return false;
}

/* Something that a person or another client of the account may want to find again. */
static bool message_has_content(const struct stanza *message)
{
	for (const struct node *n = message->root->first; n; n = n->next) {
		if (n->element && strcmp(n->element->ns, NS_CHAT_STATES) != 0 &&
		    strcmp(n->element->ns, NS_HINTS) != 0 && !element_is(n->element, "thread", NS_CLIENT))
			return true;
	}
	return false;
}

static bool message_may_be_archived(const struct stanza *message)
{
	if (message->type != MESSAGE_NORMAL && message->type != MESSAGE_CHAT)
		return false;
	if (element_child(message->root, "no-store", NS_HINTS) ||
	    element_child(message->root, "no-permanent-store", NS_HINTS))
		return false;
	return element_child(message->root, "store", NS_HINTS) || message_has_content(message);
}

bool journal_may_keep(const struct stanza *message)
{
	if (message->kind != STANZA_MESSAGE || element_child(message->root, "no-store", NS_HINTS))
		return false;
	if (message->type == MESSAGE_ERROR)
		return message->returns != NULL;
	return (message->type == MESSAGE_NORMAL || message->type == MESSAGE_CHAT) &&
	       (element_child(message->root, "store", NS_HINTS) || message_has_content(message));
}

static enum archive_policy archive_policy_for(const struct account *account, const struct jid *peer)
{
	const struct module *const *module = account->home->server->modules;

	if (!account->host)
		return ARCHIVE_NEVER;
	for (; account->own_archiving && *module; module++) {
		if ((*module)->account_archives)
			return (*module)->account_archives(account, peer);
	}
	return account->host->archive;
}

bool journal_wants(const struct account *account, const struct stanza *message, const struct jid *peer)
{
	enum archive_policy policy = archive_policy_for(account, peer);

	if (policy == ARCHIVE_NEVER || !message_may_be_archived(message))
		return false;
	return policy == ARCHIVE_ALWAYS || jid_same_bare(&account->jid, peer) || account_has_contact(account, peer);
}

bool journal_may_archive(const struct account *account)
{
	return (account->host && account->host->archive_preferences) ||
	       archive_policy_for(account, &account->jid) != ARCHIVE_NEVER;
}

void journal_archive(struct account *account, struct store_journal_entry *entry)
{
	entry->archived = true;
	account->journal_archived = entry->sequence;
}

struct store_journal_append *journal_entry(struct account *account, const struct stanza *message, const struct jid *to,
                                           enum store_direction direction,
                                           void (*done)(struct store_request *request))
{
	const struct jid *peer = direction == STORE_IN ? &message->from : to;
	const struct stanza_copy copy = { .to = to };
	struct store_journal_append *append;
	struct buf text = { 0 };
	struct arena *arena;

	buf_reserve(&text, message->content_len + TEXT_ROOM);
	stanza_write(&text, message, &copy);
	append = store_request_new_for(text.len + jid_len(peer) + 2, sizeof(*append), STORE_JOURNAL_APPEND,
	                               account->home->worker, account->jid.text, jid_bare_len(&account->jid), done);
	arena = &append->request.arena;
	append->entry.sequence = journal_sequence(account);
	append->entry.body = message->journal ? message->journal : append->entry.sequence;
	append->entry.direction = direction;
	append->entry.type = (uint8_t)message->type;
	append->entry.repeat = repeats_digest(account->home->server, message, to, direction);
	append->entry.peer = arena_str(arena, peer->text ? peer->text : "");
	append->entry.stanza = arena_str_len(arena, text.data, text.len);
	append->entry.stanza_len = text.len;
	buf_clear(&text);
	return append;
}

struct element *journal_entry_read(const struct account *account, struct arena *arena,
                                   const struct store_journal_entry *entry)
{
	return parser_text(account->home->parsers, arena, NS_CLIENT, entry->stanza, entry->stanza_len,
	                   &parser_limits_stored);
}

/* ---- sent ---- */

/* The stanza waits for its entry as well as for whoever gets it (XEP-0198 §4), also where the store hangs. What the store has
 * not taken may come again. */
static void sent_stored(struct store_request *request)
{
	struct home *home = home_of(request->worker);
	const struct stanza *stanza = request->context;
	struct account *account = account_find(home, request->owner, strlen(request->owner));

	if (request->status != STORE_OK && account)
		repeats_forget(account, ((struct store_journal_append *)request)->entry.repeat);
	session_sent_settled(home, stanza);
	stanza_unref(&stanza);
	store_request_free(request);
}

/* How far its sender's stream has come (XEP-0198 §5). */
static void entry_set_stream(const struct account *account, struct store_journal_entry *entry, const struct stanza *message)
{
	const struct session *session =
		message->token ? session_find(account, jid_resource(&message->from)) : NULL;

	if (session && session->outlet && session->outlet->progress)
		session->outlet->progress(session, &entry->stream, &entry->handled);
}

/* What an account sends to itself comes back to it and is archived then. */
static void sent_archive(struct account *account, struct stanza *stanza)
{
	struct store_journal_append *append;

	if (jid_same_bare(&stanza->to, &account->jid) || !journal_wants(account, stanza, &stanza->to))
		return;
	append = journal_entry(account, stanza, &stanza->to, STORE_OUT, sent_stored);
	append->request.context = (void *)(uintptr_t)stanza_ref(stanza);
	append->request.patient = true;
	journal_archive(account, &append->entry);
	append->entry.at_us = clock_wall_us(worker_clock(account->home->worker));
	entry_set_stream(account, &append->entry, stanza);
	stanza->journal = append->entry.body;
	store_submit(account->home->server->store, &append->request);
	journal_touch(account);
}

/* What has been sent before has been here; who gets it decides again whether it came. */
void journal_send(struct account *account, struct stanza *stanza)
{
	const struct module *const *module = account->home->server->modules;

	stanza_seal(stanza);
	if (stanza->kind == STANZA_MESSAGE && repeats_sends(account, stanza)) {
		sent_archive(account, stanza);
		for (; *module; module++) {
			if ((*module)->message_sent)
				(*module)->message_sent(account, stanza);
		}
	}
	route_stanza(account->home, stanza);
}
