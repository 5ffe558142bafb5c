/* SPDX-License-Identifier: MIT
 *
 * Accounts by their addresses, one in each place.
 */
#include "recent.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

static struct recent_account *recent_place(struct recent *recent, const char *owner)
{
	static const struct hash_seed seed = { 0, 0 };

	return &recent->accounts[hash_bytes(&seed, owner, strlen(owner)) % RECENT_ACCOUNTS];
}

struct recent_account *recent_find(struct recent *recent, const char *owner)
{
	struct recent_account *account = recent_place(recent, owner);

	return account->owner && strcmp(account->owner, owner) == 0 ? account : NULL;
}

struct recent_account *recent_put(struct recent *recent, const char *owner, int64_t id, uint64_t peers_up_to)
{
	struct recent_account *account = recent_place(recent, owner);

	free(account->owner);
	*account = (struct recent_account){ .owner = str_dup(owner), .id = id, .peers_up_to = peers_up_to };
	return account;
}

void recent_clear(struct recent *recent)
{
	for (size_t i = 0; i < RECENT_ACCOUNTS; i++)
		free(recent->accounts[i].owner);
	memset(recent, 0, sizeof(*recent));
}
