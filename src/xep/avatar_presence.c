/* SPDX-License-Identifier: MIT
 *
 * The hash of the vCard's photo in the presence of all sessions (XEP-0398 §4, XEP-0153 §3), also where the client knows
 * nothing of it. When another picture is published the sessions say their presence again, for contacts whose clients know
 * photos of vCards only.
 */
#include "avatar.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/account.h"
#include "core/session.h"
#include "store/document.h"
#include "xmpp/ns.h"

#define NS_VCARD_UPDATE "vcard-temp:x:update"

/* This module's part of an account. */
struct avatar {
	char hash[PICTURE_HASH + 1]; /* of the vCard's photo; "": none, or not known yet */
};

static void hash_loaded(struct store_request *found);

/* ---- the hash ---- */

bool avatar_show(struct home *home, const struct picture *picture)
{
	struct account *account = account_find(home, picture->user.text, jid_bare_len(&picture->user));
	struct avatar *avatar = account ? account_part(account, &avatar_module) : NULL;
	bool changes = avatar && *picture->hash && strcmp(avatar->hash, picture->hash) != 0;

	if (avatar)
		memcpy(avatar->hash, picture->hash, sizeof(avatar->hash));
	return changes;
}

/* Read when a client binds; with what it sends next the hash is here. */
void avatar_session_bound(struct session *session)
{
	struct account *account = session->account;
	struct store_document *document;

	if (account_part(account, &avatar_module))
		return;
	account_set_part(account, &avatar_module, mem_zalloc(sizeof(struct avatar)));
	document = picture_ask(account->home, picture_new(&account->jid), sizeof(*document), STORE_DOCUMENT_GET,
	                       hash_loaded);
	document->kind = "vcard";
	document->key = "";
	store_submit(account->home->server->store, &document->request);
}

static void hash_loaded(struct store_request *found)
{
	const struct store_document *document = (const struct store_document *)found;
	struct picture *picture = found->context;
	struct home *home = home_of(found->worker);
	const struct element *vcard = NULL;

	if (found->status == STORE_OK)
		vcard = parser_text(home->parsers, &picture->arena, NS_CLIENT, document->text, document->text_len,
		                    &home->config->limits.parser);
	if (vcard && picture_take_photo(picture, vcard))
		avatar_show(home, picture);
	picture_free(picture);
	store_request_free(found);
}

void avatar_account_unloaded(struct account *account)
{
	free(account_part(account, &avatar_module));
	account_set_part(account, &avatar_module, NULL);
}

/* ---- presence ---- */

/* An empty <photo/> says that the client wants none to be shown; a client's own hash may be of a picture that it is about
 * to store. */
enum hook_result avatar_session_sent(struct session *session, struct stanza *stanza)
{
	const struct avatar *avatar = account_part(session->account, &avatar_module);
	struct element *update, *photo;

	if (stanza->type != PRESENCE_AVAILABLE || !avatar || !*avatar->hash)
		return HOOK_NEXT;
	update = element_child(stanza->root, "x", NS_VCARD_UPDATE);
	if (update && element_child(update, "photo", NS_VCARD_UPDATE))
		return HOOK_NEXT;
	if (!update)
		update = element_add(&stanza->arena, stanza->root, "x", NS_VCARD_UPDATE);
	photo = element_add(&stanza->arena, update, "photo", NS_VCARD_UPDATE);
	element_add_text(&stanza->arena, photo, avatar->hash);
	return HOOK_NEXT;
}

static bool photo_is_refused(const struct stanza *presence)
{
	const struct element *update = element_child(presence->root, "x", NS_VCARD_UPDATE);
	const struct element *photo = update ? element_child(update, "photo", NS_VCARD_UPDATE) : NULL;

	return photo && !photo->first;
}

/* The client has said nothing, so nobody is more active than he was. */
static void session_renew(struct session *session)
{
	const struct stanza *presence = session->presence, *unused;
	struct stanza *again = stanza_new(0);
	struct arena *arena = &again->arena;
	struct element *root = element_copy(arena, NULL, presence->root), *update;
	uint64_t active_ms = session->active_ms;

	update = element_child(root, "x", NS_VCARD_UPDATE);
	if (update)
		element_remove(root, update);
	element_set_ns(arena, root, "lang", NS_XML, presence->lang);
	unused = again;
	if (stanza_read(again, root, NULL) == STANZA_CHECK_OK)
		session_sent(session, again);
	else
		stanza_unref(&unused);
	session->active_ms = active_ms;
}

void avatar_presence_renew(struct home *home, const struct jid *user)
{
	struct account *account = account_find(home, user->text, jid_bare_len(user));

	for (struct session *session = session_first(account); session; session = session_next(session)) {
		if (session_is_available(session) && !session->ending && !photo_is_refused(session->presence))
			session_renew(session);
	}
}
