/* SPDX-License-Identifier: MIT
 *
 * Private XML Storage (XEP-0049): elements of any namespace but the protocol's own, kept for their account by namespace and
 * name. A set may carry several of one namespace (§2.3); they are stored one after the other.
 */
#include "private.h"

#include <stdio.h>
#include <string.h>

#include "core/module.h"
#include "document.h"
#include "xmpp/ns.h"
#include "xmpp/writer.h"

enum { KEY_MAX = 1023, KEY_SIZE = KEY_MAX + 1 };

static void private_get(struct iq_request *request);
static void private_found(struct store_request *found);
static void private_set(struct iq_request *request);
static void private_stored(struct store_request *stored);

extern const struct module private_module;

struct private_limits {
	uint32_t bytes;    /* of one element */
	uint32_t elements; /* of an account */
};

void private_asked(struct iq_request *request)
{
	if (request->scope != IQ_OWN)
		iq_refuse(request, STANZA_FORBIDDEN, NULL);
	else if (request->parcel->stanza->type == IQ_GET)
		private_get(request);
	else
		private_set(request);
}

/* "namespace name": a namespace has no blanks that a name could be taken for. false: not an element that may be kept. */
static bool private_key(const struct element *element, char key[KEY_SIZE])
{
	int len = snprintf(key, KEY_SIZE, "%s %s", element->ns, element->name);

	return *element->ns && strcmp(element->ns, NS_PRIVATE) != 0 && len > 0 && len <= KEY_MAX;
}

static void private_get(struct iq_request *request)
{
	const struct element *asked = element_first(request->payload);
	char key[KEY_SIZE];

	if (!asked || element_next(request->payload, asked))
		iq_refuse(request, STANZA_BAD_REQUEST, "Ask for exactly one element");
	else if (!private_key(asked, key))
		iq_refuse(request, STANZA_NOT_ACCEPTABLE, NULL);
	else
		document_submit(request,
		                document_new(request, STORE_DOCUMENT_GET, "private", key, private_found));
}

/* What was never stored is answered with the empty element. */
static void private_found(struct store_request *found)
{
	struct store_document *document = (struct store_document *)found;
	struct iq_request *request = found->context;
	const struct element *asked = element_first(request->payload);
	struct stanza *result = iq_result(request);
	const struct stanza *unused = result;
	struct element *query = element_add(&result->arena, result->root, "query", NS_PRIVATE);
	bool is_fine = found->status == STORE_ABSENT;

	if (found->status == STORE_ABSENT)
		element_add(&result->arena, query, arena_str(&result->arena, asked->name),
		            arena_str(&result->arena, asked->ns));
	else if (found->status == STORE_OK)
		is_fine = document_add(request, result, query, document);
	if (is_fine) {
		iq_answer(request, result);
	} else {
		stanza_unref(&unused);
		iq_refuse(request, document_refusal(found->status), NULL);
	}
	store_request_free(found);
}

static size_t element_size(const struct element *element)
{
	struct buf text = { 0 };
	size_t size;

	writer_element(&text, element, NULL);
	size = text.len;
	buf_clear(&text);
	return size;
}

static const struct private_limits *private_limits(const struct iq_request *request)
{
	return config_part(request->config, &private_module);
}

/* All are looked at before the first is stored. */
static enum stanza_condition private_refusal(const struct iq_request *request)
{
	const struct private_limits *limits = private_limits(request);
	const struct element *first = element_first(request->payload);
	char key[KEY_SIZE];
	size_t count = 0;

	if (!first)
		return STANZA_NOT_ACCEPTABLE;
	for (const struct node *n = request->payload->first; n; n = n->next) {
		if (!n->element)
			continue;
		if (++count > limits->elements)
			return STANZA_RESOURCE_CONSTRAINT;
		if (!private_key(n->element, key) || strcmp(n->element->ns, first->ns) != 0 ||
		    element_size(n->element) > limits->bytes)
			return STANZA_NOT_ACCEPTABLE;
	}
	return STANZA_NO_ERROR;
}

/* Stores the element at that place among the children; behind the last all are stored. */
static void private_store(struct iq_request *request, uint64_t place)
{
	const struct element *element = element_first(request->payload);
	struct store_document *document;
	char key[KEY_SIZE];

	for (uint64_t i = 0; i < place && element; i++)
		element = element_next(request->payload, element);
	if (!element) {
		iq_done(request);
		return;
	}
	private_key(element, key);
	document = document_new(request, STORE_DOCUMENT_PUT, "private", key, private_stored);
	document_set(document, element);
	document->most = private_limits(request)->elements;
	document->request.token = place;
	document_submit(request, document);
}

static void private_set(struct iq_request *request)
{
	enum stanza_condition refusal = private_refusal(request);

	if (refusal)
		iq_refuse(request, refusal, NULL);
	else
		private_store(request, 0);
}

static void private_stored(struct store_request *stored)
{
	struct iq_request *request = stored->context;

	if (stored->status == STORE_OK)
		private_store(request, stored->token + 1);
	else
		iq_refuse(request, document_refusal(stored->status), NULL);
	store_request_free(stored);
}

static const struct iq_handler handlers[] = {
	{ "query", NS_PRIVATE, IQ_KIND_GET | IQ_KIND_SET, IQ_OWN | IQ_ACCOUNT, private_asked },
	{ 0 },
};

static const struct conf_option limit_options[] = {
	{ .name = "private-size", .type = CONF_SIZE, .fallback = "64kB", .min = 1024, .max = 524288,
	  .sentence = "How large one element of private storage may be." },
	{ .name = "private-elements", .type = CONF_INT, .fallback = "100", .min = 1, .max = 100000,
	  .sentence = "How many elements an account may keep in its private storage." },
	{ 0 },
};

static const struct conf_section_kind options[] = {
	{ .name = "limits", .options = limit_options },
	{ 0 },
};

static void *private_configure(struct config *config, const struct conf *conf, char **error)
{
	struct private_limits *limits = arena_alloc(&config->arena, sizeof(*limits));

	(void)error;
	limits->bytes = (uint32_t)conf_number(conf_section(conf, "limits"), "private-size");
	limits->elements = (uint32_t)conf_number(conf_section(conf, "limits"), "private-elements");
	return limits;
}

static const struct module_spec specs[] = {
	{ "XEP-0049", "Private XML Storage", "1.2", NULL },
	{ 0 },
};

static const char *const features[] = { NS_PRIVATE, NULL };

const struct module private_module = {
	.name = "private",
	.specs = specs,
	.host_features = features,
	.account_features = features,
	.iqs = handlers,
	.options = options,
	.configure = private_configure,
};
