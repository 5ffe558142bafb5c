/* SPDX-License-Identifier: MIT
 *
 * What is written of a session and read again, and the list by which a server knows what the one before it has left.
 *
 * Each server has a name of its own, its life, and writes it into all that it leaves. The list, with the accounts that have
 * sessions there, is written last and removed before anything is read: so a document counts once, and only if the server that
 * wrote it has come to its end.
 */
#include "core/frozen.h"

#include <stdlib.h>
#include <string.h>

#include "account_inside.h"
#include "base/mem.h"
#include "core/journal.h"
#include "home_inside.h"
#include "net/timer.h"
#include "store/document.h"
#include "xmpp/ns.h"
#include "xmpp/writer.h"

/* A home loads its accounts one after the other. */
struct thaw {
	struct home *home;
	struct timer timer;
	struct account_want want;
	const char *next;               /* of the list of owners */
};

struct frozen {
	char life[ID_LEN + 1];          /* ours */
	char *list;                     /* of the last one: its life and its owners, a line for each; NULL: none */
};

static void thaw_step(struct worker *worker, struct timer *timer);

/* ---- a session ---- */

static void write_flag(struct buf *out, const char *name, bool is_set)
{
	if (is_set)
		writer_attr(out, name, "true");
}

static bool read_flag(const struct element *element, const char *name)
{
	return element_attr(element, name) != NULL;
}

static void write_number(struct buf *out, const char *name, uint64_t number)
{
	if (number)
		buf_printf(out, " %s='%llu'", name, (unsigned long long)number);
}

static uint64_t read_number(const struct element *element, const char *name)
{
	const char *text = element_attr(element, name);

	return text ? strtoull(text, NULL, 10) : 0;
}

void frozen_write_session(struct buf *out, const struct session *session)
{
	const struct module *const *module = session->account->home->server->modules;

	buf_add_lit(out, "<bound");
	writer_attr(out, "life", session->account->home->server->frozen->life);
	writer_attr(out, "resource", jid_resource(&session->jid));
	writer_attr(out, "id", session->id);
	writer_attr(out, "address", session->address);
	writer_attr(out, "agent", session->agent);
	writer_attr(out, "client", session->client);
	write_number(out, "fetches-after", session->fetches_after);
	write_number(out, "fetches", session->fetches);
	write_flag(out, "interested", session->interested);
	write_flag(out, "inactive", session->inactive);
	write_flag(out, "carbons", session->carbons);
	write_flag(out, "blocklist", session->wants_blocklist);
	if (session->presence)
		buf_printf(out, " priority='%d'", session->priority);
	buf_add_lit(out, ">");
	if (session->presence)
		stanza_write(out, session->presence, NULL);
	for (; *module; module++) {
		if ((*module)->session_freezing)
			(*module)->session_freezing(session, out);
	}
	buf_add_lit(out, "</bound>");
}

bool frozen_is_ours(const struct home *home, const struct element *frozen)
{
	const struct element *bound = element_child(frozen, "bound", NS_CLIENT);
	const char *life = bound ? element_attr(bound, "life") : NULL, *list = home->server->frozen->list;

	return life && list && strlen(life) == ID_LEN && strncmp(list, life, ID_LEN) == 0;
}

/* What came out of the journal has its id inside; it gets it anew when it is sent (outlets, journal_tail). */
static void forget_id(const struct account *account, struct element *root)
{
	struct element *id = element_child(root, "stanza-id", NS_SID);
	const char *by = id ? element_attr(id, "by") : NULL;

	if (by && strcmp(by, account->jid.text) == 0)
		element_remove(root, id);
}

static const struct stanza *stanza_of(const struct account *account, const struct element *element)
{
	struct stanza *stanza = stanza_new(0);
	const struct stanza *unreadable = stanza;
	struct element *root = element_copy(&stanza->arena, NULL, element);

	forget_id(account, root);
	if (stanza_read(stanza, root, NULL) == STANZA_CHECK_OK)
		return stanza_seal(stanza);
	stanza_unref(&unreadable);
	return NULL;
}

