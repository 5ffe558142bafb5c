/* SPDX-License-Identifier: MIT
 *
 * What an account asks the modules about somebody else: is he blocked, a subscriber, in a group, may he learn of its
 * presence; and what it tells them when that changes.
 */
#include "core/account.h"

bool account_blocks(const struct account *account, const struct jid *who)
{
	for (const struct module *const *module = account->home->server->modules; *module; module++) {
		if ((*module)->account_blocks && (*module)->account_blocks(account, who))
			return true;
	}
	return false;
}

void account_withdraw_presence(struct account *account, const struct address_set *from)
{
	for (const struct module *const *module = account->home->server->modules; *module; module++) {
		if ((*module)->presence_withdrawn)
			(*module)->presence_withdrawn(account, from);
	}
}

void account_restore_presence(struct account *account, const struct address_set *to)
{
	for (const struct module *const *module = account->home->server->modules; *module; module++) {
		if ((*module)->presence_restored)
			(*module)->presence_restored(account, to);
	}
}

void account_befriend(struct account *account, const struct jid *contact)
{
	for (const struct module *const *module = account->home->server->modules; *module; module++) {
		if ((*module)->account_befriended)
			(*module)->account_befriended(account, contact);
	}
}

bool account_shares_presence(const struct account *account, const struct jid *with)
{
	bool own_host = jid_is_domain(with) && jid_same_domain(with, &account->jid);

	if (own_host || jid_same_bare(with, &account->jid))
		return true;
	if (account_blocks(account, with))
		return false;
	for (const struct module *const *module = account->home->server->modules; *module; module++) {
		if ((*module)->account_shares_presence && (*module)->account_shares_presence(account, with))
			return true;
	}
	return false;
}

bool account_has_subscriber(const struct account *account, const struct jid *who)
{
	if (jid_same_bare(who, &account->jid))
		return true;
	if (account_blocks(account, who))
		return false;
	for (const struct module *const *module = account->home->server->modules; *module; module++) {
		if ((*module)->account_has_subscriber && (*module)->account_has_subscriber(account, who))
			return true;
	}
	return false;
}

bool account_has_in_group(const struct account *account, const struct jid *who, const char *group)
{
	for (const struct module *const *module = account->home->server->modules; *module; module++) {
		if ((*module)->account_has_in_group && (*module)->account_has_in_group(account, who, group))
			return true;
	}
	return false;
}
