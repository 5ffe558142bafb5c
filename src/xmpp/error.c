/* SPDX-License-Identifier: MIT
 *
 * The names of the conditions of RFC 6120 and the error type that goes with each (§8.3.3; where the RFC
 * leaves a choice, the one that it names first, and "cancel" for undefined-condition).
 */
#include "xmpp/error.h"

#include <assert.h>
#include <string.h>

#include "xmpp/ns.h"

static const struct {
	const char *name, *type;
} stanza_conditions[STANZA_CONDITIONS] = {
	[STANZA_BAD_REQUEST] = { "bad-request", "modify" },
	[STANZA_CONFLICT] = { "conflict", "cancel" },
	[STANZA_FEATURE_NOT_IMPLEMENTED] = { "feature-not-implemented", "cancel" },
	[STANZA_FORBIDDEN] = { "forbidden", "auth" },
	[STANZA_GONE] = { "gone", "cancel" },
	[STANZA_INTERNAL_SERVER_ERROR] = { "internal-server-error", "cancel" },
	[STANZA_ITEM_NOT_FOUND] = { "item-not-found", "cancel" },
	[STANZA_JID_MALFORMED] = { "jid-malformed", "modify" },
	[STANZA_NOT_ACCEPTABLE] = { "not-acceptable", "modify" },
	[STANZA_NOT_ALLOWED] = { "not-allowed", "cancel" },
	[STANZA_NOT_AUTHORIZED] = { "not-authorized", "auth" },
	[STANZA_POLICY_VIOLATION] = { "policy-violation", "modify" },
	[STANZA_RECIPIENT_UNAVAILABLE] = { "recipient-unavailable", "wait" },
	[STANZA_REDIRECT] = { "redirect", "modify" },
	[STANZA_REGISTRATION_REQUIRED] = { "registration-required", "auth" },
	[STANZA_REMOTE_SERVER_NOT_FOUND] = { "remote-server-not-found", "cancel" },
	[STANZA_REMOTE_SERVER_TIMEOUT] = { "remote-server-timeout", "wait" },
	[STANZA_RESOURCE_CONSTRAINT] = { "resource-constraint", "wait" },
	[STANZA_SERVICE_UNAVAILABLE] = { "service-unavailable", "cancel" },
	[STANZA_SUBSCRIPTION_REQUIRED] = { "subscription-required", "auth" },
	[STANZA_UNDEFINED_CONDITION] = { "undefined-condition", "cancel" },
	[STANZA_UNEXPECTED_REQUEST] = { "unexpected-request", "wait" },
};

static const char *const stream_conditions[STREAM_CONDITIONS] = {
	[STREAM_BAD_FORMAT] = "bad-format",
	[STREAM_BAD_NAMESPACE_PREFIX] = "bad-namespace-prefix",
	[STREAM_CONFLICT] = "conflict",
	[STREAM_CONNECTION_TIMEOUT] = "connection-timeout",
	[STREAM_HOST_GONE] = "host-gone",
	[STREAM_HOST_UNKNOWN] = "host-unknown",
	[STREAM_IMPROPER_ADDRESSING] = "improper-addressing",
	[STREAM_INTERNAL_SERVER_ERROR] = "internal-server-error",
	[STREAM_INVALID_FROM] = "invalid-from",
	[STREAM_INVALID_NAMESPACE] = "invalid-namespace",
	[STREAM_INVALID_XML] = "invalid-xml",
	[STREAM_NOT_AUTHORIZED] = "not-authorized",
	[STREAM_NOT_WELL_FORMED] = "not-well-formed",
	[STREAM_POLICY_VIOLATION] = "policy-violation",
	[STREAM_REMOTE_CONNECTION_FAILED] = "remote-connection-failed",
	[STREAM_RESET] = "reset",
	[STREAM_RESOURCE_CONSTRAINT] = "resource-constraint",
	[STREAM_RESTRICTED_XML] = "restricted-xml",
	[STREAM_SEE_OTHER_HOST] = "see-other-host",
	[STREAM_SYSTEM_SHUTDOWN] = "system-shutdown",
	[STREAM_UNDEFINED_CONDITION] = "undefined-condition",
	[STREAM_UNSUPPORTED_ENCODING] = "unsupported-encoding",
	[STREAM_UNSUPPORTED_FEATURE] = "unsupported-feature",
	[STREAM_UNSUPPORTED_STANZA_TYPE] = "unsupported-stanza-type",
	[STREAM_UNSUPPORTED_VERSION] = "unsupported-version",
};

