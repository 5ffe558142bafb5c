/* SPDX-License-Identifier: MIT
 *
 * Sessions with stream management that have ended: their client may still ask how many of its stanzas were handled, the h
 * of <failed/> (XEP-0198 §5). Of each home the newest are remembered; after a crash the archive's entries say it (resume.c).
 * Where neither does, <failed/> has no h, which is optional: the client sends again all that was not acknowledged to it, and
 * core/repeats.c knows what came before. An answer to what such a session has sent finds no session any more, but the stanza
 * is then in nobody else's hands, and so counted when its client asks.
 */
#include <stdio.h>
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

uint64_t past_stream(const char *id)
{
	uint8_t bytes[DIGEST_MAX];
	uint64_t stream = 0;

	digest_bytes(DIGEST_SHA256, id, strlen(id), bytes);
	for (int i = 0; i < 8; i++)
		stream = stream << 8 | bytes[i];
	return (stream & INT64_MAX) | 1;
}

/* In place of the oldest. */
static struct tally *past_new(struct home *home, const struct jid *user, const char *id)
{
	struct client_room *room = client_room(home);
	struct smacks_past *past;

	if (!room->past)
		room->past = mem_zalloc(PAST_MAX * sizeof(*room->past));
	past = &room->past[room->past_next++ % PAST_MAX];
	tally_clear(&past->tally);
	snprintf(past->id, sizeof(past->id), "%s", id);
	past->user = user_hash(home, user);
	return &past->tally;
}

void past_add(struct smacks *smacks)
{
	*past_new(smacks_home(smacks), &smacks->session->account->jid, smacks->id) = smacks->tally;
	smacks->tally = (struct tally){ 0 };
}

void past_recall(struct home *home, const struct jid *user, const char *id, uint32_t h)
{
	tally_restore(past_new(home, user, id), h);
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
