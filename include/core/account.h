/* SPDX-License-Identifier: MIT
 *
 * An account in memory, on its home: a local bare JID with its sessions and what modules keep for it. It is loaded from
 * the store at the first need; parcels that come meanwhile wait in order behind the first. Without sessions it stays for
 * a while and is then forgotten. An address that has no account is known as absent for some seconds.
 */
#ifndef CORE_ACCOUNT_H
#define CORE_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "core/custody.h"
#include "core/server.h"
#include "store/account.h"
#include "xmpp/jid.h"

enum account_state { ACCOUNT_LOADING, ACCOUNT_READY, ACCOUNT_ABSENT, ACCOUNT_FAILED };

struct account {
	struct home *home;
	struct jid jid;                 /* bare; owned */
	const struct host *host;        /* of this home's snapshot; NULL: it is no longer served, or the account is gone */
	enum account_state state;
	struct list sessions;           /* struct session.link; in the order of binding */
	size_t session_count;
	struct store_credential *credentials;   /* owned; loaded */
	size_t credential_count;
	bool own_archiving;             /* modules have a word in what is archived (account_archives) */
	uint64_t undelivered, undelivered_bytes;        /* journal entries beyond the watermark */
	uint64_t journal_newest;        /* sequence of the newest entry; core/journal.h */
	uint64_t journal_archived;      /* likewise, of those archived since the account was loaded; 0: none was */
	struct list_link idle_link;
	uint64_t idle_since_ms;
	uint32_t holds;                 /* while > 0 it is not forgotten */
	bool stale;                     /* changed in the store: credentials are loaded anew before the next use */
	uint64_t asking;                /* the token of the load under way; 0: none */
	bool gone;                      /* deleted, or its host was: the last hold frees it */
	struct parcel *waiting, **waiting_end;          /* while loading, or while sessions give back */
	size_t waiting_count, waiting_bytes;
	size_t giving_back;                             /* sessions that have left and do it before the turn ends */
	struct list wanted;             /* account_want calls while loading */
	struct kept *kept;              /* core/kept.c: the journal is being sent to a session; NULL: it is not */
	bool may_hold;                  /* core/overdue.c: sessions may hold messages that are not written down */
	struct repeats *repeats;        /* core/repeats.c: digests of messages that may come again; NULL: none */
	struct list unanswered;         /* likewise: struct parcel.unanswered of those that nobody has taken yet */
	struct journal *journal;        /* core/journal.c: what is on its way and archived; NULL: nothing */
	void *parts[];                  /* of each module, by module_number */
};

static inline void *account_part(const struct account *account, const struct module *module)
{
	return account->parts[module_number(account->home->server, module)];
}
static inline void account_set_part(struct account *account, const struct module *module, void *part)
{
	account->parts[module_number(account->home->server, module)] = part;
}

/* The destination of local hosts: their accounts, and the host itself (core/host.c answers for a bare domain). */
extern const struct destination_class account_destination;

/* The account if it is in memory and ready, else NULL. */
struct account *account_find(struct home *home, const char *bare, size_t len);

/*
 * Gets the account, loading it where needed: ready() is called once, at once or later, on this home, with the account in
 * one of the states READY, ABSENT, FAILED. Only on the account's own home. The want lies inside its owner; a want that is
 * cancelled is never called.
 */
struct account_want {
	struct list_link link;
	void (*ready)(struct account_want *want, struct account *account);
};
void account_want(struct home *home, const struct jid *bare, struct account_want *want,
                  void (*ready)(struct account_want *want, struct account *account));
void account_want_cancel(struct account_want *want);

/* The rules for a parcel at the account's home: the modules' account_received in order, then the defaults of RFC 6121
 * §8.5 for iq and presence. The account is ready. */
void account_receive(struct account *account, struct parcel *parcel);
/* May that address learn of the account's presence? Its own addresses may; else the modules are asked. */
bool account_shares_presence(const struct account *account, const struct jid *with);

/* Has the address a subscription to the account's presence (its own addresses always)? Is it in that group of the roster? */
bool account_has_subscriber(const struct account *account, const struct jid *who);
bool account_has_in_group(const struct account *account, const struct jid *who, const char *group);

/* Has the user shut out that address? Nothing passes between the two, presence included. */
bool account_blocks(const struct account *account, const struct jid *who);

/* Addresses: those that has() names, and one by one those full JIDs among them that are not covered by their bare one. */
struct address_set {
	bool (*has)(const struct jid *who, const void *context);
	const void *context;
	const struct jid *named;
	size_t named_count;
};
/* Who of them knows of the account's presence hears that its sessions are gone; who of them has a subscription is shown
 * them, and contacts are asked for theirs (XEP-0191 §3.3, §3.4). */
void account_withdraw_presence(struct account *account, const struct address_set *from);
void account_restore_presence(struct account *account, const struct address_set *to);

/* The account and the contact, of whichever server, shall see each other's presence: the account approves it and asks for
 * it (XEP-0379 §3.5). */
void account_befriend(struct account *account, const struct jid *contact);

/* Keeps the account in memory across an asynchronous step. */
void account_hold(struct account *account);
void account_release(struct account *account);

/* After the store has created or changed it: the absent mark is forgotten, credentials are loaded anew. On its home. */
void account_changed(struct home *home, const struct jid *bare);
/* After it was removed: sessions are closed (not-authorized), modules told, the memory forgotten. */
void account_deleted(struct home *home, const struct jid *bare);

/* What a module calls to put a parcel into the journal for later delivery: taken when durable, refused with
 * service-unavailable over the quota (XEP-0160 §3) and with resource-constraint when the store fails. True: it gets an entry,
 * and the parcel, with its sequence, lives at least until the caller returns. */
bool account_keep(struct account *account, struct parcel *parcel);
/* Sends what the journal holds beyond the watermark to a session, with delay stamps, and advances the watermark as it is
 * taken (RFC 6121 §8.5.2.2, XEP-0160). New messages queue behind it. */
struct session;
void account_deliver_kept(struct account *account, struct session *session);

/* Used by core/home.c: the table of accounts of a home, its timers' work, a new snapshot. */
void accounts_open(struct home *home);
void accounts_close(struct home *home);
void accounts_forget_idle(struct home *home);
void accounts_configured(struct home *home);
void accounts_drain(struct home *home);

#endif
