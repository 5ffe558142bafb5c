/* SPDX-License-Identifier: MIT
 *
 * The component as a destination: its settings in the snapshot, its place at its home, what is delivered to it
 * (XEP-0114 §2). Custody of a stanza for a component is taken when the component's TCP has acknowledged it; what a broken
 * connection gives back is refused, and its sender gets the error.
 */
#include "component.h"

#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "core/config.h"

enum { SECRET_MIN = 16 };

/* The module's part of a snapshot. */
struct component_part {
	struct component_settings *settings;
	size_t count;
};

/* The module's part of a home. */
struct component_room {
	struct map *attached; /* domain -> struct component */
};

static const struct conf_option component_options[] = {
	{ .name = "secret",
	  .type = CONF_STRING,
	  .required = true,
	  .allowed = "at least 16 characters",
	  .sentence = "The secret that the component proves in its handshake, at least 16 characters.",
	  .example = "\"change-me-to-something-long\"" },
	{ .name = "name",
	  .type = CONF_STRING,
	  .sentence = "What service discovery calls the component; without it its domain.",
	  .example = "\"Customer relations\"" },
	{ .name = "conflict",
	  .type = CONF_CHOICE,
	  .fallback = "refuse",
	  .allowed = "refuse | replace",
	  .sentence = "What happens to a second connection of the same component: it is refused, or it takes "
	              "the place "
	              "of the first." },
	{ 0 },
};

static const struct conf_section_kind component_sections[] = {
	{ .name = "component",
	  .titled = true,
	  .options = component_options,
	  .sentence = "A business system that attaches as an external component (XEP-0114); the title is its "
	              "domain." },
	{ 0 },
};

/* Configuration */

static char *component_read(struct config *config, const struct conf_section *section,
                            struct component_settings *settings)
{
	struct jid domain;
	const char *title = conf_title(section);
	const char *secret = conf_string(section, "secret");
	const char *name = conf_string(section, "name");

	if (!jid_domain_prepare(&config->arena, title, strlen(title), &domain))
		return conf_fault(section, "component \"%s\" is not a domain name", title);
	if (strlen(secret) < SECRET_MIN)
		return conf_fault(
			section,
			"the secret of component \"%s\" is too short, allowed: at least %d characters", title,
			SECRET_MIN);
	settings->domain = domain.text;
	settings->secret = secret;
	settings->replace = strcmp(conf_string(section, "conflict"), "replace") == 0;
	if (!config_add_domain(config, domain.text, &component_destination, name ? name : domain.text))
		return conf_fault(section, "the domain \"%s\" has another section already", title);
	return NULL;
}

static void *component_configure(struct config *config, const struct conf *conf, char **error)
{
	struct component_part *part = arena_zalloc(&config->arena, sizeof(*part));
	size_t count = 0;

	while (conf_section_at(conf, "component", count))
		count++;
	part->settings = arena_zalloc(&config->arena, count * sizeof(*part->settings));
	for (; part->count < count; part->count++) {
		*error = component_read(config, conf_section_at(conf, "component", part->count),
		                        &part->settings[part->count]);
		if (*error)
			return NULL;
	}
	return part;
}

const struct component_settings *component_settings_at(const struct config *config, size_t number)
{
	const struct component_part *part = config_part(config, &component_module);

	return number < part->count ? &part->settings[number] : NULL;
}

const struct component_settings *component_settings_find(const struct config *config, const char *domain)
{
	const struct component_settings *settings;

	for (size_t i = 0; (settings = component_settings_at(config, i)); i++)
		if (strcmp(settings->domain, domain) == 0)
			break;
	return settings;
}

/* The place at the domain's home */

struct home *component_home(const struct home *from, const char *domain)
{
	return home_of(workers_home(from->server->workers, domain, strlen(domain)));
}

struct component *component_find(struct home *home, const char *domain, size_t len)
{
	struct component_room *room = home_part(home, &component_module);

	return map_find(room->attached, domain, len);
}

struct component *component_attach(struct home *home, const struct component_settings *settings,
                                   struct connection *connection, struct stream *stream)
{
	struct component_room *room = home_part(home, &component_module);
	struct component *component = component_find(home, settings->domain, strlen(settings->domain));
	struct address peer, own;

