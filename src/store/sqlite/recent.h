/* SPDX-License-Identifier: MIT
 *
 * The accounts that were written to last, remembered by the writer: whose entry comes next is mostly among them, and a look
 * into the table costs as much as half an entry. What is remembered is what stands in the writer's transaction, so all is
 * forgotten with what is rolled back, and when an account goes.
 */
#ifndef SQLITE_RECENT_H
#define SQLITE_RECENT_H

#include <stdint.h>

enum { RECENT_ACCOUNTS = 1024 };

struct recent_account {
	char *owner;                    /* NULL: none */
	int64_t id;
	uint64_t peers_up_to;
};
struct recent {
	struct recent_account accounts[RECENT_ACCOUNTS];
};

/* NULL: not remembered. The writer's alone. */
struct recent_account *recent_find(struct recent *recent, const char *owner);
/* In the place of whoever is there. */
struct recent_account *recent_put(struct recent *recent, const char *owner, int64_t id, uint64_t peers_up_to);
void recent_clear(struct recent *recent);

#endif
