/* SPDX-License-Identifier: MIT
 *
 * Forged claims are removed: each <stanza-id/> whose `by` is at one of our hosts (XEP-0359 §6, business
 * rule 3) and each <delay/> whose `from` is one of our hosts (XEP-0203), however it is spelled. A client
 * may well say that it has itself delayed a message, so a delay from an account stays.
 */
#include "core/claims.h"

#include <string.h>

#include "core/config.h"
#include "xmpp/ns.h"
#include "xmpp/stanza.h"

static bool claim_is_ours(const struct config *config, struct arena *arena, const char *who, bool account_too)
{
	struct jid jid;

	return who && jid_prepare(arena, who, strlen(who), JID_ANY, &jid) &&
	       (account_too || jid.local_len == 0) &&
	       config_host(config, jid_domain_text(&jid), jid.domain_len);
}

static bool element_is_forged(const struct config *config, struct arena *arena, const struct element *element)
{
	if (element_is(element, "stanza-id", NS_SID))
		return claim_is_ours(config, arena, element_attr(element, "by"), true);
	if (element_is(element, "delay", NS_DELAY))
		return claim_is_ours(config, arena, element_attr(element, "from"), false);
	return false;
}

void claims_strip(const struct config *config, struct stanza *stanza)
{
	struct node *next;

	for (struct node *node = stanza->root->first; node; node = next) {
		next = node->next;
		if (node->element && element_is_forged(config, &stanza->arena, node->element))
			element_remove(stanza->root, node->element);
	}
}
