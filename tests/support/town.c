/* SPDX-License-Identifier: MIT
 *
 * Towns and people: the test is the scheduler, the store's step and every client.
 */
#include "town.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/journal.h"
#include "core/router.h"
#include "folder.h"
#include "store/account.h"
#include "store_trial.h"
#include "xmpp/ns.h"

#define TOWN_SECTIONS                                                   \
	"server { workers = 2 }\n"                                      \
	"host north.example { admins = { \"admin@north.example\" } }\n" \
	"host south.example { }\n"                                      \
	"tls { client-required = no }\n"

/* ---- towns ---- */

static uint64_t town_monotonic_ms(const struct clock *clock)
{
	return LIST_MEMBER(clock, const struct town, clock)->ms;
}

static int64_t town_wall_us(const struct clock *clock)
{
	return (int64_t)town_monotonic_ms(clock) * 1000;
}

static void town_idle(void *context)
{
	struct town *town = context;

	store_trial_step(town->store);
}

static char *town_config_path(const struct town *town)
{
	return str_printf("%s/hansa.conf", town->folder);
}

void town_configure(struct town *town, const char *sections)
{
	char *path = town_config_path(town);
	FILE *file = fopen(path, "w");

	if (!file || fputs(sections, file) < 0 || fclose(file) != 0)
		abort();
	free(path);
}

struct town *town_open(const struct module *const *modules, const char *more)
{
	static const struct hash_seed seed = { 1, 2 };
	struct town *town = mem_zalloc(sizeof(*town));
	char *sections = str_printf(TOWN_SECTIONS "%s", more ? more : ""), *path, *error = NULL;
	const char *reason;
	struct server_options options = { .modules = modules, .stepped = true, .seed = &seed };

	town->clock = (struct clock){ town_monotonic_ms, town_wall_us };
	town->ms = 1000000;
	town->folder = folder_make();
	town->log = log_open(LOG_TARGET_STDERR, NULL, LOG_LEVEL_ERROR, &reason);
	town->store = store_trial_open(1);
	town_configure(town, sections);
	options.config_path = path = town_config_path(town);
	options.clock = &town->clock;
	options.store = town->store;
	options.log = town->log;
	options.idle = town_idle;
	options.idle_context = town;
	town->server = server_start(&options, &error);
	if (!town->server) {
		fprintf(stderr, "%s\n", error);
		abort();
	}
	free(path);
	free(sections);
	return town;
}

void town_close(struct town **town)
{
	server_stop(&(*town)->server);
	log_close(&(*town)->log);
	folder_remove(&(*town)->folder);
	free(*town);
	*town = NULL;
}

void town_settle_without_store(struct town *town)
{
	while (workers_step(town->server->workers))
		continue;
}

void town_settle(struct town *town)
{
	do {
		town_settle_without_store(town);
	} while (!town->store_hangs && store_trial_step(town->store));
}

void town_pass(struct town *town, uint64_t ms)
{
	uint64_t until = town->ms + ms;

	town_settle(town);
	while (town->ms < until) {
		town->ms += until - town->ms < 100 ? until - town->ms : 100;
		town_settle(town);
	}
}

static struct jid jid_of(struct arena *arena, const char *text)
{
	struct jid jid;

	if (!jid_prepare(arena, text, strlen(text), JID_ANY, &jid))
		abort();
	return jid;
}

struct home *town_home(struct town *town, const char *bare)
{
	return home_of(workers_home(town->server->workers, bare, strlen(bare)));
}

struct account *town_account(struct town *town, const char *bare)
{
	return account_find(town_home(town, bare), bare, strlen(bare));
}

void town_add_account(struct town *town, const char *bare)
{
	struct home *home = town_home(town, bare);
	struct store_account_write *write =
		store_request_new(sizeof(*write), STORE_ACCOUNT_CREATE, home->worker, bare, strlen(bare),
	                          store_request_free);
	struct arena arena = { 0 };
	struct jid jid = jid_of(&arena, bare);

	store_submit(town->store, &write->request);
	town_settle(town);
	account_changed(home, &jid);
	arena_clear(&arena);
}

static struct stanza *stanza_of(struct home *home, const char *xml)
{
	struct stanza *stanza = stanza_new(strlen(xml));
	struct element *root = parser_text(home->parsers, &stanza->arena, NS_CLIENT, xml, strlen(xml),
	                                   &home->config->limits.parser);

	if (!root || stanza_read(stanza, root, NULL) != STANZA_CHECK_OK)
		abort();
	return stanza;
}

void town_send(struct town *town, const char *xml)
{
	struct home *home = &town->server->homes[0];

	route_stanza(home, stanza_seal(stanza_of(home, xml)));
	town_settle(town);
}

/* ---- people ---- */

