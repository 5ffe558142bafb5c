/* SPDX-License-Identifier: MIT
 *
 * Messages that come twice. A client that does not know whether a message was taken sends it again: on a new session, after
 * the server has died, or another server does. Who says by an <origin-id/> (XEP-0359 §3) that it is the same one, with the
 * same words, gets it delivered once.
 *
 * An account remembers digests of sender, recipient, type, origin-id and content of what it has got and sent, the newest of
 * some time; a message without origin-id has none. They stand with the entries of the journal, too, and come back with the
 * account. What must stay true: a repeat is never answered before the one that came first, and as that one is; where the
 * first was refused, the next is a new message.
 */
#include "account_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "core/journal.h"
#include "core/likeness.h"
#include "xmpp/ns.h"
#include "xmpp/writer.h"

enum { TAG_BLOCK = 32 };

/* A ring: the newest of them. Most messages are new, and the tags, a piece of each digest, say so without a look at the rest. */
struct repeats {
	uint16_t *tags;
	struct repeat {
		uint64_t digest;        /* 0: there is none, or it was refused */
		uint32_t at_s;
	} *ring;
	uint32_t room, next;            /* room: in whole blocks of tags */
};

/* ---- the digest ---- */

static const char *origin_id(const struct element *message)
{
	const struct element *origin = element_child(message, "origin-id", NS_SID);
	const char *id = origin ? element_attr(origin, "id") : NULL;

	return id && *id ? id : NULL;
}

/* The key is the server's secret: it is the same after a restart, and nobody else can make two messages look alike. */
static uint64_t digest_make(const struct server *server, const struct stanza *message, const struct jid *to, const char *id)
{
	struct hash_seed key;
	uint64_t digest;

	_Static_assert(sizeof(server->secret) >= sizeof(key), "the secret is long enough for a key");
	memcpy(&key, server->secret, sizeof(key));
	digest = likeness_add(&key, message->type, message->from.text, jid_bare_len(&message->from));
	digest = likeness_add(&key, digest, to->text, jid_len(to));
	digest = likeness_add(&key, digest, id, strlen(id));
	digest = likeness_add_words(&key, digest, message);
	return (digest & INT64_MAX & ~UINT64_C(1)) | 2;
}

uint64_t repeats_digest(const struct server *server, const struct stanza *message, const struct jid *to,
                        enum store_direction direction)
{
	const char *id = message->type == MESSAGE_NORMAL || message->type == MESSAGE_CHAT ? origin_id(message->root) : NULL;

	if (!id || !message->from.text)
		return 0;
	if (message->repeat && jid_same(to, &message->to))
		return message->repeat | (direction == STORE_OUT);
	return digest_make(server, message, to, id) | (direction == STORE_OUT);
}

/* ---- remembered ---- */

static uint32_t now_s(const struct account *account)
{
	return (uint32_t)(worker_wall_us(account->home->worker) / 1000000);
}

static uint16_t digest_tag(uint64_t digest)
{
	return (uint16_t)(digest >> 8);
}

static bool block_has(const uint16_t *tags, uint16_t tag)
{
	uint16_t found = 0;

	for (size_t i = 0; i < TAG_BLOCK; i++)
		found |= tags[i] == tag;
	return found;
}

static struct repeat *block_find(struct repeat *block, uint64_t digest)
{
	for (size_t i = 0; i < TAG_BLOCK; i++) {
		if (block[i].digest == digest)
			return &block[i];
	}
	return NULL;
}

static struct repeat *repeats_find(const struct account *account, uint64_t digest)
{
	const struct repeats *repeats = account->repeats;
	struct repeat *found = NULL;

	for (uint32_t at = 0; repeats && at < repeats->room && !found; at += TAG_BLOCK) {
		if (block_has(repeats->tags + at, digest_tag(digest)))
			found = block_find(repeats->ring + at, digest);
	}
	return found;
}

static bool repeats_has(const struct account *account, uint64_t digest)
{
	const struct repeat *repeat = repeats_find(account, digest);

	return repeat && now_s(account) - repeat->at_s <= account->home->config->limits.repeat_ms / 1000;
}

