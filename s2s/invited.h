/* SPDX-License-Identifier: MIT
 *
 * The branches that were invited to join (joining.h) and have not come yet: in the store, one for each pair of our host and
 * their domain, the newest. Of the secret only a digest is kept.
 */
#ifndef S2S_INVITED_H
#define S2S_INVITED_H

#include "core/server.h"
#include "store/document.h"

/* The request for the invitation of a pair, to be submitted. */
struct store_document *invited_ask(struct home *home, enum store_op op, const char *local, const char *domain,
                                   void (*done)(struct store_request *request), void *context);
/* For STORE_DOCUMENT_PUT: it is good for a day from now; answers when it ends. */
int64_t invited_set(struct store_document *document, const char *secret, int64_t now_us);
/* For what STORE_DOCUMENT_GET has answered: is the secret that of an invitation which has not expired? */
bool invited_is(const struct store_document *document, const char *secret, int64_t now_us);

#endif
