/* SPDX-License-Identifier: MIT
 *
 * What goes from a session to its client, and what comes back when the connection dies before the client's
 * TCP has acknowledged it.
 */
#include "client.h"

#include "core/journal.h"
#include "xmpp/stamp.h"

void outlet_tail(struct buf *tail, const struct session *session, const struct parcel *parcel)
{
	const struct account *account = session->account;

	if (parcel->stanza->kind != STANZA_MESSAGE)
		return;
	journal_tail(tail, account, parcel);
	if (parcel->delayed)
		stamp_delay(tail, jid_domain_text(&account->jid), parcel->since_us);
}

static void outlet_deliver(struct session *session, struct parcel *parcel)
{
	struct client *client = session->outlet_owner;
	struct buf tail = { 0 };

	outlet_tail(&tail, session, parcel);
	stream_send(client->stream, parcel, tail.data, tail.len);
	buf_clear(&tail);
}

static void outlet_close(struct session *session, enum stream_condition condition, const char *text)
{
	client_fail(session->outlet_owner, condition, text);
}

const struct session_outlet client_outlet = {
	.deliver = outlet_deliver,
	.close = outlet_close,
};

/* A session that has been resumed on another stream had got all that was sent before it was enabled. */
void client_returned(struct stream *stream, void *owner, struct parcel *parcel)
{
	struct client *client = owner;

	if (client->session)
		session_give_back(client->session, parcel);
	else
		parcel_taken(stream_home(stream), &parcel);
}
