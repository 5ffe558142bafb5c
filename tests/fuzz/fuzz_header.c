/* SPDX-License-Identifier: MIT
 *
 * Bytes from a peer through a whole stream (core/stream.h): headers, restarts, pauses, errors, the closing
 * handshake. The first byte says in what pieces the rest comes and what the owner does. Checked: what the
 * owner is told of a header is fit for use, closed() comes exactly once, and what we answered is well-formed
 * up to its last byte.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/server.h"
#include "core/stream.h"
#include "xmpp/framer.h"
#include "xmpp/ns.h"

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

enum { PAUSES = 64, RESTARTS = 128 };

static struct world {
	struct clock clock;
	uint64_t ms;
	struct workers *workers;
	struct home home;
	struct config config;
	struct host host;
	struct stream *stream;
	struct conn *peer;
	struct buf said;
	uint8_t choice;
	unsigned opened, closed;
} world;

static uint64_t world_ms(const struct clock *clock)
{
	(void)clock;
	return world.ms;
}

static int64_t world_us(const struct clock *clock)
{
	(void)clock;
	return 0;
}

static void owner_opened(struct stream *stream, void *owner, const struct stream_header *header)
{
	(void)owner;
	CHECK(element_is(header->element, "stream", NS_STREAM));
	CHECK(header->major >= 0 && header->minor >= 0);
	CHECK(!header->lang ||
	      strspn(header->lang, "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") ==
	              strlen(header->lang));
	CHECK(!header->lang == !stream_lang(stream));
	world.opened++;
	stream_open(stream, "north.example", header->from, "en", NULL);
}

static void owner_received(struct stream *stream, void *owner, struct stanza *stanza, enum stanza_check check)
{
	const struct stanza *done = stanza;

	(void)owner, (void)check;
	CHECK(world.opened > 0 && world.closed == 0);
	if (world.choice & PAUSES)
		stream_pause(stream);
	if (world.choice & RESTARTS)
		stream_restart(stream);
	stanza_unref(&done);
}

static void owner_closed(struct stream *stream, void *owner, enum stream_condition condition,
                         const char *text)
{
	(void)stream, (void)owner, (void)condition, (void)text;
	world.closed++;
}

static void owner_time(struct stream *stream, void *owner)
{
	(void)stream, (void)owner;
}

static const struct stream_class owner_class = {
	.name = "fuzz",
	.content_ns = NS_CLIENT,
	.opened = owner_opened,
	.received = owner_received,
	.secured = owner_time,
	.late = owner_time,
	.silent = owner_time,
	.closed = owner_closed,
};

static void peer_received(struct conn *conn, void *owner, char *bytes, size_t len)
{
	(void)conn, (void)owner;
	buf_add(&world.said, bytes, len);
}

static void peer_closed(struct conn *conn, void *owner, const char *reason)
{
	(void)conn, (void)owner, (void)reason;
	world.peer = NULL;
}

static const struct conn_class peer_class = { .received = peer_received, .closed = peer_closed };

static void world_make(void)
{
	struct worker *worker;

	world.clock = (struct clock){ world_ms, world_us };
	world.workers = workers_new(&(struct workers_options){
		.count = 1, .stepped = true, .clock = &world.clock, .entropy = &entropy_system });
	worker = workers_at(world.workers, 0);
	world.host.domain = "north.example";
	world.config.hosts = &world.host;
	world.config.host_count = 1;
	world.config.limits.parser = parser_limits_default;
	world.home = (struct home){ .worker = worker,
		                    .config = &world.config,
		                    .parsers = parser_set_new(&(struct hash_seed){ 1, 2 }) };
	list_init(&world.home.open_streams);
	worker_set_owner(worker, &world.home);
}

static void settle(void)
{
	while (workers_step(world.workers))
		continue;
}

static void pass(uint64_t ms)
{
	for (uint64_t end = world.ms + ms; world.ms < end;) {
		world.ms += 500;
		settle();
	}
}

/* Each of our headers begins a document; in each all that follows is whole elements, perhaps a footer. */
static void check_said(const char *said, size_t len)
{
	static const char declaration[] = "<?xml version='1.0'?>";
	size_t pos = 0, start, end;
	enum framer_result result;
	struct framer framer;

	framer_init(&framer);
	while (pos < len) {
		if (len - pos > sizeof(declaration) &&
		    memcmp(said + pos, declaration, sizeof(declaration) - 1) == 0)
			framer_init(&framer);
		result = framer_next(&framer, said, len, SIZE_MAX / 2, &pos, &start, &end);
		CHECK(result == FRAMER_HEADER || result == FRAMER_STANZA || result == FRAMER_FOOTER);
		CHECK(result != FRAMER_FOOTER || pos == len);
	}
}

static void say(const char *bytes, size_t len, size_t piece)
{
	while (len > 0 && world.peer && world.closed == 0) {
		size_t n = piece < len ? piece : len;

		buf_add(conn_out(world.peer), bytes, n);
		bytes += n;
		len -= n;
		settle();
		if (world.closed == 0 && world.choice & PAUSES)
			stream_resume(world.stream);
		settle();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	struct transport *ours, *theirs;

	if (len == 0)
		return 0;
	if (!world.workers)
		world_make();
	world.choice = input[0];
	world.opened = world.closed = 0;
	world.said.len = 0;
	transport_pipe(world.home.worker, &ours, world.home.worker, &theirs);
	world.stream = stream_new(&world.home, ours, &owner_class, NULL, true, 4096);
	world.peer = conn_new(world.home.worker, theirs, &peer_class, NULL, 0);
	say((const char *)input + 1, len - 1, 1 + input[0] % 64);
	if (world.closed == 0)
		stream_close(world.stream);
	pass(1000);
	if (world.peer)
		conn_close(world.peer, NULL);
	pass(30000);
	CHECK(world.closed == 1 && !world.peer);
	check_said(world.said.data, world.said.len);
	return 0;
}
