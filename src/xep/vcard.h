/* SPDX-License-Identifier: MIT
 *
 * The vcard-temp of an account (XEP-0054), for the extensions that show the same elsewhere: avatars (XEP-0398) and vCard4
 * (XEP-0292).
 */
#ifndef XEP_VCARD_H
#define XEP_VCARD_H

#include "base/line.h"
#include "core/server.h"
#include "store/store.h"
#include "xmpp/element.h"
#include "xmpp/jid.h"

/* The node of XEP-0084 that has the pictures. */
#define NS_AVATAR_DATA "urn:xmpp:avatar:data"

/* Bytes in base 64, in which clients break lines, without the blanks. */
const char *vcard_bytes(struct arena *arena, const char *base64);

/* A change of an account's vCard. Changes are made one after the other, each on what the one before has left. It lies
 * inside its owner, who fills in the first five. */
struct vcard_change {
	struct home *home;
	const struct jid *user;         /* lives as long as the change */
	struct arena *arena;            /* likewise */
	/* Gets the vCard in the arena, NULL where there is none, and answers the one to be stored; NULL: nothing is. */
	struct element *(*change)(struct vcard_change *change, struct element *vcard);
	/* It is durable, or why it is not; STORE_OK where nothing was to be stored. The owner may free itself. */
	void (*ended)(struct vcard_change *change, enum store_status status);
	struct line_place place;
};
void vcard_change(struct vcard_change *change);

#endif
