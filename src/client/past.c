/* SPDX-License-Identifier: MIT
 *
 * Sessions with stream management that have ended: their client may still ask how many of its stanzas were handled, the h
 * of <failed/> (XEP-0198 §5). Of each home the newest are remembered. An answer to what such a session has sent finds no
 * session any more, but the stanza is then in nobody else's hands, and so counted when its client asks.
 */
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "smacks.h"

enum { PAST_MAX = 256 };

struct smacks_past {
	char id[ID_LEN + 1];
	uint64_t user;
	struct tally tally;
};

static uint64_t user_hash(struct home *home, const struct jid *user)
{
	return hash_bytes(worker_seed(home->worker), user->text, jid_bare_len(user));
}

void past_add(struct smacks *smacks)
{
	struct home *home = smacks_home(smacks);
	struct client_room *room = client_room(home);
	struct smacks_past *past;

	if (!room->past)
		room->past = mem_zalloc(PAST_MAX * sizeof(*room->past));
	past = &room->past[room->past_next++ % PAST_MAX];
	tally_clear(&past->tally);
	memcpy(past->id, smacks->id, sizeof(past->id));
	past->user = user_hash(home, &smacks->session->account->jid);
	past->tally = smacks->tally;
	smacks->tally = (struct tally){ 0 };
}

struct tally *past_find(struct home *home, const struct jid *user, const char *id)
{
	struct smacks_past *past = client_room(home)->past;
	struct tally *found = NULL;
	uint64_t hash = user_hash(home, user);

	for (size_t i = 0; past && i < PAST_MAX; i++) {
		if (past[i].user == hash && digest_same_str(past[i].id, id))
			found = &past[i].tally;
	}
	return found;
}

void past_clear(struct client_room *room)
{
	for (size_t i = 0; room->past && i < PAST_MAX; i++)
		tally_clear(&room->past[i].tally);
	free(room->past);
}
