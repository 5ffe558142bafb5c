/* SPDX-License-Identifier: MIT
 *
 * Service discovery, XEP-0030, answered for hosts (§3.1, §4.1) and for accounts (§3.1 examples 5 and 6,
 * §8), and the server's own entity capabilities (XEP-0115). An account tells those who may see its presence
 * and nobody else: for others it looks like an address that does not exist.
 */
#include "core/disco.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "core/account.h"
#include "core/caps.h"
#include "core/iq.h"
#include "core/session.h"
#include "xmpp/ns.h"

#define DISCO_NODE "urn:x-hansa:server" /* of our capabilities: the software, XEP-0115 §4 */

/* Our capabilities as one host: its options decide about some. */
struct disco_caps {
	char node[sizeof(DISCO_NODE "#") + CAPS_VER_LEN]; /* that clients ask for, §6.2 of XEP-0115 */
	char *element;                                    /* the <c/> */
};

/* This module's part of a home: by number of the snapshot's hosts. */
struct disco_part {
	struct disco_caps *caps;
	size_t count;
};

/* ---- what is announced ---- */

static int text_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Each once, in order. */
static void features_add(struct arena *arena, struct element *query, const char **features, size_t count)
{
	qsort(features, count, sizeof(*features), text_compare);
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || strcmp(features[i], features[i - 1]) != 0)
			disco_add_feature(arena, query, features[i]);
	}
}

enum { FEATURES_MAX = 256 };

static size_t features_append(const char **features, size_t count, const char *const *more)
{
	for (; more && *more && count < FEATURES_MAX; more++)
		features[count++] = *more;
	return count;
}

static struct element *identity_add(struct arena *arena, struct element *query, const char *category,
                                    const char *type)
{
	struct element *identity = element_add(arena, query, "identity", NS_DISCO_INFO);

	element_set(arena, identity, "category", category);
	element_set(arena, identity, "type", type);
	return identity;
}

static struct element *query_add(struct arena *arena, struct element *parent, const char *ns,
                                 const char *node)
{
	struct element *query =
		parent ? element_add(arena, parent, "query", ns) : element_new(arena, "query", ns);

	element_set(arena, query, "node", node);
	return query;
}

void disco_add_feature(struct arena *arena, struct element *query, const char *feature)
{
	element_set(arena, element_add(arena, query, "feature", NS_DISCO_INFO), "var", feature);
}

struct element *disco_host_info(struct arena *arena, struct element *parent, const struct config *config,
                                const struct host *host, const char *node)
{
	struct element *query = query_add(arena, parent, NS_DISCO_INFO, node);
	const char *features[FEATURES_MAX];
	size_t count = 0;

	element_set(arena, identity_add(arena, query, "server", "im"), "name", "Hansa");
	for (const struct module *const *module = config->modules; *module; module++)
		count = features_append(features, count, (*module)->host_features);
	features_add(arena, query, features, count);
	for (const struct module *const *module = config->modules; *module; module++) {
		if ((*module)->host_described)
			(*module)->host_described(config, host, arena, query);
	}
	return query;
}

static void account_info_add(struct arena *arena, struct element *parent, const struct account *account)
{
	const struct module *const *module = account->home->server->modules;
	struct element *query = query_add(arena, parent, NS_DISCO_INFO, NULL);
	const char *features[FEATURES_MAX];
	size_t count = 0;

	identity_add(arena, query, "account", "registered");
	for (; *module; module++) {
		const char *const *identity = (*module)->account_identities;

		if ((*module)->account_offers && !(*module)->account_offers(account))
			continue;
		for (; identity && identity[0]; identity += 2)
			identity_add(arena, query, identity[0], identity[1]);
		count = features_append(features, count, (*module)->account_features);
	}
	features_add(arena, query, features, count);
}

static void item_add(struct arena *arena, struct element *query, const char *jid, const char *name)
{
	struct element *item = element_add(arena, query, "item", NS_DISCO_ITEMS);

	element_set(arena, item, "jid", jid);
	element_set(arena, item, "name", name);
}

static bool domain_is_below(const char *domain, const char *host)
{
	size_t domain_len = strlen(domain), host_len = strlen(host);

	return domain_len > host_len && domain[domain_len - host_len - 1] == '.' &&
	       strcmp(domain + domain_len - host_len, host) == 0;
}

/* A service below one host is listed there; one that is below none is everybody's. */
static bool host_lists(const struct config *config, const struct host *host,
                       const struct destination *destination)
{
	if (!destination->name)
		return false;
	if (domain_is_below(destination->domain, host->domain))
		return true;
	for (size_t i = 0; i < config->host_count; i++) {
		if (domain_is_below(destination->domain, config->hosts[i].domain))
			return false;
	}
	return true;
}

static int destination_compare(const void *a, const void *b)
{
	const struct destination *const *left = a, *const *right = b;

	return strcmp((*left)->domain, (*right)->domain);
}

static void host_items_add(struct arena *arena, struct element *parent, const struct config *config,
                           const struct host *host)
{
	struct element *query = query_add(arena, parent, NS_DISCO_ITEMS, NULL);
	const struct destination **listed = mem_alloc(map_count(config->domains) * sizeof(*listed)),
				 *destination;
	struct map_walk walk = { 0 };
	size_t count = 0;

	while ((destination = map_next(config->domains, &walk))) {
		if (host_lists(config, host, destination))
			listed[count++] = destination;
	}
	qsort(listed, count, sizeof(*listed), destination_compare);
	for (size_t i = 0; i < count; i++)
		item_add(arena, query, listed[i]->domain, listed[i]->name);
	free(listed);
}

