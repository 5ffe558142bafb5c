/* SPDX-License-Identifier: MIT
 *
 * A branch joins us (joining.h). It says what it has been told by our token, and shows the certificate by whose key we are
 * going to know it; from here on that is in our configuration. A secret is tried once on a stream.
 *
 * The stream may go while the store, the disk and the reload are at work: then the branch does not hear of it, and joins
 * anew with a new token.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "incoming_inside.h"
#include "invited.h"
#include "peer_file.h"
#include "token.h"
#include "xmpp/ns.h"
#include "xmpp/writer.h"

struct incoming_join {
	struct incoming *incoming;      /* NULL: it has gone */
	struct home *home;
	char *local, *domain, *address, *secret;
	char pin[PIN_LEN + 1];
};

void incoming_join_forget(struct incoming *incoming)
{
	if (incoming->join)
		incoming->join->incoming = NULL;
	incoming->join = NULL;
}

/* ---- the answer ---- */

/* fault: NULL, they have joined. */
static void join_end(struct incoming_join *join, const char *fault)
{
	struct incoming *incoming = join->incoming;

	log_info(join->home->server->log, NULL, fault ? "branch refused" : "branch joined", LOG_STR("host", join->local),
	         LOG_STR("peer", join->domain), LOG_STR("address", join->address), LOG_STR("reason", fault));
	if (incoming && incoming->state == INCOMING_OPEN) {
		struct buf *out = stream_out(incoming->stream);

		buf_printf(out, "<%s xmlns='" NS_JOIN "'>", fault ? "refused" : "joined");
		if (fault)
			writer_text(out, fault, strlen(fault));
		buf_printf(out, "</%s>", fault ? "refused" : "joined");
		incoming->state = INCOMING_ENDING;
		stream_close(incoming->stream);
	}
	if (incoming)
		incoming_join_forget(incoming);
	free(join->local);
	free(join->domain);
	free(join->address);
	str_wipe(&join->secret);
	free(join);
}

/* ---- the way of a join ---- */

static void join_entered(struct home *home, void *owner, char *error)
{
	(void)home;
	join_end(owner, error);
	free(error);
}

/* Of two who come with the same secret one has removed it. */
static void join_taken(struct store_request *request)
{
	struct incoming_join *join = request->context;
	struct peer_entry entry = { .domain = join->domain, .address = join->address, .pin = join->pin };
	bool taken = request->status == STORE_OK;

	store_request_free(request);
	if (taken)
		peer_file_enter(join->home, &entry, join_entered, join);
	else
		join_end(join, "that token has just been used, or the store fails");
}

static void join_found(struct store_request *request)
{
	struct incoming_join *join = request->context;
	int64_t now_us = clock_wall_us(worker_clock(join->home->worker));
	bool known = invited_is((const struct store_document *)request, join->secret, now_us);
	char *fault = known ? peer_file_fault(join->home->config, join->domain)
	                    : str_dup("that token is not for this domain, or it was used, replaced or is older than a day");

	store_request_free(request);
	if (fault)
		join_end(join, fault);
	else
		store_submit(join->home->server->store, &invited_ask(join->home, STORE_DOCUMENT_PUT, join->local,
		                                                     join->domain, join_taken, join)->request);
	free(fault);
}

static struct incoming_join *join_new(struct incoming *incoming, const char *domain, const char *address,
                                      const char *secret)
{
	struct incoming_join *join = mem_zalloc(sizeof(*join));

	join->incoming = incoming;
	join->home = incoming->s2s->home;
	join->local = str_dup(incoming->to);
	join->domain = str_dup(domain);
	join->address = str_dup(address);
	join->secret = str_dup(secret);
	memcpy(join->pin, incoming->certificate.pin, sizeof(join->pin));
	return join;
}

/* Domain and address are going to stand in a configuration. */
static bool join_is_fine(const struct incoming *incoming, const char *domain, const char *address)
{
	return token_domain_is_fine(domain) && token_address_is_fine(address) &&
	       !s2s_is_ours(incoming->s2s, domain, strlen(domain));
}

void incoming_join(struct incoming *incoming, struct stanza *stanza)
{
	const char *said = element_attr(stanza->root, "domain"), *address = element_attr(stanza->root, "address");
	const char *secret = element_attr(stanza->root, "secret");
	struct home *home = incoming->s2s->home;
	struct jid domain;

	if (!incoming_is_secure(incoming) || !*incoming->certificate.pin || incoming->join ||
	    !config_host(home->config, incoming->to, strlen(incoming->to))) {
		incoming_fail(incoming, STREAM_NOT_AUTHORIZED, "who joins shows a certificate under TLS, and asks a host, once");
		return;
	}
	if (!said || !address || !secret || !jid_domain_prepare(&stanza->arena, said, strlen(said), &domain) ||
	    !join_is_fine(incoming, domain.text, address)) {
		incoming_fail(incoming, STREAM_IMPROPER_ADDRESSING, "who joins says its domain and its address");
		return;
	}
	incoming->join = join_new(incoming, domain.text, address, secret);
	store_submit(home->server->store, &invited_ask(home, STORE_DOCUMENT_GET, incoming->to, domain.text, join_found,
	                                               incoming->join)->request);
}
