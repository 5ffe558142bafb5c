/* SPDX-License-Identifier: MIT
 *
 * The queue of a link, in memory: a list through the parcels' own links. Stanzas of different kinds may
 * wait for different times, so the one that expires next may be anywhere; the list is short and is walked.
 */
#include "outbox.h"

#include "xmpp/stanza.h"

void outbox_init(struct outbox *outbox)
{
	*outbox = (struct outbox){ .end = &outbox->first };
}

static void outbox_append(struct outbox *outbox, struct parcel *parcel)
{
	parcel->next = NULL;
	*outbox->end = parcel;
	outbox->end = &parcel->next;
	outbox->count++;
	outbox->bytes += stanza_weight(parcel->stanza);
}

void outbox_add(struct outbox *outbox, struct parcel *parcel, uint64_t until_ms)
{
	parcel->position = until_ms;
	outbox_append(outbox, parcel);
}

/* Takes out what *at points to. */
static struct parcel *outbox_remove(struct outbox *outbox, struct parcel **at)
{
	struct parcel *parcel = *at;

	*at = parcel->next;
	if (!*at)
		outbox->end = at;
	parcel->next = NULL;
	outbox->count--;
	outbox->bytes -= stanza_weight(parcel->stanza);
	return parcel;
}

struct parcel *outbox_take(struct outbox *outbox)
{
	return outbox->first ? outbox_remove(outbox, &outbox->first) : NULL;
}

void outbox_put_back(struct outbox *outbox, struct outbox *returned)
{
	struct parcel *parcel;

	while ((parcel = outbox_take(outbox)))
		outbox_append(returned, parcel);
	while ((parcel = outbox_take(returned)))
		outbox_append(outbox, parcel);
}

struct parcel *outbox_take_expired(struct outbox *outbox, uint64_t now_ms)
{
	for (struct parcel **at = &outbox->first; *at; at = &(*at)->next)
		if ((*at)->position <= now_ms)
			return outbox_remove(outbox, at);
	return NULL;
}

uint64_t outbox_next_expiry(const struct outbox *outbox)
{
	uint64_t next = UINT64_MAX;

	for (const struct parcel *parcel = outbox->first; parcel; parcel = parcel->next)
		if (parcel->position < next)
			next = parcel->position;
	return next;
}
