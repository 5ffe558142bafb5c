/* SPDX-License-Identifier: MIT
 *
 * The capabilities of contacts and own resources (XEP-0115 §6.2, §8.4 "caching"). A presence names a verification string;
 * the first resource that names one is asked with disco#info, and its answer counts for all that name the same, once its
 * hash proves to be that string. An answer that does not prove it counts for the resource that gave it and nobody else.
 *
 * A home remembers CAPS_MAX strings; those that nobody available names make room.
 */
#include "core/caps.h"

#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/map.h"
#include "base/mem.h"
#include "core/account.h"
#include "core/custody.h"
#include "core/module.h"
#include "core/router.h"
#include "xmpp/ns.h"

enum {
	CAPS_MAX = 2000,
	PEERS_MAX = 2000, /* available resources of one account's subscribers */
	NODES_MAX = 100,  /* that one resource wants to hear of */
	NODE_BYTES = 1023,
	PATIENCE_MS = 30000, /* for an answer; then another resource is asked */
};
#define NOTIFY "+notify"

/* What one verification string stands for. */
struct caps {
	size_t refs;        /* peers that name it */
	bool known, shared; /* shared: in the home's table */
	char ver[CAPS_VER_LEN + 1];
	char **nodes; /* sorted; owned */
	size_t count;
	struct list waiting;           /* peers, while not known */
	const struct caps_peer *asked; /* the request under way went to it; NULL: there is none */
	char asked_id[ID_LEN + 1];
	uint64_t asked_ms;
};

struct caps_peer {
	struct caps_peer *next;
	struct account *account;
	struct caps *caps;
	struct list_link link; /* caps->waiting */
	const char *node;      /* of the <c/>; owned */
	struct jid jid;        /* full; text behind the struct */
};

/* This module's part of an account. */
struct caps_peers {
	struct caps_peer *first;
	size_t count;
};

/* ---- what a string stands for ---- */

static void caps_clear(struct caps *caps)
{
	for (size_t i = 0; i < caps->count; i++)
		free(caps->nodes[i]);
	free(caps->nodes);
	free(caps);
}

static void caps_make_room(struct map *table)
{
	struct map_walk walk = { 0 };
	struct caps *caps;

	while ((caps = map_next(table, &walk))) {
		if (caps->refs > 0)
			continue;
		map_remove(table, caps->ver, CAPS_VER_LEN);
		caps_clear(caps);
	}
}

static struct caps *caps_new(const char *ver, bool shared)
{
	struct caps *caps = mem_zalloc(sizeof(*caps));

	memcpy(caps->ver, ver, CAPS_VER_LEN);
	caps->shared = shared;
	list_init(&caps->waiting);
	return caps;
}

/* NULL: there is no room. */
static struct caps *caps_get(struct home *home, const char *ver)
{
	struct map *table = home_part(home, &caps_module);
	struct caps *caps = map_find(table, ver, CAPS_VER_LEN);

	if (caps)
		return caps;
	if (map_count(table) >= CAPS_MAX)
		caps_make_room(table);
	if (map_count(table) >= CAPS_MAX)
		return NULL;
	caps = caps_new(ver, true);
	map_put(table, caps->ver, CAPS_VER_LEN, caps);
	return caps;
}

static int node_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool caps_has(const struct caps *caps, const char *node)
{
	return caps->count && bsearch(&node, caps->nodes, caps->count, sizeof(*caps->nodes), node_compare);
}

static void caps_read(struct caps *caps, const struct element *query)
{
	caps->nodes = mem_zalloc(NODES_MAX * sizeof(*caps->nodes));
	for (const struct node *node = query->first; node && caps->count < NODES_MAX; node = node->next) {
		const char *var = node->element && element_is(node->element, "feature", NS_DISCO_INFO)
		                          ? element_attr(node->element, "var")
		                          : NULL;
		size_t len = var ? strlen(var) : 0, tail = strlen(NOTIFY);

		if (len > tail && len <= NODE_BYTES + tail && strcmp(var + len - tail, NOTIFY) == 0)
			caps->nodes[caps->count++] = str_dup_len(var, len - tail);
	}
	if (caps->count)
		caps->nodes = mem_realloc(caps->nodes, caps->count * sizeof(*caps->nodes));
	qsort(caps->nodes, caps->count, sizeof(*caps->nodes), node_compare);
	caps->known = true;
}

/* ---- peers ---- */

const struct jid *caps_peer_jid(const struct caps_peer *peer)
{
	return &peer->jid;
}

bool caps_peer_wants(const struct caps_peer *peer, const char *node)
{
	return peer->caps->known && caps_has(peer->caps, node);
}

const char *const *caps_peer_nodes(const struct caps_peer *peer, size_t *count)
{
	*count = peer->caps->count;
	return (const char *const *)peer->caps->nodes;
}

