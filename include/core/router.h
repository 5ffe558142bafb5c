/* SPDX-License-Identifier: MIT
 *
 * The router looks the domain of a parcel up in one table and posts it to the home of its address; it knows nothing else.
 * Everything is a destination: a local host with its accounts, a component, a built-in service, the rest of the world. It
 * always queues and never calls into the destination on the sender's stack, so between two addresses order is kept.
 */
#ifndef CORE_ROUTER_H
#define CORE_ROUTER_H

#include "core/custody.h"

struct home;

struct destination_class {
	const char *name;               /* "host", "component", "remote" */
	/* The worker that owns what the parcel is addressed to. */
	struct worker *(*home)(struct home *from, const struct parcel *parcel);
	/* On that worker. Must answer the parcel, now or later. */
	void (*deliver)(struct home *home, struct parcel *parcel);
};

/* Hands the parcel on. from: the home on whose thread the caller runs. */
void route(struct home *from, struct parcel *parcel);

/* The common case: a sealed stanza of ours or a client's, a refusal becomes a bounce. Takes the caller's reference. */
void route_stanza(struct home *from, const struct stanza *stanza);

#endif
