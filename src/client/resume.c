/* SPDX-License-Identifier: MIT
 *
 * Resuming a session (XEP-0198 §5): a client that has logged in names the session that it had and gets it back, with all
 * that it has not acknowledged. What it sent on its old connection may still be on its way to somebody's hands or to the
 * disk; the answer waits for that, so that h covers it, but not longer than resume-wait.
 */
#include <string.h>

#include "base/digest.h"
#include "smacks.h"
#include "store/journal.h"
#include "xmpp/ns.h"
#include "xmpp/sm.h"

enum { LOOK_MS = 5 };

static void resume_look(struct worker *worker, struct timer *timer);

/* Among the user's own only. */
static struct smacks *smacks_find(struct home *home, const struct jid *user, const char *id)
{
	struct account *account = account_find(home, user->text, jid_bare_len(user));
	struct smacks *found = NULL;

	for (struct session *session = account ? session_first(account) : NULL; session;
	     session = session_next(session)) {
		struct smacks *smacks = smacks_of(session);

		if (smacks && smacks->resume_ms && !smacks->ends && digest_same_str(smacks->id, id))
			found = smacks;
	}
	return found;
}

/* ---- until all is in somebody's hands ---- */

/* Who comes back has seen that the old connection is dead, or we have not. */
static void smacks_leave_stream(struct smacks *smacks)
{
	struct client *old = smacks->client;

	if (!old)
		return;
	old->session = NULL;
	smacks_detach(smacks, smacks->resume_ms);
	client_fail(old, STREAM_CONFLICT, "the session goes on on another stream");
}

/* What the session has sent and is not in safe hands; NULL: it is not remembered. */
static struct tally *resume_tally(const struct client *client, const char *id)
{
	struct home *home = stream_home(client->stream);
	const struct jid *user = &client->login->user;
	struct smacks *smacks = smacks_find(home, user, id);

	if (smacks)
		smacks_leave_stream(smacks);
	return smacks ? &smacks->tally : past_find(home, user, id);
}

static bool resume_is_settled(const struct client *client, const char *id)
{
	struct tally *tally = resume_tally(client, id);

	if (tally)
		tally_settle(tally);
	return !client->login->recalls && (!tally || tally->count == 0);
}

/* The answer may find that its client has not waited for it, or is gone and its login waits to be freed. */
static void resume_recalled(struct store_request *request)
{
	struct store_journal_handled *asked = (struct store_journal_handled *)request;
	struct login *login = request->context;
	struct home *home = home_of(request->worker);

	login->recalls = false;
	if (login->client && login->previd) {
		if (request->status == STORE_OK)
			past_recall(home, &login->user, login->previd, asked->handled);
		timer_stop(home->worker, &login->delay);
		resume_look(home->worker, &login->delay);
	} else if (!login->client) {
		login_let_go(login);
	}
	store_request_free(request);
}

/* Nobody here knows the session: perhaps a crash has ended it. */
static void resume_recall(const struct client *client)
{
	struct home *home = stream_home(client->stream);
	struct login *login = client->login;
	struct store_journal_handled *asked =
		store_request_new(sizeof(*asked), STORE_JOURNAL_HANDLED, home->worker, login->user.text,
	                          jid_bare_len(&login->user), resume_recalled);

	asked->stream = past_stream(login->previd);
	asked->request.context = login;
	login->recalls = true;
	store_submit(home->server->store, &asked->request);
}

void smacks_await(struct client *client, const struct element *resume, void (*settled)(struct client *client))
{
	struct home *home = stream_home(client->stream);
	struct login *login = client->login;
	uint32_t most_ms = client_limits(home->config)->resume_wait_ms;

	login->previd = element_attr(resume, "previd");
	login->settled = settled;
	login->settle_until_ms = worker_now_ms(home->worker) + most_ms;
	if (login->previd && most_ms > 0 && !resume_tally(client, login->previd))
		resume_recall(client);
	resume_look(home->worker, &login->delay);
}