static void session_read_state(struct session *session, const struct element *bound)
{
	const struct element *presence = element_child(bound, "presence", NS_CLIENT);
	const char *priority = element_attr(bound, "priority"), *id = element_attr(bound, "id");
	const char *address = element_attr(bound, "address");

	session->interested = read_flag(bound, "interested");
	session->inactive = read_flag(bound, "inactive");
	session->carbons = read_flag(bound, "carbons");
	session->wants_blocklist = read_flag(bound, "blocklist");
	session->presence = presence ? stanza_of(session->account, presence) : NULL;
	session->priority = priority ? (int8_t)strtol(priority, NULL, 10) : 0;
	session_set_agent(session, element_attr(bound, "agent"), element_attr(bound, "client"));
	session->fetches_after = read_number(bound, "fetches-after");
	session->fetches = read_number(bound, "fetches");
	if (id && strlen(id) == ID_LEN)
		memcpy(session->id, id, ID_LEN);
	if (address && strlen(address) < sizeof(session->address))
		memcpy(session->address, address, strlen(address) + 1);
}

struct session *frozen_read_session(struct account *account, const struct element *frozen,
                                    const struct session_outlet *outlet, void *outlet_owner)
{
	const struct element *bound = element_child(frozen, "bound", NS_CLIENT);
	const char *resource = element_attr(bound, "resource");
	struct session *session;

	if (!resource || session_find(account, resource) ||
	    session_bind(account, resource, outlet, outlet_owner, &session) != STANZA_NO_ERROR)
		return NULL;
	session_read_state(session, bound);
	return session;
}

void frozen_thawed(struct session *session, const struct element *frozen)
{
	struct account *account = session->account;
	const struct element *bound = element_child(frozen, "bound", NS_CLIENT);

	for (const struct module *const *module = account->home->server->modules; *module; module++) {
		if ((*module)->session_thawed)
			(*module)->session_thawed(session, bound);
	}
	if (session_is_available(session) && session->priority >= 0)
		account_deliver_kept(account, session);
}

/* ---- a parcel ---- */

static uint64_t parcel_sequence(const struct parcel *parcel)
{
	return kept_is_from_journal(parcel) ? parcel->token : parcel->journal;
}

void frozen_write_parcel(struct buf *out, const struct parcel *parcel)
{
	const struct stanza_copy copy = { .to = parcel->to.text ? &parcel->to : NULL };

	buf_printf(out, "<parcel since='%lld' journal='%llu'", (long long)parcel->since_us,
	           (unsigned long long)parcel_sequence(parcel));
	write_flag(out, "delayed", parcel->delayed);
	buf_add_lit(out, ">");
	stanza_write(out, parcel->stanza, &copy);
	buf_add_lit(out, "</parcel>");
}

/* It belongs to nobody but this client. */
static void own_answered(struct home *home, struct parcel *parcel)
{
	(void)home;
	parcel_free(&parcel);
}

struct parcel *frozen_read_parcel(struct account *account, const struct element *frozen)
{
	uint64_t since_us = read_number(frozen, "since"), sequence = read_number(frozen, "journal");
	const struct element *root = element_first(frozen);
	const struct stanza *stanza = root ? stanza_of(account, root) : NULL;
	struct parcel *parcel;

	if (!stanza)
		return NULL;
	parcel = parcel_new(account->home, stanza, NULL);
	stanza_unref(&stanza);
	parcel->since_us = since_us ? (int64_t)since_us : parcel->since_us;
	parcel->delayed = read_flag(frozen, "delayed");
	parcel->known = parcel->shown = true;
	if (sequence)
		journal_take_up(account, parcel, sequence);
	else if (parcel->stanza->kind == STANZA_PRESENCE)
		parcel->answered = own_answered;
	return parcel;
}

/* What stands in the journal waits there. */
void frozen_put_away(struct session *session, struct parcel *parcel)
{
	struct account *account = session->account;

	if (kept_takes_back(account, parcel))
		return;
	if (parcel->journal)
		parcel_refused(account->home, &parcel, STANZA_RECIPIENT_UNAVAILABLE, NULL);
	else
		parcel_taken(account->home, &parcel);
}

/* ---- the end ---- */

void frozen_note(struct session *session)
{
	struct account *account = session->account;
	struct buf *list = &account->home->frozen_owners;

	buf_add(list, account->jid.text, jid_bare_len(&account->jid));
	buf_add_char(list, '\n');
	session->frozen = true;
	session_leave(session);
}

