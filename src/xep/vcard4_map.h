/* SPDX-License-Identifier: MIT
 *
 * The mapping between vcard-temp and vCard4 (XEP-0292 §11). Pure.
 */
#ifndef XEP_VCARD4_MAP_H
#define XEP_VCARD4_MAP_H

#include "xmpp/element.h"

/* Each makes `to` say what `from` (NULL: an empty one) says, as far as both formats can: what only the format of `to` has
 * stays there, what only the other has is left out. Texts are copied, names are not. */
void vcard4_to_temp(struct arena *arena, const struct element *from, struct element *to);
void vcard4_from_temp(struct arena *arena, const struct element *from, struct element *to);

#endif
