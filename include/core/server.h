/* SPDX-License-Identifier: MIT
 *
 * The server: the one struct that everything hangs from, and the home, a worker's share of it. There are no mutable
 * globals beside these two. What a worker touches is in its home; what is shared is immutable (the snapshot) or has its
 * own lock (store, background, admission, log).
 */
#ifndef CORE_SERVER_H
#define CORE_SERVER_H

#include <stdbool.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/figure.h"
#include "base/list.h"
#include "base/map.h"
#include "core/config.h"
#include "core/module.h"
#include "net/admission.h"
#include "net/background.h"
#include "net/worker.h"
#include "store/store.h"
#include "xmpp/parser.h"

enum { MODULE_SLOTS = 128 };

struct server {
	const struct module *const *modules;    /* NULL ends the array; the order is the order of hooks */
	size_t module_count;
	uint8_t module_slots[MODULE_SLOTS];     /* a number plus one, found by the module's address; 0: none */
	struct workers *workers;
	struct home *homes;                     /* one for each worker */
	struct store *store;
	struct background *background;
	struct admission *admission;
	struct log *log;
	const struct config *config;            /* the newest snapshot; homes hold their own. Main thread only */
	char *config_path;
	bool stepped;                           /* the caller steps the workers */
	bool running;                           /* the workers' threads run */
	bool owns_log;
	size_t started;                         /* modules whose start() has been called */
	uint64_t started_ms;
	char secret[65];                        /* hex of 32 random bytes kept in the store: dialback keys, fake salts */
	struct list listeners;                  /* core/server.c's; main thread only */
	struct store_outbox_list *outboxes;     /* core/outbox.h's: what the last server has left */
	struct frozen *frozen;                  /* core/frozen.c's */
	void *main;                             /* of the program that started the server, for stop and reload */
	/* Any thread may ask; the main thread does it. stop: drains and leaves. reload: done() runs on the main thread,
	 * error is malloc'ed, NULL when the new configuration is in force. */
	void (*stop)(struct server *server);
	void (*reload)(struct server *server, void (*done)(void *context, char *error), void *context);
	void (*idle)(void *context);            /* see server_options */
	void *idle_context;
};

/* Counters of one worker; summed when read, by anybody. */
struct home_figures {
	struct figure messages, presences, iqs; /* routed */
	struct figure bounced;                  /* refusals that became an error to the sender */
	struct figure expired;                  /* entries of archives that were kept long enough */
	struct figure sessions, accounts;       /* now */
	struct figure logins, login_failures;
};

struct home {
	struct server *server;
	struct worker *worker;
	const struct config *config;            /* the snapshot of this home; swapped between turns */
	struct parser_set *parsers;
	struct map *accounts;                   /* bare JID -> struct account; core/account.c */
	struct list idle_accounts;              /* without sessions, oldest first */
	struct list absent_accounts;            /* addresses without an account, oldest first */
	size_t absent_count;
	struct list open_streams;               /* that live here now; core/stream.c's */
	struct outboxes *outboxes;              /* core/outbox.h's */
	struct overdue *overdue;                /* core/overdue.c: what sessions have not acknowledged yet */
	struct timer_box *timers;               /* core's own timers; opaque */
	void **parts;                           /* what each module keeps here, by module_number */
	struct home_figures figures;
	uint64_t serial;                        /* source of ids unique in this home */
	struct buf frozen_owners;               /* core/frozen.c's: accounts with sessions that outlive the server */
	struct thaw *thaw;                      /* likewise: what the last server has left; NULL: nothing */
	uint64_t journal_ticks;                 /* of the newest sequence given here; core/journal.c's */
	size_t streams;                         /* open, with control's connections; a drain waits for none */
	bool draining;                          /* the server is leaving: nobody new is let in */
	bool closed;                            /* the workers are gone: nobody can be told anything any more */
};

static inline struct home *home_of(struct worker *worker)
{
	return worker_owner(worker);
}

/* The number of a module in the list, for home->parts, account parts and config parts. Our bug when it is absent. */
size_t module_number(const struct server *server, const struct module *module);

static inline void *home_part(const struct home *home, const struct module *module)
{
	return home->parts[module_number(home->server, module)];
}

struct server_options {
	const char *config_path;
	const struct module *const *modules;
	struct store *store;                    /* NULL: opened as the configuration says; else taken */
	bool stepped;                           /* tests: one thread steps all */
	/* Stepped: called while start or stop waits and nothing moves, so that a store of the caller's can get on. NULL: the
	 * store has threads of its own. */
	void (*idle)(void *context);
	void *idle_context;
	const struct clock *clock;              /* NULL: the system's; likewise below */
	struct entropy *entropy;
	const struct hash_seed *seed;           /* NULL: random */
	struct log *log;                        /* NULL: as the configuration says */
	void *main;                             /* the next three go into struct server */
	void (*stop)(struct server *server);
	void (*reload)(struct server *server, void (*done)(void *context, char *error), void *context);
};

/* On the main thread: visit() runs once on each home, on its own worker, and all have run when this returns. */
void server_visit_homes(struct server *server, void (*visit)(struct home *home, void *context), void *context);

/* On the main thread, while it starts or leaves: asks the store and waits for the answer; the caller frees the request. */
void server_ask(struct server *server, struct store_request *request);

/* Reads the configuration, opens store and homes, starts modules and workers. NULL and a malloc'ed line. */
struct server *server_start(const struct server_options *options, char **error);
/* Drains: no new connections, streams closed with system-shutdown, at most 7 s; then everything is closed and freed. */
void server_stop(struct server **server);
/* Reads the configuration again; on a fault nothing changes. NULL: done; else the malloc'ed line. Main thread. */
char *server_reload(struct server *server);
/* -t: only checks. NULL: fine; else the line. */
char *server_check(const char *config_path, const struct module *const *modules);

#endif
