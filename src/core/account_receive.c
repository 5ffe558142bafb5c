/* SPDX-License-Identifier: MIT
 *
 * What happens to a parcel that arrives for an account, in the order of RFC 6121 §8.5: of an account that there is not
 * (§8.5.1), of one that is being loaded, or is about to get back what a session held, which it waits for, and of one that is
 * here, where the modules have the rules and what they leave is decided by the kind. "Could not find out" is answered with
 * an error of type wait.
 */
#include "core/account.h"

#include "account_inside.h"
#include "core/host.h"
#include "core/iq.h"
#include "core/router.h"
#include "core/session.h"

enum {
	WAITING_MAX = 1000,      /* parcels while it is loaded */
	WAITING_BYTES = 4 << 20, /* of them */
};

/* ---- there is none ---- */

/* RFC 6121 §4.3.2 rule 1: what an account answers to whom it does not show its presence, so that nobody learns
 * from it which accounts there are. */
static void absent_probed(struct home *home, const struct parcel *probe)
{
	const struct stanza *stanza = probe->stanza;
	struct jid nobody = probe->to;

	nobody.resource_len = 0;
	route_stanza(home, stanza_seal(stanza_make(STANZA_PRESENCE, PRESENCE_UNSUBSCRIBED, &nobody,
	                                           &stanza->from, stanza->id)));
}

/* §8.5.1: an iq must be answered and a message is, so that nobody believes in a delivery; presence but probes is
 * ignored. */
static void absent_receive(struct home *home, struct parcel *parcel)
{
	if (parcel->stanza->kind != STANZA_PRESENCE) {
		parcel_refused(home, &parcel, STANZA_SERVICE_UNAVAILABLE, NULL);
		return;
	}
	if (parcel->stanza->type == PRESENCE_PROBE)
		absent_probed(home, parcel);
	parcel_taken(home, &parcel);
}

/* ---- it is not ready for it ---- */

static void waiting_refused(struct home *home, struct parcel *parcel)
{
	parcel_refused(home, &parcel, STANZA_RESOURCE_CONSTRAINT,
	               "The account cannot be looked up now, try again");
}

static void account_queue(struct account *account, struct parcel *parcel)
{
	size_t bytes = stanza_weight(parcel->stanza);

	if (account->waiting_count == WAITING_MAX || account->waiting_bytes + bytes > WAITING_BYTES) {
		waiting_refused(account->home, parcel);
		return;
	}
	parcel->next = NULL;
	*account->waiting_end = parcel;
	account->waiting_end = &parcel->next;
	account->waiting_count++;
	account->waiting_bytes += bytes;
}

void account_receive_waiting(struct account *account, enum account_state state)
{
	struct parcel *parcel;

	while ((parcel = account->waiting)) {
		account->waiting = parcel->next;
		parcel->next = NULL;
		if (state == ACCOUNT_READY)
			account_receive(account, parcel);
		else if (state == ACCOUNT_ABSENT)
			absent_receive(account->home, parcel);
		else
			waiting_refused(account->home, parcel);
	}
	account->waiting_end = &account->waiting;
	account->waiting_count = account->waiting_bytes = 0;
}

/* ---- it is here ---- */

/* RFC 6121 §8.5.3.1 and §8.5.3.2.3: what an account does not show to somebody looks like what is not there. */
static void resource_receive_iq(struct account *account, struct parcel *parcel)
{
	struct session *session = session_find(account, jid_resource(&parcel->to));
	bool is_answer = parcel->stanza->type == IQ_RESULT || parcel->stanza->type == IQ_ERROR;

	if (session && (is_answer || account_shares_presence(account, &parcel->stanza->from)))
		session_deliver(session, parcel);
	else
		parcel_refused(account->home, &parcel, STANZA_SERVICE_UNAVAILABLE, NULL);
}

/* RFC 6121 §8.5.2.1.3: the server answers for the account. Answers to what it asked for the account have
 * been seen by the modules. */
static void account_receive_iq(struct account *account, struct parcel *parcel)
{
	struct home *home = account->home;

	if (!jid_is_bare(&parcel->to))
		resource_receive_iq(account, parcel);
	else if (parcel->stanza->type == IQ_RESULT || parcel->stanza->type == IQ_ERROR)
		parcel_taken(home, &parcel);
	else
		iq_dispatch(home, account, account->host, parcel);
}

void account_receive(struct account *account, struct parcel *parcel)
{
	if (repeats_takes(account, parcel) || kept_queues(account, parcel))
		return;
	for (const struct module *const *module = account->home->server->modules; *module; module++) {
		if ((*module)->account_received && (*module)->account_received(account, parcel) == HOOK_DONE)
			return;
	}
	switch (parcel->stanza->kind) {
	case STANZA_IQ:
		account_receive_iq(account, parcel);
		break;
	case STANZA_PRESENCE:
		parcel_taken(account->home, &parcel);
		break;
	default:
		parcel_refused(account->home, &parcel, STANZA_SERVICE_UNAVAILABLE, NULL);
	}
}

/* ---- a parcel arrives ---- */

static struct worker *account_home(struct home *from, const struct parcel *parcel)
{
	if (parcel->to.local_len == 0)
		return from->worker;
	return workers_home(from->server->workers, parcel->to.text, jid_bare_len(&parcel->to));
}

/* Escaping makes a stanza larger than it came: one alone must not end the connection that it is meant for. */
static bool parcel_is_too_large(const struct home *home, const struct parcel *parcel)
{
	const struct jid *from = &parcel->stanza->from;
	bool own = from->text && jid_same_bare(from, &parcel->to);

	return !own && !stanza_fits(parcel->stanza, &parcel->to, home->config->limits.unsent);
}

static void account_take(struct account *account, struct parcel *parcel)
{
	if (account->state == ACCOUNT_READY && account->giving_back == 0)
		account_receive(account, parcel);
	else if (account->state == ACCOUNT_ABSENT)
		absent_receive(account->home, parcel);
	else
		account_queue(account, parcel);
}

/* Of a host that is no longer served there is no account in the table: only who is not in it is asked for the host. */
static void account_deliver(struct home *home, struct parcel *parcel)
{
	const struct jid *to = &parcel->to;
	struct account *account = to->local_len ? account_lookup(home, to->text, jid_bare_len(to)) : NULL;
	const struct host *host =
		account ? NULL : config_host(home->config, jid_domain_text(to), to->domain_len);

	if (!account && !host)
		parcel_refused(home, &parcel, STANZA_REMOTE_SERVER_NOT_FOUND, NULL);
	else if (parcel_is_too_large(home, parcel))
		parcel_refused(home, &parcel, STANZA_POLICY_VIOLATION, "This is larger than a client takes");
	else if (to->local_len == 0)
		host_receive(home, host, parcel);
	else
		account_take(account ? account : account_get(home, to), parcel);
}

const struct destination_class account_destination = {
	.name = "host",
	.home = account_home,
	.deliver = account_deliver,
};
