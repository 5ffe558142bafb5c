/* SPDX-License-Identifier: MIT
 *
 * The life of a link: it rests, connects, is up, ends, waits (RFC 6120 §3.3). Whatever its outbox has moves it.
 */
#include "link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "outgoing.h"
#include "policy.h"
#include "receipts.h"
#include "xmpp/utf8.h"

enum {
	LINK_PAUSE_LEAST_MS = 1000,
	LINK_PAUSE_MOST_MS = 60000,
	LINK_STABLE_MS = 10000,     /* a stream that lived so long ends without a pause */
	LINK_ROOM_MS = 20,          /* until we look again whether the stream has room */
	LINK_CONNECTING_MOST = 256, /* on a home; who comes then waits for a pause */
	LINK_RESTING_MOST = 1000,   /* on a home; the longest resting are forgotten */
};

static const char link_leaving[] = "This server is being stopped";

static void link_want(struct link *link);
static void link_write(struct link *link);

/* ---- pairs ---- */

void link_key_make(struct link_key *key, const char *local, size_t local_len, const char *remote,
                   size_t remote_len)
{
	memcpy(key->text, local, local_len);
	key->text[local_len] = '\0';
	memcpy(key->text + local_len + 1, remote, remote_len);
	key->len = local_len + 1 + remote_len;
}

struct home *link_home(const struct home *from, const struct link_key *key)
{
	return home_of(workers_home(from->server->workers, key->text, key->len));
}

struct link *link_find(struct s2s *s2s, const char *local, const char *remote)
{
	struct link_key key;

	link_key_make(&key, local, strlen(local), remote, strlen(remote));
	return map_find(s2s->links, key.text, key.len);
}

/* ---- states ---- */

static const char *const link_states[] = {
	[LINK_RESTING] = "idle", [LINK_WAITING] = "waiting", [LINK_CONNECTING] = "connecting",
	[LINK_READY] = "up",     [LINK_CLOSING] = "closing",
};

const char *link_state_name(enum link_state state)
{
	return link_states[state];
}

static void link_set_state(struct link *link, enum link_state state)
{
	struct s2s *s2s = link->s2s;

	log_debug(s2s_log(s2s), NULL, "link state", LOG_STR("from", link->local), LOG_STR("to", link->remote),
	          LOG_STR("old", link_states[link->state]), LOG_STR("new", link_states[state]));
	s2s->connecting += (state == LINK_CONNECTING) - (link->state == LINK_CONNECTING);
	timer_stop(s2s->home->worker, &link->timer);
	if (list_is_linked(&link->rest)) {
		list_remove(&link->rest);
		s2s->resting_count--;
	}
	if (state == LINK_RESTING) {
		link->rested_ms = worker_now_ms(s2s->home->worker);
		list_add_last(&s2s->resting, &link->rest);
		s2s->resting_count++;
	}
	link->state = state;
}

static void link_forget_first(struct s2s *s2s)
{
	struct link *link = LIST_MEMBER(list_first(&s2s->resting), struct link, rest);

	if (outbox_is_empty(link->outbox))
		link_free(link);
}

static struct link *link_new(struct s2s *s2s, const struct link_key *key)
{
	struct link *link = mem_zalloc(sizeof(*link));

	if (s2s->resting_count >= LINK_RESTING_MOST)
		link_forget_first(s2s);
	link->s2s = s2s;
	link->key = str_dup_len(key->text, key->len);
	link->key_len = key->len;
	link->local = link->key;
	link->remote = link->key + strlen(link->key) + 1;
	link->outbox = link_outbox_new(link);
	map_put(s2s->links, link->key, link->key_len, link);
	link_set_state(link, LINK_RESTING);
	return link;
}

struct link *link_get(struct s2s *s2s, const struct link_key *key)
{
	struct link *link = map_find(s2s->links, key->text, key->len);

	return link ? link : link_new(s2s, key);
}

/* Only a link at rest, or at the home's end, when nobody waits for answers any more. */
void link_free(struct link *link)
{
	struct s2s *s2s = link->s2s;

	timer_stop(s2s->home->worker, &link->timer);
	if (list_is_linked(&link->rest)) {
		list_remove(&link->rest);
		s2s->resting_count--;
	}
	map_remove(s2s->links, link->key, link->key_len);
	if (link->receipts)
		receipts_free(link->receipts);
	outbox_free(&link->outbox);
	free(link->key);
	free(link);
}

/* ---- what it can do for its outbox ---- */

bool link_is_down(const struct link *link)
{
	return link->failures > 0 && (link->state == LINK_RESTING || link->state == LINK_WAITING) &&
	       worker_now_ms(link->s2s->home->worker) < link->not_before_ms;
}

