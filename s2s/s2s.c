/* SPDX-License-Identifier: MIT
 *
 * The module: server to server. Its destination is every domain that is not in the domain table; a stanza
 * goes to the home of its pair of domains. What it keeps on a home is opened, reconfigured, drained and
 * closed here.
 */
#include "s2s.h"

#include <stdlib.h>

#include "base/mem.h"
#include "core/command.h"
#include "command.h"
#include "incoming.h"
#include "intake.h"
#include "link.h"
#include "outgoing.h"
#include "policy.h"
#include "trial.h"

enum {
	SWEEP_EVERY_MS = 60000,
	LINK_REST_MS = 600000, /* how long a link at rest is remembered, with its last trouble */
	DNS_TIMEOUT_MS = 2000,
	DNS_TRIES = 2,
};

/* ---- the destination ---- */

static struct worker *s2s_worker(struct home *from, const struct parcel *parcel)
{
	const struct jid *sender = &parcel->stanza->from, *to = &parcel->to;
	struct link_key key;

	link_key_make(&key, sender->text ? jid_domain_text(sender) : "", sender->domain_len,
	              jid_domain_text(to), to->domain_len);
	return link_home(from, &key)->worker;
}

const struct destination_class s2s_destination = {
	.name = "remote",
	.home = s2s_worker,
	.deliver = link_deliver,
};

/* ---- life ---- */

static void *s2s_configure(struct config *config, const struct conf *conf, char **error)
{
	config->remote = &s2s_destination;
	return policy_configure(config, conf, error);
}

static void s2s_open_resolver(struct s2s *s2s)
{
	const struct config *config = s2s->home->config;
	const struct resolver_options options = {
		.servers = config->dns_servers,
		.count = config->dns_server_count,
		.timeout_ms = DNS_TIMEOUT_MS,
		.tries = DNS_TRIES,
	};

	s2s->resolver = resolver_new(s2s->home->worker, &options);
}

/* Links that have rested for long are forgotten; they stand in the order in which they went to rest. */
static void s2s_sweep(struct worker *worker, struct timer *timer)
{
	struct s2s *s2s = LIST_MEMBER(timer, struct s2s, sweep);
	struct list_link *first, *next;

	for (first = list_first(&s2s->resting); first; first = next) {
		struct link *link = LIST_MEMBER(first, struct link, rest);

		next = list_next(&s2s->resting, first);
		if (worker_now_ms(worker) - link->rested_ms < LINK_REST_MS)
			break;
		if (outbox_is_empty(link->outbox))
			link_free(link);
	}
	timer_start(worker, timer, SWEEP_EVERY_MS, s2s_sweep);
}

static void *s2s_home_open(struct home *home)
{
	struct s2s *s2s = mem_zalloc(sizeof(*s2s));

	s2s->home = home;
	s2s->links = map_new(worker_seed(home->worker));
	s2s->callbacks = map_new(worker_seed(home->worker));
	s2s->intakes = map_new(worker_seed(home->worker));
	list_init(&s2s->resting);
	list_init(&s2s->outgoings);
	list_init(&s2s->incomings);
	list_init(&s2s->trials);
	list_init(&s2s->broken_intakes);
	s2s_open_resolver(s2s);
	timer_start(home->worker, &s2s->sweep, SWEEP_EVERY_MS, s2s_sweep);
	outboxes_left(home, LINK_OUTBOX, link_restore, s2s);
	return s2s;
}

/* A new resolver knows the new name servers and has forgotten old answers. */
static void s2s_home_configured(struct home *home)
{
	struct s2s *s2s = s2s_of(home);
	struct resolver *old = s2s->resolver;
	struct map_walk walk = { 0 };
	struct list_link *l;
	struct link *link;

	s2s_open_resolver(s2s);
	for (l = list_first(&s2s->outgoings); l; l = list_next(&s2s->outgoings, l))
		outgoing_resolve_again(outgoing_of(l));
	resolver_free(&old);
	for (l = list_first(&s2s->incomings); l; l = list_next(&s2s->incomings, l))
		incoming_configured(incoming_of(l));
	while ((link = map_next(s2s->links, &walk)))
		link_configured(link);
}

