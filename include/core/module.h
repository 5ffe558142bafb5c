/* SPDX-License-Identifier: MIT
 *
 * A module is a part of the server behind one table: an edge or an extension. The list in modules.c is the only place
 * that names them all, and its order is the order of the hooks. Hooks are named for places on a stanza's journey
 * (docs/architecture.md). Members that a module does not need stay NULL.
 */
#ifndef CORE_MODULE_H
#define CORE_MODULE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/conf.h"
#include "core/config.h"

struct account;
struct buf;
struct adhoc_command;
struct arena;
struct caps_peer;
struct element;
struct address_set;
struct home;
struct iq_handler;
struct jid;
struct module;
struct parcel;
struct server;
struct session;
struct stanza;
struct store_account_load;
struct transport;
struct command;

enum hook_result {
	HOOK_NEXT,              /* not mine: the next module, at last the default */
	HOOK_DONE,              /* the module has taken over what it was given */
};

/* What a module implements: a row of docs/xeps.md and of docs/hansa.doap, which tests/check/xeps --write makes. */
struct module_spec {
	const char *id;         /* "XEP-0199", "RFC 6121"; NULL ends */
	const char *title;      /* of the document */
	const char *version;    /* likewise, "2.0.1"; NULL: a RFC, which has none */
	const char *note;       /* which part of it, in a few words; NULL: all that concerns a server */
};

struct module {
	const char *name;
	const struct module_spec *specs;
	const char *const *host_features;       /* disco#info of a host; NULL ends */
	const char *const *account_features;    /* disco#info of an account */
	const char *const *account_identities;  /* likewise: category, type, category, type, ... NULL */
	bool (*account_offers)(const struct account *account);  /* does it have these features and identities? NULL: each */
	const struct iq_handler *iqs;           /* core/iq.h */
	const struct conf_section_kind *options;        /* name NULL ends */
	const struct command *commands;         /* core/command.h: what hansactl can ask of it */
	const struct adhoc_command *adhoc;      /* core/adhoc.h: what people can ask of it with their clients */

	/* What disco#info of a host says by its options, beside host_features: features (disco_add_feature) and forms
	 * (XEP-0128). Pure: it is also asked for the host's capabilities. */
	void (*host_described)(const struct config *config, const struct host *host, struct arena *arena,
	                       struct element *query);

	/* Life. configure() makes the module's part of a snapshot (NULL is fine) and may add domains; on a fault it sets
	 * *error (malloc'ed) and returns NULL. start() and stop() run on the main thread while no worker runs. */
	void *(*configure)(struct config *config, const struct conf *conf, char **error);
	void (*unconfigure)(void *part);
	bool (*start)(struct server *server, char **error);
	void (*stop)(struct server *server);
	void *(*home_open)(struct home *home);          /* answers home_part */
	void (*home_close)(struct home *home, void *part);
	void (*home_configured)(struct home *home);     /* a new snapshot is in force on this home */
	void (*home_drain)(struct home *home);          /* the server is leaving: close streams */
	bool drains_late;       /* when all sessions have ended: what they say then goes through it */
	void (*home_cut)(struct home *home);            /* sessions must have ended now: cuts off whose they are */

	/* An edge: the kinds of listen sections whose connections it takes, as bits 1 << enum listen_kind. accepted() runs on
	 * the home that accepted and takes the transport. */
	unsigned listens;
	void (*accepted)(struct home *home, enum listen_kind kind, struct transport *transport);

	/* The life of an account in memory, on its home. */
	void (*account_loaded)(struct account *account, const struct store_account_load *load);
	void (*account_unloaded)(struct account *account);
	void (*account_removed)(struct account *account);       /* deleted for good; sessions are closed already */

	/* May that address learn of the account's presence: a subscription of type both or from, or directed presence
	 * (RFC 6121 §8.5.3.1)? Asked through account_shares_presence; one module's yes is enough. */
	bool (*account_shares_presence)(const struct account *account, const struct jid *with);

