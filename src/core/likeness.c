/* SPDX-License-Identifier: MIT
 *
 * Digests of stanzas, piece by piece.
 */
#include "core/likeness.h"

#include "base/buf.h"
#include "xmpp/ns.h"
#include "xmpp/writer.h"

uint64_t likeness_add(const struct hash_seed *key, uint64_t digest, const void *bytes, size_t len)
{
	const struct hash_seed here = { key->k0 ^ digest, key->k1 };

	return hash_bytes(&here, bytes, len);
}

uint64_t likeness_add_words(const struct hash_seed *key, uint64_t digest, const struct stanza *stanza)
{
	const struct element *root = stanza->root;
	struct buf text = { 0 };

	if (!element_child(root, "delay", NS_DELAY))
		return likeness_add(key, digest, stanza->content, stanza->content_len);
	for (const struct node *node = root->first; node; node = node->next) {
		if (!node->element)
			writer_text(&text, node->text, node->len);
		else if (!element_is(node->element, "delay", NS_DELAY))
			writer_element(&text, node->element, root->ns);
	}
	digest = likeness_add(key, digest, text.data, text.len);
	buf_clear(&text);
	return digest;
}
