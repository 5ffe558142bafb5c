/* SPDX-License-Identifier: MIT
 *
 * The avatar of an account, which is in its vCard and in its nodes (XEP-0398).
 */
#ifndef XEP_AVATAR_H
#define XEP_AVATAR_H

#include "core/server.h"
#include "xmpp/element.h"
#include "xmpp/jid.h"

/* The user has stored this vCard, durably: a photo that is not the avatar yet becomes it (§3.2). */
void avatar_vcard_stored(struct home *home, const struct jid *user, const struct element *vcard);

#endif