const struct caps_peer *caps_peer_next(const struct account *account, const struct caps_peer *peer)
{
	const struct caps_peers *peers = account_part(account, &caps_module);

	if (peer)
		return peer->next;
	return peers ? peers->first : NULL;
}

/* Where the peer with that address hangs in its list; at the list's end: there is none. */
static struct caps_peer **peer_place(struct caps_peers *peers, const struct jid *jid)
{
	struct caps_peer **place = &peers->first;

	while (*place && !jid_same(&(*place)->jid, jid))
		place = &(*place)->next;
	return place;
}

static void caps_unref(struct caps *caps)
{
	if (--caps->refs == 0 && !caps->shared)
		caps_clear(caps);
}

static void peer_remove(struct caps_peers *peers, struct caps_peer **place)
{
	struct caps_peer *peer = *place;

	*place = peer->next;
	peers->count--;
	list_remove(&peer->link);
	if (peer->caps->asked == peer)
		peer->caps->asked = NULL;
	caps_unref(peer->caps);
	free((char *)peer->node);
	free(peer);
}

static struct caps_peer *peer_new(struct account *account, struct caps_peers *peers, const struct jid *jid)
{
	size_t len = jid_len(jid);
	struct caps_peer *peer = mem_zalloc(sizeof(*peer) + len + 1);

	peer->account = account;
	peer->jid = *jid;
	peer->jid.text = memcpy(peer + 1, jid->text, len);
	peer->next = peers->first;
	peers->first = peer;
	peers->count++;
	return peer;
}

/* The modules hear of the nodes that the peer did not want before. */
static void peer_tell(struct caps_peer *peer, const struct caps *before)
{
	const struct caps *caps = peer->caps;
	const char **nodes = mem_alloc((caps->count + 1) * sizeof(*nodes));
	size_t count = 0;

	for (size_t i = 0; i < caps->count; i++) {
		if (!before || !caps_has(before, caps->nodes[i]))
			nodes[count++] = caps->nodes[i];
	}
	for (const struct module *const *module = peer->account->home->server->modules; count && *module;
	     module++) {
		if ((*module)->caps_known)
			(*module)->caps_known(peer->account, peer, nodes, count);
	}
	free(nodes);
}

/* ---- asked and answered ---- */

/* §6.2: asks the peer that has waited longest; should it not answer, the others come first the next time. */
static void caps_ask(struct home *home, struct caps *caps)
{
	struct list_link *link = list_take_first(&caps->waiting);
	struct caps_peer *peer = link ? LIST_MEMBER(link, struct caps_peer, link) : NULL;
	struct stanza *request;
	struct element *query;

	caps->asked = peer;
	if (!peer)
		return;
	list_add_last(&caps->waiting, link);
	id_random(worker_entropy(home->worker), caps->asked_id);
	caps->asked_ms = worker_now_ms(home->worker);
	request = stanza_make(STANZA_IQ, IQ_GET, &peer->account->jid, &peer->jid, caps->asked_id);
	query = element_add(&request->arena, request->root, "query", NS_DISCO_INFO);
	element_set(&request->arena, query, "node",
	            arena_printf(&request->arena, "%s#%s", peer->node, caps->ver));
	route_stanza(home, stanza_seal(request));
}

static void caps_become_known(struct caps *caps, const struct element *query)
{
	struct list_link *link;

	caps_read(caps, query);
	while ((link = list_take_first(&caps->waiting)))
		peer_tell(LIST_MEMBER(link, struct caps_peer, link), NULL);
}

/* §5.4: what does not prove its string is believed of its sender alone. */
static void peer_become_known(struct caps_peer *peer, const struct element *query)
{
	struct caps *shared = peer->caps;

	peer->caps = caps_new(shared->ver, false);
	peer->caps->refs = 1;
	caps_read(peer->caps, query);
	caps_unref(shared);
	peer_tell(peer, NULL);
}

static void peer_answered(struct home *home, struct caps_peer *peer, const struct stanza *answer)
{
	const struct element *query =
		answer->type == IQ_RESULT ? element_child(answer->root, "query", NS_DISCO_INFO) : NULL;
	struct caps *caps = peer->caps;
	char ver[CAPS_VER_LEN + 1];

	caps->asked = NULL;
	if (query && caps_ver(query, ver) && strcmp(ver, caps->ver) == 0) {
		caps_become_known(caps, query);
		return;
	}
	list_remove(&peer->link);
	if (query)
		peer_become_known(peer, query);
	caps_ask(home, caps);
}

/* An answer to what was asked: the id cannot be guessed, and only the resource asked may use it. */
static bool caps_answered(struct account *account, const struct stanza *answer)
{
	struct caps_peers *peers = account_part(account, &caps_module);
	struct caps_peer *peer = peers && answer->from.text ? *peer_place(peers, &answer->from) : NULL;

	if (!peer || peer->caps->asked != peer || !answer->id ||
	    strcmp(answer->id, peer->caps->asked_id) != 0)
		return false;
	peer_answered(account->home, peer, answer);
	return true;
}

