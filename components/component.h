/* SPDX-License-Identifier: MIT
 *
 * External components (XEP-0114): a domain that is served by an attached system. A component lives on the home of its
 * domain; the connection that serves it moves there when its handshake is right. A name that is configured and not
 * attached is answered at once and never reaches DNS or another server.
 */
#ifndef COMPONENTS_COMPONENT_H
#define COMPONENTS_COMPONENT_H

#include "core/command.h"
#include "core/module.h"
#include "core/router.h"
#include "core/server.h"
#include "core/stream.h"

/* A `component` section of the configuration, in the snapshot. */
struct component_settings {
	const char *domain; /* prepared */
	const char *secret;
	bool replace; /* conflict = replace */
};

struct connection;

/* On the domain's home, while a connection serves it. */
struct component {
	char *domain; /* owned */
	struct connection *connection;
	struct stream *stream;
	uint64_t attached_ms;
	uint64_t to_component, from_component; /* stanzas */
	char address[ADDRESS_TEXT];
};

extern const struct module component_module;
extern const struct destination_class component_destination;

/* In the file's order; NULL: behind the last. */
const struct component_settings *component_settings_at(const struct config *config, size_t number);
/* NULL: not configured. domain: prepared. */
const struct component_settings *component_settings_find(const struct config *config, const char *domain);

/* On its home; NULL: not attached. */
struct component *component_find(struct home *home, const char *domain, size_t len);
/* The home of a component's domain. */
struct home *component_home(const struct home *from, const char *domain);

/*
 * Puts a connection in the component's place, on its home. NULL: another one holds it and the configuration says refuse;
 * with replace the other is closed with conflict.
 */
struct component *component_attach(struct home *home, const struct component_settings *settings,
                                   struct connection *connection, struct stream *stream);
/* The connection has gone. */
void component_detach(struct home *home, struct component **component);

extern const struct command component_commands[]; /* components/command.c */

/* components/connection.c: a connection from accept on; the module's accepted hook. */
void connection_accepted(struct home *home, enum listen_kind kind, struct transport *transport);

#endif
