/* SPDX-License-Identifier: MIT
 *
 * SASL EXTERNAL on a stream that we opened (RFC 6120 §6, XEP-0178 §3): we show our certificate, and where the peer takes it
 * the pair of the link is verified. Where it does not, dialback is left.
 */
#include "outgoing_inside.h"

#include <string.h>

#include "base/digest.h"
#include "xmpp/ns.h"

bool outgoing_is_offered_external(const struct stanza *features)
{
	const struct element *mechanisms = element_child(features->root, "mechanisms", NS_SASL);
	struct arena arena = { 0 };
	bool offered = false;

	for (const struct node *n = mechanisms ? mechanisms->first : NULL; n && !offered; n = n->next)
		offered = n->element && element_is(n->element, "mechanism", NS_SASL) &&
		          strcmp(element_text(&arena, n->element), "EXTERNAL") == 0;
	arena_clear(&arena);
	return offered;
}

/* The identity is said, though the header has it already: some servers want it. */
void outgoing_begin_external(struct outgoing *outgoing)
{
	struct buf *out = stream_out(outgoing->stream);

	outgoing->state = OUTGOING_SASL;
	buf_add_lit(out, "<auth xmlns='" NS_SASL "' mechanism='EXTERNAL'>");
	base64_encode(out, outgoing->local, strlen(outgoing->local));
	buf_add_lit(out, "</auth>");
}

void outgoing_external_taken(struct outgoing *outgoing, struct stanza *stanza)
{
	(void)stanza;
	outgoing->authenticated = true;
	stream_restart(outgoing->stream);
	outgoing_open(outgoing);
}

void outgoing_external_refused(struct outgoing *outgoing, struct stanza *stanza)
{
	(void)stanza;
	log_info(s2s_log(outgoing->s2s), stream_name(outgoing->stream), "SASL EXTERNAL was refused; dialback is tried",
	         LOG_STR("peer", outgoing->remote));
	outgoing_begin_dialback(outgoing);
}
