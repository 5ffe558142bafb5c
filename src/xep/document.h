/* SPDX-License-Identifier: MIT
 *
 * What the extensions that keep a piece of XML for an account share: asking the store on behalf of a request and putting
 * what was kept into its answer.
 */
#ifndef XEP_DOCUMENT_H
#define XEP_DOCUMENT_H

#include "core/iq.h"
#include "store/document.h"

/* A request to the store about a document of the account that was asked; done() finds the iq request in its context. */
struct store_document *document_new(struct iq_request *request, enum store_op op, const char *kind,
                                    const char *key, void (*done)(struct store_request *done));
/* The element becomes the document's text. */
void document_set(struct store_document *document, const struct element *element);
void document_submit(struct iq_request *request, struct store_document *document);

/* The text as the last child of parent in the stanza; false: it is not XML any more, and logged. */
bool document_add(struct iq_request *request, struct stanza *stanza, struct element *parent,
                  const struct store_document *document);

/* What to refuse a request with that the store could not serve. */
enum stanza_condition document_refusal(enum store_status status);

#endif