/* All homes at once, each in its place. */
static void list_hand_over(struct home *home, void *context)
{
	struct buf *lists = context;

	lists[worker_number(home->worker)] = home->frozen_owners;
	home->frozen_owners = (struct buf){ 0 };
}

static void list_gather(struct server *server, struct buf *list)
{
	size_t count = workers_count(server->workers);
	struct buf *lists = mem_zalloc(count * sizeof(*lists));

	server_visit_homes(server, list_hand_over, lists);
	for (size_t i = 0; i < count; i++) {
		buf_add(list, lists[i].data, lists[i].len);
		buf_clear(&lists[i]);
	}
	free(lists);
}

static struct store_document *list_document(enum store_op op)
{
	struct store_document *document = store_request_new(sizeof(*document), op, NULL, "", 0, NULL);

	document->kind = "sessions";
	document->key = "";
	return document;
}

void frozen_leave(struct server *server)
{
	struct store_document *put = list_document(STORE_DOCUMENT_PUT);
	struct buf list = { 0 };

	buf_add_str(&list, server->frozen->life);
	buf_add_char(&list, '\n');
	list_gather(server, &list);
	if (list.len > ID_LEN + 1) {
		put->text = arena_str_len(&put->request.arena, list.data, list.len);
		put->text_len = list.len;
		server_ask(server, &put->request);
		if (put->request.status != STORE_OK)
			log_error(server->log, NULL, "sessions cannot be resumed after the restart");
	}
	buf_clear(&list);
	store_request_free(&put->request);
}

/* ---- the start ---- */

void frozen_open(struct server *server)
{
	struct store_document *get = list_document(STORE_DOCUMENT_GET), *remove = list_document(STORE_DOCUMENT_PUT);

	server->frozen = mem_zalloc(sizeof(*server->frozen));
	id_random(worker_entropy(workers_at(server->workers, 0)), server->frozen->life);
	server_ask(server, &get->request);
	if (get->request.status == STORE_OK && get->text_len > ID_LEN) {
		server_ask(server, &remove->request);
		if (remove->request.status == STORE_OK)
			server->frozen->list = str_dup(get->text);
	}
	store_request_free(&get->request);
	store_request_free(&remove->request);
}

void frozen_close(struct server *server)
{
	if (!server->frozen)
		return;
	free(server->frozen->list);
	free(server->frozen);
	server->frozen = NULL;
}

void frozen_home_open(struct home *home)
{
	const char *list = home->server->frozen->list;
	struct thaw *thaw;

	if (!list)
		return;
	home->thaw = thaw = mem_zalloc(sizeof(*thaw));
	thaw->home = home;
	thaw->next = list + ID_LEN + 1;
	timer_start(home->worker, &thaw->timer, 0, thaw_step);
}

void frozen_home_close(struct home *home)
{
	struct thaw *thaw = home->thaw;

	buf_clear(&home->frozen_owners);
	if (!thaw)
		return;
	timer_stop(home->worker, &thaw->timer);
	free(thaw);
	home->thaw = NULL;
}

/* Loaded: its sessions are there, or it is gone. */
static void thaw_ready(struct account_want *want, struct account *account)
{
	struct thaw *thaw = LIST_MEMBER(want, struct thaw, want);

	(void)account;
	timer_start(thaw->home->worker, &thaw->timer, 0, thaw_step);
}

/* The next of the list that lives here. */
static void thaw_step(struct worker *worker, struct timer *timer)
{
	struct thaw *thaw = LIST_MEMBER(timer, struct thaw, timer);
	struct arena arena = { 0 };
	struct jid owner;

	while (*thaw->next) {
		size_t len = strcspn(thaw->next, "\n");
		bool is_read = jid_prepare(&arena, thaw->next, len, JID_ANY, &owner);

		thaw->next += len + (thaw->next[len] == '\n');
		if (!is_read || workers_home(thaw->home->server->workers, owner.text, jid_bare_len(&owner)) != worker)
			continue;
		account_want(thaw->home, &owner, &thaw->want, thaw_ready);
		break;
	}
	arena_clear(&arena);
}
