/* SPDX-License-Identifier: MIT
 *
 * Conversion of avatars (XEP-0398): a picture that is published by XEP-0084 becomes the photo of the vCard (§3.1), and a
 * photo that is stored with the vCard is published (§3.2), for everybody as the vCard is. The picture of a foreign URL is no
 * photo; one that is not what its id says is none either. Who may not read the nodes is not shown the photo (§7; vcard.c).
 */
#include "avatar.h"

#include <string.h>

#include "base/digest.h"
#include "pep.h"
#include "xmpp/ns.h"

#define NS_AVATAR_METADATA "urn:xmpp:avatar:metadata"
#define AVATAR_CONFIG "access_model open\n"

static void data_found(struct store_request *found);
static void photo_set(struct home *home, struct picture *picture);
static struct element *photo_change(struct vcard_change *change, struct element *vcard);
static void photo_changed(struct vcard_change *change, enum store_status status);
static void metadata_found(struct store_request *found);
static void data_published(struct home *home, void *context, enum store_status status);
static void metadata_published(struct home *home, void *context, enum store_status status);

struct picture *picture_new(const struct jid *user)
{
	struct picture *picture = arena_new_self(sizeof(*picture), offsetof(struct picture, arena), 0);

	picture->user = *user;
	picture->user.resource_len = 0;
	picture->user.text = arena_str_len(&picture->arena, user->text, jid_bare_len(user));
	return picture;
}

void picture_free(struct picture *picture)
{
	arena_free_self(picture, offsetof(struct picture, arena));
}

/* Takes the base 64 over. false: it is none, or empty. */
static bool picture_take(struct picture *picture, const char *text)
{
	const char *base64 = vcard_bytes(&picture->arena, text);
	struct buf bytes = { 0 }, hex = { 0 };
	uint8_t hash[DIGEST_MAX];
	bool is_picture = *base64 && base64_decode(&bytes, base64, strlen(base64));

	if (is_picture) {
		digest_bytes(DIGEST_SHA1, bytes.data, bytes.len, hash);
		hex_encode(&hex, hash, digest_size(DIGEST_SHA1));
		memcpy(picture->hash, hex.data, PICTURE_HASH);
		picture->base64 = base64;
		picture->bytes = bytes.len;
	}
	buf_clear(&bytes);
	buf_clear(&hex);
	return is_picture;
}

bool picture_take_photo(struct picture *picture, const struct element *vcard)
{
	const struct element *photo = element_child(vcard, "PHOTO", NS_VCARD);
	const char *base64 = photo ? element_child_text(&picture->arena, photo, "BINVAL", NS_VCARD) : NULL;
	const char *type = photo ? element_child_text(&picture->arena, photo, "TYPE", NS_VCARD) : NULL;

	picture->type = type ? arena_str(&picture->arena, type) : NULL;
	return base64 && picture_take(picture, base64);
}

void *picture_ask(struct home *home, struct picture *picture, size_t size, enum store_op op,
                  void (*done)(struct store_request *done))
{
	struct store_request *request = store_request_new(size, op, home->worker, picture->user.text,
	                                                  jid_bare_len(&picture->user), done);

	request->context = picture;
	return request;
}

/* ---- §3.1: from the nodes to the vCard ---- */

/* The <info/> of the picture that is published here. */
static const struct element *info_find(const struct element *metadata)
{
	for (const struct node *node = metadata->first; node; node = node->next) {
		if (node->element && element_is(node->element, "info", NS_AVATAR_METADATA) &&
		    !element_attr(node->element, "url") && element_attr(node->element, "id"))
			return node->element;
	}
	return NULL;
}

static void avatar_published(struct home *home, const struct jid *user, const char *node, const char *id,
                             const struct element *payload)
{
	const struct element *info = payload ? info_find(payload) : NULL;
	struct store_pubsub_items *items;
	struct picture *picture;
	const char *type;

	(void)id;
	if (strcmp(node, NS_AVATAR_METADATA) != 0 || (payload && !info && element_first(payload)))
		return;
	picture = picture_new(user);
	if (!info) {
		photo_set(home, picture);
		return;
	}
	type = element_attr(info, "type");
	picture->type = type ? arena_str(&picture->arena, type) : NULL;
	items = picture_ask(home, picture, sizeof(*items), STORE_PUBSUB_ITEMS, data_found);
	items->node = NS_AVATAR_DATA;
	items->ids = arena_alloc(&items->request.arena, sizeof(*items->ids));
	items->ids[items->id_count++] = arena_str(&items->request.arena, element_attr(info, "id"));
	store_submit(home->server->store, &items->request);
}

static bool picture_take_item(struct home *home, struct picture *picture,
                              const struct store_pubsub_item *item)
{
	const struct element *data = parser_text(home->parsers, &picture->arena, NS_CLIENT, item->payload,
	                                         item->payload_len, &home->config->limits.parser);

	return data && element_is(data, "data", NS_AVATAR_DATA) &&
	       picture_take(picture, element_text(&picture->arena, data)) &&
	       strcmp(picture->hash, item->id) == 0;
}

static void data_found(struct store_request *found)
{
	const struct store_pubsub_items *items = (const struct store_pubsub_items *)found;
	struct picture *picture = found->context;
	struct home *home = home_of(found->worker);

	if (found->status == STORE_OK && items->item_count &&
	    picture_take_item(home, picture, &items->items[0]))
		photo_set(home, picture);
	else
		picture_free(picture);
	store_request_free(found);
}

