/* SPDX-License-Identifier: MIT
 *
 * vcard-temp (XEP-0054): an account's own vCard (§3.1, §3.2), shown to everybody who asks (§3.3). To others an account
 * without a vCard looks like an account that does not exist.
 */
#include "core/module.h"
#include "avatar.h"
#include "document.h"
#include "xmpp/ns.h"

static void vcard_found(struct store_request *request);
static void vcard_stored(struct store_request *request);

static void vcard_get(struct iq_request *request)
{
	document_submit(request, document_new(request, STORE_DOCUMENT_GET, "vcard", "", vcard_found));
}

static void vcard_found(struct store_request *found)
{
	struct store_document *document = (struct store_document *)found;
	struct iq_request *request = found->context;
	struct stanza *result = iq_result(request);
	const struct stanza *unused = result;
	enum stanza_condition refusal = STANZA_NO_ERROR;

	if (found->status != STORE_OK)
		refusal = document_refusal(found->status);
	else if (!document_add(request, result, result->root, document))
		refusal = STANZA_INTERNAL_SERVER_ERROR;
	if (refusal == STANZA_ITEM_NOT_FOUND && request->scope != IQ_OWN)
		refusal = STANZA_SERVICE_UNAVAILABLE;
	if (refusal) {
		stanza_unref(&unused);
		iq_refuse(request, refusal, NULL);
	} else {
		iq_answer(request, result);
	}
	store_request_free(found);
}

static void vcard_set(struct iq_request *request)
{
	struct store_document *document;

	if (request->scope != IQ_OWN) {
		iq_refuse(request, STANZA_FORBIDDEN, NULL);
		return;
	}
	document = document_new(request, STORE_DOCUMENT_PUT, "vcard", "", vcard_stored);
	document_set(document, request->payload);
	document_submit(request, document);
}

static void vcard_stored(struct store_request *stored)
{
	struct iq_request *request = stored->context;

	if (stored->status == STORE_OK) {
		avatar_vcard_stored(request->home, &request->parcel->to, request->payload);
		iq_done(request);
	} else {
		iq_refuse(request, document_refusal(stored->status), NULL);
	}
	store_request_free(stored);
}

static const struct iq_handler handlers[] = {
	{ "vCard", NS_VCARD, IQ_KIND_GET, IQ_OWN | IQ_ACCOUNT, vcard_get },
	{ "vCard", NS_VCARD, IQ_KIND_SET, IQ_OWN | IQ_ACCOUNT, vcard_set },
	{ 0 },
};

static const struct module_spec specs[] = {
	{ "XEP-0054", "vcard-temp", "1.3.0", NULL },
	{ 0 },
};

static const char *const features[] = { NS_VCARD, NULL };

extern const struct module vcard_module;
const struct module vcard_module = {
	.name = "vcard",
	.specs = specs,
	.host_features = features,
	.account_features = features,
	.iqs = handlers,
};