static const char *const sasl_conditions[SASL_CONDITIONS] = {
	[SASL_ABORTED] = "aborted",
	[SASL_ACCOUNT_DISABLED] = "account-disabled",
	[SASL_CREDENTIALS_EXPIRED] = "credentials-expired",
	[SASL_ENCRYPTION_REQUIRED] = "encryption-required",
	[SASL_INCORRECT_ENCODING] = "incorrect-encoding",
	[SASL_INVALID_AUTHZID] = "invalid-authzid",
	[SASL_INVALID_MECHANISM] = "invalid-mechanism",
	[SASL_MALFORMED_REQUEST] = "malformed-request",
	[SASL_MECHANISM_TOO_WEAK] = "mechanism-too-weak",
	[SASL_NOT_AUTHORIZED] = "not-authorized",
	[SASL_TEMPORARY_AUTH_FAILURE] = "temporary-auth-failure",
};

const char *stanza_condition_name(enum stanza_condition condition)
{
	assert(condition > STANZA_NO_ERROR && condition < STANZA_CONDITIONS);
	return stanza_conditions[condition].name;
}

const char *stanza_condition_type(enum stanza_condition condition)
{
	assert(condition > STANZA_NO_ERROR && condition < STANZA_CONDITIONS);
	return stanza_conditions[condition].type;
}

const char *stream_condition_name(enum stream_condition condition)
{
	assert(condition > STREAM_NO_ERROR && condition < STREAM_CONDITIONS);
	return stream_conditions[condition];
}

const char *sasl_condition_name(enum sasl_condition condition)
{
	assert(condition > SASL_NO_ERROR && condition < SASL_CONDITIONS);
	return sasl_conditions[condition];
}

/* The child in the conditions' namespace that is not the text. NULL: none. */
static const char *condition_name_of(const struct element *error, const char *ns)
{
	for (const struct node *node = error->first; node; node = node->next)
		if (node->element && strcmp(node->element->ns, ns) == 0 &&
		    strcmp(node->element->name, "text") != 0)
			return node->element->name;
	return NULL;
}

enum stanza_condition stanza_condition_of(const struct element *error)
{
	const char *name = condition_name_of(error, NS_STANZA_ERRORS);

	for (int i = STANZA_NO_ERROR + 1; name && i < STANZA_CONDITIONS; i++)
		if (strcmp(stanza_conditions[i].name, name) == 0)
			return (enum stanza_condition)i;
	return STANZA_UNDEFINED_CONDITION;
}

enum stream_condition stream_condition_of(const struct element *error)
{
	const char *name = condition_name_of(error, NS_STREAM_ERRORS);

	for (int i = STREAM_NO_ERROR + 1; name && i < STREAM_CONDITIONS; i++)
		if (strcmp(stream_conditions[i], name) == 0)
			return (enum stream_condition)i;
	return STREAM_UNDEFINED_CONDITION;
}

void error_add(struct arena *arena, struct element *root, enum stanza_condition condition, const char *text)
{
	struct element *error = element_add(arena, root, "error", root->ns);

	element_set(arena, error, "type", stanza_condition_type(condition));
	element_add(arena, error, stanza_condition_name(condition), NS_STANZA_ERRORS);
	if (text) {
		struct element *reason = element_add(arena, error, "text", NS_STANZA_ERRORS);

		element_set_ns(arena, reason, "lang", NS_XML, "en");
		element_add_text(arena, reason, text);
	}
}
