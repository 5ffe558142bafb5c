/* SPDX-License-Identifier: MIT
 *
 * In-band registration (XEP-0077): what the hosts allow, and what registration.c (users who have logged in, the module) and
 * newcomer.c (who has not) share. A password is taken over TLS only.
 */
#ifndef CLIENT_REGISTRATION_H
#define CLIENT_REGISTRATION_H

#include "client.h"
#include "core/invite.h"
#include "net/rates.h"

extern const struct module registration_module;

struct registration_terms {
	bool may_change;                /* users their passwords */
	bool may_leave;                 /* users may remove their accounts */
};

/* host: of that snapshot. */
const struct registration_terms *registration_terms(const struct config *config, const struct host *host);
/* The accounts that an address may register in an hour; 0: no bound. */
uint32_t registrations_an_hour(const struct config *config);
/* The memory of registrations by address. */
struct rates *registration_rates(const struct home *home);

/* The text of a child of <query/>; NULL: it is absent. */
const char *registration_field(struct arena *arena, const struct element *query, const char *name);

/* newcomer.c */
/* The registration that is under way for a client who has not logged in; NULL: none. */
struct newcomer;
/* The client is gone: what is under way ends for itself. */
void newcomer_forget(struct newcomer *newcomer);
/* The stream features (§8, XEP-0445 §3), where a newcomer may come. */
void newcomer_say_feature(struct client *client, struct buf *out);
/* An iq of a client who has not logged in. */
void client_registers(struct client *client, struct stanza **iq);

/* What a newcomer has brought on his stream: an invitation that was good when he did. */
struct newcomer_pass {
	uint8_t digest[INVITE_DIGEST];
	const char *user;       /* the name that it is for; NULL: any */
};

#endif
