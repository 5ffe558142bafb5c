/* SPDX-License-Identifier: MIT
 *
 * Stages and speakers. A speaker's connection is a conn on a worker of the town, so one scheduler steps both
 * sides. With sockets the kernel is between them: where nothing stirs, a little real time is given to it
 * before that is believed.
 */
#include "stage.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../support/store_trial.h"
#include "../support/town.h"
#include "../unit/certificate.h"
#include "base/mem.h"
#include "core/sasl.h"
#include "core/server.h"
#include "net/conn.h"
#include "store/account.h"
#include "xmpp/framer.h"
#include "xmpp/ns.h"
#include "xmpp/parser.h"

enum {
	STANZA_LIMIT = 1 << 20,
	KERNEL_NAPS = 20, /* of a millisecond, before silence is believed */
	CLIENT_PORT = 5222,
	CLIENT_TLS_PORT = 5223,
};

struct speaker {
	struct speaker *next;
	struct stage *stage;
	char *name, *account;
	struct conn *conn;
	bool secure, ended;
	struct framer framer;
	struct buf heard; /* not yet taken */
	size_t scanned;
	char *prime;
	enum heard_kind last;
	struct element *last_element;
	bool again;
};

struct stage {
	struct town *town;
	bool sockets;
	struct certificate certificate;
	struct tls *tls; /* the speakers' */
	struct speaker *speakers;
	size_t connections;
	struct arena arena;
	struct store_credential keys[STORE_CREDENTIALS];
};

/* ---- stages ---- */

/* A loopback address of this process, where every port is free. */
static void host_write(char out[ADDRESS_TEXT])
{
	unsigned pid = (unsigned)getpid();

	snprintf(out, ADDRESS_TEXT, "127.%u.%u.%u", 64 + (pid >> 16) % 64, (pid >> 8) & 255, pid & 255);
}

static void stage_configure(struct stage *stage, const char *sections, bool tls_required)
{
	struct buf text = { 0 };
	char *error, host[ADDRESS_TEXT];

	buf_printf(&text,
	           "server { workers = 2 }\n"
	           "host north.example { admins = { \"admin@north.example\" } }\nhost south.example { }\n"
	           "tls { certificate = \"%s\" key = \"%s\" client-required = %s }\n%s",
	           stage->certificate.certificate, stage->certificate.key, tls_required ? "yes" : "no",
	           sections);
	if (stage->sockets) {
		host_write(host);
		buf_printf(&text,
		           "\nlisten clients { kind = client address = \"%s\" port = %u }\n"
		           "listen clients-tls { kind = client-tls address = \"%s\" port = %u }\n",
		           host, CLIENT_PORT, host, CLIENT_TLS_PORT);
	}
	buf_add_char(&text, '\0');
	town_configure(stage->town, text.data);
	error = server_reload(stage->town->server);
	if (error) {
		fprintf(stderr, "%s\n", error);
		abort();
	}
	town_settle(stage->town);
	buf_clear(&text);
}

struct stage *stage_open(const struct module *const *modules, const char *sections, bool tls_required,
                         bool sockets)
{
	struct stage *stage = mem_zalloc(sizeof(*stage));
	char *error;

	stage->sockets = sockets;
	stage->town = town_open(modules, NULL);
	certificate_make(&stage->certificate, stage->town->folder, "north.example", "SHA256");
	stage_configure(stage, sections, tls_required);
	stage->tls = tls_client_new(NULL, TLS_1_2, &error);
	return stage;
}

static void speaker_free(struct speaker *speaker)
{
	speaker_disconnect(speaker);
	town_settle(speaker->stage->town);
	buf_clear(&speaker->heard);
	free(speaker->prime);
	free(speaker->account);
	free(speaker->name);
	free(speaker);
}

void stage_close(struct stage **stage)
{
	struct speaker *next;

	for (struct speaker *speaker = (*stage)->speakers; speaker; speaker = next) {
		next = speaker->next;
		speaker_free(speaker);
	}
	stage_drain(*stage);
	stage_pass(*stage, 20000);
	tls_unref(&(*stage)->tls);
	certificate_remove(&(*stage)->certificate);
	town_close(&(*stage)->town);
	arena_clear(&(*stage)->arena);
	free(*stage);
	*stage = NULL;
}

void stage_pass(struct stage *stage, uint64_t ms)
{
	town_pass(stage->town, ms);
}

void stage_fail_store(struct stage *stage, bool fails)
{
	static const struct store_trial_fault fault = { .op = -1, .status = STORE_FAILED };

	if (fails)
		store_trial_fail(stage->town->store, &fault);
	else
		store_trial_mend(stage->town->store);
}

void stage_drain(struct stage *stage)
{
	struct server *server = stage->town->server;

	for (size_t i = 0; i < workers_count(server->workers); i++) {
		server->homes[i].draining = true;
		for (const struct module *const *module = server->modules; *module; module++)
			if ((*module)->home_drain)
				(*module)->home_drain(&server->homes[i]);
	}
	town_settle(stage->town);
}

