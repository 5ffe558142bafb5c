/* SPDX-License-Identifier: MIT
 *
 * What clients have of the journal without being sent it: copies (XEP-0280) and pages of the archive (XEP-0313). It is not
 * delivered once more.
 *
 * What must stay true: only what is archived is delivered by being fetched, and nothing that a session is getting meanwhile.
 * A client of negative priority, that gets no messages for the account, delivers none.
 */
#include "core/journal.h"

#include <string.h>

#include "account_inside.h"
#include "core/session.h"

/* ---- copies ---- */

void journal_copy_answered(struct home *home, struct parcel *copy)
{
	struct account *account = account_find(home, copy->to.text, jid_bare_len(&copy->to));

	if (account && copy->answer == PARCEL_TAKEN)
		journal_land(account, copy->token);
	parcel_free(&copy);
}

/* ---- pages of the archive ---- */

static void fetched_done(struct store_request *request)
{
	const struct store_journal_fetched *fetched = (const struct store_journal_fetched *)request;
	struct account *account = account_find(home_of(request->worker), request->owner, strlen(request->owner));

	if (account && request->status == STORE_OK)
		kept_forget(account, fetched->count, fetched->bytes);
	store_request_free(request);
}

/* While the backlog is on its way it is delivered by that. */
void journal_fetched(struct account *account, uint64_t after, uint64_t up_to)
{
	struct store_journal_fetched *fetched;
	uint64_t settled;

	if (account->undelivered == 0 || account->kept)
		return;
	journal_flush(account);
	settled = journal_settled_up_to(account);
	fetched = store_request_new(sizeof(*fetched), STORE_JOURNAL_FETCHED, account->home->worker, account->jid.text,
	                            jid_bare_len(&account->jid), fetched_done);
	fetched->after = after;
	fetched->up_to = up_to < settled ? up_to : settled;
	store_submit(account->home->server->store, &fetched->request);
}

/* Its backlog leaves that out. Of parts with something between them the newer counts. */
static void session_has(struct session *session, uint64_t after, uint64_t up_to)
{
	if (after > session->fetches || up_to < session->fetches_after) {
		session->fetches_after = after;
		session->fetches = up_to;
		return;
	}
	if (after < session->fetches_after)
		session->fetches_after = after;
	if (up_to > session->fetches)
		session->fetches = up_to;
}

/* The page's last message is acknowledged, and so all before it. */
void journal_page_answered(struct home *home, struct parcel *page)
{
	struct account *account = account_find(home, page->to.text, jid_bare_len(&page->to));
	struct session *session = account ? session_find(account, jid_resource(&page->to)) : NULL;

	if (session && page->answer == PARCEL_TAKEN && session->priority >= 0 && session->page_up_to == page->token) {
		session_has(session, session->page_after, session->page_up_to);
		journal_fetched(account, session->page_after, session->page_up_to);
	}
	parcel_free(&page);
}