	if (component && !settings->replace)
		return NULL;
	if (component) {
		/* The old connection forgets its component when it is told that it is closed. */
		map_remove(room->attached, component->domain, strlen(component->domain));
		stream_fail(component->stream, STREAM_CONFLICT,
		            "replaced by a new connection of this component");
	}
	component = mem_zalloc(sizeof(*component));
	component->domain = str_dup(settings->domain);
	component->connection = connection;
	component->stream = stream;
	component->attached_ms = worker_now_ms(home->worker);
	conn_address(stream_conn(stream), &peer, &own);
	address_write(&peer, component->address);
	map_put(room->attached, component->domain, strlen(component->domain), component);
	return component;
}

void component_detach(struct home *home, struct component **component)
{
	struct component_room *room = home_part(home, &component_module);
	size_t len;

	if (!*component)
		return;
	len = strlen((*component)->domain);
	if (map_find(room->attached, (*component)->domain, len) == *component)
		map_remove(room->attached, (*component)->domain, len);
	free((*component)->domain);
	free(*component);
	*component = NULL;
}

/* Delivery */

static struct worker *component_worker(struct home *from, const struct parcel *parcel)
{
	return workers_home(from->server->workers, jid_domain_text(&parcel->to), parcel->to.domain_len);
}

/* How much more its connection may owe. */
static size_t component_room(const struct home *home, const struct component *component)
{
	size_t limit = home->config->limits.unsent, unsent = conn_unsent(stream_conn(component->stream));

	return unsent < limit ? limit - unsent : 0;
}

static void component_deliver(struct home *home, struct parcel *parcel)
{
	struct component *component =
		component_find(home, jid_domain_text(&parcel->to), parcel->to.domain_len);

	if (!component) {
		parcel_refused(home, &parcel, STANZA_REMOTE_SERVER_TIMEOUT, "the component is not connected");
	} else if (!stanza_fits(parcel->stanza, &parcel->to, home->config->limits.stanza_component)) {
		parcel_refused(home, &parcel, STANZA_POLICY_VIOLATION, "This is larger than components take");
	} else if (!stanza_fits(parcel->stanza, &parcel->to, component_room(home, component))) {
		parcel_refused(home, &parcel, STANZA_RESOURCE_CONSTRAINT,
		               "the component does not read fast enough");
	} else {
		component->to_component++;
		stream_send(component->stream, parcel, NULL, 0);
	}
}

const struct destination_class component_destination = {
	.name = "component",
	.home = component_worker,
	.deliver = component_deliver,
};

/* Life */

static void *component_home_open(struct home *home)
{
	struct component_room *room = mem_zalloc(sizeof(*room));

	room->attached = map_new(worker_seed(home->worker));
	return room;
}

static void component_home_close(struct home *home, void *part)
{
	struct component_room *room = part;

	(void)home;
	map_free(&room->attached);
	free(room);
}

/* A component that the new snapshot does not name any more loses its connection. */
static void component_home_configured(struct home *home)
{
	struct component_room *room = home_part(home, &component_module);
	struct map_walk walk = { 0 };
	struct component *component;

	while ((component = map_next(room->attached, &walk)))
		if (!component_settings_find(home->config, component->domain))
			stream_fail(component->stream, STREAM_HOST_GONE,
			            "this component is no longer configured");
}

static void component_home_drain(struct home *home)
{
	struct component_room *room = home_part(home, &component_module);
	struct map_walk walk = { 0 };
	struct component *component;

	while ((component = map_next(room->attached, &walk)))
		stream_fail(component->stream, STREAM_SYSTEM_SHUTDOWN, NULL);
}

static const struct module_spec component_specs[] = {
	{ "XEP-0114", "Jabber Component Protocol", "1.6", "accept" },
	{ 0 },
};

const struct module component_module = {
	.name = "component",
	.specs = component_specs,
	.options = component_sections,
	.commands = component_commands,
	.listens = 1u << LISTEN_COMPONENT,
	.accepted = connection_accepted,
	.configure = component_configure,
	.home_open = component_home_open,
	.home_close = component_home_close,
	.home_configured = component_home_configured,
	.home_drain = component_home_drain,
	.drains_late = true,
};
