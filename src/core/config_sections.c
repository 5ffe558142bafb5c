/* SPDX-License-Identifier: MIT
 *
 * Core's sections of hansa.conf (config_options.c has their rows) on their way into the snapshot, in the order of the rows.
 * Every fault names the line of its section.
 */
#include "config_sections.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/map.h"
#include "base/mem.h"
#include "core/account.h"

enum {
	PORT_CLIENT = 5222,
	PORT_CLIENT_TLS = 5223,
	PORT_SERVER = 5269,
	PORT_SERVER_TLS = 5270,
	PORT_COMPONENT = 5347,
	PORT_DNS = 53,
};

const char *config_file(struct config *config, const char *name)
{
	const char *slash = strrchr(config->path, '/');

	if (!name || *name == '/' || !slash)
		return name;
	return arena_printf(&config->arena, "%.*s/%s", (int)(slash - config->path), config->path, name);
}

static char *server_read(struct config *config)
{
	const struct conf_section *section = conf_section(config->conf, "server");
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	config->workers = (size_t)conf_number(section, "workers");
	if (config->workers == 0)
		config->workers = cores < 1 ? 1 : cores > WORKERS_MAX ? WORKERS_MAX : (size_t)cores;
	config->control_path = config_file(config, conf_string(section, "control"));
	config->trusted_count = conf_list_count(section, "trusted");
	config->trusted = arena_zalloc(&config->arena, config->trusted_count * sizeof(*config->trusted));
	for (size_t i = 0; i < config->trusted_count; i++) {
		const char *text = conf_list_at(section, "trusted", i);

		if (!network_range_read(text, &config->trusted[i]))
			return conf_fault(
				section,
				"bad value \"%s\" for trusted; allowed: an IP address, or a network "
				"like 10.0.0.0/8",
				text);
	}
	return NULL;
}

static char *host_read_admins(struct config *config, const struct conf_section *section, struct host *host)
{
	host->admin_count = conf_list_count(section, "admins");
	host->admins = arena_zalloc(&config->arena, host->admin_count * sizeof(*host->admins));
	for (size_t i = 0; i < host->admin_count; i++) {
		const char *text = conf_list_at(section, "admins", i);
		struct jid jid;

		if (!jid_prepare(&config->arena, text, strlen(text), JID_ANY, &jid) || !jid.local_len ||
		    !jid_is_bare(&jid) || strcmp(jid_domain_text(&jid), host->domain) != 0)
			return conf_fault(section,
			                  "bad value \"%s\" for admins; allowed: accounts of this host, like "
			                  "admin@%s",
			                  text, host->domain);
		host->admins[i] = jid.text;
	}
	return NULL;
}

/* Both of certificate and key, or none. */
static char *certificate_read(struct config *config, const struct conf_section *section,
                              const char **certificate, const char **key)
{
	struct tls_certificate only = { .name = "" };
	struct tls *tls;
	char *sentence, *fault;

	*certificate = only.certificate = config_file(config, conf_string(section, "certificate"));
	*key = only.key = config_file(config, conf_string(section, "key"));
	if (!*certificate != !*key)
		return conf_fault(section, "certificate and key belong together; allowed: both or none");
	if (!*certificate)
		return NULL;
	tls = tls_server_new(&only, 1, TLS_1_2, &sentence);
	if (tls) {
		tls_unref(&tls);
		return NULL;
	}
	fault = conf_fault(section, "%s", sentence);
	free(sentence);
	return fault;
}

static enum registration_policy registration_read(const struct conf_section *section)
{
	const char *word = conf_string(section, "registration");

	if (strcmp(word, "open") == 0)
		return REGISTRATION_OPEN;
	return strcmp(word, "invited") == 0 ? REGISTRATION_INVITED : REGISTRATION_NO;
}

static enum archive_policy archive_read(const struct conf_section *section)
{
	const char *word = conf_string(section, "archive");

