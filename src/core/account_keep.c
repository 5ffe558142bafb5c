/* SPDX-License-Identifier: MIT
 *
 * What nobody is there to take is appended to the account's journal (XEP-0160 §3, RFC 6121 §8.5.2.2.1), within the limits
 * of what may wait for its delivery. It is answered when it is durable; its sender gets an error where it cannot be kept.
 */
#include "account_inside.h"

#include <string.h>

#include "core/journal.h"
#include "store/journal.h"

void kept_forget(struct account *account, uint64_t count, uint64_t bytes)
{
	account->undelivered -= count < account->undelivered ? count : account->undelivered;
	account->undelivered_bytes -= bytes < account->undelivered_bytes ? bytes : account->undelivered_bytes;
}

static void keep_done(struct store_request *request)
{
	struct store_journal_append *append = (struct store_journal_append *)request;
	struct home *home = home_of(request->worker);
	struct parcel *parcel = request->context;
	struct account *account = account_find(home, request->owner, strlen(request->owner));

	if (request->status != STORE_OK && account)
		kept_forget(account, 1, append->entry.stanza_len);
	if (request->status == STORE_OK)
		parcel_taken(home, &parcel);
	else if (request->status == STORE_ABSENT)
		parcel_refused(home, &parcel, STANZA_SERVICE_UNAVAILABLE, NULL);
	else
		parcel_refused(home, &parcel, STANZA_RESOURCE_CONSTRAINT,
		               "The message could not be kept, try again");
	store_request_free(request);
}

bool account_keep(struct account *account, struct parcel *parcel)
{
	struct home *home = account->home;
	const struct limits *limits = &home->config->limits;
	struct store_journal_append *append;

	if (journal_takes_back(account, parcel))
		return false;
	if (account->undelivered >= limits->offline_messages ||
	    account->undelivered_bytes + stanza_weight(parcel->stanza) > limits->offline_bytes) {
		parcel_refused(home, &parcel, STANZA_SERVICE_UNAVAILABLE,
		               "No more messages are kept for this account");
		return false;
	}
	overdue_write_earlier(account, parcel);
	append = journal_entry(account, parcel->stanza, &parcel->to, STORE_IN, keep_done);
	if (journal_wants(account, parcel->stanza, &parcel->stanza->from))
		journal_archive(account, &append->entry);
	append->entry.at_us = parcel->since_us;
	append->request.context = parcel;
	parcel->journal = append->entry.sequence;
	account->undelivered++;
	account->undelivered_bytes += append->entry.stanza_len;
	store_submit(home->server->store, &append->request);
	return true;
}
