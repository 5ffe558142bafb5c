/* SPDX-License-Identifier: MIT
 *
 * Operations on login tokens (store/token.h).
 */
#include "store/token.h"

#include "operation.h"
#include "query.h"

static void token_read(struct query *q, struct arena *arena, struct store_token *token)
{
	token->id = (uint64_t)query_number(q);
	token->mechanism = query_text(q, arena);
	query_copy(q, token->secret, STORE_TOKEN_LEN);
	token->issued_us = query_number(q);
	token->expires_us = query_number(q);
	token->used = query_number(q);
	token->count = (uint64_t)query_number(q);
}

enum store_status sqlite_tokens_read(struct database *db, struct store_request *request)
{
	struct store_tokens_read *read = (struct store_tokens_read *)request;
	struct query q;

	read->count = 0;
	query_start(&q, db, QUERY_TOKENS);
	query_put_owner(&q, request->owner);
	query_put_text(&q, read->client);
	while (read->count < STORE_TOKENS && query_next(&q))
		token_read(&q, &request->arena, &read->tokens[read->count++]);
	return query_finish(&q) ? STORE_OK : STORE_FAILED;
}

static void token_start(struct query *q, struct database *db, enum query_name name, int64_t account,
                        const struct store_token_change *change)
{
	query_start(q, db, name);
	query_put_number(q, account);
	query_put_text(q, change->client);
}

static enum store_status token_use(struct database *db, int64_t account, const struct store_token_change *change)
{
	enum store_status status;
	struct query q;

	token_start(&q, db, QUERY_TOKEN_USE, account, change);
	query_put_unsigned(&q, change->used);
	query_put_unsigned(&q, change->count);
	status = query_change(&q, STORE_ABSENT);
	if (status != STORE_OK)
		return status;
	token_start(&q, db, QUERY_TOKENS_OLDER, account, change);
	query_put_unsigned(&q, change->used);
	return query_change(&q, STORE_OK);
}

static enum store_status tokens_forget(struct database *db, enum query_name name, int64_t account,
                                       const struct store_token_change *change)
{
	struct query q;

	token_start(&q, db, name, account, change);
	return query_change(&q, STORE_OK);
}

static enum store_status token_put(struct database *db, int64_t account, const struct store_token_change *change)
{
	enum store_status status = tokens_forget(db, QUERY_TOKENS_UNUSED, account, change);
	struct query q;

	if (status != STORE_OK)
		return status;
	token_start(&q, db, QUERY_TOKEN_PUT, account, change);
	query_put_text(&q, change->fresh.mechanism);
	query_put_text(&q, change->fresh.secret);
	query_put_number(&q, change->fresh.issued_us);
	query_put_number(&q, change->fresh.expires_us);
	status = query_change(&q, STORE_FAILED);
	if (status != STORE_OK)
		return status;
	query_start(&q, db, QUERY_TOKENS_TRIM);
	query_put_number(&q, account);
	query_put_unsigned(&q, change->most);
	return query_change(&q, STORE_OK);
}

enum store_status sqlite_token_change(struct database *db, struct store_request *request)
{
	const struct store_token_change *change = (struct store_token_change *)request;
	struct account_row row;
	enum store_status status = sqlite_account_find(db, request->owner, &row);

	if (status == STORE_OK && change->used)
		status = token_use(db, row.id, change);
	if (status == STORE_OK && change->forget)
		status = tokens_forget(db, QUERY_TOKENS_FORGET, row.id, change);
	if (status == STORE_OK && change->fresh.mechanism)
		status = token_put(db, row.id, change);
	return status;
}

enum store_status sqlite_tokens_remove(struct database *db, int64_t account, size_t *removed)
{
	enum store_status status;
	struct query q;

	query_start(&q, db, QUERY_TOKENS_REMOVE);
	query_put_number(&q, account);
	status = query_change(&q, STORE_OK);
	*removed = status == STORE_OK ? query_changed(&q) : 0;
	return status;
}

enum store_status sqlite_tokens_revoke(struct database *db, struct store_request *request)
{
	struct account_row row;
	enum store_status status = sqlite_account_find(db, request->owner, &row);

	if (status != STORE_OK)
		return status;
	return sqlite_tokens_remove(db, row.id, &((struct store_token_revoke *)request)->removed);
}
