/* SPDX-License-Identifier: MIT
 *
 * The conditions of RFC 6120: stanza errors (§8.3.3), stream errors (§4.9.3), SASL failures (§6.5). Names and
 * default error types as in the RFC.
 */
#ifndef XMPP_ERROR_H
#define XMPP_ERROR_H

#include "xmpp/element.h"

enum stanza_condition {
	STANZA_NO_ERROR,
	STANZA_BAD_REQUEST, STANZA_CONFLICT, STANZA_FEATURE_NOT_IMPLEMENTED, STANZA_FORBIDDEN, STANZA_GONE,
	STANZA_INTERNAL_SERVER_ERROR, STANZA_ITEM_NOT_FOUND, STANZA_JID_MALFORMED, STANZA_NOT_ACCEPTABLE,
	STANZA_NOT_ALLOWED, STANZA_NOT_AUTHORIZED, STANZA_POLICY_VIOLATION, STANZA_RECIPIENT_UNAVAILABLE,
	STANZA_REDIRECT, STANZA_REGISTRATION_REQUIRED, STANZA_REMOTE_SERVER_NOT_FOUND,
	STANZA_REMOTE_SERVER_TIMEOUT,
	STANZA_RESOURCE_CONSTRAINT, STANZA_SERVICE_UNAVAILABLE, STANZA_SUBSCRIPTION_REQUIRED,
	STANZA_UNDEFINED_CONDITION, STANZA_UNEXPECTED_REQUEST,
	STANZA_CONDITIONS
};

enum stream_condition {
	STREAM_NO_ERROR,
	STREAM_BAD_FORMAT, STREAM_BAD_NAMESPACE_PREFIX, STREAM_CONFLICT, STREAM_CONNECTION_TIMEOUT,
	STREAM_HOST_GONE,
	STREAM_HOST_UNKNOWN, STREAM_IMPROPER_ADDRESSING, STREAM_INTERNAL_SERVER_ERROR, STREAM_INVALID_FROM,
	STREAM_INVALID_NAMESPACE, STREAM_INVALID_XML, STREAM_NOT_AUTHORIZED, STREAM_NOT_WELL_FORMED,
	STREAM_POLICY_VIOLATION, STREAM_REMOTE_CONNECTION_FAILED, STREAM_RESET, STREAM_RESOURCE_CONSTRAINT,
	STREAM_RESTRICTED_XML, STREAM_SEE_OTHER_HOST, STREAM_SYSTEM_SHUTDOWN, STREAM_UNDEFINED_CONDITION,
	STREAM_UNSUPPORTED_ENCODING, STREAM_UNSUPPORTED_FEATURE, STREAM_UNSUPPORTED_STANZA_TYPE,
	STREAM_UNSUPPORTED_VERSION,
	STREAM_CONDITIONS
};

enum sasl_condition {
	SASL_NO_ERROR,
	SASL_ABORTED, SASL_ACCOUNT_DISABLED, SASL_CREDENTIALS_EXPIRED, SASL_ENCRYPTION_REQUIRED,
	SASL_INCORRECT_ENCODING, SASL_INVALID_AUTHZID, SASL_INVALID_MECHANISM, SASL_MALFORMED_REQUEST,
	SASL_MECHANISM_TOO_WEAK, SASL_NOT_AUTHORIZED, SASL_TEMPORARY_AUTH_FAILURE,
	SASL_CONDITIONS
};

const char *stanza_condition_name(enum stanza_condition condition);   /* "item-not-found" */
const char *stanza_condition_type(enum stanza_condition condition);   /* "cancel", "modify", "auth", "wait" */
/* The condition that an <error/> element carries; STANZA_UNDEFINED_CONDITION for one that is not ours. */
enum stanza_condition stanza_condition_of(const struct element *error);
const char *stream_condition_name(enum stream_condition condition);
enum stream_condition stream_condition_of(const struct element *error); /* of a <stream:error/> */
const char *sasl_condition_name(enum sasl_condition condition);

/* Adds <error type=...><condition/><text/></error> to a stanza's root. text: NULL for none. */
void error_add(struct arena *arena, struct element *root, enum stanza_condition condition, const char *text);

#endif
