/* SPDX-License-Identifier: MIT
 *
 * How far an account's archive reaches (XEP-0313 §5), for clients that look through it and for those that say at their login
 * that they will (XEP-0386 §3.2).
 */
#include "core/journal.h"

#include "xmpp/ns.h"
#include "xmpp/stamp.h"

struct store_journal_span *journal_span_ask(struct account *account, void (*done)(struct store_request *request))
{
	struct store_journal_span *span = store_request_new(sizeof(*span), STORE_JOURNAL_SPAN, account->home->worker,
	                                                    account->jid.text, jid_bare_len(&account->jid), done);

	store_submit(account->home->server->store, &span->request);
	return span;
}

/* The store has answered a moment ago; since then more may have been archived. */
void journal_span_now(const struct account *account, struct store_journal_span *span)
{
	if (account->journal_archived <= span->last)
		return;
	span->last = account->journal_archived;
	span->last_us = journal_time(span->last);
	if (span->first == 0) {
		span->first = span->last;
		span->first_us = span->last_us;
	}
}

static void end_add(struct arena *arena, struct element *metadata, const char *name, uint64_t sequence, int64_t at_us)
{
	struct element *end = element_add(arena, metadata, name, NS_MAM);
	char id[JOURNAL_ID_LEN + 1], stamp[STAMP_LEN + 1];

	journal_id(sequence, id);
	stamp_write(at_us, stamp);
	element_set(arena, end, "id", id);
	element_set(arena, end, "timestamp", stamp);
}

struct element *journal_add_metadata(struct arena *arena, struct element *parent, const struct store_journal_span *span)
{
	struct element *metadata = element_add(arena, parent, "metadata", NS_MAM);

	if (span->first) {
		end_add(arena, metadata, "start", span->first, span->first_us);
		end_add(arena, metadata, "end", span->last, span->last_us);
	}
	return metadata;
}