static void resume_look(struct worker *worker, struct timer *timer)
{
	struct login *login = LIST_MEMBER(timer, struct login, delay);
	struct client *client = login->client;

	if (client->state == CLIENT_ENDING)
		return;
	if (login->previd && !resume_is_settled(client, login->previd) &&
	    worker_now_ms(worker) < login->settle_until_ms) {
		timer_start(worker, timer, LOOK_MS, resume_look);
		return;
	}
	login->previd = NULL;
	login->settled(client);
}

/* ---- taken over ---- */

static void smacks_take_over(struct smacks *smacks, struct client *client, struct buf *out)
{
	struct session *session = smacks->session;
	struct address peer, own;

	smacks_leave_stream(smacks);
	timer_stop(smacks_home(smacks)->worker, &smacks->timer);
	list_remove(&smacks->link);
	smacks->client = client;
	session->detached = false;
	smacks->asks = false;
	client->session = session;
	conn_address(stream_conn(client->stream), &peer, &own);
	address_write(&peer, session->address);
	tally_rewind(&smacks->tally);
	buf_printf(out, "<resumed xmlns='" NS_SM "' previd='%s' h='%u'/>", smacks->id,
	           smacks->tally.handled);
}

static void smacks_refuse_resume(struct client *client, const char *id, struct buf *out)
{
	struct tally *past = past_find(stream_home(client->stream), &client->login->user, id);

	if (past)
		tally_settle(past);
	sm_write_failed(out, STANZA_ITEM_NOT_FOUND, past ? &past->handled : NULL);
}

enum smacks_resumption smacks_resume(struct client *client, const struct element *resume, struct buf *out)
{
	const char *id = element_attr(resume, "previd");
	struct smacks *smacks;
	uint32_t h;

	if (!id || !sm_read_number(element_attr(resume, "h"), &h)) {
		sm_write_failed(out, STANZA_BAD_REQUEST, NULL);
		return SMACKS_REFUSED;
	}
	smacks = smacks_find(stream_home(client->stream), &client->login->user, id);
	if (!smacks) {
		smacks_refuse_resume(client, id, out);
		return SMACKS_REFUSED;
	}
	if (!smacks_acked(smacks, client, h))
		return SMACKS_BROKEN;
	smacks_take_over(smacks, client, out);
	return SMACKS_RESUMED;
}

void smacks_go_on(struct client *client)
{
	struct session *session = client->session;
	struct smacks *smacks = smacks_of(session);

	client_end_login(client);
	client_set_state(client, CLIENT_BOUND);
	log_info(worker_log(smacks_home(smacks)->worker), stream_name(client->stream), "session resumed",
	         LOG_STR("jid", session->jid.text), LOG_STR("address", session->address),
	         LOG_INT("unacknowledged", smacks->unacked.count));
	unacked_rewind(&smacks->unacked);
	smacks_write(smacks);
	session_set_inactive(session, false);
}

/* ---- asked for on a stream of its own ---- */

static void resume_settled(struct client *client)
{
	struct buf *out = stream_out(client->stream);
	const struct element *resume = client->login->request->root;
	enum smacks_resumption resumption = smacks_resume(client, resume, out);

	stream_resume(client->stream);
	if (resumption == SMACKS_RESUMED) {
		smacks_go_on(client);
	} else if (resumption == SMACKS_REFUSED) {
		stanza_drop(&client->login->request);
		client_set_state(client, CLIENT_AUTHENTICATED);
	}
}

void client_resumes(struct client *client, struct stanza **element)
{
	if (client->state == CLIENT_BOUND) {
		sm_write_failed(stream_out(client->stream), STANZA_UNEXPECTED_REQUEST, NULL);
		return;
	}
	client->login->request = *element;
	*element = NULL;
	client_set_state(client, CLIENT_BUSY);
	stream_pause(client->stream);
	smacks_await(client, client->login->request->root, resume_settled);
}
