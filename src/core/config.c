/* SPDX-License-Identifier: MIT
 *
 * The life of a snapshot and what is asked of it. A snapshot is made by the main thread, from core's
 * sections and then the modules', and is immutable from then on: homes take references and let go of the
 * old one when they have swapped.
 */
#include "core/config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "config_sections.h"
#include "core/module.h"

/* Only the administrator puts names into the domain table, so nobody can steer its hash. */
static const struct hash_seed domain_seed;

/* ---- made and freed ---- */

static size_t modules_count(const struct module *const *modules)
{
	size_t count = 0;

	while (modules[count])
		count++;
	return count;
}

const struct conf_section_kind **config_kinds(const struct module *const *modules)
{
	const struct conf_section_kind **kinds = NULL;
	size_t count = 0;

	for (size_t i = 0; config_core_kinds[i]; i++) {
		kinds = mem_realloc(kinds, (count + 2) * sizeof(*kinds));
		kinds[count++] = config_core_kinds[i];
	}
	for (; *modules; modules++) {
		for (const struct conf_section_kind *kind = (*modules)->options; kind && kind->name; kind++) {
			kinds = mem_realloc(kinds, (count + 2) * sizeof(*kinds));
			kinds[count++] = kind;
		}
	}
	kinds[count] = NULL;
	return kinds;
}

static struct config *config_new(struct conf *conf, const struct module *const *modules)
{
	struct config *config = mem_zalloc(sizeof(*config));

	atomic_init(&config->refs, 1);
	arena_init(&config->arena, 0);
	config->conf = conf;
	config->modules = modules;
	config->part_count = modules_count(modules);
	config->parts = arena_zalloc(&config->arena, config->part_count * sizeof(*config->parts));
	config->domains = map_new(&domain_seed);
	return config;
}

static char *config_read_modules(struct config *config)
{
	char *error = NULL;

	for (size_t i = 0; i < config->part_count && !error; i++) {
		if (config->modules[i]->configure)
			config->parts[i] = config->modules[i]->configure(config, config->conf, &error);
	}
	return error;
}

const struct config *config_load(const char *path, const struct module *const *modules, char **error)
{
	const struct conf_section_kind **kinds = config_kinds(modules);
	struct conf *conf = conf_load(path, kinds, error);
	struct config *config;
	const struct config *loaded;

	free(kinds);
	if (!conf)
		return NULL;
	loaded = config = config_new(conf, modules);
	*error = config_read_sections(config, path);
	if (!*error)
		*error = config_read_modules(config);
	if (*error)
		config_unref(&loaded);
	return loaded;
}

const struct config *config_ref(const struct config *config)
{
	atomic_fetch_add_explicit(&((struct config *)(uintptr_t)config)->refs, 1, memory_order_relaxed);
	return config;
}

static void config_free(struct config *config)
{
	for (size_t i = 0; i < config->part_count; i++) {
		if (config->parts[i] && config->modules[i]->unconfigure)
			config->modules[i]->unconfigure(config->parts[i]);
	}
	map_free(&config->domains);
	tls_unref(&config->tls);
	tls_unref(&config->tls_servers);
	tls_unref(&config->tls_client);
	for (size_t i = 0; i < config->host_count; i++)
		tls_unref(&config->hosts[i].tls_client);
	arena_clear(&config->arena);
	conf_free(&config->conf);
	free(config);
}

void config_unref(const struct config **config)
{
	struct config *gone = (struct config *)(uintptr_t)*config;

	*config = NULL;
	if (gone && atomic_fetch_sub_explicit(&gone->refs, 1, memory_order_acq_rel) == 1)
		config_free(gone);
}

bool config_add_domain(struct config *config, const char *domain, const struct destination_class *class,
                       const char *name)
{
	struct destination *destination;

	if (map_find(config->domains, domain, strlen(domain)))
		return false;
	destination = arena_zalloc(&config->arena, sizeof(*destination));
	*destination = (struct destination){ .domain = domain, .class = class, .name = name };
	map_put(config->domains, domain, strlen(domain), destination);
	return true;
}

/* ---- asked ---- */

const struct destination *config_destination(const struct config *config, const char *domain, size_t len)
{
	return map_find(config->domains, domain, len);
}

const struct host *config_host(const struct config *config, const char *domain, size_t len)
{
	const struct destination *destination = config_destination(config, domain, len);

	return destination ? destination->host : NULL;
}

void *config_part(const struct config *config, const struct module *module)
{
	size_t number = 0;

	while (config->modules[number] != module) {
		assert(config->modules[number]);
		number++;
	}
	return config->parts[number];
}

bool config_trusts(const struct config *config, const struct address *address)
{
	for (size_t i = 0; i < config->trusted_count; i++)
		if (network_range_has(&config->trusted[i], address))
			return true;
	return false;
}

bool config_is_admin(const struct config *config, const struct jid *jid)
{
	const struct host *host = config_host(config, jid_domain_text(jid), jid->domain_len);

	for (size_t i = 0; host && i < host->admin_count; i++) {
		if (strlen(host->admins[i]) == jid_bare_len(jid) &&
		    memcmp(host->admins[i], jid->text, jid_bare_len(jid)) == 0)
			return true;
	}
	return false;
}
