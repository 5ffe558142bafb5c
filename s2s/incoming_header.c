/* SPDX-License-Identifier: MIT
 *
 * The header of a stream that was opened to us and our answer: RFC 6120 §4.2, §4.7, and §4.3 features. Our own domains are
 * never believed to speak from outside. A stream moves once, at its first header, to the home of the pair that this names.
 */
#include "incoming_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dialback.h"
#include "link.h"
#include "xmpp/ns.h"

static char *incoming_domain(const char *text)
{
	struct arena arena = { 0 };
	struct jid domain;
	char *prepared = NULL;

	if (text && jid_domain_prepare(&arena, text, strlen(text), &domain))
		prepared = str_dup(domain.text);
	arena_clear(&arena);
	return prepared;
}

/* Keeps what the header says. What was said before TLS stays true behind it. */
static const char *incoming_read_header(struct incoming *incoming, const struct stream_header *header,
                                        enum stream_condition *condition)
{
	char *to = incoming_domain(header->to), *from = incoming_domain(header->from);
	bool changed = (incoming->to && (!to || strcmp(to, incoming->to) != 0)) ||
	               (incoming->from && (!from || strcmp(from, incoming->from) != 0));

	free(incoming->to);
	free(incoming->from);
	incoming->to = to;
	incoming->from = from;
	*condition = STREAM_IMPROPER_ADDRESSING;
	if (!to || (header->from && !from))
		return "to and from must be domains";
	*condition = STREAM_HOST_UNKNOWN;
	if (!s2s_is_ours(incoming->s2s, to, strlen(to)))
		return "that domain is not served here";
	*condition = STREAM_INVALID_FROM;
	if (from && s2s_is_ours(incoming->s2s, from, strlen(from)))
		return "that domain is served here and speaks from nowhere else";
	if (changed)
		return "to and from must stay what they were before TLS";
	*condition = STREAM_POLICY_VIOLATION;
	if (from && incoming_is_secure(incoming) && incoming_lacks_tls(incoming, from))
		return "TLS 1.3 is required";
	/* Who has not said his name may still join (joining.h); by dialback each name is asked for. */
	return !from || incoming_policy(incoming, from)->allow ? NULL
	                                                       : "this server exchanges no stanzas with that domain";
}

static void incoming_send_features(struct incoming *incoming)
{
	struct buf *out = stream_out(incoming->stream);
	bool lacks_tls = incoming_lacks_tls(incoming, incoming->from);

	buf_add_lit(out, "<stream:features>");
	if (!incoming_is_secure(incoming) && incoming_config(incoming)->tls)
		buf_printf(out, "<starttls xmlns='" NS_TLS "'>%s</starttls>", lacks_tls ? "<required/>" : "");
	if (incoming_offers_external(incoming))
		buf_add_lit(out, "<mechanisms xmlns='" NS_SASL "'><mechanism>EXTERNAL</mechanism></mechanisms>");
	if (!lacks_tls && incoming_policy(incoming, incoming->from)->authentication & PEER_BY_DIALBACK)
		buf_add_lit(out, "<dialback xmlns='" NS_DIALBACK_FEATURE "'><errors/></dialback>");
	if (!lacks_tls && incoming->from)
		buf_add_lit(out, "<sm xmlns='" NS_SM "'/>");
	buf_add_lit(out, "</stream:features>");
}

static void incoming_greet(struct incoming *incoming)
{
	incoming->state = INCOMING_OPEN;
	stream_open(incoming->stream, incoming->to, incoming->from, "en", DIALBACK_DECLARATION);
	if (!incoming->old_peer)
		incoming_send_features(incoming);
}

static void incoming_arrived(struct stream *stream, void *owner)
{
	struct incoming *incoming = owner;

	incoming->s2s = s2s_of(stream_home(stream));
	list_add_last(&incoming->s2s->incomings, &incoming->link);
	if (incoming->s2s->draining)
		incoming_drain(incoming);
	else
		incoming_greet(incoming);
}

/* The home of the link of this pair: most of what comes belongs to it. */
static struct home *incoming_home(const struct incoming *incoming)
{
	struct link_key key;

	link_key_make(&key, incoming->to, strlen(incoming->to), incoming->from, strlen(incoming->from));
	return link_home(incoming->s2s->home, &key);
}

/* Once: behind TLS the peer says the same as before. */
static void incoming_move(struct incoming *incoming, struct home *home)
{
	incoming->moved = true;
	incoming->state = INCOMING_MOVING;
	list_remove(&incoming->link);
	stream_move(incoming->stream, home, incoming_arrived);
}

void incoming_opened(struct stream *stream, void *owner, const struct stream_header *header)
{
	struct incoming *incoming = owner;
	enum stream_condition condition;
	const char *fault;

	(void)stream;
	if (incoming->state != INCOMING_HEADER)
		return;
	fault = incoming_read_header(incoming, header, &condition);
	incoming->old_peer = header->major < 1;
	if (fault)
		incoming_fail(incoming, condition, fault);
	else if (incoming->from && !incoming->moved)
		incoming_move(incoming, incoming_home(incoming));
	else
		incoming_greet(incoming);
}
