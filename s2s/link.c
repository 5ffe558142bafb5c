/* SPDX-License-Identifier: MIT
 *
 * The life of a link. New stanzas never pass those that wait: whatever cannot be written at once goes
 * behind them, and what an ending stream gives back goes before them, in its order. Nothing vanishes: each
 * parcel leaves to a stream or with a refusal that names the trouble.
 *
 * RFC 6120 §10.4 (remote domains), §8.3.3.16 and .17 (which error), §3.3 (reconnecting).
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
	LINK_ATTEMPTS_WAITS = 5,    /* times of waiting, until a stanza that was given back is refused */
	LINK_RESTING_MOST = 1000,   /* on a home; the longest resting are forgotten */
};

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

static struct link *link_new(struct s2s *s2s, const struct link_key *key)
{
	struct link *link = mem_zalloc(sizeof(*link));

	if (s2s->resting_count >= LINK_RESTING_MOST)
		link_free(LIST_MEMBER(list_first(&s2s->resting), struct link, rest));
	link->s2s = s2s;
	link->key = str_dup_len(key->text, key->len);
	link->key_len = key->len;
	link->local = link->key;
	link->remote = link->key + strlen(link->key) + 1;
	outbox_init(&link->outbox);
	outbox_init(&link->returned);
	map_put(s2s->links, link->key, link->key_len, link);
	link_set_state(link, LINK_RESTING);
	return link;
}

static void outbox_clear(struct outbox *outbox)
{
	struct parcel *parcel;

	while ((parcel = outbox_take(outbox)))
		parcel_free(&parcel);
}

/* Only a link at rest, or at the home's end, when nobody waits for answers any more. */
void link_free(struct link *link)
{
	struct s2s *s2s = link->s2s;

	timer_stop(s2s->home->worker, &link->timer);
	timer_stop(s2s->home->worker, &link->expiry);
	if (list_is_linked(&link->rest)) {
		list_remove(&link->rest);
		s2s->resting_count--;
	}
	map_remove(s2s->links, link->key, link->key_len);
	if (link->receipts)
		receipts_free(link->receipts);
	outbox_clear(&link->outbox);
	outbox_clear(&link->returned);
	free(link->key);
	free(link);
}

/* ---- refusing ---- */

static void link_refuse(struct link *link, struct parcel *parcel)
{
	const struct trouble_meaning *meaning =
		trouble_meaning(link->failures ? link->trouble : TROUBLE_NONE);

	parcel_refused(link->s2s->home, &parcel, meaning->condition, meaning->text);
}

static void link_refuse_all(struct link *link)
{
	struct parcel *parcel;

	while ((parcel = outbox_take(&link->outbox)))
		link_refuse(link, parcel);
	timer_stop(link->s2s->home->worker, &link->expiry);
}

static void link_expired(struct worker *worker, struct timer *timer);

/* Runs the timer for the parcel whose time is over next. */
static void link_watch_expiry(struct link *link)
{
	struct worker *worker = link->s2s->home->worker;
	uint64_t now = worker_now_ms(worker), next = outbox_next_expiry(&link->outbox);

	if (next == UINT64_MAX)
		timer_stop(worker, &link->expiry);
	else
		timer_start(worker, &link->expiry, next > now ? next - now : 0, link_expired);
}

static void link_expired(struct worker *worker, struct timer *timer)
{
	struct link *link = LIST_MEMBER(timer, struct link, expiry);
	struct parcel *parcel;

	while ((parcel = outbox_take_expired(&link->outbox, worker_now_ms(worker))))
		link_refuse(link, parcel);
	link_watch_expiry(link);
	if (link->state == LINK_WAITING && outbox_is_empty(&link->outbox))
		link_set_state(link, LINK_RESTING);
}

/* ---- a stanza comes ---- */

static uint64_t link_deadline(const struct link *link, const struct peer_policy *policy,
                              const struct parcel *parcel)
{
	return worker_now_ms(link->s2s->home->worker) +
	       (parcel->stanza->kind == STANZA_IQ ? policy->wait_iq_ms : policy->wait_ms);
}

