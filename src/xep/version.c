/* SPDX-License-Identifier: MIT
 *
 * Software Version (XEP-0092) of the server. The operating system is nobody's business (§5).
 */
#include "core/iq.h"
#include "core/module.h"
#include "xmpp/ns.h"

static void version_asked(struct iq_request *request)
{
	struct stanza *result = iq_result(request);
	struct arena *arena = &result->arena;
	struct element *query = element_add(arena, result->root, "query", NS_VERSION);

	element_add_text(arena, element_add(arena, query, "name", NS_VERSION), "Hansa");
	element_add_text(arena, element_add(arena, query, "version", NS_VERSION), HANSA_VERSION);
	iq_answer(request, result);
}

static const struct iq_handler handlers[] = {
	{ "query", NS_VERSION, IQ_KIND_GET, IQ_HOST, version_asked },
	{ 0 },
};

static const struct module_spec specs[] = {
	{ "XEP-0092", "Software Version", "1.1", NULL },
	{ 0 },
};

static const char *const features[] = { NS_VERSION, NULL };

extern const struct module version_module;
const struct module version_module = {
	.name = "version",
	.specs = specs,
	.host_features = features,
	.iqs = handlers,
};