	/* Has that address a subscription to the account's presence, of type from or both? Is it a contact in that group of
	 * the roster? Asked through core/account.h; one module's yes is enough. */
	bool (*account_has_subscriber)(const struct account *account, const struct jid *who);
	bool (*account_has_in_group)(const struct account *account, const struct jid *who, const char *group);
	/* An available resource of a subscriber or of the account itself wants to hear of these nodes from now on (core/caps.h). */
	void (*caps_known)(struct account *account, const struct caps_peer *peer, const char *const *nodes, size_t count);

	/* The account has published an item (payload NULL: retracted it), durably; XEP-0163. */
	void (*account_published)(struct home *home, const struct jid *service, const char *node, const char *id,
	                          const struct element *payload);

	/* The user has stored this vcard-temp, durably; XEP-0054. */
	void (*account_vcard_stored)(struct home *home, const struct jid *user, const struct element *vcard);

	/* Has the user shut out that address (XEP-0191)? Asked through account_blocks; one module's yes is enough. */
	bool (*account_blocks)(const struct account *account, const struct jid *who);

	/* What account_withdraw_presence and account_restore_presence do. */
	void (*presence_withdrawn)(struct account *account, const struct address_set *from);
	void (*presence_restored)(struct account *account, const struct address_set *to);

	/* What account_befriend does. */
	void (*account_befriended)(struct account *account, const struct jid *contact);

	/* Is that address in the account's roster? Asked through core/journal.c; one module's yes is enough. */
	bool (*account_has_contact)(const struct account *account, const struct jid *who);

	/* How messages between the account and that address are archived, where account->own_archiving says that somebody has
	 * a word in it beside the host. One module has this. */
	enum archive_policy (*account_archives)(const struct account *account, const struct jid *peer);

	/* The life of a session. */
	void (*session_bound)(struct session *session);
	void (*session_ended)(struct session *session);         /* before it leaves the account's list */

	/* Its presence went to somebody on another server or at a component who had not been shown it before. */
	void (*presence_shown)(struct session *session);

	/* It shall outlive the server: writes what the module keeps of it, as elements (core/frozen.h); and it is there again. */
	void (*session_freezing)(const struct session *session, struct buf *out);
	void (*session_thawed)(struct session *session, const struct element *frozen);

	/* A client's stanza on its way out, from stamped, to as given (text NULL: none), not sealed: the module may
	 * change it. HOOK_DONE: the module owns it (routes, answers, or frees it with stanza_unref). */
	enum hook_result (*session_sent)(struct session *session, struct stanza *stanza);
	/* A parcel on its way to a client that is inactive. HOOK_DONE: the module holds it, for session_deliver_now. */
	enum hook_result (*session_delivering)(struct session *session, struct parcel *parcel);
	void (*session_active)(struct session *session);        /* it was inactive until now */
	/* A client's message leaves, past all that could refuse it; message->journal: its entry, 0 where it is not archived. */
	void (*message_sent)(struct account *account, const struct stanza *message);
	/* A message goes to those of the account's sessions that gets_it() names, by the rules of RFC 6121 §8.5; it may be none
	 * that is there now. Seen once, however often it comes back, with its entry in parcel->journal where it has one. */
	void (*message_delivered)(struct account *account, const struct parcel *parcel,
	                          bool (*gets_it)(const struct session *session, const struct parcel *parcel));
	/* Somebody asks for the user's presence, and his request waits for the user's answer (RFC 6121 §3.1.3). */
	void (*subscription_requested)(struct account *account, const struct jid *from);
	/* A message that went to a client waits: the connection was lost before the client had it, and the session waits to be
	 * resumed (XEP-0198), or the message goes through the rules again. Once for each. */
	void (*message_waits)(struct account *account, const struct parcel *parcel);
	/* A parcel for a host's own address, on whatever home it has reached. HOOK_DONE: the module has answered it. */
	enum hook_result (*host_received)(struct home *home, const struct host *host, struct parcel *parcel);
	/* A parcel for an account (bare or full JID) at its home. HOOK_DONE: the module has answered or will answer it. */
	enum hook_result (*account_received)(struct account *account, struct parcel *parcel);
};

#endif
