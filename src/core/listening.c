/* SPDX-License-Identifier: MIT
 *
 * Listening addresses: opened and closed as the snapshots say, and the connections that come in given to
 * the edge whose table takes their kind.
 */
#include "listening.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/listener.h"

/* One address that is open. */
struct listening {
	struct list_link link;
	struct listen listen;
	struct listener *listener;
};

/* A listener outlives its struct listening while workers close it, so its owner is the kind alone. */
static const enum listen_kind listen_kinds[] = { LISTEN_CLIENT, LISTEN_CLIENT_TLS, LISTEN_SERVER, LISTEN_SERVER_TLS,
	                                         LISTEN_COMPONENT };

static void listening_accepted(struct worker *worker, struct transport *transport, void *owner)
{
	struct home *home = home_of(worker);
	enum listen_kind kind = *(const enum listen_kind *)owner;

	for (const struct module *const *module = home->server->modules; !home->draining && *module;
	     module++) {
		if ((*module)->listens & 1u << kind) {
			(*module)->accepted(home, kind, transport);
			return;
		}
	}
	transport->ops->free(transport);
}

static bool listen_same(const struct listen *a, const struct listen *b)
{
	char text_a[ADDRESS_TEXT], text_b[ADDRESS_TEXT];

	address_write(&a->address, text_a);
	address_write(&b->address, text_b);
	return a->kind == b->kind && strcmp(text_a, text_b) == 0;
}

static bool config_has_listen(const struct config *config, const struct listen *listen)
{
	for (size_t i = 0; i < config->listen_count; i++) {
		if (listen_same(&config->listens[i], listen))
			return true;
	}
	return false;
}

static bool list_has_listen(const struct list *list, const struct listen *listen)
{
	for (struct list_link *link = list_first(list); link; link = list_next(list, link)) {
		if (listen_same(&LIST_MEMBER(link, struct listening, link)->listen, listen))
			return true;
	}
	return false;
}

static bool listening_open(struct server *server, const struct listen *listen, struct list *opened,
                           char **error)
{
	struct listening *listening = mem_zalloc(sizeof(*listening));
	char address[ADDRESS_TEXT];
	const char *reason;

	address_write(&listen->address, address);
	listening->listen = *listen;
	listening->listener = listener_open(server->workers, &listen->address, listening_accepted,
	                                    (void *)(uintptr_t)&listen_kinds[listen->kind], &reason);
	if (!listening->listener) {
		*error = str_printf("cannot listen at %s: %s", address, reason);
		free(listening);
		return false;
	}
	log_info(server->log, NULL, "listening", LOG_STR("for", listen_kind_name(listen->kind)),
	         LOG_STR("address", address));
	list_add_last(opened, &listening->link);
	return true;
}

static void listening_close(struct listening *listening)
{
	list_remove(&listening->link);
	listener_close(&listening->listener);
	free(listening);
}

static void listening_close_all(struct list *list)
{
	struct list_link *link;

	while ((link = list_first(list)))
		listening_close(LIST_MEMBER(link, struct listening, link));
}

static void listening_close_unnamed(struct server *server, const struct config *config)
{
	struct list_link *next;

	for (struct list_link *link = list_first(&server->listeners); link; link = next) {
		struct listening *listening = LIST_MEMBER(link, struct listening, link);

		next = list_next(&server->listeners, link);
		if (!config_has_listen(config, &listening->listen))
			listening_close(listening);
	}
}

bool listening_update(struct server *server, const struct config *config, char **error)
{
	struct list opened;
	struct list_link *link;

	list_init(&opened);
	for (size_t i = 0; i < config->listen_count; i++) {
		const struct listen *listen = &config->listens[i];

		if (list_has_listen(&server->listeners, listen) || list_has_listen(&opened, listen))
			continue;
		if (listen->may_lack && !listener_is_possible(&listen->address))
			continue;
		if (!listening_open(server, listen, &opened, error)) {
			listening_close_all(&opened);
			return false;
		}
	}
	while ((link = list_take_first(&opened)))
		list_add_last(&server->listeners, link);
	listening_close_unnamed(server, config);
	return true;
}

void listening_stop(struct server *server)
{
	listening_close_all(&server->listeners);
}
