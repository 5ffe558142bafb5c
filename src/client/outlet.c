/* SPDX-License-Identifier: MIT
 *
 * What goes from a session to its client, and what comes back when the connection dies before the client's
 * TCP has acknowledged it.
 */
#include "client.h"

#include "core/journal.h"
#include "xmpp/stamp.h"

/* The id in the account's archive (XEP-0359), and what was meant for a connection that broke says when it came
 * (XEP-0203). */
static void outlet_send_with_tail(struct client *client, struct parcel *parcel)
{
	const struct account *account = client->session->account;
	struct buf tail = { 0 };

	journal_tail(&tail, account, parcel);
	if (parcel->delayed)
		stamp_delay(&tail, jid_domain_text(&account->jid), parcel->since_us);
	stream_send(client->stream, parcel, tail.data, tail.len);
	buf_clear(&tail);
}

static void outlet_deliver(struct session *session, struct parcel *parcel)
{
	struct client *client = session->outlet_owner;

	if ((parcel->delayed || parcel->journal) && parcel->stanza->kind == STANZA_MESSAGE)
		outlet_send_with_tail(client, parcel);
	else
		stream_send(client->stream, parcel, NULL, 0);
}

static void outlet_close(struct session *session, enum stream_condition condition, const char *text)
{
	client_fail(session->outlet_owner, condition, text);
}

const struct session_outlet client_outlet = {
	.deliver = outlet_deliver,
	.close = outlet_close,
};

void client_returned(struct stream *stream, void *owner, struct parcel *parcel)
{
	struct client *client = owner;

	(void)stream;
	session_give_back(client->session, parcel);
}