	if (strcmp(word, "always") == 0)
		return ARCHIVE_ALWAYS;
	return strcmp(word, "roster") == 0 ? ARCHIVE_ROSTER : ARCHIVE_NEVER;
}

/* A host's own option, or that of section journal. */
static const struct conf_section *section_of(const struct config *config, const struct conf_section *host,
                                             const char *option)
{
	return conf_is_set(host, option) ? host : conf_section(config->conf, "journal");
}

static char *host_read(struct config *config, const struct conf_section *section, struct host *host)
{
	const char *title = conf_title(section);
	struct jid domain;
	char *fault;

	if (!jid_domain_prepare(&config->arena, title, strlen(title), &domain))
		return conf_fault(section, "bad title \"%s\" of host; allowed: a domain name", title);
	host->domain = domain.text;
	host->registration = registration_read(section);
	host->archive = archive_read(section_of(config, section, "archive"));
	host->archive_preferences =
		conf_bool(section_of(config, section, "archive-preferences"), "archive-preferences");
	if (!config_add_domain(config, host->domain, &account_destination, NULL))
		return conf_fault(section, "domain \"%s\" is already a host", host->domain);
	((struct destination *)map_find(config->domains, host->domain, strlen(host->domain)))->host = host;
	fault = certificate_read(config, section, &host->certificate, &host->key);
	return fault ? fault : host_read_admins(config, section, host);
}

static size_t sections_count(const struct conf *conf, const char *name)
{
	size_t count = 0;

	while (conf_section_at(conf, name, count))
		count++;
	return count;
}

static char *hosts_read(struct config *config)
{
	char *fault = NULL;

	config->write_after_ms = (uint32_t)conf_number(conf_section(config->conf, "journal"), "write-after");
	config->host_count = sections_count(config->conf, "host");
	if (config->host_count == 0)
		return str_printf("%s: a section host is missing; allowed: host \"your.domain\" { ... }",
		                  config->path);
	config->hosts = arena_zalloc(&config->arena, config->host_count * sizeof(*config->hosts));
	for (size_t i = 0; i < config->host_count && !fault; i++)
		fault = host_read(config, conf_section_at(config->conf, "host", i), &config->hosts[i]);
	return fault;
}

/* What a section that says nothing else means. */
static const struct {
	const char *name;
	const char *addresses[2];
	uint16_t port;
} listen_kinds[] = {
	[LISTEN_CLIENT] = { "client", { "0.0.0.0", "::" }, PORT_CLIENT },
	[LISTEN_CLIENT_TLS] = { "client-tls", { "0.0.0.0", "::" }, PORT_CLIENT_TLS },
	[LISTEN_SERVER] = { "server", { "0.0.0.0", "::" }, PORT_SERVER },
	[LISTEN_SERVER_TLS] = { "server-tls", { "0.0.0.0", "::" }, PORT_SERVER_TLS },
	[LISTEN_COMPONENT] = { "component", { "127.0.0.1" }, PORT_COMPONENT },
};

const char *listen_kind_name(enum listen_kind kind)
{
	return listen_kinds[kind].name;
}

static char *listen_add(struct config *config, const struct conf_section *section, size_t kind,
                        const char *address)
{
	struct listen *listen = &config->listens[config->listen_count++];
	uint16_t port = conf_is_set(section, "port") ? (uint16_t)conf_number(section, "port")
	                                             : listen_kinds[kind].port;

	listen->kind = (enum listen_kind)kind;
	listen->may_lack = !conf_is_set(section, "address");
	if (!address_read(address, port, &listen->address))
		return conf_fault(section, "bad value \"%s\" for address; allowed: an IP address", address);
	return NULL;
}

static char *listen_read(struct config *config, const struct conf_section *section)
{
	const char *const *addresses;
	char *fault = NULL;
	size_t kind = 0;

	while (strcmp(listen_kinds[kind].name, conf_string(section, "kind")) != 0)
		kind++;
	if (conf_is_set(section, "address"))
		return listen_add(config, section, kind, conf_string(section, "address"));
	addresses = listen_kinds[kind].addresses;
	for (size_t i = 0; i < 2 && addresses[i] && !fault; i++)
		fault = listen_add(config, section, kind, addresses[i]);
	return fault;
}