const struct trouble_meaning *link_excuse(const struct link *link)
{
	return trouble_meaning(link->failures ? link->trouble : TROUBLE_NONE);
}

/* Something waits, or can be resumed. */
static bool link_has_work(const struct link *link)
{
	return outbox_waiting(link->outbox) || link->receipts;
}

void link_outbox_changed(struct link *link)
{
	if (link->state == LINK_READY && outbox_waiting(link->outbox))
		link_write(link);
	else if (link->state == LINK_WAITING && !link_has_work(link))
		link_set_state(link, LINK_RESTING);
	else
		link_want(link);
}

/* ---- connecting ---- */

static void link_connect(struct link *link)
{
	link_set_state(link, LINK_CONNECTING);
	link->outgoing = outgoing_start(link->s2s, link->local, link->remote, link);
}

static void link_pause_over(struct worker *worker, struct timer *timer)
{
	struct link *link = LIST_MEMBER(timer, struct link, timer);

	(void)worker;
	link_set_state(link, LINK_RESTING);
	link_want(link);
}

static void link_wait(struct link *link, uint64_t ms)
{
	link_set_state(link, LINK_WAITING);
	timer_start(link->s2s->home->worker, &link->timer, ms, link_pause_over);
}

/* A link at rest that has work connects, or waits until it may. */
static void link_want(struct link *link)
{
	uint64_t now = worker_now_ms(link->s2s->home->worker);

	if (link->state != LINK_RESTING || !link_has_work(link))
		return;
	if (now < link->not_before_ms)
		link_wait(link, link->not_before_ms - now);
	else if (link->s2s->connecting >= LINK_CONNECTING_MOST)
		link_wait(link, LINK_PAUSE_LEAST_MS);
	else
		link_connect(link);
}

/* ---- the stream is up ---- */

static void link_has_idled(struct worker *worker, struct timer *timer)
{
	struct link *link = LIST_MEMBER(timer, struct link, timer);
	uint64_t idle = link_policy(link)->idle_ms;
	uint64_t quiet = worker_now_ms(worker) - link->sent_ms;

	if (idle == 0)
		return;
	if (quiet < idle) {
		timer_start(worker, timer, idle - quiet, link_has_idled);
		return;
	}
	link_set_state(link, LINK_CLOSING);
	outgoing_close(link->outgoing);
}

static void link_room_expected(struct worker *worker, struct timer *timer)
{
	(void)worker;
	link_write(LIST_MEMBER(timer, struct link, timer));
}

/* Writes what waits, as far as the stream has room. */
static void link_write(struct link *link)
{
	struct worker *worker = link->s2s->home->worker;

	outbox_push(link->outbox);
	if (outbox_waiting(link->outbox))
		timer_start(worker, &link->timer, LINK_ROOM_MS, link_room_expected);
	else
		link_has_idled(worker, &link->timer);
}

void link_up(struct link *link)
{
	link_set_state(link, LINK_READY);
	link->ready_ms = link->sent_ms = worker_now_ms(link->s2s->home->worker);
	log_info(s2s_log(link->s2s), NULL, "link up", LOG_STR("from", link->local),
	         LOG_STR("to", link->remote), LOG_INT("waiting", outbox_waiting(link->outbox)));
	link_write(link);
}

/* ---- the stream ends ---- */

void link_taken_back(struct link *link)
{
	if (!link->outgoing || link->state == LINK_CONNECTING)
		link_want(link);
}

uint64_t link_pause_ms(unsigned failures, uint32_t random)
{
	uint64_t most = LINK_PAUSE_LEAST_MS;

	for (; failures > 1 && most < LINK_PAUSE_MOST_MS; failures--)
		most *= 2;
	if (most > LINK_PAUSE_MOST_MS)
		most = LINK_PAUSE_MOST_MS;
	return most - (uint64_t)random % (most / 2 + 1);
}

/* A domain that does not exist is some user's misspelling, nothing for the administrator to mend. */
static void link_note_trouble(struct link *link, enum trouble trouble, const char *reason)
{
	struct home *home = link->s2s->home;
	enum log_level level = trouble == TROUBLE_NO_SUCH_DOMAIN ? LOG_LEVEL_INFO : LOG_LEVEL_WARN;

	link->trouble = trouble;
	snprintf(link->reason, sizeof(link->reason), "%s", reason ? reason : "");
	utf8_trim(link->reason);
	link->trouble_us = clock_wall_us(worker_clock(home->worker));
	LOG_LINE(s2s_log(link->s2s), level, NULL, "link down", LOG_STR("from", link->local),
	         LOG_STR("to", link->remote), LOG_STR("trouble", trouble_meaning(trouble)->name),
	         LOG_STR("reason", reason), LOG_INT("waiting", outbox_waiting(link->outbox)));
}

