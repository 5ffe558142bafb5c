/* SPDX-License-Identifier: MIT
 *
 * The runs of commands at a home, from their begin until they are over or forgotten, and their session ids (XEP-0050 §2.4,
 * §3.3). A session id is random and carries a digest of itself, the command and who began, made with the server's secret: so
 * one that was once ours and is over (session-expired) differs from one that never was (bad-sessionid), without a memory of
 * all that is over.
 */
#include "adhoc_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/map.h"
#include "base/mem.h"

enum { RUNS_MAX = 1000 }; /* of a home, whoever began them */

struct adhoc_runs {
	struct map *by_id;
	struct list list;                       /* the oldest first */
};

static struct adhoc_runs *adhoc_runs(const struct home *home)
{
	return home_part(home, &adhoc_module);
}

/* ---- session ids ---- */

/* Behind the random part: what shows that it is ours, for this command and this requester. */
static void session_prove(const struct home *home, const char *node, const char *who, char id[ADHOC_SESSION_ID + 1])
{
	struct buf text = { 0 };
	uint8_t mac[DIGEST_MAX];

	buf_printf(&text, "adhoc %.*s %s %s", ID_LEN, id, who, node);
	digest_hmac(DIGEST_SHA256, home->server->secret, strlen(home->server->secret), text.data, text.len, mac);
	text.len = 0;
	hex_encode(&text, mac, ADHOC_PROOF);
	memcpy(id + ID_LEN, text.data, 2 * ADHOC_PROOF);
	id[ADHOC_SESSION_ID] = '\0';
	buf_clear(&text);
}

bool adhoc_session_was_ours(const struct iq_request *request, const char *node, const char *id)
{
	char own[ADHOC_SESSION_ID + 1];

	if (strlen(id) != ADHOC_SESSION_ID)
		return false;
	memcpy(own, id, ID_LEN);
	session_prove(request->home, node, request->parcel->stanza->from.text, own);
	return digest_same(own, id, ADHOC_SESSION_ID);
}

/* ---- the life of a run ---- */

void adhoc_run_free(struct adhoc_run *run)
{
	struct adhoc_runs *runs = adhoc_runs(run->home);
	const struct stanza *answer = run->answer;

	map_remove(runs->by_id, run->id, ADHOC_SESSION_ID);
	list_remove(&run->link);
	timer_stop(run->home->worker, &run->forget);
	for (size_t i = 0; i < ADHOC_STAGES; i++)
		arena_wipe(&run->submitted[i].arena);
	stanza_unref(&answer);
	free(run->who);
	free(run);
}

/* The oldest run of the user that waits for him goes when he has too many. */
static void runs_make_room(struct adhoc_runs *runs, const struct jid *who, size_t most)
{
	struct adhoc_run *oldest = NULL;
	size_t count = 0;

	for (struct list_link *link = list_first(&runs->list); link; link = list_next(&runs->list, link)) {
		struct adhoc_run *run = LIST_MEMBER(link, struct adhoc_run, link);

		if (run->who_bare != jid_bare_len(who) || memcmp(run->who, who->text, run->who_bare) != 0)
			continue;
		count++;
		if (!oldest && !run->request)
			oldest = run;
	}
	if (count >= most && oldest)
		adhoc_run_free(oldest);
}

struct adhoc_run *adhoc_run_new(const struct iq_request *request, const struct adhoc_command *command)
{
	struct adhoc_runs *runs = adhoc_runs(request->home);
	const struct jid *who = &request->parcel->stanza->from;
	struct adhoc_run *run;

	runs_make_room(runs, who, adhoc_limits(request->config)->runs);
	if (map_count(runs->by_id) >= RUNS_MAX)
		return NULL;
	run = mem_zalloc(sizeof(*run));
	run->home = request->home;
	run->command = command;
	run->who = str_dup_len(who->text, jid_len(who));
	run->who_bare = jid_bare_len(who);
	id_random(worker_entropy(run->home->worker), run->id);
	session_prove(run->home, command->node, run->who, run->id);
	map_put(runs->by_id, run->id, ADHOC_SESSION_ID, run);
	list_add_last(&runs->list, &run->link);
	return run;
}

struct adhoc_run *adhoc_run_find(const struct home *home, const char *id)
{
	return map_find(adhoc_runs(home)->by_id, id, strlen(id));
}

/* ---- the part of a home ---- */

void *adhoc_runs_open(struct home *home)
{
	struct adhoc_runs *runs = mem_zalloc(sizeof(*runs));

	runs->by_id = map_new(worker_seed(home->worker));
	list_init(&runs->list);
	return runs;
}

void adhoc_runs_close(struct home *home, void *closed)
{
	struct adhoc_runs *runs = closed;
	struct list_link *link;

	(void)home;
	while ((link = list_first(&runs->list)))
		adhoc_run_free(LIST_MEMBER(link, struct adhoc_run, link));
	map_free(&runs->by_id);
	free(runs);
}
