/* SPDX-License-Identifier: MIT
 *
 * The steps of a trial, in the order of a link's life, and the verdict. What comes too late for it is nobody's.
 */
#include "trial.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/errand.h"
#include "joining.h"
#include "link.h"
#include "outgoing.h"
#include "policy.h"
#include "xmpp/ns.h"
#include "xmpp/stamp.h"
#include "xmpp/utf8.h"
#include "xmpp/writer.h"

enum {
	TRIAL_ANSWER_MS = 20000, /* the peer may have to connect to us first */
	TRIAL_WORDS = 1000,
};

enum trial_step { STEP_POLICY, STEP_DNS, STEP_CONNECT, STEP_TLS, STEP_CERTIFICATE, STEP_JOIN, STEP_PROOF, STEP_PING, STEPS };

static const char *const trial_steps[STEPS] = {
	[STEP_POLICY] = "policy",
	[STEP_DNS] = "dns",
	[STEP_CONNECT] = "connect",
	[STEP_TLS] = "tls",
	[STEP_CERTIFICATE] = "certificate",
	[STEP_JOIN] = "join",
	[STEP_PROOF] = "authentication",
	[STEP_PING] = "ping",
};

struct trial {
	struct errand errand;   /* first: from the command's home to the pair's and back */
	struct command_call *call;
	char *local, *remote;
	struct list_link link;  /* s2s->trials */
	struct s2s *s2s;
	struct outgoing *outgoing; /* NULL: not begun, or no more */
	enum trial_step step;   /* the next one */
	uint64_t since_ms;
	struct timer timer;     /* of the ping */
	struct ping_id id;      /* of the ping */
	struct joining *joining;
	void (*ended)(struct home *home, struct trial *trial);
	json_t *rows;           /* touched on one home at a time */
	char *verdict;          /* NULL: all is well */
};

struct trial *trial_of(struct list_link *link)
{
	return LIST_MEMBER(link, struct trial, link);
}

bool trial_is_up(const struct trial *trial)
{
	return trial->step == STEP_PING;
}

void trial_free(struct trial *trial)
{
	if (trial->s2s)
		timer_stop(trial->s2s->home->worker, &trial->timer);
	list_remove(&trial->link);
	joining_free(&trial->joining);
	json_decref(trial->rows);
	free(trial->local);
	free(trial->remote);
	free(trial->verdict);
	free(trial);
}

/* ---- the end ---- */

void trial_answer(struct home *home, struct trial *trial)
{
	(void)home;
	trial->call->ended(trial->call, trial->verdict ? COMMAND_REFUSED : COMMAND_DONE, json_incref(trial->rows),
	                   trial->verdict);
	trial_free(trial);
}

static void trial_returned(struct home *home, struct errand *errand)
{
	struct trial *trial = (struct trial *)errand;

	trial->s2s = NULL;
	trial->ended(home, trial);
}

bool trial_has_failed(const struct trial *trial)
{
	return trial->verdict != NULL;
}

static void trial_end(struct trial *trial)
{
	struct home *home = trial->s2s->home;
	struct outgoing *outgoing = trial->outgoing;

	trial->outgoing = NULL;
	if (outgoing)
		outgoing_leave(outgoing);
	timer_stop(home->worker, &trial->timer);
	list_remove(&trial->link);
	errand_return(home, &trial->errand);
}

/* ---- rows ---- */

static void trial_add_row(struct trial *trial, const char *result, const char *detail)
{
	uint64_t now_ms = worker_now_ms(trial->s2s->home->worker);

	json_array_append_new(trial->rows,
	                      json_pack("{s:s, s:s, s:I, s:s}", "step", trial_steps[trial->step], "result", result,
	                                "ms", (json_int_t)(now_ms - trial->since_ms), "detail", detail));
	trial->since_ms = now_ms;
}