static void person_deliver(struct session *session, struct parcel *parcel)
{
	struct person *person = session->outlet_owner;
	struct buf tail = { 0 };
	struct stanza_copy copy = { .to = &parcel->to };

	journal_tail(&tail, session->account, parcel);
	copy.tail = tail.data;
	copy.tail_len = tail.len;
	stanza_write(&person->heard, parcel->stanza, &copy);
	buf_clear(&tail);
	if (!person->holds) {
		parcel_taken(session->account->home, &parcel);
		return;
	}
	parcel->next = NULL;
	*person->held_end = parcel;
	person->held_end = &parcel->next;
}

static void person_close(struct session *session, enum stream_condition condition, const char *text)
{
	struct person *person = session->outlet_owner;

	(void)text;
	person->closed = condition;
}

static const struct session_outlet person_outlet = { .deliver = person_deliver, .close = person_close };

static void person_ready(struct account_want *want, struct account *account)
{
	struct person *person = LIST_MEMBER(want, struct person, want);

	if (account->state == ACCOUNT_READY)
		account_hold(account);
	else
		person->town = NULL;
}

struct person *person_come(struct town *town, const char *full)
{
	struct person *person = mem_zalloc(sizeof(*person));
	struct arena arena = { 0 };
	struct jid jid = jid_of(&arena, full), bare = jid_bare(&arena, &jid);
	struct account *account;

	person->town = town;
	person->held_end = &person->held;
	account_want(town_home(town, bare.text), &bare, &person->want, person_ready);
	town_settle(town);
	account = town_account(town, bare.text);
	if (!person->town ||
	    session_bind(account, jid_resource(&jid), &person_outlet, person, &person->session)) {
		free(person);
		person = NULL;
	}
	if (account)
		account_release(account);
	town_settle(town);
	arena_clear(&arena);
	return person;
}

void person_says(struct person *person, const char *xml)
{
	session_sent(person->session, stanza_of(person->session->account->home, xml));
	town_settle(person->town);
}

static struct parcel *person_next(struct person *person)
{
	struct parcel *parcel = person->held;

	if (!parcel)
		return NULL;
	person->held = parcel->next;
	if (!person->held)
		person->held_end = &person->held;
	return parcel;
}

void person_take(struct person *person)
{
	struct parcel *parcel;

	while ((parcel = person_next(person)))
		parcel_taken(person->session->account->home, &parcel);
	town_settle(person->town);
}

void person_give_back(struct person *person)
{
	struct parcel *parcel;

	while ((parcel = person_next(person)))
		session_give_back(person->session, parcel);
	town_settle(person->town);
}

void person_go(struct person **person)
{
	struct town *town = (*person)->town;

	person_give_back(*person);
	session_end((*person)->session);
	town_settle(town);
	buf_clear(&(*person)->heard);
	free(*person);
	*person = NULL;
}

const char *person_heard(struct person *person)
{
	buf_add_char(&person->heard, '\0');
	person->heard.len = 0;
	return person->heard.data;
}

/* ---- the town's own RFC 6121 ---- */

static enum hook_result town_session_sent(struct session *session, struct stanza *stanza)
{
	const struct element *priority = element_child(stanza->root, "priority", NS_CLIENT);

	if (stanza->kind != STANZA_PRESENCE || stanza->to.text)
		return HOOK_NEXT;
	stanza_unref(&session->presence);
	session->priority = priority ? (int8_t)atoi(element_text(&stanza->arena, priority)) : 0;
	session->presence = stanza_seal(stanza);
	if (stanza->type == PRESENCE_UNAVAILABLE)
		stanza_unref(&session->presence);
	else if (session->priority >= 0)
		account_deliver_kept(session->account, session);
	return HOOK_DONE;
}

static struct session *town_choose(const struct account *account, const struct parcel *parcel)
{
	struct session *session =
		jid_is_bare(&parcel->to) ? NULL : session_find(account, jid_resource(&parcel->to));

	for (struct list_link *link = list_first(&account->sessions); link && !session;
	     link = list_next(&account->sessions, link)) {
		session = LIST_MEMBER(link, struct session, link);
		if (!session_is_available(session) || session->priority < 0)
			session = NULL;
	}
	return session;
}

static enum hook_result town_account_received(struct account *account, struct parcel *parcel)
{
	struct session *session;

	if (parcel->stanza->kind != STANZA_MESSAGE)
		return HOOK_NEXT;
	session = town_choose(account, parcel);
	if (session) {
		journal_received(account, parcel);
		session_deliver(session, parcel);
	} else if (parcel->stanza->type == MESSAGE_NORMAL || parcel->stanza->type == MESSAGE_CHAT) {
		account_keep(account, parcel);
	} else {
		parcel_refused(account->home, &parcel, STANZA_SERVICE_UNAVAILABLE, NULL);
	}
	return HOOK_DONE;
}

const struct module town_module = {
	.name = "town",
	.session_sent = town_session_sent,
	.account_received = town_account_received,
};