/* After a stream that was up for a while the next attempt comes at once, else after a pause. */
static void link_plan(struct link *link, bool was_stable)
{
	struct worker *worker = link->s2s->home->worker;
	uint32_t random;

	entropy_fill(worker_entropy(worker), &random, sizeof(random));
	link->failures = was_stable ? 0 : link->failures + 1;
	link->not_before_ms = worker_now_ms(worker);
	if (link->failures > 0)
		link->not_before_ms += link_pause_ms(link->failures, random);
}

/* XEP-0220 §2.1.1 would have what waits returned after each answer that is final. Where somebody means to speak to this peer what
 * is wrong will be mended, and the messages wait for that as for any other fault. */
static bool link_is_hopeless(const struct link *link, enum trouble trouble)
{
	return trouble_meaning(trouble)->final && link_policy(link)->role == PEER_STRANGER;
}

void link_down(struct link *link, enum trouble trouble, const char *reason)
{
	struct s2s *s2s = link->s2s;
	bool hopeless = link_is_hopeless(link, trouble);
	bool was_up = link->state == LINK_READY || link->state == LINK_CLOSING;
	bool was_stable = was_up && worker_now_ms(s2s->home->worker) - link->ready_ms >= LINK_STABLE_MS;

	link->outgoing = NULL;
	if (link->receipts && (hopeless || s2s->draining))
		receipts_give_up(link->receipts);
	link_plan(link, was_stable || (was_up && trouble == TROUBLE_NONE && !outbox_waiting(link->outbox)));
	link_set_state(link, LINK_RESTING);
	if (trouble != TROUBLE_NONE)
		link_note_trouble(link, trouble, reason);
	else
		log_info(s2s_log(s2s), NULL, "link closed", LOG_STR("from", link->local),
		         LOG_STR("to", link->remote));
	if (trouble == TROUBLE_OFFENDED)
		outbox_blame(link->outbox);
	if (s2s->draining)
		outbox_leave(link->outbox, STANZA_REMOTE_SERVER_TIMEOUT, link_leaving);
	else if (hopeless)
		outbox_refuse(link->outbox, link_excuse(link)->condition, link_excuse(link)->text);
	link_want(link);
}

/* ---- from elsewhere ---- */

/* The pause is over. */
void link_retry(struct link *link)
{
	link->failures = 0;
	link->not_before_ms = 0;
	if (link->state == LINK_WAITING)
		link_set_state(link, LINK_RESTING);
	link_want(link);
}

struct peer_sighting {
	struct mail mail;
	struct link_key key;
};

static void peer_sighting_arrive(struct worker *worker, struct mail *mail)
{
	struct peer_sighting *sighting = (struct peer_sighting *)mail;
	struct link *link = map_find(s2s_of(home_of(worker))->links, sighting->key.text, sighting->key.len);

	if (link && (link->state == LINK_WAITING || link->state == LINK_RESTING))
		link_retry(link);
	free(sighting);
}

void link_peer_seen(struct home *from, const char *local, const char *remote)
{
	struct peer_sighting *sighting = mem_zalloc(sizeof(*sighting));

	link_key_make(&sighting->key, local, strlen(local), remote, strlen(remote));
	sighting->mail.arrive = peer_sighting_arrive;
	worker_post(from->worker, link_home(from, &sighting->key)->worker, &sighting->mail);
}

static void link_end(struct link *link)
{
	if (link->state == LINK_WAITING)
		link_set_state(link, LINK_RESTING);
	if (link->state != LINK_CONNECTING && link->state != LINK_READY)
		return;
	link_set_state(link, LINK_CLOSING);
	outgoing_close(link->outgoing);
}

static bool link_is_allowed(const struct link *link)
{
	return link_policy(link)->allow &&
	       s2s_is_ours(link->s2s, link->local, strlen(link->local));
}

void link_configured(struct link *link)
{
	if (!link_is_allowed(link)) {
		outbox_refuse(link->outbox, STANZA_NOT_ALLOWED, "This server exchanges no stanzas with that domain");
		link_end(link);
	} else if (link->state == LINK_READY && !outgoing_is_trusted(link->outgoing)) {
		link_end(link);
	}
}

void link_drain(struct link *link)
{
	outbox_leave(link->outbox, STANZA_REMOTE_SERVER_TIMEOUT, link_leaving);
	link_end(link);
}