static char *listens_read(struct config *config)
{
	size_t count = sections_count(config->conf, "listen");
	char *fault = NULL;

	config->listens = arena_zalloc(&config->arena, 2 * count * sizeof(*config->listens));
	for (size_t i = 0; i < count && !fault; i++)
		fault = listen_read(config, conf_section_at(config->conf, "listen", i));
	return fault;
}

/* Hosts without a certificate of their own show the section's; a host without any is a fault unless TLS is
 * optional. */
static char *tls_open(struct config *config, const struct conf_section *section, enum tls_version least)
{
	struct tls_certificate *shown = arena_zalloc(&config->arena, config->host_count * sizeof(*shown));
	char *sentence = NULL, *fault;

	for (size_t i = 0; i < config->host_count; i++) {
		const struct host *host = &config->hosts[i];

		shown[i] = (struct tls_certificate){ host->domain, host->certificate, host->key };
		if (!host->certificate && config->client_tls_required)
			return conf_fault(conf_section_at(config->conf, "host", i),
			                  "host \"%s\" has no certificate; allowed: certificate and key here "
			                  "or in section "
			                  "tls",
			                  host->domain);
		if (!host->certificate)
			return NULL;
	}
	config->tls = tls_server_new(shown, config->host_count, least, &sentence);
	if (config->tls)
		config->tls_servers = tls_server_asking_new(shown, config->host_count, least, &sentence);
	for (size_t i = 0; i < config->host_count && !sentence; i++)
		config->hosts[i].tls_client = tls_client_new(&shown[i], least, &sentence);
	if (!sentence) {
		config->tls_client = tls_ref(config->hosts[0].tls_client);
		return NULL;
	}
	fault = conf_fault(section, "%s", sentence);
	free(sentence);
	return fault;
}

static char *tls_read(struct config *config)
{
	const struct conf_section *section = conf_section(config->conf, "tls");
	const char *certificate, *key;
	char *fault = certificate_read(config, section, &certificate, &key);

	if (fault)
		return fault;
	config->client_tls_required = conf_bool(section, "client-required");
	for (size_t i = 0; i < config->host_count; i++) {
		struct host *host = &config->hosts[i];

		if (!host->certificate) {
			host->certificate = certificate;
			host->key = key;
		}
	}
	return tls_open(config, section,
	                strcmp(conf_string(section, "least"), "1.3") == 0 ? TLS_1_3 : TLS_1_2);
}

/* TLS from the first byte needs a certificate to show. */
static char *listens_check(const struct config *config)
{
	for (size_t i = 0; i < config->listen_count && !config->tls; i++) {
		enum listen_kind kind = config->listens[i].kind;

		if (kind == LISTEN_CLIENT_TLS || kind == LISTEN_SERVER_TLS)
			return conf_fault(conf_section(config->conf, "tls"),
			                  "a listen section of kind %s needs a certificate; allowed: certificate and key "
			                  "here or for each host",
			                  listen_kinds[kind].name);
	}
	return NULL;
}

