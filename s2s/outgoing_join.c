/* SPDX-License-Identifier: MIT
 *
 * A branch joins another (joining.h), on a stream that is opened for that alone. The header says no from: nothing has to be
 * allowed for it. The peer is known by the pin of the token, before anything is said; it knows us by the secret, and keeps
 * the key of the certificate that we show.
 */
#include "joining.h"
#include "outgoing_inside.h"
#include "trial.h"
#include "xmpp/ns.h"
#include "xmpp/writer.h"

bool outgoing_joins(const struct outgoing *outgoing)
{
	return outgoing->trial && trial_joining(outgoing->trial);
}

void outgoing_join(struct outgoing *outgoing)
{
	const struct joining *joining = trial_joining(outgoing->trial);
	struct buf *out = stream_out(outgoing->stream);
	struct address peer, own;
	char address[JOINING_ADDRESS];

	conn_address(stream_conn(outgoing->stream), &peer, &own);
	joining_address(joining, &own, address);
	outgoing->state = OUTGOING_JOINING;
	buf_add_lit(out, "<join xmlns='" NS_JOIN "'");
	writer_attr(out, "domain", outgoing->local);
	writer_attr(out, "address", address);
	writer_attr(out, "secret", joining_secret(joining));
	buf_add_lit(out, "/>");
}

void outgoing_joined(struct outgoing *outgoing, struct stanza *stanza)
{
	(void)stanza;
	trial_joined(outgoing->trial);
}

void outgoing_not_joined(struct outgoing *outgoing, struct stanza *stanza)
{
	outgoing_abandon(outgoing, TROUBLE_NOT_INVITED, element_text(&stanza->arena, stanza->root));
}
