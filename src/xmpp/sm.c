/* SPDX-License-Identifier: MIT
 *
 * The elements of stream management, written and read.
 */
#include "xmpp/sm.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "xmpp/ns.h"

void sm_write_ask(struct buf *out)
{
	buf_add_lit(out, "<r xmlns='" NS_SM "'/>");
}

void sm_write_ack(struct buf *out, uint32_t h)
{
	buf_printf(out, "<a xmlns='" NS_SM "' h='%u'/>", h);
}

void sm_write_failed(struct buf *out, enum stanza_condition condition, const uint32_t *h)
{
	buf_add_lit(out, "<failed xmlns='" NS_SM "'");
	if (h)
		buf_printf(out, " h='%u'", *h);
	buf_printf(out, "><%s xmlns='" NS_STANZA_ERRORS "'/></failed>", stanza_condition_name(condition));
}

bool sm_read_number(const char *text, uint32_t *number)
{
	char *end;
	unsigned long long value;

	if (!text || *text < '0' || *text > '9')
		return false;
	value = strtoull(text, &end, 10);
	*number = (uint32_t)value;
	return *end == '\0' && value <= UINT32_MAX;
}

bool sm_read_flag(const char *text)
{
	return text && (strcmp(text, "true") == 0 || strcmp(text, "1") == 0);
}

char *sm_too_high(uint32_t h, uint32_t sent)
{
	return str_printf("<handled-count-too-high xmlns='" NS_SM "' h='%u' send-count='%u'/>", h, sent);
}
