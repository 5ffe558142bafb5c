/* SPDX-License-Identifier: MIT
 *
 * Pings out, and their answers to the home of the pair.
 */
#include "ping.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "link.h"
#include "receipts.h"
#include "trial.h"
#include "xmpp/ns.h"
#include "xmpp/writer.h"

struct ping_answer {
	struct mail mail;
	struct link_key key;
	struct ping_id id;
};

void ping_write(struct home *home, struct buf *out, const char *local, const char *remote, struct ping_id *id)
{
	memcpy(id->text, PING_ID, strlen(PING_ID));
	id_random(worker_entropy(home->worker), id->text + strlen(PING_ID));
	buf_add_lit(out, "<iq type='get'");
	writer_attr(out, "id", id->text);
	writer_attr(out, "from", local);
	writer_attr(out, "to", remote);
	buf_add_lit(out, "><ping xmlns='" NS_PING "'/></iq>");
}

static void ping_answer_arrive(struct worker *worker, struct mail *mail)
{
	struct ping_answer *answer = (struct ping_answer *)mail;
	struct s2s *s2s = s2s_of(home_of(worker));
	const char *remote = answer->key.text + strlen(answer->key.text) + 1;
	struct link *link = map_find(s2s->links, answer->key.text, answer->key.len);

	if (link && link->receipts)
		receipts_answer(link->receipts, &answer->id);
	trials_answer(s2s, remote, &answer->id);
	free(answer);
}

bool ping_is_answered(struct home *home, const struct stanza *stanza)
{
	struct ping_answer *answer;

	if ((stanza->type != IQ_RESULT && stanza->type != IQ_ERROR) || !stanza->id ||
	    strncmp(stanza->id, PING_ID, strlen(PING_ID)) != 0 || strlen(stanza->id) >= sizeof(answer->id.text) ||
	    !jid_is_domain(&stanza->from) || !jid_is_domain(&stanza->to))
		return false;
	answer = mem_zalloc(sizeof(*answer));
	link_key_make(&answer->key, jid_domain_text(&stanza->to), stanza->to.domain_len, jid_domain_text(&stanza->from),
	              stanza->from.domain_len);
	snprintf(answer->id.text, sizeof(answer->id.text), "%s", stanza->id);
	answer->mail.arrive = ping_answer_arrive;
	worker_post(home->worker, link_home(home, &answer->key)->worker, &answer->mail);
	return true;
}
