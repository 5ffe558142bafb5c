/* SPDX-License-Identifier: MIT
 *
 * Dialback on a stream that we opened (XEP-0220 §2.1): as initiating server we prove our domain, as
 * receiving server we ask the authoritative server about keys that others have shown us. Answers are
 * believed only when they answer what was asked on this very stream (§3.1).
 */
#include "outgoing_inside.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "dialback.h"
#include "trial.h"

enum { OUTGOING_REQUESTS = 64 }; /* verify requests at once */

static void outgoing_send_verify(struct outgoing *outgoing, struct verify *verify)
{
	struct dialback request = {
		.kind = DIALBACK_VERIFY,
		.from = verify->receiving,
		.to = verify->originating,
		.id = verify->id,
		.key = verify->key,
	};

	dialback_write(stream_out(outgoing->stream), &request);
	verify->sent = true;
}

/* §2.1.1: our key for this stream. */
static void outgoing_send_key(struct outgoing *outgoing)
{
	const char *secret = outgoing->s2s->home->server->secret;
	char key[DIALBACK_KEY + 1];
	struct dialback request = {
		.kind = DIALBACK_RESULT,
		.from = outgoing->local,
		.to = outgoing->remote,
		.key = key,
	};

	dialback_key(secret, outgoing->remote, outgoing->local, stream_id(outgoing->stream), key);
	dialback_write(stream_out(outgoing->stream), &request);
	mem_wipe(key, sizeof(key));
	outgoing->asked = true;
}

static bool outgoing_is_done(const struct outgoing *outgoing)
{
	return outgoing_only_asks(outgoing) && list_is_empty(&outgoing->requests);
}

void outgoing_begin_dialback(struct outgoing *outgoing)
{
	outgoing->state = OUTGOING_OPEN;
	if (!outgoing_only_asks(outgoing))
		outgoing_send_key(outgoing);
	for (struct list_link *l = list_first(&outgoing->requests); l; l = list_next(&outgoing->requests, l))
		outgoing_send_verify(outgoing, LIST_MEMBER(l, struct verify, link));
	if (outgoing_is_done(outgoing))
		outgoing_close(outgoing);
}

bool outgoing_add_verify(struct outgoing *outgoing, struct verify *verify)
{
	size_t count = 0;

	for (struct list_link *l = list_first(&outgoing->requests); l; l = list_next(&outgoing->requests, l))
		count++;
	if (count >= OUTGOING_REQUESTS)
		return false;
	verify->outgoing = outgoing;
	list_add_last(&outgoing->requests, &verify->link);
	if (outgoing->state == OUTGOING_OPEN)
		outgoing_send_verify(outgoing, verify);
	return true;
}

void outgoing_verified(struct outgoing *outgoing)
{
	if (outgoing->link)
		outgoing_begin_sm(outgoing);
	else
		outgoing_up(outgoing);
}

/* What an error says about the link (§2.5). Those of step 4 come from the peer's own attempt to reach us. */
static enum trouble outgoing_dialback_trouble(const char *condition)
{
	static const struct {
		const char *condition;
		enum trouble trouble;
	} meanings[] = {
		{ DIALBACK_REMOTE_CONNECTION_FAILED, TROUBLE_WAY_BACK },
		{ DIALBACK_REMOTE_SERVER_NOT_FOUND, TROUBLE_WAY_BACK },
		{ DIALBACK_REMOTE_SERVER_TIMEOUT, TROUBLE_WAY_BACK },
		{ DIALBACK_POLICY_VIOLATION, TROUBLE_DENIED },
		{ DIALBACK_FORBIDDEN, TROUBLE_DENIED },
	};

	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (strcmp(condition, meanings[i].condition) == 0)
			return meanings[i].trouble;
	return TROUBLE_DIALBACK;
}

static void outgoing_result(struct outgoing *outgoing, const struct dialback *answer)
{
	char reason[LINK_REASON];

	if (!outgoing->asked || strcmp(answer->from, outgoing->remote) != 0 ||
	    strcmp(answer->to, outgoing->local) != 0) {
		outgoing_offended(outgoing, STREAM_NOT_AUTHORIZED, "a dialback result that answers nothing");
		return;
	}
	outgoing->asked = false;
	switch (answer->type) {
	case DIALBACK_VALID:
		outgoing_verified(outgoing);
		break;
	case DIALBACK_INVALID:
		outgoing_abandon(outgoing, TROUBLE_KEY, "the dialback key was called invalid");
		break;
	default:
		snprintf(reason, sizeof(reason), "dialback error %s", answer->condition);
		outgoing_abandon(outgoing, outgoing_dialback_trouble(answer->condition), reason);
	}
}

/* Step 3. An answer to nothing is dropped silently (§2.1.2); any error here is that one in step 4 (§2.5). */
static void outgoing_verify_answered(struct outgoing *outgoing, const struct dialback *answer)
{
	for (struct list_link *l = list_first(&outgoing->requests); l;
	     l = list_next(&outgoing->requests, l)) {
		struct verify *verify = LIST_MEMBER(l, struct verify, link);

		if (verify_is_answered_by(verify, answer)) {
			verify_finish(verify, answer->type, DIALBACK_REMOTE_SERVER_NOT_FOUND);
			break;
		}
	}
	if (outgoing_is_done(outgoing))
		outgoing_close(outgoing);
}

void outgoing_dialback(struct outgoing *outgoing, struct stanza *stanza)
{
	struct dialback answer;

	if (dialback_read(&stanza->arena, stanza->root, &answer) != DIALBACK_READ)
		outgoing_offended(outgoing, STREAM_IMPROPER_ADDRESSING,
		                  "a dialback answer that cannot be read");
	else if (answer.type == DIALBACK_REQUEST)
		outgoing_offended(outgoing, STREAM_NOT_AUTHORIZED,
		                  "a dialback request on a stream that is ours");
	else if (answer.kind == DIALBACK_RESULT)
		outgoing_result(outgoing, &answer);
	else
		outgoing_verify_answered(outgoing, &answer);
}
