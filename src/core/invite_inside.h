/* SPDX-License-Identifier: MIT
 *
 * What the files of core/invite share: invite.c the invitations of a host at its home, invite_text.c their addresses and
 * their document, invite_ask.c who asks, and the module.
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

/* The invitations of the hosts whose home this is. */
struct map *invites_open(struct home *home);
void invites_close(struct map **invites);
/* At the host's home; ends with errand_return. */
void invites_asked(struct home *home, struct errand *errand);

#endif
