/* SPDX-License-Identifier: MIT
 *
 * XEP-0220 §2.1.2, the receiving server as a client of the authoritative server. Which stream carries the
 * question.
 */
#include "verify.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "outgoing.h"

enum { VERIFY_STREAMS_MOST = 256 }; /* on a home: whoever is asked may be made up by who asks us to ask */

/* The stream to ask on: the link's, when it is up and lives here; one for questions alone that exists; a
 * new one. NULL: there are too many. */
static struct outgoing *verify_stream(struct s2s *s2s, const char *receiving, const char *originating)
{
	struct link *link = link_find(s2s, receiving, originating);
	struct outgoing *callback = map_find(s2s->callbacks, originating, strlen(originating));

	if (link && link->state == LINK_READY && outgoing_is_open(link->outgoing))
		return link->outgoing;
	if (callback || map_count(s2s->callbacks) >= VERIFY_STREAMS_MOST)
		return callback;
	return outgoing_start(s2s, receiving, originating, NULL);
}

static void verify_free(struct verify *verify)
{
	list_remove(&verify->link);
	free(verify->receiving);
	free(verify->originating);
	free(verify->id);
	str_wipe(&verify->key);
	free(verify);
}

struct verify *verify_start(struct s2s *s2s, const char *receiving, const char *originating, const char *id,
                            const char *key, verify_done *done, void *owner)
{
	struct outgoing *outgoing = verify_stream(s2s, receiving, originating);
	struct verify *verify;

	if (!outgoing)
		return NULL;
	verify = mem_zalloc(sizeof(*verify));
	verify->receiving = str_dup(receiving);
	verify->originating = str_dup(originating);
	verify->id = str_dup(id);
	verify->key = str_dup(key);
	verify->done = done;
	verify->owner = owner;
	if (outgoing_add_verify(outgoing, verify))
		return verify;
	verify_free(verify);
	return NULL;
}

void verify_cancel(struct verify **verify)
{
	if (*verify)
		verify_free(*verify);
	*verify = NULL;
}

void verify_finish(struct verify *verify, enum dialback_type type, const char *condition)
{
	list_remove(&verify->link);
	verify->done(verify->owner, type, condition);
	verify_free(verify);
}

bool verify_is_answered_by(const struct verify *verify, const struct dialback *answer)
{
	return verify->sent && strcmp(answer->from, verify->originating) == 0 &&
	       strcmp(answer->to, verify->receiving) == 0 && strcmp(answer->id, verify->id) == 0;
}