/* ---- presence ---- */

/* Hangs the peer on its capabilities; they are asked for where nobody has been, or has not answered. */
static void peer_name(struct caps_peer *peer, struct caps *caps, const char *node)
{
	struct home *home = peer->account->home;
	struct caps *before = peer->caps;

	if (before && before->asked == peer)
		before->asked = NULL;
	caps->refs++;
	peer->caps = caps;
	free((char *)peer->node);
	peer->node = str_dup(node);
	list_remove(&peer->link);
	if (caps->known) {
		peer_tell(peer, before);
	} else {
		list_add_last(&caps->waiting, &peer->link);
		if (!caps->asked || worker_now_ms(home->worker) - caps->asked_ms > PATIENCE_MS)
			caps_ask(home, caps);
	}
	if (before)
		caps_unref(before);
}

/* §4: a <c/> with a hash that we can check; NULL: none. */
static const struct element *presence_caps(const struct stanza *presence)
{
	const struct element *c = element_child(presence->root, "c", NS_CAPS);
	const char *hash = c ? element_attr(c, "hash") : NULL, *ver = c ? element_attr(c, "ver") : NULL;
	const char *node = c ? element_attr(c, "node") : NULL;
	bool usable = hash && ver && node && strcmp(hash, "sha-1") == 0 && strlen(ver) == CAPS_VER_LEN &&
	              strlen(node) <= NODE_BYTES;

	return usable ? c : NULL;
}

static void presence_available(struct account *account, struct caps_peers *peers,
                               const struct stanza *presence)
{
	const struct element *c = presence_caps(presence);
	struct caps_peer **place = peer_place(peers, &presence->from), *peer = *place;
	struct caps *caps = c && (peer || peers->count < PEERS_MAX)
	                            ? caps_get(account->home, element_attr(c, "ver"))
	                            : NULL;

	if (!caps) {
		if (peer)
			peer_remove(peers, place);
		return;
	}
	if (peer && strcmp(peer->caps->ver, caps->ver) == 0)
		return;
	if (!peer)
		peer = peer_new(account, peers, &presence->from);
	peer_name(peer, caps, element_attr(c, "node"));
}

static void presence_unavailable(struct caps_peers *peers, const struct jid *from)
{
	for (struct caps_peer **place = &peers->first; *place;) {
		if (jid_same(&(*place)->jid, from) ||
		    (jid_is_bare(from) && jid_same_bare(&(*place)->jid, from)))
			peer_remove(peers, place);
		else
			place = &(*place)->next;
	}
}

static void presence_seen(struct account *account, const struct stanza *presence)
{
	struct caps_peers *peers = account_part(account, &caps_module);

	if (!presence->from.text)
		return;
	if (presence->type == PRESENCE_UNAVAILABLE || presence->type == PRESENCE_ERROR) {
		if (peers)
			presence_unavailable(peers, &presence->from);
		return;
	}
	if (presence->type != PRESENCE_AVAILABLE || jid_is_bare(&presence->from) ||
	    !account_has_subscriber(account, &presence->from))
		return;
	if (!peers) {
		peers = mem_zalloc(sizeof(*peers));
		account_set_part(account, &caps_module, peers);
	}
	presence_available(account, peers, presence);
}

static enum hook_result caps_account_received(struct account *account, struct parcel *parcel)
{
	const struct stanza *stanza = parcel->stanza;

	if (!jid_is_bare(&parcel->to))
		return HOOK_NEXT;
	if (stanza->kind == STANZA_PRESENCE)
		presence_seen(account, stanza);
	if ((stanza->type != IQ_RESULT && stanza->type != IQ_ERROR) || !caps_answered(account, stanza))
		return HOOK_NEXT;
	parcel_taken(account->home, &parcel);
	return HOOK_DONE;
}

/* ---- the module ---- */

static void caps_account_unloaded(struct account *account)
{
	struct caps_peers *peers = account_part(account, &caps_module);

	while (peers && peers->first)
		peer_remove(peers, &peers->first);
	free(peers);
	account_set_part(account, &caps_module, NULL);
}

static void *caps_home_open(struct home *home)
{
	return map_new(worker_seed(home->worker));
}

static void caps_home_close(struct home *home, void *part)
{
	struct map *table = part;
	struct map_walk walk = { 0 };
	struct caps *caps;

	(void)home;
	while ((caps = map_next(table, &walk)))
		caps_clear(caps);
	map_free(&table);
}

static const struct module_spec specs[] = {
	{ "XEP-0115", "Entity Capabilities", "1.6.0", NULL },
	{ 0 },
};

const struct module caps_module = {
	.name = "caps",
	.specs = specs,
	.home_open = caps_home_open,
	.home_close = caps_home_close,
	.account_unloaded = caps_account_unloaded,
	.account_received = caps_account_received,
};