/* Keys take long to make; all accounts have the same. */
void stage_add_account(struct stage *stage, const char *bare)
{
	struct home *home = town_home(stage->town, bare);
	struct store_account_write *write =
		store_request_new(sizeof(*write), STORE_ACCOUNT_CREATE, home->worker, bare, strlen(bare),
	                          store_request_free);
	struct arena arena = { 0 };
	struct jid jid;

	if (stage->keys[0].iterations == 0)
		sasl_make_keys(&entropy_system, "secret", 6, stage->keys);
	memcpy(write->credentials, stage->keys, sizeof(stage->keys));
	write->credential_count = STORE_CREDENTIALS;
	store_submit(stage->town->store, &write->request);
	town_settle(stage->town);
	if (!jid_prepare(&arena, bare, strlen(bare), JID_ANY, &jid))
		abort();
	account_changed(home, &jid);
	arena_clear(&arena);
}

/* ---- speakers ---- */

struct speaker *stage_speaker(struct stage *stage, const char *name)
{
	struct speaker *speaker = stage->speakers;

	while (speaker && strcmp(speaker->name, name) != 0)
		speaker = speaker->next;
	if (speaker)
		return speaker;
	speaker = mem_zalloc(sizeof(*speaker));
	speaker->name = str_dup(name);
	speaker->stage = stage;
	speaker->next = stage->speakers;
	stage->speakers = speaker;
	return speaker;
}

void speaker_set_account(struct speaker *speaker, const char *bare)
{
	free(speaker->account);
	speaker->account = str_dup(bare);
}

const char *speaker_account(const struct speaker *speaker)
{
	return speaker->account;
}

static void speaker_received(struct conn *conn, void *owner, char *bytes, size_t len)
{
	struct speaker *speaker = owner;

	(void)conn;
	buf_add(&speaker->heard, bytes, len);
}

static void speaker_secured(struct conn *conn, void *owner)
{
	struct speaker *speaker = owner;

	(void)conn;
	speaker->secure = true;
}

static void speaker_closed(struct conn *conn, void *owner, const char *reason)
{
	struct speaker *speaker = owner;

	(void)conn, (void)reason;
	speaker->conn = NULL;
	speaker->ended = true;
}

static const struct conn_class speaker_class = {
	.received = speaker_received,
	.secured = speaker_secured,
	.closed = speaker_closed,
};

/* Connections come in at one worker and the other in turn, so half of all logins move. */
static struct transport *speaker_pipe(struct stage *stage, struct worker *worker, bool direct_tls)
{
	struct server *server = stage->town->server;
	struct home *home = &server->homes[stage->connections++ % workers_count(server->workers)];
	struct transport *ours, *theirs;

	transport_pipe(worker, &ours, home->worker, &theirs);
	for (const struct module *const *module = server->modules; *module; module++)
		if ((*module)->listens & 1u << LISTEN_CLIENT)
			(*module)->accepted(home, direct_tls ? LISTEN_CLIENT_TLS : LISTEN_CLIENT, theirs);
	return ours;
}

static struct transport *speaker_socket(struct worker *worker, bool direct_tls)
{
	struct address address;
	char host[ADDRESS_TEXT];
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	host_write(host);
	address_read(host, direct_tls ? CLIENT_TLS_PORT : CLIENT_PORT, &address);
	if (connect(fd, &address.any, (socklen_t)address_size(&address)) != 0)
		abort();
	return transport_socket(worker, fd);
}

static void speaker_begin(struct speaker *speaker)
{
	framer_init(&speaker->framer);
	free(speaker->prime);
	speaker->prime = NULL;
}

void speaker_connect(struct speaker *speaker, bool direct_tls)
{
	struct stage *stage = speaker->stage;
	struct worker *worker = stage->town->server->homes[0].worker;

	speaker_disconnect(speaker);
	town_settle(stage->town);
	buf_clear(&speaker->heard);
	speaker->scanned = 0;
	speaker->secure = speaker->ended = speaker->again = false;
	speaker_begin(speaker);
	speaker->conn = conn_new(worker,
	                         stage->sockets ? speaker_socket(worker, direct_tls)
	                                        : speaker_pipe(stage, worker, direct_tls),
	                         &speaker_class, speaker, 0);
	if (direct_tls)
		conn_start_tls(speaker->conn, stage->tls, "north.example", "xmpp-client");
	town_settle(stage->town);
}

void speaker_disconnect(struct speaker *speaker)
{
	if (speaker->conn)
		conn_abort(speaker->conn, NULL);
}

void speaker_say(struct speaker *speaker, const char *bytes, size_t len)
{
	if (speaker->conn)
		buf_add(conn_out(speaker->conn), bytes, len);
	town_settle(speaker->stage->town);
}

/* ---- hearing ---- */

