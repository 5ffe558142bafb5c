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
#include "base/map.h"
#include "base/mem.h"
#include "core/journal.h"
#include "xmpp/ns.h"
#include "xmpp/writer.h"

enum { ROOM_FIRST = 8 };

/* A ring: the newest of them. Most messages are new, and the tags, a byte of each digest, say so without a look at the rest. */
struct repeats {
	uint8_t *tags;
	uint64_t *digests;
	uint32_t *at_s;
	uint32_t count, room, next;
};

/* A message that nobody has taken yet. */
struct watch {
	uint64_t digest;
	struct parcel *first;
	struct parcel *again;           /* that have come since; the newest first */
};

static void watch_answered(struct home *home, struct parcel *copy);

/* ---- the digest ---- */

static const char *origin_id(const struct element *message)
{
	const struct element *origin = element_child(message, "origin-id", NS_SID);
	const char *id = origin ? element_attr(origin, "id") : NULL;

	return id && *id ? id : NULL;
}

/* Each piece is hashed under what those before it have made of the key. */
static uint64_t digest_add(const struct hash_seed *key, uint64_t digest, const void *bytes, size_t len)
{
	const struct hash_seed here = { key->k0 ^ digest, key->k1 };

	return hash_bytes(&here, bytes, len);
}

/* Without <delay/>: who sends again may say so. */
static uint64_t digest_add_words(const struct hash_seed *key, uint64_t digest, const struct stanza *message)
{
	const struct element *root = message->root;
	struct buf text = { 0 };

	if (!element_child(root, "delay", NS_DELAY))
		return digest_add(key, digest, message->content, message->content_len);
	for (const struct node *node = root->first; node; node = node->next) {
		if (!node->element)
			writer_text(&text, node->text, node->len);
		else if (!element_is(node->element, "delay", NS_DELAY))
			writer_element(&text, node->element, root->ns);
	}
	digest = digest_add(key, digest, text.data, text.len);
	buf_clear(&text);
	return digest;
}

/* The key is the server's secret: it is the same after a restart, and nobody else can make two messages look alike. */
static uint64_t digest_make(const struct server *server, const struct stanza *message, const struct jid *to, const char *id)
{
	struct hash_seed key;
	uint64_t digest;

	_Static_assert(sizeof(server->secret) >= sizeof(key), "the secret is long enough for a key");
	memcpy(&key, server->secret, sizeof(key));
	digest = digest_add(&key, message->type, message->from.text, jid_bare_len(&message->from));
	digest = digest_add(&key, digest, to->text, jid_len(to));
	digest = digest_add(&key, digest, id, strlen(id));
	digest = digest_add_words(&key, digest, message);
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
	return (uint32_t)(clock_wall_us(worker_clock(account->home->worker)) / 1000000);
}

static uint8_t digest_tag(uint64_t digest)
{
	return (uint8_t)(digest >> 8);
}

static uint32_t *repeats_find(const struct account *account, uint64_t digest)
{
	const struct repeats *repeats = account->repeats;
	const uint8_t *tag = repeats ? repeats->tags : NULL;

	for (; tag && (tag = memchr(tag, digest_tag(digest), (size_t)(repeats->tags + repeats->count - tag))); tag++) {
		if (repeats->digests[tag - repeats->tags] == digest)
			return &repeats->at_s[tag - repeats->tags];
	}
	return NULL;
}

static bool repeats_has(const struct account *account, uint64_t digest)
{
	const uint32_t *at_s = repeats_find(account, digest);

	return at_s && now_s(account) - *at_s <= account->home->config->limits.repeat_ms / 1000;
}