/* Behind all that wait. On a stream without room the first one that waits begins the looking for it. */
static void link_enqueue(struct link *link, const struct peer_policy *policy, struct parcel *parcel)
{
	uint64_t until = link_deadline(link, policy, parcel);

	if (link->outbox.count >= policy->queue_stanzas ||
	    link->outbox.bytes + stanza_weight(parcel->stanza) > policy->queue_bytes) {
		parcel_refused(link->s2s->home, &parcel, STANZA_REMOTE_SERVER_TIMEOUT,
		               "Too much is waiting for that server already");
		return;
	}
	outbox_add(&link->outbox, parcel, until);
	if (!timer_is_running(&link->expiry) || until < link->expiry.due_ms)
		link_watch_expiry(link);
	if (link->state == LINK_READY && link->outbox.count == 1)
		link_write(link);
	else
		link_want(link);
}

static void link_send(struct link *link, struct parcel *parcel)
{
	link->sent++;
	link->sent_ms = worker_now_ms(link->s2s->home->worker);
	outgoing_send(link->outgoing, parcel);
}

static void link_receive(struct link *link, const struct peer_policy *policy, struct parcel *parcel)
{
	if (link->state == LINK_READY && outbox_is_empty(&link->outbox) && outgoing_has_room(link->outgoing))
		link_send(link, parcel);
	else
		link_enqueue(link, policy, parcel);
}

/* What stands against sending it at all; NULL: nothing. We never relay for others (RFC 6120 §10.4: only
 * our domains' stanzas leave), and addresses that are IP literals are none of anybody's domains. */
static const char *parcel_fault(struct s2s *s2s, const struct peer_policy *policy,
                                const struct parcel *parcel, enum stanza_condition *condition)
{
	const struct jid *from = &parcel->stanza->from;
	struct link_key remote;
	struct address literal;

	link_key_make(&remote, "", 0, jid_domain_text(&parcel->to), parcel->to.domain_len);
	remote.text[remote.len] = '\0';
	*condition = STANZA_NOT_ALLOWED;
	if (!policy->allow)
		return "This server exchanges no stanzas with that domain";
	*condition = STANZA_REMOTE_SERVER_NOT_FOUND;
	if (!from->text || !s2s_is_ours(s2s, jid_domain_text(from), from->domain_len))
		return "That domain is not served here";
	if (policy->target_count == 0 && address_read(remote.text + 1, 0, &literal))
		return "An IP address is no domain";
	*condition = STANZA_POLICY_VIOLATION;
	if (!stanza_fits(parcel->stanza, &parcel->to, s2s->home->config->limits.stanza_server))
		return "This is larger than servers take from one another";
	*condition = STANZA_REMOTE_SERVER_TIMEOUT;
	return s2s->draining ? "This server is being stopped" : NULL;
}

