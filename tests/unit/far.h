/* SPDX-License-Identifier: MIT
 *
 * The far side of the tests of s2s: a town, and the server of far.example, which is the test itself: it
 * listens where the configuration says that far.example is, and connects to the town as other servers do.
 * Sockets are real; time passes by the turn, or as the test says.
 */
#ifndef UNIT_FAR_H
#define UNIT_FAR_H

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "net/transport.h"
#include "../../s2s/s2s.h"
#include "../support/town.h"
#include "tiny_dns.h"

#define FAR_HEADER                                                                                     \
	"<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' " \
	"xmlns:stream='http://etherx.jabber.org/streams' "
#define FAR_FEATURES "<stream:features><dialback xmlns='urn:xmpp:features:dialback'/></stream:features>"

struct far {
	uint16_t port; /* where far.example listens */
	struct town *town;
	struct tiny_dns *dns;
	int listening;
	struct person *ann; /* ann@north.example/desk */
};

/* A stream with the town, seen from far.example. */
struct far_stream {
	struct far *far;
	int fd;
	struct buf got;
	bool ended;
};

static inline int far_listen(uint16_t *port)
{
	struct address address;
	socklen_t len = sizeof(address.v4);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	address_read("127.0.0.1", 0, &address);
	if (bind(fd, &address.any, len) < 0 || listen(fd, 8) < 0 || getsockname(fd, &address.any, &len) < 0)
		abort();
	*port = address_port(&address);
	return fd;
}

static inline char *far_sections(const struct far *far, const char *more, const char *sections)
{
	char dns[ADDRESS_TEXT], *named, *text;

	address_write(&far->dns->address, dns);
	named = more ? str_printf("peer far.example { address = { \"127.0.0.1:%u\" }\n%s }\n", far->port, more) : str_dup("");
	text = str_printf("dns { servers = { \"%s\" } }\npeer \"*\" { tls = optional }\n%s%s", dns, named, sections);
	free(named);
	return text;
}

/* more: further lines of the section of far.example; NULL: it has none, the DNS knows it. sections: further sections. */
static inline struct far *far_open(const char *more, const char *sections)
{
	static const struct module *const modules[] = { &town_module, &s2s_module, NULL };
	struct far *far = mem_zalloc(sizeof(*far));
	char *text;

	far->listening = far_listen(&far->port);
	far->dns = tiny_dns_new();
	tiny_dns_srv(far->dns, "_xmpp-server._tcp.far.example", 0, 0, "here.far.example", far->port);
	tiny_dns_host(far->dns, "here.far.example", "127.0.0.1");
	text = far_sections(far, more, sections);
	far->town = town_open(modules, text);
	free(text);
	town_add_account(far->town, "ann@north.example");
	far->ann = person_come(far->town, "ann@north.example/desk");
	person_says(far->ann, "<presence/>");
	person_heard(far->ann);
	return far;
}

static inline void far_reload(struct far *far, const char *more)
{
	char *text = far_sections(far, more,
	                          "server { workers = 2 }\nhost north.example { }\nhost south.example { }\n"
	                          "tls { client-required = no }\n");
	char *error;

	town_configure(far->town, text);
	error = server_reload(far->town->server);
	if (error)
		fail_msg("%s", error);
	free(text);
	town_settle(far->town);
}

static inline void far_close(struct far **far)
{
	person_go(&(*far)->ann);
	town_close(&(*far)->town);
	tiny_dns_free(&(*far)->dns);
	close((*far)->listening);
	free(*far);
	*far = NULL;
}

/* Lets the town work for about a millisecond, of both clocks. */
static inline void far_turn(struct far *far)
{
	town_pass(far->town, 1);
	tiny_dns_serve(far->dns, 1);
	town_settle(far->town);
}

/* ---- streams ---- */

static inline void far_stream_close(struct far_stream *stream)
{
	if (stream->fd >= 0)
		close(stream->fd);
	stream->fd = -1;
	buf_clear(&stream->got);
}