/* Who says on a stream of its own what of ours has come is heard until ours have ended. */
static void s2s_drain_incomings(struct s2s *s2s)
{
	bool ours_wait = !list_is_empty(&s2s->outgoings);
	struct list_link *l, *next;

	for (l = list_first(&s2s->incomings); l; l = next) {
		next = list_next(&s2s->incomings, l);
		if (!ours_wait || !incoming_brings_answers(incoming_of(l)))
			incoming_drain(incoming_of(l));
	}
}

void s2s_outgoing_gone(struct s2s *s2s)
{
	if (s2s->draining && list_is_empty(&s2s->outgoings))
		s2s_drain_incomings(s2s);
}

static void s2s_home_drain(struct home *home)
{
	struct s2s *s2s = s2s_of(home);
	struct map_walk walk = { 0 };
	struct list_link *l;
	struct link *link;

	s2s->draining = true;
	while ((link = map_next(s2s->links, &walk)))
		link_drain(link);
	for (l = list_first(&s2s->outgoings); l; l = list_next(&s2s->outgoings, l))
		outgoing_close(outgoing_of(l));
	s2s_drain_incomings(s2s);
}

static void s2s_home_close(struct home *home, void *part)
{
	struct s2s *s2s = part;
	struct map_walk walk = { 0 }, intakes = { 0 };
	struct intake *intake;
	struct list_link *l;
	struct link *link;

	while ((intake = map_next(s2s->intakes, &intakes)))
		intake_free(intake);
	while ((l = list_first(&s2s->incomings)))
		incoming_free(incoming_of(l));
	while ((l = list_first(&s2s->outgoings)))
		outgoing_free(outgoing_of(l));
	while ((l = list_first(&s2s->trials)))
		trial_free(trial_of(l));
	while ((link = map_next(s2s->links, &walk)))
		link_free(link);
	timer_stop(home->worker, &s2s->sweep);
	resolver_free(&s2s->resolver);
	map_free(&s2s->links);
	map_free(&s2s->callbacks);
	map_free(&s2s->intakes);
	free(s2s);
}

static const struct module_spec s2s_specs[] = {
	{ "RFC 2782", "A DNS RR for specifying the location of services (DNS SRV)", NULL, NULL },
	{ "RFC 6120", "Extensible Messaging and Presence Protocol (XMPP): Core", NULL, NULL },
	{ "RFC 7590",
	  "Use of Transport Layer Security (TLS) in the Extensible Messaging and Presence Protocol (XMPP)", NULL, NULL },
	{ "RFC 9525", "Service Identity in TLS", NULL, NULL },
	{ "RFC 8305", "Happy Eyeballs Version 2: Better Connectivity Using Concurrency", NULL, NULL },
	{ "XEP-0178", "Best Practices for Use of SASL EXTERNAL with Certificates", "1.2", "between servers" },
	{ "XEP-0185", "Dialback Key Generation and Validation", "1.0", NULL },
	{ "XEP-0198", "Stream Management", "1.6.3", NULL },
	{ "XEP-0199", "XMPP Ping", "2.0.1", NULL },
	{ "XEP-0220", "Server Dialback", "1.1.1", NULL },
	{ "XEP-0368", "SRV records for XMPP over TLS", "1.1.0", "direct TLS between servers" },
	{ 0 },
};

const struct module s2s_module = {
	.name = "s2s",
	.specs = s2s_specs,
	.options = policy_sections,
	.commands = s2s_commands,
	.configure = s2s_configure,
	.unconfigure = policy_unconfigure,
	.home_open = s2s_home_open,
	.home_close = s2s_home_close,
	.home_configured = s2s_home_configured,
	.home_drain = s2s_home_drain,
	.drains_late = true,
	.listens = 1u << LISTEN_SERVER | 1u << LISTEN_SERVER_TLS,
	.accepted = incoming_accepted,
};
