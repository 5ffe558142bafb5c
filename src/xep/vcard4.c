/* SPDX-License-Identifier: MIT
 *
 * vCard4 (XEP-0292): the account's node urn:xmpp:vcard4 (§4.1) and its vcard-temp agree. What is published there becomes
 * the vcard-temp, what is stored as vcard-temp is published, each as far as both formats can say it (vcard4_map.h).
 *
 * A vcard-temp can be read by everybody, so a vCard4 that its user does not show to everybody stays where it is. What is
 * already said is not said again: a client that stores its vcard-temp for a new photo makes no event.
 */
#include <string.h>

#include "core/module.h"
#include "pep.h"
#include "vcard.h"
#include "vcard4_map.h"
#include "xmpp/ns.h"
#include "xmpp/writer.h"

/* §4.2.2: events have no payload. */
#define VCARD4_NODE "urn:xmpp:vcard4"
#define VCARD4_CONFIG "access_model open\ndeliver_payloads 0\n"
#define VCARD4_ITEM "current"

/* A card on its way from one place to the other. It lives in its arena. */
struct card {
	struct home *home;
	struct jid user;
	struct element *from;           /* NULL: there is none any more */
	struct vcard_change change;
	struct arena arena;
};

static void node_found(struct store_request *found);
static struct element *vcard_renew(struct vcard_change *change, struct element *vcard);
static void vcard_renewed(struct vcard_change *change, enum store_status status);
static void item_found(struct store_request *found);
static void card_published(struct home *home, void *context, enum store_status status);

static struct card *card_new(struct home *home, const struct jid *user, const struct element *from)
{
	struct card *card = arena_new_self(sizeof(*card), offsetof(struct card, arena), 0);

	card->home = home;
	card->user = *user;
	card->user.resource_len = 0;
	card->user.text = arena_str_len(&card->arena, user->text, jid_bare_len(user));
	card->from = from ? element_copy(&card->arena, NULL, from) : NULL;
	return card;
}

static void card_free(struct card *card)
{
	arena_free_self(card, offsetof(struct card, arena));
}

static void *card_ask(struct card *card, size_t size, enum store_op op, void (*done)(struct store_request *done))
{
	struct store_request *request = store_request_new(size, op, card->home->worker, card->user.text,
	                                                  jid_bare_len(&card->user), done);

	request->context = card;
	return request;
}

/* ---- from the node to the vcard-temp ---- */

static void vcard4_published(struct home *home, const struct jid *user, const char *node, const char *id,
                             const struct element *payload)
{
	struct store_pubsub_nodes *nodes;
	struct card *card;

	(void)id;
	if (strcmp(node, VCARD4_NODE) != 0 || (payload && !element_is(payload, "vcard", NS_VCARD4)))
		return;
	card = card_new(home, user, payload);
	nodes = card_ask(card, sizeof(*nodes), STORE_PUBSUB_NODES, node_found);
	nodes->name = VCARD4_NODE;
	store_submit(home->server->store, &nodes->request);
}

static void node_found(struct store_request *found)
{
	const struct store_pubsub_nodes *nodes = (const struct store_pubsub_nodes *)found;
	struct card *card = found->context;
	struct pubsub_node node;

	if (found->status == STORE_OK)
		pubsub_node_read(&card->arena, &nodes->nodes[0], &node);
	if (found->status == STORE_OK && pubsub_value_is(&node, PUBSUB_ACCESS_MODEL, "open")) {
		card->change = (struct vcard_change){ .home = card->home,
			                              .user = &card->user,
			                              .arena = &card->arena,
			                              .change = vcard_renew,
			                              .ended = vcard_renewed };
		vcard_change(&card->change);
	} else {
		card_free(card);
	}
	store_request_free(found);
}

static struct element *vcard_renew(struct vcard_change *change, struct element *vcard)
{
	struct card *card = LIST_MEMBER(change, struct card, change);

	if (!vcard && !card->from)
		return NULL;
	if (!vcard)
		vcard = element_new(&card->arena, "vCard", NS_VCARD);
	vcard4_to_temp(&card->arena, card->from, vcard);
	return vcard;
}

static void vcard_renewed(struct vcard_change *change, enum store_status status)
{
	(void)status;
	card_free(LIST_MEMBER(change, struct card, change));
}

/* ---- from the vcard-temp to the node ---- */

static void vcard4_vcard_stored(struct home *home, const struct jid *user, const struct element *vcard)
{
	static const char *const names[] = { VCARD4_NODE };
	struct card *card = card_new(home, user, vcard);
	struct store_pubsub_nodes *last = card_ask(card, sizeof(*last), STORE_PUBSUB_LAST, item_found);

	last->names = arena_dup(&last->request.arena, names, sizeof(names));
	last->name_count = 1;
	store_submit(home->server->store, &last->request);
}

/* What is published now; an empty one where there is none or it cannot be read. */
static struct element *vcard4_read(struct card *card, const struct store_pubsub_nodes *last)
{
	const struct store_pubsub_item *item = last->count ? &last->nodes[0].last : NULL;
	struct element *vcard4 = NULL;

	if (item)
		vcard4 = parser_text(card->home->parsers, &card->arena, NS_CLIENT, item->payload, item->payload_len,
		                     &card->home->config->limits.parser);
	if (!vcard4 || !element_is(vcard4, "vcard", NS_VCARD4))
		vcard4 = element_new(&card->arena, "vcard", NS_VCARD4);
	return vcard4;
}

/* What a vCard4 says to those who read vcard-temp. */
static void vcard4_tell(struct card *card, const struct element *vcard4, struct buf *out)
{
	struct element *vcard = element_new(&card->arena, "vCard", NS_VCARD);

	vcard4_to_temp(&card->arena, vcard4, vcard);
	writer_element(out, vcard, NULL);
}

/* Takes over what the vcard-temp says; false: it has said so already. */
static bool vcard4_renew(struct card *card, struct element *vcard4)
{
	struct buf before = { 0 }, after = { 0 };
	bool differs;

	vcard4_tell(card, vcard4, &before);
	vcard4_from_temp(&card->arena, card->from, vcard4);
	vcard4_tell(card, vcard4, &after);
	differs = before.len != after.len || memcmp(before.data, after.data, after.len) != 0;
	buf_clear(&before);
	buf_clear(&after);
	return differs;
}

static void item_found(struct store_request *found)
{
	struct card *card = found->context;
	struct element *vcard4 = vcard4_read(card, (const struct store_pubsub_nodes *)found);

	if (found->status == STORE_OK && vcard4_renew(card, vcard4))
		pubsub_publish(card->home, &(struct pubsub_publication){ .class = &pep_class,
		                                                         .service = &card->user,
		                                                         .node = VCARD4_NODE,
		                                                         .id = VCARD4_ITEM,
		                                                         .config = VCARD4_CONFIG,
		                                                         .payload = vcard4,
		                                                         .done = card_published,
		                                                         .context = card });
	else
		card_free(card);
	store_request_free(found);
}

static void card_published(struct home *home, void *context, enum store_status status)
{
	(void)home;
	(void)status;
	card_free(context);
}

/* ---- the module ---- */

static const struct module_spec specs[] = {
	{ "XEP-0292", "vCard4 Over XMPP", "0.12.0", NULL },
	{ 0 },
};

static const char *const features[] = { NS_VCARD4, NULL };

extern const struct module vcard4_module;
const struct module vcard4_module = {
	.name = "vcard4",
	.specs = specs,
	.host_features = features,
	.account_features = features,
	.account_published = vcard4_published,
	.account_vcard_stored = vcard4_vcard_stored,
};