/* Room doubles until there is as much as may be remembered. */
static void repeats_grow(struct repeats *repeats)
{
	uint32_t room = repeats->room ? repeats->room * 2 : TAG_BLOCK;

	repeats->tags = mem_realloc(repeats->tags, room * sizeof(*repeats->tags));
	repeats->ring = mem_realloc(repeats->ring, room * sizeof(*repeats->ring));
	memset(repeats->tags + repeats->room, 0, (room - repeats->room) * sizeof(*repeats->tags));
	memset(repeats->ring + repeats->room, 0, (room - repeats->room) * sizeof(*repeats->ring));
	repeats->room = room;
}

static void repeats_remember(struct account *account, uint64_t digest, uint32_t at_s)
{
	uint32_t most = account->home->config->limits.repeats;
	struct repeats *repeats;

	if (most == 0)
		return;
	if (!account->repeats)
		account->repeats = mem_zalloc(sizeof(*account->repeats));
	repeats = account->repeats;
	if (repeats->next >= most)
		repeats->next = 0;
	if (repeats->next == repeats->room)
		repeats_grow(repeats);
	repeats->tags[repeats->next] = digest_tag(digest);
	repeats->ring[repeats->next++] = (struct repeat){ digest, at_s };
}

void repeats_forget(struct account *account, uint64_t digest)
{
	struct repeat *repeat = repeats_find(account, digest);

	if (repeat)
		repeat->digest = 0;
}

void repeats_ask(const struct home *home, struct store_account_load *load)
{
	const struct limits *limits = &home->config->limits;

	load->repeats_after = journal_sequence_at(clock_wall_us(worker_clock(home->worker)) - (int64_t)limits->repeat_ms * 1000);
	load->repeats_most = limits->repeats;
}

/* They come newest first. */
void repeats_load(struct account *account, const struct store_account_load *load)
{
	for (size_t i = load->repeat_count; i-- > 0;)
		repeats_remember(account, load->repeats[i].digest, (uint32_t)(load->repeats[i].at_us / 1000000));
}

void repeats_clear(struct account *account)
{
	while (list_take_first(&account->unanswered))
		continue;
	if (!account->repeats)
		return;
	free(account->repeats->tags);
	free(account->repeats->ring);
	free(account->repeats);
	account->repeats = NULL;
}

/* ---- sent ---- */

bool repeats_sends(struct account *account, struct stanza *message)
{
	uint64_t digest = repeats_digest(account->home->server, message, &message->to, STORE_OUT);

	message->repeat = digest & ~UINT64_C(1);
	if (digest && repeats_has(account, digest))
		return false;
	if (digest)
		repeats_remember(account, digest, now_s(account));
	return true;
}

/* ---- received ---- */

/* What comes back from a session, or from the journal, has been here. */
static bool is_new(const struct parcel *parcel)
{
	return parcel->stanza->kind == STANZA_MESSAGE && !parcel->journal && !parcel->known && !kept_is_from_journal(parcel);
}

/* NULL: it has been taken. */
static struct parcel *unanswered_find(const struct account *account, uint64_t digest)
{
	const struct list *unanswered = &account->unanswered;

	for (struct list_link *link = list_first(unanswered); link; link = list_next(unanswered, link)) {
		struct parcel *parcel = LIST_MEMBER(link, struct parcel, unanswered);

		if (parcel->digest == digest)
			return parcel;
	}
	return NULL;
}

static void repeat_arrives(struct account *account, struct parcel *repeat, uint64_t digest)
{
	struct parcel *first = unanswered_find(account, digest);

	if (!first) {
		parcel_taken(account->home, &repeat);
		return;
	}
	repeat->next = first->again;
	first->again = repeat;
}

bool repeats_takes(struct account *account, struct parcel *parcel)
{
	uint64_t digest = is_new(parcel) ? repeats_digest(account->home->server, parcel->stanza, &parcel->to, STORE_IN) : 0;

	if (digest == 0)
		return false;
	if (repeats_has(account, digest)) {
		repeat_arrives(account, parcel, digest);
		return true;
	}
	repeats_remember(account, digest, now_s(account));
	parcel->known = true;
	parcel->digest = digest;
	list_add_last(&account->unanswered, &parcel->unanswered);
	return false;
}

void repeats_refused(struct home *home, const struct parcel *parcel)
{
	struct account *account = account_find(home, parcel->to.text, jid_bare_len(&parcel->to));

	if (account)
		repeats_forget(account, parcel->digest);
}
