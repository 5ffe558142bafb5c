/* SPDX-License-Identifier: MIT
 *
 * Server to server: what the module keeps on each home. A link (link.h) is everything between one of our
 * domains and one remote domain; it lives on the home of the pair. Streams that other servers open
 * (incoming.h) live on the home of the first pair that they name, streams that we open (outgoing.h) where
 * they are needed.
 */
#ifndef S2S_S2S_H
#define S2S_S2S_H

#include "base/list.h"
#include "base/map.h"
#include "core/module.h"
#include "core/router.h"
#include "core/server.h"
#include "net/resolve.h"
#include "net/timer.h"

#define ALPN_SERVER "xmpp-server" /* XEP-0368 §4 */

/* The module's part of a home. */
struct s2s {
	struct home *home;
	struct resolver *resolver;
	struct map *links;   /* link key -> struct link */
	struct list resting; /* links with nothing to do, longest first */
	size_t resting_count;
	size_t connecting;  /* links that are trying to connect */
	struct timer sweep; /* forgets links that have rested long enough */
	struct list outgoings, incomings;
	struct list trials;
	struct map *intakes;        /* by number: what peers have sent with stream management */
	struct list broken_intakes; /* that have no stream now, longest first */
	size_t broken_count;
	struct map *callbacks; /* remote domain -> struct outgoing that only carries verify requests */
	bool draining;
};

/* One of outgoings has gone. */
void s2s_outgoing_gone(struct s2s *s2s);

extern const struct module s2s_module;
extern const struct destination_class s2s_destination;

static inline struct s2s *s2s_of(const struct home *home)
{
	return home_part(home, &s2s_module);
}

/* A domain that is served here: a host, a component, a service. */
static inline bool s2s_is_ours(const struct s2s *s2s, const char *domain, size_t len)
{
	return config_destination(s2s->home->config, domain, len) != NULL;
}

static inline struct log *s2s_log(const struct s2s *s2s)
{
	return s2s->home->server->log;
}

#endif