static void trial_pass(struct trial *trial, enum trial_step step, const char *detail)
{
	trial->step = step;
	trial_add_row(trial, "ok", detail);
	trial->step = step + 1;
}

static void trial_fail(struct trial *trial, enum trouble trouble, const char *reason)
{
	const struct trouble_meaning *meaning = trouble_meaning(trouble);

	trial_add_row(trial, meaning->name, *reason ? reason : meaning->fault);
	trial->verdict = str_printf("%s %s%s%s%s; to be mended %s: %s", trial->remote, meaning->fault,
	                            *reason ? " (" : "", reason, *reason ? ")" : "", meaning->mender, meaning->remedy);
	trial_end(trial);
}

void trial_add_step(struct trial *trial, const char *step, const char *detail, char *fault)
{
	json_array_append_new(trial->rows, json_pack("{s:s, s:s, s:I, s:s}", "step", step, "result",
	                                             fault ? "failed" : "ok", "ms", (json_int_t)0, "detail", detail));
	trial->verdict = fault;
}

/* ---- what the stream reports ---- */

/* Of several places only the first stands for itself: the others are looked up when that fails. */
void trial_found(struct trial *trial, const char *place)
{
	if (trial->step == STEP_DNS)
		trial_pass(trial, STEP_DNS, place);
}

void trial_reached(struct trial *trial, const char *address)
{
	trial_pass(trial, STEP_CONNECT, address);
}

void trial_secured(struct trial *trial, const struct conn_tls *tls)
{
	char words[TRIAL_WORDS];

	snprintf(words, sizeof(words), "%s, %s", tls->version, tls->cipher);
	trial_pass(trial, STEP_TLS, words);
}

/* The step in which we prove ourselves: to one who does not know us yet by the secret of his token. */
static enum trial_step trial_proof(const struct trial *trial)
{
	return trial->joining ? STEP_JOIN : STEP_PROOF;
}

/* Also one that proves nothing goes on where policy knows dialback. */
void trial_judged(struct trial *trial, struct outgoing *outgoing, const char *reason)
{
	struct outgoing_row shown;
	char stamp[STAMP_LEN + 1], words[TRIAL_WORDS];

	outgoing_describe(outgoing, &shown);
	if (shown.certificate)
		stamp_write(shown.certificate->until_s * 1000000, stamp);
	if (!shown.certificate)
		snprintf(words, sizeof(words), "none (%s)", reason);
	else if (shown.peer_by)
		snprintf(words, sizeof(words), "good: %s, until %s, pin %s", shown.peer_by, stamp, shown.certificate->pin);
	else
		snprintf(words, sizeof(words), "not needed where dialback is taken (%s), until %s, pin %s", reason, stamp,
		         shown.certificate->pin);
	trial_pass(trial, STEP_CERTIFICATE, words);
	trial->step = trial_proof(trial);
}

void trial_joined(struct trial *trial)
{
	trial_pass(trial, STEP_JOIN, "taken");
	trial_end(trial);
}

static void trial_unanswered(struct worker *worker, struct timer *timer)
{
	(void)worker;
	trial_fail(LIST_MEMBER(timer, struct trial, timer), TROUBLE_UNANSWERED, "");
}

void trial_up(struct trial *trial, const char *method)
{
	struct home *home = trial->s2s->home;

	trial_pass(trial, STEP_PROOF, method);
	ping_write(home, outgoing_out(trial->outgoing), trial->local, trial->remote, &trial->id);
	timer_start(home->worker, &trial->timer, TRIAL_ANSWER_MS, trial_unanswered);
}

/* A peer that does not want us says so at whichever step it knows who we are: it is our proof that it does not take. */
void trial_down(struct trial *trial, enum trouble trouble, const char *reason)
{
	bool was_up = trial_is_up(trial);
	char words[LINK_REASON];

	snprintf(words, sizeof(words), "%s", reason);
	utf8_trim(words);
	trial->outgoing = NULL;
	if (trouble == TROUBLE_DENIED || trouble == TROUBLE_HOST_UNKNOWN)
		trial->step = trial_proof(trial);
	if (trial->s2s->draining)
		trial_fail(trial, TROUBLE_BROKEN, "this server is being stopped");
	else
		trial_fail(trial, was_up ? TROUBLE_CLOSED : trouble, words);
}

