/* SPDX-License-Identifier: MIT
 *
 * The snapshot: the configuration as the running server uses it, with the domain table. Immutable, counted, swapped on
 * reload. Modules add their own parts (config_part).
 */
#ifndef CORE_CONFIG_H
#define CORE_CONFIG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/conf.h"
#include "base/log.h"
#include "net/address.h"
#include "net/tls.h"
#include "xmpp/jid.h"
#include "xmpp/parser.h"

struct destination_class;
struct module;
struct server;

/* Which messages stay in the journal after they have been delivered. */
enum archive_policy { ARCHIVE_NEVER, ARCHIVE_ROSTER, ARCHIVE_ALWAYS };

/* Who may make himself an account (XEP-0077): nobody, who brings an invitation (XEP-0445), everybody. */
enum registration_policy { REGISTRATION_NO, REGISTRATION_INVITED, REGISTRATION_OPEN };

/* A domain that is served by this process with accounts. */
struct host {
	const char *domain;             /* prepared */
	const char *certificate, *key;  /* paths; NULL: the tls section's */
	struct tls *tls_client;         /* towards other servers: it shows this host's certificate; NULL: there is none */
	const char **admins;            /* bare JIDs, compared whole: never a name alone */
	size_t admin_count;
	enum registration_policy registration;
	enum archive_policy archive;    /* of its accounts' messages */
	bool archive_preferences;       /* its users may choose for themselves (XEP-0441) */
};

enum listen_kind { LISTEN_CLIENT, LISTEN_CLIENT_TLS, LISTEN_SERVER, LISTEN_SERVER_TLS, LISTEN_COMPONENT };

struct listen {
	enum listen_kind kind;
	struct address address;
	bool may_lack;                  /* all addresses were meant: fine on a machine without this family */
};

/* As the configuration writes it. */
const char *listen_kind_name(enum listen_kind kind);

/* Section "limits"; sizes in bytes, times in milliseconds. */
struct limits {
	uint32_t authenticate_ms;               /* from accept to authenticated (30 s) */
	uint32_t stanza_unauthenticated;        /* 10 kB */
	uint32_t stanza_client, stanza_server, stanza_component;
	struct parser_limits parser;
	uint32_t unauthenticated_per_address;   /* 64 */
	uint32_t unauthenticated;               /* 1000, of all addresses */
	uint32_t unsent;                        /* bytes a connection may owe its reader (1 MB) */
	uint32_t sessions_per_account;          /* 32 */
	uint32_t login_failures_per_stream;     /* 5 */
	uint32_t offline_messages;              /* 1000 undelivered of an account */
	uint32_t offline_bytes;                 /* 10 MB */
	uint32_t outbox_bytes;                  /* waiting for all other servers together (1 GB) */
	uint32_t repeats, repeat_ms;            /* messages of an account that are known again, and for how long (256, 1 day) */
	uint32_t roster_items;                  /* 1000 */
	uint32_t resource_bytes;                /* longest resource that a client may bind (1023) */
	uint32_t client_rate, client_burst;     /* bytes a second read from a client; 0: no bound */
	uint32_t server_rate, server_burst;
	uint32_t component_rate, component_burst;
	uint32_t silence_ms;                    /* after so long without a byte we ask whether the peer lives (60 s) */
	uint32_t answer_ms;                     /* and end the stream when nothing came (50 s) */
};

struct config {
	atomic_uint refs;
	struct conf *conf;              /* the parsed file; strings of the snapshot lie in it */
	struct arena arena;
	const char *path;               /* of the file */
	struct host *hosts;             /* in the file's order; at least one */
	size_t host_count;
	struct listen *listens;
	size_t listen_count;
	struct limits limits;
	struct network_range *trusted;
	size_t trusted_count;
	struct address *dns_servers;
	size_t dns_server_count;
	uint32_t write_after_ms;        /* a message that no client has acknowledged is written then */
	size_t workers;                 /* threads; takes effect at start only */
	const char *store_path;
	uint32_t store_patience_ms;     /* takes effect at start only */
	const char *control_path;       /* hansactl's socket */
	enum log_target log_target;
	const char *log_path;
	enum log_level log_level;
	bool client_tls_required;       /* STARTTLS before SASL (true) */
	struct tls *tls;                /* server side, all hosts */
	struct tls *tls_servers;        /* the same, where other servers connect: it asks for their certificates */
	struct tls *tls_client;         /* towards other servers, for domains that are no hosts */
	struct map *domains;            /* prepared domain -> struct destination */
	const struct destination_class *remote;         /* for every other domain; NULL: none */
	void **parts;                   /* by module_number */
	size_t part_count;
	const struct module *const *modules;
};

/* A row of the domain table. */
struct destination {
	const char *domain;
	const struct destination_class *class;
	const struct host *host;        /* of a local host; NULL */
	const char *name;               /* for disco#items; NULL: not listed */
};

/* Where a file lies that the configuration names, from its own folder; NULL for NULL. While a snapshot is made. */
const char *config_file(struct config *config, const char *name);

const struct config *config_ref(const struct config *config);
void config_unref(const struct config **config);

/* Loads and checks everything, modules' parts included. NULL and the malloc'ed "file:line: ..." */
const struct config *config_load(const char *path, const struct module *const *modules, char **error);
/* Adds a domain; false: it is in the table already. For use in a module's configure(). */
bool config_add_domain(struct config *config, const char *domain, const struct destination_class *class,
                       const char *name);

/* NULL: not in the table. domain is len bytes, prepared. */
const struct destination *config_destination(const struct config *config, const char *domain, size_t len);
const struct host *config_host(const struct config *config, const char *domain, size_t len);
void *config_part(const struct config *config, const struct module *module);
/* jid's exact bare form is an administrator of its host. */
bool config_is_admin(const struct config *config, const struct jid *jid);

/* The address is in one of the networks that the section server trusts. */
bool config_trusts(const struct config *config, const struct address *address);

/* All sections: core's and the modules', as conf.h wants them; free() the array. */
const struct conf_section_kind **config_kinds(const struct module *const *modules);

#endif
