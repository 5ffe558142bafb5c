/* SPDX-License-Identifier: MIT
 *
 * Operations on accounts (store/account.h).
 */
#include "store/account.h"

#include <string.h>

#include "operation.h"
#include "query.h"

/* The names of the registry of hash functions; in the file they outlive any order of our enum. */
static const char *const hash_names[] = {
	[DIGEST_SHA1] = "SHA-1",
	[DIGEST_SHA256] = "SHA-256",
	[DIGEST_SHA512] = "SHA-512",
};
enum { HASH_NAMES = sizeof(hash_names) / sizeof(hash_names[0]) };

enum store_status sqlite_account_find(struct database *db, const char *owner, struct account_row *row)
{
	struct query q;
	bool found;

	query_start(&q, db, QUERY_ACCOUNT);
	query_put_owner(&q, owner);
	found = query_next(&q);
	if (found) {
		row->id = query_number(&q);
		row->roster_version = (uint64_t)query_number(&q);
		row->delivered = (uint64_t)query_number(&q);
		row->peers_up_to = (uint64_t)query_number(&q);
	}
	if (!query_finish(&q))
		return STORE_FAILED;
	return found ? STORE_OK : STORE_ABSENT;
}

static enum store_status credentials_put(struct database *db, int64_t account,
                                         const struct store_account_write *write)
{
	enum store_status status = STORE_OK;

	for (size_t i = 0; i < write->credential_count && status == STORE_OK; i++) {
		const struct store_credential *credential = &write->credentials[i];
		struct query q;

		query_start(&q, db, QUERY_CREDENTIAL_PUT);
		query_put_number(&q, account);
		query_put_text(&q, hash_names[credential->kind]);
		query_put_number(&q, credential->iterations);
		query_put_bytes(&q, credential->salt, sizeof(credential->salt));
		query_put_bytes(&q, credential->stored_key, digest_size(credential->kind));
		query_put_bytes(&q, credential->server_key, digest_size(credential->kind));
		status = query_change(&q, STORE_FAILED);
	}
	return status;
}

enum store_status sqlite_account_create(struct database *db, struct store_request *request)
{
	struct store_account_write *write = (struct store_account_write *)request;
	enum store_status status;
	struct query q;

	query_start(&q, db, QUERY_ACCOUNT_CREATE);
	query_put_owner(&q, request->owner);
	query_put_number(&q, write->created_us);
	status = query_change(&q, STORE_CONFLICT);
	return status == STORE_OK ? credentials_put(db, database_new_row(db), write) : status;
}

/* The keys of an older password go, of whatever hash, and the tokens that its clients got for it. */
enum store_status sqlite_account_credentials(struct database *db, struct store_request *request)
{
	struct store_account_write *write = (struct store_account_write *)request;
	struct account_row row;
	enum store_status status = sqlite_account_find(db, request->owner, &row);
	size_t tokens;
	struct query q;

	if (status == STORE_OK)
		status = sqlite_tokens_remove(db, row.id, &tokens);
	if (status != STORE_OK)
		return status;
	query_start(&q, db, QUERY_CREDENTIALS_REMOVE);
	query_put_number(&q, row.id);
	status = query_change(&q, STORE_OK);
	return status == STORE_OK ? credentials_put(db, row.id, write) : status;
}

/* Everything that hangs on the account goes with it (ON DELETE CASCADE). */
enum store_status sqlite_account_remove(struct database *db, struct store_request *request)
{
	struct query q;

	recent_clear(&db->recent);
	query_start(&q, db, QUERY_ACCOUNT_REMOVE);
	query_put_owner(&q, request->owner);
	return query_change(&q, STORE_ABSENT);
}

static bool hash_find(const char *name, enum digest_kind *kind)
{
	for (size_t i = 0; name && i < HASH_NAMES; i++) {
		if (strcmp(name, hash_names[i]) == 0) {
			*kind = (enum digest_kind)i;
			return true;
		}
	}
	return false;
}

static void credential_read(struct query *q, struct arena *arena, struct store_credential *credential)
{
	if (!hash_find(query_text(q, arena), &credential->kind)) {
		query_fail(q, "a credential is of an unknown hash");
		return;
	}
	credential->iterations = (uint32_t)query_number(q);
	query_copy(q, credential->salt, sizeof(credential->salt));
	query_copy(q, credential->stored_key, digest_size(credential->kind));
	query_copy(q, credential->server_key, digest_size(credential->kind));
}

static bool credentials_load(struct database *db, int64_t account, struct store_account_load *load)
{
	struct query q;

	load->credential_count = 0;
	query_start(&q, db, QUERY_CREDENTIALS);
	query_put_number(&q, account);
	while (load->credential_count < STORE_CREDENTIALS && query_next(&q))
		credential_read(&q, &load->request.arena, &load->credentials[load->credential_count++]);
	return query_finish(&q);
}

enum store_status sqlite_account_load(struct database *db, struct store_request *request)
{
	struct store_account_load *load = (struct store_account_load *)request;
	struct account_row row;
	enum store_status status = sqlite_account_find(db, request->owner, &row);

	if (status != STORE_OK)
		return status;
	load->roster_version = row.roster_version;
	if (!credentials_load(db, row.id, load) || !sqlite_roster_load(db, row.id, load) ||
	    !sqlite_journal_weigh(db, &row, load) || !sqlite_documents_load(db, row.id, load) || !sqlite_journal_repeats(db, row.id, load))
		return STORE_FAILED;
	return STORE_OK;
}

/* after is an account's address; what counts is its name. */
static void account_list_start(struct query *q, struct database *db, const struct store_account_list *list)
{
	const char *after = list->after ? list->after : "";

	query_start(q, db, QUERY_ACCOUNT_LIST);
	query_put_text(q, list->request.owner);
	query_put_text_len(q, after, strcspn(after, "@"));
	query_put_unsigned(q, list->limit);
}

enum store_status sqlite_account_list(struct database *db, struct store_request *request)
{
	struct store_account_list *list = (struct store_account_list *)request;
	struct arena *arena = &request->arena;
	struct query q;

	list->count = 0;
	account_list_start(&q, db, list);
	while (query_next(&q)) {
		const char *name = query_text(&q, arena);

		list->accounts = rows_grow(arena, list->accounts, list->count, sizeof(*list->accounts));
		list->created_us = rows_grow(arena, list->created_us, list->count, sizeof(*list->created_us));
		list->accounts[list->count] = arena_printf(arena, "%s@%s", name ? name : "", request->owner);
		list->created_us[list->count++] = query_number(&q);
	}
	return query_finish(&q) ? STORE_OK : STORE_FAILED;
}