void link_deliver(struct home *home, struct parcel *parcel)
{
	struct s2s *s2s = s2s_of(home);
	const struct jid *from = &parcel->stanza->from, *to = &parcel->to;
	const struct peer_policy *policy = policy_find(home->config, jid_domain_text(to), to->domain_len);
	enum stanza_condition condition;
	const char *fault = parcel_fault(s2s, policy, parcel, &condition);
	struct link_key key;
	struct link *link;

	if (fault) {
		parcel_refused(home, &parcel, condition, fault);
		return;
	}
	link_key_make(&key, jid_domain_text(from), from->domain_len, jid_domain_text(to), to->domain_len);
	link = map_find(s2s->links, key.text, key.len);
	link_receive(link ? link : link_new(s2s, &key), policy, parcel);
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

/* Something waits, or can be resumed: a link at rest connects, or waits until it may. */
static void link_want(struct link *link)
{
	uint64_t now = worker_now_ms(link->s2s->home->worker);

	if (link->state != LINK_RESTING || (outbox_is_empty(&link->outbox) && !link->receipts))
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
	uint64_t idle = policy_find(link->s2s->home->config, link->remote, strlen(link->remote))->idle_ms;
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

	while (!outbox_is_empty(&link->outbox) && outgoing_has_room(link->outgoing))
		link_send(link, outbox_take(&link->outbox));
	link_watch_expiry(link);
	if (outbox_is_empty(&link->outbox))
		link_has_idled(worker, &link->timer);
	else
		timer_start(worker, &link->timer, LINK_ROOM_MS, link_room_expected);
}

void link_up(struct link *link)
{
	link_set_state(link, LINK_READY);
	link->ready_ms = link->sent_ms = worker_now_ms(link->s2s->home->worker);
	log_info(s2s_log(link->s2s), NULL, "link up", LOG_STR("from", link->local),
	         LOG_STR("to", link->remote), LOG_INT("waiting", link->outbox.count));
	link_write(link);
}

/* ---- the stream ends ---- */

/* An iq may have been answered already; to ask twice is not ours to decide. Everything else goes again,
 * but not for ever: there are stanzas that make some server end the stream each time. */
void link_take_back(struct link *link, struct parcel *parcel)
{
	struct home *home = link->s2s->home;
	const struct peer_policy *policy = policy_find(home->config, link->remote, strlen(link->remote));
	int64_t age_us = clock_wall_us(worker_clock(home->worker)) - parcel->since_us;

	if (parcel->stanza->type == IQ_GET || parcel->stanza->type == IQ_SET ||
	    age_us / 1000 > (int64_t)(LINK_ATTEMPTS_WAITS * policy->wait_ms))
		parcel_refused(home, &parcel, STANZA_REMOTE_SERVER_TIMEOUT,
		               "The connection to that server broke before it answered");
	else
		outbox_add(&link->returned, parcel, link_deadline(link, policy, parcel));
}

void link_taken_back(struct link *link)
{
	if (link->outgoing && link->state != LINK_CONNECTING)
		return;
	outbox_put_back(&link->outbox, &link->returned);
	link_watch_expiry(link);
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
	         LOG_STR("reason", reason), LOG_INT("waiting", link->outbox.count));
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

void link_down(struct link *link, enum trouble trouble, const char *reason)
{
	struct s2s *s2s = link->s2s;
	bool was_up = link->state == LINK_READY || link->state == LINK_CLOSING;
	bool was_stable = was_up && worker_now_ms(s2s->home->worker) - link->ready_ms >= LINK_STABLE_MS;

	link->outgoing = NULL;
	if (link->receipts && (trouble_meaning(trouble)->final || s2s->draining))
		receipts_give_up(link->receipts);
	outbox_put_back(&link->outbox, &link->returned);
	link_plan(link, was_stable || (was_up && trouble == TROUBLE_NONE && outbox_is_empty(&link->outbox)));
	link_set_state(link, LINK_RESTING);
	if (trouble != TROUBLE_NONE)
		link_note_trouble(link, trouble, reason);
	else
		log_info(s2s_log(s2s), NULL, "link closed", LOG_STR("from", link->local),
		         LOG_STR("to", link->remote));
	if (trouble_meaning(trouble)->final || s2s->draining)
		link_refuse_all(link);
	link_watch_expiry(link);
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

void link_configured(struct link *link)
{
	struct home *home = link->s2s->home;
	struct parcel *parcel;

	if (policy_find(home->config, link->remote, strlen(link->remote))->allow) {
		if (link->state == LINK_READY && !outgoing_is_trusted(link->outgoing))
			link_end(link);
		return;
	}
	while ((parcel = outbox_take(&link->outbox)))
		parcel_refused(home, &parcel, STANZA_NOT_ALLOWED,
		               "This server exchanges no stanzas with that domain");
	link_watch_expiry(link);
	link_end(link);
}

void link_drain(struct link *link)
{
	struct parcel *parcel;

	while ((parcel = outbox_take(&link->outbox)))
		parcel_refused(link->s2s->home, &parcel, STANZA_REMOTE_SERVER_TIMEOUT,
		               "This server is being stopped");
	link_watch_expiry(link);
	link_end(link);
}
