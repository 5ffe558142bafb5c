/* SPDX-License-Identifier: MIT
 *
 * External Service Discovery (XEP-0215): the STUN and TURN servers and the like that the configuration names, for accounts of
 * this server alone. Where a secret is shared with a service, everybody gets credentials of his own that expire: the name is
 * the time of expiry and the account, the password its HMAC-SHA1 in base 64, as TURN servers check it
 * (draft-uberti-behave-turn-rest-00 §2.2).
 */
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "core/iq.h"
#include "core/module.h"
#include "xmpp/ns.h"
#include "xmpp/stamp.h"

enum { PORT_SIZE = 8 };

extern const struct module services_module;

struct service {
	const char *type, *host, *transport;
	const char *secret;     /* NULL: no credentials are needed */
	int64_t valid_ms;
	char port[PORT_SIZE];
};

struct services {
	struct service *services;
	size_t count;
};

/* ---- credentials ---- */

static void credentials_add(struct arena *arena, struct element *element, const struct service *service,
                            const struct jid *who, int64_t now_us)
{
	int64_t expires_s = now_us / 1000000 + service->valid_ms / 1000;
	const char *name = arena_printf(arena, "%lld:%.*s", (long long)expires_s, (int)jid_bare_len(who), who->text);
	uint8_t mac[DIGEST_MAX];
	char stamp[STAMP_LEN + 1];
	struct buf password = { 0 };

	digest_hmac(DIGEST_SHA1, service->secret, strlen(service->secret), name, strlen(name), mac);
	base64_encode(&password, mac, digest_size(DIGEST_SHA1));
	buf_add_char(&password, '\0');
	stamp_write(expires_s * 1000000, stamp);
	element_set(arena, element, "username", name);
	element_set(arena, element, "password", password.data);
	element_set(arena, element, "expires", stamp);
	element_set(arena, element, "restricted", "true");
	buf_clear(&password);
}

static void service_add(const struct iq_request *request, struct stanza *result, struct element *parent,
                        const struct service *service)
{
	struct arena *arena = &result->arena;
	struct element *element = element_add(arena, parent, "service", NS_EXTDISCO);
	int64_t now_us = clock_wall_us(worker_clock(request->home->worker));

	element_set(arena, element, "type", service->type);
	element_set(arena, element, "host", service->host);
	element_set(arena, element, "port", service->port);
	element_set(arena, element, "transport", service->transport);
	if (service->secret)
		credentials_add(arena, element, service, &request->parcel->stanza->from, now_us);
}

/* ---- requests (§3.1 to §3.3) ---- */

static bool is_asked_for(const char *asked, const char *value)
{
	return !asked || strcmp(asked, value) == 0;
}

static void services_list(struct iq_request *request, const struct services *services)
{
	const char *type = element_attr(request->payload, "type");
	struct stanza *result = iq_result(request);
	struct element *list = element_add(&result->arena, result->root, "services", NS_EXTDISCO);

	element_set(&result->arena, list, "type", type);
	for (size_t i = 0; i < services->count; i++) {
		if (is_asked_for(type, services->services[i].type))
			service_add(request, result, list, &services->services[i]);
	}
	iq_answer(request, result);
}

static void services_give_credentials(struct iq_request *request, const struct services *services)
{
	const struct element *asked = element_child(request->payload, "service", NS_EXTDISCO);
	const char *type = asked ? element_attr(asked, "type") : NULL;
	const char *host = asked ? element_attr(asked, "host") : NULL;
	struct stanza *result = iq_result(request);
	const struct stanza *unused = result;
	struct element *list = element_add(&result->arena, result->root, "credentials", NS_EXTDISCO);

	for (size_t i = 0; type && host && i < services->count; i++) {
		const struct service *service = &services->services[i];

		if (service->secret && strcmp(type, service->type) == 0 && strcmp(host, service->host) == 0 &&
		    is_asked_for(element_attr(asked, "port"), service->port))
			service_add(request, result, list, service);
	}
	if (list->first) {
		iq_answer(request, result);
		return;
	}
	stanza_unref(&unused);
	iq_refuse(request, type && host ? STANZA_ITEM_NOT_FOUND : STANZA_BAD_REQUEST, NULL);
}

/* §7: what is offered here is paid for here. */
static void services_asked(struct iq_request *request)
{
	const struct services *services = config_part(request->config, &services_module);
	const struct jid *from = &request->parcel->stanza->from;

	if (from->local_len == 0 || !config_host(request->config, jid_domain_text(from), from->domain_len))
		iq_refuse(request, STANZA_FORBIDDEN, NULL);
	else if (strcmp(request->payload->name, "services") == 0)
		services_list(request, services);
	else
		services_give_credentials(request, services);
}

static const struct iq_handler handlers[] = {
	{ "services", NS_EXTDISCO, IQ_KIND_GET, IQ_HOST, services_asked },
	{ "credentials", NS_EXTDISCO, IQ_KIND_GET, IQ_HOST, services_asked },
	{ 0 },
};

/* ---- the configuration ---- */

static const struct conf_option service_options[] = {
	{ .name = "type", .type = CONF_STRING, .required = true, .example = "turn",
	  .sentence = "What the service is, such as stun, turn or turns." },
	{ .name = "address", .type = CONF_STRING, .required = true, .example = "turn.example.org",
	  .sentence = "The name or the IP address where clients find it." },
	{ .name = "port", .type = CONF_INT, .fallback = "3478", .min = 1, .max = 65535,
	  .sentence = "The port where clients find it." },
	{ .name = "transport", .type = CONF_CHOICE, .fallback = "udp", .allowed = "udp | tcp",
	  .sentence = "The protocol below." },
	{ .name = "secret", .type = CONF_STRING,
	  .sentence = "A secret shared with the service, from which credentials are made for each user; without it the "
	              "service asks for none." },
	{ .name = "valid", .type = CONF_TIME, .fallback = "1d", .min = 60000, .max = 2592000000,
	  .sentence = "How long these credentials may be used." },
	{ 0 },
};

static const struct conf_section_kind options[] = {
	{ .name = "service", .titled = true, .options = service_options,
	  .sentence = "A server elsewhere that clients learn of, for calls; the title is a name of your choice." },
	{ 0 },
};

static void *services_configure(struct config *config, const struct conf *conf, char **error)
{
	struct services *services = arena_zalloc(&config->arena, sizeof(*services));
	const struct conf_section *section;

	(void)error;
	while (conf_section_at(conf, "service", services->count))
		services->count++;
	services->services = arena_zalloc(&config->arena, (services->count + 1) * sizeof(*services->services));
	for (size_t i = 0; (section = conf_section_at(conf, "service", i)); i++) {
		struct service *service = &services->services[i];

		service->type = conf_string(section, "type");
		service->host = conf_string(section, "address");
		service->transport = conf_string(section, "transport");
		service->secret = conf_string(section, "secret");
		service->valid_ms = conf_number(section, "valid");
		snprintf(service->port, sizeof(service->port), "%u", (unsigned)conf_number(section, "port"));
	}
	return services;
}

static const struct module_spec specs[] = {
	{ "XEP-0215", "External Service Discovery", "1.0.0", NULL },
	{ 0 },
};

static const char *const features[] = { NS_EXTDISCO, NULL };

const struct module services_module = {
	.name = "services",
	.specs = specs,
	.host_features = features,
	.iqs = handlers,
	.options = options,
	.configure = services_configure,
};
