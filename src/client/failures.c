/* SPDX-License-Identifier: MIT
 *
 * Failed logins, counted in token buckets: ten of an account and a hundred of an
 * address pass freely; from then on an attempt waits until the bucket has room for one more failure, at most
 * five seconds for an account and one for an address. Success costs nothing, so a campus behind one address
 * is not slowed by its size.
 */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "client.h"
#include "net/rate.h"

enum {
	FAILURES_MAX = 8192, /* remembered on one home; the oldest is forgotten */
	PER_SECOND = 1,      /* units that a bucket gets back */
	ACCOUNT_UNITS = 5,
	ACCOUNT_BURST = 50,
	ADDRESS_UNITS = 1,
	ADDRESS_BURST = 100,
};

struct failure {
	struct list_link link; /* by age */
	struct rate rate;
	size_t key_len;
	char key[]; /* the bare JID, or what one customer has; no JID begins like the latter */
};

struct failures {
	struct map *map;
	struct list list;
};

struct failures *failures_new(const struct hash_seed *seed)
{
	struct failures *failures = mem_zalloc(sizeof(*failures));

	failures->map = map_new(seed);
	list_init(&failures->list);
	return failures;
}

static void failure_forget(struct failures *failures, struct failure *failure)
{
	map_remove(failures->map, failure->key, failure->key_len);
	list_remove(&failure->link);
	free(failure);
}

void failures_free(struct failures **failures)
{
	struct list_link *link;

	if (!*failures)
		return;
	while ((link = list_first(&(*failures)->list)))
		failure_forget(*failures, LIST_MEMBER(link, struct failure, link));
	map_free(&(*failures)->map);
	free(*failures);
	*failures = NULL;
}

static struct failure *failure_get(struct failures *failures, const void *key, size_t len)
{
	struct failure *failure = map_find(failures->map, key, len);

	if (!failure) {
		if (map_count(failures->map) == FAILURES_MAX)
			failure_forget(failures,
			               LIST_MEMBER(list_first(&failures->list), struct failure, link));
		failure = mem_zalloc(sizeof(*failure) + len);
		memcpy(failure->key, key, len);
		failure->key_len = len;
		map_put(failures->map, failure->key, len, failure);
	}
	list_remove(&failure->link);
	list_add_last(&failures->list, &failure->link);
	return failure;
}

static bool address_is_trusted(const struct config *config, const struct address *address)
{
	for (size_t i = 0; i < config->trusted_count; i++)
		if (network_range_has(&config->trusted[i], address))
			return true;
	return false;
}

/* The failure takes what is left in the bucket and never more, so that patience comes back soon after an
 * attack. */
static void failure_count(struct home *home, const void *key, size_t len, uint32_t units, uint32_t burst)
{
	struct failure *failure = failure_get(client_room(home)->failures, key, len);

	rate_take(&failure->rate, worker_now_ms(home->worker), units, PER_SECOND, burst);
}

void failures_note(struct home *home, const struct jid *account, const struct address *address)
{
	uint8_t key[ADDRESS_CUSTOMER];
	size_t len = address_customer(address, key);

	failure_count(home, account->text, jid_bare_len(account), ACCOUNT_UNITS, ACCOUNT_BURST);
	if (!address_is_trusted(home->config, address))
		failure_count(home, key, len, ADDRESS_UNITS, ADDRESS_BURST);
}

static uint64_t failure_wait_ms(struct home *home, const void *key, size_t len, uint32_t units,
                                uint32_t burst)
{
	const struct failure *failure = map_find(client_room(home)->failures->map, key, len);

	return failure ? rate_wait_ms(&failure->rate, worker_now_ms(home->worker), units, PER_SECOND, burst)
	               : 0;
}

uint64_t failures_wait_ms(struct home *home, const struct jid *account, const struct address *address)
{
	uint8_t key[ADDRESS_CUSTOMER];
	size_t len = address_customer(address, key);
	uint64_t of_account, of_address;

	of_account =
		failure_wait_ms(home, account->text, jid_bare_len(account), ACCOUNT_UNITS, ACCOUNT_BURST);
	of_address = failure_wait_ms(home, key, len, ADDRESS_UNITS, ADDRESS_BURST);
	return of_account > of_address ? of_account : of_address;
}
