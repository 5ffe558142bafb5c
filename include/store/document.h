/* SPDX-License-Identifier: MIT
 *
 * Requests about small documents: one text for each (owner, kind, key): private XML by namespace and name,
 * the vCard, the last activity, secrets of the server itself (owner "").
 */
#ifndef STORE_DOCUMENT_H
#define STORE_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

/* Owner: an account (ABSENT where there is none), or "". GET: text is answered, or ABSENT. PUT: text NULL
 * removes (ABSENT where there was nothing); with create_only an existing text is left and answered with
 * CONFLICT (text is then what stands there); FULL where there would be more than `most` of this kind. */
struct store_document {
	struct store_request request;
	const char *kind;               /* "private", "vcard", "last", "secret", "blocking", "archive", "push",
	                                 * "session", "sessions", "shown", "joining" */
	const char *key;                /* "" where there is one only */
	const char *text;
	size_t text_len;
	bool create_only;
	size_t most;                    /* 0: any number; not with create_only */
};

/* OWNERS: the accounts that have a document of the kind, at most limit, in an order of the store's own. Owner: "". */
struct store_document_owners {
	struct store_request request;
	const char *kind;
	size_t limit;
	uint64_t after;                 /* where the last answer ended; 0: from the start */
	const char **accounts;          /* bare JIDs */
	size_t count;
	uint64_t end;                   /* where this answer ends */
};

#endif
