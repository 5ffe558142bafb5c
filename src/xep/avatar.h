/* SPDX-License-Identifier: MIT
 *
 * What the files of avatar share: avatar.c the conversion between the nodes and the vCard, avatar_presence.c the hash of the
 * picture in presence.
 */
#ifndef XEP_AVATAR_H
#define XEP_AVATAR_H

#include "core/module.h"
#include "vcard.h"

enum { PICTURE_HASH = 40 };

extern const struct module avatar_module;

/* A picture on its way from one place to the other. It lives in its arena. */
struct picture {
	struct jid user;
	const char *type;   /* "image/png"; NULL: not said */
	const char *base64; /* without blanks; NULL: there is no picture any more */
	size_t bytes;
	char hash[PICTURE_HASH + 1];
	struct vcard_change change;
	struct arena arena;
};

/* ---- avatar.c ---- */

struct picture *picture_new(const struct jid *user);
void picture_free(struct picture *picture);
/* The photo that a vCard carries. false: none. */
bool picture_take_photo(struct picture *picture, const struct element *vcard);
/* A request to the store about its user, with the picture as its context. */
void *picture_ask(struct home *home, struct picture *picture, size_t size, enum store_op op,
                  void (*done)(struct store_request *done));

/* ---- avatar_presence.c ---- */

/* It is the photo of its user's vCard from now on; without a hash there is none. true: another one than before. */
bool avatar_show(struct home *home, const struct picture *picture);
/* The user's sessions say their presence again, with the picture that is shown now. */
void avatar_presence_renew(struct home *home, const struct jid *user);

/* Hooks of the module. */
void avatar_session_bound(struct session *session);
enum hook_result avatar_session_sent(struct session *session, struct stanza *stanza);
void avatar_account_unloaded(struct account *account);

#endif
