/* SPDX-License-Identifier: MIT
 *
 * Contact addresses (XEP-0157): whom to write to about abuse, trouble or sales, as a form in disco#info of the host
 * (XEP-0128). Each kind of addresses is an option of the section host; without any there is no form.
 */
#include <ctype.h>
#include <string.h>

#include "core/module.h"
#include "xmpp/dataform.h"

extern const struct module addresses_module;

#define SERVERINFO "http://jabber.org/network/serverinfo"

/* The fields of §7.1 are named like the options. */
static const struct conf_option host_options[] = {
	{ .name = "abuse-addresses", .type = CONF_LIST, .example = "{ \"mailto:abuse@north.example\" }",
	  .sentence = "Where abuse by users of this host is reported, as URIs that everybody can see." },
	{ .name = "admin-addresses", .type = CONF_LIST, .example = "{ \"xmpp:admin@north.example\" }",
	  .sentence = "Where the administrators of this host are reached." },
	{ .name = "feedback-addresses", .type = CONF_LIST, .example = "{ \"https://north.example/feedback\" }",
	  .sentence = "Where users say what they think." },
	{ .name = "sales-addresses", .type = CONF_LIST, .example = "{ \"mailto:sales@north.example\" }",
	  .sentence = "Where customers ask." },
	{ .name = "security-addresses", .type = CONF_LIST, .example = "{ \"mailto:security@north.example\" }",
	  .sentence = "Where security faults are reported." },
	{ .name = "status-addresses", .type = CONF_LIST, .example = "{ \"https://status.north.example\" }",
	  .sentence = "Where one sees whether the service works." },
	{ .name = "support-addresses", .type = CONF_LIST, .example = "{ \"xmpp:support@north.example\" }",
	  .sentence = "Where users find help." },
	{ 0 },
};
enum { KINDS = sizeof(host_options) / sizeof(*host_options) - 1 };

static const struct conf_section_kind options[] = {
	{ .name = "host", .titled = true, .options = host_options },
	{ 0 },
};

struct addresses {
	const char **uris;
	size_t count;
};

/* The part of a snapshot: KINDS for each host. */
static const struct addresses *addresses_of(const struct config *config, const struct host *host)
{
	const struct addresses *all = config_part(config, &addresses_module);

	return all + (size_t)(host - config->hosts) * KINDS;
}

/* A scheme and something behind it (RFC 3986 §3.1). */
static bool is_uri(const char *text)
{
	size_t len = 0;

	while (isalnum((unsigned char)text[len]) || (len && text[len] && strchr("+-.", text[len])))
		len++;
	return isalpha((unsigned char)*text) && text[len] == ':' && text[len + 1] && !strpbrk(text, " \t\r\n<>\"");
}

static char *addresses_read(struct config *config, const struct conf_section *section, const char *option,
                            struct addresses *addresses)
{
	addresses->count = conf_list_count(section, option);
	addresses->uris = arena_zalloc(&config->arena, addresses->count * sizeof(*addresses->uris));
	for (size_t i = 0; i < addresses->count; i++) {
		addresses->uris[i] = conf_list_at(section, option, i);
		if (!is_uri(addresses->uris[i]))
			return conf_fault(section, "bad value \"%s\" for %s; allowed: a URI, like mailto:help@%s",
			                  addresses->uris[i], option, conf_title(section));
	}
	return NULL;
}

static void *addresses_configure(struct config *config, const struct conf *conf, char **error)
{
	struct addresses *all = arena_zalloc(&config->arena, config->host_count * KINDS * sizeof(*all));

	for (size_t i = 0; i < config->host_count * KINDS && !*error; i++)
		*error = addresses_read(config, conf_section_at(conf, "host", i / KINDS), host_options[i % KINDS].name,
		                        &all[i]);
	return *error ? NULL : all;
}

/* §3 */
static void addresses_describe(const struct config *config, const struct host *host, struct arena *arena,
                               struct element *query)
{
	const struct addresses *addresses = addresses_of(config, host);
	struct element *form = NULL, *field;

	for (size_t kind = 0; kind < KINDS; kind++) {
		if (addresses[kind].count == 0)
			continue;
		if (!form)
			form = dataform_add(arena, query, "result", SERVERINFO);
		field = dataform_add_field(arena, form, host_options[kind].name, "list-multi", NULL, NULL);
		for (size_t i = 0; i < addresses[kind].count; i++)
			dataform_add_value(arena, field, addresses[kind].uris[i]);
	}
}

static const struct module_spec specs[] = {
	{ "XEP-0157", "Contact Addresses for XMPP Services", "1.1.1", NULL },
	{ "XEP-0128", "Service Discovery Extensions", "1.0.1", NULL },
	{ 0 },
};

const struct module addresses_module = {
	.name = "addresses",
	.specs = specs,
	.options = options,
	.configure = addresses_configure,
	.host_described = addresses_describe,
};
