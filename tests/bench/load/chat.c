/* SPDX-License-Identifier: MIT
 *
 * Pairs that talk: of two clients the first keeps a window of messages under way to the bare address of the second. A
 * message is done when the second has it and, with XEP-0198, the server has acknowledged it; both come in order. A lone
 * client does the same with a window of one and pauses, for the time until the acknowledgement.
 */
#include <stdlib.h>
#include <string.h>

#include "load.h"

static struct operation *operation_at(struct client *client, uint64_t number)
{
	return &client->flying[number % OPERATIONS_IN_FLIGHT];
}

static bool is_sender(const struct client *client)
{
	return (client->number - client->load->options.first) % 2 == 0;
}

static void chat_say(struct client *client)
{
	struct operation *operation = operation_at(client, ++client->sent);

	client_send_message(client, client + 1, client->sent);
	*operation = (struct operation){ .began_us = now_us(), .stanza = client->acks.sent };
}

static bool operation_is_done(const struct client *client, const struct operation *operation)
{
	bool acknowledged = (int32_t)(client->acks.acknowledged - operation->stanza) >= 0;

	return operation->arrived && (acknowledged || !client->acks.enabled);
}

/* Counts what is done; whether anything was. */
static bool chat_reap(struct client *client)
{
	uint64_t before = client->done;

	while (client->done < client->sent && operation_is_done(client, operation_at(client, client->done + 1)))
		load_count(client->load, operation_at(client, ++client->done)->began_us);
	return client->done > before;
}

static void chat_go_on(struct client *client)
{
	chat_reap(client);
	while (!client->load->leaving && client->sent - client->done < client->load->options.window)
		chat_say(client);
}

/* "[number operation]" in the body. */
static void chat_hear(struct client *client, const char *text, size_t len, void (*go_on)(struct client *client))
{
	const char *at = memmem(text, len, "<body>[", 7);
	struct client *from = client - 1;
	char *end;

	if (!at || is_sender(client))
		load_fail("user%u hears what is not for it: %.*s", client->number, (int)len, text);
	if (strtoul(at + 7, &end, 10) != from->number || strtoull(end, NULL, 10) != ++client->heard)
		load_fail("user%u waits for message %llu of user%u and hears %.*s", client->number,
		          (unsigned long long)client->heard, from->number, (int)len, text);
	operation_at(from, client->heard)->arrived = true;
	go_on(from);
}

static void chat_heard(struct client *client, const char *text, size_t len)
{
	chat_hear(client, text, len, chat_go_on);
}

static void chat_begin(struct load *load)
{
	for (unsigned i = 0; i + 1 < load->options.clients; i += 2)
		chat_go_on(&load->clients[i]);
}

const struct mode mode_chat = {
	.name = "chat",
	.unit = "message",
	.opens_all = true,
	.begin = chat_begin,
	.ready = load_client_ready,
	.heard = chat_heard,
	.acknowledged = chat_go_on,
};

/* ---- one alone ---- */

static void lone_say(struct worker *worker, struct timer *timer)
{
	struct client *client = LIST_MEMBER(timer, struct client, timer);

	(void)worker;
	if (!client->load->leaving)
		chat_say(client);
}

static void lone_go_on(struct client *client)
{
	if (chat_reap(client))
		timer_start(client->load->worker, &client->timer, (uint64_t)(client->load->options.pause * 1000), lone_say);
}

static void lone_heard(struct client *client, const char *text, size_t len)
{
	chat_hear(client, text, len, lone_go_on);
}

static void lone_begin(struct load *load)
{
	chat_say(&load->clients[0]);
}

const struct mode mode_lone = {
	.name = "lone",
	.unit = "message",
	.opens_all = true,
	.begin = lone_begin,
	.ready = load_client_ready,
	.heard = lone_heard,
	.acknowledged = lone_go_on,
};