/* ---- the answer to the ping ---- */

void trials_answer(struct s2s *s2s, const char *remote, const struct ping_id *id)
{
	for (struct list_link *l = list_first(&s2s->trials); l; l = list_next(&s2s->trials, l)) {
		struct trial *trial = trial_of(l);

		if (!trial_is_up(trial) || strcmp(trial->id.text, id->text) != 0 || strcmp(trial->remote, remote) != 0)
			continue;
		trial_pass(trial, STEP_PING, "answered on a stream of the peer's own");
		trial_end(trial);
		return;
	}
}

/* ---- the beginning ---- */

/* On the home of the pair. */
static void trial_begin(struct home *home, struct errand *errand)
{
	struct trial *trial = (struct trial *)errand;
	const struct peer_policy *policy = policy_find(home->config, trial->remote, strlen(trial->remote));
	char words[TRIAL_WORDS];

	trial->step = STEP_POLICY;
	trial->s2s = s2s_of(home);
	trial->since_ms = worker_now_ms(home->worker);
	list_add_last(&trial->s2s->trials, &trial->link);
	snprintf(words, sizeof(words), "section peer \"%s\"", policy->domain);
	if (trial->joining) {
		snprintf(words, sizeof(words), "the token");
	} else if (!policy->allow) {
		trial_fail(trial, TROUBLE_FORBIDDEN, words);
		return;
	}
	trial_pass(trial, STEP_POLICY, words);
	resolver_flush(trial->s2s->resolver);
	trial->outgoing = outgoing_try(trial->s2s, trial->local, trial->remote, trial);
}

struct trial *trial_new(struct command_call *call, const char *local, const char *remote)
{
	struct trial *trial = mem_zalloc(sizeof(*trial));

	trial->call = call;
	trial->local = str_dup(local);
	trial->remote = str_dup(remote);
	trial->rows = json_array();
	return trial;
}

void trial_start(struct trial *trial, void (*ended)(struct home *home, struct trial *trial))
{
	struct home *home = trial->call->home;
	struct link_key key;

	trial->ended = ended;
	link_key_make(&key, trial->local, strlen(trial->local), trial->remote, strlen(trial->remote));
	errand_send(home, link_home(home, &key), &trial->errand, trial_begin, trial_returned);
}

void trial_set_joining(struct trial *trial, struct joining *joining)
{
	joining_free(&trial->joining);
	trial->joining = joining;
}

struct joining *trial_joining(const struct trial *trial)
{
	return trial->joining;
}

/* Which of our hosts tries; NULL: no such host. */
static const struct host *trial_host(const struct command_call *call)
{
	const struct config *config = call->home->config;

	return call->arg_count < 2 ? &config->hosts[0] : config_host(config, call->args[1], strlen(call->args[1]));
}

void trial_run(struct command_call *call)
{
	const struct host *host = trial_host(call);
	struct arena arena = { 0 };
	struct jid domain;

	if (!host) {
		command_fail(call, COMMAND_NOT_FOUND, "%s: no such host", call->args[1]);
	} else if (!jid_domain_prepare(&arena, call->args[0], strlen(call->args[0]), &domain)) {
		command_fail(call, COMMAND_USAGE, "%s: this is no domain", call->args[0]);
	} else if (config_destination(call->home->config, domain.text, strlen(domain.text))) {
		command_fail(call, COMMAND_REFUSED, "%s: this domain is served here", call->args[0]);
	} else {
		trial_start(trial_new(call, host->domain, domain.text), trial_answer);
	}
	arena_clear(&arena);
}
