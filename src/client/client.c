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
#include "net/rates.h"
#include "xmpp/ns.h"

static void *client_home_open(struct home *home)
{
	struct client_room *room = mem_zalloc(sizeof(*room));

	list_init(&room->clients);
	list_init(&room->detached);
	room->failures = failures_new(worker_seed(home->worker));
	return room;
}

static void client_home_close(struct home *home, void *part)
{
	struct client_room *room = part;

	(void)home;
	rates_free(&room->failures);
	past_clear(room);
	free(room);
}

static void client_drain(struct client *client)
{
	if (!smacks_leaves(client))
		client_fail(client, STREAM_SYSTEM_SHUTDOWN, NULL);
}

/* RFC 6120 §4.9.3.20. Those on their way here are told when they arrive. */
static void client_home_drain(struct home *home)
{
	struct list *clients = &client_room(home)->clients;

	for (struct list_link *link = list_first(clients); link; link = list_next(clients, link))
		client_drain(LIST_MEMBER(link, struct client, link));
	smacks_drain(home);
}

static void client_home_cut(struct home *home)
{
	struct list *clients = &client_room(home)->clients;

	for (struct list_link *link = list_first(clients); link; link = list_next(clients, link))
		conn_abort(stream_conn(LIST_MEMBER(link, struct client, link)->stream), "the server leaves");
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
	{ "RFC 4013", "SASLprep: Stringprep Profile for User Names and Passwords", NULL, NULL },
	{ "RFC 4422", "Simple Authentication and Security Layer (SASL)", NULL, NULL },
	{ "RFC 4616", "The PLAIN Simple Authentication and Security Layer (SASL) Mechanism", NULL, "under TLS" },
	{ "RFC 5802", "Salted Challenge Response Authentication Mechanism (SCRAM) SASL and GSS-API Mechanisms", NULL,
	  "SCRAM-SHA-1 and SCRAM-SHA-1-PLUS" },
	{ "RFC 5929", "Channel Bindings for TLS", NULL, "tls-server-end-point" },
	{ "RFC 6120", "Extensible Messaging and Presence Protocol (XMPP): Core", NULL, NULL },
	{ "RFC 6122", "Extensible Messaging and Presence Protocol (XMPP): Address Format", NULL, NULL },
	{ "RFC 7590",
	  "Use of Transport Layer Security (TLS) in the Extensible Messaging and Presence Protocol (XMPP)", NULL, NULL },
	{ "RFC 7677", "SCRAM-SHA-256 and SCRAM-SHA-256-PLUS SASL Mechanisms", NULL, NULL },
	{ "RFC 9266", "Channel Bindings for TLS 1.3", NULL, NULL },
	{ "XEP-0198", "Stream Management", "1.6.3", NULL },
	{ "XEP-0368", "SRV records for XMPP over TLS", "1.1.0", "direct TLS from clients" },
	{ "XEP-0386", "Bind 2", "1.1.0", NULL },
	{ "XEP-0388", "Extensible SASL Profile", "1.0.4", NULL },
	{ "XEP-0440", "SASL Channel-Binding Type Capability", "1.0.0", NULL },
	{ "XEP-0474", "SASL SCRAM Downgrade Protection", "0.5.0", NULL },
	{ "XEP-0484", "Fast Authentication Streamlining Tokens", "0.2.0", NULL },
	{ "XEP-0509", "Initial Authentication Pipelining", "0.2.0", NULL },
	{ 0 },
};

/* ---- the configuration ---- */

static const struct conf_option limit_options[] = {
	{ .name = "resume-time",
	  .type = CONF_TIME,
	  .fallback = "5m",
	  .min = 0,
	  .max = 86400000,
	  .sentence = "How long a session whose connection broke waits for its client; 0s ends it at once." },
	{ .name = "resume-wait",
	  .type = CONF_TIME,
	  .fallback = "1s",
	  .min = 0,
	  .max = 30000,
	  .sentence = "How long a client that resumes its session waits at most for what it has sent before to be in safe "
	              "hands, so that it need not send it again." },
	{ .name = "unacknowledged",
	  .type = CONF_INT,
	  .fallback = "1000",
	  .min = 10,
	  .max = 100000,
	  .sentence = "How many stanzas may wait for a client to acknowledge them (XEP-0198) before its "
	              "session is ended." },
	{ .name = "unacknowledged-size",
	  .type = CONF_SIZE,
	  .fallback = "4MB",
	  .min = 1 << 16,
	  .max = 1 << 30,
	  .sentence = "How many bytes of stanzas may wait for a client to acknowledge them." },
	{ .name = "token-lifetime",
	  .type = CONF_TIME,
	  .fallback = "21d",
	  .min = 60000,
	  .max = 31622400000,
	  .sentence = "How long a client may stay away and still log in with the token that it was given "
	              "(XEP-0484) instead of the password." },
	{ .name = "token-renewal",
	  .type = CONF_TIME,
	  .fallback = "1d",
	  .min = 1000,
	  .max = 31622400000,
	  .sentence = "How old a token must be for its client to get a new one when it logs in." },
	{ .name = "tokens-per-account",
	  .type = CONF_INT,
	  .fallback = "16",
	  .min = 0,
	  .max = 1000,
	  .sentence = "How many clients of an account may have a token, the last to get one; 0: there are no "
	              "tokens." },
	{ .name = "tokens-without-binding",
	  .type = CONF_BOOL,
	  .fallback = "no",
	  .sentence = "Whether there are tokens for clients that cannot bind their login to the TLS connection, "
	              "as programs in browsers." },
	{ 0 },
};

static const struct conf_section_kind client_options[] = {
	{ .name = "limits", .options = limit_options },
	{ 0 },
};

static void *client_configure(struct config *config, const struct conf *conf, char **error)
{
	const struct conf_section *section = conf_section(conf, "limits");
	struct client_limits *limits = arena_alloc(&config->arena, sizeof(*limits));

	(void)error;
	*limits = (struct client_limits){
		.resume_ms = (uint32_t)conf_number(section, "resume-time"),
		.resume_wait_ms = (uint32_t)conf_number(section, "resume-wait"),
		.unacked = (uint32_t)conf_number(section, "unacknowledged"),
		.unacked_bytes = (uint32_t)conf_number(section, "unacknowledged-size"),
		.token_us = conf_number(section, "token-lifetime") * 1000,
		.token_renewal_us = conf_number(section, "token-renewal") * 1000,
		.token_clients = (uint32_t)conf_number(section, "tokens-per-account"),
		.token_unbound = conf_bool(section, "tokens-without-binding"),
	};
	return limits;
}

const struct module client_module = {
	.name = "client",
	.specs = client_specs,
	.options = client_options,
	.configure = client_configure,
	.iqs = client_iqs,
	.account_loaded = client_account_loaded,
	.home_open = client_home_open,
	.home_close = client_home_close,
	.home_drain = client_home_drain,
	.home_cut = client_home_cut,
	.listens = 1u << LISTEN_CLIENT | 1u << LISTEN_CLIENT_TLS,
	.accepted = client_accepted,
};