struct element *disco_account_items(struct arena *arena, struct element *parent, const struct account *account)
{
	struct element *query = query_add(arena, parent, NS_DISCO_ITEMS, NULL);

	for (struct list_link *link = list_first(&account->sessions); link;
	     link = list_next(&account->sessions, link)) {
		const struct session *session = LIST_MEMBER(link, struct session, link);

		if (session_is_available(session))
			item_add(arena, query, session->jid.text, NULL);
	}
	return query;
}

/* ---- what is asked ---- */

/* host: of the home's snapshot. */
static const struct disco_caps *host_caps(const struct home *home, const struct host *host)
{
	const struct disco_part *part = home_part(home, &disco_module);
	size_t number = (size_t)(host - home->config->hosts);

	assert(number < part->count);
	return &part->caps[number];
}

/* §8: who may not know is told what it would be told of an address that does not exist. */
static enum stanza_condition account_refusal(const struct iq_request *request, const char *node)
{
	if (request->scope != IQ_OWN &&
	    !account_shares_presence(request->account, &request->parcel->stanza->from))
		return STANZA_SERVICE_UNAVAILABLE;
	return node ? STANZA_ITEM_NOT_FOUND : STANZA_NO_ERROR;
}

static enum stanza_condition host_refusal(const struct iq_request *request, const char *node)
{
	const struct disco_caps *caps = host_caps(request->home, request->host);
	bool of_caps =
		node && strcmp(node, caps->node) == 0 && strcmp(request->payload->ns, NS_DISCO_INFO) == 0;

	return !node || of_caps ? STANZA_NO_ERROR : STANZA_ITEM_NOT_FOUND;
}

void disco_asked(struct iq_request *request)
{
	const char *node = element_attr(request->payload, "node");
	bool of_info = strcmp(request->payload->ns, NS_DISCO_INFO) == 0;
	enum stanza_condition refusal =
		request->scope == IQ_HOST ? host_refusal(request, node) : account_refusal(request, node);
	struct stanza *result;

	if (refusal != STANZA_NO_ERROR) {
		iq_refuse(request, refusal, NULL);
		return;
	}
	result = iq_result(request);
	if (request->scope == IQ_HOST && of_info)
		disco_host_info(&result->arena, result->root, request->config, request->host, node);
	else if (request->scope == IQ_HOST)
		host_items_add(&result->arena, result->root, request->home->config, request->host);
	else if (of_info)
		account_info_add(&result->arena, result->root, request->account);
	else
		disco_account_items(&result->arena, result->root, request->account);
	iq_answer(request, result);
}

/* ---- XEP-0115 §6.3: in the features of each stream ---- */

static void caps_make(struct disco_caps *caps, const struct config *config, const struct host *host)
{
	char ver[CAPS_VER_LEN + 1];
	struct arena arena;

	arena_init(&arena, 0);
	caps_ver(disco_host_info(&arena, NULL, config, host, NULL), ver);
	arena_clear(&arena);
	snprintf(caps->node, sizeof(caps->node), DISCO_NODE "#%s", ver);
	caps->element = str_printf("<c xmlns='" NS_CAPS "' hash='sha-1' node='" DISCO_NODE "' ver='%s'/>", ver);
}

static void part_fill(struct disco_part *part, const struct config *config)
{
	part->count = config->host_count;
	part->caps = mem_zalloc(part->count * sizeof(*part->caps));
	for (size_t i = 0; i < part->count; i++)
		caps_make(&part->caps[i], config, &config->hosts[i]);
}

static void part_clear(struct disco_part *part)
{
	for (size_t i = 0; i < part->count; i++)
		free(part->caps[i].element);
	free(part->caps);
}

static void *disco_home_open(struct home *home)
{
	struct disco_part *part = mem_zalloc(sizeof(*part));

	part_fill(part, home->config);
	return part;
}

static void disco_home_configured(struct home *home)
{
	struct disco_part *part = home_part(home, &disco_module);

	part_clear(part);
	part_fill(part, home->config);
}

static void disco_home_close(struct home *home, void *part)
{
	(void)home;
	part_clear(part);
	free(part);
}

const char *disco_caps_element(const struct home *home, const struct host *host)
{
	return host_caps(home, host)->element;
}

/* ---- the module ---- */

static const struct module_spec disco_specs[] = {
	{ "XEP-0030", "Service Discovery", "2.5.0", NULL },
	{ "XEP-0115", "Entity Capabilities", "1.6.0", NULL },
	{ 0 },
};

static const char *const disco_host_features[] = { NS_DISCO_INFO, NS_DISCO_ITEMS, NS_CAPS, NULL };
static const char *const disco_account_features[] = { NS_DISCO_INFO, NS_DISCO_ITEMS, NULL };

static const struct iq_handler disco_iqs[] = {
	{ "query", NS_DISCO_INFO, IQ_KIND_GET, IQ_HOST | IQ_OWN | IQ_ACCOUNT, disco_asked },
	{ "query", NS_DISCO_ITEMS, IQ_KIND_GET, IQ_HOST | IQ_OWN | IQ_ACCOUNT, disco_asked },
	{ 0 },
};

const struct module disco_module = {
	.name = "disco",
	.specs = disco_specs,
	.host_features = disco_host_features,
	.account_features = disco_account_features,
	.iqs = disco_iqs,
	.home_open = disco_home_open,
	.home_close = disco_home_close,
	.home_configured = disco_home_configured,
};