static void photo_set(struct home *home, struct picture *picture)
{
	picture->change = (struct vcard_change){ .home = home,
		                                 .user = &picture->user,
		                                 .arena = &picture->arena,
		                                 .change = photo_change,
		                                 .ended = photo_changed };
	vcard_change(&picture->change);
}

static void photo_replace(struct picture *picture, struct element *vcard)
{
	struct arena *arena = &picture->arena;
	struct element *photo;

	while ((photo = element_child(vcard, "PHOTO", NS_VCARD)))
		element_remove(vcard, photo);
	if (!picture->base64)
		return;
	photo = element_add(arena, vcard, "PHOTO", NS_VCARD);
	if (picture->type)
		element_add_text(arena, element_add(arena, photo, "TYPE", NS_VCARD), picture->type);
	element_add_text(arena, element_add(arena, photo, "BINVAL", NS_VCARD), picture->base64);
}

static struct element *photo_change(struct vcard_change *change, struct element *vcard)
{
	struct picture *picture = LIST_MEMBER(change, struct picture, change);

	if (!vcard && picture->base64)
		vcard = element_new(&picture->arena, "vCard", NS_VCARD);
	if (vcard)
		photo_replace(picture, vcard);
	return vcard;
}

static void photo_changed(struct vcard_change *change, enum store_status status)
{
	struct picture *picture = LIST_MEMBER(change, struct picture, change);

	if (status == STORE_OK && avatar_show(change->home, picture))
		avatar_presence_renew(change->home, &picture->user);
	picture_free(picture);
}

/* ---- §3.2: from the vCard to the nodes ---- */

static void avatar_vcard_stored(struct home *home, const struct jid *user, const struct element *vcard)
{
	static const char *const names[] = { NS_AVATAR_METADATA };
	struct picture *picture = picture_new(user);
	struct store_pubsub_nodes *last;
	bool has_photo = picture_take_photo(picture, vcard);

	if (avatar_show(home, picture))
		avatar_presence_renew(home, user);
	if (!has_photo) {
		picture_free(picture);
		return;
	}
	last = picture_ask(home, picture, sizeof(*last), STORE_PUBSUB_LAST, metadata_found);
	last->names = arena_dup(&last->request.arena, names, sizeof(names));
	last->name_count = 1;
	store_submit(home->server->store, &last->request);
}

/* What is the avatar already is not published again. */
static void metadata_found(struct store_request *found)
{
	const struct store_pubsub_nodes *last = (const struct store_pubsub_nodes *)found;
	struct picture *picture = found->context;
	struct arena *arena = &picture->arena;
	struct element *data;

	if (found->status != STORE_OK ||
	    (last->count && strcmp(last->nodes[0].last.id, picture->hash) == 0)) {
		picture_free(picture);
	} else {
		data = element_add_text(arena, element_new(arena, "data", NS_AVATAR_DATA), picture->base64);
		pubsub_publish(home_of(found->worker),
		               &(struct pubsub_publication){ .class = &pep_class,
		                                             .service = &picture->user,
		                                             .node = NS_AVATAR_DATA,
		                                             .id = picture->hash,
		                                             .config = AVATAR_CONFIG,
		                                             .payload = data,
		                                             .done = data_published,
		                                             .context = picture });
	}
	store_request_free(found);
}

static void data_published(struct home *home, void *context, enum store_status status)
{
	struct picture *picture = context;
	struct arena *arena = &picture->arena;
	struct element *metadata = element_new(arena, "metadata", NS_AVATAR_METADATA);
	struct element *info = element_add(arena, metadata, "info", NS_AVATAR_METADATA);

	if (status != STORE_OK) {
		picture_free(picture);
		return;
	}
	element_set(arena, info, "id", picture->hash);
	element_set(arena, info, "type", picture->type ? picture->type : "image/png");
	element_set(arena, info, "bytes", arena_printf(arena, "%zu", picture->bytes));
	pubsub_publish(home, &(struct pubsub_publication){ .class = &pep_class,
	                                                   .service = &picture->user,
	                                                   .node = NS_AVATAR_METADATA,
	                                                   .id = picture->hash,
	                                                   .config = AVATAR_CONFIG,
	                                                   .payload = metadata,
	                                                   .done = metadata_published,
	                                                   .context = picture });
}

static void metadata_published(struct home *home, void *context, enum store_status status)
{
	(void)home;
	(void)status;
	picture_free(context);
}

static const struct module_spec specs[] = {
	{ "XEP-0084", "User Avatar", "1.1.4", NULL },
	{ "XEP-0153", "vCard-Based Avatars", "1.1.1", NULL },
	{ "XEP-0398", "User Avatar to vCard-Based Avatars Conversion", "1.0.0", NULL },
	{ 0 },
};

static const char *const features[] = { "urn:xmpp:pep-vcard-conversion:0", NULL };

const struct module avatar_module = {
	.name = "avatar",
	.specs = specs,
	.account_features = features,
	.account_unloaded = avatar_account_unloaded,
	.account_published = avatar_published,
	.account_vcard_stored = avatar_vcard_stored,
	.session_bound = avatar_session_bound,
	.session_sent = avatar_session_sent,
};
