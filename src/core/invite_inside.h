/* SPDX-License-Identifier: MIT
 *
 * What the files of core/invite share: invite_ask.c who asks, and the module; at the home of a host, invite.c what is asked
 * about its invitations, invite_document.c where they are kept; invite_text.c their addresses, and how they are written.
 */
#ifndef CORE_INVITE_INSIDE_H
#define CORE_INVITE_INSIDE_H

#include "base/map.h"
#include "core/invite.h"

struct invitation {
	struct list_link link;
	uint8_t digest[INVITE_DIGEST];
	struct invite invite;           /* texts owned */
	bool claimed;                   /* a registration is under way with it */
	uint64_t keep_until_ms;         /* monotonic: a stream that has found it may still use it */
};

struct invite_terms {
	bool admins, users;             /* who may invite */
	int64_t valid_ms;
	const char *page;               /* NULL: none */
};

struct invite_limits {
	uint32_t of_host, of_inviter;
};

const struct invite_terms *invite_terms(const struct config *config, const struct host *host);
const struct invite_limits *invite_limits(const struct config *config);

struct invitation *invitation_new(const uint8_t digest[INVITE_DIGEST], const struct invite *invite);
void invitation_free(struct invitation *invitation);
/* What a list shows. */
json_t *invitation_row(const struct invitation *invitation, const char *host);
/* The document of a host. Text: malloc'ed. Reading adds to list; false: a line is none of ours and was passed over. */
char *invitations_write(const struct list *list);
bool invitations_read(struct list *list, const char *text, size_t len);

/* Of a host, at its home. */
struct invites {
	struct home *home;
	char *domain;
	enum { INVITES_UNREAD, INVITES_READING, INVITES_READY } state;
	struct map *by_digest;
	struct list list;               /* the oldest first */
	struct list waiting;            /* requests, while the document is being read */
	struct list changed, writing;   /* requests whose change is not written yet; whose write is under way */
};

/* The invitations of the hosts whose home this is. */
struct map *invites_open(struct home *home);
void invites_close(struct map **invites);
/* At the host's home; ends with errand_return. */
void invites_asked(struct home *home, struct errand *errand);
/* The document has been read: does what is asked, which ends with one of those behind it. */
void invites_run(struct invites *invites, struct invite_request *request);
void invites_answer(struct invites *invites, struct invite_request *request, enum invite_status status);
/* The request has changed the table: answered when that is written, undone where it cannot be. */
void invites_changed(struct invites *invites, struct invite_request *request);
/* An invitation enters the table; leaves it for who takes it out. */
void invites_add(struct invites *invites, struct invitation *invitation);
void invites_take(struct invites *invites, struct invitation *invitation);

#endif
