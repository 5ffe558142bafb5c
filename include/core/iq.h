/* SPDX-License-Identifier: MIT
 *
 * The iq table: requests (RFC 6120 §8.2.3) to a host or an account are answered by the handler that a module has for the
 * payload's namespace and name. A handler answers exactly once, now or later, with a result or a condition; the framework
 * writes the stanza and answers custody. What nobody handles is service-unavailable.
 */
#ifndef CORE_IQ_H
#define CORE_IQ_H

#include <stdbool.h>

#include "core/custody.h"
#include "core/server.h"

struct account;
struct host;

enum iq_scope {
	IQ_HOST = 1,            /* to a host's domain */
	IQ_OWN = 2,             /* to an account by its own sessions (also without `to`) */
	IQ_ACCOUNT = 4,         /* to an account's bare JID by anybody else: the handler decides who may */
};

enum iq_kind { IQ_KIND_GET = 1, IQ_KIND_SET = 2 };

struct iq_request {
	struct home *home;
	struct parcel *parcel;          /* its stanza is the request */
	const struct element *payload;  /* the one child of the iq */
	enum iq_scope scope;
	const struct host *host;        /* the host asked, or the account's */
	struct account *account;        /* NULL for IQ_HOST; do not keep across an asynchronous step: keep the request */
	const struct config *config;    /* the snapshot that host lies in */
	struct store_request *store;    /* free for the handler */
};

struct iq_handler {
	const char *name;               /* of the payload; NULL ends the table */
	const char *ns;
	unsigned kinds;                 /* of enum iq_kind */
	unsigned scopes;                /* of enum iq_scope */
	void (*asked)(struct iq_request *request);
};

/* The answer: iq_result begins the stanza (add content to its root), iq_answer seals and sends it and frees the request;
 * iq_done is the empty result. */
struct stanza *iq_result(const struct iq_request *request);
void iq_answer(struct iq_request *request, struct stanza *result);
void iq_done(struct iq_request *request);
void iq_refuse(struct iq_request *request, enum stanza_condition condition, const char *text);
/* An error for iq_answer, without what was asked, which may hold a secret. The handler may add a condition of its own to
 * its <error/>, the last child of the root (RFC 6120 §8.3.4). text may be NULL. */
struct stanza *iq_error(const struct iq_request *request, enum stanza_condition condition, const char *text);
/* Across an asynchronous step: the account again, NULL when it has gone meanwhile. */
struct account *iq_account(struct iq_request *request);
/* The sender's session when it is one of the account's own; NULL. */
struct session *iq_session(const struct iq_request *request);

/* What is wrong with an iq that came from outside (RFC 6120 §8.2.3); NULL: nothing. */
const char *iq_fault(const struct stanza *iq);

/* Used by core: runs the table; the request object is made here, lives until it is answered. */
void iq_dispatch(struct home *home, struct account *account, const struct host *host, struct parcel *parcel);

#endif