static inline void far_read(struct far_stream *stream)
{
	char bytes[65536];
	ssize_t n;

	while (!stream->ended && (n = recv(stream->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) >= 0) {
		buf_add(&stream->got, bytes, (size_t)n);
		stream->ended = n == 0;
	}
	if (!stream->ended && errno != EAGAIN)
		stream->ended = true;
	buf_add_char(&stream->got, '\0');
	stream->got.len--;
}

/* Waits until text has come, forgets everything up to its end; fails the test when it does not come. */
static inline void far_expect(struct far_stream *stream, const char *text)
{
	const char *found = NULL;

	for (unsigned i = 0; i < 2000 && !found; i++) {
		far_read(stream);
		found = strstr(stream->got.data, text);
		if (!found && stream->ended)
			break;
		if (!found)
			far_turn(stream->far);
	}
	if (!found)
		fail_msg("\"%s\" did not come, but: %s", text, stream->got.data);
	buf_consume(&stream->got, (size_t)(found - stream->got.data) + strlen(text));
}

/* The same, and the town closes behind it. */
static inline void far_expect_end(struct far_stream *stream, const char *text)
{
	far_expect(stream, text);
	for (unsigned i = 0; i < 2000 && !stream->ended; i++) {
		far_turn(stream->far);
		far_read(stream);
		if (strstr(stream->got.data, "</stream:stream>") && i == 0)
			shutdown(stream->fd, SHUT_WR);
	}
	assert_true(stream->ended);
}

/* The kernel, whose time is the real one, acknowledges what has come. */
static inline void far_wait_for_tcp(struct far *far)
{
	for (unsigned i = 0; i < 60; i++)
		far_turn(far);
}

/* What has come by now is without text. */
static inline void far_expect_not(struct far_stream *stream, const char *text)
{
	for (unsigned i = 0; i < 20; i++)
		far_turn(stream->far);
	far_read(stream);
	assert_null(strstr(stream->got.data, text));
}

static inline void far_say(struct far_stream *stream, const char *text)
{
	if (send(stream->fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		fail_msg("the town has closed");
}

/* The value of an attribute of what comes next. */
static inline char *far_value(struct far_stream *stream, const char *begins)
{
	char *value;
	size_t len;

	far_expect(stream, begins);
	far_read(stream);
	len = strcspn(stream->got.data, "'<");
	value = str_dup_len(stream->got.data, len);
	return value;
}

/* ---- the town connects to us ---- */

static inline struct far_stream far_accept(struct far *far)
{
	struct far_stream stream = { .far = far, .fd = -1 };

	for (unsigned i = 0; i < 2000 && stream.fd < 0; i++) {
		far_turn(far);
		stream.fd = accept(far->listening, NULL, NULL);
	}
	if (stream.fd < 0)
		fail_msg("the town does not connect");
	return stream;
}

static inline bool far_is_called(struct far *far)
{
	struct pollfd waits = { .fd = far->listening, .events = POLLIN };

	for (unsigned i = 0; i < 50; i++)
		far_turn(far);
	return poll(&waits, 1, 0) > 0;
}

/* Headers and features, up to the point where the town may speak. */
static inline struct far_stream far_accept_open(struct far *far)
{
	struct far_stream stream = far_accept(far);

	far_expect(&stream, "to='far.example'");
	far_say(&stream,
	        FAR_HEADER "id='far-1' from='far.example' to='north.example' version='1.0'>" FAR_FEATURES);
	return stream;
}

/* And dialback: stanzas flow. */
static inline struct far_stream far_accept_up(struct far *far)
{
	struct far_stream stream = far_accept_open(far);

	far_expect(&stream, "</db:result>");
	far_say(&stream, "<db:result from='far.example' to='north.example' type='valid'/>");
	return stream;
}

/* ---- we connect to the town ---- */

static inline struct far_stream far_connect(struct far *far)
{
	struct far_stream stream = { .far = far };
	struct home *home = &far->town->server->homes[0];
	struct address address;
	uint16_t port;
	int listening = far_listen(&port), accepted;

	address_read("127.0.0.1", port, &address);
	stream.fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(stream.fd, &address.any, sizeof(address.v4)) < 0)
		abort();
	accepted = accept(listening, NULL, NULL);
	close(listening);
	s2s_module.accepted(home, LISTEN_SERVER, transport_socket(home->worker, accepted));
	return stream;
}

static inline struct far_stream far_connect_open(struct far *far, const char *from)
{
	struct far_stream stream = far_connect(far);
	char *header = str_printf(FAR_HEADER "from='%s' to='north.example' version='1.0'>", from);

	far_say(&stream, header);
	free(header);
	far_expect(&stream, "</stream:features>");
	return stream;
}

/* The town asks far.example whether the key is its own: on the stream for that, or a new one. */
static inline struct far_stream far_answer_verify(struct far *far, const char *type)
{
	struct far_stream back = far_accept_open(far);
	char *id, *answer;

	id = far_value(&back, "<db:verify from='north.example' to='far.example' id='");
	answer = str_printf("<db:verify from='far.example' to='north.example' id='%s' type='%s'/>", id, type);
	far_say(&back, answer);
	free(answer);
	free(id);
	return back;
}

static inline struct far_stream far_connect_up(struct far *far)
{
	struct far_stream stream = far_connect_open(far, "far.example"), back;

	far_say(&stream, "<db:result from='far.example' to='north.example'>key</db:result>");
	back = far_answer_verify(far, "valid");
	far_expect(&stream, "<db:result from='north.example' to='far.example' type='valid'/>");
	far_stream_close(&back);
	return stream;
}

#endif
