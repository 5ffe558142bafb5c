/* SPDX-License-Identifier: MIT
 *
 * The router (RFC 6120 §10): one look-up in the domain table of this home's snapshot, one mail to the home
 * of the address. It knows nothing of what lives there.
 */
#include "core/router.h"

#include <assert.h>

#include "core/config.h"
#include "core/server.h"
#include "core/session.h"

static void route_count(struct home *home, enum stanza_kind kind)
{
	switch (kind) {
	case STANZA_MESSAGE:
		figure_add(&home->figures.messages, 1);
		break;
	case STANZA_PRESENCE:
		figure_add(&home->figures.presences, 1);
		break;
	default:
		figure_add(&home->figures.iqs, 1);
	}
}

static void parcel_arrive(struct worker *worker, struct mail *mail)
{
	struct parcel *parcel = (struct parcel *)mail;

	parcel->class->deliver(home_of(worker), parcel);
}

/* RFC 6120 §10.4.3: an address nobody can reach is answered, never dropped. */
void route(struct home *from, struct parcel *parcel)
{
	const struct destination *destination;

	assert(parcel->to.text);
	list_remove(&parcel->watch);
	if (from->closed) {
		parcel_free(&parcel);
		return;
	}
	route_count(from, parcel->stanza->kind);
	destination = config_destination(from->config, jid_domain_text(&parcel->to), parcel->to.domain_len);
	parcel->class = destination ? destination->class : from->config->remote;
	if (!parcel->class) {
		parcel_refused(from, &parcel, STANZA_REMOTE_SERVER_NOT_FOUND,
		               "This server talks to no other servers");
		return;
	}
	parcel->mail.arrive = parcel_arrive;
	worker_post(from->worker, parcel->class->home(from, parcel), &parcel->mail);
}

void route_stanza(struct home *from, const struct stanza *stanza)
{
	struct parcel *parcel = parcel_new(from, stanza, NULL);

	if (stanza->token)
		parcel->answered = session_sent_answered;
	stanza_unref(&stanza);
	route(from, parcel);
}
