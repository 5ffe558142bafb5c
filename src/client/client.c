/* SPDX-License-Identifier: MIT
 *
 * The client edge as a module: its listeners, the clients of each home, the requests that belong to binding.
 */
#include "client.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "core/iq.h"
#include "core/server.h"
#include "xmpp/ns.h"

static void *client_home_open(struct home *home)
{
	struct client_room *room = mem_zalloc(sizeof(*room));

	list_init(&room->clients);
	room->failures = failures_new(worker_seed(home->worker));
	return room;
}

static void client_home_close(struct home *home, void *part)
{
	struct client_room *room = part;

	(void)home;
	failures_free(&room->failures);
	free(room);
}

/* RFC 6120 §4.9.3.20. Those on their way here are told when they arrive. */
static void client_home_drain(struct home *home)
{
	struct list *clients = &client_room(home)->clients;

	for (struct list_link *link = list_first(clients); link; link = list_next(clients, link))
		client_fail(LIST_MEMBER(link, struct client, link), STREAM_SYSTEM_SHUTDOWN, NULL);
}

/* ---- requests ---- */

/* What was necessary before RFC 6121: it is granted and does nothing (RFC 3921 §3). */
static void session_asked(struct iq_request *request)
{
	iq_done(request);
}

/* One resource a stream (RFC 6120 §7.1). */
static void second_bind_asked(struct iq_request *request)
{
	iq_refuse(request, STANZA_NOT_ALLOWED, "This stream has a resource");
}

static const struct iq_handler client_iqs[] = {
	{ "session", NS_SESSION, IQ_KIND_SET, IQ_HOST | IQ_OWN, session_asked },
	{ "bind", NS_BIND, IQ_KIND_SET, IQ_HOST | IQ_OWN, second_bind_asked },
	{ 0 },
};

static const struct module_spec client_specs[] = {
	{ "RFC 6120", NULL, "Streams, TLS, SASL and resource binding." },
	{ "RFC 5802", NULL, "SCRAM-SHA-1 and SCRAM-SHA-1-PLUS." },
	{ "RFC 7677", NULL, "SCRAM-SHA-256 and SCRAM-SHA-256-PLUS." },
	{ "RFC 9266", NULL, "Channel binding tls-exporter." },
	{ "XEP-0368", "1.1.0", "Direct TLS." },
	{ "XEP-0440", "1.0.0", NULL },
	{ "XEP-0474", "0.5.0", NULL },
	{ 0 },
};

const struct module client_module = {
	.name = "client",
	.specs = client_specs,
	.iqs = client_iqs,
	.home_open = client_home_open,
	.home_close = client_home_close,
	.home_drain = client_home_drain,
	.listens = 1u << LISTEN_CLIENT | 1u << LISTEN_CLIENT_TLS,
	.accepted = client_accepted,
};
