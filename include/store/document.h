/* SPDX-License-Identifier: MIT
 *
 * Requests about small documents: one text for each (owner, kind, key): private XML by namespace and name,
 * the vCard, the last activity, secrets of the server itself (owner "").
 */
#ifndef STORE_DOCUMENT_H
#define STORE_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "store/store.h"

/* Owner: an account (ABSENT where there is none), or "". GET: text is answered, or ABSENT. PUT: text NULL
 * removes (ABSENT where there was nothing); with create_only an existing text is left and answered with
 * CONFLICT (text is then what stands there); FULL where there would be more than `most` of this kind. */
struct store_document {
	struct store_request request;
	const char *kind;               /* "private", "vcard", "last", "secret", "blocking", "archive", "push",
	                                 * "session", "sessions" */
	const char *key;                /* "" where there is one only */
	const char *text;
	size_t text_len;
	bool create_only;
	size_t most;                    /* 0: any number; not with create_only */
};

#endif
