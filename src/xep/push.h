/* SPDX-License-Identifier: MIT
 *
 * Push notifications (XEP-0357), as its files share them: push.c knows which services an account has enabled, push_publish.c
 * when they are told and what they answer.
 */
#ifndef XEP_PUSH_H
#define XEP_PUSH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/account.h"
#include "net/timer.h"
#include "xmpp/element.h"
#include "xmpp/jid.h"
#include "xmpp/stanza.h"

extern const struct module push_module;

/* What an app server learns of a message. */
enum push_content { PUSH_COUNT, PUSH_SENDER, PUSH_BODY };

struct push_options {
	enum push_content content;
	bool while_attended;
	size_t services, form_bytes;
	uint32_t interval_ms, failures;
};
const struct push_options *push_options(const struct config *config);

enum { PUSH_ID_SIZE = 64 };

struct session;

/* A service that a client has enabled. It lives in its arena. */
struct push_service {
	struct push_service *next;      /* of the account */
	struct account *account;
	struct jid jid;
	const char *node;               /* "": none */
	const char *client;             /* who has enabled it: agent or resource of its session */
	const struct element *form;     /* options of each publication; NULL: none */

	uint32_t count;                 /* messages since the client was heard last */
	uint32_t requests;              /* likewise, for subscriptions */
	uint64_t counted_ms;
	const struct stanza *last;      /* the newest of them; NULL: none */
	bool due;                       /* something has not been published */
	char asked[PUSH_ID_SIZE];       /* id of the publication that is under way; "": none */
	uint64_t published_ms;          /* 0: never */
	uint32_t failures;              /* in a row */
	struct timer timer;             /* until the next publication, or until the answer is late */
	bool busy;                      /* the account is held */
	struct arena arena;
};

/* push.c. Disabled for good; it is freed. */
void push_forget(struct push_service *service, const char *why);

/* push_publish.c. A message for the account has come, or waits again; somebody asks for a subscription. */
void push_message(struct account *account, const struct stanza *message);
void push_request(struct account *account);
void push_session_ended(struct session *session);
/* Ends what is under way; before it is freed. */
void push_service_stop(struct push_service *service);
/* An answer to a publication may come to any home. */
enum hook_result push_host_received(struct home *home, const struct host *host, struct parcel *parcel);
/* This module's part of a home: publications under way by id. */
void *push_home_open(struct home *home);
void push_home_close(struct home *home, void *part);

#endif