/* Room doubles until there is as much as may be remembered. */
static void repeats_grow(struct repeats *repeats, uint32_t most)
{
	uint32_t room = repeats->room ? repeats->room * 2 : ROOM_FIRST;

	if (repeats->count < repeats->room || repeats->room >= most)
		return;
	repeats->room = room < most ? room : most;
	repeats->tags = mem_realloc(repeats->tags, repeats->room);
	repeats->digests = mem_realloc(repeats->digests, repeats->room * sizeof(*repeats->digests));
	repeats->at_s = mem_realloc(repeats->at_s, repeats->room * sizeof(*repeats->at_s));
	repeats->next = repeats->count;
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
	repeats_grow(repeats, most);
	repeats->next %= repeats->room;
	repeats->tags[repeats->next] = digest_tag(digest);
	repeats->digests[repeats->next] = digest;
	repeats->at_s[repeats->next] = at_s;
	repeats->next++;
	if (repeats->count < repeats->room)
		repeats->count++;
}

void repeats_forget(struct account *account, uint64_t digest)
{
	uint32_t *at_s = repeats_find(account, digest);

	if (at_s)
		account->repeats->digests[at_s - account->repeats->at_s] = 0;
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
	if (!account->repeats)
		return;
	free(account->repeats->tags);
	free(account->repeats->digests);
	free(account->repeats->at_s);
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

static struct parcel *watch_start(struct account *account, struct parcel *parcel, uint64_t digest)
{
	struct watch *watch = mem_zalloc(sizeof(*watch));
	struct parcel *copy = parcel_new(account->home, parcel->stanza, &parcel->to);

	watch->digest = digest;
	watch->first = parcel;
	map_put(account->home->watches, &watch->digest, sizeof(watch->digest), watch);
	copy->answered = watch_answered;
	copy->token = digest;
	copy->since_us = parcel->since_us;
	copy->delayed = parcel->delayed;
	copy->shown = parcel->shown;
	copy->known = true;
	return copy;
}

/* What comes back from a session, or from the journal, has been here. */
static bool is_new(const struct parcel *parcel)
{
	return parcel->stanza->kind == STANZA_MESSAGE && !parcel->journal && !parcel->known && !kept_is_from_journal(parcel);
}

struct parcel *repeats_pass(struct account *account, struct parcel *parcel)
{
	struct home *home = account->home;
	uint64_t digest = is_new(parcel) ? repeats_digest(home->server, parcel->stanza, &parcel->to, STORE_IN) : 0;
	struct watch *watch = digest ? map_find(home->watches, &digest, sizeof(digest)) : NULL;

	if (digest == 0)
		return parcel;
	if (watch) {
		parcel->next = watch->again;
		watch->again = parcel;
		return NULL;
	}
	if (repeats_has(account, digest)) {
		parcel_taken(home, &parcel);
		return NULL;
	}
	repeats_remember(account, digest, now_s(account));
	return watch_start(account, parcel, digest);
}

static void answer_likewise(struct home *home, const struct parcel *copy, struct parcel *parcel)
{
	parcel->next = NULL;
	if (copy->answer == PARCEL_TAKEN)
		parcel_taken(home, &parcel);
	else
		parcel_refused(home, &parcel, copy->condition, copy->text);
}

static void watch_answered(struct home *home, struct parcel *copy)
{
	struct watch *watch = map_remove(home->watches, &copy->token, sizeof(copy->token));
	struct account *account = account_find(home, copy->to.text, jid_bare_len(&copy->to));
	struct parcel *again;

	if (copy->answer == PARCEL_REFUSED && account)
		repeats_forget(account, watch->digest);
	answer_likewise(home, copy, watch->first);
	while ((again = watch->again)) {
		watch->again = again->next;
		answer_likewise(home, copy, again);
	}
	free(watch);
	parcel_free(&copy);
}

void watches_close(struct home *home)
{
	struct map_walk walk = { 0 };
	struct watch *watch;
	struct parcel *again;

	while ((watch = map_next(home->watches, &walk))) {
		parcel_free(&watch->first);
		while ((again = watch->again)) {
			watch->again = again->next;
			parcel_free(&again);
		}
		free(watch);
	}
	map_free(&home->watches);
}
