/* SPDX-License-Identifier: MIT
 *
 * Stream management as a client speaks it (XEP-0198 §4).
 */
#include "acks.h"

#include <ctype.h>
#include <string.h>

void acks_enable(struct acks *acks)
{
	*acks = (struct acks){ .enabled = true };
}

void acks_ask(struct acks *acks, struct buf *out)
{
	if (!acks->enabled || acks->asking || acks->asked == acks->sent)
		return;
	acks->asking = true;
	acks->asked = acks->sent;
	buf_add_lit(out, "<r xmlns='urn:xmpp:sm:3'/>");
}

void acks_answer(const struct acks *acks, struct buf *out)
{
	buf_printf(out, "<a xmlns='urn:xmpp:sm:3' h='%u'/>", acks->received);
}

bool acks_read(struct acks *acks, const char *text, size_t len)
{
	const char *at = memmem(text, len, " h=", 3);
	uint32_t h = 0;

	if (!at)
		return false;
	for (at += 4; at < text + len && isdigit((unsigned char)*at); at++)
		h = h * 10 + (uint32_t)(*at - '0');
	if (h - acks->acknowledged > acks->sent - acks->acknowledged)
		return false;
	acks->acknowledged = h;
	acks->asking = false;
	return true;
}
