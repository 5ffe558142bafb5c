/* SPDX-License-Identifier: MIT
 *
 * Presence that waits is a state, not news (RFC 6121 §4): of what a client broadcasts only the newest goes to each address,
 * at the place of the newest, so that it overtakes nothing that was sent before. Directed presence is a word to somebody, and
 * all of it goes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "outbox_inside.h"

/* The client does not name whom a broadcast goes to. */
static bool stanza_is_broadcast(const struct stanza *stanza)
{
	return (stanza->type == PRESENCE_AVAILABLE || stanza->type == PRESENCE_UNAVAILABLE) && !stanza->to.text &&
	       stanza->from.text;
}

void entry_forget_pair(struct outbox_entry *entry)
{
	if (!entry->pair)
		return;
	map_remove(entry->outbox->presences, entry->pair, entry->pair_len);
	free(entry->pair);
	entry->pair = NULL;
}

static void entry_set_pair(struct outbox_entry *entry)
{
	struct buf pair = { 0 };

	buf_add(&pair, entry->stanza->from.text, jid_len(&entry->stanza->from) + 1);
	buf_add(&pair, entry->to.text, jid_len(&entry->to));
	entry->pair = pair.data;
	entry->pair_len = pair.len;
}

void outbox_supersede(struct outbox *outbox, struct outbox_entry *entry)
{
	struct outbox_entry *outdated;

	if (!stanza_is_broadcast(entry->stanza))
		return;
	if (!outbox->presences)
		outbox->presences = map_new(worker_seed(outbox->home->worker));
	entry_set_pair(entry);
	outdated = map_find(outbox->presences, entry->pair, entry->pair_len);
	if (outdated) {
		entry_withdraw(outdated);
		if (outdated->duty)
			parcel_taken(outbox->home, &outdated->duty);
		entry_forget(outdated);
	}
	map_put(outbox->presences, entry->pair, entry->pair_len, entry);
}
