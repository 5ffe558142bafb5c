/* SPDX-License-Identifier: MIT
 *
 * A client's connection from accept to bound session, and what the files of this edge share: connection.c has
 * the states and the stream, login.c what is held until it is authenticated, features.c what it is offered,
 * exchange.c a login in whichever profile of SASL, auth.c the profile of RFC 6120, sasl2.c that of XEP-0388, fast.c tokens,
 * newcomer.c and registration.c in-band registration, bind.c resource binding, bind2.c that of XEP-0386, outlet.c what goes
 * to the client, smacks.c stream management, failures.c the memory of wrong passwords, client.c the module.
 *
 * A client begins on the worker that accepted it and moves to its account's home when it says who it is. What
 * is needed only until a session is bound lies in its login.
 */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include <stdbool.h>

#include "base/list.h"
#include "core/account.h"
#include "core/barrier.h"
#include "core/module.h"
#include "core/sasl.h"
#include "core/session.h"
#include "core/stream.h"
#include "net/admission.h"
#include "net/background.h"
#include "net/timer.h"
#include "store/token.h"

enum client_state {
	CLIENT_WAITING,         /* too many of its address are here: nothing is read */
	CLIENT_HEADER,          /* a stream header must come */
	CLIENT_SECURING,        /* a TLS handshake is under way */
	CLIENT_CLEAR,           /* features are out: STARTTLS, or SASL where it may be in clear */
	CLIENT_SECURE,          /* features are out: SASL */
	CLIENT_SASL,            /* a challenge is out */
	CLIENT_SASL2,           /* likewise, in the profile of XEP-0388 */
	CLIENT_BUSY,            /* what a login needs or asks for is under way: nothing is read */
	CLIENT_AUTHENTICATED,   /* features are out: binding */
	CLIENT_BINDING,         /* nothing is read */
	CLIENT_BOUND,
	CLIENT_ENDING,          /* only closed() will come */
};

struct client {
	struct list_link link;          /* of its home's clients */
	struct stream *stream;
	enum client_state state;
	bool direct_tls;
	bool authenticated;
	bool asked;                     /* a ping is out */
	struct login *login;            /* until bound */
	struct session *session;        /* while bound */
	struct barrier *barrier;        /* of a client without stream management */
};

/* How the messages of an exchange are written, and what follows success. */
struct auth_profile {
	enum client_state challenged;   /* while a response is awaited */
	bool takes_tokens;
	void (*say_challenge)(struct client *client, const struct buf *message);
	void (*say_failure)(struct client *client, enum sasl_condition condition);
	void (*succeeded)(struct client *client, const struct buf *message);
};

enum { OFFER_LEN = 16 };

struct login {
	struct client *client;          /* NULL: it is gone, and whoever still uses this memory frees it */
	struct admission_pass pass;
	bool enters;                    /* the pass waits, or is inside */
	bool admitting;                 /* admitted() will still come */
	char address[ADDRESS_TEXT];     /* whose connection it is */
	char *host;                     /* prepared; named by the first header, for good */
	struct arena arena;             /* what follows, of one stream */
	const char *from;               /* bare JID that the header claims; NULL: none */
	struct jid user;                /* once authenticated */

	struct sasl_terms terms;
	char offer[OFFER_LEN + 1];      /* names what the stream offers (XEP-0509) */
	const struct auth_profile *profile;     /* of the exchange that was begun last */
	struct sasl *sasl;
	unsigned failures;
	bool guesses;                   /* a password is being tried */
	struct account_want want;
	bool wants;
	struct timer delay;             /* after too many wrong passwords; while a resumption waits */
	struct background_job job;
	bool deriving;

	struct newcomer *newcomer;      /* newcomer.c's: a registration is under way; NULL */
	unsigned requests;              /* for a registration */
	bool registered;                /* on this stream */
	struct newcomer_pass *invited;  /* in the arena; NULL: no invitation was brought */

	struct stanza *request;         /* the iq that binds, <resume/> or <authenticate/> */
	const char *previd;             /* resume.c's, while it waits, as what follows */
	uint64_t settle_until_ms;
	bool recalls;                   /* the store is asked what it knows of previd */
	void (*settled)(struct client *client);
	char agent[UUID_LEN + 1];       /* <authenticate/>: which installation of a client it is; "": unknown */
	struct store_token token;       /* that it logs in with; id 0: none. The secret is not kept */
	bool asking;                    /* the store, about tokens or the archive */
	struct buf results;             /* what <success/> will have inside */
};

extern const struct module client_module;
extern const struct session_outlet client_outlet;

/* client.c: the clients of a home. */
struct rates;
struct smacks_past;
struct client_room {
	struct list clients;
	struct list detached;           /* smacks.c's */
	struct smacks_past *past;       /* past.c's, NULL: none yet */
	size_t past_next;
	struct rates *failures;
};
static inline struct client_room *client_room(const struct home *home)
{
	return home_part(home, &client_module);
}

/* The module's part of the section "limits". */
struct client_limits {
	uint32_t resume_ms;             /* how long a session waits for its client; 0: not at all */
	uint32_t resume_wait_ms;        /* how long <resumed/> waits for what the client has sent */
	uint32_t unacked, unacked_bytes;
	int64_t token_us, token_renewal_us;     /* how long a token is good for, and after what it is renewed */
	uint32_t token_clients;                 /* of an account, that may have tokens; 0: nobody */
	bool token_unbound;                     /* also for mechanisms without channel binding */
};
static inline const struct client_limits *client_limits(const struct config *config)
{
	return config_part(config, &client_module);
}

static inline void stanza_drop(struct stanza **stanza)
{
	const struct stanza *dropped = *stanza;

	stanza_unref(&dropped);
	*stanza = NULL;
}

