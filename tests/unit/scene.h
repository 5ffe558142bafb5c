/* SPDX-License-Identifier: MIT
 *
 * Clients of a town (tests/support/town.h) that check what they hear stanza by stanza, as text. Ids that the server made are
 * left out.
 */
#ifndef UNIT_SCENE_H
#define UNIT_SCENE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/store_trial.h"
#include "../support/town.h"
#include "base/mem.h"
#include "core/journal.h"
#include "xmpp/ns.h"

struct client {
	struct town *town;
	struct person *person; /* NULL: it has left */
	struct buf heard;      /* and not looked at yet */
	char *last;            /* what client_next answered last */
	struct client *others; /* of the scene */
};

struct scene {
	struct town *town;
	struct client *clients;
};

static inline struct scene scene_open(const struct module *const *modules, const char *sections)
{
	return (struct scene){ .town = town_open(modules, sections) };
}

static inline struct client *scene_client(struct scene *scene, const char *full)
{
	struct client *client = mem_zalloc(sizeof(*client));

	client->town = scene->town;
	client->person = person_come(scene->town, full);
	client->others = scene->clients;
	scene->clients = client;
	if (!client->person)
		fail_msg("%s may not come", full);
	return client;
}

static inline void client_listen(struct client *client)
{
	if (client->person)
		buf_add_str(&client->heard, person_heard(client->person));
}

static inline void client_leaves(struct client *client)
{
	client_listen(client);
	person_go(&client->person);
}

static inline void scene_close(struct scene *scene)
{
	struct client *client;

	while ((client = scene->clients)) {
		scene->clients = client->others;
		if (client->person)
			client_leaves(client);
		buf_clear(&client->heard);
		free(client->last);
		free(client);
	}
	town_close(&scene->town);
}

/* Without waiting for what comes of it. */
static inline void client_sends(struct client *client, const char *xml)
{
	struct home *home = client->person->session->account->home;
	struct stanza *stanza = stanza_new(strlen(xml));
	struct element *root = parser_text(home->parsers, &stanza->arena, NS_CLIENT, xml, strlen(xml),
	                                   &home->config->limits.parser);

	if (!root || stanza_read(stanza, root, NULL) != STANZA_CHECK_OK)
		fail_msg("not a stanza: %s", xml);
	session_sent(client->person->session, stanza);
}

static inline void client_says(struct client *client, const char *xml)
{
	client_sends(client, xml);
	town_settle(client->town);
}

/* How long the first stanza of a text is; the writer leaves no '<' or '>' in text and values. */
static inline size_t stanza_extent(const char *text, size_t len)
{
	int depth = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '<')
			depth += text[i + 1] == '/' ? -1 : 1;
		if (text[i] == '>' && text[i - 1] == '/')
			depth--;
		if (text[i] == '>' && depth == 0)
			return i + 1;
	}
	return len;
}

static inline void text_forget_ids(char *text)
{
	char *at = text;

	while ((at = strstr(at, " id='"))) {
		char *end = strchr(at + 5, '\'');

		if (end - at - 5 == ID_LEN || end - at - 5 == JOURNAL_ID_LEN)
			memmove(at, end + 1, strlen(end + 1) + 1);
		else
			at = end;
	}
}

/* The next stanza; "": none. Valid until the next call. */
static inline const char *client_next(struct client *client)
{
	size_t extent;

	client_listen(client);
	extent = stanza_extent(client->heard.data, client->heard.len);
	free(client->last);
	client->last = str_dup_len(extent ? client->heard.data : "", extent);
	buf_consume(&client->heard, extent);
	text_forget_ids(client->last);
	return client->last;
}

#define client_hears(client, expected)                                            \
	do {                                                                      \
		const char *heard_ = client_next(client);                         \
		if (strcmp(heard_, expected) != 0)                                \
			fail_msg("heard:    %s\nexpected: %s", heard_, expected); \
	} while (0)

/* Somewhere in the next stanza. */
#define client_hears_of(client, part)                                            \
	do {                                                                     \
		const char *heard_ = client_next(client);                        \
		if (!strstr(heard_, part))                                       \
			fail_msg("heard: %s\nexpected in it: %s", heard_, part); \
	} while (0)

#define client_hears_nothing(client) client_hears(client, "")

static inline void client_forgets(struct client *client)
{
	client_listen(client);
	client->heard.len = 0;
}

#endif
