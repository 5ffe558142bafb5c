/* SPDX-License-Identifier: MIT
 *
 * Failed logins, counted in token buckets: ten of an account and a hundred of an
 * address pass freely; from then on an attempt waits until the bucket has room for one more failure, at most
 * five seconds for an account and one for an address. Success costs nothing, so a campus behind one address
 * is not slowed by its size.
 */
#include "client.h"
#include "net/rates.h"

enum {
	FAILURES_MAX = 8192, /* remembered on one home; the oldest is forgotten */
	PER_SECOND = 1,      /* units that a bucket gets back */
	ACCOUNT_UNITS = 5,
	ACCOUNT_BURST = 50,
	ADDRESS_UNITS = 1,
	ADDRESS_BURST = 100,
};

/* No bare JID begins like what one customer has. */
struct rates *failures_new(const struct hash_seed *seed)
{
	return rates_new(seed, FAILURES_MAX);
}

/* The failure takes what is left in the bucket and never more, so that patience comes back soon after an
 * attack. */
static void failure_count(struct home *home, const void *key, size_t len, uint32_t units, uint32_t burst)
{
	rate_take(rates_get(client_room(home)->failures, key, len), worker_now_ms(home->worker), units, PER_SECOND,
	          burst);
}

void failures_note(struct home *home, const struct jid *account, const struct address *address)
{
	uint8_t key[ADDRESS_CUSTOMER];
	size_t len = address_customer(address, key);

	failure_count(home, account->text, jid_bare_len(account), ACCOUNT_UNITS, ACCOUNT_BURST);
	if (!config_trusts(home->config, address))
		failure_count(home, key, len, ADDRESS_UNITS, ADDRESS_BURST);
}

static uint64_t failure_wait_ms(struct home *home, const void *key, size_t len, uint32_t units,
                                uint32_t burst)
{
	const struct rate *rate = rates_find(client_room(home)->failures, key, len);

	return rate ? rate_wait_ms(rate, worker_now_ms(home->worker), units, PER_SECOND, burst) : 0;
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