static void limits_read(struct config *config)
{
	static const struct {
		const char *option;
		size_t offset;
	} fields[] = {
		{ "authenticate", offsetof(struct limits, authenticate_ms) },
		{ "stanza-unauthenticated", offsetof(struct limits, stanza_unauthenticated) },
		{ "stanza-client", offsetof(struct limits, stanza_client) },
		{ "stanza-server", offsetof(struct limits, stanza_server) },
		{ "stanza-component", offsetof(struct limits, stanza_component) },
		{ "depth", offsetof(struct limits, parser.depth) },
		{ "attributes", offsetof(struct limits, parser.attributes) },
		{ "declarations", offsetof(struct limits, parser.declarations) },
		{ "elements", offsetof(struct limits, parser.elements) },
		{ "unauthenticated-per-address", offsetof(struct limits, unauthenticated_per_address) },
		{ "unauthenticated", offsetof(struct limits, unauthenticated) },
		{ "unsent", offsetof(struct limits, unsent) },
		{ "sessions-per-account", offsetof(struct limits, sessions_per_account) },
		{ "login-failures", offsetof(struct limits, login_failures_per_stream) },
		{ "offline-messages", offsetof(struct limits, offline_messages) },
		{ "offline-size", offsetof(struct limits, offline_bytes) },
		{ "outbox-size", offsetof(struct limits, outbox_bytes) },
		{ "repeats", offsetof(struct limits, repeats) },
		{ "repeat-time", offsetof(struct limits, repeat_ms) },
		{ "roster-items", offsetof(struct limits, roster_items) },
		{ "resource", offsetof(struct limits, resource_bytes) },
		{ "client-rate", offsetof(struct limits, client_rate) },
		{ "client-burst", offsetof(struct limits, client_burst) },
		{ "server-rate", offsetof(struct limits, server_rate) },
		{ "server-burst", offsetof(struct limits, server_burst) },
		{ "component-rate", offsetof(struct limits, component_rate) },
		{ "component-burst", offsetof(struct limits, component_burst) },
		{ "silence", offsetof(struct limits, silence_ms) },
		{ "answer", offsetof(struct limits, answer_ms) },
	};
	const struct conf_section *section = conf_section(config->conf, "limits");

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		uint32_t *field = (uint32_t *)((char *)&config->limits + fields[i].offset);

		*field = (uint32_t)conf_number(section, fields[i].option);
	}
}

static char *log_read(struct config *config)
{
	static const char *const targets[] = {
		[LOG_TARGET_STDERR] = "stderr",
		[LOG_TARGET_FILE] = "file",
		[LOG_TARGET_SYSLOG] = "syslog",
	};
	const struct conf_section *section = conf_section(config->conf, "log");
	size_t target = 0;

	while (strcmp(targets[target], conf_string(section, "target")) != 0)
		target++;
	config->log_target = (enum log_target)target;
	config->log_path = config_file(config, conf_string(section, "path"));
	config->log_level = (enum log_level)log_level_find(conf_string(section, "level"));
	if (config->log_target == LOG_TARGET_FILE && !config->log_path)
		return conf_fault(section, "the target file needs a path");
	return NULL;
}

static char *dns_read(struct config *config)
{
	const struct conf_section *section = conf_section(config->conf, "dns");

	config->dns_server_count = conf_list_count(section, "servers");
	config->dns_servers =
		arena_zalloc(&config->arena, config->dns_server_count * sizeof(*config->dns_servers));
	for (size_t i = 0; i < config->dns_server_count; i++) {
		const char *text = conf_list_at(section, "servers", i);

		if (!address_read_with_port(text, PORT_DNS, &config->dns_servers[i]))
			return conf_fault(
				section,
				"bad value \"%s\" for servers; allowed: an IP address, with a port like "
				"127.0.0.1:5353 or [::1]:5353",
				text);
	}
	return NULL;
}

char *config_read_sections(struct config *config, const char *path)
{
	char *fault;

	config->path = arena_str(&config->arena, path);
	fault = server_read(config);

	if (!fault)
		fault = hosts_read(config);
	if (!fault)
		fault = listens_read(config);
	if (!fault)
		fault = tls_read(config);
	if (!fault)
		fault = listens_check(config);
	if (!fault)
		fault = log_read(config);
	if (!fault)
		fault = dns_read(config);
	if (fault)
		return fault;
	limits_read(config);
	config->store_path =
		config_file(config, conf_string(conf_section(config->conf, "store"), "path"));
	config->store_patience_ms = (uint32_t)conf_number(conf_section(config->conf, "store"), "patience");
	return NULL;
}