/* true: something was done, perhaps. */
static bool stage_wait(struct stage *stage, unsigned *naps)
{
	const struct timespec nap = { .tv_nsec = 1000000 };

	town_settle(stage->town);
	if (!stage->sockets || *naps == KERNEL_NAPS)
		return false;
	++*naps;
	nanosleep(&nap, NULL);
	town_settle(stage->town);
	return true;
}

bool speaker_start_tls(struct speaker *speaker)
{
	unsigned naps = 0;

	if (!speaker->conn)
		return false;
	speaker_begin(speaker);
	conn_start_tls(speaker->conn, speaker->stage->tls, "north.example", NULL);
	do {
		town_settle(speaker->stage->town);
	} while (!speaker->secure && speaker->conn && stage_wait(speaker->stage, &naps));
	return speaker->secure;
}

bool speaker_is_secure(const struct speaker *speaker)
{
	return speaker->secure;
}

struct element *stage_parse_header(struct stage *stage, const char *xml, size_t len)
{
	struct parser_root root;

	if (parser_header(stage->town->server->homes[0].parsers, &stage->arena, xml, len,
	                  &parser_limits_default, &root) != PARSER_OK)
		return NULL;
	return root.element;
}

struct element *stage_parse(struct stage *stage, const char *xml, size_t len)
{
	struct buf text = { 0 };
	struct element *root;

	buf_printf(&text, "<talk>%.*s</talk>", (int)len, xml);
	root = parser_text(stage->town->server->homes[0].parsers, &stage->arena, NS_CLIENT, text.data,
	                   text.len, &parser_limits_default);
	buf_clear(&text);
	return root;
}

static enum heard_kind speaker_take_header(struct speaker *speaker, const char *bytes, size_t len,
                                           struct element **element)
{
	struct stage *stage = speaker->stage;
	struct parser_root root;

	if (parser_header(stage->town->server->homes[0].parsers, &stage->arena, bytes, len,
	                  &parser_limits_default, &root) != PARSER_OK)
		return HEARD_RUBBISH;
	free(speaker->prime);
	speaker->prime = str_dup(root.prime);
	*element = root.element;
	return HEARD_HEADER;
}

static enum heard_kind speaker_take_element(struct speaker *speaker, const char *bytes, size_t len,
                                            struct element **element)
{
	struct stage *stage = speaker->stage;

	if (parser_stanza(stage->town->server->homes[0].parsers, &stage->arena, speaker->prime, NS_CLIENT,
	                  bytes, len, &parser_limits_default, element) != PARSER_OK)
		return HEARD_RUBBISH;
	return HEARD_ELEMENT;
}

/* A new header may come where a stanza might: the stream was restarted. */
static void speaker_notice_restart(struct speaker *speaker)
{
	if (speaker->scanned == 0 && speaker->heard.len >= 5 && memcmp(speaker->heard.data, "<?xml", 5) == 0)
		speaker_begin(speaker);
}

static enum heard_kind speaker_take(struct speaker *speaker, struct element **element)
{
	size_t pos = speaker->scanned, start, end;
	enum heard_kind kind = HEARD_RUBBISH;
	enum framer_result result;

	speaker_notice_restart(speaker);
	result = framer_next(&speaker->framer, speaker->heard.data, speaker->heard.len, STANZA_LIMIT, &pos,
	                     &start, &end);
	if (result == FRAMER_MORE) {
		buf_consume(&speaker->heard, start);
		speaker->scanned = pos - start;
		return HEARD_NOTHING;
	}
	if (result == FRAMER_HEADER)
		kind = speaker_take_header(speaker, speaker->heard.data + start, end - start, element);
	else if (result == FRAMER_STANZA)
		kind = speaker_take_element(speaker, speaker->heard.data + start, end - start, element);
	else if (result == FRAMER_FOOTER)
		kind = HEARD_FOOTER;
	buf_consume(&speaker->heard, end);
	speaker->scanned = 0;
	return kind;
}

enum heard_kind speaker_hear(struct speaker *speaker, struct element **element)
{
	enum heard_kind kind = speaker->again ? speaker->last : HEARD_NOTHING;
	unsigned naps = 0;

	*element = speaker->again ? speaker->last_element : NULL;
	speaker->again = false;
	town_settle(speaker->stage->town);
	while (kind == HEARD_NOTHING) {
		if (speaker->heard.len > speaker->scanned)
			kind = speaker_take(speaker, element);
		if (kind == HEARD_NOTHING && speaker->ended)
			kind = HEARD_END;
		if (kind == HEARD_NOTHING && !stage_wait(speaker->stage, &naps))
			break;
	}
	speaker->last = kind;
	speaker->last_element = *element;
	return kind;
}

void speaker_put_back(struct speaker *speaker)
{
	speaker->again = true;
}

size_t speaker_binding(struct speaker *speaker, const char *name, uint8_t out[64])
{
	return strcmp(name, "tls-exporter") == 0 ? conn_binding_exporter(speaker->conn, out) : 0;
}
