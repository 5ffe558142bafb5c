/* SPDX-License-Identifier: MIT
 *
 * The load generator: clients as real ones are, with TLS, SCRAM and XEP-0198, and what their server's CPU time and memory
 * are for it. All clients live on one worker of Hansa's own network layer; a mode says what they do once they are bound.
 * Users are user1, user2, ... with the passwords pass1, pass2, ...
 *
 * Whatever is lost, bounced, reordered or closed ends the run with a sentence and the status 1.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acks.h"
#include "base/buf.h"
#include "base/id.h"
#include "net/conn.h"
#include "net/timer.h"
#include "net/worker.h"
#include "proof.h"
#include "xmpp/framer.h"
#include "xmpp/parser.h"

enum { OPERATIONS_IN_FLIGHT = 64, TOKEN_ROOM = 256 };

/* How clients log in: RFC 6120; SASL 2 and Bind 2; the same by a token from the second time on. */
enum login_kind { LOGIN_SASL, LOGIN_SASL2, LOGIN_FAST };

struct load_options {
	const char *host, *domain;
	uint16_t port;
	bool plain;                     /* no TLS */
	bool direct;                    /* TLS from the first byte */
	bool sm;                        /* XEP-0198 */
	enum login_kind login;
	unsigned clients, first;        /* how many users, and the number of the first */
	unsigned at_once;               /* logins under way at once */
	unsigned window;                /* chat: messages of a pair that are not done yet */
	unsigned body;                  /* bytes of a message's text */
	double warm_up, seconds, pause;
	const char *pids;               /* of the server: "12,34" */
};

enum client_state {
	CLIENT_NEW, CLIENT_HEADER, CLIENT_FEATURES, CLIENT_TLS, CLIENT_SASL, CLIENT_SASL2, CLIENT_BINDING, CLIENT_ENABLING, CLIENT_ROSTER,
	CLIENT_READY, CLIENT_GONE,
};

/* A message of ours, or another thing that takes its time. */
struct operation {
	uint64_t began_us;
	uint32_t stanza;                /* its number for XEP-0198 */
	bool arrived;
};

struct client {
	struct load *load;
	unsigned number;                /* of the user */
	enum client_state state;
	bool secure, authenticated;
	struct conn *conn;
	struct framer framer;
	struct buf in;                  /* an unfinished unit */
	struct arena arena;             /* of the stream's header, until bound */
	struct parser_root root;
	struct proof proof;             /* kept between two logins: its salted password costs milliseconds */
	char token[TOKEN_ROOM];         /* its newest; "": none */
	unsigned round_trips;           /* of its login, behind TLS */
	struct acks acks;
	uint64_t began_us;              /* its login */
	struct turn_job asking;
	uint64_t sent, done, heard;     /* operations, counted from 1; heard: its partner's */
	struct operation flying[OPERATIONS_IN_FLIGHT];
	struct timer timer;             /* of the mode */
};

struct mode {
	const char *name, *unit;
	bool opens_all;                 /* begin() is called when all are bound */
	void (*begin)(struct load *load);
	void (*ready)(struct client *client);
	/* A message has come; text is not NUL-terminated. */
	void (*heard)(struct client *client, const char *text, size_t len);
	void (*acknowledged)(struct client *client);    /* the server has counted up to acks.acknowledged */
	void (*closed)(struct client *client);          /* expected by the mode; NULL: a fault */
};
extern const struct mode mode_chat, mode_lone, mode_idle, mode_login;

struct load {
	struct load_options options;
	char run[ID_LEN + 1];           /* in the ids of messages: who sends one again may not be heard again */
	const struct mode *mode;
	struct workers *workers;
	struct worker *worker;
	struct tls *tls;
	struct parser_set *parsers;
	struct client *clients;
	unsigned opened, ready;
	bool measuring, leaving;
	struct timer phase;
	struct mail mail;
	uint64_t began_us, ended_us;
	uint64_t operations;            /* while measuring */
	unsigned round_trips;           /* of the newest login */
	double cpu, memory_before, memory;
	uint32_t *took_us;              /* of each operation */
	size_t took_room;
	sem_t done;
};

uint64_t now_us(void);
void load_fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
/* An operation that began then is done. */
void load_count(struct load *load, uint64_t began_us);
/* Another client may log in. */
void load_open_next(struct load *load);
/* All are there: warm up, then measure, then leave. */
void load_begin(struct load *load);
/* A client is ready: the next is opened, and behind the last one it begins. */
void load_client_ready(struct client *client);

/* client.c: connects and logs in; mode->ready follows. */
void client_open(struct client *client);
void client_close(struct client *client);
/* SCRAM's first message, and its answer to a challenge within an element that begins so. */
void client_start_proof(struct client *client, enum digest_kind kind, struct buf *first);
void client_challenged(struct client *client, const struct element *challenge, const char *begin);
/* It has its session. */
void client_arrive(struct client *client);
/* A whole stanza; the server's acknowledgement is asked for at the end of what one turn says. */
void client_send_message(struct client *client, const struct client *to, uint64_t operation);

/* cost.c: seconds of CPU and bytes of memory (proportional set size) of the processes. */
double cost_cpu(const char *pids);
double cost_memory(const char *pids);

#endif