/* connection.c */
void client_accepted(struct home *home, enum listen_kind kind, struct transport *transport);
void client_admitted(struct client *client);
void client_set_state(struct client *client, enum client_state state);
void client_fail(struct client *client, enum stream_condition condition, const char *text);

/* login.c */
void client_begin_login(struct client *client);
/* It is over: the client is bound, or gone. */
void client_end_login(struct client *client);
/* Authenticated: the place among the unauthenticated is free again. */
void login_admit_next(struct home *home, struct login *login);
/* Frees what is left of a login whose client is gone, once nobody uses it any more. */
void login_let_go(struct login *login);

/* features.c */
void client_say_features(struct client *client);
void client_offer(struct client *client);       /* which mechanisms this stream has, into the login's terms */

/* exchange.c. A new exchange discards one that is under way. initial, response: base 64, wiped here; initial NULL: it is
 * begun without a message. */
void exchange_begin(struct client *client, const struct auth_profile *profile, const char *mechanism,
                    const char *initial);
void exchange_respond(struct client *client, const char *response);
void exchange_go_on(struct client *client, enum sasl_result result, enum sasl_condition condition, struct buf *out);
void exchange_fail(struct client *client, enum sasl_condition condition);
/* Is who has logged in the one whom the stream's header named, if it did? */
bool exchange_agrees(const struct client *client);
/* It is over and the client is known: the limits of strangers end. */
void exchange_end(struct client *client);

/* auth.c; element: the first-level child. */
void client_auth(struct client *client, struct stanza **element);
void client_response(struct client *client, struct stanza **element);
void client_abort(struct client *client, struct stanza **element);

/* sasl2.c */
void client_authenticate(struct client *client, struct stanza **element);
void client_sasl2_response(struct client *client, struct stanza **element);
void client_sasl2_abort(struct client *client, struct stanza **element);
/* What is kept of tokens is up to date: inline features and success follow. */
void sasl2_tokens_settled(struct client *client);
/* Says success with what the login has gathered. session: bound meanwhile, NULL: none. */
void sasl2_finish(struct client *client, struct session *session);

/* fast.c: login tokens (XEP-0484). fast_look_up asks for those of the client and goes on with the exchange. fast_settle
 * notes what has become of them and whether the client gets a new one, then sasl2_tokens_settled. */
void fast_look_up(struct client *client);
void fast_settle(struct client *client);

/* bind.c */
void client_bind(struct client *client, struct stanza **iq);
/* The client has a session: the stream is its outlet from here on. The login goes. */
void client_bound(struct client *client, struct session *session);

/* bind2.c: binds as <authenticate/> asks, then sasl2_finish. */
void bind2_begin(struct client *client);

/*
 * smacks.c: stream management (XEP-0198), and each stanza of a bound client, counted where it has been enabled.
 */
void client_stanza(struct client *client, struct stanza **stanza);
void client_asks(struct client *client, struct stanza **element);       /* <r/> */
void client_acks(struct client *client, struct stanza **element);       /* <a/> */
void client_enables(struct client *client, struct stanza **element);
/* Begins stream management for the session that the client has been given; the answer goes into out. */
void smacks_enable(struct client *client, const struct element *enable, struct buf *out);
/* Counts a stanza that is not sealed yet. false: it has come before, drop it. */
bool smacks_counts(struct client *client, struct stanza *stanza);
/* What was counted has left our hands; waits: h does, until somebody has taken it. */
void smacks_passed_on(struct session *session, uint64_t token, bool waits);
/* Sends a request for an acknowledgement; false: there is no stream management. */
bool smacks_asks_whether_alive(struct client *client);
/* The stream has closed: its session waits for another one, or has ended. false: there is no stream management. */
bool smacks_closed(struct client *client, enum stream_condition condition);

/* resume.c */
void client_resumes(struct client *client, struct stanza **element);
/* settled() is called once, at once or when what the session named by <resume/> has sent is in somebody's hands, at the
 * latest after resume-wait. resume: of the login's request. */
void smacks_await(struct client *client, const struct element *resume, void (*settled)(struct client *client));
/* Gives the client the session that it had. RESUMED: smacks_go_on shall follow when the answer is out. BROKEN: the stream
 * fails. */
enum smacks_resumption { SMACKS_RESUMED, SMACKS_REFUSED, SMACKS_BROKEN };
enum smacks_resumption smacks_resume(struct client *client, const struct element *resume, struct buf *out);
void smacks_go_on(struct client *client);

/* freeze.c. The server leaves. false: the client cannot resume its session later, and is told farewell. */
bool smacks_leaves(struct client *client);
/* Sessions that have no client are put away. */
void smacks_drain(struct home *home);
void client_account_loaded(struct account *account, const struct store_account_load *load);

/* past.c */
void past_clear(struct client_room *room);

/* outlet.c */
/* What a client's copy of a message says of it: its id in the account's archive (XEP-0359) and, where it was meant for a
 * connection that broke, when it came (XEP-0203). */
void outlet_tail(struct buf *tail, const struct session *session, const struct parcel *parcel);
void client_returned(struct stream *stream, void *owner, struct parcel *parcel);

/*
 * failures.c: wrong passwords are remembered by account and by address, and slow the next attempt; nobody is
 * ever locked out. Of an account there is one memory, at its home; an address has one on each home, so it has
 * that many times the patience.
 */
struct rates *failures_new(const struct hash_seed *seed);
/* Trusted addresses do not count. */
void failures_note(struct home *home, const struct jid *account, const struct address *address);
/* Milliseconds that the next attempt has to wait. */
uint64_t failures_wait_ms(struct home *home, const struct jid *account, const struct address *address);

#endif
